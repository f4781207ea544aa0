/* The buses of two states and of a gateway that knows both, in one process. The states are on
 * standby at first, and each has its forwarder, so that a test sees which of them a message
 * reaches. */
#ifndef CTIBUS_TESTS_TWO_STATES_H
#define CTIBUS_TESTS_TWO_STATES_H

#include "bus/client_impl.h"
#include "support/bus.h"

#define ANY_PORT "tcp://127.0.0.1:*"
#define NO_PAIRS view_of(NULL, 0)

struct two_states;

/* One state. */
struct side {
    struct two_states *w;
    char name[2]; /* "a" or "b" */
    struct process p;
    struct bus_forwarder *fwd;
    struct bus_pub *pub;
    struct bus_sub *sub; /* of what gateways publish */
    struct bus_server *server;
    struct bus_peer *peer;
    int hellos;
    char got[200]; /* the numbers of the requests that came, in their order: "1 2 " */
    uint64_t last; /* the id of the last one */
    bool answers;  /* with ok, at once */
    int heard;
};

/* What has become of a request. */
struct answer {
    int calls;
    enum bus_status status;
};

struct two_states {
    struct loop *loop;
    struct side a, b;
    struct process gw;
    char endpoints[3][200]; /* to publish, to subscribe, to ask: of both */
    struct bus_client *client;
    struct bus_pub *pub; /* what the gateway publishes, and hears, where a test makes them */
    struct bus_sub *sub;
    void *raw;       /* a socket of a test's own */
    char told[40];   /* what the client was told: u(p), d(own) */
    char active[40]; /* what one on standby said of itself last: "NAME of ACTIVE" */
    int requests;    /* of states to the gateway */
    uint64_t request_id;
    void (*on_up)(struct two_states *w), (*on_down)(struct two_states *w);
};

static inline void note(char *text, size_t size, const char *more)
{
    snprintf(text + strlen(text), size - strlen(text), "%s", more);
}

static inline void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct answer *an = arg;

    an->calls++;
    an->status = status;
}

/* ---- a state ---- */

static inline void side_request(void *arg, struct bus_peer *peer, uint64_t id,
                                enum bus_method method, const msgpack_object *body)
{
    struct side *s = arg;
    char number[24];

    snprintf(number, sizeof(number), "%lld ", (long long)msg_get_i64(body, "number", -1));
    note(s->got, sizeof(s->got), number);
    s->last = id;
    if (s->answers)
        bus_server_reply(s->server, peer, id, BUS_ok, NO_PAIRS);
}

static inline void side_peer_up(void *arg, struct bus_peer *peer, const msgpack_object *hello)
{
    struct side *s = arg;

    s->peer = peer;
    s->hellos++;
}

static inline void side_peer_gone(void *arg, struct bus_peer *peer)
{
    ((struct side *)arg)->peer = NULL;
}

static inline void side_heard(void *arg, const struct bus_msg *m)
{
    ((struct side *)arg)->heard++;
}

/* 0 or a negative errno: an endpoint that was just left may be in use for a moment. */
static inline int side_serve(struct side *s, const char *endpoint)
{
    int err = 0;

    s->server = bus_server_standby(s->p.bus, endpoint, NULL, s->name, &err);
    return err;
}

static inline int side_forward(struct side *s, const char *publish, const char *subscribe)
{
    static const struct bus_sub_handler handler = {side_heard, NULL};
    int err = 0;

    s->fwd = bus_forwarder_new(s->p.bus, publish, subscribe, NULL, &err);
    if (!s->fwd)
        return err;
    s->pub = bus_pub_new(s->p.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    s->sub = bus_sub_new(s->p.bus, BUS_INPROC_SUBSCRIBE, &handler, s, &err);
    return bus_sub_add(s->sub, VIEW("tel/"));
}

static inline void side_unforward(struct side *s)
{
    bus_sub_destroy(&s->sub);
    bus_pub_destroy(&s->pub);
    bus_forwarder_destroy(&s->fwd);
}

static inline void side_open(struct two_states *w, struct side *s, const char *name)
{
    char source[32];

    s->w = w;
    s->answers = true;
    snprintf(s->name, sizeof(s->name), "%s", name);
    snprintf(source, sizeof(source), "state@%s", name);
    s->p = process_start(w->loop, source, name, NULL);
    assert_int_equal(side_forward(s, ANY_PORT, ANY_PORT), 0);
    assert_int_equal(side_serve(s, ANY_PORT), 0);
}

static inline void side_close(struct side *s)
{
    bus_server_destroy(&s->server);
    side_unforward(s);
    process_end(&s->p);
    s->peer = NULL;
}

/* It is active from now on. */
static inline void take_over(struct side *s, uint64_t term)
{
    static const struct bus_server_handler handler = {side_request, side_peer_up, side_peer_gone};

    assert_int_equal(bus_server_activate(s->server, term, "site1", &handler, s, s->pub), 0);
    bus_server_set_ready(s->server, true);
}

/* Its process was restarted: it is on standby again, at the same endpoint. */
static inline void restart_server(struct side *s)
{
    char endpoint[64];

    snprintf(endpoint, sizeof(endpoint), "%s", bus_server_endpoint(s->server));
    bus_server_destroy(&s->server);
    s->peer = NULL;
    s->p.bus->epoch++;
    while (side_serve(s, endpoint) == -EADDRINUSE)
        loop_once(s->w->loop, 5);
    assert_non_null(s->server);
}

/* ---- the gateway ---- */

static inline void client_up(void *arg, const msgpack_object *body)
{
    struct two_states *w = arg;

    note(w->told, sizeof(w->told), "u");
    if (w->on_up)
        w->on_up(w);
}

static inline void client_down(void *arg)
{
    struct two_states *w = arg;

    note(w->told, sizeof(w->told), "d");
    if (w->on_down)
        w->on_down(w);
}

static inline void client_request(void *arg, uint64_t id, enum bus_method method,
                                  const msgpack_object *body)
{
    struct two_states *w = arg;

    w->requests++;
    w->request_id = id;
}

static inline void client_not_active(void *arg, const msgpack_object *body)
{
    struct two_states *w = arg;

    snprintf(w->active, sizeof(w->active), "%.*s of %.*s%s", VIEW_ARG(msg_get_str(body, "name")),
             VIEW_ARG(msg_get_str(body, "active")),
             msg_get_bool(body, "ready", false) ? "" : ", not ready");
}

static inline struct bus_client *client_at(struct two_states *w, const char *endpoints, int *err)
{
    static const struct bus_client_handler handler = {client_up, client_down, client_request};
    struct bus_client *c = bus_client_new(w->gw.bus, endpoints, "test-gw", &handler, w, err);

    if (c)
        bus_client_on_not_active(c, client_not_active);
    return c;
}

static inline void client_open(struct two_states *w)
{
    int err = 0;

    w->client = client_at(w, w->endpoints[2], &err);
    assert_non_null(w->client);
}

static inline bool is_told(const struct two_states *w, const char *what)
{
    return strcmp(w->told, what) == 0;
}

static inline bool asks(const struct two_states *w, const struct side *s)
{
    return bus_client_is_up(w->client) && bus_client_epoch(w->client) == bus_epoch(s->p.bus);
}

static inline bool has_got(const struct side *s, const char *numbers)
{
    return strcmp(s->got, numbers) == 0;
}

/* The packed pair number: n, of one digit. */
static inline struct view number_pair(char room[16], int n)
{
    int len = snprintf(room, 16, "\xa6number%c", n);

    return view_of(room, (size_t)len);
}

static inline uint64_t ask(struct two_states *w, int n, struct answer *an)
{
    char room[16];

    return bus_ask(w->client, METHOD_command, 1, number_pair(room, n), 20000, on_answer, an);
}

static inline uint64_t ask_wait_for(struct two_states *w, enum bus_method method, int n,
                                    uint32_t deadline_ms, struct answer *an)
{
    char room[16];

    return bus_ask_wait(w->client, method, method != METHOD_command, 1, number_pair(room, n),
                        deadline_ms, on_answer, an);
}

static inline uint64_t ask_wait(struct two_states *w, enum bus_method method, int n,
                                struct answer *an)
{
    return ask_wait_for(w, method, n, 20000, an);
}

static inline struct two_states *two_states_open(void)
{
    struct two_states *w = calloc(1, sizeof(*w));

    w->loop = loop_new();
    side_open(w, &w->a, "a");
    side_open(w, &w->b, "b");
    w->gw = process_start(w->loop, "gw@test", "gw1", NULL);
    snprintf(w->endpoints[0], sizeof(w->endpoints[0]), "%s %s", bus_forwarder_publish(w->a.fwd),
             bus_forwarder_publish(w->b.fwd));
    snprintf(w->endpoints[1], sizeof(w->endpoints[1]), "%s %s", bus_forwarder_subscribe(w->a.fwd),
             bus_forwarder_subscribe(w->b.fwd));
    snprintf(w->endpoints[2], sizeof(w->endpoints[2]), "%s %s", bus_server_endpoint(w->a.server),
             bus_server_endpoint(w->b.server));
    return w;
}

static inline void two_states_close(struct two_states *w)
{
    bus_client_destroy(&w->client);
    bus_pub_destroy(&w->pub);
    bus_sub_destroy(&w->sub);
    if (w->raw)
        zmq_close(w->raw);
    side_close(&w->a);
    side_close(&w->b);
    process_end(&w->gw);
    loop_destroy(&w->loop);
    free(w);
}

#endif
