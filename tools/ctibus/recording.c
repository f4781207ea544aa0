#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void recording_put_head(struct buf *out, double started)
{
    msg_put_map(out, 3);
    msg_put_pair(out, "format", VIEW(RECORDING_FORMAT));
    msg_put_pair_u64(out, "version", RECORDING_VERSION);
    msg_put_cstr(out, "started");
    msg_put_double(out, started);
}

void recording_put(struct buf *out, const struct bus_msg *m)
{
    msg_put_array(out, 6);
    msg_put_str(out, m->topic);
    msg_put_str(out, m->source);
    msg_put_u64(out, m->epoch);
    msg_put_u64(out, m->seq);
    msg_put_double(out, m->time);
    buf_append_view(out, m->body);
}

/* 0 or a negative errno. */
static int map_file(struct recording *r, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        rc = -errno;
    else if (st.st_size == 0)
        rc = -EBADMSG;
    if (rc == 0) {
        r->size = (size_t)st.st_size;
        r->map = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (r->map == MAP_FAILED) {
            rc = -errno;
            r->map = NULL;
        }
    }
    close(fd);
    return rc;
}

/* The next value, not parsed; empty: there is none that is whole. */
static struct view next_value(struct recording *r)
{
    size_t n = msg_length(r->rest);
    struct view v = view_of(r->rest.ptr, n);

    r->rest = view_of(r->rest.ptr + n, r->rest.len - n);
    return v;
}

const char *recording_open(struct recording *r, const char *path)
{
    int rc;

    memset(r, 0, sizeof(*r));
    rc = map_file(r, path);
    if (rc < 0)
        return rc == -EBADMSG ? "the file is empty" : strerror(-rc);
    if (msg_doc_init(&r->doc) < 0) {
        munmap(r->map, r->size);
        r->map = NULL;
        return "out of memory";
    }
    r->rest = view_of(r->map, r->size);
    if (msg_parse(&r->doc, next_value(r)) < 0 ||
        !view_eq(msg_get_str(&r->doc.root, "format"), VIEW(RECORDING_FORMAT))) {
        recording_close(r);
        return "this is no recording of ctibus";
    }
    r->started = msg_get_double(&r->doc.root, "started", 0);
    if (msg_get_i64(&r->doc.root, "version", 0) == RECORDING_VERSION)
        return NULL;
    recording_close(r);
    return "a recording of another version of ctibus";
}

void recording_close(struct recording *r)
{
    if (!r->map)
        return;
    msg_doc_fini(&r->doc);
    munmap(r->map, r->size);
    r->map = NULL;
}

/* The five values before the body, whose bytes are taken as they are. */
static int read_message(struct recording *r, struct view value, struct bus_msg *m)
{
    const msgpack_object *a;
    size_t off = 0;

    msgpack_zone_clear(&r->doc.zone);
    if (msgpack_unpack(value.ptr, value.len, &off, &r->doc.zone, &r->doc.root) < 0 ||
        r->doc.root.type != MSGPACK_OBJECT_ARRAY || r->doc.root.via.array.size != 6)
        return -EBADMSG;
    a = r->doc.root.via.array.ptr;
    if (a[0].type != MSGPACK_OBJECT_STR || a[1].type != MSGPACK_OBJECT_STR ||
        a[2].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        a[3].type != MSGPACK_OBJECT_POSITIVE_INTEGER || a[4].type != MSGPACK_OBJECT_FLOAT64 ||
        a[5].type != MSGPACK_OBJECT_MAP)
        return -EBADMSG;
    *m = (struct bus_msg){.topic = msg_str(&a[0]),
                          .source = msg_str(&a[1]),
                          .epoch = a[2].via.u64,
                          .seq = a[3].via.u64,
                          .time = a[4].via.f64};
    return 0;
}

/* Behind the head of the array and its first five values. */
static struct view body_of(struct view value)
{
    struct view rest = view_of(value.ptr + 1, value.len - 1);

    for (int i = 0; i < 5; i++) {
        size_t n = msg_length(rest);
        rest = view_of(rest.ptr + n, rest.len - n);
    }
    return rest;
}

int recording_next(struct recording *r, struct bus_msg *m)
{
    struct view value;
    int rc;

    if (r->rest.len == 0)
        return -ENODATA;
    value = next_value(r);
    if (value.len == 0)
        return -EBADMSG;
    rc = read_message(r, value, m);
    if (rc == 0 && (unsigned char)value.ptr[0] != 0x96) /* six, in its short form */
        rc = -EBADMSG;
    if (rc == 0)
        m->body = body_of(value);
    return rc;
}
