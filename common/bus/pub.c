#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/internal.h"

#define MAX_PLANES 8
#define TELL_US 10000000u /* from one word about a socket that cannot be made to the next */

struct plane {
    char name[16];
    uint64_t seq;
};

struct bus_pub {
    struct bus *bus;
    void *socket;
    struct route route;
    struct zpoll *poll;
    bool local; /* the forwarder is of this process: the socket tells what is subscribed to */
    bus_interest_fn *interest;
    void *arg;
    struct plane planes[MAX_PLANES];
    size_t n_planes;
    struct prefixes wanted; /* what is subscribed to */
    struct buf meta;
    uint64_t told; /* when it was logged last that there is no socket */
};

/* One subscription message: a byte (1 on, 0 off) and the prefix. */
static bool step(void *arg)
{
    struct bus_pub *p = arg;
    struct frames f;
    struct view v;

    if (!frames_recv(p->socket, &f))
        return false;
    v = f.n == 1 ? frame_view(&f, 0) : view_of(NULL, 0);
    if (v.len > 0 && (v.ptr[0] == 0 || v.ptr[0] == 1)) {
        bool on = v.ptr[0] == 1;
        v = view_of(v.ptr + 1, v.len - 1);
        if (on)
            prefixes_add(&p->wanted, v);
        else
            prefixes_remove(&p->wanted, v);
        if (p->interest)
            p->interest(p->arg, v, on);
    }
    frames_close(&f);
    return true;
}

/* A full queue is told to us, instead of losing the message in silence. */
static void *open_socket(struct bus_pub *p, int *err)
{
    void *socket = bus_socket(p->bus, ZMQ_XPUB, NULL, err);
    int one = 1;

    if (socket)
        zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &one, sizeof(one));
    return socket;
}

static void forget_prefixes(struct bus_pub *p)
{
    while (p->wanted.n > 0) {
        struct view prefix = p->wanted.items[--p->wanted.n];
        if (p->interest)
            p->interest(p->arg, prefix, false);
        free((char *)prefix.ptr);
    }
}

/* Another state is active. A new socket knows nothing of what subscribers of the old one wanted, so
 * that our owner sees when those of the new one are there; and what waits for a state that stands
 * still takes no room. */
static bool reopen(struct route *r, const char *endpoint)
{
    struct bus_pub *p = (struct bus_pub *)((char *)r - offsetof(struct bus_pub, route));
    int err = 0;
    void *socket = open_socket(p, &err);
    struct zpoll *poll = NULL;

    if (socket) {
        bus_set_immediate(socket);
        err = bus_connect(socket, endpoint);
    }
    if (err == 0) {
        poll = zpoll_new(p->bus, socket, step, p);
        err = poll ? 0 : -ENOMEM;
    }
    if (err < 0) {
        if (clock_once_in(&p->told, TELL_US))
            log_error(p->bus->log, "bus: cannot publish at %s: %s", endpoint, zmq_strerror(-err));
        if (socket)
            zmq_close(socket);
        return false;
    }
    zpoll_destroy(&p->poll);
    zmq_close(p->socket);
    p->socket = r->socket = socket;
    p->poll = poll;
    forget_prefixes(p);
    return true;
}

struct bus_pub *bus_pub_new(struct bus *b, const char *endpoint, bus_interest_fn *interest,
                            void *arg, int *err)
{
    struct bus_pub *p = calloc(1, sizeof(*p));

    if (!p) {
        *err = -ENOMEM;
        return NULL;
    }
    p->bus = b;
    p->interest = interest;
    p->arg = arg;
    p->local = strcmp(endpoint, BUS_INPROC_PUBLISH) == 0;
    p->route.reopen = reopen;
    buf_init(&p->meta, 1024);
    p->socket = open_socket(p, err);
    if (!p->socket)
        goto fail;
    *err = route_open(b, &p->route, p->socket, endpoint);
    if (*err < 0)
        goto fail;
    p->poll = zpoll_new(b, p->socket, step, p);
    if (p->poll)
        return p;
    *err = -ENOMEM;
fail:
    bus_pub_destroy(&p);
    return NULL;
}

void bus_pub_set_linger(struct bus_pub *p, int ms)
{
    zmq_setsockopt(p->socket, ZMQ_LINGER, &ms, sizeof(ms));
}

void bus_pub_destroy(struct bus_pub **p)
{
    if (!p || !*p)
        return;
    route_close(&(*p)->route);
    zpoll_destroy(&(*p)->poll);
    if ((*p)->socket)
        zmq_close((*p)->socket);
    prefixes_free(&(*p)->wanted);
    buf_free(&(*p)->meta);
    free(*p);
    *p = NULL;
}

static struct plane *plane_of(const struct bus_pub *p, struct view name)
{
    for (size_t i = 0; i < p->n_planes; i++)
        if (view_eq(view_cstr(p->planes[i].name), name))
            return (struct plane *)&p->planes[i];
    return NULL;
}

static struct plane *plane_make(struct bus_pub *p, struct view topic)
{
    struct view name = view_cut(&topic, '/');
    struct plane *pl = plane_of(p, name);

    if (pl || p->n_planes == MAX_PLANES || name.len >= sizeof(pl->name))
        return pl;
    pl = &p->planes[p->n_planes++];
    memcpy(pl->name, name.ptr, name.len);
    return pl;
}

uint64_t bus_pub_seq(const struct bus_pub *p, struct view plane)
{
    const struct plane *pl = plane_of(p, plane);

    return pl ? pl->seq : 0;
}

int bus_pub_send_as(struct bus_pub *p, const struct bus_msg *as, struct view topic,
                    struct view body)
{
    struct bus *b = p->bus;
    struct view parts[3] = {topic, {NULL, 0}, body};
    int rc;

    buf_reset(&p->meta);
    msg_put_array(&p->meta, 5);
    msg_put_u64(&p->meta, BUS_VERSION);
    msg_put_str(&p->meta, as->source);
    msg_put_u64(&p->meta, as->epoch);
    msg_put_u64(&p->meta, as->seq);
    msg_put_double(&p->meta, as->time);
    parts[1] = buf_view(&p->meta);
    if (p->local && b->forwarder)
        rc = bus_forwarder_send(b->forwarder, parts, 3);
    else
        rc = frames_send(p->socket, parts, 3);
    metric_add(rc == 0 ? b->counts.published : b->counts.dropped, 1);
    zpoll_wakeup(p->poll);
    return rc;
}

static int send_numbered(struct bus_pub *p, struct view topic, uint64_t seq, struct view body)
{
    struct bus_msg as = {.source = view_cstr(p->bus->source),
                         .epoch = p->bus->epoch,
                         .seq = seq,
                         .time = clock_wall()};

    return bus_pub_send_as(p, &as, topic, body);
}

int bus_pub_send(struct bus_pub *p, struct view topic, struct view body)
{
    struct plane *pl = plane_make(p, topic);

    return pl ? send_numbered(p, topic, ++pl->seq, body) : -EINVAL;
}

int bus_pub_send_unnumbered(struct bus_pub *p, struct view topic, struct view body)
{
    return send_numbered(p, topic, 0, body);
}

bool bus_pub_wanted(const struct bus_pub *p, struct view prefix)
{
    for (size_t i = 0; i < p->wanted.n; i++)
        if (view_starts(p->wanted.items[i], prefix) || view_starts(prefix, p->wanted.items[i]))
            return true;
    return false;
}

bool bus_pub_asked_for(const struct bus_pub *p, struct view prefix, struct view topic)
{
    for (size_t i = 0; i < p->wanted.n; i++)
        if (view_starts(p->wanted.items[i], prefix) && view_starts(topic, p->wanted.items[i]))
            return true;
    return false;
}
