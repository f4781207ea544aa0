/* What is to be known of every process. Belongs to svc/ alone. */
#ifndef CTIBUS_SVC_PROCESS_H
#define CTIBUS_SVC_PROCESS_H

#include "svc/svc.h"

/* Adds version, memory, descriptors, processor time, uptime and log lines to svc->metrics. 0 or
 * -ENOMEM. */
int process_metrics(struct svc *svc);

/* The memory that is resident, in bytes; 0 when it cannot be told. */
double process_resident_bytes(void);

/* As many descriptors as the administrator allows. */
void process_raise_limits(void);

#endif
