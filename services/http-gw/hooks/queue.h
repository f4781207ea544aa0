/*
 * What is still to be delivered: on disk (SQLite), and in memory in lanes. A lane holds what one
 * webhook is to be told of one call (or other object), in order: the next leaves when the one
 * before it has arrived, or is given up.
 */
#ifndef CTIBUS_HTTP_GW_QUEUE_H
#define CTIBUS_HTTP_GW_QUEUE_H

#include "base/buf.h"
#include "base/queue.h"
#include "database/db.h"

extern const struct db_schema queue_schema;

struct queue;
struct lane;

struct delivery {
    STAILQ_ENTRY(delivery) link;  /* of its lane */
    STAILQ_ENTRY(delivery) fresh; /* of those that are not on disk yet */
    TAILQ_ENTRY(delivery) wait;   /* the owner's */
    struct lane *lane;
    int64_t id;     /* of the row */
    char *event;    /* its id */
    char *name;     /* call.started */
    char *body;     /* NUL-ended */
    size_t len;     /* of the body */
    double created; /* seconds since 1970 */
    unsigned tries;
    uint64_t due; /* monotonic us */
    bool kept;    /* it is on disk: it may leave */
    bool leaves;  /* it is under way */
};

/* At most `max` deliveries wait. `ready`: one is on disk, and the first of its lane, and not under
 * way. NULL without memory. */
typedef void queue_ready_fn(void *arg, struct delivery *d);
struct queue *queue_new(struct db *db, size_t max, queue_ready_fn *ready, void *arg);
void queue_destroy(struct queue **q);
/* Those of the last run, before the database is started; `ready` is called of the first of each
 * lane. 0 or a negative error. */
int queue_restore(struct queue *q);

struct queue_item {
    struct view hook, event, name, key; /* key: of the lane */
    struct view body;
    double now; /* seconds since 1970 */
};
/* Adds one; it is written by `txn`. 0; -ENOBUFS: too many wait; -ENOMEM. */
int queue_add(struct queue *q, const struct queue_item *item, struct db_txn *txn);
/* The number of the one that was added last: for queue_kept, when txn is on disk. */
int64_t queue_last(const struct queue *q);
/* All up to this number are on disk. */
void queue_kept(struct queue *q, int64_t up_to);

/* The webhook of a delivery. */
struct view queue_hook(const struct delivery *d);
/* It has arrived: it is forgotten, and the next of its lane is ready. */
void queue_done(struct queue *q, struct delivery *d);
/* It is to be tried again at `due`. */
void queue_again(struct queue *q, struct delivery *d, uint64_t due, const char *why);
/* It is given up: a dead letter, which stays on disk. */
void queue_bury(struct queue *q, struct delivery *d, const char *why);
/* A dead letter waits again, behind what its lane has, for as long as a new one. 0; -EEXIST: it
 * does already; -ENOBUFS: too many wait; -ENOMEM. */
int queue_revive(struct queue *q, const struct queue_item *item, int64_t id);

size_t queue_waiting(const struct queue *q, struct view hook); /* empty: of all */

#endif
