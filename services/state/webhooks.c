#include "webhooks.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/deferred_reply.h"

/* One that sends already says so within this time after a start of state. */
#define SETTLE_MS 3000
#define ASK_MS 5000
#define QUEUE_NAME 64

struct candidate {
    TAILQ_ENTRY(candidate) all; /* the first to come first */
    struct bus_peer *peer;
    char queue[QUEUE_NAME];
};

struct webhooks {
    struct state *s;
    TAILQ_HEAD(candidates, candidate) all;
    struct candidate *active;
    char queue[QUEUE_NAME]; /* whose it was that sent last; empty: not known */
    char since[64];         /* id of the last event that it had; empty: not known */
    struct loop_timer *settle;
};

static void tell(struct webhooks *w, struct candidate *c, bool active)
{
    bool ours = !*w->queue || strcmp(w->queue, c->queue) == 0;
    struct buf pairs;

    buf_init(&pairs, 1024);
    msg_put_cstr(&pairs, "active");
    msg_put_bool(&pairs, active);
    msg_put_pair(&pairs, "since", view_cstr(w->since));
    msg_put_cstr(&pairs, "yours");
    msg_put_bool(&pairs, ours);
    bus_server_ask(w->s->server, c->peer, METHOD_webhooks_active, 3, buf_view(&pairs), ASK_MS, NULL,
                   NULL);
    buf_free(&pairs);
}

static void activate(struct webhooks *w, struct candidate *c)
{
    if (w->active == c)
        return;
    if (w->active)
        tell(w, w->active, false);
    w->active = c;
    if (!c)
        return;
    log_notice(w->s->log, "webhooks are sent by %.*s", VIEW_ARG(bus_peer_instance(c->peer)));
    tell(w, c, true);
    snprintf(w->queue, sizeof(w->queue), "%s", c->queue);
}

static void on_settled(void *arg)
{
    struct webhooks *w = arg;

    if (!w->active)
        activate(w, TAILQ_FIRST(&w->all));
}

static struct candidate *find(const struct webhooks *w, const struct bus_peer *p)
{
    struct candidate *c;

    TAILQ_FOREACH(c, &w->all, all)
    if (c->peer == p)
        return c;
    return NULL;
}

void webhooks_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct webhooks *w = s->webhooks;
    struct candidate *c = find(w, p);

    if (!c) {
        c = calloc(1, sizeof(*c));
        if (!c) {
            state_reply(s, p, id, BUS_busy);
            return;
        }
        c->peer = p;
        TAILQ_INSERT_TAIL(&w->all, c, all);
    }
    snprintf(c->queue, sizeof(c->queue), "%.*s", VIEW_ARG(msg_get_str(body, "queue")));
    state_reply(s, p, id, BUS_ok);
    if (msg_get_bool(body, "active", false)) /* it goes on: nothing is to be told */
        activate(w, c);
    else if (!w->active && *w->queue) /* state was here all the time: nobody else sends */
        activate(w, c);
    else if (!w->active)
        loop_timer_start(w->settle, SETTLE_MS, false);
}

void webhooks_peer_gone(struct webhooks *w, struct bus_peer *p)
{
    struct candidate *c = find(w, p);

    if (!c)
        return;
    TAILQ_REMOVE(&w->all, c, all);
    if (w->active == c) {
        w->active = NULL;
        activate(w, TAILQ_FIRST(&w->all));
    }
    free(c);
}

void webhooks_progress(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct webhooks *w = s->webhooks;

    if (w->active && w->active->peer == p)
        snprintf(w->since, sizeof(w->since), "%.*s", VIEW_ARG(msg_get_str(body, "id")));
    state_reply(s, p, id, BUS_ok);
}

/* ---- what tools ask ---- */

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;

    deferred_reply_relay(&l, status, body);
}

void webhooks_ask(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    static const char *const but[] = {"deadline_ms", NULL};
    struct webhooks *w = s->webhooks;
    struct deferred_reply *l = deferred_reply_new(s, p, id);
    struct buf pairs;
    size_t n;

    if (!l)
        return;
    if (!w->active) {
        deferred_reply_status(&l, BUS_noconn);
        return;
    }
    buf_init(&pairs, 65536);
    n = msg_put_members(&pairs, body, but);
    if (!bus_server_ask(s->server, w->active->peer, METHOD_webhooks, n, buf_view(&pairs), ASK_MS,
                        on_answer, l))
        deferred_reply_status(&l, BUS_noconn);
    buf_free(&pairs);
}

/* ---- lifecycle ---- */

struct webhooks *webhooks_new(struct state *s)
{
    struct webhooks *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->s = s;
    TAILQ_INIT(&w->all);
    w->settle = loop_timer_new(s->loop, on_settled, w);
    if (!w->settle)
        webhooks_destroy(&w);
    return w;
}

void webhooks_destroy(struct webhooks **wp)
{
    struct webhooks *w = wp ? *wp : NULL;
    struct candidate *c;

    if (!w)
        return;
    *wp = NULL;
    while ((c = TAILQ_FIRST(&w->all))) {
        TAILQ_REMOVE(&w->all, c, all);
        free(c);
    }
    loop_timer_destroy(&w->settle);
    free(w);
}
