/*
 * Requests that their sender may repeat, since it does not know whether the first one arrived: each
 * has a key, and the second one with it gets the answer of the first. Kept in memory for an hour,
 * REPEATS_MAX of them at most; the oldest go first.
 */
#ifndef CTIBUS_STATE_COMMANDS_REPEATS_H
#define CTIBUS_STATE_COMMANDS_REPEATS_H

#include "core/context.h"

#define REPEATS_MAX 10000
#define REPEATS_KEY 200 /* bytes of a key */
#define REPEATS_S 3600.0

struct repeats;
struct repeats *repeats_new(void); /* NULL without memory */
void repeats_destroy(struct repeats **r);

enum repeat_kind {
    REPEAT_FIRST,     /* carry it out, then repeat_done, or repeat_forget */
    REPEAT_DONE,      /* answer as the first one */
    REPEAT_UNDER_WAY, /* the first one has no answer yet */
    REPEAT_OTHER,     /* the same key with another request */
    REPEAT_NO_MEMORY
};
struct repeat;
/* owner: whose key it is; request: what is asked for. *found: of REPEAT_FIRST and REPEAT_DONE. */
enum repeat_kind repeats_look(struct repeats *r, struct view owner, struct view key,
                              struct view request, double now, struct repeat **found);
/* The first one has been answered: a deferred_reply_fn. */
void repeat_done(void *repeat, enum bus_status status, struct view body);
/* The first one was not carried out. */
void repeat_forget(struct repeats *r, struct repeat *one);
/* How it was answered. */
enum bus_status repeat_status(const struct repeat *one, struct view *body);

#endif
