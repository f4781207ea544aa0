/* What is to be known of every process. Belongs to svc/ alone. */
#ifndef CTIBUS_SVC_PROCESS_H
#define CTIBUS_SVC_PROCESS_H

#include "svc/svc.h"

/* Adds version, memory, descriptors, processor time, uptime and log lines to svc->metrics. 0 or
 * -ENOMEM. */
int process_metrics(struct svc *svc);

/* As many descriptors as the administrator allows. */
void process_raise_limits(void);

#endif
