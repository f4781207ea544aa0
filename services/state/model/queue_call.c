/*
 * The story of each call in a queue: it joins, and ends in exactly one way.
 *
 * Asterisk tells that a caller has left before it tells that it was answered. So a call that has
 * left and of which no end is known is kept for a moment; if nothing follows it ends as it looked
 * when it left.
 *
 * A call that timed out is told as abandoned, too. It has hung up only if its channel is gone
 * before anything else is told of it: a time-out sets QUEUESTATUS, and goes on in the dialplan.
 */
#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "model/statistics.h"

#define GRACE_S 2.0 /* between leaving and the answer that is told of it */
#define SAME_S 2.0  /* a listing knows when a call joined to the second only */

struct queue_call {
    double since;
    double left;  /* when it left; 0: it waits */
    bool told;    /* its end is */
    bool gave_up; /* Asterisk says that it was abandoned: by who hung up, or by the time-out */
    enum queue_event_kind otherwise;
    size_t queue_len, len;
    char key[]; /* id of the queue NUL what the call is known by */
};

static struct view call_name(const struct xod_obj *channel)
{
    struct view uniqueid = xod_get_str(channel, XOD(channels, uniqueid));

    return uniqueid.len ? uniqueid : xod_obj_id(channel);
}

static struct queue_call *queue_call_new(struct view queue, struct view call)
{
    struct queue_call *y = calloc(1, sizeof(*y) + queue.len + 1 + call.len);

    if (!y)
        return NULL;
    y->queue_len = queue.len;
    y->len = queue.len + 1 + call.len;
    memcpy(y->key, queue.ptr, queue.len);
    memcpy(y->key + queue.len + 1, call.ptr, call.len);
    return y;
}

static struct queue_call *find(const struct statistics *s, const struct xod_obj *queue,
                               struct view call)
{
    struct queue_call *probe;
    struct queue_call *y;

    if (map_count(s->calls) == 0 || call.len == 0 || xod_obj_list(queue) != LIST_queues)
        return NULL;
    probe = queue_call_new(xod_obj_id(queue), call);
    y = probe ? map_get(s->calls, view_of(probe->key, probe->len)) : NULL;
    free(probe);
    return y;
}

static void drop(struct statistics *s, struct queue_call *y)
{
    map_del(s->calls, view_of(y->key, y->len));
    if (y->left > 0)
        s->n_left--;
    free(y);
}

void queue_call_drop_all(struct statistics *s)
{
    size_t pos = 0;
    void *y;

    while (map_next(s->calls, &pos, NULL, &y))
        drop(s, y);
}

static void tell_end(struct ipbx_model *d, struct queue_call *y, enum queue_event_kind kind)
{
    statistics_tell(d, view_of(y->key, y->queue_len), kind, d->now,
                    (y->left > 0 ? y->left : d->now) - y->since);
    y->told = true;
}

/* The join of it that was told before a restart, if there is one about this time. */
static bool take_open(struct statistics *s, struct history *h, double *since)
{
    size_t best = 0;

    for (size_t i = 1; i < h->n_open; i++)
        if (fabs(h->open[i] - *since) < fabs(h->open[best] - *since))
            best = i;
    if (h->n_open == 0 || fabs(h->open[best] - *since) > SAME_S)
        return false;
    *since = h->open[best];
    h->open[best] = h->open[--h->n_open];
    s->n_open--;
    return true;
}

double queue_call_join(struct ipbx_model *d, struct xod_obj *queue, const struct xod_obj *channel,
                       double since, bool found)
{
    struct statistics *s = d->stats;
    struct queue_call *y = find(s, queue, call_name(channel));
    struct history *h = found && s->n_open ? history_of(s, xod_obj_id(queue)) : NULL;

    if (y) { /* it is back, before it was sure how it left */
        if (!y->told)
            tell_end(d, y, y->otherwise);
        drop(s, y);
    }
    y = map_count(s->calls) < STATISTICS_MAX_CALLS
            ? queue_call_new(xod_obj_id(queue), call_name(channel))
            : NULL;
    if (!y)
        return since;
    if (map_put(s->calls, view_of(y->key, y->len), y) < 0) {
        free(y);
        return since;
    }
    y->since = since;
    if (!h || !take_open(s, h, &y->since))
        statistics_tell(d, xod_obj_id(queue), QUEUE_JOIN, since, 0);
    return y->since;
}

/* An Asterisk 1.8 names the channel in neither of the two events. */
static struct queue_call *queue_call_of_event(struct ipbx_model *d, struct xod_obj *queue,
                                              const struct tel *t)
{
    struct queue_call *y = find(d->stats, queue, t->str[TELF_uniqueid]);
    struct xod_obj *channel = y ? NULL : channel_named(d, t->str[TELF_channel]);

    return channel ? find(d->stats, queue, call_name(channel)) : y;
}

void queue_call_end(struct ipbx_model *d, struct xod_obj *queue, const struct tel *t,
                    enum queue_event_kind kind)
{
    struct queue_call *y = queue_call_of_event(d, queue, t);

    if (!y || y->told)
        return;
    tell_end(d, y, kind);
    if (y->left > 0)
        drop(d->stats, y);
    realtime_stats_touch(d, queue); /* an answer changes what is to be expected */
}

void queue_call_leave(struct ipbx_model *d, struct xod_obj *queue, const struct xod_obj *channel,
                      enum queue_event_kind otherwise)
{
    struct queue_call *y = find(d->stats, queue, call_name(channel));

    if (!y || y->left > 0)
        return;
    if (y->told) {
        drop(d->stats, y);
        return;
    }
    y->left = d->now;
    y->otherwise = otherwise;
    d->stats->n_left++;
}

void queue_call_gave_up(struct ipbx_model *d, struct xod_obj *queue, const struct tel *t)
{
    struct queue_call *y = queue_call_of_event(d, queue, t);

    if (y)
        y->gave_up = true;
}

/* Those of a channel that have left and whose end is not told yet: each ends so. */
static void end_left(struct ipbx_model *d, const struct xod_obj *channel, bool hung_up)
{
    struct view name = call_name(channel);
    struct xod_obj *queue;
    size_t pos = 0;
    void *v;

    while (d->stats->n_left && map_next(d->stats->calls, &pos, NULL, &v)) {
        struct queue_call *y = v;
        struct view call = view_of(y->key + y->queue_len + 1, y->len - y->queue_len - 1);
        if (y->left <= 0 || !y->gave_up || !view_eq(call, name))
            continue;
        queue = xod_find(d->ipbx, LIST_queues, view_of(y->key, y->queue_len));
        tell_end(d, y, hung_up ? QUEUE_LOST : QUEUE_LEFT);
        drop(d->stats, y);
        if (queue)
            realtime_stats_touch(d, queue);
    }
}

void queue_call_hung_up(struct ipbx_model *d, const struct xod_obj *channel)
{
    end_left(d, channel, true);
}

void queue_call_went_on(struct ipbx_model *d, const struct xod_obj *channel)
{
    end_left(d, channel, false);
}

void queue_call_renamed(struct ipbx_model *d, struct xod_obj *queue, const struct xod_obj *old,
                        const struct xod_obj *channel)
{
    struct queue_call *y = find(d->stats, queue, call_name(old));
    struct queue_call *moved;

    if (!y || view_eq(call_name(old), call_name(channel)))
        return;
    moved = queue_call_new(xod_obj_id(queue), call_name(channel));
    if (!moved)
        return;
    moved->since = y->since;
    moved->told = y->told;
    moved->gave_up = y->gave_up;
    if (map_put(d->stats->calls, view_of(moved->key, moved->len), moved) < 0)
        free(moved);
    else
        drop(d->stats, y);
}

void queue_call_listed(struct ipbx_model *d)
{
    struct statistics *s = d->stats;
    size_t pos = 0;
    void *v;

    while (s->n_open && map_next(s->queues, &pos, NULL, &v)) {
        struct history *h = v;
        while (h->n_open) {
            statistics_tell(d, view_of(h->id, h->id_len), QUEUE_LEFT, d->now,
                            d->now - h->open[--h->n_open]);
            s->n_open--;
        }
    }
}

void queue_call_tick(struct ipbx_model *d, double now)
{
    size_t pos = 0;
    void *v;

    while (d->stats->n_left && map_next(d->stats->calls, &pos, NULL, &v)) {
        struct queue_call *y = v;
        if (y->left <= 0 || (now - y->left < GRACE_S && now >= y->left))
            continue;
        tell_end(d, y, y->otherwise);
        drop(d->stats, y);
    }
}
