#include "net/dial.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "net/lookup.h"

struct dial {
    struct loop *loop;
    uint16_t port;
    uint32_t limit_ms;
    dial_fn *fn;
    void *arg;
    struct lookup *lookup;
    struct sockaddr_storage list[LOOKUP_MAX];
    size_t n, next;
    int fd;
    struct event *ready; /* connected, failed, or out of time */
    char why[256];
};

static void dial_free(struct dial *d)
{
    lookup_cancel(&d->lookup);
    if (d->ready)
        event_free(d->ready);
    if (d->fd >= 0)
        close(d->fd);
    free(d);
}

static void finish(struct dial *d)
{
    dial_fn *fn = d->fn;
    void *arg = d->arg;
    int fd = d->fd;
    char why[sizeof(d->why)];

    memcpy(why, d->why, sizeof(why));
    d->fd = -1;
    dial_free(d);
    fn(arg, fd, fd < 0 ? why : NULL);
}

/* ---- one address ---- */

static void note(struct dial *d, const char *reason)
{
    size_t have = strlen(d->why);
    char text[NETADDR_TEXT] = "";
    struct netaddr a;

    if (d->n > 1 && netaddr_of((struct sockaddr *)&d->list[d->next - 1], &a, NULL) == 0)
        netaddr_print(&a, text);
    snprintf(d->why + have, sizeof(d->why) - have, "%s%s%s%s", have ? ", " : "", text,
             *text ? ": " : "", reason);
}

static void drop(struct dial *d)
{
    if (d->ready)
        event_free(d->ready);
    d->ready = NULL;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static void try_next(struct dial *d);

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct dial *d = arg;
    char limit[64];
    int err = 0;
    socklen_t len = sizeof(err);

    loop_busy(d->loop);
    if (what & EV_TIMEOUT) {
        snprintf(limit, sizeof(limit), "no connection within %u ms", (unsigned)d->limit_ms);
        note(d, limit);
    } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0) {
        event_free(d->ready);
        d->ready = NULL;
        finish(d);
        return;
    } else {
        note(d, strerror(err));
    }
    drop(d);
    try_next(d);
}

static int begin(struct dial *d, struct sockaddr_storage *to)
{
    const struct timeval limit = {d->limit_ms / 1000, (suseconds_t)(d->limit_ms % 1000) * 1000};
    socklen_t len =
        to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    in_port_t *port = to->ss_family == AF_INET ? &((struct sockaddr_in *)to)->sin_port
                                               : &((struct sockaddr_in6 *)to)->sin6_port;

    *port = htons(d->port);
    d->fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return -errno;
    if (connect(d->fd, (struct sockaddr *)to, len) < 0 && errno != EINPROGRESS)
        return -errno;
    d->ready = event_new(loop_base(d->loop), d->fd, EV_WRITE, on_ready, d);
    return d->ready && event_add(d->ready, &limit) == 0 ? 0 : -ENOMEM;
}

/* Never from within dial_start: it may call back. */
static void try_next(struct dial *d)
{
    while (d->next < d->n) {
        int rc = begin(d, &d->list[d->next++]);
        if (rc == 0)
            return;
        note(d, strerror(-rc));
        drop(d);
    }
    finish(d);
}

static void on_addresses(void *arg, const struct sockaddr_storage *list, size_t n, const char *why)
{
    struct dial *d = arg;

    d->lookup = NULL; /* it frees itself */
    memcpy(d->list, list, n * sizeof(*list));
    d->n = n;
    if (n == 0)
        snprintf(d->why, sizeof(d->why), "%s", why);
    try_next(d);
}

/* ---- lifecycle ---- */

struct dial *dial_start(struct loop *loop, const char *host, uint16_t port, uint32_t limit_ms,
                        dial_fn *fn, void *arg)
{
    struct dial *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    *d = (struct dial){
        .loop = loop, .port = port, .limit_ms = limit_ms, .fn = fn, .arg = arg, .fd = -1};
    d->lookup = lookup_start(loop, host, on_addresses, d);
    if (d->lookup)
        return d;
    dial_free(d);
    return NULL;
}

void dial_cancel(struct dial **dp)
{
    struct dial *d = dp ? *dp : NULL;

    if (!d)
        return;
    *dp = NULL;
    dial_free(d);
}
