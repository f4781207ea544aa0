/* What happened in the queues in the last 24 hours, and what it sums up to. */
#include "model/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/map.h"

#define MAX_OPEN 4096 /* joins of a queue from before a restart that have not ended */
#define FIRST_CAP 64

struct statistics *statistics_new(void)
{
    struct statistics *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    LIST_INIT(&s->due);
    s->queues = map_new();
    s->calls = map_new();
    if (!s->queues || !s->calls)
        statistics_destroy(&s);
    return s;
}

static void history_free(void *arg)
{
    struct history *h = arg;

    free(h->ring);
    free(h->open);
    free(h);
}

void statistics_destroy(struct statistics **sp)
{
    struct statistics *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    if (s->calls)
        queue_call_drop_all(s);
    map_destroy_with(&s->queues, history_free);
    map_destroy(&s->calls);
    free(s);
}

bool statistics_wants_tick(const struct ipbx_model *d)
{
    return d->stats->n_left > 0 || !LIST_EMPTY(&d->stats->due);
}

struct history *history_of(struct statistics *s, struct view id)
{
    struct history *h = map_get(s->queues, id);

    if (h || map_count(s->queues) >= STATISTICS_MAX_QUEUES)
        return h;
    h = calloc(1, sizeof(*h) + id.len);
    if (!h)
        return NULL;
    h->id_len = id.len;
    if (id.len)
        memcpy(h->id, id.ptr, id.len);
    if (map_put(s->queues, view_of(h->id, h->id_len), h) == 0)
        return h;
    free(h);
    return NULL;
}

/* ---- the ring ---- */

static int grow(struct history *h)
{
    uint32_t cap = h->cap ? h->cap * 2 : FIRST_CAP;
    struct queue_record *ring = malloc(cap * sizeof(*ring));

    if (!ring)
        return -ENOMEM;
    for (uint32_t i = 0; i < h->n; i++)
        ring[i] = *history_at(h, i);
    free(h->ring);
    h->ring = ring;
    h->cap = cap;
    h->first = 0;
    return 0;
}

static void drop_oldest(struct history *h)
{
    h->first = (h->first + 1) & (h->cap - 1);
    h->n--;
}

static int keep(struct history *h, enum queue_event_kind kind, double time, double waited)
{
    while (h->n && history_at(h, 0)->time < time - STATISTICS_KEEP_S)
        drop_oldest(h);
    if (h->n == STATISTICS_MAX_EVENTS)
        drop_oldest(h);
    if (h->n == h->cap && grow(h) < 0)
        return -ENOMEM;
    h->ring[(h->first + h->n++) & (h->cap - 1)] =
        (struct queue_record){time, (float)waited, (uint8_t)kind};
    return 0;
}

void statistics_tell(struct ipbx_model *d, struct view queue_id, enum queue_event_kind kind,
                     double time, double waited)
{
    struct history *h = history_of(d->stats, queue_id);
    struct queue_event e = {kind, queue_id, time, waited > 0 ? waited : 0};

    if (h)
        keep(h, kind, time, e.waited);
    if (d->effects && d->effects->queue)
        d->effects->queue(d->effects_arg, d, &e);
}

/* ---- after a restart ---- */

static int open_add(struct statistics *s, struct history *h, double time)
{
    if (h->n_open == MAX_OPEN)
        return 0; /* they are ends that were never told */
    if (h->n_open == h->cap_open) {
        size_t cap = h->cap_open ? h->cap_open * 2 : 16;
        double *open = realloc(h->open, cap * sizeof(*open));
        if (!open)
            return -ENOMEM;
        h->open = open;
        h->cap_open = cap;
    }
    h->open[h->n_open++] = time;
    s->n_open++;
    return 0;
}

/* The join that is nearest to this time has ended. */
static void open_end(struct statistics *s, struct history *h, double joined)
{
    size_t best = 0;

    if (h->n_open == 0)
        return;
    for (size_t i = 1; i < h->n_open; i++)
        if (fabs(h->open[i] - joined) < fabs(h->open[best] - joined))
            best = i;
    h->open[best] = h->open[--h->n_open];
    s->n_open--;
}

int statistics_restore(struct ipbx_model *d, const struct queue_event *e)
{
    struct history *h;
    int rc;

    if ((unsigned)e->kind > QUEUE_LEFT || !isfinite(e->time) || !isfinite(e->waited))
        return -EINVAL;
    h = history_of(d->stats, e->queue_id);
    if (!h)
        return map_count(d->stats->queues) >= STATISTICS_MAX_QUEUES ? -ENOBUFS : -ENOMEM;
    rc = keep(h, e->kind, e->time, e->waited);
    if (rc < 0)
        return rc;
    if (e->kind == QUEUE_JOIN)
        return open_add(d->stats, h, e->time);
    open_end(d->stats, h, e->time - e->waited);
    return 0;
}

/* ---- sums ---- */

static double percentage(unsigned part, unsigned whole)
{
    return whole ? 100.0 * part / whole : NAN;
}

void statistics_window(const struct ipbx_model *d, struct view queue_id, double now,
                       double window_s, double xqos_s, struct queue_window *out)
{
    const struct history *h = map_get(d->stats->queues, queue_id);
    unsigned count[QUEUE_LEFT + 1] = {0};
    unsigned in_time = 0;
    double sum = 0;
    double max = 0;

    /* All of them are looked at: a clock that was set back leaves them out of order. */
    for (uint32_t i = 0; h && i < h->n; i++) {
        const struct queue_record *e = history_at(h, i);
        if (e->time <= now - window_s)
            continue;
        count[e->kind]++;
        if (e->kind != QUEUE_LINK)
            continue;
        in_time += e->waited <= xqos_s;
        sum += e->waited;
        max = e->waited > max ? e->waited : max;
    }
    *out = (struct queue_window){.join = count[QUEUE_JOIN],
                                 .link = count[QUEUE_LINK],
                                 .lost = count[QUEUE_LOST],
                                 .left = count[QUEUE_LEFT]};
    out->rate = percentage(out->link, out->link + out->lost + out->left);
    out->qos = percentage(in_time, out->link);
    out->holdtime_max = out->link ? max : NAN;
    out->holdtime_avg = out->link ? sum / out->link : NAN;
}
