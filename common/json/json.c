#include "json/json.h"

#include <errno.h>
#include <math.h>

#include "base/utf8.h"

int json_parser_init(struct json_parser *p)
{
    p->offset = 0;
    p->tok = json_tokener_new_ex(JSON_DEPTH);
    if (!p->tok)
        return -ENOMEM;
    json_tokener_set_flags(p->tok, JSON_TOKENER_STRICT);
    return 0;
}

void json_parser_fini(struct json_parser *p)
{
    if (p->tok)
        json_tokener_free(p->tok);
    p->tok = NULL;
}

static struct view trim_end(struct view v)
{
    while (v.len > 0 && (v.ptr[v.len - 1] == ' ' || v.ptr[v.len - 1] == '\t' ||
                         v.ptr[v.len - 1] == '\r' || v.ptr[v.len - 1] == '\n'))
        v.len--;
    return v;
}

static bool bad_outside_string(struct view text, size_t i)
{
    char c = text.ptr[i];

    if (c == '.')
        return i + 1 == text.len || text.ptr[i + 1] < '0' || text.ptr[i + 1] > '9';
    return c == '\'' || ((unsigned char)c < 0x20 && c != '\n' && c != '\r' && c != '\t');
}

/* json-c cuts a key at a U+0000, and a string with one in it passes for another string wherever it
 * is taken for a C string. No text needs the character. */
static bool escapes_nul(struct view text, size_t backslash)
{
    return view_starts(view_of(text.ptr + backslash, text.len - backslash), VIEW("\\u0000"));
}

/* Even a strict json-c lets control characters stand in strings, takes a NUL for the end, 'x' for a
 * string and "1." for a number, and checks UTF-8 roughly: so the bytes are looked at before. */
static int check_bytes(struct json_parser *p, struct view text)
{
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted && !escapes_nul(text, i))
            i++;
        else if (quoted ? c < 0x20 || c == '\\' : bad_outside_string(text, i)) {
            p->offset = i;
            return -EINVAL;
        }
    }
    return utf8_valid(text) ? 0 : -EILSEQ;
}

static bool has_nonfinite(struct json_object *obj)
{
    if (json_object_is_type(obj, json_type_double))
        return !isfinite(json_object_get_double(obj));
    if (json_object_is_type(obj, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(obj); i++)
            if (has_nonfinite(json_object_array_get_idx(obj, i)))
                return true;
    } else if (json_object_is_type(obj, json_type_object)) {
        json_object_object_foreach(obj, key, value)
        {
            (void)key;
            if (has_nonfinite(value))
                return true;
        }
    }
    return false;
}

/* NaN and Infinity are no JSON, but json-c takes them. */
static bool may_be_nonfinite(struct view text)
{
    return (memchr(text.ptr, 'N', text.len) && view_find(text, VIEW("NaN")) >= 0) ||
           (memchr(text.ptr, 'I', text.len) && view_find(text, VIEW("Infinity")) >= 0);
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
    if (p->offset < text.len || (may_be_nonfinite(text) && has_nonfinite(obj))) {
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

struct json_object *json_member(struct json_object *obj, struct view key)
{
    if (!obj || !json_object_is_type(obj, json_type_object))
        return NULL;
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
