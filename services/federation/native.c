/*
 * The link to another ctibus: a replica of what it lets us see, over a bus of its own, since each
 * peer has another key.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"
#include "msg/msg.h"
#include "json/json.h"

#define DEADLINE_MS 5000
#define AGAIN_MS 30000 /* after it has refused us */
#define BEAT_MS 2000
#define SILENT_MS 10000 /* it has been called for so long without an answer */
#define SKEW_S 5        /* clocks of two peers that differ more are logged */

struct native {
    struct fed_link *l;
    struct bus_keys *keys;
    struct bus *bus;
    struct metrics *metrics; /* of this bus, for itself */
    struct bus_client *bus_client;
    struct replica *replica;
    struct loop_timer *again, *beat, *silent;
    uint64_t asked_us; /* when the last heartbeat was asked for; 0: it has been answered */
    bool greeted;
};

/* A question of state's that waits for its answer. */
struct passing {
    struct native *n;
    uint64_t id; /* of state's request */
};

/* ---- hello ---- */

static bool has(const msgpack_object *list, const char *name)
{
    for (uint32_t i = 0; list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size;
         i++)
        if (view_eq(msg_str(&list->via.array.ptr[i]), view_cstr(name)))
            return true;
    return false;
}

static void refused(struct native *n, struct view why)
{
    log_error(n->l->f->log, "site %s cannot be a peer: %.*s (tried again every %d s)", n->l->name,
              VIEW_ARG(why), AGAIN_MS / 1000);
    fed_link_set(n->l, "refused");
    loop_timer_start(n->again, AGAIN_MS, false);
}

static void check_clock(struct native *n, double theirs)
{
    double apart = theirs - clock_wall();

    if (theirs > 0 && (apart > SKEW_S || apart < -SKEW_S))
        log_warning(n->l->f->log,
                    "the clock of site %s is %.0f s %s ours: times that it tells are by its clock",
                    n->l->name, apart > 0 ? apart : -apart, apart > 0 ? "ahead of" : "behind");
}

static void on_greeted(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct native *n = arg;

    if (status == BUS_denied) {
        refused(n, msg_get_str(body, "why"));
    } else if (status != BUS_ok) {
        loop_timer_start(n->again, BEAT_MS, false);
    } else if (!has(msg_get(body, "sites"), n->l->name)) {
        refused(n, VIEW("it has no ipbx of that name"));
    } else {
        check_clock(n, msg_get_double(body, "time", 0));
        if (msg_get_i64(body, "schema", 0) > FED_SCHEMA)
            log_notice(n->l->f->log,
                       "site %s is of a later version: what is new there is left out here",
                       n->l->name);
        n->greeted = true;
        fed_link_set(n->l, "up");
        replica_state_up(n->replica);
    }
}

static void greet(void *arg)
{
    struct native *n = arg;
    struct fed *f = n->l->f;
    struct buf pairs;

    if (!bus_client_is_up(n->bus_client))
        return;
    buf_init(&pairs, 65536);
    msg_put_pair(&pairs, "site", view_cstr(fed_own_name(f->cfg)));
    msg_put_cstr(&pairs, "sites");
    fed_put_sites(&pairs, f);
    msg_put_pair(&pairs, "peer", view_cstr(n->l->name));
    msg_put_pair_u64(&pairs, "schema", FED_SCHEMA);
    msg_put_cstr(&pairs, "time");
    msg_put_double(&pairs, clock_wall());
    if (!bus_ask(n->bus_client, METHOD_peer_hello, 5, buf_view(&pairs), DEADLINE_MS, on_greeted, n))
        loop_timer_start(n->again, BEAT_MS, false);
    buf_free(&pairs);
}

static void on_silent(void *arg)
{
    struct native *n = arg;

    log_warning(n->l->f->log,
                "site %s does not answer: is it reached, and does it have our key (%s)? Is "
                "ipbxes.%s.peer.publickey its own?",
                n->l->name, n->keys->own_public, n->l->name);
}

static void on_up(void *arg, const msgpack_object *body)
{
    loop_timer_stop(((struct native *)arg)->silent);
    greet(arg);
}

static void on_down(void *arg)
{
    struct native *n = arg;

    n->greeted = false;
    n->asked_us = 0;
    loop_timer_stop(n->again);
    loop_timer_start(n->silent, SILENT_MS, false);
    fed_link_set(n->l, "down");
}

static const struct bus_client_handler client_handler = {on_up, on_down, NULL};

/* ---- heartbeat: how long an answer takes ---- */

static void on_pong(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct native *n = arg;

    if (status == BUS_ok && n->asked_us)
        n->l->lag = (double)(clock_mono_us() - n->asked_us) / 1e6;
    n->asked_us = 0;
}

static void beat(void *arg)
{
    struct native *n = arg;

    if (n->asked_us || !bus_client_is_up(n->bus_client))
        return;
    n->asked_us = clock_mono_us();
    if (!bus_ask(n->bus_client, METHOD_ping, 0, view_of(NULL, 0), DEADLINE_MS, on_pong, n))
        n->asked_us = 0;
}

/* ---- what it tells ---- */

static void on_change(void *arg, const struct xod_change *c)
{
    struct native *n = arg;

    n->l->bytes += xod_obj_id(c->obj).len + 16; /* about what it takes */
    forward_change(n->l->forward, c);
}

static const struct replica_handler replica_handler = {on_change, NULL, NULL, NULL};

struct xod *native_xod(const struct native *n)
{
    return replica_xod(n->replica);
}

/* ---- what it is asked ---- */

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct passing *p = arg;

    bus_client_relay(p->n->l->f->bus_client, p->id, status, body);
    free(p);
}

bool native_ask(struct native *n, const msgpack_object *body, uint64_t id)
{
    struct passing *p = n->greeted ? calloc(1, sizeof(*p)) : NULL;
    struct buf pairs;
    size_t count;
    bool sent;

    if (!p)
        return false;
    p->n = n;
    p->id = id;
    buf_init(&pairs, 1 << 20);
    count = msg_put_members(&pairs, body, (const char *const[]){"deadline_ms", NULL});
    sent = !pairs.failed && bus_ask(n->bus_client, METHOD_peer_command, count, buf_view(&pairs),
                                    DEADLINE_MS, on_answer, p);
    buf_free(&pairs);
    if (!sent)
        free(p);
    return sent;
}

/* ---- lifecycle ---- */

static int load_keys(struct native *n, struct json_object *peer)
{
    const char *own = config_str(n->l->f->cfg, "ctibus.federation.key");
    char *path = own ? config_path(n->l->f->cfg, view_cstr(own)) : NULL;
    struct view key = json_get_view(peer, "publickey");
    char why[512] = "ctibus.federation.key is needed where there is a peer";

    if (path)
        n->keys = bus_keys_own(path, key.len ? key.ptr : "", why, sizeof(why));
    free(path);
    if (!n->keys)
        log_error(n->l->f->log, "ipbxes.%s.peer: %s", n->l->name, why);
    return n->keys ? 0 : -EINVAL;
}

static int open_all(struct native *n, struct json_object *peer)
{
    struct fed *f = n->l->f;
    struct bus_options opt = {.source = bus_source(f->bus),
                              .instance = bus_instance(f->bus),
                              .hwm = (int)config_int(f->cfg, "ctibus.bus.hwm"),
                              .heartbeat_ms = (int)config_int(f->cfg, "ctibus.bus.heartbeat_ms"),
                              .keys = n->keys};
    int err = -ENOMEM;

    n->metrics = metrics_new();
    n->again = loop_timer_new(f->loop, greet, n);
    n->beat = loop_timer_new(f->loop, beat, n);
    n->silent = loop_timer_new(f->loop, on_silent, n);
    if (n->metrics && n->again && n->beat && n->silent)
        n->bus = bus_new(f->loop, &opt, n->metrics, f->log);
    if (n->bus)
        n->bus_client = bus_client_new(n->bus, json_get_view(peer, "request").ptr, "federation",
                                       &client_handler, n, &err);
    if (n->bus_client)
        n->replica = replica_new(n->bus, f->loop, json_get_view(peer, "publish").ptr, n->bus_client,
                                 &replica_handler, n, f->log, &err);
    if (!n->replica)
        return err;
    loop_timer_start(n->beat, BEAT_MS, true);
    loop_timer_start(n->silent, SILENT_MS, false);
    return 0;
}

struct native *native_new(struct fed_link *l, int *err)
{
    struct json_object *peer = fed_peer_config(l->f->cfg, l->name, "peer");
    struct native *n = calloc(1, sizeof(*n));

    *err = -ENOMEM;
    if (!n)
        return NULL;
    n->l = l;
    *err = load_keys(n, peer);
    if (*err == 0)
        *err = open_all(n, peer);
    if (*err < 0)
        native_destroy(&n);
    return n;
}

void native_destroy(struct native **np)
{
    struct native *n = np ? *np : NULL;

    if (!n)
        return;
    *np = NULL;
    replica_destroy(&n->replica);
    bus_client_destroy(&n->bus_client);
    loop_timer_destroy(&n->again);
    loop_timer_destroy(&n->beat);
    loop_timer_destroy(&n->silent);
    bus_destroy(&n->bus);
    bus_keys_destroy(&n->keys);
    metrics_destroy(&n->metrics);
    free(n);
}
