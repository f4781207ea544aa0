/* Publishes what has changed in the store. */
#ifndef CTIBUS_STATE_CORE_PUBLISHER_H
#define CTIBUS_STATE_CORE_PUBLISHER_H

#include "bus/bus.h"
#include "xod/xod.h"

struct publisher *publisher_new(struct bus_pub *pub, struct log *log);
void publisher_destroy(struct publisher **p);
/* Publishes what has changed in the store since the last commit; the figures of queues on the plane
 * stats, too. at: when a gateway heard what led to it, 0: none did. */
void publisher_commit(struct publisher *p, struct xod *x, bool synthetic, double at);
#define PUBLISHER_WATCHES 2
/* Every change is told to this function, too, before it is published; to so many at most. */
void publisher_watch(struct publisher *p, xod_change_fn *fn, void *arg);
/* The number of the last change. */
uint64_t publisher_seq(const struct publisher *p);

#endif
