/* Memory that a peak has left behind goes back to the system. Belongs to svc/, and load
 * generators that stand for a service. */
#ifndef CTIBUS_SVC_MEMORY_H
#define CTIBUS_SVC_MEMORY_H

#include "loop/loop.h"

struct memory;

/* Once, before other threads are started: so many heaps as threads that matter, not eight for each
 * processor, each of which would keep what a peak has left in it; and heaps that keep what comes
 * and goes all the time. */
void memory_configure(void);

/* Looks every `every_ms` milliseconds whether much of what malloc holds is free, and gives that
 * back to the system. *statm: /proc/self/statm, open; borrowed. NULL without memory. */
struct memory *memory_new(struct loop *loop, uint32_t every_ms, const int *statm);
void memory_destroy(struct memory **m);

#endif
