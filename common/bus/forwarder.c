/*
 * The forwarder: publishers on one side, subscribers on the other, in a thread of its own.
 *
 * The plane cti/ has what people write to each other in it, and goes into clients as it is. So with
 * CURVE only a gateway's key gets it: a monitor that subscribes to more than that gets the rest
 * (XPUB_MANUAL: what a subscription is worth is said here, by the role of the key that ZAP has let
 * in). And it comes from this process alone: what others publish there is dropped, with CURVE and
 * without.
 *
 * A key may be revoked while its connections are there: those of subscribers are cut at once, what
 * a publisher still says is dropped and cuts its connection.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/thread.h"
#include "bus/connections.h"

/* So many messages one way before the other way is looked at. */
#define BATCH 1000
/* From one word about subscribers that do not read to the next. */
#define TELL_US 10000000u
#define TELL_MS 1000

static const struct view private_plane = VIEW("cti/");

struct bus_forwarder {
    struct bus *bus;
    void *xsub;
    void *xpub;
    void *stop;     /* our end of the pair that ends the thread */
    void *stop_far; /* the thread's end */
    pthread_t thread;
    bool running;
    char *publish;
    char *subscribe;
    atomic_uint_fast64_t forwarded, full, forged;
    struct metric *metric, *full_metric, *forged_metric;
    uint64_t told, told_at; /* the loop's: what was said of subscribers that do not read */
    struct loop_timer *tell;
    struct connections *publishers, *subscribers; /* of the thread; NULL without keys */
};

static struct view text(zmq_msg_t *m)
{
    return view_of(zmq_msg_data(m), zmq_msg_size(m));
}

/* A property of the connection that a message came over; NULL: it came from this very process. */
static const char *property(zmq_msg_t *m, const char *name)
{
    return zmq_msg_gets(m, name);
}

/* ---- from publishers to subscribers ---- */

/* A foreign publisher, on a plane that only this process may publish? */
static bool is_forged(struct bus_forwarder *f, zmq_msg_t *topic)
{
    const char *key;
    const char *address;

    if (!view_starts(text(topic), private_plane) || !property(topic, "Socket-Type"))
        return false;
    key = property(topic, "User-Id");
    address = property(topic, "Peer-Address");
    atomic_fetch_add_explicit(&f->forged, 1, memory_order_relaxed);
    log_warning(f->bus->log,
                "dropped what %s (key %s) published on the plane cti/, which is state's own",
                address ? address : "somebody", key && *key ? key : "none");
    return true;
}

static bool is_revoked(struct bus_forwarder *f, zmq_msg_t *topic)
{
    return f->publishers && connections_changed(f->publishers) &&
           connections_admit(f->publishers, topic, false) == ROLE_NONE;
}

static void set_nodrop(void *xpub, int on)
{
    zmq_setsockopt(xpub, ZMQ_XPUB_NODROP, &on, sizeof(on));
}

/* Hands one frame on. XPUB refuses the first message for which a subscriber has no room: it is sent
 * again so that only that one loses it, and what follows until it has room again. */
static void forward(struct bus_forwarder *f, zmq_msg_t *m, bool *lossy)
{
    int more = zmq_msg_more(m);
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    int rc = zmq_msg_send(m, f->xpub, flags);

    if (rc < 0 && zmq_errno() == EAGAIN && !*lossy) {
        *lossy = true;
        set_nodrop(f->xpub, 0);
        atomic_fetch_add_explicit(&f->full, 1, memory_order_relaxed);
        rc = zmq_msg_send(m, f->xpub, flags);
    }
    if (rc < 0) {
        zmq_msg_close(m);
        zmq_msg_init(m);
    }
    if (!more && *lossy) {
        *lossy = false;
        set_nodrop(f->xpub, 1);
    }
}

/* What publishers say, as long as there is something, but at most a batch. */
static void move_messages(struct bus_forwarder *f)
{
    unsigned n = 0;
    bool begins = true;
    bool drop = false;
    bool lossy = false;
    zmq_msg_t m;

    zmq_msg_init(&m);
    /* never in the middle of a message */
    while ((n < BATCH || !begins) && zmq_msg_recv(&m, f->xsub, ZMQ_DONTWAIT) >= 0) {
        drop = begins ? is_revoked(f, &m) || is_forged(f, &m) : drop;
        begins = !zmq_msg_more(&m);
        n += begins && !drop;
        if (drop) {
            zmq_msg_close(&m);
            zmq_msg_init(&m);
        } else {
            forward(f, &m, &lossy);
        }
    }
    zmq_msg_close(&m);
    atomic_fetch_add_explicit(&f->forwarded, n, memory_order_relaxed);
}

/* ---- from subscribers to publishers ---- */

static void set_prefix(struct bus_forwarder *f, bool on, const char *prefix, size_t len)
{
    zmq_setsockopt(f->xpub, on ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, prefix, len);
}

/* All that begins with `prefix` but not with cti/: where it leads there, each other way. No topic
 * has bytes below 0x21 in it. */
static void set_but_private(struct bus_forwarder *f, bool on, struct view prefix)
{
    char way[8];

    if (view_starts(prefix, private_plane))
        return;
    if (!view_starts(private_plane, prefix)) {
        set_prefix(f, on, prefix.ptr, prefix.len);
        return;
    }
    for (size_t len = prefix.len; len < private_plane.len; len++) {
        memcpy(way, private_plane.ptr, len);
        for (int c = 0x21; c <= 0xff; c++) {
            way[len] = (char)c;
            if (way[len] != private_plane.ptr[len])
                set_prefix(f, on, way, len + 1);
        }
    }
}

/* A publisher is to know what is wanted. One that is restricted cannot make it unknown again but
 * where only its like listen: it could end others' subscriptions, never having had its own. (When
 * it goes, libzmq ends those that it has.) */
static bool goes_up(bool on, bool restricted, struct view prefix)
{
    return on || !restricted || prefix.len == 0 || view_starts(prefix, VIEW("ami/"));
}

/* With keys: m is a byte (1 on, 0 off) and a prefix. */
static void take_subscription(struct bus_forwarder *f, zmq_msg_t *m)
{
    struct view v = text(m);
    enum bus_role role = connections_admit(f->subscribers, m, true);
    bool restricted = role != ROLE_GATEWAY;
    bool on = v.len > 0 && v.ptr[0] == 1;
    struct view prefix;

    if (role == ROLE_NONE || v.len == 0 || (unsigned char)v.ptr[0] > 1)
        return;
    prefix = view_of(v.ptr + 1, v.len - 1);
    if (restricted)
        set_but_private(f, on, prefix);
    else
        set_prefix(f, on, prefix.ptr, prefix.len);
    if (goes_up(on, restricted, prefix))
        frames_send(f->xsub, &v, 1);
}

static void move_subscriptions(struct bus_forwarder *f)
{
    bool begins = true;
    zmq_msg_t m;

    zmq_msg_init(&m);
    for (unsigned n = 0; n < BATCH && zmq_msg_recv(&m, f->xpub, ZMQ_DONTWAIT) >= 0; n++) {
        int more = zmq_msg_more(&m);
        struct view v = text(&m);
        if (begins && !more && f->bus->keys)
            take_subscription(f, &m);
        else if (begins && !more)
            frames_send(f->xsub, &v, 1);
        begins = !more;
    }
    zmq_msg_close(&m);
}

static void check_subscribers(struct bus_forwarder *f)
{
    eventfd_t n;

    if (eventfd_read(bus_zap_changed_fd(f->bus->zap), &n) == 0)
        connections_check(f->subscribers);
}

static void *run(void *arg)
{
    struct bus_forwarder *f = arg;
    zmq_pollitem_t items[4] = {
        {f->xsub, 0, ZMQ_POLLIN, 0},
        {f->xpub, 0, ZMQ_POLLIN, 0},
        {f->stop_far, 0, ZMQ_POLLIN, 0},
        {NULL, f->bus->zap ? bus_zap_changed_fd(f->bus->zap) : -1, ZMQ_POLLIN, 0}};

    for (;;) {
        if (zmq_poll(items, f->bus->zap ? 4 : 3, -1) < 0) {
            if (zmq_errno() == EINTR)
                continue;
            return NULL;
        }
        if (items[2].revents)
            return NULL;
        if (f->bus->zap && items[3].revents)
            check_subscribers(f);
        if (items[1].revents)
            move_subscriptions(f);
        if (items[0].revents)
            move_messages(f);
    }
}

static int open_sockets(struct bus_forwarder *f, const char *publish, const char *subscribe,
                        const char *const *trusted)
{
    struct bus *b = f->bus;
    int err = 0;
    int on = 1;

    f->xsub = bus_socket(b, ZMQ_XSUB, "publish", &err);
    f->xpub = f->xsub ? bus_socket(b, ZMQ_XPUB, "subscribe", &err) : NULL;
    f->stop = f->xpub ? zmq_socket(b->zmq, ZMQ_PAIR) : NULL;
    f->stop_far = f->stop ? zmq_socket(b->zmq, ZMQ_PAIR) : NULL;
    if (!f->stop_far || (b->keys && zmq_setsockopt(f->xpub, ZMQ_XPUB_MANUAL, &on, sizeof(on)) < 0))
        return err ? err : -ENOMEM;
    zmq_setsockopt(f->xpub, ZMQ_SNDHWM, &b->subscriber_hwm, sizeof(b->subscriber_hwm));
    set_nodrop(f->xpub, 1);
    err = bus_bind(b, f->xsub, publish, trusted, &f->publish);
    if (err == 0)
        err = bus_bind(b, f->xpub, subscribe, trusted, &f->subscribe);
    if (err < 0)
        return err;
    if (zmq_bind(f->xsub, BUS_INPROC_PUBLISH) < 0 || zmq_bind(f->xpub, BUS_INPROC_SUBSCRIBE) < 0 ||
        zmq_bind(f->stop, "inproc://forwarder-stop") < 0 ||
        zmq_connect(f->stop_far, "inproc://forwarder-stop") < 0)
        return -zmq_errno();
    if (!b->keys)
        return 0;
    f->publishers = connections_new(b, f->publish, VIEW("publish"));
    f->subscribers = connections_new(b, f->subscribe, VIEW("subscribe"));
    return f->publishers && f->subscribers ? 0 : -ENOMEM;
}

static double forwarded(void *arg)
{
    struct bus_forwarder *f = arg;

    return (double)atomic_load_explicit(&f->forwarded, memory_order_relaxed);
}

static double forged(void *arg)
{
    struct bus_forwarder *f = arg;

    return (double)atomic_load_explicit(&f->forged, memory_order_relaxed);
}

static double full(void *arg)
{
    struct bus_forwarder *f = arg;

    return (double)atomic_load_explicit(&f->full, memory_order_relaxed);
}

/* On the loop, once a second. */
static void tell_full(void *arg)
{
    struct bus_forwarder *f = arg;
    uint64_t n = atomic_load_explicit(&f->full, memory_order_relaxed);

    if (n == f->told || !clock_once_in(&f->told_at, TELL_US))
        return;
    log_warning(f->bus->log,
                "a subscriber of the bus does not read: %d messages wait for it, it loses the rest",
                f->bus->subscriber_hwm);
    f->told = n;
}

static int start_telling(struct bus_forwarder *f)
{
    struct bus *b = f->bus;

    f->metric = metrics_callback(b->metrics, METRIC_bus_forwarded, NULL, forwarded, f);
    f->full_metric = metrics_callback(b->metrics, METRIC_bus_subscriber_full, NULL, full, f);
    f->forged_metric = metrics_callback(b->metrics, METRIC_bus_forged, NULL, forged, f);
    f->tell = loop_timer_new(b->loop, tell_full, f);
    if (!f->metric || !f->full_metric || !f->forged_metric || !f->tell)
        return -ENOMEM;
    loop_timer_start(f->tell, TELL_MS, true);
    return 0;
}

struct bus_forwarder *bus_forwarder_new(struct bus *b, const char *publish, const char *subscribe,
                                        const char *const *trusted, int *err)
{
    struct bus_forwarder *f = calloc(1, sizeof(*f));

    if (!f) {
        *err = -ENOMEM;
        return NULL;
    }
    f->bus = b;
    *err = bus_guard(b);
    if (*err == 0)
        *err = open_sockets(f, publish, subscribe, trusted);
    if (*err == 0)
        *err = thread_start(&f->thread, run, f);
    f->running = *err == 0;
    if (*err == 0)
        *err = start_telling(f);
    if (*err == 0)
        return f;
    bus_forwarder_destroy(&f);
    return NULL;
}

void bus_forwarder_destroy(struct bus_forwarder **fp)
{
    struct bus_forwarder *f = fp ? *fp : NULL;

    if (!f)
        return;
    *fp = NULL;
    if (f->metric)
        metrics_remove(f->bus->metrics, &f->metric);
    if (f->full_metric)
        metrics_remove(f->bus->metrics, &f->full_metric);
    loop_timer_destroy(&f->tell);
    if (f->forged_metric)
        metrics_remove(f->bus->metrics, &f->forged_metric);
    if (f->running) {
        zmq_send(f->stop, "", 0, 0);
        pthread_join(f->thread, NULL);
    }
    void *all[] = {f->xsub, f->xpub, f->stop, f->stop_far};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i])
            zmq_close(all[i]);
    connections_destroy(&f->publishers);
    connections_destroy(&f->subscribers);
    free(f->publish);
    free(f->subscribe);
    free(f);
}

const char *bus_forwarder_publish(const struct bus_forwarder *f)
{
    return f->publish;
}

const char *bus_forwarder_subscribe(const struct bus_forwarder *f)
{
    return f->subscribe;
}
