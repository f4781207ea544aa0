#include "number.h"

#include <stdio.h>
#include <string.h>

#define ALIKE_DIGITS 9

static void take(char out[8], const struct config *cfg, const char *key)
{
    const char *text = config_str(cfg, key);

    snprintf(out, 8, "%s", text ? text : "");
}

struct number_rules number_rules(const struct config *cfg)
{
    struct number_rules rules = {"", "", ""};

    take(rules.country, cfg, "ctibus.dialplan.country");
    take(rules.international, cfg, "ctibus.dialplan.international");
    take(rules.trunk, cfg, "ctibus.dialplan.trunk");
    return rules;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits, and a plus before the first of them; without the "(0)" that is dialled at home only. 0:
 * none, or too many. */
static size_t digits(struct view written, char out[NUMBER_ROOM])
{
    size_t n = 0;

    for (size_t i = 0; i < written.len; i++) {
        struct view rest = view_of(written.ptr + i, written.len - i);
        if (n > 0 && view_starts(rest, VIEW("(0)"))) {
            i += 2;
            continue;
        }
        if (!is_digit(*rest.ptr) && (*rest.ptr != '+' || n > 0))
            continue;
        if (n == NUMBER_ROOM - 1)
            return 0;
        out[n++] = *rest.ptr;
    }
    out[n] = '\0';
    return n == 1 && *out == '+' ? 0 : n;
}

/* Puts `prefix` with a plus where the first `cut` characters were. */
static size_t put_prefix(char out[NUMBER_ROOM], size_t n, size_t cut, struct view prefix)
{
    if (n - cut + prefix.len + 1 > NUMBER_ROOM - 1)
        return 0;
    memmove(out + 1 + prefix.len, out + cut, n - cut + 1);
    *out = '+';
    if (prefix.len)
        memcpy(out + 1, prefix.ptr, prefix.len);
    return n - cut + prefix.len + 1;
}

/* Does it begin so, and go on? */
static bool begins(const char *out, size_t n, struct view prefix)
{
    return prefix.len && n > prefix.len && memcmp(out, prefix.ptr, prefix.len) == 0;
}

size_t number_normal(const struct number_rules *rules, struct view written, char out[NUMBER_ROOM])
{
    size_t n = digits(written, out);

    if (n == 0)
        *out = '\0';
    if (n == 0 || *out == '+')
        return n;
    if (begins(out, n, view_cstr(rules->international)))
        return put_prefix(out, n, strlen(rules->international), view_of(NULL, 0));
    if (*rules->country && begins(out, n, view_cstr(rules->trunk)))
        return put_prefix(out, n, strlen(rules->trunk), view_cstr(rules->country));
    if (*rules->country && !*rules->trunk && n >= ALIKE_DIGITS)
        return put_prefix(out, n, 0, view_cstr(rules->country));
    return n;
}

bool number_is(const struct number_rules *rules, struct view written, struct view normal)
{
    char scratch[NUMBER_ROOM];
    size_t n = number_normal(rules, written, scratch);

    return n > 0 && view_eq(view_of(scratch, n), normal);
}

/* The last of them, or the empty view. */
static struct view last_digits(struct view number)
{
    return number.len >= ALIKE_DIGITS + (*number.ptr == '+' ? 1u : 0u)
               ? view_of(number.ptr + number.len - ALIKE_DIGITS, ALIKE_DIGITS)
               : view_of(NULL, 0);
}

bool number_is_alike(struct view written, struct view normal)
{
    char scratch[NUMBER_ROOM];
    size_t n = digits(written, scratch);
    struct view one = n ? last_digits(view_of(scratch, n)) : view_of(NULL, 0);
    struct view other = normal.len ? last_digits(normal) : view_of(NULL, 0);

    return one.len && other.len && view_eq(one, other);
}
