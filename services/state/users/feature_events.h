/* Services that the dialplan says were changed at the phone. */
#ifndef CTIBUS_STATE_USERS_FEATURE_EVENTS_H
#define CTIBUS_STATE_USERS_FEATURE_EVENTS_H

#include "core/context.h"
#include "model/tel.h"

/* An event was applied. UserEvent(Feature): XIVO_USERID, Function, Status and, of a forward, Value.
 */
void feature_event(struct state *s, const struct xod_ipbx *ipbx, const struct tel *t);

#endif
