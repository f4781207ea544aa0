#include "bus/bus.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/netaddr.h"
#include "base/rng.h"
#include "bus/internal.h"

/* What a socket has to send may still leave after its close. With 0 a message of which the first
 * frame has left is cut, and libzmq (4.3.4) aborts the process when its connection breaks just then
 * (session_base_t::clean_pipes). */
#define LINGER_MS 100
#define MAX_MESSAGE ((int64_t)16 * 1024 * 1024)
#define PEER_GONE_MS 6000

static int metrics_init(struct bus *b)
{
    struct bus_counts *c = &b->counts;
    const struct metrics_row rows[] = {
        {&c->published, METRIC_bus_published}, {&c->dropped, METRIC_bus_dropped},
        {&c->received, METRIC_bus_received},   {&c->lost, METRIC_bus_lost},
        {&c->malformed, METRIC_bus_malformed}, {&c->refused, METRIC_bus_refused},
        {&c->asked, METRIC_bus_requests},      {&c->answered, METRIC_bus_answers},
        {&c->late, METRIC_bus_late_answers},   {&c->timed_out, METRIC_bus_timeouts},
    };

    return metrics_add_rows(b->metrics, rows, ARRAY_SIZE(rows));
}

/* Close to the time of the start, for people. The lowest bits are random, so that two processes
 * that a clock set back, or two containers that start together, do not get the same. */
static uint64_t new_epoch(void)
{
    return (clock_wall_us() & ~(uint64_t)0xfff) | (rng_u64() & 0xfff);
}

struct bus *bus_new(struct loop *loop, const struct bus_options *opt, struct metrics *metrics,
                    struct log *log)
{
    struct bus *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->loop = loop;
    b->metrics = metrics;
    b->log = log;
    b->hwm = opt->hwm;
    b->subscriber_hwm = opt->subscriber_hwm ? opt->subscriber_hwm : opt->hwm;
    b->heartbeat_ms = opt->heartbeat_ms;
    b->gone_ms = opt->gone_ms ? opt->gone_ms : PEER_GONE_MS;
    b->keys = opt->keys;
    b->epoch = new_epoch();
    b->started = clock_mono_us();
    b->source = view_dup(view_cstr(opt->source));
    b->instance = view_dup(view_cstr(opt->instance));
    b->zmq = zmq_ctx_new();
    if (!b->source || !b->instance || !b->zmq || metrics_init(b) < 0)
        bus_destroy(&b);
    else
        zmq_ctx_set(b->zmq, ZMQ_MAX_SOCKETS, 4096);
    return b;
}

void bus_destroy(struct bus **b)
{
    struct accepted *a;

    if (!b || !*b)
        return;
    while ((a = LIST_FIRST(&(*b)->accepted)))
        accepted_destroy(&a);
    bus_zap_destroy(&(*b)->zap);
    if ((*b)->zmq)
        zmq_ctx_term((*b)->zmq);
    free((*b)->source);
    free((*b)->instance);
    free(*b);
    *b = NULL;
}

int bus_guard(struct bus *b)
{
    int err = 0;

    if (b->keys && !b->zap)
        b->zap = bus_zap_new(b, &err);
    return err;
}

const char *bus_source(const struct bus *b)
{
    return b->source;
}

const char *bus_instance(const struct bus *b)
{
    return b->instance;
}

uint64_t bus_epoch(const struct bus *b)
{
    return b->epoch;
}

void *bus_zmq(const struct bus *b)
{
    return b->zmq;
}

static void set_int(void *socket, int option, int value)
{
    zmq_setsockopt(socket, option, &value, sizeof(value));
}

static void set_curve(struct bus *b, void *socket, const char *domain)
{
    const struct bus_keys *k = b->keys;

    if (!k)
        return;
    if (domain) {
        set_int(socket, ZMQ_CURVE_SERVER, 1);
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
    } else {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, k->server, KEY_SIZE);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, k->own_public, KEY_SIZE);
    }
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, k->own_secret, KEY_SIZE);
}

/* A connection that breaks without a word is found by the kernel: by its probes while nothing is
 * sent, else by what is not acknowledged. Not by ZMTP's heartbeats: libzmq (4.3.5, too) aborts the
 * process when one is due on a connection that has ended while its messages could not be read
 * (docs/decisions.md). */
static void watch_connections(struct bus *b, void *socket)
{
    int seconds = (b->heartbeat_ms + 999) / 1000;

    set_int(socket, ZMQ_TCP_KEEPALIVE, 1);
    set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, seconds);
    set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, seconds);
    set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, 2);
    set_int(socket, ZMQ_TCP_MAXRT, 3 * b->heartbeat_ms);
}

void *bus_socket(struct bus *b, int type, const char *domain, int *err)
{
    int64_t max = MAX_MESSAGE;
    void *s = zmq_socket(b->zmq, type);

    if (!s) {
        *err = -zmq_errno();
        return NULL;
    }
    set_int(s, ZMQ_LINGER, LINGER_MS);
    set_int(s, ZMQ_SNDHWM, b->hwm);
    set_int(s, ZMQ_RCVHWM, b->hwm);
    watch_connections(b, s);
    set_int(s, ZMQ_HANDSHAKE_IVL, 5000);
    set_int(s, ZMQ_RECONNECT_IVL, 100);
    set_int(s, ZMQ_RECONNECT_IVL_MAX, 500);
    set_int(s, ZMQ_BACKLOG, 512);
    zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &max, sizeof(max));
    set_curve(b, s, domain);
    return s;
}

/* The host of "tcp://HOST:PORT", and where its port begins; false for what is no such thing. */
static bool split(const char *endpoint, struct view *host, const char **port)
{
    struct view e = view_cstr(endpoint);
    const char *colon = strrchr(endpoint, ':');

    if (!view_starts(e, VIEW("tcp://")) || colon < endpoint + 6)
        return false;
    *host = view_of(e.ptr + 6, (size_t)(colon - endpoint) - 6);
    *port = colon + 1;
    return true;
}

/* libzmq takes an address of IPv6 only with this, and then would ask for a name's IPv6 addresses
 * before those of IPv4, and try no other. */
static void allow_ipv6(void *socket, const char *endpoint)
{
    struct view host;
    const char *port;

    if (split(endpoint, &host, &port) && memchr(host.ptr, ':', host.len))
        set_int(socket, ZMQ_IPV6, 1);
}

/* libzmq binds to addresses and interfaces, not to names: its first address, into `at`. False: it
 * is no name, or not known. */
static bool bind_address(const char *endpoint, char *at, size_t size)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    struct view host;
    const char *port;
    char name[256];

    if (!split(endpoint, &host, &port) || host.len == 0 || host.len >= sizeof(name) ||
        memchr(host.ptr, ':', host.len) || view_eq(host, VIEW("*")))
        return false;
    snprintf(name, sizeof(name), "%.*s", VIEW_ARG(host));
    if (getaddrinfo(name, NULL, &hints, &list) != 0)
        return false;
    if (getnameinfo(list->ai_addr, list->ai_addrlen, name, sizeof(name), NULL, 0, NI_NUMERICHOST) !=
        0)
        *name = '\0';
    freeaddrinfo(list);
    return *name && snprintf(at, size, "tcp://%s:%s", name, port) < (int)size;
}

int bus_connect(void *socket, const char *endpoint)
{
    allow_ipv6(socket, endpoint);
    return zmq_connect(socket, endpoint) < 0 ? -zmq_errno() : 0;
}

bool bus_address_allowed(const char *endpoint, const char *const *trusted)
{
    struct view e = view_cstr(endpoint);
    struct view host;
    const char *colon;

    if (!view_starts(e, VIEW("tcp://")))
        return true; /* ipc, inproc: this host only */
    host = view_of(e.ptr + 6, e.len - 6);
    colon = host.len ? memrchr(host.ptr, ':', host.len) : NULL;
    if (colon)
        host.len = (size_t)(colon - host.ptr);
    if (host.len > 2 && host.ptr[0] == '[')
        host = view_of(host.ptr + 1, host.len - 2);
    if (netaddr_is_loopback(host))
        return true;
    for (; trusted && *trusted; trusted++)
        if (view_eq(host, view_cstr(*trusted)))
            return true;
    return false;
}

int bus_bind(struct bus *b, void *socket, const char *endpoint, const char *const *trusted,
             char **bound)
{
    char at[256];
    size_t n = sizeof(at);

    /* Without a ZAP handler, libzmq accepts every key. */
    if (b->keys ? !b->zap : !bus_address_allowed(endpoint, trusted))
        return -EACCES;
    allow_ipv6(socket, endpoint);
    if (zmq_bind(socket, endpoint) < 0 &&
        (zmq_errno() != ENODEV || !bind_address(endpoint, at, sizeof(at)) ||
         zmq_bind(socket, at) < 0)) {
        log_error(b->log, "bus: cannot bind %s: %s", endpoint, zmq_strerror(zmq_errno()));
        return -zmq_errno();
    }
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, at, &n) < 0)
        return -zmq_errno();
    *bound = view_dup(view_cstr(at));
    return *bound ? accepted_watch(b, socket, at) : -ENOMEM;
}
