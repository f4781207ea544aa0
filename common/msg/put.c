#include "msg/msg.h"

/* Thin shells around msgpack-c's packer. */

static int write_buf(void *data, const char *p, size_t n)
{
    return buf_append(data, p, n);
}

static inline msgpack_packer packer(struct buf *out)
{
    return (msgpack_packer){.data = out, .callback = write_buf};
}

void msg_put_map(struct buf *out, size_t pairs)
{
    msgpack_packer pk = packer(out);

    msgpack_pack_map(&pk, pairs);
}

void msg_put_array(struct buf *out, size_t items)
{
    msgpack_packer pk = packer(out);

    msgpack_pack_array(&pk, items);
}

void msg_put_nil(struct buf *out)
{
    msgpack_packer pk = packer(out);

    msgpack_pack_nil(&pk);
}

void msg_put_bool(struct buf *out, bool b)
{
    msgpack_packer pk = packer(out);

    if (b)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
}

void msg_put_i64(struct buf *out, int64_t i)
{
    msgpack_packer pk = packer(out);

    msgpack_pack_int64(&pk, i);
}

void msg_put_u64(struct buf *out, uint64_t u)
{
    msgpack_packer pk = packer(out);

    msgpack_pack_uint64(&pk, u);
}

void msg_put_double(struct buf *out, double d)
{
    msgpack_packer pk = packer(out);

    msgpack_pack_double(&pk, d);
}

/* Most are keys and short texts: with the one byte that says so they are appended at once. */
void msg_put_str(struct buf *out, struct view v)
{
    msgpack_packer pk = packer(out);
    char *p = v.len < 32 ? buf_reserve(out, v.len + 1) : NULL;

    if (p) {
        p[0] = (char)(0xa0 | v.len);
        if (v.len)
            memcpy(p + 1, v.ptr, v.len);
        buf_commit(out, v.len + 1);
        return;
    }
    msgpack_pack_str(&pk, v.len);
    if (v.len)
        buf_append(out, v.ptr, v.len);
}

void msg_put_pair(struct buf *out, const char *key, struct view value)
{
    msg_put_cstr(out, key);
    msg_put_str(out, value);
}

void msg_put_pair_u64(struct buf *out, const char *key, uint64_t value)
{
    msg_put_cstr(out, key);
    msg_put_u64(out, value);
}

/* A map 16 or an array 16: the head has always three bytes, so that its count can be written later.
 */
void msg_put_elements(struct buf *out, const char *key, size_t n, const struct buf *elements)
{
    msg_put_cstr(out, key);
    msg_put_array(out, n);
    buf_append_view(out, buf_view(elements));
    out->failed |= elements->failed;
}

size_t msg_map_begin(struct buf *out)
{
    buf_append(out, "\xde\0\0", 3);
    return buf_len(out) - 2;
}

size_t msg_array_begin(struct buf *out)
{
    buf_append(out, "\xdc\0\0", 3);
    return buf_len(out) - 2;
}

void msg_array_end(struct buf *out, size_t mark, size_t n)
{
    msg_map_end(out, mark, n);
}

void msg_map_end(struct buf *out, size_t mark, size_t pairs)
{
    unsigned char n[2] = {(unsigned char)(pairs >> 8), (unsigned char)pairs};

    if (!out->failed)
        memcpy(out->mem + out->start + mark, n, 2);
}

static bool is_among(struct view key, const char *const *keys)
{
    for (; *keys; keys++)
        if (view_eq(key, view_cstr(*keys)))
            return true;
    return false;
}

size_t msg_put_members(struct buf *out, const msgpack_object *map, const char *const *but)
{
    size_t n = 0;

    for (uint32_t i = 0; i < map->via.map.size; i++) {
        struct view key = msg_str(&map->via.map.ptr[i].key);
        if (is_among(key, but))
            continue;
        msg_put_str(out, key);
        msg_put_object(out, &map->via.map.ptr[i].val);
        n++;
    }
    return n;
}

void msg_put_object(struct buf *out, const msgpack_object *o)
{
    msgpack_packer pk = {.data = out, .callback = write_buf};

    msgpack_pack_object(&pk, *o);
}
