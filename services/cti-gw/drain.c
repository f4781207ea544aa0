/*
 * The stop. Nobody new comes in, and clients go one after the other, so that those who take them
 * over are not asked for all logins at once. Who is in the middle of something is left for last.
 *
 * The old clients log in again by themselves only when they find the connection closed: whom they
 * are told to leave by `disconnect`, they log out. So the end of the connection is what tells them;
 * `serverdown` in front of it they pass over, and it is there for those who want to know why.
 */
#include "base/clock.h"
#include "fax.h"
#include "internal.h"

#define STEP_MS 100
#define LAST_WORDS_MS 500 /* for what has been said to leave */

static bool is_busy(const struct client *c)
{
    return c->asked || c->fax;
}

static void send_away(struct client *c)
{
    struct buf *line = &c->gw->line;

    if (c->phase == LIVE) {
        buf_reset(line);
        line_begin(line, VIEW("serverdown"), view_of(NULL, 0));
        buf_append_cstr(line, ",\"mode\":\"stop\"");
        line_end(line);
        client_send_line(c, line);
    }
    client_lose(c, "this gateway stops");
}

/* How many may still be here; they go in equal parts. */
static size_t places(struct gateway *g, uint64_t now)
{
    struct drain *d = &g->drain;

    if (now >= d->end)
        return 0;
    if (g->n_clients > d->most) /* some have come in behind their announcement */
        d->most = g->n_clients;
    return (size_t)((double)d->most * (double)(d->end - now) / (double)(d->end - d->since));
}

static void send_some_away(struct gateway *g, uint64_t now)
{
    struct client *c, *next;
    size_t left = places(g, now);

    LIST_FOREACH_SAFE(c, &g->clients, all, next)
    if (g->n_clients > left && (!is_busy(c) || now >= g->drain.end))
        send_away(c);
}

static void finish(struct gateway *g)
{
    void (*done)(void *) = g->drain.done;

    g->drain.done = NULL;
    loop_timer_stop(g->drain.timer);
    loop_timer_stop(g->janitor);
    done(g->drain.arg);
}

static void step(void *arg)
{
    struct gateway *g = arg;
    struct drain *d = &g->drain;
    uint64_t now = clock_mono_us();

    send_some_away(g, now);
    if (g->n_clients > 0 || (faxes_unsent(g->faxes) > 0 && now < d->end)) {
        d->empty_since = 0;
    } else if (!d->empty_since) {
        d->empty_since = now;
    } else if (conn_class_is_empty(&g->conns) ||
               now - d->empty_since > (uint64_t)LAST_WORDS_MS * 1000) {
        finish(g);
    }
}

struct loop_timer *drain_timer(struct gateway *g)
{
    return loop_timer_new(g->loop, step, g);
}

void gateway_stop(struct gateway *g, void (*done)(void *arg), void *arg)
{
    uint64_t now = clock_mono_us();

    g->drain.done = done;
    g->drain.arg = arg;
    g->drain.since = now;
    g->drain.end = now + (uint64_t)g->opt.limits.drain_ms * 1000;
    g->drain.most = g->n_clients;
    g->ws.leaving = true;
    listeners_close(g);
    if (g->n_clients > 0)
        log_notice(g->log, "%zu clients go within %.1f s", g->n_clients,
                   (double)g->opt.limits.drain_ms / 1000);
    loop_timer_start(g->drain.timer, STEP_MS, true);
    step(g);
}
