#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "fax.h"
#include "internal.h"
#include "pages.h"

#define JANITOR_MS 200

/* ---- clients ---- */

/* What there is against a client that is there. It may be gone afterwards. */
static void look_after(struct gateway *g, struct client *c, uint64_t now)
{
    uint64_t ms = now > c->since ? (now - c->since) / 1000 : 0;
    bool held_back = c->login && c->login->delayed; /* by us, not slow by itself */
    const char *why = c->listener_kind == LISTENER_WS ? conn_ws_tick(c->conn, now) : NULL;
    char who[CLIENT_WHO];

    if (why) {
        log_notice(g->log, "client %s disconnected: %s", client_who(c, who), why);
        client_lose(c, why);
    } else if (c->phase != LIVE && ms > g->opt.limits.login_timeout_ms && !held_back && !c->fax) {
        client_close(c, "no login in time");
    } else if (c->phase == LIVE && g->opt.limits.idle_timeout_ms &&
               ms > g->opt.limits.idle_timeout_ms) {
        metric_add(g->cut_silent, 1);
        client_lose(c, "silent for too long");
    }
}

/* The one timer of all clients: logins that take too long, connections that went silent. */
static void janitor(void *arg)
{
    struct gateway *g = arg;
    uint64_t now = clock_mono_us();
    struct client *c, *next;

    LIST_FOREACH_SAFE(c, &g->clients, all, next)
    {
        pace_tick(c);
        look_after(g, c, now);
    }
    faxes_tick(g->faxes, now);
}

/* ---- state ---- */

static void put_session(struct buf *out, struct client *c)
{
    struct xod_obj *user = client_user(c);
    char name[64];
    char address[64];

    client_session_name(c, name);
    msg_put_map(out, 6);
    msg_put_pair(out, "session", view_cstr(name));
    msg_put_pair(out, "userid", view_cstr(c->user_id));
    msg_put_pair(out, "ipbxid", xod_ipbx_name(c->ipbx));
    msg_put_pair(out, "capaid", view_cstr(c->profile->id));
    msg_put_pair(out, "address", view_cstr(client_address(c, address)));
    msg_put_pair(out, "presence",
                 user ? xod_get_str(user, XOD(users, availstate)) : view_of(NULL, 0));
}

/* Opened, and its client knows it or is about to. */
static bool has_open_session(const struct client *c)
{
    return c->phase == LIVE || (c->phase == OPENING && c->login->opened);
}

/* Tells state all sessions that are open here: after a restart of it, or of the network. */
static void renew_sessions(struct gateway *g)
{
    size_t n = 0;
    struct client *c;

    LIST_FOREACH(c, &g->clients, all)
    n += has_open_session(c);
    buf_reset(&g->pairs);
    msg_put_cstr(&g->pairs, "sessions");
    msg_put_array(&g->pairs, n);
    LIST_FOREACH(c, &g->clients, all)
    {
        if (has_open_session(c))
            put_session(&g->pairs, c);
    }
    if (!g->pairs.failed)
        bus_ask(g->bus_client, METHOD_session_renew, 1, buf_view(&g->pairs), 5000, NULL, NULL);
}

/* Clients that say that they know this line show that what they have may be old. */
static void tell_state(struct gateway *g, bool up)
{
    struct client *c = LIST_FIRST(&g->clients);

    buf_reset(&g->line);
    line_begin(&g->line, VIEW("state"), view_of(NULL, 0));
    buf_printf(&g->line, ",\"up\":%s", up ? "true" : "false");
    line_end(&g->line);
    for (; c; c = LIST_NEXT(c, all))
        if (c->phase == LIVE && c->accepts & ACCEPTS_STATE)
            client_send_line(c, &g->line);
}

static void on_state_up(void *arg, const msgpack_object *body)
{
    struct gateway *g = arg;

    log_notice(g->log, "state is there");
    renew_sessions(g);
    replica_state_up(g->replica);
    tell_state(g, true);
}

/* Sessions stay. Logins that were half done are refused, unless a state is expected soon: their
 * sessions are told to that one like all others. */
static void on_state_down(void *arg)
{
    struct gateway *g = arg;
    struct client *c, *next;

    log_warning(g->log, "state is gone: clients stay, what they ask of it %s",
                bus_client_takes(g->bus_client) ? "waits" : "is refused");
    tell_state(g, false);
    LIST_FOREACH_SAFE(c, &g->opened, of_opened, next)
    if (bus_client_takes(g->bus_client))
        c->login->wait_seq = 0; /* of that one's first change that we hear */
    else
        client_refuse(c, view_cstr(c->login->class), view_cstr(c->login->reply_id), VIEW("noconn"));
}

/* Another session of the same user wins. */
static void kick(struct gateway *g, struct client *c, struct view type)
{
    buf_reset(&g->line);
    line_begin(&g->line, VIEW("disconnect"), view_of(NULL, 0));
    buf_append_cstr(&g->line, ",\"type\":");
    json_put_string(&g->line, type);
    line_end(&g->line);
    client_send_line(c, &g->line);
    client_close(c, "disconnected by state");
}

static void on_kick(struct gateway *g, uint64_t id, const msgpack_object *body)
{
    struct client *c = client_of_session(g, msg_get_str(body, "session"));

    bus_client_reply(g->bus_client, id, c ? BUS_ok : BUS_not_found, view_of(NULL, 0));
    if (c)
        kick(g, c, msg_get_str(body, "type"));
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct gateway *g = arg;
    struct view fax = msg_get_str(body, "fileid");
    enum bus_status status = BUS_unknown_method;

    if (method == METHOD_kick) {
        on_kick(g, id, body);
        return;
    }
    if (method == METHOD_fax_claimed)
        status = fax_is_elsewhere(g->faxes, fax) ? BUS_ok : BUS_not_found;
    else if (method == METHOD_fax_arrived)
        status = fax_arrived(g->faxes, fax, msg_get_str(body, "reason")) ? BUS_ok : BUS_not_found;
    bus_client_reply(g->bus_client, id, status, view_of(NULL, 0));
}

static const struct bus_client_handler client_handler = {on_state_up, on_state_down, on_request};

/* ---- replica ---- */

static void on_change(void *arg, const struct xod_change *c)
{
    struct gateway *g = arg;

    if (fanout_change(g->fanout, c))
        latency_note(g->latency, replica_cause(g->replica));
    realtime_stats_change(g, c);
    watches_change(g->watches, c);
}

static void on_reached(void *arg, uint64_t seq)
{
    login_complete_reached(arg, seq);
}

static void on_bus_message(void *arg, const struct bus_msg *m)
{
    user_push_message(((struct gateway *)arg)->user_push, m);
}

static const struct replica_handler replica_handler = {on_change, NULL, on_reached, on_bus_message};

/* ---- lifecycle ---- */

static double count_clients(void *arg)
{
    return (double)((struct gateway *)arg)->n_clients;
}

static double count_live(void *arg)
{
    return (double)((struct gateway *)arg)->n_live;
}

static double count_logins(void *arg)
{
    return (double)lobby_count(((struct gateway *)arg)->lobby);
}

static int make_metrics(struct gateway *g, struct metrics *m)
{
    const struct metrics_row rows[] = {
        {&g->accepted, METRIC_cti_accepted},       {&g->refused, METRIC_cti_refused},
        {&g->lines_in, METRIC_cti_lines},          {&g->ignored, METRIC_cti_ignored},
        {&g->json_errors, METRIC_cti_json_errors}, {&g->cut_slow, METRIC_cti_slow},
        {&g->cut_long, METRIC_cti_long},           {&g->cut_silent, METRIC_cti_silent},
        {&g->unannounced, METRIC_cti_unannounced}, {&g->tls_failed, METRIC_cti_tls_failed},
        {&g->fanned_lines, METRIC_cti_changes},    {&g->throttled, METRIC_cti_throttled},
        {&g->crowded, METRIC_cti_crowded},         {&g->slowed, METRIC_cti_slowed},
    };

    if (metrics_add_rows(m, rows, ARRAY_SIZE(rows)) < 0 ||
        !metrics_callback(m, METRIC_cti_connections, NULL, count_clients, g) ||
        !metrics_callback(m, METRIC_cti_clients, NULL, count_live, g) ||
        !metrics_callback(m, METRIC_cti_logins, NULL, count_logins, g))
        return -ENOMEM;
    return 0;
}

static size_t beat(void *arg, struct buf *pairs, bool *ready)
{
    struct gateway *g = arg;

    *ready = gateway_is_ready(g, NULL);
    msg_put_pair_u64(pairs, "clients", g->n_live);
    msg_put_pair_u64(pairs, "replica", replica_seq(g->replica));
    return 2 + latency_beat(g->latency, pairs);
}

static int open_bus(struct gateway *g)
{
    int err = -ENOMEM;

    g->pub = bus_pub_new(g->bus, g->opt.publish, NULL, NULL, &err);
    if (g->pub)
        g->bus_client = bus_client_new(g->bus, g->opt.request, "cti-gw", &client_handler, g, &err);
    if (g->bus_client)
        g->replica = replica_new(g->bus, g->loop, g->opt.subscribe, g->bus_client, &replica_handler,
                                 g, g->log, &err);
    if (!g->replica)
        return err;
    err = 0;
    for (const char *const *ipbx = g->opt.ipbxes; err == 0 && ipbx && *ipbx; ipbx++)
        err = user_push_listen(g->user_push, view_cstr(*ipbx));
    if (err < 0)
        return err;
    g->heart = bus_heartbeat_new(g->bus, g->pub, "cti-gw", beat, g);
    return g->heart ? 0 : -ENOMEM;
}

static int open_all(struct gateway *g, struct metrics *metrics)
{
    size_t longest; /* client.c bounds what each may send */
    int err;

    g->by_session = map_new();
    g->guard = login_throttle_new();
    g->lobby = lobby_new(g);
    if (pace_open(g) < 0)
        return -ENOMEM;
    g->latency = latency_new(metrics);
    g->handled = map_new();
    g->janitor = loop_timer_new(g->loop, janitor, g);
    g->drain.timer = drain_timer(g);
    g->fanout = fanout_new(g);
    g->user_push = user_push_new(g);
    g->watches = watches_new(g);
    g->faxes = faxes_new(g, &g->opt.fax);
    if (!g->faxes || !g->watches || !g->user_push || !g->by_session || !g->guard || !g->lobby ||
        !g->latency || !g->handled || !g->janitor || !g->drain.timer || !g->fanout ||
        make_metrics(g, metrics) < 0)
        return -ENOMEM;
    longest = fax_max_line(g) + 65536;
    err = conn_class_init(&g->conns, g->loop, &client_conn_handler,
                          longest > 2 * g->opt.max_line ? longest : 2 * g->opt.max_line,
                          g->opt.max_output);
    if (err == 0)
        err = open_bus(g);
    if (err == 0)
        err = listeners_open(g);
    if (err == 0)
        loop_timer_start(g->janitor, JANITOR_MS, true);
    return err;
}

/* ---- clients ---- */

static void on_live(struct client *c)
{
    lobby_leave(c->gw->lobby, c);
}

static void on_answered(struct client *c)
{
    user_push_release(c);
}

static void on_leaving(struct client *c)
{
    fax_source_gone(c);
    realtime_stats_unsubscribe(c);
    watch_end(c);
    user_push_leave(c->gw->user_push, c);
    user_push_forget(c);
    fanout_leave(c->gw->fanout, c);
    profile_put(c->gw, c->profile);
    lobby_leave(c->gw->lobby, c);
    pace_leave(c);
}

static const struct client_hooks hooks = {on_live, on_answered, on_leaving};

struct gateway *gateway_new(struct loop *loop, struct bus *bus, const struct gateway_options *opt,
                            struct metrics *metrics, struct log *log, int *err)
{
    struct gateway *g = calloc(1, sizeof(*g));

    *err = -ENOMEM;
    if (!g)
        return NULL;
    g->loop = loop;
    g->bus = bus;
    g->log = log;
    g->opt = *opt;
    g->hooks = &hooks;
    g->ws = (struct ws_options){.path = "/cti",
                                .page = pages_answer,
                                .tls = &g->tls,
                                .origins = opt->origins,
                                .max_message = opt->max_line,
                                .first_messages = LOBBY_LINE,
                                .ping_ms = opt->ws_ping_ms};
    LIST_INIT(&g->clients);
    LIST_INIT(&g->opened);
    LIST_INIT(&g->realtime_stats);
    buf_init(&g->line, 0);
    buf_init(&g->pairs, 0);
    if (json_parser_init(&g->parser) < 0) {
        free(g);
        return NULL;
    }
    *err = open_all(g, metrics);
    if (*err < 0)
        gateway_destroy(&g);
    return g;
}

void gateway_destroy(struct gateway **gp)
{
    struct gateway *g = gp ? *gp : NULL;
    struct client *c;

    if (!g)
        return;
    *gp = NULL;
    listeners_destroy(g);
    while ((c = LIST_FIRST(&g->clients))) {
        c->session = 0;
        client_destroy(c);
    }
    faxes_destroy(&g->faxes); /* before what it asks */
    replica_destroy(&g->replica);
    bus_heartbeat_destroy(&g->heart);
    bus_client_destroy(&g->bus_client);
    bus_pub_destroy(&g->pub);
    fanout_destroy(&g->fanout);
    user_push_destroy(&g->user_push);
    watches_destroy(&g->watches);
    if (g->conns.loop)
        conn_class_fini(&g->conns);
    tls_destroy(&g->tls);
    loop_timer_destroy(&g->janitor);
    loop_timer_destroy(&g->drain.timer);
    map_destroy(&g->by_session);
    if (g->guard)
        login_throttle_destroy(&g->guard);
    lobby_destroy(&g->lobby);
    pace_close(g);
    latency_destroy(&g->latency);
    map_destroy_with(&g->handled, free);
    json_parser_fini(&g->parser);
    buf_free(&g->line);
    buf_free(&g->pairs);
    free(g);
}

void gateway_set_tls(struct gateway *g, struct tls_ctx **tls)
{
    tls_destroy(&g->tls);
    g->tls = *tls;
    *tls = NULL;
}

void gateway_reload(struct gateway *g, const struct gateway_limits *limits)
{
    bool was = g->opt.limits.separate_contexts;

    g->opt.limits = *limits;
    pace_configure(g);
    if (limits->separate_contexts == was)
        return;
    fanout_flush(g->fanout); /* all clients are about to change their audience */
    fanout_regroup(g->fanout);
}

bool gateway_is_ready(const struct gateway *g, struct buf *why)
{
    if (g->drain.done) {
        if (why)
            buf_append_cstr(why, "its clients are being sent away");
        return false;
    }
    return bus_client_is_ready(g->bus_client, why) && replica_is_ready(g->replica, why);
}
