#include <errno.h>

#include "bus/internal.h"

static bool read_u64(struct view v, uint64_t *out)
{
    msgpack_object o;
    msgpack_zone zone;
    size_t off = 0;
    bool ok;

    /* one number of at most nine bytes: nothing is allocated for it */
    if (v.len == 0 || v.len > 9 || msg_check(v) < 0 || !msgpack_zone_init(&zone, 64))
        return false;
    ok = msgpack_unpack(v.ptr, v.len, &off, &zone, &o) >= 0 &&
         o.type == MSGPACK_OBJECT_POSITIVE_INTEGER;
    *out = ok ? o.via.u64 : 0;
    msgpack_zone_destroy(&zone);
    return ok;
}

int envelope_read(struct frames *f, int first, struct msg_doc *doc, struct envelope *e)
{
    uint64_t version;
    struct view word;
    int status;

    if (f->n != first + 4 || !read_u64(frame_view(f, first), &version) || version != BUS_VERSION ||
        !read_u64(frame_view(f, first + 1), &e->id))
        return -EBADMSG;
    if (msg_parse(doc, frame_view(f, first + 3)) < 0)
        return -EBADMSG;
    e->doc = doc;
    word = frame_view(f, first + 2);
    e->method = schema_method_find(word);
    if (e->method >= 0)
        return 0;
    status = schema_status_find(word);
    if (status < 0)
        return -ENOSYS;
    e->status = (enum bus_status)status;
    return 0;
}

int envelope_send(void *socket, struct view to, uint64_t id, struct view word, struct view body)
{
    char scratch[16];
    struct buf idb = {.mem = scratch, .cap = sizeof(scratch), .max = sizeof(scratch)};
    struct view parts[5];
    int n = 0;

    msg_put_u64(&idb, id);
    if (to.len)
        parts[n++] = to;
    parts[n++] = VIEW("\x01");
    parts[n++] = buf_view(&idb);
    parts[n++] = word;
    parts[n++] = body.len ? body : VIEW("\x80");
    return frames_send(socket, parts, n);
}

void envelope_body(struct buf *out, uint32_t deadline_ms, size_t n_pairs, struct view pairs)
{
    msg_put_map(out, n_pairs + 1);
    msg_put_pair_u64(out, "deadline_ms", deadline_ms);
    buf_append_view(out, pairs);
}
