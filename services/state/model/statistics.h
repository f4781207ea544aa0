/*
 * Statistics of queues (not of groups). Three parts:
 *   statistics.c  what happened in each queue in the last 24 hours, and sums over a window of it
 *   queue_call.c       from events to what happened: each call that joins ends in exactly one way
 *   realtime_stats.c     how a queue is at the moment, in its status fields Xivo-...
 */
#ifndef CTIBUS_STATE_MODEL_STATISTICS_H
#define CTIBUS_STATE_MODEL_STATISTICS_H

#include "base/queue.h"
#include "model/model.h"

#define STATISTICS_KEEP_S 86400
#define STATISTICS_MAX_EVENTS (1u << 17) /* of one queue; the oldest is dropped */
#define STATISTICS_MAX_QUEUES 4096       /* of further ones nothing is kept */
#define STATISTICS_MAX_CALLS 100000      /* that wait; further ones are not counted */

/* Sums over a window. What is undefined (of no call) is NAN. */
struct queue_window {
    unsigned join, link, lost, left; /* came, answered, hung up, left otherwise */
    double rate;                     /* percentage answered of those that ended */
    double qos;                      /* percentage of the answered that waited at most xqos_s */
    double holdtime_max;             /* seconds that those who were answered had waited */
    double holdtime_avg;
};

/* What happened from now - window_s on. Both bounds in seconds. A queue of which nothing is known
 * gives zeros and NAN. */
void statistics_window(const struct ipbx_model *d, struct view queue_id, double now,
                       double window_s, double xqos_s, struct queue_window *out);
/* Takes back what effects->queue was told before a restart: in the order of time, before the first
 * event, also of queues that are not configured (yet). Nothing is told of it. What is older than 24
 * hours at the end is dropped with time. 0, -EINVAL (no such kind, or a time or wait that is no
 * number), -ENOBUFS (too many queues) or -ENOMEM. */
int statistics_restore(struct ipbx_model *d, const struct queue_event *e);

/* ---- for the domain ---- */

struct statistics *statistics_new(void); /* NULL without memory */
void statistics_destroy(struct statistics **s);
bool statistics_wants_tick(const struct ipbx_model *d);

/* queue_call.c. A call is known by its Uniqueid, where there is one. `since`: when it joined. */

/* It waits in the queue, of which nothing was known; `found` by a listing. Returns when it joined:
 * `since`, or what was told before a restart. */
double queue_call_join(struct ipbx_model *d, struct xod_obj *queue, const struct xod_obj *channel,
                       double since, bool found);
/* It was answered. */
void queue_call_end(struct ipbx_model *d, struct xod_obj *queue, const struct tel *t,
                    enum queue_event_kind kind);
/* It waits no longer: it counts as `otherwise` unless queue_call_end follows soon. */
void queue_call_leave(struct ipbx_model *d, struct xod_obj *queue, const struct xod_obj *channel,
                      enum queue_event_kind otherwise);
/* It is told as abandoned: it has hung up, or its time is over. */
void queue_call_gave_up(struct ipbx_model *d, struct xod_obj *queue, const struct tel *t);
/* What is known to follow for those that were told so and have left: the channel is hung up, or it
 * goes on in the dialplan. */
void queue_call_hung_up(struct ipbx_model *d, const struct xod_obj *channel);
void queue_call_went_on(struct ipbx_model *d, const struct xod_obj *channel);
void queue_call_renamed(struct ipbx_model *d, struct xod_obj *queue, const struct xod_obj *old,
                        const struct xod_obj *channel);
/* A listing of the queues is complete: what waited before a restart and was not named has left. */
void queue_call_listed(struct ipbx_model *d);
void queue_call_tick(struct ipbx_model *d, double now);

/* realtime_stats.c */

/* Something of it has changed: its figures are computed at the next tick. */
void realtime_stats_touch(struct ipbx_model *d, const struct xod_obj *queue);
void realtime_stats_tick(struct ipbx_model *d, double now);

/* ---- for the three parts ---- */

struct queue_record {
    double time;
    float waited;
    uint8_t kind; /* enum queue_event_kind */
};

/* What is kept of one queue. */
struct history {
    struct queue_record *ring;
    uint32_t cap, first, n; /* cap is a power of two, or 0 */
    double *open;           /* joins from before a restart that have not ended yet */
    size_t n_open, cap_open;
    LIST_ENTRY(history) due; /* while listed */
    bool listed;             /* among those whose figures are to be looked at */
    bool touched;            /* something has changed since `shown` */
    double shown;            /* when the figures were computed */
    size_t id_len;
    char id[];
};

struct statistics {
    struct map *queues; /* id -> struct history */
    struct map *calls;  /* queue_call.c */
    size_t n_left;      /* calls that left and whose end is not known yet */
    size_t n_open;      /* of all queues */
    LIST_HEAD(, history) due;
};

/* Made if there is none. NULL: too many, or no memory. */
struct history *history_of(struct statistics *s, struct view queue_id);
/* Number n from the oldest on. */
static inline const struct queue_record *history_at(const struct history *h, uint32_t n)
{
    return &h->ring[(h->first + n) & (h->cap - 1)];
}
/* Keeps it and tells effects->queue. */
void statistics_tell(struct ipbx_model *d, struct view queue_id, enum queue_event_kind kind,
                     double time, double waited);
/* queue_call.c, for its part of the memory. */
void queue_call_drop_all(struct statistics *s);

#endif
