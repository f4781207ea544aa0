#include "console/line_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "console/foreign.h"
#include "console/text.h"

#define TICK_MS 50
#define PAUSE_US 100000u      /* in which a web interface says the rest, if there is any */
#define LONG_PAUSE_US 1000000 /* the same behind what cannot be a whole command */
#define SEND_BUFFER (128 * 1024)
#define MAX_SHOWN 60 /* of a line that is not for us, in the log */
#define SOCKET_MODE 0660
#define REFUSALS_PER_S 100 /* told why; the others are just closed */

struct line_server {
    const struct line_server_def *def;
    struct loop *loop;
    struct log *log;
    struct metrics *metrics;
    struct listener *listener, *local; /* NULL: switched off */
    struct loop_timer *tick;           /* runs while somebody is there */
    struct conn_class conns;
    struct netlist allowed;
    LIST_HEAD(, line_client) talks;
    size_t n_talks, n_local; /* n_local of them through the Unix socket */
    void *owner;
    uint64_t refusal_second;
    unsigned refusals; /* in that second */
    struct metric *connections, *refused, *commands, *foreign;
};

/* ---- refusing ---- */

static bool may_be_told(struct line_server *d)
{
    uint64_t second = clock_mono_us() / 1000000;

    if (second != d->refusal_second)
        d->refusals = 0;
    d->refusal_second = second;
    return d->refusals++ < REFUSALS_PER_S;
}

/* Takes fd. */
static void refuse(struct line_server *d, int fd, const char *peer, const char *why)
{
    struct conn *c = NULL;
    char line[256];

    metric_add(d->refused, 1);
    log_warning(d->log, "%s: %s is refused: %s", d->def->name, peer, why);
    if (may_be_told(d))
        c = conn_new(&d->conns, fd, NULL);
    else
        close(fd);
    if (!c)
        return;
    snprintf(line, sizeof(line), "%s %s is refused: %s\n", d->def->refusal, peer, why);
    conn_send(c, view_cstr(line));
    conn_close_after_flush(&c);
}

/* ---- talks ---- */

static void end(struct line_client *t)
{
    struct line_server *d = t->server;

    LIST_REMOVE(t, all);
    d->n_talks--;
    d->n_local -= t->local;
    if (d->def->closed)
        d->def->closed(t);
    if (t->conn)
        conn_close_after_flush(&t->conn);
    buf_free(&t->in);
    free(t);
}

void line_client_close(struct line_client *t)
{
    t->closing = true;
    if (!t->working)
        end(t);
}

int line_client_send(struct line_client *t, struct view text)
{
    return t->conn && text.len ? conn_send(t->conn, text) : 0;
}

size_t line_client_backlog(const struct line_client *t)
{
    return t->conn ? conn_output_len(t->conn) : 0;
}

/* ---- lines ---- */

static void too_long(struct line_client *t)
{
    char line[128];

    log_notice(t->server->log, "%s %s: a line of more than %zu bytes: cut off",
               t->server->def->name, t->peer, t->server->def->max_line);
    snprintf(line, sizeof(line), "%s a line is at most %zu bytes\n", t->server->def->refusal,
             t->server->def->max_line);
    line_client_send(t, view_cstr(line));
    t->closing = true; /* feed, which asks, ends it */
}

/* Nothing of it is carried out, and nothing is said: a browser would show that to its page. */
static void is_foreign(struct line_client *t, const char *why, struct view what)
{
    metric_add(t->server->foreign, 1);
    log_warning(t->server->log, "%s %s: cut off: %s: \"%.*s\"", t->server->def->name, t->peer, why,
                (int)(what.len < MAX_SHOWN ? what.len : MAX_SHOWN), what.ptr);
    t->closing = true; /* feed, which asks, ends it */
}

/* What stands there up to a real end of line: no spelled one hides the rest of a request line. */
static struct view raw_line(struct view in)
{
    const char *end = in.len ? memchr(in.ptr, '\n', in.len) : NULL;

    return end ? view_of(in.ptr, (size_t)(end - in.ptr)) : in;
}

/* The next line, and what is left behind it. False: none is whole, it is too long, or it is not
 * meant for us. */
static bool next_line(struct line_client *t, struct view *line, size_t *left)
{
    const struct line_server_def *def = t->server->def;
    struct view rest = buf_view(&t->in);
    struct view raw = raw_line(rest);
    bool whole = text_cut_line(&rest, def->whole != NULL, line);
    const char *foreign;

    if (!whole && rest.len && rest.len <= def->max_line && (t->eof || t->rest_counts)) {
        *line = view_trim(rest);
        rest = view_of(NULL, 0);
        whole = true;
    }
    *left = rest.len;
    foreign = foreign_line(raw);
    if (!foreign && whole)
        foreign = foreign_line(*line);
    if (foreign) {
        is_foreign(t, foreign, raw);
        return false;
    }
    if (whole ? line->len <= def->max_line : rest.len <= def->max_line)
        return whole;
    too_long(t);
    return false;
}

/* Hands out what is there. The talk may be gone afterwards. */
static void feed(struct line_client *t)
{
    struct view line;
    size_t left;

    if (t->working)
        return;
    t->working = true;
    while (!t->closing && !t->held && next_line(t, &line, &left)) {
        if (line.len) {
            t->lines++;
            metric_add(t->server->commands, 1);
            t->server->def->line(t, line);
        }
        buf_consume(&t->in, buf_len(&t->in) - left);
    }
    t->rest_counts = false;
    t->working = false;
    if (t->closing || (t->eof && !t->held && !t->watching))
        end(t);
}

void line_client_hold(struct line_client *t)
{
    t->held = true;
    conn_pause(t->conn);
}

void line_client_go_on(struct line_client *t)
{
    t->held = false;
    t->last_rx = clock_mono_us();
    conn_resume(t->conn);
    feed(t);
}

/* ---- connections ---- */

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct line_client *t = owner;
    const char *foreign = foreign_bytes(in);

    t->last_rx = clock_mono_us();
    if (foreign) {
        is_foreign(t, foreign, in);
        line_client_close(t);
    } else if (buf_append_view(&t->in, in) < 0) {
        log_error(t->server->log, "%s %s: no memory: cut off", t->server->def->name, t->peer);
        line_client_close(t);
    } else {
        feed(t);
    }
    return in.len;
}

static void on_eof(void *owner, struct conn *c)
{
    struct line_client *t = owner;

    t->eof = true;
    feed(t);
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct line_client *t = owner;

    if (why == CONN_OUTPUT_LIMIT)
        log_notice(t->server->log, "%s %s: does not read what it asked for: cut off",
                   t->server->def->name, t->peer);
    t->conn = NULL;
    end(t);
}

static void on_drained(void *owner, struct conn *c)
{
    struct line_client *t = owner;

    if (t->server->def->drained)
        t->server->def->drained(t);
}

static const struct conn_handler conn_handler = {on_data, on_closed, on_drained};

static void line_client_open(struct line_server *d, int fd, const char *peer, bool local)
{
    struct line_client *t = calloc(1, sizeof(*t));
    int size = SEND_BUFFER;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (!t) {
        close(fd);
        return;
    }
    t->server = d;
    t->owner = d->owner;
    t->local = local;
    t->last_rx = clock_mono_us();
    snprintf(t->peer, sizeof(t->peer), "%s", peer);
    buf_init(&t->in, 0); /* what is read at once is bounded, and then it is cut */
    t->conn = conn_new(&d->conns, fd, t);
    if (!t->conn) {
        free(t);
        return;
    }
    LIST_INSERT_HEAD(&d->talks, t, all);
    d->n_talks++;
    d->n_local += local;
    log_info(d->log, "%s: %s connects", d->def->name, t->peer);
    if (d->def->opened && d->def->opened(t) < 0)
        line_client_close(t);
    else if (!loop_timer_running(d->tick))
        loop_timer_start(d->tick, TICK_MS, true);
}

/* Ends the one of its kind that has been there for longest and has said nothing. False: all have.
 */
static bool make_room(struct line_server *d, bool local)
{
    struct line_client *oldest = NULL;
    struct line_client *t;

    LIST_FOREACH(t, &d->talks, all) /* the latest is the first */
    if (t->local == local && t->lines == 0 && !t->working)
        oldest = t;
    if (!oldest)
        return false;
    metric_add(d->refused, 1);
    log_notice(d->log, "%s %s: has said nothing and gives its place to the next", d->def->name,
               oldest->peer);
    end(oldest);
    return true;
}

static void on_accept(void *arg, int fd, const struct sockaddr *sa, socklen_t len)
{
    struct line_server *d = arg;
    struct netaddr address;
    char peer[NETADDR_TEXT];
    char why[128];
    uint16_t port;

    if (netaddr_of(sa, &address, &port) < 0) {
        close(fd);
        return;
    }
    netaddr_print_port(&address, port, peer);
    if (!netlist_has(&d->allowed, &address)) {
        snprintf(why, sizeof(why), "its address is not in %s", d->def->access_key);
        refuse(d, fd, peer, why);
    } else if (d->n_talks - d->n_local >= d->def->max_talks && !make_room(d, false)) {
        snprintf(why, sizeof(why), "%u are connected already", d->def->max_talks);
        refuse(d, fd, peer, why);
    } else {
        line_client_open(d, fd, peer, false);
    }
}

/* Who may do this is for the permissions of the socket and its folder to say. */
static void on_local(void *arg, int fd, const struct sockaddr *sa, socklen_t len)
{
    struct line_server *d = arg;
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t size = sizeof(who);
    char peer[NETADDR_TEXT];
    char why[128];

    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size);
    snprintf(peer, sizeof(peer), "local uid=%u pid=%d", (unsigned)who.uid, (int)who.pid);
    if (d->n_local >= d->def->max_talks && !make_room(d, true)) {
        snprintf(why, sizeof(why), "%u are connected already", d->def->max_talks);
        refuse(d, fd, peer, why);
    } else {
        line_client_open(d, fd, peer, true);
    }
}

/* ---- time ---- */

/* It may be gone afterwards. */
static void look_after_web(struct line_client *t, uint64_t silent)
{
    bool rest = buf_len(&t->in) > 0;
    bool whole = rest && t->server->def->whole(view_trim(buf_view(&t->in)));

    if (rest && silent > (whole ? PAUSE_US : LONG_PAUSE_US)) {
        t->rest_counts = true;
        feed(t);
    } else if (!rest && t->lines && silent > PAUSE_US) {
        line_client_close(t);
    }
}

static void tick(void *arg)
{
    struct line_server *d = arg;
    uint64_t now = clock_mono_us();
    struct line_client *t, *next;

    LIST_FOREACH_SAFE(t, &d->talks, all, next)
    {
        uint64_t silent = now > t->last_rx ? now - t->last_rx : 0;
        if (t->held)
            continue;
        if (!t->watching && silent > (uint64_t)d->def->idle_ms * 1000) {
            log_info(d->log, "%s %s: silent for %u s: cut off", d->def->name, t->peer,
                     d->def->idle_ms / 1000);
            line_client_close(t);
        } else if (d->def->whole) {
            look_after_web(t, silent);
        }
    }
    if (d->n_talks == 0)
        loop_timer_stop(d->tick);
}

/* ---- lifecycle ---- */

static double count_talks(void *arg)
{
    return (double)((struct line_server *)arg)->n_talks;
}

static int make_metrics(struct line_server *d)
{
    const char *const *label = METRIC_VALUES(d->def->name);

    d->connections =
        metrics_callback(d->metrics, METRIC_state_console_connections, label, count_talks, d);
    d->refused = metrics_add(d->metrics, METRIC_state_console_refused, label);
    d->commands = metrics_add(d->metrics, METRIC_state_console_commands, label);
    d->foreign = metrics_add(d->metrics, METRIC_state_console_foreign, label);
    return d->connections && d->refused && d->commands && d->foreign ? 0 : -ENOMEM;
}

static int prepare(struct line_server *d, const struct config *cfg)
{
    int err = config_networks(cfg, d->def->access_key, &d->allowed);

    if (err == 0)
        err = make_metrics(d);
    if (err == 0)
        err = conn_class_init(&d->conns, d->loop, &conn_handler, 2 * d->def->max_line,
                              LINE_SERVER_MAX_OUTPUT);
    if (err < 0)
        return err;
    d->conns.eof = on_eof;
    d->tick = loop_timer_new(d->loop, tick, d);
    return d->tick ? 0 : -ENOMEM;
}

static int listen_at(struct line_server *d, const char *at)
{
    int err = 0;

    if (!*at)
        return 0;
    d->listener = listener_new(d->loop, at, on_accept, d, &err);
    if (err < 0)
        log_error(d->log, "cannot listen at %s for %s (%s): %s", at, d->def->name,
                  d->def->listen_key, strerror(-err));
    return err;
}

static int listen_locally(struct line_server *d, const char *path)
{
    int err = 0;

    if (!path)
        return 0;
    d->local = listener_new_path(d->loop, path, SOCKET_MODE, on_local, d, &err);
    if (err < 0)
        log_error(d->log, "cannot listen at %s for %s (%s): %s", path, d->def->name,
                  d->def->socket_key, strerror(-err));
    return err;
}

/* The path of the Unix socket, or NULL: there is none. The caller frees it. */
static int socket_path(const struct config *cfg, const char *key, char **path)
{
    const char *given = key ? config_str(cfg, key) : NULL;

    *path = given && *given ? config_path(cfg, view_cstr(given)) : NULL;
    return given && *given && !*path ? -ENOMEM : 0;
}

static struct line_server *line_server_alloc(struct loop *loop, const struct line_server_def *def,
                                             void *owner, struct metrics *metrics, struct log *log)
{
    struct line_server *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->def = def;
    d->loop = loop;
    d->log = log;
    d->metrics = metrics;
    d->owner = owner;
    LIST_INIT(&d->talks);
    return d;
}

struct line_server *line_server_new(struct loop *loop, const struct config *cfg,
                                    const struct line_server_def *def, void *owner,
                                    struct metrics *metrics, struct log *log, int *err)
{
    struct line_server *d = NULL;
    char *path = NULL;
    char at[256];

    if (!config_listen(cfg, def->listen_key, at, sizeof(at)))
        *at = '\0';
    *err = socket_path(cfg, def->socket_key, &path);
    if (*err == 0 && (*at || path)) {
        d = line_server_alloc(loop, def, owner, metrics, log);
        *err = d ? prepare(d, cfg) : -ENOMEM;
        if (*err == 0)
            *err = listen_at(d, at);
        if (*err == 0)
            *err = listen_locally(d, path);
    }
    if (*err < 0)
        line_server_destroy(&d);
    free(path);
    return d;
}

void line_server_destroy(struct line_server **dp)
{
    struct line_server *d = dp ? *dp : NULL;
    struct line_client *t;

    if (!d)
        return;
    *dp = NULL;
    listener_destroy(&d->listener);
    listener_destroy(&d->local);
    while ((t = LIST_FIRST(&d->talks)))
        end(t);
    if (d->conns.loop)
        conn_class_fini(&d->conns);
    loop_timer_destroy(&d->tick);
    if (d->connections) /* it asks us */
        metrics_remove(d->metrics, &d->connections);
    if (d->refused)
        metrics_remove(d->metrics, &d->refused);
    if (d->commands)
        metrics_remove(d->metrics, &d->commands);
    if (d->foreign)
        metrics_remove(d->metrics, &d->foreign);
    netlist_clear(&d->allowed);
    free(d);
}

void line_server_reload(struct line_server *d, const struct config *cfg)
{
    struct netlist allowed = {NULL, 0};

    if (config_networks(cfg, d->def->access_key, &allowed) < 0) {
        netlist_clear(&allowed);
        log_error(d->log, "no memory: who may connect to %s stays as it was", d->def->name);
        return;
    }
    netlist_clear(&d->allowed);
    d->allowed = allowed;
}

uint16_t line_server_port(const struct line_server *d)
{
    return d->listener ? listener_port(d->listener) : 0;
}
