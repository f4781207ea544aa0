#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/connections.h"
#include "bus/keystore.h"
#include "bus/topic.h"

#define MAX_PEERS 1024

struct bus_peer {
    char *id; /* routing id: the key of the map */
    size_t id_len;
    char *service;
    char *instance;
    char *key;          /* CURVE's, or empty */
    enum bus_role role; /* of the key, when it said hello */
    uint64_t last_rx;
    void *data;
};

struct bus_server {
    struct bus *bus;
    void *socket;
    struct zpoll *poll;
    struct loop_timer *tick;
    struct ticks ticks;
    const struct bus_server_handler *handler;
    void *arg;
    struct bus_pub *echo;
    char *site;
    char *name;      /* of one of several states; NULL: it is the only one */
    uint64_t term;   /* 0: on standby */
    char active[64]; /* on standby: the name of the active one, or empty */
    bool ready;
    char *bound;
    struct map *peers;
    struct request_table *requests;
    struct connections *connections; /* NULL without keys */
    uint64_t keys_version;           /* of the keys when connections were checked */
    struct msg_doc doc;
    struct buf body;
};

static struct view routing_id(const struct bus_peer *p)
{
    return view_of(p->id, p->id_len);
}

static void peer_free(void *arg)
{
    struct bus_peer *p = arg;

    free(p->id);
    free(p->service);
    free(p->instance);
    free(p->key);
    free(p);
}

static void peer_drop(struct bus_server *s, struct bus_peer *p)
{
    map_del(s->peers, routing_id(p));
    request_table_gone(s->requests, p);
    if (s->handler->peer_gone)
        s->handler->peer_gone(s->arg, p);
    peer_free(p);
}

static struct bus_peer *peer_add(struct bus_server *s, struct view id, struct view key,
                                 const msgpack_object *body)
{
    struct bus_peer *p;

    if (map_count(s->peers) >= MAX_PEERS)
        return NULL;
    p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->id = view_dup(id);
    p->id_len = id.len;
    p->service = view_dup(msg_get_str(body, "service"));
    p->instance = view_dup(msg_get_str(body, "instance"));
    p->key = view_dup(key);
    if (p->id && p->service && p->instance && p->key && map_put(s->peers, routing_id(p), p) == 0)
        return p;
    peer_free(p);
    return NULL;
}

static int send_to(struct bus_server *s, struct view to, uint64_t id, struct view word,
                   struct view body)
{
    int rc = envelope_send(s->socket, to, id, word, body);

    if (rc < 0)
        metric_add(s->bus->counts.dropped, 1);
    zpoll_wakeup(s->poll);
    return rc;
}

static bool is_on_standby(const struct bus_server *s)
{
    return !s->handler;
}

static void answer_epoch(struct bus_server *s, struct view to, uint64_t id, enum bus_status status)
{
    buf_reset(&s->body);
    msg_put_map(&s->body, s->name ? 7 : 4);
    msg_put_pair_u64(&s->body, "epoch", s->bus->epoch);
    msg_put_pair(&s->body, "site", view_cstr(s->site));
    msg_put_pair(&s->body, "version", VIEW(CTIBUS_VERSION));
    msg_put_cstr(&s->body, "ready");
    msg_put_bool(&s->body, s->ready);
    if (s->name) {
        msg_put_pair(&s->body, "name", view_cstr(s->name));
        msg_put_pair_u64(&s->body, "term", s->term);
        msg_put_pair(&s->body, "active", view_cstr(is_on_standby(s) ? s->active : s->name));
    }
    send_to(s, to, id, schema_status_name(status), buf_view(&s->body));
}

static void on_hello(struct bus_server *s, struct view from, struct view key, enum bus_role role,
                     struct envelope *e)
{
    struct bus_peer *p = map_get(s->peers, from);

    if (p && (!view_eq(view_cstr(p->key), key) || p->role != role)) {
        peer_drop(s, p); /* another connection uses its name now, or its key has another role */
        p = NULL;
    }
    if (!p)
        p = peer_add(s, from, key, &e->doc->root);
    if (!p) {
        answer_epoch(s, from, e->id, BUS_busy);
        return;
    }
    p->role = role;
    p->last_rx = clock_mono_us();
    answer_epoch(s, from, e->id, BUS_ok);
    if (s->handler->peer_up)
        s->handler->peer_up(s->arg, p, &e->doc->root);
}

/* Publishes <plane>/echo/<instance>/ and says so. */
static void on_echo(struct bus_server *s, struct bus_peer *p, struct envelope *e)
{
    struct view plane = msg_get_str(&e->doc->root, "plane");
    struct buf topic;

    buf_init(&topic, 512);
    topic_put(&topic, plane);
    topic_put(&topic, VIEW("echo"));
    topic_put(&topic, view_cstr(p->instance));
    if (plane.len && !topic.failed)
        bus_pub_send_unnumbered(s->echo, buf_view(&topic), VIEW("\x80"));
    send_to(s, routing_id(p), e->id,
            schema_status_name(plane.len && !topic.failed ? BUS_ok : BUS_malformed),
            view_of(NULL, 0));
    buf_free(&topic);
}

static void handle(struct bus_server *s, struct view from, struct view key, enum bus_role role,
                   struct envelope *e)
{
    struct bus_peer *p = map_get(s->peers, from);

    if (e->method >= 0 && !bus_role_may_ask(role, (enum bus_method)e->method)) {
        send_to(s, from, e->id, schema_status_name(BUS_denied), view_of(NULL, 0));
        return;
    }

    if (p && e->method != METHOD_hello && !view_eq(view_cstr(p->key), key))
        p = NULL; /* it has taken another's name: hello first */
    if (is_on_standby(s)) {
        if (e->method >= 0)
            answer_epoch(s, from, e->id, BUS_not_active);
        return;
    }
    if (p)
        p->last_rx = clock_mono_us();
    if (e->method == METHOD_hello)
        on_hello(s, from, key, role, e);
    else if (e->method >= 0 && !p)
        answer_epoch(s, from, e->id, BUS_unknown_peer);
    else if (e->method == METHOD_ping)
        answer_epoch(s, from, e->id, BUS_ok);
    else if (e->method == METHOD_echo)
        on_echo(s, p, e);
    else if (e->method >= 0)
        s->handler->request(s->arg, p, e->id, (enum bus_method)e->method, &e->doc->root);
    else if (p)
        request_table_answer(s->requests, p, e->id, e->status, &e->doc->root);
}

static void refuse(struct bus_server *s, struct frames *f, uint64_t id, enum bus_status status)
{
    metric_add(s->bus->counts.malformed, 1);
    if (f->n > 1)
        send_to(s, frame_view(f, 0), id, schema_status_name(status), view_of(NULL, 0));
}

/* The key that sent a message, as ZAP found; empty without CURVE. Lives as long as the frames. */
static struct view key_of(struct frames *f)
{
    return view_cstr(zmq_msg_gets(&f->msg[0], "User-Id"));
}

static bool step(void *arg)
{
    struct bus_server *s = arg;
    enum bus_role role = ROLE_GATEWAY; /* without keys everybody may ask for all */
    struct envelope e;
    struct frames f;
    int rc;

    if (!frames_recv(s->socket, &f))
        return false;
    if (s->connections && f.n > 0)
        role = connections_admit(s->connections, &f.msg[0], true);
    if (role == ROLE_NONE) {
        frames_close(&f);
        return true;
    }
    rc = f.n < 2 ? -EBADMSG : envelope_read(&f, 1, &s->doc, &e);
    if (rc == 0)
        handle(s, frame_view(&f, 0), key_of(&f), role, &e);
    else
        refuse(s, &f, rc == -ENOSYS ? e.id : 0, rc == -ENOSYS ? BUS_unknown_method : BUS_malformed);
    frames_close(&f);
    return true;
}

/* Peers whose keys were revoked, or have another role, are gone, and asked nothing more. */
static void check_keys(struct bus_server *s)
{
    const struct bus_keys *keys = s->bus->keys;
    size_t pos = 0;
    void *v;

    if (!s->connections || !keys->allowed || keystore_version(keys->allowed) == s->keys_version)
        return;
    s->keys_version = keystore_version(keys->allowed);
    connections_check(s->connections);
    while (map_next(s->peers, &pos, NULL, &v)) {
        struct bus_peer *p = v;
        if (*p->key && bus_keys_role(keys, p->key) != p->role)
            peer_drop(s, p);
    }
}

static void tick(void *arg)
{
    struct bus_server *s = arg;
    uint64_t now = clock_mono_us();
    bool stood_still = has_stood_still(&s->ticks, now);
    size_t pos = 0;
    void *v;

    check_keys(s);
    while (map_next(s->peers, &pos, NULL, &v)) {
        struct bus_peer *p = v;
        if (stood_still)
            p->last_rx = now;
        if (now - p->last_rx > (uint64_t)s->bus->gone_ms * 1000)
            peer_drop(s, p);
    }
}

static int open_socket(struct bus_server *s, const char *endpoint, const char *const *trusted)
{
    int one = 1;
    int err = 0;
    int rc;

    s->socket = bus_socket(s->bus, ZMQ_ROUTER, "request", &err);
    if (!s->socket)
        return err;
    zmq_setsockopt(s->socket, ZMQ_ROUTER_MANDATORY, &one, sizeof(one));
    zmq_setsockopt(s->socket, ZMQ_ROUTER_HANDOVER, &one, sizeof(one));
    rc = bus_bind(s->bus, s->socket, endpoint, trusted, &s->bound);
    if (rc < 0 || !s->bus->keys)
        return rc;
    s->connections = connections_new(s->bus, s->bound, VIEW("request"));
    return s->connections ? 0 : -ENOMEM;
}

static struct bus_server *server_new(struct bus *b, const char *endpoint,
                                     const char *const *trusted, const char *site, int *err)
{
    struct bus_server *s = calloc(1, sizeof(*s));

    *err = -ENOMEM;
    if (!s)
        return NULL;
    s->bus = b;
    s->ready = true;
    buf_init(&s->body, 0);
    if (msg_doc_init(&s->doc) < 0) {
        free(s);
        return NULL;
    }
    s->site = view_dup(view_cstr(site));
    s->peers = map_new();
    s->requests = request_table_new(b);
    s->tick = loop_timer_new(b->loop, tick, s);
    if (s->site && s->peers && s->requests && s->tick) {
        *err = open_socket(s, endpoint, trusted);
        if (*err == 0)
            s->poll = zpoll_new(b, s->socket, step, s);
        if (s->poll) {
            s->ticks.last = clock_mono_us();
            loop_timer_start(s->tick, TICK_MS, true);
            return s;
        }
        if (*err == 0)
            *err = -ENOMEM;
    }
    bus_server_destroy(&s);
    return NULL;
}

struct bus_server *bus_server_new(struct bus *b, const char *endpoint, const char *const *trusted,
                                  const char *site, const struct bus_server_handler *handler,
                                  void *arg, struct bus_pub *echo, int *err)
{
    struct bus_server *s = server_new(b, endpoint, trusted, site, err);

    if (!s)
        return NULL;
    s->handler = handler;
    s->arg = arg;
    s->echo = echo;
    return s;
}

struct bus_server *bus_server_standby(struct bus *b, const char *endpoint,
                                      const char *const *trusted, const char *name, int *err)
{
    struct bus_server *s;

    *err = bus_guard(b);
    s = *err == 0 ? server_new(b, endpoint, trusted, "", err) : NULL;
    if (!s)
        return NULL;
    s->ready = false;
    s->name = view_dup(view_cstr(name));
    if (s->name)
        return s;
    *err = -ENOMEM;
    bus_server_destroy(&s);
    return NULL;
}

void bus_server_set_standby(struct bus_server *s, const char *active, bool ready)
{
    snprintf(s->active, sizeof(s->active), "%s", active);
    s->ready = ready;
}

int bus_server_activate(struct bus_server *s, uint64_t term, const char *site,
                        const struct bus_server_handler *handler, void *arg, struct bus_pub *echo)
{
    char *copy = view_dup(view_cstr(site));

    if (!copy)
        return -ENOMEM;
    free(s->site);
    s->site = copy;
    s->term = term;
    s->handler = handler;
    s->arg = arg;
    s->echo = echo;
    return 0;
}

void bus_server_set_ready(struct bus_server *s, bool ready)
{
    s->ready = ready;
}

void bus_server_destroy(struct bus_server **sp)
{
    struct bus_server *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    request_table_destroy(&s->requests);
    zpoll_destroy(&s->poll);
    loop_timer_destroy(&s->tick);
    if (s->socket)
        zmq_close(s->socket);
    map_destroy_with(&s->peers, peer_free);
    connections_destroy(&s->connections);
    msg_doc_fini(&s->doc);
    buf_free(&s->body);
    free(s->site);
    free(s->name);
    free(s->bound);
    free(s);
}

const char *bus_server_endpoint(const struct bus_server *s)
{
    return s->bound;
}

int bus_server_reply(struct bus_server *s, struct bus_peer *peer, uint64_t id,
                     enum bus_status status, struct view body)
{
    return send_to(s, routing_id(peer), id, schema_status_name(status), body);
}

uint64_t bus_server_ask(struct bus_server *s, struct bus_peer *peer, enum bus_method method,
                        size_t n_pairs, struct view pairs, uint32_t deadline_ms,
                        bus_answer_fn *answer, void *arg)
{
    uint64_t id = request_table_add(s->requests, peer, deadline_ms, answer, arg);

    if (id == 0)
        return 0;
    buf_reset(&s->body);
    envelope_body(&s->body, deadline_ms, n_pairs, pairs);
    if (send_to(s, routing_id(peer), id, schema_method_name(method), buf_view(&s->body)) == 0)
        return id;
    request_table_cancel(s->requests, id);
    return 0;
}

struct view bus_peer_service(const struct bus_peer *p)
{
    return view_cstr(p->service);
}

struct view bus_peer_key(const struct bus_peer *p)
{
    return view_cstr(p->key);
}

struct view bus_peer_instance(const struct bus_peer *p)
{
    return view_cstr(p->instance);
}

void bus_peer_set_data(struct bus_peer *p, void *data)
{
    p->data = data;
}

void *bus_peer_data(const struct bus_peer *p)
{
    return p->data;
}

struct bus_peer *bus_server_next(struct bus_server *s, size_t *pos)
{
    void *v = NULL;

    return map_next(s->peers, pos, NULL, &v) ? v : NULL;
}
