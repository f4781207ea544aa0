/*
 * Actions: what we ask of Asterisk. Each has an ActionID of our own; its answer, and the events of
 * a list answer, are matched by it. Pure but for the deadline clock that the owner drives.
 */
#ifndef CTIBUS_AMILINK_ACTIONS_H
#define CTIBUS_AMILINK_ACTIONS_H

#include "ami/ami.h"
#include "base/map.h"

#define ACTION_DEADLINE_MS 5000
#define ORIGINATE_DEADLINE_MS 60000

enum action_result {
    ACTION_OK,
    ACTION_ERROR,   /* Response: Error */
    ACTION_TIMEOUT, /* no (complete) answer in time */
    ACTION_LOST     /* the link went down first */
};

/* The end of an action. response: its Response block, or NULL. */
typedef void action_done_fn(void *arg, enum action_result outcome,
                            const struct ami_block *response);
/* A part of the answer: the Response that a list begins with, an event of it, or a piece of the
 * text that is the whole answer. */
typedef void action_item_fn(void *arg, const struct ami_block *event);

struct actions;
/* prefix: what our ActionIDs begin with (copied). */
struct actions *actions_new(const char *prefix);
void actions_destroy(struct actions **a); /* what waits is called with ACTION_LOST */

/* Begins an action in `out`: writes Action and ActionID; the caller adds its headers to *aa and
 * calls actions_commit. */
void actions_begin(struct actions *a, struct ami_action *aa, struct buf *out, struct view action);
/* Ends it and waits for the answer; is_list: a good answer is followed by events up to its
 * Complete, and the deadline is that of the next of them (ten times as long in all). done may be
 * NULL, item too. 0, or what ami_action_end returned (nothing waits then), -ENOMEM, or -EBUSY with
 * 10,000 waiting. */
int actions_commit(struct actions *a, struct ami_action *aa, bool is_list, uint32_t deadline_ms,
                   action_item_fn *item, action_done_fn *done, void *arg);

/* The ActionID of the action begun last. */
const char *actions_last_id(const struct actions *a);

/* The action Queues of Asterisk before 18 answers with text alone: no Response, no ActionID, no
 * end. As answers come in order, it ends where the answer to the next action begins: commit it with
 * this, and another action (Ping) behind it whose `done` calls actions_text_end. -EBUSY while
 * another such action waits; else as actions_commit. */
int actions_commit_text(struct actions *a, struct ami_action *aa, uint32_t deadline_ms,
                        action_item_fn *item, action_done_fn *done, void *arg);
void actions_text_end(struct actions *a);

/* Offers a block: true when it belonged to an action of ours. */
bool actions_block(struct actions *a, const struct ami_block *b);
/* Ends what is late. */
void actions_tick(struct actions *a);
/* The link is gone: ends all. */
void actions_lost(struct actions *a);
size_t actions_waiting(const struct actions *a);
/* Lists under way: while there are any, events of unknown names matter. */
size_t actions_lists(const struct actions *a);
uint64_t actions_late_total(const struct actions *a); /* answers without a waiting action */

#endif
