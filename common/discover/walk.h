/* A discovery over an AMI link: sends what discover.h wants, a hundred actions at a time. */
#ifndef CTIBUS_DISCOVER_WALK_H
#define CTIBUS_DISCOVER_WALK_H

#include "amilink/link.h"
#include "discover/discover.h"

struct discovery_walk;
/* The end: `d` (borrowed, until the return) has all that was answered; complete: the link did
 * not go down. An action that was not answered in time is one that failed (discovery_is_complete).
 * The walk may be destroyed or started anew from here. */
typedef void discovery_walk_fn(void *arg, const struct discovery *d, bool complete);

/* timeout_ms: an action that brings nothing for so long is given up; 0: 10 s. NULL without memory.
 */
struct discovery_walk *discovery_walk_new(struct ami_link *link, enum ami_charset charset,
                                          uint32_t timeout_ms, discovery_walk_fn *done, void *arg);
/* What is under way ends without a callback. */
void discovery_walk_destroy(struct discovery_walk **w);
/* Starts; one that runs goes on. -ENOTCONN: the link is down; -ENOMEM. */
int discovery_walk_start(struct discovery_walk *w);
/* NULL: none runs. For progress. */
const struct discovery *discovery_walk_of(const struct discovery_walk *w);

#endif
