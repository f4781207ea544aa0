#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "json/json.h"

/* Deeper is written as null: what was parsed never is, and a writer must end. */
#define WRITE_DEPTH 64

static const bool escaped[256] = {[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true};

/* A short last piece may still fit when one before it did not. */
static int finish(struct buf *b, char last)
{
    buf_append_char(b, last);
    return b->failed ? -ENOBUFS : 0;
}

static void put_escape(struct buf *b, unsigned char c)
{
    static const char short_from[] = "\"\\\b\f\n\r\t";
    static const char short_to[] = "\"\\bfnrt";
    const char *at = c ? strchr(short_from, c) : NULL;
    char text[8] = {'\\'};

    if (at) {
        text[1] = short_to[at - short_from];
        buf_append(b, text, 2);
    } else {
        snprintf(text, sizeof(text), "\\u%04x", c);
        buf_append(b, text, 6);
    }
}

static int put_mended(struct buf *b, struct view v)
{
    struct buf mended;
    int rc;

    buf_init(&mended, 0);
    if (utf8_mend(&mended, v) < 0)
        b->failed = true;
    rc = json_put_string(b, buf_view(&mended));
    buf_free(&mended);
    return rc;
}

static bool is_ascii(struct view v)
{
    unsigned char all = 0;

    for (size_t i = 0; i < v.len; i++)
        all |= (unsigned char)v.ptr[i];
    return all < 0x80;
}

int json_put_string(struct buf *b, struct view v)
{
    size_t done = 0;
    size_t i = 0;

    if (!is_ascii(v) && !utf8_valid(v))
        return put_mended(b, v);
    buf_append_char(b, '"');
    for (; i < v.len; i++) {
        if (!escaped[(unsigned char)v.ptr[i]])
            continue;
        if (i > done)
            buf_append(b, v.ptr + done, i - done);
        put_escape(b, (unsigned char)v.ptr[i]);
        done = i + 1;
    }
    if (i > done)
        buf_append(b, v.ptr + done, i - done);
    return finish(b, '"');
}

int json_put_i64(struct buf *b, int64_t n)
{
    char text[24];
    char *at = text + sizeof(text);
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (n < 0)
        *--at = '-';
    return buf_append(b, at, (size_t)(text + sizeof(text) - at));
}

int json_put_double(struct buf *b, double d)
{
    char text[40];
    int n = 0;

    if (!isfinite(d))
        return buf_append_cstr(b, "null");
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    if (!strpbrk(text, ".e"))
        n += snprintf(text + n, sizeof(text) - (size_t)n, ".0");
    return buf_append(b, text, (size_t)n);
}

int json_put_time(struct buf *b, double seconds)
{
    char text[8] = ".000000";
    int64_t us;

    if (!(seconds >= 0 && seconds < 1e12))
        return json_put_double(b, seconds);
    us = llround(seconds * 1e6);
    json_put_i64(b, us / 1000000);
    us %= 1000000;
    for (int i = 6; i > 0; i--) {
        text[i] = (char)('0' + us % 10);
        us /= 10;
    }
    return buf_append(b, text, 7);
}

int json_put_bool(struct buf *b, bool on)
{
    return buf_append_cstr(b, on ? "true" : "false");
}

static int put_value(struct buf *b, struct json_object *obj, int depth);

static int put_array(struct buf *b, struct json_object *obj, int depth)
{
    size_t n = json_object_array_length(obj);

    buf_append_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_append_char(b, ',');
        put_value(b, json_object_array_get_idx(obj, i), depth + 1);
    }
    return finish(b, ']');
}

static int put_members(struct buf *b, struct json_object *obj, int depth)
{
    bool first = true;

    buf_append_char(b, '{');
    json_object_object_foreach(obj, key, value)
    {
        if (!first)
            buf_append_char(b, ',');
        first = false;
        json_put_string(b, view_cstr(key));
        buf_append_char(b, ':');
        put_value(b, value, depth + 1);
    }
    return finish(b, '}');
}

static int put_value(struct buf *b, struct json_object *obj, int depth)
{
    if (depth > WRITE_DEPTH)
        return buf_append_cstr(b, "null");
    switch (json_object_get_type(obj)) {
    case json_type_boolean:
        return json_put_bool(b, json_object_get_boolean(obj));
    case json_type_double:
        return json_put_double(b, json_object_get_double(obj));
    case json_type_int:
        return json_put_i64(b, json_object_get_int64(obj));
    case json_type_string:
        return json_put_string(b, json_view(obj));
    case json_type_array:
        return put_array(b, obj, depth);
    case json_type_object:
        return put_members(b, obj, depth);
    case json_type_null:
        break;
    }
    return buf_append_cstr(b, "null");
}

int json_put_object(struct buf *b, struct json_object *obj)
{
    return put_value(b, obj, 0);
}
