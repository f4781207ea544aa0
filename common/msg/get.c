#include <errno.h>

#include "msg/msg.h"

#include <stdio.h>

int msg_doc_init(struct msg_doc *d)
{
    d->root = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
    return msgpack_zone_init(&d->zone, 4096) ? 0 : -ENOMEM;
}

void msg_doc_fini(struct msg_doc *d)
{
    msgpack_zone_destroy(&d->zone);
}

int msg_parse(struct msg_doc *d, struct view v)
{
    msgpack_unpack_return rc;
    size_t off = 0;

    msgpack_zone_clear(&d->zone);
    d->root = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
    if (msg_check(v) < 0)
        return -EBADMSG;
    rc = msgpack_unpack(v.ptr, v.len, &off, &d->zone, &d->root);
    if (rc == MSGPACK_UNPACK_NOMEM_ERROR)
        return -ENOMEM;
    if ((rc != MSGPACK_UNPACK_SUCCESS && rc != MSGPACK_UNPACK_EXTRA_BYTES) ||
        d->root.type != MSGPACK_OBJECT_MAP) {
        d->root = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
        return -EBADMSG;
    }
    return 0;
}

struct view msg_str(const msgpack_object *o)
{
    if (!o || o->type != MSGPACK_OBJECT_STR)
        return view_of(NULL, 0);
    return view_of(o->via.str.ptr, o->via.str.size);
}

const msgpack_object *msg_get(const msgpack_object *map, const char *key)
{
    struct view k = view_cstr(key);

    if (!map || map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (view_eq(msg_str(&map->via.map.ptr[i].key), k))
            return &map->via.map.ptr[i].val;
    return NULL;
}

struct view msg_get_str(const msgpack_object *map, const char *key)
{
    return msg_str(msg_get(map, key));
}

struct view msg_get_text(const msgpack_object *map, const char *key, char scratch[32])
{
    const msgpack_object *o = msg_get(map, key);

    if (!o)
        return view_of(NULL, 0);
    switch (o->type) {
    case MSGPACK_OBJECT_STR:
        return msg_str(o);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(scratch, 32, "%llu", (unsigned long long)o->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(scratch, 32, "%lld", (long long)o->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        snprintf(scratch, 32, "%.17g", o->via.f64);
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        snprintf(scratch, 32, "%d", o->via.boolean);
        break;
    default:
        return view_of(NULL, 0);
    }
    return view_cstr(scratch);
}

int64_t msg_get_i64(const msgpack_object *map, const char *key, int64_t dflt)
{
    const msgpack_object *o = msg_get(map, key);

    if (o && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return o->via.u64 > INT64_MAX ? dflt : (int64_t)o->via.u64;
    return o && o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ? o->via.i64 : dflt;
}

uint64_t msg_get_u64(const msgpack_object *map, const char *key, uint64_t dflt)
{
    const msgpack_object *o = msg_get(map, key);

    return o && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? o->via.u64 : dflt;
}

double msg_get_double(const msgpack_object *map, const char *key, double dflt)
{
    const msgpack_object *o = msg_get(map, key);

    if (o && (o->type == MSGPACK_OBJECT_FLOAT64 || o->type == MSGPACK_OBJECT_FLOAT32))
        return o->via.f64;
    if (o && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return (double)o->via.u64;
    return dflt;
}

bool msg_get_bool(const msgpack_object *map, const char *key, bool dflt)
{
    const msgpack_object *o = msg_get(map, key);

    return o && o->type == MSGPACK_OBJECT_BOOLEAN ? o->via.boolean : dflt;
}
