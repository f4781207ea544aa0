#include "state.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "admin.h"
#include "api.h"
#include "base/clock.h"
#include "callers/callers.h"
#include "calls/ami_forward.h"
#include "calls/call_log.h"
#include "calls/originates.h"
#include "calls/transfers.h"
#include "commands/commands.h"
#include "core/audit.h"
#include "core/explain.h"
#include "core/notify.h"
#include "core/publisher.h"
#include "core/remote_lists.h"
#include "database/state_tables.h"
#include "directory/directory.h"
#include "events.h"
#include "fagi/fagi.h"
#include "fax/handoff.h"
#include "fax/outgoing.h"
#include "federation/peers.h"
#include "gateways.h"
#include "gauges.h"
#include "handlers/handlers.h"
#include "lists/asterisk.h"
#include "lists/lists.h"
#include "replica/serve.h"
#include "sessions/budgets.h"
#include "sessions/direct_login.h"
#include "sessions/list_reload.h"
#include "sessions/login.h"
#include "sessions/tokens.h"
#include "sheets/sheets.h"
#include "standby.h"
#include "users/deferred_actions.h"
#include "users/extensions.h"
#include "users/feature_reader.h"
#include "users/feature_table.h"
#include "users/features.h"
#include "users/passwords.h"
#include "webhooks.h"
#include "json/json.h"

/* Snapshots wait until the gateways that were there before a restart had their time to come back,
 * so that their sessions and channels do not vanish from every client and return. */
#define SETTLE_MIN_MS 1000
#define SETTLE_MAX_MS 1500
#define SETTLE_CHECK_MS 10
/* What the logs keep too long is looked for. */
#define EXPIRE_MS 60000
/* A resync that has not ended by then is told, and asked for again; how often they are looked at.
 */
#define RESYNC_LATE_MS 30000
#define ACTION_TIMEOUT_MS 8000
#define WATCH_MS 1000

static void watch(void *arg)
{
    gateways_watch(arg);
}

/* ---- requests ---- */

static void register_worker(struct state *s, struct bus_peer *p, uint64_t id,
                            const msgpack_object *body)
{
    struct view kind = msg_get_str(body, "kind");

    if (view_eq(kind, VIEW("ami")))
        gateways_register(s, p, id, body);
    else if (view_eq(kind, VIEW("fagi")))
        fagi_register(s, p, id, body);
    else if (view_eq(kind, VIEW("cti")))
        handlers_register(s, p, id, body, command_is_known);
    else if (view_eq(kind, VIEW("webhooks")))
        webhooks_register(s, p, id, body);
    else if (view_eq(kind, VIEW("sheet")))
        sheets_register(s, p, id, body);
    else if (view_eq(kind, VIEW("peer")))
        peers_register(s, p, id, body);
    else
        state_reply(s, p, id, BUS_not_found);
}

/* Ends this process, so that the state on standby takes over. */
static void ha_switch(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    state_reply(s, p, id, s->leave && s->took_over ? BUS_ok : BUS_not_found);
    if (!s->leave || !s->took_over)
        return;
    log_notice(s->log, "%.*s asks for a switch: this state leaves", VIEW_ARG(bus_peer_service(p)));
    s->leave(s->leave_arg);
}

/* What it does would be undone, and is not written any more. */
static void on_taken_over(void *arg)
{
    struct state *s = arg;

    log_error(s->log, "another state has taken over: this one leaves");
    if (s->leave)
        s->leave(s->leave_arg);
}

typedef void request_fn(struct state *s, struct bus_peer *p, uint64_t id,
                        const msgpack_object *body);

static void ask_snapshot(struct state *s, struct bus_peer *p, uint64_t id,
                         const msgpack_object *body)
{
    snapshots_ask(s->snapshots, p, id, body);
}

static request_fn *const requests[METHOD_COUNT] = {
    [METHOD_snapshot] = ask_snapshot,
    [METHOD_worker_register] = register_worker,
    [METHOD_login_begin] = login_begin,
    [METHOD_login_check] = login_check,
    [METHOD_login_open] = login_open,
    [METHOD_session_renew] = login_renew,
    [METHOD_login_password] = login_password,
    [METHOD_login_token] = login_token,
    [METHOD_login_trusted] = login_trusted,
    [METHOD_login_forget] = login_forget,
    [METHOD_admin_tokens] = admin_tokens,
    [METHOD_session_close] = login_close,
    [METHOD_command] = command_run,
    [METHOD_ami_action] = action_pass,
    [METHOD_fagi_call] = fagi_call,
    [METHOD_admin_sessions] = admin_sessions,
    [METHOD_admin_kick] = admin_kick,
    [METHOD_admin_reload] = admin_reload,
    [METHOD_peer_apply] = peers_apply,
    [METHOD_peer_command] = peers_carry_out,
    [METHOD_fax_expect] = fax_expect,
    [METHOD_fax_claim] = fax_claim,
    [METHOD_fax_arrived] = fax_arrived,
    [METHOD_explain] = admin_explain,
    [METHOD_cti_line] = handlers_line,
    [METHOD_cti_observed] = command_observe,
    [METHOD_api_open] = api_open,
    [METHOD_api_command] = api_command,
    [METHOD_webhooks] = webhooks_ask,
    [METHOD_webhooks_progress] = webhooks_progress,
    [METHOD_admin_api_tokens] = admin_api_tokens,
    [METHOD_ha_switch] = ha_switch,
};

static void on_request(void *arg, struct bus_peer *p, uint64_t id, enum bus_method method,
                       const msgpack_object *body)
{
    struct state *s = arg;

    if (requests[method])
        requests[method](s, p, id, body);
    else
        state_reply(s, p, id, BUS_unknown_method);
}

static void on_peer_up(void *arg, struct bus_peer *p, const msgpack_object *hello)
{
    struct state *s = arg;

    log_info(s->log, "%.*s %.*s says hello", VIEW_ARG(bus_peer_service(p)),
             VIEW_ARG(bus_peer_instance(p)));
}

static void on_peer_gone(void *arg, struct bus_peer *p)
{
    struct state *s = arg;

    log_info(s->log, "%.*s %.*s is gone", VIEW_ARG(bus_peer_service(p)),
             VIEW_ARG(bus_peer_instance(p)));
    snapshots_peer_gone(s->snapshots, p);
    deferred_reply_peer_gone(s, p);
    fagi_peer_gone(s->fagi, p);
    handlers_peer_gone(s->handlers, p);
    webhooks_peer_gone(s->webhooks, p);
    sheets_peer_gone(s->sheets, p);
    peers_gone(s->peers, p);
    fax_handoffs_peer_gone(s->fax_handoffs, p);
    sessions_peer_gone(s->sessions, p);
    gateways_peer_gone(s, p);
}

static const struct bus_server_handler server_handler = {on_request, on_peer_up, on_peer_gone};

/* ---- settling ---- */

/* The database tells whom to wait for. */
static bool all_back(const struct state *s)
{
    return !s->settle_late && gateways_all_back(s) && sessions_all_there(s->sessions) &&
           peers_all_there(s->peers);
}

static void check_settled(void *arg)
{
    struct state *s = arg;
    uint64_t ms = (clock_mono_us() - s->started) / 1000;

    if ((ms < s->settle_min_ms || (ms < s->settle_max_ms && !gateways_all_back(s))) && !all_back(s))
        return;
    s->settled = true;
    bus_server_set_ready(s->server, true);
    loop_timer_stop(s->settle_timer);
    snapshots_settled(s->snapshots);
    notify_settled(s);
    log_notice(s->log, "settled: serving snapshots");
}

bool state_is_ready(const struct state *s, struct buf *why)
{
    if (!s->settled && why)
        buf_append_cstr(why, "waiting for the gateways to come back");
    return s->settled;
}

/* ---- lists ---- */

/* Reads the lists and publishes what differs; what could not be read is tried again. */
static void read_lists(void *arg)
{
    struct state *s = arg;
    int directories = directories_load(s->directories);

    sheets_load(s->sheets);
    if (lists_load(s, s->cfg) < 0 || directories < 0)
        loop_timer_start(s->lists_timer, LISTS_RETRY_MS, false);
    else
        loop_timer_stop(s->lists_timer);
    lists_loaded(s);
}

/* ---- lifecycle ---- */

static int make_ipbxes(struct state *s)
{
    struct json_object *ipbxes = config_section(s->cfg, "ipbxes");

    if (!ipbxes)
        return -EINVAL;
    json_object_object_foreach(ipbxes, name, section)
    {
        struct xod_ipbx *ipbx;
        struct xod_obj *o;
        if (!json_get(section, "ipbx_connection"))
            continue;
        if (s->n_ipbxes == MAX_IPBXES)
            return -ENOBUFS;
        ipbx = xod_ipbx(s->xod, view_cstr(name), true);
        o = ipbx ? xod_add(ipbx, LIST_ipbx, view_cstr(name)) : NULL;
        s->ipbxes[s->n_ipbxes].model = o ? ipbx_model_new(ipbx) : NULL;
        if (!s->ipbxes[s->n_ipbxes].model)
            return -ENOMEM;
        s->ipbxes[s->n_ipbxes].model->effects = &state_effects;
        s->ipbxes[s->n_ipbxes].model->effects_arg = s;
        xod_set_float(o, XOD(ipbx, since), clock_wall());
        s->n_ipbxes++;
    }
    return s->n_ipbxes ? 0 : -EINVAL;
}

/* ---- the database ---- */

static void expire(void *arg)
{
    struct state *s = arg;

    ctilog_expire(s, clock_wall());
    tokens_expire(direct_login_tokens(s->direct_login), clock_wall());
    api_expire(s->api, clock_wall());
}

static int open_database(struct state *s, struct standby_legacy *legacy)
{
    char *where = config_database(s->cfg);
    int err = -ENOMEM;

    if (where && legacy)
        s->db = db_open_claimed(s->loop, &legacy->claim, &state_schema, s->metrics, s->log, &err);
    else if (where)
        s->db = db_open(s->loop, where, &state_schema, s->metrics, s->log, &err);
    free(where);
    if (s->db && legacy)
        db_on_taken_over(s->db, on_taken_over, s);
    if (s->db)
        s->features = features_new(s, &err);
    if (s->features)
        s->deferred_actions = deferred_actions_new(s, &err);
    if (s->deferred_actions)
        feature_tables_configure(s);
    return err;
}

/* What was before the restart, once users and IPBXes are there. */
static int recall(struct state *s)
{
    int rc = gateways_recall(s);

    if (rc == 0)
        rc = sessions_restore(s->sessions);
    if (rc == 0)
        rc = direct_login_restore(s->direct_login);
    if (rc == 0)
        rc = api_restore(s->api);
    if (rc == 0) {
        sessions_check_users(s->sessions); /* the lists may have changed meanwhile */
        rc = calls_recall(s, clock_wall());
    }
    if (rc == 0)
        rc = db_start(s->db);
    if (rc < 0)
        return rc;
    state_commit(s, true);
    expire(s);
    loop_timer_start(s->expire_timer, EXPIRE_MS, true);
    return 0;
}

static size_t beat(void *arg, struct buf *pairs, bool *ready)
{
    struct state *s = arg;

    *ready = s->settled;
    msg_put_pair_u64(pairs, "sessions", sessions_count(s->sessions));
    return 1;
}

static double count_sessions(void *arg)
{
    return (double)sessions_count(((struct state *)arg)->sessions);
}

static uint64_t changes_published(void *arg)
{
    return publisher_seq(((struct state *)arg)->publisher);
}

static bool is_settled(void *arg)
{
    return ((struct state *)arg)->settled;
}

static const struct snapshot_source snapshot_source = {changes_published, is_settled, NULL, NULL};

static const char *site_name(const struct state *s)
{
    return s->n_ipbxes ? xod_ipbx_name(s->ipbxes[0].model->ipbx).ptr : "";
}

/* What was on standby goes on: its server answers by itself until activate(). open_database() takes
 * the claim. */
static void take_legacy(struct state *s, struct standby_legacy *legacy)
{
    s->forwarder = legacy->forwarder;
    s->server = legacy->server;
    s->remote_lists = legacy->remote_lists;
    *legacy = (struct standby_legacy){.claim = legacy->claim};
}

static int activate(struct state *s)
{
    return bus_server_activate(s->server, (uint64_t)db_term(s->db), site_name(s), &server_handler,
                               s, s->pub);
}

static int open_bus(struct state *s, const struct state_options *opt, struct metrics *metrics)
{
    uint32_t lists_retry_ms = opt->lists_retry_ms ? opt->lists_retry_ms : LISTS_RETRY_MS;
    int err = 0;

    if (opt->legacy)
        take_legacy(s, opt->legacy);
    else
        s->forwarder = bus_forwarder_new(s->bus, opt->publish, opt->subscribe, opt->trusted, &err);
    if (s->forwarder)
        s->pub = bus_pub_new(s->bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    if (s->pub)
        s->sub = bus_sub_new(s->bus, BUS_INPROC_SUBSCRIBE, &events_handler, s, &err);
    if (s->sub && !s->server)
        s->server = bus_server_new(s->bus, opt->request, opt->trusted, site_name(s),
                                   &server_handler, s, s->pub, &err);
    if (!s->sub || !s->server)
        return err;
    bus_server_set_ready(s->server, false);
    s->heart = bus_heartbeat_new(s->bus, s->pub, "state", beat, s);
    s->publisher = publisher_new(s->pub, s->log);
    s->explain = explain_new((unsigned)config_int(s->cfg, "ctibus.explain.events"));
    if (s->publisher && s->explain)
        publisher_watch(s->publisher, explain_change, s->explain);
    s->snapshots = snapshots_new(s->loop, s->server, s->xod, &snapshot_source, s);
    s->sessions = sessions_new(s, opt->session_grace_ms);
    s->events = metrics_add(metrics, METRIC_state_events, NULL);
    s->events_unknown = metrics_add(metrics, METRIC_state_events_unknown, NULL);
    s->events_foreign = metrics_add(metrics, METRIC_state_events_foreign, NULL);
    s->resyncs_late = metrics_add(metrics, METRIC_state_resyncs_late, NULL);
    s->sessions_open = metrics_callback(metrics, METRIC_state_sessions, NULL, count_sessions, s);
    if (!s->remote_lists)
        s->remote_lists = remote_lists_new(s->loop, s->cfg, lists_retry_ms, metrics, s->log);
    if (s->remote_lists)
        remote_lists_tell(s->remote_lists, list_changed, s);
    s->asterisk_lists = asterisk_lists_new(s, list_changed);
    s->directories = directories_new(s);
    s->extensions = extensions_new();
    s->originates = originates_new(s);
    s->transfers = transfers_new(s);
    s->faxes = faxes_new(s);
    s->fax_handoffs = fax_handoffs_new(s);
    s->sheets = sheets_new(s);
    s->handlers = handlers_new(s);
    s->callers = callers_new(s);
    if (s->publisher && s->callers)
        publisher_watch(s->publisher, callers_change, s->callers);
    s->fagi = fagi_new(s);
    s->peers = peers_new(s);
    s->gauges = gauges_new(s);
    s->feature_reader = feature_reader_new(s);
    s->feature_tables = feature_tables_new(s);
    if (budget_open(s) < 0)
        return -ENOMEM;
    if (!s->heart || !s->publisher || !s->explain || !s->snapshots || !s->sessions || !s->events ||
        !s->events_unknown || !s->events_foreign || !s->resyncs_late || !s->sessions_open ||
        !s->remote_lists || !s->asterisk_lists || !s->directories || !s->extensions ||
        !s->originates || !s->transfers || !s->faxes || !s->fax_handoffs || !s->sheets ||
        !s->handlers || !s->callers || !s->fagi || !s->peers || !s->gauges || !s->feature_reader ||
        !s->feature_tables || peers_load(s->peers) < 0)
        return -ENOMEM;
    bus_sub_follow(s->sub, VIEW("tel"));
    return bus_sub_add(s->sub, VIEW("tel/"));
}

struct state *state_new(struct loop *loop, struct bus *bus, const struct config *cfg,
                        const struct state_options *opt, struct metrics *metrics, struct log *log,
                        int *err)
{
    struct state *s = calloc(1, sizeof(*s));

    *err = -ENOMEM;
    if (!s)
        return NULL;
    s->loop = loop;
    s->bus = bus;
    s->cfg = cfg;
    s->log = log;
    s->metrics = metrics;
    s->started = clock_mono_us();
    s->settle_late = opt->settle_late;
    s->settle_min_ms = opt->settle_min_ms ? opt->settle_min_ms : SETTLE_MIN_MS;
    s->settle_max_ms = opt->settle_max_ms ? opt->settle_max_ms : SETTLE_MAX_MS;
    s->resync_late_us =
        (uint64_t)(opt->resync_late_ms ? opt->resync_late_ms : RESYNC_LATE_MS) * 1000;
    s->action_timeout_ms = ACTION_TIMEOUT_MS;
    s->took_over = opt->legacy != NULL;
    LIST_INIT(&s->waiting);
    STAILQ_INIT(&s->kept_lines);
    buf_init(&s->scratch, 4096);
    if (msg_doc_init(&s->doc) < 0) {
        free(s);
        return NULL;
    }
    s->xod = xod_new();
    s->passwords = passwords_new();
    s->settle_timer = loop_timer_new(loop, check_settled, s);
    s->lists_timer = loop_timer_new(loop, read_lists, s);
    s->expire_timer = loop_timer_new(loop, expire, s);
    s->tick_timer = loop_timer_new(loop, state_tick, s);
    s->watch_timer = loop_timer_new(loop, watch, s);
    if (s->xod && s->passwords && s->settle_timer && s->lists_timer && s->expire_timer &&
        s->tick_timer && s->watch_timer) {
        loop_timer_start(s->watch_timer, s->resync_late_us < WATCH_MS * 1000 ? 100 : WATCH_MS,
                         true);
        *err = make_ipbxes(s);
        if (*err == -EINVAL)
            log_error(log, "no ipbx with an ipbx_connection in the configuration");
        if (*err == 0)
            *err = open_bus(s, opt, metrics);
        if (*err == 0)
            *err = open_database(s, opt->legacy);
        if (*err == 0)
            s->direct_login = direct_login_new(s, err);
        if (*err == 0) {
            s->api = api_new(s);
            s->webhooks = webhooks_new(s);
            *err = s->api && s->webhooks ? 0 : -ENOMEM;
        }
        if (*err == 0)
            *err = asterisk_lists_restore(s->asterisk_lists);
        if (*err == 0) {
            read_lists(s);
            *err = recall(s);
        }
        if (*err == 0 && opt->legacy)
            *err = activate(s);
        if (*err == 0) {
            remote_lists_refresh(s->remote_lists);
            loop_timer_start(s->settle_timer, SETTLE_CHECK_MS, true);
            return s;
        }
    }
    state_destroy(&s);
    return NULL;
}

void state_destroy(struct state **sp)
{
    struct state *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    if (s->sessions_open) /* it asks us */
        metrics_remove(s->metrics, &s->sessions_open);
    gauges_destroy(&s->gauges);
    if (s->budgets)
        budget_close(s);
    loop_timer_destroy(&s->settle_timer);
    loop_timer_destroy(&s->lists_timer);
    loop_timer_destroy(&s->expire_timer);
    feature_tables_destroy(&s->feature_tables);
    db_close(&s->db); /* first of all: who waits for it is answered */
    loop_timer_destroy(&s->tick_timer);
    loop_timer_destroy(&s->watch_timer);
    remote_lists_destroy(&s->remote_lists);
    features_destroy(&s->features);
    sessions_destroy(&s->sessions);
    direct_login_destroy(&s->direct_login);
    snapshots_destroy(&s->snapshots);
    deferred_reply_peer_gone(s, NULL);
    faxes_destroy(&s->faxes);
    fax_handoffs_destroy(&s->fax_handoffs);
    directories_destroy(&s->directories);
    callers_destroy(&s->callers);
    bus_server_destroy(&s->server); /* tells who waits for an action */
    handlers_destroy(&s->handlers);
    webhooks_destroy(&s->webhooks);
    api_destroy(&s->api); /* nobody is answered any more */
    asterisk_lists_destroy(&s->asterisk_lists);
    deferred_actions_destroy(&s->deferred_actions);
    feature_reader_destroy(&s->feature_reader);
    sheets_destroy(&s->sheets);
    fagi_destroy(&s->fagi);
    peers_destroy(&s->peers);
    extensions_destroy(&s->extensions);
    originates_destroy(&s->originates);
    transfers_destroy(&s->transfers);
    notify_forget(s);
    bus_heartbeat_destroy(&s->heart);
    bus_sub_destroy(&s->sub);
    publisher_destroy(&s->publisher);
    explain_destroy(&s->explain);
    bus_pub_destroy(&s->pub);
    bus_forwarder_destroy(&s->forwarder);
    for (size_t i = 0; i < s->n_ipbxes; i++)
        ipbx_model_destroy(&s->ipbxes[i].model);
    passwords_destroy(&s->passwords);
    xod_destroy(&s->xod);
    msg_doc_fini(&s->doc);
    buf_free(&s->scratch);
    free(s);
}

int64_t state_term(const struct state *s)
{
    return db_term(s->db);
}

void state_on_reload(struct state *s, int (*reload)(void *arg), void *arg)
{
    s->reload = reload;
    s->reload_arg = arg;
}

void state_on_leave(struct state *s, void (*leave)(void *arg), void *arg)
{
    s->leave = leave;
    s->leave_arg = arg;
}

void state_reload(struct state *s, const struct config *cfg)
{
    s->cfg = cfg;
    budget_configure(s);
    feature_tables_configure(s);
    fagi_reload(s->fagi);
    if (peers_load(s->peers) < 0)
        log_error(s->log, "no memory for the other sites");
    read_lists(s);
    remote_lists_refresh(s->remote_lists);
    asterisk_lists_refresh(s->asterisk_lists);
}

const char *state_endpoint_publish(const struct state *s)
{
    return bus_forwarder_publish(s->forwarder);
}

const char *state_endpoint_subscribe(const struct state *s)
{
    return bus_forwarder_subscribe(s->forwarder);
}

const char *state_endpoint_request(const struct state *s)
{
    return bus_server_endpoint(s->server);
}

struct xod *state_xod(const struct state *s)
{
    return s->xod;
}
