/*
 * The forwarder: publishers on one side, subscribers on the other, on the loop. What its own
 * process publishes goes to the subscribers' side at once (bus_forwarder_send).
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
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/array.h"
#include "base/clock.h"
#include "bus/connections.h"

/* From one word about subscribers that do not read to the next. */
#define TELL_US 10000000u
#define TELL_MS 1000

static const struct view private_plane = VIEW("cti/");

struct bus_forwarder {
    struct bus *bus;
    void *xsub;
    void *xpub;
    /* XPUB for the subscribers of this process: none of them is cut or taken for another */
    void *own;
    struct prefixes wanted; /* of them */
    struct zpoll *from_publishers, *from_subscribers, *from_own;
    struct loop_fd *keys_changed; /* NULL without keys */
    char *publish;
    char *subscribe;
    struct metric *forwarded, *full, *forged;
    uint64_t n_full, told, told_at; /* subscribers that do not read: times, how many were logged */
    struct loop_timer *tell;
    struct connections *publishers, *subscribers; /* NULL without keys */
    bool miscounted;                              /* (move_subscription) */
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
    metric_add(f->forged, 1);
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

/* What may wait of a subscriber before its connection is read on: a flood of subscriptions is taken
 * in by libzmq at one go, as long as it lasts. */
#define SUBSCRIPTIONS 100

static void set_nodrop(void *xpub, int on)
{
    zmq_setsockopt(xpub, ZMQ_XPUB_NODROP, &on, sizeof(on));
}

/* Hands one frame on. XPUB refuses the first message for which a subscriber has no room: it is sent
 * again so that only that one loses it, and what follows until it has room again. */
static void forward(struct bus_forwarder *f, void *xpub, zmq_msg_t *m, bool more, bool *lossy)
{
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    int rc = zmq_msg_send(m, xpub, flags);

    if (rc < 0 && zmq_errno() == EAGAIN && !*lossy) {
        *lossy = true;
        set_nodrop(xpub, 0);
        metric_add(f->full, 1);
        f->n_full++;
        rc = zmq_msg_send(m, xpub, flags);
    }
    if (rc < 0)
        zmq_msg_close(m);
    if (!more && *lossy) {
        *lossy = false;
        set_nodrop(xpub, 1);
    }
}

/* Hands on copies to the subscribers of this process. */
static void forward_own(struct bus_forwarder *f, struct frames *m)
{
    bool lossy = false;

    for (int i = 0; i < m->n; i++) {
        zmq_msg_t own;
        zmq_msg_init(&own);
        zmq_msg_copy(&own, &m->msg[i]);
        forward(f, f->own, &own, i + 1 < m->n, &lossy);
    }
    zpoll_wakeup(f->from_own);
}

static void forward_all(struct bus_forwarder *f, struct frames *m)
{
    bool lossy = false;

    if (prefixes_match(&f->wanted, frame_view(m, 0)))
        forward_own(f, m);
    for (int i = 0; i < m->n; i++)
        forward(f, f->xpub, &m->msg[i], i + 1 < m->n, &lossy);
    m->n = 0;
    metric_add(f->forwarded, 1);
    zpoll_wakeup(f->from_subscribers);
}

/* What has more frames than any message of ours is dropped: it would be handed on at one go. */
static bool move_message(void *arg)
{
    struct bus_forwarder *f = arg;
    struct frames m;

    if (!frames_recv(f->xsub, &m))
        return false;
    if (m.n < 0)
        metric_add(f->bus->counts.malformed, 1);
    else if (!is_revoked(f, &m.msg[0]) && !is_forged(f, &m.msg[0]))
        forward_all(f, &m);
    frames_close(&m);
    return true;
}

int bus_forwarder_send(struct bus_forwarder *f, const struct view *parts, int n)
{
    struct frames m = {.n = 0};

    for (; m.n < n; m.n++) {
        if (zmq_msg_init_size(&m.msg[m.n], parts[m.n].len) < 0) {
            frames_close(&m);
            return -ENOMEM;
        }
        if (parts[m.n].len)
            memcpy(zmq_msg_data(&m.msg[m.n]), parts[m.n].ptr, parts[m.n].len);
    }
    forward_all(f, &m);
    return 0;
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

static bool is_subscription(struct view v)
{
    return v.len > 0 && (v.ptr[0] == 0 || v.ptr[0] == 1);
}

/* With keys. False: it has cost as much as hundreds of others. */
static bool take_subscription(struct bus_forwarder *f, zmq_msg_t *m)
{
    struct view v = text(m);
    enum bus_role role = connections_admit(f->subscribers, m, true);
    bool restricted = role != ROLE_GATEWAY;
    bool on = v.ptr[0] == 1;
    struct view prefix = view_of(v.ptr + 1, v.len - 1);

    if (role == ROLE_NONE)
        return true;
    if (restricted)
        set_but_private(f, on, prefix);
    else
        set_prefix(f, on, prefix.ptr, prefix.len);
    if (goes_up(on, restricted, prefix))
        frames_send(f->xsub, &v, 1);
    return !restricted || !view_starts(private_plane, prefix);
}

/* One frame of a subscriber: a byte (1 on, 0 off) and a prefix.
 *
 * With keys (XPUB_MANUAL) libzmq (4.3.4, xpub_t::xrecv) finds the connection that a prefix is set
 * on by counting what is read, and counts what is no subscription, too: after such a frame, until
 * all is read, it would set the prefix on somebody else's. So nothing is set meanwhile; whoever has
 * sent any of it is cut, connects again and subscribes anew. */
static bool move_subscription(void *arg)
{
    struct bus_forwarder *f = arg;
    bool cheap = true;
    struct view v;
    zmq_msg_t m;

    zmq_msg_init(&m);
    if (zmq_msg_recv(&m, f->xpub, ZMQ_DONTWAIT) < 0) {
        f->miscounted = false;
        zmq_msg_close(&m);
        return false;
    }
    v = text(&m);
    f->miscounted = f->miscounted || (f->bus->keys && !is_subscription(v));
    if (f->miscounted)
        connections_cut(f->subscribers, &m, "it, or another, sent what is no subscription");
    else if (f->bus->keys)
        cheap = take_subscription(f, &m);
    else if (is_subscription(v))
        frames_send(f->xsub, &v, 1);
    zmq_msg_close(&m);
    zpoll_wakeup(f->from_publishers);
    if (!cheap) /* others have their turn */
        zpoll_wakeup(f->from_subscribers);
    return cheap;
}

static bool move_own_subscription(void *arg)
{
    struct bus_forwarder *f = arg;
    struct frames m;
    struct view v;

    if (!frames_recv(f->own, &m))
        return false;
    v = m.n == 1 ? frame_view(&m, 0) : view_of(NULL, 0);
    if (is_subscription(v)) {
        if (v.ptr[0] == 1)
            prefixes_add(&f->wanted, view_of(v.ptr + 1, v.len - 1));
        else
            prefixes_remove(&f->wanted, view_of(v.ptr + 1, v.len - 1));
        frames_send(f->xsub, &v, 1);
    }
    frames_close(&m);
    zpoll_wakeup(f->from_publishers);
    return true;
}

static void check_subscribers(void *arg)
{
    struct bus_forwarder *f = arg;
    eventfd_t n;

    if (eventfd_read(bus_zap_changed_fd(f->bus->zap), &n) == 0)
        connections_check(f->subscribers);
}

static int open_sockets(struct bus_forwarder *f, const char *publish, const char *subscribe,
                        const char *const *trusted)
{
    struct bus *b = f->bus;
    int err = 0;
    int few = SUBSCRIPTIONS;
    int on = 1;

    f->xsub = bus_socket(b, ZMQ_XSUB, "publish", &err);
    f->xpub = f->xsub ? bus_socket(b, ZMQ_XPUB, "subscribe", &err) : NULL;
    f->own = f->xpub ? bus_socket(b, ZMQ_XPUB, NULL, &err) : NULL;
    if (!f->own || (b->keys && zmq_setsockopt(f->xpub, ZMQ_XPUB_MANUAL, &on, sizeof(on)) < 0))
        return err ? err : -ENOMEM;
    zmq_setsockopt(f->xpub, ZMQ_RCVHWM, &few, sizeof(few));
    zmq_setsockopt(f->xpub, ZMQ_SNDHWM, &b->subscriber_hwm, sizeof(b->subscriber_hwm));
    zmq_setsockopt(f->own, ZMQ_SNDHWM, &b->subscriber_hwm, sizeof(b->subscriber_hwm));
    set_nodrop(f->xpub, 1);
    set_nodrop(f->own, 1);
    err = bus_bind(b, f->xsub, publish, trusted, &f->publish);
    if (err == 0)
        err = bus_bind(b, f->xpub, subscribe, trusted, &f->subscribe);
    if (err < 0)
        return err;
    if (zmq_bind(f->xsub, BUS_INPROC_PUBLISH) < 0 || zmq_bind(f->own, BUS_INPROC_SUBSCRIBE) < 0)
        return -zmq_errno();
    if (!b->keys)
        return 0;
    f->publishers = connections_new(b, f->publish, VIEW("publish"));
    f->subscribers = connections_new(b, f->subscribe, VIEW("subscribe"));
    return f->publishers && f->subscribers ? 0 : -ENOMEM;
}

/* Once a second. */
static void tell_full(void *arg)
{
    struct bus_forwarder *f = arg;

    if (f->n_full == f->told || !clock_once_in(&f->told_at, TELL_US))
        return;
    log_warning(f->bus->log,
                "a subscriber of the bus does not read: %d messages wait for it, it loses the rest",
                f->bus->subscriber_hwm);
    f->told = f->n_full;
}

static int start_telling(struct bus_forwarder *f)
{
    f->tell = loop_timer_new(f->bus->loop, tell_full, f);
    if (!f->tell)
        return -ENOMEM;
    loop_timer_start(f->tell, TELL_MS, true);
    return 0;
}

static int start_forwarding(struct bus_forwarder *f)
{
    struct bus *b = f->bus;

    f->from_publishers = zpoll_new(b, f->xsub, move_message, f);
    f->from_subscribers = zpoll_new(b, f->xpub, move_subscription, f);
    f->from_own = zpoll_new(b, f->own, move_own_subscription, f);
    if (b->zap)
        f->keys_changed = loop_fd_new(b->loop, bus_zap_changed_fd(b->zap), check_subscribers, f);
    if (!f->from_publishers || !f->from_subscribers || !f->from_own || (b->zap && !f->keys_changed))
        return -ENOMEM;
    b->forwarder = f;
    return start_telling(f);
}

static int add_metrics(struct bus_forwarder *f)
{
    struct metrics *m = f->bus->metrics;

    f->forwarded = metrics_add(m, METRIC_bus_forwarded, NULL);
    f->full = metrics_add(m, METRIC_bus_subscriber_full, NULL);
    f->forged = metrics_add(m, METRIC_bus_forged, NULL);
    return f->forwarded && f->full && f->forged ? 0 : -ENOMEM;
}

static void remove_metrics(struct bus_forwarder *f)
{
    struct metric **all[] = {&f->forwarded, &f->full, &f->forged};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (*all[i])
            metrics_remove(f->bus->metrics, all[i]);
}

struct bus_forwarder *bus_forwarder_new(struct bus *b, const char *publish, const char *subscribe,
                                        const char *const *trusted, int *err)
{
    struct bus_forwarder *f = b->forwarder ? NULL : calloc(1, sizeof(*f));

    if (!f) {
        *err = b->forwarder ? -EBUSY : -ENOMEM;
        return NULL;
    }
    f->bus = b;
    *err = add_metrics(f);
    if (*err == 0)
        *err = bus_guard(b);
    if (*err == 0)
        *err = open_sockets(f, publish, subscribe, trusted);
    if (*err == 0)
        *err = start_forwarding(f);
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
    if (f->bus->forwarder == f)
        f->bus->forwarder = NULL;
    loop_timer_destroy(&f->tell);
    loop_fd_destroy(&f->keys_changed);
    zpoll_destroy(&f->from_publishers);
    zpoll_destroy(&f->from_subscribers);
    zpoll_destroy(&f->from_own);
    if (f->xsub)
        zmq_close(f->xsub);
    if (f->xpub)
        zmq_close(f->xpub);
    if (f->own)
        zmq_close(f->own);
    remove_metrics(f);
    connections_destroy(&f->publishers);
    connections_destroy(&f->subscribers);
    prefixes_free(&f->wanted);
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
