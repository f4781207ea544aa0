#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/internal.h"

#define HELLO_DEADLINE_MS 2000
#define SILENCE_US 10000000u /* from one word about a missing state to the next */

struct bus_client {
    struct bus *bus;
    void *socket;
    struct zpoll *poll;
    struct loop_timer *tick;
    const struct bus_client_handler *handler;
    void *arg;
    char *service;
    struct request_table *requests;
    struct msg_doc doc;
    struct buf body;
    uint64_t last_rx;   /* when something came last */
    uint64_t asked;     /* when hello or ping was sent last */
    uint64_t hello_id;  /* a hello that waits for its answer, or 0 */
    uint64_t far_epoch; /* of the one that answered hello */
    bool up;
    char *endpoint;
    uint64_t down_since; /* or when the lack of an answer was last logged */
};

static void set_down(struct bus_client *a)
{
    if (!a->up)
        return;
    a->up = false;
    request_table_gone(a->requests, NULL);
    if (a->handler->down)
        a->handler->down(a->arg);
}

static void on_hello(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct bus_client *a = arg;
    uint64_t epoch = msg_get_u64(body, "epoch", 0);

    a->hello_id = 0;
    if (status != BUS_ok || epoch == 0)
        return; /* the tick says hello again */
    if (a->far_epoch != epoch)
        set_down(a);
    a->far_epoch = epoch;
    if (a->up)
        return;
    a->up = true;
    if (a->handler->up)
        a->handler->up(a->arg, body);
}

static void hello(struct bus_client *a)
{
    struct buf pairs;

    if (a->hello_id)
        return;
    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "service", view_cstr(a->service));
    msg_put_pair(&pairs, "instance", view_cstr(a->bus->instance));
    msg_put_pair(&pairs, "source", view_cstr(a->bus->source));
    msg_put_pair(&pairs, "version", VIEW(CTIBUS_VERSION));
    a->hello_id = bus_ask(a, METHOD_hello, 4, buf_view(&pairs), HELLO_DEADLINE_MS, on_hello, a);
    a->asked = clock_mono_us();
    buf_free(&pairs);
}

static void on_ping(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct bus_client *a = arg;

    if (status == BUS_ok && msg_get_u64(body, "epoch", 0) != a->far_epoch)
        hello(a);
}

static void tick(void *arg)
{
    struct bus_client *a = arg;
    uint64_t now = clock_mono_us();

    if (a->up && now - a->last_rx > (uint64_t)a->bus->gone_ms * 1000)
        set_down(a);
    if (a->up) {
        a->down_since = now;
    } else if (now - a->down_since > SILENCE_US) {
        log_warning(a->bus->log, "nobody answers at %s: is it running?", a->endpoint);
        a->down_since = now;
    }
    if (now - a->asked > PING_AFTER_MS * 1000u) {
        if (!a->up)
            hello(a);
        else if (now - a->last_rx > PING_AFTER_MS * 1000u || now - a->asked > 2000000u)
            bus_ask(a, METHOD_ping, 0, view_of(NULL, 0), 2000, on_ping, a);
        a->asked = a->up ? now : a->asked;
    }
}

static void handle(struct bus_client *a, struct envelope *e)
{
    a->last_rx = clock_mono_us();
    if (e->method >= 0) {
        if (a->handler->request)
            a->handler->request(a->arg, e->id, (enum bus_method)e->method, &e->doc->root);
        else
            bus_client_reply(a, e->id, BUS_unknown_method, view_of(NULL, 0));
        return;
    }
    if (e->status == BUS_unknown_peer) { /* it was restarted, or took us for gone */
        request_table_answer(a->requests, NULL, e->id, BUS_gone, NULL);
        set_down(a);
        hello(a);
        return;
    }
    request_table_answer(a->requests, NULL, e->id, e->status, &e->doc->root);
}

static bool step(void *arg)
{
    struct bus_client *a = arg;
    struct envelope e;
    struct frames f;

    if (!frames_recv(a->socket, &f))
        return false;
    if (envelope_read(&f, 0, &a->doc, &e) < 0)
        metric_add(a->bus->counts.malformed, 1);
    else
        handle(a, &e);
    frames_close(&f);
    return true;
}

static int open_socket(struct bus_client *a, const char *endpoint)
{
    struct bus *b = a->bus;
    char id[256];
    int err = 0;
    int n = snprintf(id, sizeof(id), "%.200s/%llx/%s", b->source, (unsigned long long)b->epoch,
                     a->service);

    a->socket = bus_socket(b, ZMQ_DEALER, NULL, &err);
    if (!a->socket)
        return err;
    /* A name of our own: a connection that comes back is the same peer to the far side. */
    zmq_setsockopt(a->socket, ZMQ_ROUTING_ID, id, n > 254 ? 254 : (size_t)n);
    return bus_connect(a->socket, endpoint);
}

struct bus_client *bus_client_new(struct bus *b, const char *endpoint, const char *service,
                                  const struct bus_client_handler *handler, void *arg, int *err)
{
    struct bus_client *a = calloc(1, sizeof(*a));

    *err = -ENOMEM;
    if (!a)
        return NULL;
    a->bus = b;
    a->handler = handler;
    a->arg = arg;
    buf_init(&a->body, 0);
    if (msg_doc_init(&a->doc) < 0) {
        free(a);
        return NULL;
    }
    a->down_since = clock_mono_us();
    a->service = view_dup(view_cstr(service));
    a->endpoint = view_dup(view_cstr(endpoint));
    a->requests = request_table_new(b);
    a->tick = loop_timer_new(b->loop, tick, a);
    if (a->service && a->endpoint && a->requests && a->tick) {
        *err = open_socket(a, endpoint);
        a->poll = *err == 0 ? zpoll_new(b, a->socket, step, a) : NULL;
        if (a->poll) {
            loop_timer_start(a->tick, TICK_MS, true);
            hello(a);
            return a;
        }
    }
    bus_client_destroy(&a);
    return NULL;
}

void bus_client_destroy(struct bus_client **ap)
{
    struct bus_client *a = ap ? *ap : NULL;

    if (!a)
        return;
    *ap = NULL;
    request_table_destroy(&a->requests);
    zpoll_destroy(&a->poll);
    loop_timer_destroy(&a->tick);
    if (a->socket) {
        int linger = 500; /* what was said last (session.close) may still leave */
        zmq_setsockopt(a->socket, ZMQ_LINGER, &linger, sizeof(linger));
        zmq_close(a->socket);
    }
    msg_doc_fini(&a->doc);
    buf_free(&a->body);
    free(a->service);
    free(a->endpoint);
    free(a);
}

uint64_t bus_ask(struct bus_client *a, enum bus_method method, size_t n_pairs, struct view pairs,
                 uint32_t deadline_ms, bus_answer_fn *answer, void *arg)
{
    uint64_t id;
    int rc;

    /* Not into the queue: it would be carried out whenever the far side comes back. */
    if (!a->up && method != METHOD_hello)
        return 0;
    id = request_table_add(a->requests, NULL, deadline_ms, answer, arg);
    if (id == 0)
        return 0;
    buf_reset(&a->body);
    envelope_body(&a->body, deadline_ms, n_pairs, pairs);
    rc = envelope_send(a->socket, view_of(NULL, 0), id, schema_method_name(method),
                       buf_view(&a->body));
    zpoll_wakeup(a->poll);
    if (rc == 0)
        return id;
    metric_add(a->bus->counts.dropped, 1);
    request_table_cancel(a->requests, id);
    return 0;
}

void bus_ask_cancel(struct bus_client *a, uint64_t id)
{
    request_table_cancel(a->requests, id);
}

int bus_client_reply(struct bus_client *a, uint64_t id, enum bus_status status, struct view body)
{
    int rc = envelope_send(a->socket, view_of(NULL, 0), id, schema_status_name(status), body);

    if (rc < 0)
        metric_add(a->bus->counts.dropped, 1);
    zpoll_wakeup(a->poll);
    return rc;
}

bool bus_client_is_up(const struct bus_client *a)
{
    return a->up;
}

uint64_t bus_client_epoch(const struct bus_client *a)
{
    return a->far_epoch;
}
