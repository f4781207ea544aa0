/*
 * Names of callers: the directories are asked who has the number of the other party of a channel of
 * our phones, where no name came with the call. The answer is the channel's peer_known.
 *
 * A number is asked for once a minute and context, and 50 numbers a second at most: what is beyond
 * that stays a number.
 */
#ifndef CTIBUS_STATE_CALLERS_CALLERS_H
#define CTIBUS_STATE_CALLERS_CALLERS_H

#include "core/context.h"

struct callers;

/* Needs s->directories only when asked. NULL without memory. */
struct callers *callers_new(struct state *s);
/* After directories_destroy, which ends the lookups that wait. */
void callers_destroy(struct callers **c);
/* A change of the store, for publisher_watch: which channels are to be looked at. */
void callers_change(void *callers, const struct xod_change *c);
/* Looks at them, outside of a commit; what is known is committed. Cheap when there are none. */
void callers_look(struct callers *c);

#endif
