#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "bus/internal.h"

#define MAX_PLANES 8
#define MAX_STREAMS 1024 /* sources times planes: a bound on what forged sources can cost */
#define MAX_TOPIC 1024
/* Processes of one source that are followed side by side: one that was replaced and may still have
 * messages under way, or a second one that was started by mistake. */
#define MAX_RUNS 4

/* The numbers of one process. */
struct run {
    uint64_t epoch;
    uint64_t seq;
    uint64_t last_rx; /* when it was last heard, monotonic microseconds */
};

/* One source on one plane. */
struct stream {
    char *key; /* source NUL plane */
    size_t key_len;
    uint64_t last_rx; /* as that of its runs */
    struct run runs[MAX_RUNS];
    size_t n_runs;
};

struct bus_sub {
    struct bus *bus;
    void *socket;
    struct route route;
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

static void stream_free(void *arg)
{
    struct stream *st = arg;

    free(st->key);
    free(st);
}

/* So that new sources are followed however many there have been. */
static void forget_oldest(struct bus_sub *s)
{
    struct stream *oldest = NULL;
    size_t pos = 0;
    void *v;

    while (map_next(s->streams, &pos, NULL, &v)) {
        struct stream *st = v;
        if (!oldest || st->last_rx < oldest->last_rx)
            oldest = st;
    }
    if (!oldest)
        return;
    map_del(s->streams, view_of(oldest->key, oldest->key_len));
    stream_free(oldest);
}

static struct stream *stream_new(struct bus_sub *s, struct view key)
{
    struct stream *st = calloc(1, sizeof(*st));

    if (!st)
        return NULL;
    if (map_count(s->streams) >= MAX_STREAMS)
        forget_oldest(s);
    st->key = view_dup(key);
    st->key_len = key.len;
    if (st->key && map_put(s->streams, view_of(st->key, key.len), st) == 0)
        return st;
    stream_free(st);
    return NULL;
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
    return st ? st : stream_new(s, view_of(key, n));
}

/* The run of this epoch; a new one takes the place of that which has been silent longest. Epochs
 * are compared for equality only: clocks are set back. */
static struct run *run_of(struct stream *st, uint64_t epoch)
{
    struct run *run = &st->runs[0];

    for (size_t i = 0; i < st->n_runs; i++)
        if (st->runs[i].epoch == epoch)
            return &st->runs[i];
    for (size_t i = 1; i < st->n_runs; i++)
        if (st->runs[i].last_rx < run->last_rx)
            run = &st->runs[i];
    if (st->n_runs < MAX_RUNS)
        run = &st->runs[st->n_runs++];
    *run = (struct run){.epoch = epoch};
    return run;
}

/* Compares the number with the one expected; false for a number that was seen before: it is to be
 * dropped. */
static bool in_order(struct bus_sub *s, const struct bus_msg *m)
{
    struct view rest = m->topic;
    struct view plane = view_cut(&rest, '/');
    struct stream *st;
    struct run *run;
    uint64_t lost;
    bool restarted;

    if (m->seq == 0 || !followed(s, plane))
        return true;
    st = stream_of(s, m, plane);
    if (!st)
        return true;
    restarted = st->n_runs > 0;
    run = run_of(st, m->epoch);
    st->last_rx = run->last_rx = clock_mono_us();
    if (run->seq == 0) {
        run->seq = m->seq;
        if (restarted && s->handler->gap)
            s->handler->gap(s->arg, m, 0);
        return true;
    }
    if (m->seq <= run->seq)
        return false;
    lost = m->seq - run->seq - 1;
    run->seq = m->seq;
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
        *err = route_open(b, &s->route, s->socket, endpoint);
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
    if (!s || !*s)
        return;
    route_close(&(*s)->route);
    zpoll_destroy(&(*s)->poll);
    if ((*s)->socket)
        zmq_close((*s)->socket);
    map_destroy_with(&(*s)->streams, stream_free);
    msg_doc_fini(&(*s)->meta);
    free(*s);
    *s = NULL;
}

int bus_sub_add(struct bus_sub *s, struct view prefix)
{
    int rc = zmq_setsockopt(s->socket, ZMQ_SUBSCRIBE, prefix.ptr ? prefix.ptr : "", prefix.len);

    zpoll_wakeup(s->poll);
    return rc < 0 ? -zmq_errno() : 0;
}

int bus_sub_remove(struct bus_sub *s, struct view prefix)
{
    int rc = zmq_setsockopt(s->socket, ZMQ_UNSUBSCRIBE, prefix.ptr ? prefix.ptr : "", prefix.len);

    zpoll_wakeup(s->poll);
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
