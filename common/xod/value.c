#include "xod/value.h"

#include <errno.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"

/* A string, and how many values have it. */
struct text {
    uint32_t values;
    char s[];
};

static struct text *text_of(const struct value *v)
{
    return (void *)(v->s - offsetof(struct text, s));
}

static void text_drop(struct text *t)
{
    if (--t->values == 0)
        free(t);
}

/* How many values stand in `items`. */
static uint32_t item_count(const struct value *v)
{
    return v->type == V_LIST ? v->len : v->type == V_MAP ? v->len * 2 : 0;
}

void value_clear(struct value *v)
{
    uint32_t n = item_count(v);

    for (uint32_t i = 0; i < n; i++)
        value_clear(&v->items[i]);
    if (v->type == V_STR)
        text_drop(text_of(v));
    else if (v->type == V_LIST || v->type == V_MAP)
        free(v->items);
    *v = (struct value){.type = V_NULL};
}

int value_set_str(struct value *v, struct view s)
{
    struct text *t = s.len > UINT32_MAX ? NULL : malloc(sizeof(*t) + s.len + 1);

    if (!t)
        return -ENOMEM;
    t->values = 1;
    if (s.len)
        memcpy(t->s, s.ptr, s.len);
    t->s[s.len] = '\0';
    value_clear(v);
    *v = (struct value){.type = V_STR, .len = (uint32_t)s.len, .s = t->s};
    return 0;
}

void value_set_bool(struct value *v, bool b)
{
    value_clear(v);
    *v = (struct value){.type = V_BOOL, .b = b};
}

void value_set_int(struct value *v, int64_t i)
{
    value_clear(v);
    *v = (struct value){.type = V_INT, .i = i};
}

void value_set_float(struct value *v, double f)
{
    value_clear(v);
    *v = (struct value){.type = V_FLOAT, .f = f};
}

/* An array of n nulls under v (a list or map). */
static int make_items(struct value *v, enum value_type type, uint32_t len)
{
    uint32_t n = type == V_MAP ? len * 2 : len;

    *v = (struct value){.type = (uint8_t)type, .len = len};
    if (n == 0)
        return 0;
    v->items = calloc(n, sizeof(*v->items));
    if (v->items)
        return 0;
    *v = (struct value){.type = V_NULL};
    return -ENOMEM;
}

int value_list_of_nulls(struct value *v, uint32_t n)
{
    return make_items(v, V_LIST, n);
}

int value_copy(struct value *dst, const struct value *src)
{
    uint32_t n = item_count(src);

    *dst = (struct value){.type = V_NULL};
    if (src->type != V_LIST && src->type != V_MAP) {
        *dst = *src;
        if (src->type == V_STR)
            text_of(src)->values++;
        return 0;
    }
    if (make_items(dst, src->type, src->len) < 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (value_copy(&dst->items[i], &src->items[i]) < 0) {
            value_clear(dst);
            return -ENOMEM;
        }
    return 0;
}

bool value_eq(const struct value *a, const struct value *b)
{
    uint32_t n;

    if (a->type != b->type || a->len != b->len)
        return false;
    switch (a->type) {
    case V_NULL:
        return true;
    case V_BOOL:
        return a->b == b->b;
    case V_INT:
        return a->i == b->i;
    case V_FLOAT:
        return a->f == b->f || (a->f != a->f && b->f != b->f);
    case V_STR:
        return a->s == b->s || view_eq(value_view(a), value_view(b));
    default:
        n = item_count(a);
        for (uint32_t i = 0; i < n; i++)
            if (!value_eq(&a->items[i], &b->items[i]))
                return false;
        return true;
    }
}

int value_list_add(struct value *v, struct view s)
{
    return value_list_insert(v, UINT32_MAX, s);
}

int value_list_insert(struct value *v, uint32_t at, struct view s)
{
    struct value item = {.type = V_NULL};
    struct value *items;

    if (v->type != V_LIST) {
        value_clear(v);
        v->type = V_LIST;
    }
    if (value_set_str(&item, s) < 0)
        return -ENOMEM;
    items = realloc(v->items, (v->len + 1) * sizeof(*items));
    if (!items) {
        value_clear(&item);
        return -ENOMEM;
    }
    v->items = items;
    if (at > v->len)
        at = v->len;
    memmove(&items[at + 1], &items[at], (v->len - at) * sizeof(*items));
    items[at] = item;
    v->len++;
    return 0;
}

static uint32_t list_find(const struct value *v, struct view s)
{
    if (v->type != V_LIST)
        return UINT32_MAX;
    for (uint32_t i = 0; i < v->len; i++)
        if (v->items[i].type == V_STR && view_eq(value_view(&v->items[i]), s))
            return i;
    return UINT32_MAX;
}

bool value_list_has(const struct value *v, struct view s)
{
    return list_find(v, s) != UINT32_MAX;
}

bool value_list_del(struct value *v, struct view s)
{
    uint32_t at = list_find(v, s);

    if (at == UINT32_MAX)
        return false;
    value_clear(&v->items[at]);
    memmove(&v->items[at], &v->items[at + 1], (v->len - at - 1) * sizeof(*v->items));
    v->len--;
    if (v->len == 0) {
        free(v->items);
        v->items = NULL;
    }
    return true;
}

/* Where the key of a pair stands in `items`, or UINT32_MAX. */
static uint32_t map_find(const struct value *v, struct view key)
{
    if (v->type != V_MAP)
        return UINT32_MAX;
    for (uint32_t i = 0; i < v->len; i++)
        if (v->items[2 * i].type == V_STR && view_eq(value_view(&v->items[2 * i]), key))
            return 2 * i;
    return UINT32_MAX;
}

const struct value *value_map_get(const struct value *v, struct view key)
{
    uint32_t at = map_find(v, key);

    return at == UINT32_MAX ? NULL : &v->items[at + 1];
}

int value_map_put(struct value *v, struct view key, struct value *item)
{
    uint32_t at = map_find(v, key);
    struct value name = {.type = V_NULL};
    struct value *items;

    if (v->type != V_MAP) {
        value_clear(v);
        v->type = V_MAP;
    }
    if (at != UINT32_MAX) {
        value_clear(&v->items[at + 1]);
        v->items[at + 1] = *item;
        *item = (struct value){.type = V_NULL};
        return 0;
    }
    items = realloc(v->items, 2 * (v->len + 1) * sizeof(*items));
    if (items)
        v->items = items;
    if (!items || value_set_str(&name, key) < 0) {
        value_clear(item);
        return -ENOMEM;
    }
    items[2 * v->len] = name;
    items[2 * v->len + 1] = *item;
    v->len++;
    *item = (struct value){.type = V_NULL};
    return 0;
}

bool value_map_del(struct value *v, struct view key)
{
    uint32_t at = map_find(v, key);

    if (at == UINT32_MAX)
        return false;
    value_clear(&v->items[at]);
    value_clear(&v->items[at + 1]);
    v->len--;
    memmove(&v->items[at], &v->items[at + 2], (2 * v->len - at) * sizeof(*v->items));
    if (v->len == 0) {
        free(v->items);
        v->items = NULL;
    }
    return true;
}

bool value_fits(const struct value *v, uint8_t types)
{
    return (types & (1u << v->type)) != 0;
}

bool value_truth(const struct value *v)
{
    struct view s;

    switch (v->type) {
    case V_NULL:
        return false;
    case V_BOOL:
        return v->b;
    case V_INT:
        return v->i != 0;
    case V_FLOAT:
        return v->f != 0;
    case V_STR:
        s = value_view(v);
        return s.len && !view_eq(s, VIEW("0")) && !view_ieq(s, VIEW("false"));
    default:
        return v->len != 0;
    }
}

struct view value_text(const struct value *v, char out[32])
{
    if (v->type == V_STR)
        return value_view(v);
    if (v->type == V_INT)
        snprintf(out, 32, "%lld", (long long)v->i);
    else if (v->type == V_BOOL)
        snprintf(out, 32, "%d", v->b);
    else if (v->type == V_FLOAT)
        snprintf(out, 32, "%.17g", v->f);
    else
        out[0] = '\0';
    return view_cstr(out);
}

void value_pack(struct buf *out, const struct value *v)
{
    uint32_t n = item_count(v);

    switch (v->type) {
    case V_BOOL:
        msg_put_bool(out, v->b);
        break;
    case V_INT:
        msg_put_i64(out, v->i);
        break;
    case V_FLOAT:
        msg_put_double(out, v->f);
        break;
    case V_STR:
        msg_put_str(out, value_view(v));
        break;
    case V_LIST:
    case V_MAP:
        if (v->type == V_LIST)
            msg_put_array(out, v->len);
        else
            msg_put_map(out, v->len);
        for (uint32_t i = 0; i < n; i++)
            value_pack(out, &v->items[i]);
        break;
    default:
        msg_put_nil(out);
    }
}

static int from_msg(struct value *v, const msgpack_object *o, int depth);

static int items_from_msg(struct value *v, const msgpack_object *o, int depth)
{
    bool map = o->type == MSGPACK_OBJECT_MAP;
    uint32_t len = map ? o->via.map.size : o->via.array.size;
    int rc = make_items(v, map ? V_MAP : V_LIST, len);

    for (uint32_t i = 0; rc == 0 && i < len; i++) {
        if (!map) {
            rc = from_msg(&v->items[i], &o->via.array.ptr[i], depth + 1);
            continue;
        }
        rc = from_msg(&v->items[2 * i], &o->via.map.ptr[i].key, depth + 1);
        if (rc == 0 && v->items[2 * i].type != V_STR)
            rc = -EBADMSG;
        if (rc == 0)
            rc = from_msg(&v->items[2 * i + 1], &o->via.map.ptr[i].val, depth + 1);
    }
    return rc;
}

static int from_msg(struct value *v, const msgpack_object *o, int depth)
{
    if (depth > VALUE_MAX_DEPTH)
        return -E2BIG;
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        value_set_bool(v, o->via.boolean);
        return 0;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        value_set_int(v, o->via.u64 > INT64_MAX ? INT64_MAX : (int64_t)o->via.u64);
        return 0;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        value_set_int(v, o->via.i64);
        return 0;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        value_set_float(v, o->via.f64);
        return 0;
    case MSGPACK_OBJECT_STR:
        return value_set_str(v, msg_str(o));
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
        return items_from_msg(v, o, depth);
    default:
        return 0;
    }
}

int value_from_msg(struct value *v, const msgpack_object *o)
{
    int rc;

    *v = (struct value){.type = V_NULL};
    rc = from_msg(v, o, 0);
    if (rc < 0)
        value_clear(v);
    return rc;
}

static int from_json(struct value *v, struct json_object *o, int depth);

static int items_from_json(struct value *v, struct json_object *o, int depth)
{
    int rc;
    uint32_t i = 0;

    if (json_object_is_type(o, json_type_array)) {
        uint32_t n = (uint32_t)json_object_array_length(o);
        rc = make_items(v, V_LIST, n);
        for (i = 0; rc == 0 && i < n; i++)
            rc = from_json(&v->items[i], json_object_array_get_idx(o, i), depth + 1);
        return rc;
    }
    rc = make_items(v, V_MAP, (uint32_t)json_object_object_length(o));
    json_object_object_foreach(o, key, val)
    {
        if (rc == 0)
            rc = value_set_str(&v->items[2 * i], view_cstr(key));
        if (rc == 0)
            rc = from_json(&v->items[2 * i + 1], val, depth + 1);
        i++;
    }
    return rc;
}

static int from_json(struct value *v, struct json_object *o, int depth)
{
    if (depth > VALUE_MAX_DEPTH)
        return -E2BIG;
    switch (json_object_get_type(o)) {
    case json_type_boolean:
        value_set_bool(v, json_object_get_boolean(o));
        return 0;
    case json_type_int:
        value_set_int(v, json_object_get_int64(o));
        return 0;
    case json_type_double:
        value_set_float(v, json_object_get_double(o));
        return 0;
    case json_type_string:
        return value_set_str(
            v, view_of(json_object_get_string(o), (size_t)json_object_get_string_len(o)));
    case json_type_array:
    case json_type_object:
        return items_from_json(v, o, depth);
    default:
        return 0;
    }
}

int value_from_json(struct value *v, struct json_object *o)
{
    int rc;

    *v = (struct value){.type = V_NULL};
    rc = from_json(v, o, 0);
    if (rc < 0)
        value_clear(v);
    return rc;
}

void value_put_json(struct buf *out, const struct value *v)
{
    uint32_t n = item_count(v);

    switch (v->type) {
    case V_BOOL:
        buf_append_cstr(out, v->b ? "true" : "false");
        break;
    case V_INT:
        json_put_i64(out, v->i);
        break;
    case V_FLOAT:
        json_put_double(out, v->f);
        break;
    case V_STR:
        json_put_string(out, value_view(v));
        break;
    case V_LIST:
    case V_MAP:
        buf_append_char(out, v->type == V_LIST ? '[' : '{');
        for (uint32_t i = 0; i < n; i++) {
            if (i)
                buf_append_char(out, v->type == V_MAP && i % 2 ? ':' : ',');
            value_put_json(out, &v->items[i]);
        }
        buf_append_char(out, v->type == V_LIST ? ']' : '}');
        break;
    default:
        buf_append_cstr(out, "null");
    }
}
