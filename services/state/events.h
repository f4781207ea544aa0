/* The messages of the plane tel. */
#ifndef CTIBUS_STATE_EVENTS_H
#define CTIBUS_STATE_EVENTS_H

#include "core/context.h"

/* Of the subscription to tel/; its argument is the state. A message that is malformed, of an
 * unknown IPBX or not of the gateway that owns it is counted and left out. */
extern const struct bus_sub_handler events_handler;

#endif
