#include "console/door.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "console/text.h"

#define TICK_MS 50
#define PAUSE_US 100000u      /* in which a web interface says the rest, if there is any */
#define LONG_PAUSE_US 1000000 /* the same behind what cannot be a whole command */
#define SEND_BUFFER (128 * 1024)
#define REFUSALS_PER_S 100 /* told why; the others are just closed */

struct door {
    const struct door_def *def;
    struct loop *loop;
    struct log *log;
    struct metrics *metrics;
    struct listener *listener;
    struct loop_timer *tick; /* runs while somebody is there */
    struct conn_class conns;
    struct netlist allowed;
    LIST_HEAD(, talk) talks;
    size_t n_talks;
    void *owner;
    uint64_t refusal_second;
    unsigned refusals; /* in that second */
    struct metric *connections, *refused, *commands;
};

/* ---- refusing ---- */

static bool may_be_told(struct door *d)
{
    uint64_t second = clock_mono_us() / 1000000;

    if (second != d->refusal_second)
        d->refusals = 0;
    d->refusal_second = second;
    return d->refusals++ < REFUSALS_PER_S;
}

/* Takes fd. */
static void refuse(struct door *d, int fd, const char *peer, const char *why)
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

static void end(struct talk *t)
{
    struct door *d = t->door;

    LIST_REMOVE(t, all);
    d->n_talks--;
    if (d->def->closed)
        d->def->closed(t);
    if (t->conn)
        conn_close_after_flush(&t->conn);
    buf_free(&t->in);
    free(t);
}

void talk_close(struct talk *t)
{
    t->closing = true;
    if (!t->working)
        end(t);
}

int talk_send(struct talk *t, struct view text)
{
    return t->conn && text.len ? conn_send(t->conn, text) : 0;
}

size_t talk_backlog(const struct talk *t)
{
    return t->conn ? conn_output_len(t->conn) : 0;
}

/* ---- lines ---- */

static void too_long(struct talk *t)
{
    char line[128];

    log_notice(t->door->log, "%s %s: a line of more than %zu bytes: cut off", t->door->def->name,
               t->peer, t->door->def->max_line);
    snprintf(line, sizeof(line), "%s a line is at most %zu bytes\n", t->door->def->refusal,
             t->door->def->max_line);
    talk_send(t, view_cstr(line));
    t->closing = true; /* feed, which asks, ends it */
}

/* The next line, and what is left behind it. False: none is whole, or it is too long. */
static bool next_line(struct talk *t, struct view *line, size_t *left)
{
    const struct door_def *def = t->door->def;
    struct view rest = buf_view(&t->in);
    bool whole = text_cut_line(&rest, def->whole != NULL, line);

    if (!whole && rest.len && rest.len <= def->max_line && (t->eof || t->rest_counts)) {
        *line = view_trim(rest);
        rest = view_of(NULL, 0);
        whole = true;
    }
    *left = rest.len;
    if (whole ? line->len <= def->max_line : rest.len <= def->max_line)
        return whole;
    too_long(t);
    return false;
}

/* Hands out what is there. The talk may be gone afterwards. */
static void feed(struct talk *t)
{
    struct view line;
    size_t left;

    if (t->working)
        return;
    t->working = true;
    while (!t->closing && !t->held && next_line(t, &line, &left)) {
        if (line.len) {
            t->lines++;
            metric_add(t->door->commands, 1);
            t->door->def->line(t, line);
        }
        buf_consume(&t->in, buf_len(&t->in) - left);
    }
    t->rest_counts = false;
    t->working = false;
    if (t->closing || (t->eof && !t->held && !t->watching))
        end(t);
}

void talk_hold(struct talk *t)
{
    t->held = true;
    conn_pause(t->conn);
}

void talk_go_on(struct talk *t)
{
    t->held = false;
    t->heard = clock_mono_us();
    conn_resume(t->conn);
    feed(t);
}

/* ---- connections ---- */

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct talk *t = owner;

    t->heard = clock_mono_us();
    if (buf_append_view(&t->in, in) < 0) {
        log_error(t->door->log, "%s %s: no memory: cut off", t->door->def->name, t->peer);
        talk_close(t);
    } else {
        feed(t);
    }
    return in.len;
}

static void on_eof(void *owner, struct conn *c)
{
    struct talk *t = owner;

    t->eof = true;
    feed(t);
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct talk *t = owner;

    if (why == CONN_OUTPUT_LIMIT)
        log_notice(t->door->log, "%s %s: does not read what it asked for: cut off",
                   t->door->def->name, t->peer);
    t->conn = NULL;
    end(t);
}

static void on_drained(void *owner, struct conn *c)
{
    struct talk *t = owner;

    if (t->door->def->drained)
        t->door->def->drained(t);
}

static const struct conn_handler conn_handler = {on_data, on_closed, on_drained};

static void talk_open(struct door *d, int fd, const char *peer)
{
    struct talk *t = calloc(1, sizeof(*t));
    int size = SEND_BUFFER;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (!t) {
        close(fd);
        return;
    }
    t->door = d;
    t->owner = d->owner;
    t->heard = clock_mono_us();
    snprintf(t->peer, sizeof(t->peer), "%s", peer);
    buf_init(&t->in, 0); /* what is read at once is bounded, and then it is cut */
    t->conn = conn_new(&d->conns, fd, t);
    if (!t->conn) {
        free(t);
        return;
    }
    LIST_INSERT_HEAD(&d->talks, t, all);
    d->n_talks++;
    log_info(d->log, "%s: %s connects", d->def->name, t->peer);
    if (d->def->opened && d->def->opened(t) < 0)
        talk_close(t);
    else if (!loop_timer_running(d->tick))
        loop_timer_start(d->tick, TICK_MS, true);
}

static void on_accept(void *arg, int fd, const struct sockaddr *sa, socklen_t len)
{
    struct door *d = arg;
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
    } else if (d->n_talks >= d->def->max_talks) {
        snprintf(why, sizeof(why), "%u are connected already", d->def->max_talks);
        refuse(d, fd, peer, why);
    } else {
        talk_open(d, fd, peer);
    }
}

/* ---- time ---- */

/* It may be gone afterwards. */
static void look_after_web(struct talk *t, uint64_t silent)
{
    bool rest = buf_len(&t->in) > 0;
    bool whole = rest && t->door->def->whole(view_trim(buf_view(&t->in)));

    if (rest && silent > (whole ? PAUSE_US : LONG_PAUSE_US)) {
        t->rest_counts = true;
        feed(t);
    } else if (!rest && t->lines && silent > PAUSE_US) {
        talk_close(t);
    }
}

static void tick(void *arg)
{
    struct door *d = arg;
    uint64_t now = clock_mono_us();
    struct talk *next;

    for (struct talk *t = LIST_FIRST(&d->talks); t; t = next) {
        uint64_t silent = now > t->heard ? now - t->heard : 0;
        next = LIST_NEXT(t, all);
        if (t->held)
            continue;
        if (!t->watching && silent > (uint64_t)d->def->idle_ms * 1000) {
            log_info(d->log, "%s %s: silent for %u s: cut off", d->def->name, t->peer,
                     d->def->idle_ms / 1000);
            talk_close(t);
        } else if (d->def->whole) {
            look_after_web(t, silent);
        }
    }
    if (d->n_talks == 0)
        loop_timer_stop(d->tick);
}

/* ---- the whole ---- */

static double count_talks(void *arg)
{
    return (double)((struct door *)arg)->n_talks;
}

static int make_metrics(struct door *d)
{
    const char *const *label = METRIC_VALUES(d->def->name);

    d->connections =
        metrics_callback(d->metrics, METRIC_state_console_connections, label, count_talks, d);
    d->refused = metrics_add(d->metrics, METRIC_state_console_refused, label);
    d->commands = metrics_add(d->metrics, METRIC_state_console_commands, label);
    return d->connections && d->refused && d->commands ? 0 : -ENOMEM;
}

static int open_door(struct door *d, const struct config *cfg, const char *at)
{
    int err = config_networks(cfg, d->def->access_key, &d->allowed);

    if (err == 0)
        err = make_metrics(d);
    if (err == 0)
        err = conn_class_init(&d->conns, d->loop, &conn_handler, 2 * d->def->max_line,
                              DOOR_MAX_OUTPUT);
    if (err < 0)
        return err;
    d->conns.eof = on_eof;
    d->tick = loop_timer_new(d->loop, tick, d);
    if (!d->tick)
        return -ENOMEM;
    d->listener = listener_new(d->loop, at, on_accept, d, &err);
    return err;
}

struct door *door_new(struct loop *loop, const struct config *cfg, const struct door_def *def,
                      void *owner, struct metrics *metrics, struct log *log, int *err)
{
    struct door *d;
    char at[256];

    *err = 0;
    if (!config_listen(cfg, def->listen_key, at, sizeof(at)))
        return NULL;
    d = calloc(1, sizeof(*d));
    *err = -ENOMEM;
    if (!d)
        return NULL;
    d->def = def;
    d->loop = loop;
    d->log = log;
    d->metrics = metrics;
    d->owner = owner;
    LIST_INIT(&d->talks);
    *err = open_door(d, cfg, at);
    if (*err == 0)
        return d;
    log_error(log, "cannot listen at %s for %s (%s): %s", at, def->name, def->listen_key,
              strerror(-*err));
    door_destroy(&d);
    return NULL;
}

void door_destroy(struct door **dp)
{
    struct door *d = dp ? *dp : NULL;
    struct talk *t;

    if (!d)
        return;
    *dp = NULL;
    listener_destroy(&d->listener);
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
    netlist_clear(&d->allowed);
    free(d);
}

void door_reload(struct door *d, const struct config *cfg)
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

uint16_t door_port(const struct door *d)
{
    return listener_port(d->listener);
}
