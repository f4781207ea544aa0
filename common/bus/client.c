/*
 * The asking side. There is a connection to each state of the site, each of which is told hello
 * until one says that it is active; the others are asked now and then, since the one that has the
 * highest term is the one to be asked (services/state, docs/ha.md).
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/client_impl.h"

#define HELLO_DEADLINE_MS 2000
#define SILENCE_US 10000000u /* from one word about a missing state to the next */
#define PING_US (PING_AFTER_MS * UINT64_C(1000))
/* Where there are two states: from one hello to the next while none is active, and to the others
 * while one is; and how long the active one may be silent before people's requests wait until it
 * speaks again, or another one has taken over. */
#define SEEK_US 100000
#define LOOK_US 250000
#define DOUBT_US 1300000
/* For so long after the last one was lost people's requests are accepted: for another one to take
 * over; for the only one to answer hello, when we start or when it was restarted. Later ones are
 * refused at once. */
#define WAIT_FOR_OTHER_US 15000000
#define WAIT_FOR_HELLO_US 2000000

static bool is_current(const struct lane *l)
{
    return l->client->up && l->client->current == l;
}

bool client_is_answered(const struct bus_client *a)
{
    if (!client_has_several(a))
        return a->up;
    return a->up && a->current->ready && clock_mono_us() - a->current->last_rx < DOUBT_US;
}

static void set_lost(struct bus_client *a, bool silent)
{
    a->lost_at = clock_mono_us();
    a->wait_us = client_has_several(a) ? WAIT_FOR_OTHER_US : silent ? 0 : WAIT_FOR_HELLO_US;
}

/* silent: nothing was received for gone_ms; otherwise it has answered unknown_peer or not_active,
 * or has another epoch. */
static void set_down(struct bus_client *a, bool silent)
{
    if (!a->up)
        return;
    a->up = false;
    set_lost(a, silent);
    waiting_keep(a);
    request_table_gone(a->requests, a->current);
    if (a->handler->down)
        a->handler->down(a->arg);
}

static void set_up(struct lane *l, const msgpack_object *body)
{
    struct bus_client *a = l->client;

    a->current = l;
    a->term = l->term;
    a->up = true;
    if (client_has_several(a))
        bus_follow(a->bus, (size_t)(l - a->lanes));
    if (a->handler->up)
        a->handler->up(a->arg, body);
    waiting_flush(a);
}

/* What state says of itself with hello and ping. */
static void note_word(struct lane *l, const msgpack_object *body)
{
    bool ready = msg_get_bool(body, "ready", true);

    if (ready == l->ready)
        return;
    l->ready = ready;
    if (is_current(l))
        waiting_flush(l->client);
}

/* It stood still while another one took over, which is lost now: it leaves as soon as it knows. Not
 * for ever: a database may have been restored. */
static bool is_replaced(const struct lane *l)
{
    const struct bus_client *a = l->client;

    return client_has_several(a) && !a->up && l->term < a->term && bus_client_takes(a);
}

static void on_hello(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct lane *l = arg;
    struct bus_client *a = l->client;
    uint64_t epoch = msg_get_u64(body, "epoch", 0);
    bool current = is_current(l);

    l->hello_id = 0;
    if (status == BUS_not_active && a->not_active)
        a->not_active(a->arg, body);
    if (status != BUS_ok || epoch == 0)
        return; /* the tick says hello again */
    if (current && l->far_epoch != epoch) {
        set_down(a, false);
        current = false;
    }
    l->far_epoch = epoch;
    l->term = msg_get_u64(body, "term", 0);
    note_word(l, body);
    if (current || (a->up && l->term <= a->current->term) || is_replaced(l))
        return;
    set_down(a, false);
    set_up(l, body);
}

static void hello(struct lane *l)
{
    struct bus_client *a = l->client;
    struct buf pairs;

    if (l->hello_id)
        return;
    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "service", view_cstr(a->service));
    msg_put_pair(&pairs, "instance", view_cstr(a->bus->instance));
    msg_put_pair(&pairs, "source", view_cstr(a->bus->source));
    msg_put_pair(&pairs, "version", VIEW(CTIBUS_VERSION));
    l->hello_id = lane_ask(l, METHOD_hello, 4, buf_view(&pairs), HELLO_DEADLINE_MS, on_hello, l);
    l->asked = clock_mono_us();
    buf_free(&pairs);
}

static void on_ping(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct lane *l = arg;

    if (status != BUS_ok)
        return;
    if (msg_get_u64(body, "epoch", 0) != l->far_epoch)
        hello(l);
    else
        note_word(l, body);
}

/* Of the state that we ask. */
static void watch(struct lane *l, uint64_t now)
{
    uint64_t every = l->ready ? PING_US : SEEK_US;

    if (now - l->last_rx > (uint64_t)l->client->bus->gone_ms * 1000) {
        set_down(l->client, true);
        return;
    }
    if (now - l->asked <= every)
        return;
    if (now - l->last_rx > PING_US || now - l->asked > 2000000u || !l->ready)
        lane_ask(l, METHOD_ping, 0, view_of(NULL, 0), 2000, on_ping, l);
    l->asked = now;
}

/* Of one that we do not ask, or not yet. */
static void seek(struct lane *l, uint64_t now)
{
    struct bus_client *a = l->client;
    uint64_t every = !client_has_several(a) ? PING_US : a->up ? LOOK_US : SEEK_US;

    if (now - l->asked >= every)
        hello(l);
}

static void tick(void *arg)
{
    struct bus_client *a = arg;
    uint64_t now = clock_mono_us();

    a->inside = true;
    if (has_stood_still(&a->ticks, now) && a->up && !client_has_several(a))
        a->current->last_rx = now;
    for (size_t i = 0; i < a->to.n; i++)
        if (is_current(&a->lanes[i]))
            watch(&a->lanes[i], now);
        else
            seek(&a->lanes[i], now);
    if (a->up && client_has_several(a))
        bus_follow(a->bus, (size_t)(a->current - a->lanes));
    waiting_flush(a); /* there was no connection, or it was silent */
    if (a->up) {
        a->down_since = now;
    } else if (now - a->down_since > SILENCE_US) {
        log_warning(a->bus->log, "nobody answers at %s: is it running?", a->endpoint);
        a->down_since = now;
    }
    a->inside = false;
}

/* A request of state. One that is not the active one, as far as we know, decides nothing here. */
static void handle_request(struct lane *l, struct envelope *e)
{
    struct bus_client *a = l->client;

    if (a->handler->request && (is_current(l) || !client_has_several(a))) {
        a->handler->request(a->arg, e->id, (enum bus_method)e->method, &e->doc->root);
        return;
    }
    envelope_send(l->socket, view_of(NULL, 0), e->id,
                  schema_status_name(a->handler->request ? BUS_not_active : BUS_unknown_method),
                  view_of(NULL, 0));
    zpoll_wakeup(l->poll);
}

static void handle(struct lane *l, struct envelope *e)
{
    struct bus_client *a = l->client;

    l->last_rx = clock_mono_us();
    if (e->method >= 0) {
        handle_request(l, e);
        return;
    }
    if (e->status == BUS_unknown_peer || (e->status == BUS_not_active && e->id != l->hello_id)) {
        /* it was restarted, or took us for gone, or another one is active */
        bool waits = is_current(l) && waiting_refuse(a, e->id);
        if (!waits)
            request_table_answer(a->requests, l, e->id, BUS_gone, NULL);
        if (is_current(l))
            set_down(a, false);
        hello(l);
        return;
    }
    request_table_answer(a->requests, l, e->id, e->status, &e->doc->root);
}

static bool step(void *arg)
{
    struct lane *l = arg;
    struct bus_client *a = l->client;
    struct envelope e;
    struct frames f;

    if (!frames_recv(l->socket, &f))
        return false;
    a->inside = true;
    if (envelope_read(&f, 0, &a->doc, &e) < 0)
        metric_add(a->bus->counts.malformed, 1);
    else
        handle(l, &e);
    frames_close(&f);
    a->inside = false;
    return true;
}

static int open_lane(struct bus_client *a, size_t which)
{
    struct lane *l = &a->lanes[which];
    struct bus *b = a->bus;
    char id[256];
    int err = 0;
    int n = snprintf(id, sizeof(id), "%.200s/%llx/%s", b->source, (unsigned long long)b->epoch,
                     a->service);

    l->client = a;
    l->ready = true;
    l->socket = bus_socket(b, ZMQ_DEALER, NULL, &err);
    if (!l->socket)
        return err;
    /* A name of our own: a connection that comes back is the same peer to the far side. */
    zmq_setsockopt(l->socket, ZMQ_ROUTING_ID, id, n > 254 ? 254 : (size_t)n);
    if (a->to.n > 1)
        bus_set_immediate(l->socket);
    err = bus_connect(l->socket, a->to.at[which]);
    if (err < 0)
        return err;
    l->poll = zpoll_new(b, l->socket, step, l);
    return l->poll ? 0 : -ENOMEM;
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
    TAILQ_INIT(&a->waiting);
    TAILQ_INIT(&a->sent);
    buf_init(&a->body, 0);
    if (msg_doc_init(&a->doc) < 0) {
        free(a);
        return NULL;
    }
    a->down_since = a->ticks.last = clock_mono_us();
    a->service = view_dup(view_cstr(service));
    a->endpoint = view_dup(view_cstr(endpoint));
    a->requests = request_table_new(b);
    a->waiting_by_id = map_new();
    a->tick = loop_timer_new(b->loop, tick, a);
    if (a->service && a->endpoint && a->requests && a->waiting_by_id && a->tick) {
        *err = endpoints_read(&a->to, endpoint);
        set_lost(a, false);
        for (size_t i = 0; *err == 0 && i < a->to.n; i++)
            *err = open_lane(a, i);
        if (*err == 0) {
            loop_timer_start(a->tick, TICK_MS, true);
            for (size_t i = 0; i < a->to.n; i++)
                hello(&a->lanes[i]);
            return a;
        }
    }
    bus_client_destroy(&a);
    return NULL;
}

static void close_lane(struct lane *l)
{
    zpoll_destroy(&l->poll);
    if (l->socket) {
        int linger = 500; /* what was said last (session.close) may still leave */
        zmq_setsockopt(l->socket, ZMQ_LINGER, &linger, sizeof(linger));
        zmq_close(l->socket);
    }
}

void bus_client_destroy(struct bus_client **ap)
{
    struct bus_client *a = ap ? *ap : NULL;

    if (!a)
        return;
    assert(!a->inside);
    *ap = NULL;
    request_table_destroy(&a->requests);
    loop_timer_destroy(&a->tick);
    for (size_t i = 0; i < BUS_ENDPOINTS; i++)
        close_lane(&a->lanes[i]);
    map_destroy(&a->waiting_by_id);
    endpoints_free(&a->to);
    msg_doc_fini(&a->doc);
    buf_free(&a->body);
    free(a->service);
    free(a->endpoint);
    free(a);
}

int lane_send(struct lane *l, uint64_t id, enum bus_method method, size_t n_pairs,
              struct view pairs, uint32_t deadline_ms)
{
    struct bus_client *a = l->client;
    int rc;

    buf_reset(&a->body);
    envelope_body(&a->body, deadline_ms, n_pairs, pairs);
    rc = envelope_send(l->socket, view_of(NULL, 0), id, schema_method_name(method),
                       buf_view(&a->body));
    zpoll_wakeup(l->poll);
    return rc;
}

uint64_t lane_ask(struct lane *l, enum bus_method method, size_t n_pairs, struct view pairs,
                  uint32_t deadline_ms, bus_answer_fn *answer, void *arg)
{
    struct bus_client *a = l->client;
    uint64_t id = request_table_add(a->requests, l, deadline_ms, answer, arg);

    if (id == 0)
        return 0;
    if (lane_send(l, id, method, n_pairs, pairs, deadline_ms) == 0)
        return id;
    if (!client_has_several(a)) /* else most of them are not there */
        metric_add(a->bus->counts.dropped, 1);
    request_table_cancel(a->requests, id);
    return 0;
}

uint64_t bus_ask(struct bus_client *a, enum bus_method method, size_t n_pairs, struct view pairs,
                 uint32_t deadline_ms, bus_answer_fn *answer, void *arg)
{
    return a->up ? lane_ask(a->current, method, n_pairs, pairs, deadline_ms, answer, arg) : 0;
}

void bus_ask_cancel(struct bus_client *a, uint64_t id)
{
    waiting_forget(a, id);
    request_table_cancel(a->requests, id);
}

int bus_client_reply(struct bus_client *a, uint64_t id, enum bus_status status, struct view body)
{
    struct lane *l = a->current;
    int rc = l ? envelope_send(l->socket, view_of(NULL, 0), id, schema_status_name(status), body)
               : -ENOTCONN;

    if (rc < 0)
        metric_add(a->bus->counts.dropped, 1);
    if (l)
        zpoll_wakeup(l->poll);
    return rc;
}

void bus_client_on_not_active(struct bus_client *a,
                              void (*fn)(void *arg, const msgpack_object *body))
{
    a->not_active = fn;
}

bool bus_client_is_up(const struct bus_client *a)
{
    return a->up;
}

bool bus_client_is_ready(const struct bus_client *a, struct buf *why)
{
    if (!a->up && why)
        buf_append_cstr(why, "state does not answer");
    return a->up;
}

uint64_t bus_client_epoch(const struct bus_client *a)
{
    return a->current ? a->current->far_epoch : 0;
}
