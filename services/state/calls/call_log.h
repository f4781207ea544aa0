/* The call log. */
#ifndef CTIBUS_STATE_CALLS_CALL_LOG_H
#define CTIBUS_STATE_CALLS_CALL_LOG_H

#include "core/context.h"

extern const struct ipbx_model_effects state_effects;
/* What happened in the queues in the last 24 hours goes back into the domains; before db_start. 0
 * or a negative error. */
int calls_recall(struct state *s, double now);

#endif
