#include "gateway.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "internal.h"

#define MAX_ANSWER ((size_t)16 * 1024 * 1024)
#define MAX_HEAD ((size_t)4096) /* of an answer */
#define STOP_LOOK_MS 50
#define COMMAND_MS 10000
#define TOKEN_MS 3000
#define TOKEN_FRESH_MS 10000
#define STOP_US 3000000u
/* Tokens that are not known, of one address: each is asked of state. */
#define UNKNOWN_PER_S 5
#define UNKNOWN_BURST 100

/* ---- the bus ---- */

static void on_state_up(void *arg, const msgpack_object *body)
{
    struct http_gw *g = arg;

    log_notice(g->log, "state is there");
    replica_state_up(g->replica);
    webhooks_state_up(g->webhooks);
}

static void on_state_down(void *arg)
{
    const struct http_gw *g = arg;

    log_warning(g->log, "state is gone: lists are answered as they were last, commands %s",
                bus_client_takes(g->bus_client) ? "wait" : "are refused");
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct http_gw *g = arg;

    if (!webhooks_request(g->webhooks, id, method, body))
        bus_client_reply(g->bus_client, id, BUS_unknown_method, view_of(NULL, 0));
}

static const struct bus_client_handler client_handler = {on_state_up, on_state_down, on_request};

static void on_event(void *arg, const struct event *e)
{
    struct http_gw *g = arg;

    streams_event(g->streams, e);
    webhooks_event(g->webhooks, e);
}

static void on_change(void *arg, const struct xod_change *c)
{
    struct http_gw *g = arg;
    struct xod_change recalled = *c;
    bool ready = replica_is_ready(g->replica, NULL);
    bool tell = ready || webhooks_recall(g->webhooks, &recalled);

    events_change(g->events, &recalled, bus_client_epoch(g->bus_client),
                  replica_change_seq(g->replica), clock_wall(), tell);
    streams_change(g->streams, c);
}

static void on_ready(void *arg)
{
    struct http_gw *g = arg;

    tokens_ready(g->tokens);
    webhooks_ready(g->webhooks);
    streams_ready(g->streams);
}

static const struct replica_handler replica_handler = {on_change, on_ready, NULL, NULL};

static size_t beat(void *arg, struct buf *pairs, bool *ready)
{
    struct http_gw *g = arg;

    *ready = http_gw_is_ready(g, NULL);
    msg_put_pair_u64(pairs, "connections", server_connections(g->server));
    msg_put_pair_u64(pairs, "listeners", streams_count(g->streams));
    msg_put_pair_u64(pairs, "replica", replica_seq(g->replica));
    return 3;
}

static int open_bus(struct http_gw *g)
{
    int err = -ENOMEM;

    g->pub = bus_pub_new(g->bus, g->opt.publish, NULL, NULL, &err);
    if (g->pub)
        g->bus_client = bus_client_new(g->bus, g->opt.request, "http-gw", &client_handler, g, &err);
    if (g->bus_client)
        g->replica = replica_new(g->bus, g->loop, g->opt.subscribe, g->bus_client, &replica_handler,
                                 g, g->log, &err);
    return g->replica ? 0 : err;
}

/* ---- metrics ---- */

static double count_connections(void *arg)
{
    return (double)server_connections(((struct http_gw *)arg)->server);
}

static double count_streams(void *arg)
{
    return (double)streams_count(((struct http_gw *)arg)->streams);
}

static double count_refused(void *arg)
{
    return (double)server_refused(((struct http_gw *)arg)->server);
}

static double count_slow(void *arg)
{
    return (double)server_slow(((struct http_gw *)arg)->server);
}

static int make_metrics(struct http_gw *g, struct metrics *m)
{
    static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    const struct metrics_row rows[] = {
        {&g->throttled, METRIC_api_throttled},
        {&g->commands, METRIC_api_commands},
        {&g->events_sent, METRIC_api_events},
    };

    if (metrics_add_rows(m, rows, ARRAY_SIZE(rows)) < 0 ||
        !metrics_callback(m, METRIC_api_connections, NULL, count_connections, g) ||
        !metrics_callback(m, METRIC_api_listeners, NULL, count_streams, g) ||
        !metrics_callback(m, METRIC_api_refused, NULL, count_refused, g) ||
        !metrics_callback(m, METRIC_api_slow, NULL, count_slow, g))
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        g->requests[i] = metrics_add(m, METRIC_api_requests, METRIC_VALUES(classes[i]));
        if (!g->requests[i])
            return -ENOMEM;
    }
    return 0;
}

/* ---- lifecycle ---- */

static int open_server(struct http_gw *g)
{
    const struct server_options opt = {.listen = g->opt.listen,
                                       .tls = &g->tls,
                                       .max_connections = g->opt.max_connections,
                                       .max_output = g->opt.max_output};
    int err;

    g->server = server_new(g->loop, &opt, request_begin, g, &err);
    if (!g->server)
        log_error(g->log, "cannot listen at %s (ctibus.api.listen): %s", g->opt.listen,
                  strerror(-err));
    return g->server ? 0 : err;
}

static int open_all(struct http_gw *g, const struct config *cfg, struct metrics *metrics)
{
    int err;

    g->tokens = tokens_new(g);
    g->streams = streams_new(g);
    g->budgets = budgets_new(BUDGET_COUNT);
    if (!g->tokens || !g->streams || !g->budgets)
        return -ENOMEM;
    budgets_set(g->budgets, BUDGET_REQUESTS, g->limits.requests_per_s, g->limits.requests_burst);
    budgets_set(g->budgets, BUDGET_UNKNOWN, UNKNOWN_PER_S, UNKNOWN_BURST);
    err = open_bus(g);
    if (err < 0)
        return err;
    g->events = events_new(replica_xod(g->replica), on_event, g);
    if (!g->events)
        return -ENOMEM;
    g->webhooks = webhooks_new(g, cfg, metrics, &err);
    if (!g->webhooks)
        return err;
    events_watch(g->events, webhooks_note, g->webhooks);
    err = open_server(g);
    if (err == 0)
        err = make_metrics(g, metrics);
    if (err < 0)
        return err;
    g->heart = bus_heartbeat_new(g->bus, g->pub, "http-gw", beat, g);
    return g->heart ? 0 : -ENOMEM;
}

static void set_default(uint32_t *ms, uint32_t otherwise)
{
    if (*ms == 0)
        *ms = otherwise;
}

struct http_gw *http_gw_new(struct loop *loop, struct bus *bus, const struct http_gw_options *opt,
                            const struct http_gw_limits *limits, const struct config *cfg,
                            struct tls_ctx **tls, struct metrics *metrics, struct log *log,
                            int *err)
{
    struct http_gw *g = calloc(1, sizeof(*g));

    *err = -ENOMEM;
    if (!g)
        return NULL;
    g->loop = loop;
    g->bus = bus;
    g->log = log;
    g->opt = *opt;
    set_default(&g->opt.command_ms, COMMAND_MS);
    set_default(&g->opt.token_ms, TOKEN_MS);
    set_default(&g->opt.token_fresh_ms, TOKEN_FRESH_MS);
    g->limits = *limits;
    g->tls = *tls;
    *tls = NULL;
    /* what is longer than may wait for a connection would end it instead of answering */
    buf_init(&g->out,
             opt->max_output - MAX_HEAD < MAX_ANSWER ? opt->max_output - MAX_HEAD : MAX_ANSWER);
    *err = json_parser_init(&g->parser);
    if (*err == 0)
        *err = open_all(g, cfg, metrics);
    if (*err < 0)
        http_gw_destroy(&g);
    return g;
}

void http_gw_destroy(struct http_gw **gp)
{
    struct http_gw *g = gp ? *gp : NULL;

    if (!g)
        return;
    *gp = NULL;
    loop_timer_destroy(&g->stopping);
    bus_heartbeat_destroy(&g->heart);
    streams_destroy(&g->streams);
    server_destroy(&g->server); /* requests under way are given up: they hold tokens */
    webhooks_destroy(&g->webhooks);
    tokens_destroy(&g->tokens);
    replica_destroy(&g->replica);
    events_destroy(&g->events);
    bus_client_destroy(&g->bus_client);
    bus_pub_destroy(&g->pub);
    budgets_destroy(&g->budgets);
    tls_destroy(&g->tls);
    json_parser_fini(&g->parser);
    buf_free(&g->out);
    free(g);
}

void http_gw_reload(struct http_gw *g, const struct http_gw_limits *limits,
                    const struct config *cfg)
{
    webhooks_reload(g->webhooks, cfg);
    g->limits = *limits; /* what tokens see follows when state is asked again */
    budgets_set(g->budgets, BUDGET_REQUESTS, limits->requests_per_s, limits->requests_burst);
}

void http_gw_set_tls(struct http_gw *g, struct tls_ctx **tls)
{
    tls_destroy(&g->tls);
    g->tls = *tls;
    *tls = NULL;
}

/* ---- stopping ---- */

static void look_whether_stopped(void *arg)
{
    struct http_gw *g = arg;

    if (server_connections(g->server) > 0 && clock_mono_us() < g->stop_until)
        return;
    loop_timer_stop(g->stopping);
    g->stopped(g->stopped_arg);
}

void http_gw_stop(struct http_gw *g, void (*done)(void *arg), void *arg)
{
    g->stopped = done;
    g->stopped_arg = arg;
    g->stop_until = clock_mono_us() + STOP_US;
    server_close_listener(g->server);
    streams_end(g->streams);
    g->stopping = loop_timer_new(g->loop, look_whether_stopped, g);
    if (g->stopping)
        loop_timer_start(g->stopping, STOP_LOOK_MS, true);
    else
        done(arg);
}

bool http_gw_is_ready(const struct http_gw *g, struct buf *why)
{
    if (g->stopped) {
        if (why)
            buf_append_cstr(why, "it stops");
        return false;
    }
    return bus_client_is_ready(g->bus_client, why) && replica_is_ready(g->replica, why);
}

uint16_t http_gw_port(const struct http_gw *g)
{
    return server_port(g->server);
}
