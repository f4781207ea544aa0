/*
 * The link to a XiVO 1.2: we log in there as a CTI client, as a user whose id begins with "cs:".
 * What it says is made objects of a store of our own, which forward.c tells to state like those of
 * any other site.
 */
#include "legacy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/rng.h"
#include "msg/msg.h"
#include "net/dial.h"

#define MAX_LINE ((size_t)8 << 20)
#define MAX_OUTPUT ((size_t)4 << 20)
#define CONNECT_MS 5000 /* for each address */
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 30000

static const struct legacy_limits defaults = {
    .login_ms = 10000, .ask_ms = 10000, .dead_ms = 30000, .tick_ms = 1000};

/* ---- coming and going ---- */

static void schedule(struct legacy *g)
{
    uint32_t ms = backoff_ms(RETRY_FIRST_MS, RETRY_MAX_MS, g->tries++, rng_u64());

    loop_timer_start(g->retry, ms, false);
}

static void lost(struct legacy *g, const char *why)
{
    dial_cancel(&g->dial);
    if (g->conn)
        conn_close(&g->conn);
    lists_stop(g->lists);
    g->phase = LEGACY_AWAY;
    log_warning(g->l->f->log, "site %s: %s; tried again", g->l->name, why);
    fed_link_set(g->l, "down");
    schedule(g);
}

static struct json_object *config_of(const struct legacy *g)
{
    return fed_peer_config(g->l->f->cfg, g->l->name, "cti_connection");
}

/* ---- login ---- */

static void send_login_id(struct legacy *g)
{
    char ident[128];

    snprintf(ident, sizeof(ident), "ctiserver-%.100s", fed_own_name(g->l->f->cfg));
    legacy_begin(g, "login_id");
    legacy_put(g, "userlogin", json_get_view(config_of(g), "username"));
    legacy_put(g, "company", view_cstr(g->l->name));
    legacy_put(g, "ident", view_cstr(ident));
    legacy_put(g, "xivoversion", VIEW("1.2"));
    legacy_put(g, "version", VIEW("9999"));
    legacy_send(g);
}

static bool on_login_id(struct legacy *g, struct json_object *line)
{
    struct view session = json_get_view(line, "sessionid");
    char hash[DIGEST_HEX];

    if (session.len == 0 || !DIGEST_HEX_OF(EVP_sha1(), hash, session, VIEW(":"),
                                           json_get_view(config_of(g), "password")))
        return false;
    legacy_begin(g, "login_pass");
    legacy_put(g, "hashedpassword", view_cstr(hash));
    legacy_send(g);
    return true;
}

static bool on_login_pass(struct legacy *g, struct json_object *line)
{
    if (!json_get(line, "capalist"))
        return false;
    legacy_begin(g, "login_capas");
    legacy_put(g, "capaid", VIEW("ctiserver"));
    legacy_put(g, "state", VIEW("onlystate"));
    legacy_put(g, "loginkind", VIEW("user"));
    buf_append_cstr(&g->line, ",\"lastconnwins\":true");
    legacy_send(g);
    return true;
}

static bool on_login_capas(struct legacy *g, struct json_object *line)
{
    (void)line;
    g->phase = LEGACY_UP;
    g->tries = 0;
    fed_link_set(g->l, "up");
    lists_begin(g->lists);
    return true;
}

static const struct {
    const char *class;
    bool (*fn)(struct legacy *g, struct json_object *line);
} steps[] = {
    {"login_id", on_login_id},
    {"login_pass", on_login_pass},
    {"login_capas", on_login_capas},
};

/* ---- lines ---- */

/* False: the connection was given up. */
static bool login_line(struct legacy *g, struct json_object *line)
{
    struct view class = json_get_view(line, "class");
    struct view error = json_get_view(line, "error_string");
    char why[200];

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (!view_eq(class, view_cstr(steps[i].class)))
            continue;
        if (error.len == 0 && steps[i].fn(g, line))
            return true;
        snprintf(why, sizeof(why), "it refuses our login at %s: %.*s", steps[i].class,
                 (int)(error.len < 120 ? error.len : 120), error.len ? error.ptr : "");
        lost(g, why);
        return false;
    }
    return true;
}

static bool read_line(struct legacy *g, struct view text)
{
    struct json_object *line = NULL;
    bool alive = true;

    g->l->bytes += text.len;
    if (text.len == 0 || json_parse(&g->parser, text, &line) < 0)
        return true; /* not known: the rest may be good */
    if (g->phase != LEGACY_UP)
        alive = login_line(g, line);
    else if (view_eq(json_get_view(line, "class"), VIEW("getlist")))
        lists_line(g->lists, line);
    else if (view_eq(json_get_view(line, "class"), VIEW("keepalive")) && g->asked) {
        g->l->lag = (double)(clock_mono_us() - g->asked) / 1e6;
        g->asked = 0;
    } else if (view_eq(json_get_view(line, "class"), VIEW("disconnect"))) {
        lost(g, "it ends our session");
        alive = false;
    }
    json_object_put(line);
    return alive;
}

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct legacy *g = owner;
    struct view rest = in;
    const char *nl;

    g->last_rx = clock_mono_us();
    while (rest.len && (nl = memchr(rest.ptr, '\n', rest.len))) {
        struct view line = view_of(rest.ptr, (size_t)(nl - rest.ptr));
        rest = view_of(nl + 1, rest.len - line.len - 1);
        if (!read_line(g, line))
            return in.len;
    }
    return in.len - rest.len;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct legacy *g = owner;
    const char *reason = conn_class_reason(&g->cls);

    g->conn = NULL;
    lost(g, reason            ? reason
            : why > 0         ? strerror(why)
            : why == CONN_EOF ? "it has closed the connection"
                              : "it says or takes too much");
}

static const struct conn_handler handler = {.data = on_data, .closed = on_closed};

/* ---- the connection ---- */

static void on_connected(void *arg, int fd, const char *why)
{
    struct legacy *g = arg;
    struct view host = json_get_view(config_of(g), "ipaddress");

    g->dial = NULL; /* it frees itself */
    if (fd < 0) {
        lost(g, why);
        return;
    }
    g->conn = g->tls ? conn_new_tls(&g->cls, fd, g, g->tls, host.ptr) : conn_new(&g->cls, fd, g);
    if (!g->conn) {
        lost(g, "out of memory");
        return;
    }
    g->phase = LEGACY_LOGIN;
    g->last_rx = clock_mono_us();
    g->asked = 0;
    send_login_id(g);
}

static void try_connect(void *arg)
{
    struct legacy *g = arg;
    struct json_object *at = config_of(g);
    struct view host = json_get_view(at, "ipaddress");

    if (g->phase != LEGACY_AWAY || g->dial)
        return;
    g->dial = dial_start(g->l->f->loop, host.ptr, (uint16_t)json_get_i64(at, "ipport", 5003),
                         CONNECT_MS, on_connected, g);
    if (!g->dial)
        lost(g, "no memory");
}

void legacy_reconnect(struct legacy *g)
{
    if (g->phase == LEGACY_AWAY)
        loop_timer_start(g->retry, 0, false);
}

/* A XiVO answers a keepalive; one that is silent is gone. */
static void tick(void *arg)
{
    struct legacy *g = arg;
    uint64_t silent_ms = (clock_mono_us() - g->last_rx) / 1000;

    if (g->phase == LEGACY_LOGIN && silent_ms > g->limits.login_ms) {
        lost(g, "no login within the time limit");
    } else if (g->phase == LEGACY_UP && silent_ms > g->limits.dead_ms) {
        lost(g, "it says nothing any more");
    } else if (g->phase == LEGACY_UP && silent_ms > g->limits.ask_ms && !g->asked) {
        g->asked = clock_mono_us();
        legacy_begin(g, "keepalive");
        legacy_send(g);
    }
}

/* ---- what is asked of it ---- */

static void answer(struct legacy *g, uint64_t id, const char *error)
{
    struct buf body;

    buf_init(&body, 1024);
    msg_put_map(&body, error ? 1 : 0);
    if (error)
        msg_put_pair(&body, "error_string", view_cstr(error));
    bus_client_reply(g->l->f->bus_client, id, BUS_ok, buf_view(&body));
    buf_free(&body);
}

/* Chat is passed on; its calls are not for others to touch: that link knows no such command. */
bool legacy_ask(struct legacy *g, const msgpack_object *body, uint64_t id)
{
    char whom[320];

    if (g->phase != LEGACY_UP)
        return false;
    if (!view_eq(msg_get_str(body, "command"), VIEW("chitchat"))) {
        answer(g, id, "unallowed");
        return true;
    }
    legacy_begin(g, "chitchat");
    snprintf(whom, sizeof(whom), "%s/%.*s", g->l->name, VIEW_ARG(msg_get_str(body, "to")));
    legacy_put(g, "to", view_cstr(whom));
    snprintf(whom, sizeof(whom), "%.*s/%.*s", VIEW_ARG(msg_get_str(body, "site")),
             VIEW_ARG(msg_get_str(body, "user")));
    legacy_put(g, "from", view_cstr(whom));
    legacy_put(g, "text", msg_get_str(body, "text"));
    legacy_send(g);
    answer(g, id, NULL);
    return true;
}

/* ---- lifecycle ---- */

static int make_tls(struct legacy *g)
{
    struct view ca = json_get_view(config_of(g), "tls_ca");
    char *path = ca.len ? config_path(g->l->f->cfg, ca) : NULL;
    struct tls_options opt = {.ca_file = path, .no_verify = !path};
    struct tls_fault fault = {NULL, "out of memory"};

    if (!json_get_bool(config_of(g), "encrypt", false))
        return 0;
    g->tls = tls_client_new(&opt, &fault);
    if (!g->tls)
        log_error(g->l->f->log, "ipbxes.%s.cti_connection.tls_ca: %s", g->l->name, fault.reason);
    else if (!path)
        log_warning(g->l->f->log,
                    "ipbxes.%s.cti_connection has no tls_ca: anybody on the way can pose as "
                    "that site",
                    g->l->name);
    free(path);
    return g->tls ? 0 : -EINVAL;
}

static struct legacy_limits limits_of(const struct legacy_limits *l)
{
    struct legacy_limits out = l ? *l : defaults;

    out.login_ms = out.login_ms ? out.login_ms : defaults.login_ms;
    out.ask_ms = out.ask_ms ? out.ask_ms : defaults.ask_ms;
    out.dead_ms = out.dead_ms ? out.dead_ms : defaults.dead_ms;
    out.tick_ms = out.tick_ms ? out.tick_ms : defaults.tick_ms;
    return out;
}

struct legacy *legacy_new(struct fed_link *l, const struct legacy_limits *limits, int *err)
{
    struct legacy *g = calloc(1, sizeof(*g));

    *err = -ENOMEM;
    if (!g)
        return NULL;
    g->l = l;
    g->limits = limits_of(limits);
    buf_init(&g->line, MAX_OUTPUT);
    g->parser_made = json_parser_init(&g->parser) == 0;
    g->xod = xod_new();
    g->lists = lists_new(g);
    g->retry = loop_timer_new(l->f->loop, try_connect, g);
    g->tick = loop_timer_new(l->f->loop, tick, g);
    if (g->parser_made && g->xod && g->lists && g->retry && g->tick)
        *err = conn_class_init(&g->cls, l->f->loop, &handler, MAX_LINE, MAX_OUTPUT);
    if (*err == 0)
        *err = make_tls(g);
    if (*err < 0) {
        legacy_destroy(&g);
        return NULL;
    }
    loop_timer_start(g->retry, 0, false);
    loop_timer_start(g->tick, g->limits.tick_ms, true);
    return g;
}

void legacy_destroy(struct legacy **gp)
{
    struct legacy *g = gp ? *gp : NULL;

    if (!g)
        return;
    *gp = NULL;
    dial_cancel(&g->dial);
    conn_close(&g->conn);
    conn_class_fini(&g->cls);
    loop_timer_destroy(&g->retry);
    loop_timer_destroy(&g->tick);
    lists_destroy(&g->lists);
    xod_destroy(&g->xod);
    tls_destroy(&g->tls);
    if (g->parser_made)
        json_parser_fini(&g->parser);
    buf_free(&g->line);
    free(g);
}

struct xod *legacy_xod(const struct legacy *g)
{
    return g->xod;
}
