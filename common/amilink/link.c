#include "amilink/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/rng.h"
#include "net/conn.h"
#include "net/dial.h"

#define BACKOFF_FIRST_MS 500u
#define BACKOFF_AWAY 4u         /* times the first: an Asterisk that is back is found soon */
#define BACKOFF_REFUSED 60u     /* a wrong password must not look like guessing */
#define TELL_AGAIN_US 60000000u /* the same reason is logged so often */
/* For each address: the kernel sends its question again after 1, 3 and 7 s, and a new one sooner.
 */
#define CONNECT_MS 4000
#define TICK_MS 500
#define PING_AFTER_MS 5000u
#define DEAD_AFTER 3u /* times that: two pings missed */

enum phase { AWAY, CONNECTING, LOGGING_IN, UP, STOPPED };

struct ami_link {
    struct loop *loop;
    struct conn_class cls;
    struct conn *conn;
    struct dial *dial;           /* while it is being connected */
    struct loop_timer *retry;    /* the next try */
    struct loop_timer *deadline; /* of logging in, once connected */
    struct loop_timer *tick;
    struct loop_timer *gone; /* runs while connections are refused; NULL: not wanted */
    void (*tell_gone)(void *arg);
    const struct link_handler *handler;
    void *arg;
    struct log *log;
    struct ami_parser parser;
    struct actions *actions;
    struct buf out;
    char *host, *username, *password, *tls_name;
    struct tls_ctx *tls; /* NULL: clear text */
    char banner[64];
    uint16_t port;
    uint32_t timeout_ms, backoff_ms, gone_ms;
    bool away; /* connections are refused: `gone` runs, or it was told */
    uint64_t ping_after_us;
    enum phase phase;
    unsigned tries;
    bool refused;   /* the last time it was the login that failed */
    char told[128]; /* the reason that was logged last, and when */
    uint64_t told_at;
    uint64_t last_rx, pinged;
    struct metric *blocks, *skipped, *reconnects, *up_metric;
};

uint32_t link_backoff_ms(uint32_t first_ms, unsigned n, bool refused, uint64_t random)
{
    return backoff_ms(first_ms, first_ms * (refused ? BACKOFF_REFUSED : BACKOFF_AWAY), n, random);
}

/* ---- going down and coming back ---- */

static void try_connect(void *arg);

/* An Asterisk that is away for a night would fill the log. */
static void tell_lost(struct ami_link *l, const char *reason)
{
    uint64_t now = clock_mono_us();

    if (strncmp(l->told, reason, sizeof(l->told) - 1) == 0 && now - l->told_at < TELL_AGAIN_US)
        return;
    snprintf(l->told, sizeof(l->told), "%s", reason);
    l->told_at = now;
    log_warning(l->log, "ami %s:%u: %s; next try in %u ms", l->host, l->port, reason,
                link_backoff_ms(l->backoff_ms, l->tries, l->refused, 0));
}

static void schedule(struct ami_link *l)
{
    uint32_t ms = link_backoff_ms(l->backoff_ms, l->tries++, l->refused, rng_u64());

    l->phase = AWAY;
    loop_timer_start(l->retry, ms, false);
}

static void count_parser(struct ami_link *l)
{
    const struct ami_counts *c = &l->parser.counts;

    metric_add(l->blocks, (double)c->blocks);
    metric_add(l->skipped, (double)(c->skipped + c->trimmed));
    if (c->lost_lines && l->phase == UP && l->handler->incomplete)
        l->handler->incomplete(l->arg);
    l->parser.counts = (struct ami_counts){0};
}

/* The connection is gone or was given up. */
static void lost(struct ami_link *l, const char *reason)
{
    bool was_up = l->phase == UP;

    count_parser(l);
    loop_timer_stop(l->deadline);
    dial_cancel(&l->dial);
    if (l->conn)
        conn_close(&l->conn);
    if (l->phase == STOPPED)
        return;
    tell_lost(l, reason);
    schedule(l);
    actions_lost(l->actions);
    metric_set(l->up_metric, 0);
    if (was_up)
        l->handler->down(l->arg, reason);
    else if (l->handler->failed)
        l->handler->failed(l->arg, reason);
}

/* How far it has come says where to look. */
static void on_deadline(void *arg)
{
    struct ami_link *l = arg;
    char tls[64];

    if (l->phase != CONNECTING || !l->conn)
        lost(l, "no login within the time limit (main.sockettimeout)");
    else if (!l->tls)
        lost(l, "no greeting within the time limit (main.sockettimeout): a port for TLS is silent "
                "like that");
    else if (!conn_tls_describe(l->conn, tls, sizeof(tls)))
        lost(l, "no TLS handshake within the time limit (main.sockettimeout)");
    else
        lost(l, "no greeting within the time limit (main.sockettimeout)");
}

/* ---- login ---- */

static void flush(struct ami_link *l)
{
    if (l->conn)
        conn_send(l->conn, buf_view(&l->out));
    buf_reset(&l->out);
}

void link_action(struct ami_link *l, struct ami_action *aa, struct view action)
{
    actions_begin(l->actions, aa, &l->out, action);
}

int link_commit_text(struct ami_link *l, struct ami_action *aa, uint32_t deadline_ms,
                     action_item_fn *item, action_done_fn *done, void *arg)
{
    int rc;

    if (!l->conn)
        aa->err = -ENOTCONN;
    rc = actions_commit_text(l->actions, aa, deadline_ms, item, done, arg);
    flush(l);
    return rc;
}

int link_commit(struct ami_link *l, struct ami_action *aa, bool is_list, uint32_t deadline_ms,
                action_item_fn *item, action_done_fn *done, void *arg)
{
    int rc;

    if (!l->conn)
        aa->err = -ENOTCONN;
    rc = actions_commit(l->actions, aa, is_list, deadline_ms, item, done, arg);
    flush(l);
    return rc;
}

static void on_login(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct ami_link *l = arg;
    char tls[64];
    char why[160];

    if (outcome == ACTION_LOST)
        return;
    if (outcome != ACTION_OK) {
        struct view m = response ? ami_get(response, "Message") : VIEW("no answer");
        snprintf(why, sizeof(why), "login as %s refused: %.*s", l->username, VIEW_ARG(m));
        l->refused = response != NULL;
        lost(l, why);
        return;
    }
    loop_timer_stop(l->deadline);
    l->phase = UP;
    l->told[0] = '\0'; /* the next loss is another one */
    l->tries = 0;
    metric_set(l->up_metric, 1);
    conn_tls_describe(l->conn, tls, sizeof(tls));
    log_notice(l->log, "ami %s:%u: logged in to %s (%s)", l->host, l->port, l->banner,
               *tls ? tls : "clear text");
    l->handler->up(l->arg, l->banner);
}

static void login_plain(struct ami_link *l)
{
    struct ami_action aa;

    link_action(l, &aa, VIEW("Login"));
    ami_action_header(&aa, VIEW("Username"), view_cstr(l->username));
    ami_action_header(&aa, VIEW("Secret"), view_cstr(l->password));
    ami_action_header(&aa, VIEW("Events"), VIEW("on"));
    if (link_commit(l, &aa, false, l->timeout_ms, NULL, on_login, l) < 0)
        lost(l, "username or password cannot be sent over AMI");
}

static void on_challenge(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct ami_link *l = arg;
    struct ami_action aa;
    char key[DIGEST_HEX];

    if (outcome == ACTION_LOST)
        return;
    /* Where there is no MD5 (or a FIPS OpenSSL of ours refuses it) the plain way is left. */
    if (outcome != ACTION_OK ||
        !DIGEST_HEX_OF(EVP_md5(), key, ami_get(response, "Challenge"), view_cstr(l->password))) {
        login_plain(l);
        return;
    }
    link_action(l, &aa, VIEW("Login"));
    ami_action_header(&aa, VIEW("AuthType"), VIEW("MD5"));
    ami_action_header(&aa, VIEW("Username"), view_cstr(l->username));
    ami_action_header(&aa, VIEW("Key"), view_cstr(key));
    ami_action_header(&aa, VIEW("Events"), VIEW("on"));
    if (link_commit(l, &aa, false, l->timeout_ms, NULL, on_login, l) < 0)
        lost(l, "username cannot be sent over AMI");
}

static void on_banner(struct ami_link *l, const struct ami_block *b)
{
    struct ami_action aa;

    snprintf(l->banner, sizeof(l->banner), "%.*s", (int)(b->raw.len > 60 ? 60 : b->raw.len),
             b->raw.ptr);
    l->banner[strcspn(l->banner, "\r\n")] = '\0';
    if (l->phase != CONNECTING)
        return;
    l->phase = LOGGING_IN;
    link_action(l, &aa, VIEW("Challenge"));
    ami_action_header(&aa, VIEW("AuthType"), VIEW("MD5"));
    link_commit(l, &aa, false, l->timeout_ms, NULL, on_challenge, l);
}

/* ---- input ---- */

static bool on_block(void *arg, const struct ami_block *b)
{
    struct ami_link *l = arg;
    struct conn *conn = l->conn;

    if (b->kind == AMI_BANNER)
        on_banner(l, b);
    else if (!actions_block(l->actions, b) && b->kind == AMI_EVENT && l->phase == UP)
        l->handler->event(l->arg, b);
    return l->conn == conn; /* false: it was given up meanwhile */
}

/* The first byte of a record (alert, handshake), which no greeting begins with. */
static bool speaks_tls(struct view in)
{
    return in.len > 0 && (in.ptr[0] == 21 || in.ptr[0] == 22);
}

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct ami_link *l = owner;
    size_t used;

    if (l->phase == CONNECTING && !l->tls && speaks_tls(in)) {
        lost(l, "it speaks TLS at this port (ipbx_connection.tls is false)");
        return in.len;
    }
    l->last_rx = clock_mono_us();
    used = ami_parse(&l->parser, in, on_block, l);
    return l->conn == c ? used : in.len;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct ami_link *l = owner;
    const char *reason = conn_class_reason(&l->cls);

    l->conn = NULL;
    lost(l, reason                    ? reason
            : why == CONN_EOF         ? "closed by Asterisk"
            : why == CONN_INPUT_LIMIT ? "a message without end"
            : why > 0                 ? strerror(why)
                                      : "Asterisk does not read");
}

static const struct conn_handler conn_handler = {on_data, on_closed, NULL};

static bool want(void *arg, struct view event)
{
    struct ami_link *l = arg;

    return actions_lists(l->actions) > 0 || l->handler->want(l->arg, event);
}

/* ---- connecting ---- */

static void on_gone(void *arg)
{
    struct ami_link *l = arg;

    l->tell_gone(l->arg);
}

/* A host that refuses has nothing that listens; one that does not answer may be cut off. */
static void note_refusal(struct ami_link *l, bool refused)
{
    if (!l->gone || refused == l->away)
        return;
    l->away = refused;
    if (refused)
        loop_timer_start(l->gone, l->gone_ms, false);
    else
        loop_timer_stop(l->gone);
}

static void on_connected(void *arg, int fd, const char *why)
{
    struct ami_link *l = arg;
    unsigned user_timeout = 10000;

    l->dial = NULL; /* it frees itself */
    note_refusal(l, fd < 0 && strstr(why, strerror(ECONNREFUSED)));
    if (fd < 0) {
        lost(l, why);
        return;
    }
    metric_add(l->reconnects, 1);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof(user_timeout));
    ami_parser_init(&l->parser);
    l->parser.want = want;
    l->last_rx = l->pinged = clock_mono_us();
    l->conn = l->tls ? conn_new_tls(&l->cls, fd, l, l->tls, l->tls_name) : conn_new(&l->cls, fd, l);
    loop_timer_start(l->deadline, l->timeout_ms, false);
    if (!l->conn)
        lost(l, "no memory");
}

static void try_connect(void *arg)
{
    struct ami_link *l = arg;

    l->phase = CONNECTING;
    l->refused = false;
    l->dial = dial_start(l->loop, l->host, l->port,
                         l->timeout_ms < CONNECT_MS ? l->timeout_ms : CONNECT_MS, on_connected, l);
    if (!l->dial)
        lost(l, "no memory");
}

static void ping(struct ami_link *l)
{
    struct ami_action aa;

    l->pinged = clock_mono_us();
    link_action(l, &aa, VIEW("Ping"));
    link_commit(l, &aa, false, ACTION_DEADLINE_MS, NULL, NULL, NULL);
}

static void tick(void *arg)
{
    struct ami_link *l = arg;
    uint64_t now = clock_mono_us();

    actions_tick(l->actions);
    if (l->phase != UP)
        return;
    count_parser(l);
    if (now - l->last_rx > DEAD_AFTER * l->ping_after_us)
        lost(l, "no answer to two pings");
    else if (now - l->last_rx > l->ping_after_us && now - l->pinged > l->ping_after_us)
        ping(l);
}

void link_reconnect(struct ami_link *l)
{
    if (l->phase == UP)
        ping(l);
    if (l->phase != AWAY)
        return;
    l->tries = 0;
    loop_timer_start(l->retry, 0, false);
}

void link_stop(struct ami_link *l)
{
    struct ami_action aa;

    loop_timer_stop(l->retry);
    loop_timer_stop(l->deadline);
    note_refusal(l, false);
    dial_cancel(&l->dial);
    if (l->phase == UP) {
        link_action(l, &aa, VIEW("Logoff"));
        link_commit(l, &aa, false, 1000, NULL, NULL, NULL);
    }
    l->phase = STOPPED;
    if (l->conn)
        conn_close_after_flush(&l->conn);
}

bool link_is_up(const struct ami_link *l)
{
    return l->phase == UP;
}

struct actions *link_actions(struct ami_link *l)
{
    return l->actions;
}

static int make_metrics(struct ami_link *l, struct metrics *m)
{
    const struct metrics_row rows[] = {
        {&l->blocks, METRIC_ami_messages},
        {&l->skipped, METRIC_ami_skipped},
        {&l->reconnects, METRIC_ami_connects},
        {&l->up_metric, METRIC_ami_up},
    };

    return metrics_add_rows(m, rows, ARRAY_SIZE(rows));
}

struct ami_link *link_new(struct loop *loop, const struct link_options *opt,
                          const struct link_handler *handler, void *arg, struct metrics *metrics,
                          struct log *log)
{
    struct ami_link *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->loop = loop;
    l->handler = handler;
    l->arg = arg;
    l->log = log;
    l->port = opt->port;
    l->timeout_ms = opt->timeout_ms;
    l->backoff_ms = opt->backoff_ms ? opt->backoff_ms : BACKOFF_FIRST_MS;
    l->ping_after_us = UINT64_C(1000) * (opt->ping_after_ms ? opt->ping_after_ms : PING_AFTER_MS);
    l->tls = opt->tls;
    buf_init(&l->out, 1 << 20);
    l->host = view_dup(view_cstr(opt->host));
    l->username = view_dup(view_cstr(opt->username));
    l->password = view_dup(view_cstr(opt->password));
    l->tls_name = view_dup(view_cstr(opt->tls_name ? opt->tls_name : opt->host));
    l->actions = actions_new(opt->instance);
    l->retry = loop_timer_new(loop, try_connect, l);
    l->deadline = loop_timer_new(loop, on_deadline, l);
    l->tick = loop_timer_new(loop, tick, l);
    l->gone_ms = opt->gone_ms;
    l->tell_gone = opt->gone;
    if (l->gone_ms && l->tell_gone)
        l->gone = loop_timer_new(loop, on_gone, l);
    if (!l->host || !l->username || !l->password || !l->tls_name || !l->actions || !l->retry ||
        !l->deadline || !l->tick || (l->gone_ms && l->tell_gone && !l->gone) ||
        make_metrics(l, metrics) < 0 ||
        conn_class_init(&l->cls, loop, &conn_handler, 4 * AMI_MAX_BLOCK, 4 << 20) < 0) {
        link_destroy(&l);
        return NULL;
    }
    loop_timer_start(l->tick, TICK_MS, true);
    loop_timer_start(l->retry, 0, false);
    return l;
}

struct ami_link *link_clone(const struct ami_link *l, const char *instance,
                            const struct link_handler *handler, void *arg, struct metrics *metrics)
{
    struct link_options opt = {.host = l->host,
                               .port = l->port,
                               .username = l->username,
                               .password = l->password,
                               .instance = instance,
                               .timeout_ms = l->timeout_ms,
                               .backoff_ms = l->backoff_ms,
                               .ping_after_ms = (uint32_t)(l->ping_after_us / 1000),
                               .tls = l->tls,
                               .tls_name = l->tls_name};

    return link_new(l->loop, &opt, handler, arg, metrics, l->log);
}

void link_destroy(struct ami_link **lp)
{
    struct ami_link *l = lp ? *lp : NULL;

    if (!l)
        return;
    *lp = NULL;
    l->phase = STOPPED;
    dial_cancel(&l->dial);
    if (l->conn)
        conn_close(&l->conn);
    actions_destroy(&l->actions);
    loop_timer_destroy(&l->retry);
    loop_timer_destroy(&l->deadline);
    loop_timer_destroy(&l->tick);
    loop_timer_destroy(&l->gone);
    if (l->cls.loop)
        conn_class_fini(&l->cls);
    buf_free(&l->out);
    free(l->host);
    free(l->username);
    if (l->password)
        explicit_bzero(l->password, strlen(l->password));
    free(l->password);
    free(l->tls_name);
    free(l);
}
