/* What is to be known of every process. Belongs to svc/ alone. */
#ifndef CTIBUS_SVC_PROCESS_H
#define CTIBUS_SVC_PROCESS_H

#include "svc/svc.h"

/* Adds version, memory, descriptors, processor time, uptime and log lines to svc->metrics. *statm
 * becomes a descriptor that is read for it, for the caller to close; it must stay where it is. 0 or
 * -ENOMEM. */
int process_metrics(struct svc *svc, int *statm);

/* The memory that is resident, in bytes, as /proc/self/statm (open) says; 0 when it does not. */
double process_resident_bytes(int statm);

/* How long the turns of the loop take: counts them from now on, and logs those over 1 s. *p lasts
 * as long as the loop. 0 or -ENOMEM. */
struct process_loop {
    struct log *log;
    struct metric *stall;
    uint64_t told; /* monotonic us; 0: never */
};
int process_watch_loop(struct svc *svc, struct process_loop *p);

/* As many descriptors as the administrator allows. */
void process_raise_limits(void);

#endif
