/*
 * Webhooks: events become deliveries (queue.h), and deliveries leave (sender.h), again and again
 * until they have arrived or are given up.
 *
 * A receiver that cannot be reached, or says 429, 502, 503 or 504, is left alone for a while, with
 * all that waits for it; another status than 2xx is that of one delivery, which waits alone with
 * what follows in its lane. Waits grow from 1 s to 5 min (receiver) or 10 min (delivery). After
 * ctibus.webhook_queue.give_up_hours a delivery is a dead letter.
 */
#ifndef CTIBUS_HTTP_GW_HOOKS_H
#define CTIBUS_HTTP_GW_HOOKS_H

#include "config/config.h"
#include "events/events.h"
#include "hooks/hook.h"
#include "hooks/queue.h"

struct hooks;

/* Opens the queue, reads the webhooks of the configuration, and begins to send what was left of the
 * last run. NULL and *err on failure (logged). */
struct hooks *hooks_new(struct loop *loop, const struct config *cfg, struct metrics *metrics,
                        struct log *log, int *err);
void hooks_destroy(struct hooks **h);
/* The configuration was read anew. What is wrong with it is logged, and the webhooks stay. */
void hooks_reload(struct hooks *h, const struct config *cfg);
struct db *hooks_db(struct hooks *h);
/* Are there any? */
bool hooks_any(const struct hooks *h);

/* An event that is to be delivered. */
struct hooks_event {
    struct view id, name, ipbx;
    struct view key;  /* of what it is about: those of one key keep their order */
    struct view json; /* streams, event_put_json */
    double time;      /* seconds since 1970 */
};
/* Adds a delivery for each webhook that wants it, written by `txn`; what cannot be added is counted
 * and logged. */
void hooks_add(struct hooks *h, const struct hooks_event *e, struct db_txn *txn);
/* What was added before is on disk: it may leave. For the done of txn, with hooks_mark taken when
 * it was handed over. */
int64_t hooks_mark(const struct hooks *h);
void hooks_kept(struct hooks *h, int64_t mark);

/* Appends the webhooks as an array of msgpack: name, url, events, waiting, sending, failures, next
 * (seconds until the receiver is tried again), sent, last (when, seconds since 1970), why. */
void hooks_put(const struct hooks *h, struct buf *out);
/* A dead letter waits again. False: there is no webhook item->hook any more, the letter waits
 * already, or there is no room. */
bool hooks_revive(struct hooks *h, const struct queue_item *item, int64_t id);
/* Counts the dead letters on disk anew, for the metric. */
void hooks_count_dead(struct hooks *h);

#endif
