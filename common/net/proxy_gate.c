/*
 * Connections whose header is still to come. They wait in the order in which they came, with the
 * same time for each, so that the first is the one that is due first.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/proxy.h"

#define LOOK_MS 200

struct arrival {
    TAILQ_ENTRY(arrival) all;
    struct proxy_gate *gate;
    struct loop_fd *readable;
    struct sockaddr_storage peer;
    socklen_t len;
    int fd;
    uint64_t until; /* monotonic us */
    struct buf in;
};

struct proxy_gate {
    struct loop *loop;
    struct loop_timer *timer;
    const struct proxy_handler *handler;
    void *arg;
    uint32_t limit_ms;
    size_t count;
    TAILQ_HEAD(, arrival) all;
};

/* Everything but the socket. */
static void arrival_free(struct arrival *a)
{
    struct proxy_gate *g = a->gate;

    TAILQ_REMOVE(&g->all, a, all);
    if (--g->count == 0)
        loop_timer_stop(g->timer);
    loop_fd_destroy(&a->readable);
    buf_free(&a->in);
    free(a);
}

static void refuse(struct arrival *a, const char *why)
{
    struct proxy_gate *g = a->gate;
    struct sockaddr_storage peer = a->peer;
    bool silent = buf_len(&a->in) == 0 && !why;

    close(a->fd);
    arrival_free(a);
    g->handler->refused(g->arg, (struct sockaddr *)&peer,
                        silent ? NULL
                        : why  ? why
                               : "it ended within its PROXY header");
}

static void pass(struct arrival *a, const struct proxy_header *h)
{
    struct proxy_gate *g = a->gate;
    bool announced = h->client.ss_family != AF_UNSPEC;
    struct sockaddr_storage peer = announced ? h->client : a->peer;
    socklen_t len = announced ? (socklen_t)sizeof(h->client) : a->len;
    int fd = a->fd;

    arrival_free(a);
    g->handler->accepted(g->arg, fd, (struct sockaddr *)&peer, len);
}

/* Reads n bytes at most. False: there is nothing more now, or it is gone. */
static bool read_some(struct arrival *a, size_t n)
{
    char *scratch = buf_reserve(&a->in, n);
    ssize_t got;

    if (!scratch) {
        refuse(a, "no memory");
        return false;
    }
    got = recv(a->fd, scratch, n, MSG_DONTWAIT);
    if (got > 0) {
        buf_commit(&a->in, (size_t)got);
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        refuse(a, NULL);
    return false;
}

static void read_header(void *arg)
{
    struct arrival *a = arg;
    struct proxy_header h;
    size_t more;
    int rc;

    do {
        rc = proxy_parse(buf_view(&a->in), &h, &more);
    } while (rc == 0 && read_some(a, more));
    if (rc > 0)
        pass(a, &h);
    else if (rc < 0)
        refuse(a, "it does not begin with a PROXY header");
}

static void look(void *arg)
{
    struct proxy_gate *g = arg;
    uint64_t now = clock_mono_us();
    struct arrival *a;

    while ((a = TAILQ_FIRST(&g->all)) && a->until < now)
        refuse(a, "no PROXY header in time");
}

struct proxy_gate *proxy_gate_new(struct loop *l, const struct proxy_handler *handler, void *arg,
                                  uint32_t limit_ms)
{
    struct proxy_gate *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->loop = l;
    g->handler = handler;
    g->arg = arg;
    g->limit_ms = limit_ms;
    TAILQ_INIT(&g->all);
    g->timer = loop_timer_new(l, look, g);
    if (!g->timer)
        proxy_gate_destroy(&g);
    return g;
}

void proxy_gate_destroy(struct proxy_gate **gp)
{
    struct proxy_gate *g = gp ? *gp : NULL;
    struct arrival *a;

    if (!g)
        return;
    while ((a = TAILQ_FIRST(&g->all))) {
        close(a->fd);
        arrival_free(a);
    }
    loop_timer_destroy(&g->timer);
    free(g);
    *gp = NULL;
}

void proxy_gate_take(struct proxy_gate *g, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct arrival *a = calloc(1, sizeof(*a));

    if (!a) {
        close(fd);
        return;
    }
    a->gate = g;
    a->fd = fd;
    a->len = len < sizeof(a->peer) ? len : sizeof(a->peer);
    memcpy(&a->peer, peer, a->len);
    a->until = clock_mono_us() + (uint64_t)g->limit_ms * 1000;
    buf_init(&a->in, PROXY_HEADER_MAX);
    TAILQ_INSERT_TAIL(&g->all, a, all);
    if (g->count++ == 0)
        loop_timer_start(g->timer, LOOK_MS, true);
    a->readable = loop_fd_new(g->loop, fd, read_header, a);
    if (!a->readable)
        refuse(a, "no memory");
}

void proxy_gate_drop_first(struct proxy_gate *g)
{
    if (!TAILQ_EMPTY(&g->all))
        refuse(TAILQ_FIRST(&g->all), "no PROXY header, and others wait for its place");
}

size_t proxy_gate_count(const struct proxy_gate *g)
{
    return g->count;
}
