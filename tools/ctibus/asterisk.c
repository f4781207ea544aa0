#include "asterisk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "discover/walk.h"
#include "json/json.h"

#define LOGIN_MS 10000
#define PROGRESS_MS 100
#define LIMIT_MS 300000 /* for all of it */
#define RIGHTS_MS 10000
#define BAR 40 /* columns */

/* ---- options ---- */

bool asterisk_read_port(const char *text, uint16_t *out)
{
    uint64_t n;

    if (view_to_u64(view_cstr(text), &n) < 0 || n == 0 || n > 65535)
        return false;
    *out = (uint16_t)n;
    return true;
}

bool asterisk_option(int *argc, char ***argv, struct asterisk_options *o)
{
    const char *port = NULL;

    if (!o->secret)
        o->secret = getenv("CTIBUS_AMI_SECRET");
    if (tool_option(argc, argv, "host", &o->host) || tool_option(argc, argv, "user", &o->user) ||
        tool_option(argc, argv, "secret", &o->secret))
        return true;
    if (tool_option(argc, argv, "tls", NULL) || tool_option(argc, argv, "tls-ca", &o->tls_ca) ||
        tool_option(argc, argv, "tls-name", &o->tls_name))
        return o->tls = true;
    if (tool_option(argc, argv, "no-verify", NULL))
        return o->tls = o->no_verify = true;
    if (!tool_option(argc, argv, "port", &port))
        return false;
    if (!asterisk_read_port(port, &o->port))
        o->bad_port = port;
    return true;
}

void asterisk_options_of(struct asterisk_options *o, const struct config *cfg,
                         struct json_object *con)
{
    struct view ca = json_get_view(con, "tls_ca");

    o->host = json_get_view(con, "ipaddress").ptr;
    o->port = (uint16_t)json_get_i64(con, "ipport", 0);
    o->user = json_get_view(con, "username").ptr;
    o->secret = json_get_view(con, "password").ptr;
    o->tls = json_get_bool(con, "tls", false);
    o->no_verify = !json_get_bool(con, "tls_verify", true);
    o->tls_ca = o->ca_path = ca.len ? config_path(cfg, ca) : NULL;
    o->tls_name = json_get_view(con, "tls_name").len ? json_get_view(con, "tls_name").ptr : NULL;
    o->latin1 = view_ieq(json_get_view(con, "charset"), VIEW("latin1"));
}

void asterisk_options_free(struct asterisk_options *o)
{
    free(o->ca_path);
    o->ca_path = NULL;
}

/* ---- the session ---- */

struct session {
    const struct asterisk_options *opt;
    struct asterisk *a;
    struct loop *loop;
    struct ami_link *link;
    struct discovery_walk *walk;
    struct loop_timer *progress, *limit;
    unsigned asked;  /* about the user's rights, and not answered */
    uint64_t pinged; /* our clocks at the Ping */
    double pinged_at;
};

static void draw(void *arg)
{
    const struct session *s = arg;
    const struct discovery *d = s->walk ? discovery_walk_of(s->walk) : NULL;
    size_t done = d ? discovery_done(d) : 0;
    size_t total = d ? discovery_total(d) : 1;
    int full = (int)(BAR * done / total);

    if (d)
        fprintf(stderr, "\r[%.*s%*s] %zu/%zu questions", full,
                "########################################", BAR - full, "", done, total);
}

/* ---- what the user may do ---- */

static void one_less(struct session *s)
{
    if (--s->asked == 0)
        loop_stop(s->loop);
}

static void on_settings(void *arg, enum action_result result, const struct ami_block *b)
{
    struct session *s = arg;

    if (result == ACTION_OK)
        snprintf(s->a->version, sizeof(s->a->version), "%.*s",
                 VIEW_ARG(ami_get(b, "AsteriskVersion")));
    one_less(s);
}

/* Asterisk lists the actions that this user may use. */
static void on_actions(void *arg, enum action_result result, const struct ami_block *b)
{
    struct session *s = arg;
    char name[64];

    for (unsigned i = 0; result == ACTION_OK && i < b->n; i++) {
        snprintf(name, sizeof(name), "%.*s", VIEW_ARG(b->headers[i].name));
        json_object_object_add(s->a->actions, name, NULL);
    }
    one_less(s);
}

/* "      read perm: system,call": in a text of its own, or behind `Output: `. */
static void on_user(void *arg, enum action_result result, const struct ami_block *b)
{
    static const struct view title = VIEW("read perm:");
    struct session *s = arg;
    ptrdiff_t at = b ? view_find(b->raw, title) : -1;

    if (result == ACTION_OK && at >= 0) {
        struct view rest =
            view_of(b->raw.ptr + at + title.len, b->raw.len - (size_t)at - title.len);
        rest = view_cut(&rest, '\n');
        rest = view_trim(view_cut(&rest, '\r'));
        snprintf(s->a->read, sizeof(s->a->read), "%.*s", VIEW_ARG(rest));
    }
    one_less(s);
}

/* Its clock was read between our question and this answer. */
static void on_ping(void *arg, enum action_result result, const struct ami_block *b)
{
    struct session *s = arg;
    double trip = (double)(clock_mono_us() - s->pinged) / 1e6;
    char text[32];
    char *end;

    if (result == ACTION_OK && ami_get(b, "Timestamp").len) {
        snprintf(text, sizeof(text), "%.*s", VIEW_ARG(ami_get(b, "Timestamp")));
        s->a->clock_ahead = strtod(text, &end) - (s->pinged_at + trip / 2);
        s->a->has_clock = *end == '\0' && trip < 1;
    }
    one_less(s);
}

static void ask(struct session *s, const char *action, const char *command, action_done_fn *done)
{
    struct ami_action aa;

    s->asked++;
    link_action(s->link, &aa, view_cstr(action));
    if (command)
        ami_action_header(&aa, VIEW("Command"), view_cstr(command));
    if (link_commit(s->link, &aa, false, RIGHTS_MS, NULL, done, s) < 0)
        s->asked--;
}

static void ask_rights(struct session *s)
{
    char command[256];

    snprintf(command, sizeof(command), "manager show user %s", s->opt->user);
    ask(s, "CoreSettings", NULL, on_settings);
    ask(s, "ListCommands", NULL, on_actions);
    ask(s, "Command", command, on_user);
    s->pinged = clock_mono_us();
    s->pinged_at = clock_wall();
    ask(s, "Ping", NULL, on_ping);
    if (s->asked == 0)
        loop_stop(s->loop);
}

static void note_refusals(struct asterisk *a, const struct discovery *d)
{
    static const char *const modules[] = {"QueueStatus", "PJSIPShowEndpoints", "SIPpeers",
                                          "ShowDialPlan"};
    struct discovery_refusal r;

    for (size_t i = 0; discovery_refusal(d, i, &r); i++)
        json_object_object_add(a->refused, r.action,
                               json_object_new_string(r.permission ? r.permission : "all"));
    for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
        if (discovery_lacks(d, modules[i]))
            json_object_object_add(a->missing, modules[i], NULL);
}

static void on_discovered(void *arg, const struct discovery *d, bool complete)
{
    struct session *s = arg;

    if (s->progress) {
        loop_timer_stop(s->progress);
        fputs("\r\033[K", stderr);
    }
    note_refusals(s->a, d);
    s->a->is_freepbx = discovery_is_freepbx(d);
    if (!complete) {
        loop_stop(s->loop);
        return;
    }
    s->a->lists = discovery_lists(d);
    s->a->hints = json_object_get(discovery_hints(d));
    ask_rights(s);
}

static void on_up(void *arg, const char *banner)
{
    struct session *s = arg;

    s->a->reached = true;
    snprintf(s->a->banner, sizeof(s->a->banner), "%s", banner);
    s->walk = discovery_walk_new(s->link, s->opt->latin1 ? AMI_CHARSET_LATIN1 : AMI_CHARSET_UTF8, 0,
                                 on_discovered, s);
    if (!s->walk || discovery_walk_start(s->walk) < 0)
        loop_stop(s->loop);
}

static void on_down(void *arg, const char *reason)
{
    struct session *s = arg;

    snprintf(s->a->why, sizeof(s->a->why), "%s", reason);
    loop_stop(s->loop);
}

static void on_event(void *arg, const struct ami_block *b)
{
    (void)arg;
    (void)b;
}

static bool want(void *arg, struct view event)
{
    (void)arg;
    (void)event;
    return false;
}

static void on_limit(void *arg)
{
    struct session *s = arg;

    snprintf(s->a->why, sizeof(s->a->why), "it is too slow: not all was answered within %d minutes",
             LIMIT_MS / 60000);
    loop_stop(s->loop);
}

static int make_tls(const struct asterisk_options *o, struct asterisk *a, struct tls_ctx **out)
{
    struct tls_options opt = {.no_verify = o->no_verify, .ca_file = o->tls_ca};
    struct tls_fault fault = {NULL, "out of memory"};

    *out = o->tls ? tls_client_new(&opt, &fault) : NULL;
    if (!o->tls || *out)
        return 0;
    a->bad_ca = fault.file != NULL;
    snprintf(a->why, sizeof(a->why), "%s%s%s", fault.file ? fault.file : "", fault.file ? ": " : "",
             fault.reason);
    return -EINVAL;
}

static int run(struct session *s, struct tls_ctx *tls, struct log *log, struct metrics *metrics)
{
    static const struct link_handler handler = {on_up, on_down, on_event, want, NULL, on_down};
    const struct asterisk_options *o = s->opt;
    struct link_options opt = {
        .host = o->host,
        .port = asterisk_port(o),
        .username = o->user,
        .password = o->secret ? o->secret : "",
        .instance = "setup",
        .timeout_ms = LOGIN_MS,
        .tls = tls,
        .tls_name = o->tls_name,
    };

    s->link = link_new(s->loop, &opt, &handler, s, metrics, log);
    if (!s->link)
        return -ENOMEM;
    s->limit = loop_timer_new(s->loop, on_limit, s);
    if (s->limit)
        loop_timer_start(s->limit, LIMIT_MS, false);
    if (isatty(STDERR_FILENO)) {
        s->progress = loop_timer_new(s->loop, draw, s);
        if (s->progress)
            loop_timer_start(s->progress, PROGRESS_MS, true);
    }
    loop_run(s->loop);
    loop_timer_destroy(&s->progress);
    loop_timer_destroy(&s->limit);
    link_stop(s->link);
    link_destroy(&s->link);
    discovery_walk_destroy(&s->walk);
    return 0;
}

int asterisk_read(const struct asterisk_options *o, struct asterisk *a)
{
    struct session s = {.opt = o, .a = a, .loop = loop_new()};
    struct metrics *metrics = metrics_new();
    /* the reasons that the link would log are told as a.why */
    struct log *log = log_new(STDERR_FILENO, "ctibus", LOG_ERROR, false);
    const char *fault = asterisk_options_fault(o);
    struct tls_ctx *tls = NULL;
    int rc;

    *a = (struct asterisk){.actions = json_object_new_object(),
                           .refused = json_object_new_object(),
                           .missing = json_object_new_object()};
    snprintf(a->why, sizeof(a->why), "%s", fault ? fault : "");
    rc = fault ? -EINVAL : make_tls(o, a, &tls);
    if (rc == 0)
        rc = s.loop && metrics && log ? run(&s, tls, log, metrics) : -ENOMEM;
    tls_destroy(&tls);
    log_destroy(&log);
    metrics_destroy(&metrics);
    loop_destroy(&s.loop);
    return rc;
}

void asterisk_free(struct asterisk *a)
{
    json_object_put(a->lists);
    json_object_put(a->hints);
    json_object_put(a->actions);
    json_object_put(a->refused);
    json_object_put(a->missing);
    *a = (struct asterisk){0};
}
