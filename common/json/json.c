#include "json/json.h"

#include <errno.h>

#include "base/utf8.h"

int json_parser_init(struct json_parser *p)
{
    p->offset = 0;
    p->tok = json_tokener_new_ex(JSON_DEPTH);
    if (!p->tok)
        return -ENOMEM;
    return 0;
}

void json_parser_fini(struct json_parser *p)
{
    if (p->tok)
        json_tokener_free(p->tok);
    p->tok = NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct view trim_end(struct view v)
{
    while (v.len > 0 && is_blank(v.ptr[v.len - 1]))
        v.len--;
    return v;
}

/* json-c cuts a key at a U+0000, and a string with one in it passes for another string wherever it
 * is taken for a C string. No text needs the character. */
static bool escapes_nul(struct view text, size_t backslash)
{
    return view_starts(view_of(text.ptr + backslash, text.len - backslash), VIEW("\\u0000"));
}

static bool is_digit(struct view v, size_t i)
{
    return i < v.len && v.ptr[i] >= '0' && v.ptr[i] <= '9';
}

static size_t after_digits(struct view v, size_t i)
{
    while (is_digit(v, i))
        i++;
    return i;
}

static bool is_number(struct view v)
{
    size_t i = v.len > 0 && v.ptr[0] == '-' ? 1 : 0;

    if (!is_digit(v, i))
        return false;
    i = v.ptr[i] == '0' ? i + 1 : after_digits(v, i);
    if (i < v.len && v.ptr[i] == '.') {
        if (!is_digit(v, i + 1))
            return false;
        i = after_digits(v, i + 1);
    }
    if (i < v.len && (v.ptr[i] == 'e' || v.ptr[i] == 'E')) {
        i += i + 1 < v.len && (v.ptr[i + 1] == '-' || v.ptr[i + 1] == '+') ? 2 : 1;
        if (!is_digit(v, i))
            return false;
        i = after_digits(v, i);
    }
    return i == v.len;
}

/* One of the characters that stand between strings, numbers and names; a comma not before an end.
 */
static bool is_mark(struct view text, size_t i)
{
    size_t next = i + 1;

    if (text.ptr[i] != ',')
        return is_blank(text.ptr[i]) || memchr("{}[]:", text.ptr[i], 5);
    while (next < text.len && is_blank(text.ptr[next]))
        next++;
    return next < text.len && text.ptr[next] != ']' && text.ptr[next] != '}';
}

/* The length of what begins at i outside of strings: a mark, true, false, null or a number; 0: it
 * is nothing of that. */
static size_t outside_string(struct view text, size_t i)
{
    struct view v = view_of(text.ptr + i, 0);

    if (is_mark(text, i))
        return 1;
    while (i + v.len < text.len && text.ptr[i + v.len] != '"' && text.ptr[i + v.len] != ',' &&
           !is_mark(text, i + v.len))
        v.len++;
    if (view_eq(v, VIEW("true")) || view_eq(v, VIEW("false")) || view_eq(v, VIEW("null")))
        return v.len;
    return is_number(v) ? v.len : 0;
}

/* json-c takes more than JSON, and what its strict mode refuses depends on its version: that of
 * 0.18 takes each byte of UTF-8 for a control character. So all but the order of the parts is
 * looked at before. */
static int check_bytes(struct json_parser *p, struct view text)
{
    bool quoted = false;
    size_t step;

    for (size_t i = 0; i < text.len; i += step) {
        unsigned char c = (unsigned char)text.ptr[i];
        step = 1;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted && !escapes_nul(text, i))
            step = 2;
        else if (quoted)
            step = c < 0x20 || c == '\\' ? 0 : 1;
        else
            step = outside_string(text, i);
        if (step == 0) {
            p->offset = i;
            return -EINVAL;
        }
    }
    return utf8_valid(text) ? 0 : -EILSEQ;
}

int json_parse(struct json_parser *p, struct view text, struct json_object **out)
{
    struct json_object *obj;
    enum json_tokener_error err;
    int rc;

    *out = NULL;
    p->offset = 0;
    text = trim_end(text);
    if (text.len == 0 || text.len > INT32_MAX)
        return -EINVAL;
    rc = check_bytes(p, text);
    if (rc < 0)
        return rc;
    json_tokener_reset(p->tok);
    obj = json_tokener_parse_ex(p->tok, text.ptr, (int)text.len);
    err = json_tokener_get_error(p->tok);
    p->offset = json_tokener_get_parse_end(p->tok);
    if (err == json_tokener_continue) { /* a number ends only with what follows it */
        obj = json_tokener_parse_ex(p->tok, "", 1);
        err = json_tokener_get_error(p->tok);
        p->offset = text.len;
    }
    if (err != json_tokener_success)
        return err == json_tokener_error_depth ? -E2BIG : -EINVAL;
    if (p->offset < text.len) {
        json_object_put(obj);
        return -EINVAL;
    }
    *out = obj;
    return 0;
}

struct json_object *json_get(struct json_object *obj, const char *key)
{
    struct json_object *value = NULL;

    if (json_object_is_type(obj, json_type_object))
        json_object_object_get_ex(obj, key, &value);
    return value;
}

/* json-c finds a key by its hash, and wants a NUL behind it. A key with a NUL within is none. */
struct json_object *json_member(struct json_object *obj, struct view key)
{
    char text[256];

    if (!json_object_is_type(obj, json_type_object))
        return NULL;
    if (key.len < sizeof(text)) {
        if (key.len)
            memcpy(text, key.ptr, key.len);
        text[key.len] = '\0';
        return strlen(text) == key.len ? json_get(obj, text) : NULL;
    }
    json_object_object_foreach(obj, k, v)
    {
        if (view_eq(view_cstr(k), key))
            return v;
    }
    return NULL;
}

struct json_object *json_get_object(struct json_object *obj, const char *key)
{
    struct json_object *value = json_get(obj, key);

    return json_object_is_type(value, json_type_object) ? value : NULL;
}

struct view json_view(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return view_of(NULL, 0);
    return view_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

struct view json_get_text(struct json_object *obj, const char *key)
{
    struct json_object *v = json_get(obj, key);

    if (!v || json_object_is_type(v, json_type_object) || json_object_is_type(v, json_type_array))
        return view_of(NULL, 0);
    return view_cstr(json_object_get_string(v));
}

static int set(struct json_object *obj, const char *key, struct json_object *v)
{
    if (v && json_object_object_add(obj, key, v) == 0)
        return 0;
    json_object_put(v);
    return -ENOMEM;
}

int json_set_text(struct json_object *obj, const char *key, struct view v)
{
    return obj ? set(obj, key, json_object_new_string_len(v.ptr ? v.ptr : "", (int)v.len)) : 0;
}

int json_set_i64(struct json_object *obj, const char *key, int64_t n)
{
    return obj ? set(obj, key, json_object_new_int64(n)) : 0;
}

struct view json_get_view(struct json_object *obj, const char *key)
{
    return json_view(json_get(obj, key));
}

int64_t json_get_i64(struct json_object *obj, const char *key, int64_t default_value)
{
    struct json_object *value = json_get(obj, key);
    int64_t n;

    if (json_object_is_type(value, json_type_int))
        return json_object_get_int64(value);
    if (view_to_i64(json_view(value), &n) == 0)
        return n;
    return default_value;
}

bool json_get_bool(struct json_object *obj, const char *key, bool default_value)
{
    struct json_object *value = json_get(obj, key);

    if (json_object_is_type(value, json_type_boolean))
        return json_object_get_boolean(value);
    if (json_object_is_type(value, json_type_int))
        return json_object_get_int64(value) != 0;
    return default_value;
}
