#include "json/flat.h"

#include "base/array.h"

#define MAX_DIGITS 18

static const bool plain[256] = {
    [' '] = true, ['!'] = true, ['#' ... '.'] = true, ['0' ... '['] = true, [']' ... '~'] = true};

static bool take(struct view *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = view_of(rest->ptr + 1, rest->len - 1);
    return true;
}

static bool take_string(struct view *rest, struct view *out)
{
    size_t n = 0;

    if (!take(rest, '"'))
        return false;
    while (n < rest->len && plain[(unsigned char)rest->ptr[n]])
        n++;
    *out = view_of(rest->ptr, n);
    *rest = view_of(rest->ptr + n, rest->len - n);
    return take(rest, '"');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_int(struct view *rest, struct view *out)
{
    size_t sign = rest->len && rest->ptr[0] == '-';
    size_t n = sign;

    while (n < rest->len && is_digit(rest->ptr[n]))
        n++;
    if (n == sign || n - sign > MAX_DIGITS || (rest->ptr[sign] == '0' && n > 1)) /* 00, 01 and -0 */
        return false;
    *out = view_of(rest->ptr, n);
    *rest = view_of(rest->ptr + n, rest->len - n);
    return true;
}

static bool take_word(struct view *rest, struct view *out)
{
    static const struct view words[] = {
        {.ptr = "true", .len = 4}, {.ptr = "false", .len = 5}, {.ptr = "null", .len = 4}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (view_starts(*rest, words[i])) {
            *out = words[i];
            *rest = view_of(rest->ptr + words[i].len, rest->len - words[i].len);
            return true;
        }
    return false;
}

static bool take_value(struct view *rest, struct json_flat_member *m)
{
    char first = rest->len ? rest->ptr[0] : '\0';

    m->type = first == '"'                      ? JSON_FLAT_STRING
              : first == '-' || is_digit(first) ? JSON_FLAT_INT
                                                : JSON_FLAT_WORD;
    switch (m->type) {
    case JSON_FLAT_STRING:
        return take_string(rest, &m->value);
    case JSON_FLAT_INT:
        return take_int(rest, &m->value);
    default:
        return take_word(rest, &m->value);
    }
}

const struct json_flat_member *json_flat_get(const struct json_flat_member *members, int n,
                                             struct view key)
{
    for (int i = 0; i < n; i++)
        if (view_eq(members[i].key, key))
            return &members[i];
    return NULL;
}

int json_flat(struct view text, struct json_flat_member *members, int max)
{
    struct view rest = text;
    int n = 0;

    if (!take(&rest, '{'))
        return -1;
    do {
        struct json_flat_member *m = &members[n];
        if (n > 0)
            take(&rest, ' ');
        if (n == max || !take_string(&rest, &m->key) || !take(&rest, ':'))
            return -1;
        take(&rest, ' ');
        if (!take_value(&rest, m) || json_flat_get(members, n, m->key))
            return -1;
        n++;
    } while (take(&rest, ','));
    return take(&rest, '}') && rest.len == 0 ? n : -1;
}
