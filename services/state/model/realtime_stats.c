/* The realtime statistics of a queue: members, callers waiting, wait times. */
#include <math.h>

#include "base/map.h"
#include "model/statistics.h"

#define REFRESH_S 5.0      /* while someone waits, the longest wait grows by itself */
#define EXPECT_OVER_S 3600 /* the expected wait is the mean of calls answered in this time */
#define EXPECT_LAST 1000   /* as far as the last so many happenings tell */

struct figures {
    unsigned logged, available, talking, waiting;
    double first; /* when the first caller joined */
};

void realtime_stats_touch(struct ipbx_model *d, const struct xod_obj *queue)
{
    struct history *h = history_of(d->stats, xod_obj_id(queue));

    if (!h)
        return;
    h->touched = true;
    if (!h->listed)
        LIST_INSERT_HEAD(&d->stats->due, h, due);
    h->listed = true;
}

/* The device states of Asterisk: 4 invalid, 5 unavailable, 101 an agent that is not logged in. */
static bool device_is_there(struct view status)
{
    return !view_eq(status, VIEW("4")) && !view_eq(status, VIEW("5")) &&
           !view_eq(status, VIEW("101"));
}

static void count_member(const struct xod_obj *m, struct figures *f)
{
    const struct xod_obj *agent = xod_related(m, LIST_agents, 0);
    struct view status = xod_get_str(m, XOD(queuemembers, status));
    bool on_call = agent && xod_get(agent, XOD(agents, on_call_acd))->b;

    if (!device_is_there(status) ||
        (agent && view_eq(xod_get_str(agent, XOD(agents, availability)), VIEW("logged_out"))))
        return;
    f->logged++;
    if (on_call || member_device_in_use(status) || xod_get(m, XOD(queuemembers, in_call))->i)
        f->talking++;
    else if (view_eq(status, VIEW("1")) && !value_truth(xod_get(m, XOD(queuemembers, paused))) &&
             xod_get(m, XOD(queuemembers, wrapup_until))->type != V_FLOAT &&
             !(agent && xod_get(agent, XOD(agents, on_wrapup))->b))
        f->available++;
}

static void count(const struct xod_obj *queue, struct figures *f)
{
    const struct xod_obj *o;

    *f = (struct figures){0};
    for (size_t pos = 0; (o = xod_tied_next(queue, LIST_queuemembers, &pos));)
        count_member(o, f);
    for (size_t pos = 0; (o = xod_tied_next(queue, LIST_channels, &pos));) {
        const struct value *since = xod_get(o, XOD(channels, waiting_since));
        if (f->waiting++ == 0 || since->f < f->first)
            f->first = since->f;
    }
}

static double expected_wait(const struct history *h, double now)
{
    unsigned n = 0;
    double sum = 0;

    for (uint32_t i = 0; i < h->n && i < EXPECT_LAST; i++) {
        const struct queue_record *e = history_at(h, h->n - 1 - i);
        if (e->kind != QUEUE_LINK || e->time <= now - EXPECT_OVER_S)
            continue;
        sum += e->waited;
        n++;
    }
    return n ? sum / n : 0;
}

/* Computes and sets them; true while someone waits. */
static bool show(struct xod_obj *queue, const struct history *h, double now)
{
    struct figures f;

    count(queue, &f);
    xod_set_int(queue, XOD(queues, logged_agents), f.logged);
    xod_set_int(queue, XOD(queues, available_agents), f.available);
    xod_set_int(queue, XOD(queues, talking_agents), f.talking);
    xod_set_int(queue, XOD(queues, waiting_calls), f.waiting);
    xod_set_int(queue, XOD(queues, ewt), llround(expected_wait(h, now)));
    xod_set_int(queue, XOD(queues, longest_wait),
                f.waiting && now > f.first ? (int64_t)(now - f.first) : 0);
    return f.waiting > 0;
}

void realtime_stats_tick(struct ipbx_model *d, double now)
{
    struct history *h, *next;

    LIST_FOREACH_SAFE(h, &d->stats->due, due, next)
    {
        struct xod_obj *queue = xod_find(d->ipbx, LIST_queues, view_of(h->id, h->id_len));
        bool waits = queue != NULL;
        if (queue && (h->touched || now - h->shown >= REFRESH_S || now < h->shown)) {
            waits = show(queue, h, now);
            h->shown = now;
            h->touched = false;
        }
        if (!waits) {
            LIST_REMOVE(h, due);
            h->listed = false;
        }
    }
}
