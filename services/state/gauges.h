/* What /metrics shows of calls and agents: counted in the store when it is asked. */
#ifndef CTIBUS_STATE_GAUGES_H
#define CTIBUS_STATE_GAUGES_H

#include "core/context.h"

struct gauges;
/* For each Asterisk that is watched. NULL without memory. */
struct gauges *gauges_new(struct state *s);
/* Before the store goes. */
void gauges_destroy(struct gauges **g);

#endif
