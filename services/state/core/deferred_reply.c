/* Requests that are answered when it is done: the requester may be gone by then. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/audit.h"
#include "core/deferred_reply.h"
#include "core/observed.h"

#define MAX_WAITING 20000

struct deferred_reply {
    struct state *s;
    struct bus_peer *peer; /* NULL: it went away */
    uint64_t id;
    LIST_ENTRY(deferred_reply) all;
    char *body; /* of deferred_reply_when_written */
    size_t body_len;
    /* of a command */
    struct xod_ipbx *ipbx; /* NULL: it is none */
    char user_id[64], class[48];
    uint64_t since; /* monotonic us */
    bool quiet;
    deferred_reply_fn *watch; /* or NULL */
    void *watch_arg;
    struct observed *observed; /* NULL: nobody observes it */
};

struct deferred_reply *deferred_reply_new(struct state *s, struct bus_peer *peer, uint64_t id)
{
    struct deferred_reply *l = s->n_waiting < MAX_WAITING ? calloc(1, sizeof(*l)) : NULL;

    if (!l) {
        state_reply(s, peer, id, BUS_busy);
        return NULL;
    }
    l->s = s;
    l->peer = peer;
    l->id = id;
    LIST_INSERT_HEAD(&s->waiting, l, all);
    s->n_waiting++;
    return l;
}

struct deferred_reply *deferred_reply_for_command(struct state *s, struct bus_peer *peer,
                                                  uint64_t id, struct xod_ipbx *ipbx,
                                                  struct view user_id, struct view class,
                                                  bool quiet)
{
    struct deferred_reply *l = deferred_reply_new(s, peer, id);

    if (!l)
        return NULL;
    l->ipbx = ipbx;
    snprintf(l->user_id, sizeof(l->user_id), "%.*s", VIEW_ARG(user_id));
    snprintf(l->class, sizeof(l->class), "%.*s", (int)(class.len > 47 ? 47 : class.len), class.ptr);
    l->since = clock_mono_us();
    l->quiet = quiet;
    return l;
}

void deferred_reply_watch(struct deferred_reply *l, deferred_reply_fn *fn, void *arg)
{
    l->watch = fn;
    l->watch_arg = arg;
}

void deferred_reply_observe(struct deferred_reply *l, struct observed *o)
{
    l->observed = o;
}

void deferred_reply_send(struct deferred_reply **lp, enum bus_status status, struct view body)
{
    struct deferred_reply *l = *lp;

    *lp = NULL;
    if (l->watch)
        l->watch(l->watch_arg, status, body);
    if (l->peer)
        bus_server_reply(l->s->server, l->peer, l->id, status, body);
    if (l->ipbx)
        ctilog_command(l->s, l->ipbx, view_cstr(l->user_id), view_cstr(l->class), status,
                       clock_mono_us() - l->since, l->quiet);
    observed_end(&l->observed, schema_status_name(status), clock_mono_us() - l->since, body);
    LIST_REMOVE(l, all);
    l->s->n_waiting--;
    free(l->body);
    free(l);
}

void deferred_reply_relay(struct deferred_reply **l, enum bus_status status,
                          const msgpack_object *body)
{
    struct buf out;

    buf_init(&out, 0);
    if (body)
        msg_put_object(&out, body);
    deferred_reply_send(l, status == BUS_gone ? BUS_noconn : status, buf_view(&out));
    buf_free(&out);
}

void deferred_reply_status(struct deferred_reply **l, enum bus_status status)
{
    deferred_reply_send(l, status, view_of(NULL, 0));
}

void deferred_reply_pairs(struct deferred_reply **l, size_t n, const struct buf *pairs)
{
    struct buf body;

    buf_init(&body, 0);
    msg_put_map(&body, n);
    buf_append_view(&body, buf_view(pairs));
    if (body.failed || pairs->failed)
        deferred_reply_status(l, BUS_busy);
    else
        deferred_reply_send(l, BUS_ok, buf_view(&body));
    buf_free(&body);
}

void deferred_reply_error(struct deferred_reply **l, const char *why)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "error_string", view_cstr(why));
    deferred_reply_pairs(l, 1, &pairs);
    buf_free(&pairs);
}

static void on_written(void *arg, int rc)
{
    struct deferred_reply *l = arg;

    deferred_reply_send(&l, BUS_ok, view_of(l->body, l->body_len));
}

void deferred_reply_when_written(struct deferred_reply **lp, struct db_txn **t, struct view body)
{
    struct deferred_reply *l = *lp;

    *lp = NULL;
    l->body = view_dup(body);
    l->body_len = body.len;
    if (l->body && *t)
        db_commit_take(t, on_written, l);
    else
        deferred_reply_send(&l, l->body ? BUS_ok : BUS_busy, body);
}

void deferred_reply_peer_gone(struct state *s, struct bus_peer *peer)
{
    struct deferred_reply *l;

    LIST_FOREACH(l, &s->waiting, all)
    {
        if (!peer || l->peer == peer)
            l->peer = NULL;
    }
}
