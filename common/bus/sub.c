#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "bus/internal.h"

#define MAX_PLANES 8
#define MAX_STREAMS 1024 /* sources times planes: a bound on what forged sources can cost */
#define MAX_TOPIC 1024
#define STRAGGLER_US 5000000u

/* The numbers of one source on one plane. */
struct stream {
    char *key; /* source NUL plane */
    size_t key_len;
    uint64_t epoch;
    uint64_t seq;
    uint64_t heard; /* when the process of this epoch was last heard, monotonic microseconds */
};

struct bus_sub {
    struct bus *bus;
    void *socket;
    struct zpoll *poll;
    const struct bus_sub_handler *handler;
    void *arg;
    char planes[MAX_PLANES][16];
    size_t n_planes;
    struct map *streams;
    uint64_t lost;
    struct msg_doc meta;
};

static bool followed(const struct bus_sub *s, struct view plane)
{
    for (size_t i = 0; i < s->n_planes; i++)
        if (view_eq(view_cstr(s->planes[i]), plane))
            return true;
    return false;
}

static struct stream *stream_of(struct bus_sub *s, const struct bus_msg *m, struct view plane)
{
    char key[256];
    size_t n = m->source.len + 1 + plane.len;
    struct stream *st;

    if (n > sizeof(key))
        return NULL;
    memcpy(key, m->source.ptr, m->source.len);
    key[m->source.len] = '\0';
    memcpy(key + m->source.len + 1, plane.ptr, plane.len);
    st = map_get(s->streams, view_of(key, n));
    if (st || map_count(s->streams) >= MAX_STREAMS)
        return st;
    st = calloc(1, sizeof(*st));
    if (!st)
        return NULL;
    st->key = view_dup(view_of(key, n));
    st->key_len = n;
    if (!st->key || map_put(s->streams, view_of(st->key, n), st) < 0) {
        free(st->key);
        free(st);
        return NULL;
    }
    return st;
}

/* Compares the number with the one expected; false for a message that is to be dropped (an old
 * epoch, or a number seen before). */
static bool in_order(struct bus_sub *s, const struct bus_msg *m)
{
    struct view rest = m->topic;
    struct view plane = view_cut(&rest, '/');
    uint64_t now = clock_mono_us();
    struct stream *st;
    uint64_t lost;

    if (m->seq == 0 || !followed(s, plane))
        return true;
    st = stream_of(s, m, plane);
    if (!st)
        return true;
    /* An older process: a straggler, unless the newer one fell silent. Then somebody has set the
     * clock back across a restart. */
    if (m->epoch < st->epoch && now - st->heard < STRAGGLER_US)
        return false;
    st->heard = now;
    if (m->epoch != st->epoch) {
        bool restarted = st->epoch != 0;
        st->epoch = m->epoch;
        st->seq = m->seq;
        if (restarted && s->handler->gap)
            s->handler->gap(s->arg, m, 0);
        return true;
    }
    if (m->seq <= st->seq)
        return false;
    lost = m->seq - st->seq - 1;
    st->seq = m->seq;
    if (lost > 0) {
        s->lost += lost;
        metric_add(s->bus->counts.lost, lost);
        if (s->handler->gap)
            s->handler->gap(s->arg, m, lost);
    }
    return true;
}

static bool read_meta(struct bus_sub *s, struct view v, struct bus_msg *m)
{
    const msgpack_object *a;
    size_t off = 0;

    msgpack_zone_clear(&s->meta.zone);
    if (v.len > 512 || msg_check(v) < 0 ||
        msgpack_unpack(v.ptr, v.len, &off, &s->meta.zone, &s->meta.root) < 0 ||
        s->meta.root.type != MSGPACK_OBJECT_ARRAY || s->meta.root.via.array.size < 5)
        return false;
    a = s->meta.root.via.array.ptr;
    if (a[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER || a[0].via.u64 != BUS_VERSION ||
        a[1].type != MSGPACK_OBJECT_STR || a[2].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        a[3].type != MSGPACK_OBJECT_POSITIVE_INTEGER || a[4].type != MSGPACK_OBJECT_FLOAT64)
        return false;
    m->source = msg_str(&a[1]);
    m->epoch = a[2].via.u64;
    m->seq = a[3].via.u64;
    m->time = a[4].via.f64;
    return m->source.len > 0 && m->source.len < 200;
}

static bool step(void *arg)
{
    struct bus_sub *s = arg;
    struct bus_msg m;
    struct frames f;

    if (!frames_recv(s->socket, &f))
        return false;
    metric_add(s->bus->counts.received, 1);
    if (f.n == 3 && zmq_msg_size(&f.msg[0]) <= MAX_TOPIC && read_meta(s, frame_view(&f, 1), &m)) {
        m.topic = frame_view(&f, 0);
        m.body = frame_view(&f, 2);
        if (m.topic.len && m.topic.ptr[m.topic.len - 1] == '/' && utf8_valid(m.topic)) {
            if (in_order(s, &m))
                s->handler->message(s->arg, &m);
            frames_close(&f);
            return true;
        }
    }
    metric_add(s->bus->counts.malformed, 1);
    log_warning(s->bus->log, "bus: message refused: not three frames of version %d", BUS_VERSION);
    frames_close(&f);
    return true;
}

struct bus_sub *bus_sub_new(struct bus *b, const char *endpoint,
                            const struct bus_sub_handler *handler, void *arg, int *err)
{
    struct bus_sub *s = calloc(1, sizeof(*s));

    *err = -ENOMEM;
    if (!s)
        return NULL;
    s->bus = b;
    s->handler = handler;
    s->arg = arg;
    if (msg_doc_init(&s->meta) < 0) {
        free(s);
        return NULL;
    }
    s->streams = map_new();
    s->socket = s->streams ? bus_socket(b, ZMQ_SUB, NULL, err) : NULL;
    if (s->socket) {
        *err = bus_connect(s->socket, endpoint);
        if (*err == 0) {
            s->poll = zpoll_new(b, s->socket, step, s);
            if (s->poll)
                return s;
            *err = -ENOMEM;
        }
    }
    bus_sub_destroy(&s);
    return NULL;
}

void bus_sub_destroy(struct bus_sub **s)
{
    size_t pos = 0;
    void *st;

    if (!s || !*s)
        return;
    zpoll_destroy(&(*s)->poll);
    if ((*s)->socket)
        zmq_close((*s)->socket);
    while ((*s)->streams && map_next((*s)->streams, &pos, NULL, &st)) {
        free(((struct stream *)st)->key);
        free(st);
    }
    map_destroy(&(*s)->streams);
    msg_doc_fini(&(*s)->meta);
    free(*s);
    *s = NULL;
}

int bus_sub_add(struct bus_sub *s, struct view prefix)
{
    int rc = zmq_setsockopt(s->socket, ZMQ_SUBSCRIBE, prefix.ptr ? prefix.ptr : "", prefix.len);

    zpoll_kick(s->poll);
    return rc < 0 ? -zmq_errno() : 0;
}

int bus_sub_remove(struct bus_sub *s, struct view prefix)
{
    int rc = zmq_setsockopt(s->socket, ZMQ_UNSUBSCRIBE, prefix.ptr ? prefix.ptr : "", prefix.len);

    zpoll_kick(s->poll);
    return rc < 0 ? -zmq_errno() : 0;
}

int bus_sub_follow(struct bus_sub *s, struct view plane)
{
    if (s->n_planes == MAX_PLANES || plane.len >= sizeof(s->planes[0]))
        return -ENOBUFS;
    memcpy(s->planes[s->n_planes++], plane.ptr, plane.len);
    return 0;
}

uint64_t bus_sub_lost(const struct bus_sub *s)
{
    return s->lost;
}
