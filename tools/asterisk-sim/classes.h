/* The classes of events ("call", "dialplan"...), as bits. */
#ifndef SIM_CLASSES_H
#define SIM_CLASSES_H

#include "base/view.h"

#define CLASSES_ALL UINT32_MAX

/* The bits of "call,all" as an event's Privilege says them: `all` itself, which every event has, is
 * no class. Unknown names get a bit of their own together. */
uint32_t classes_of_event(struct view list);

/* What a client asks for in Events or EventMask: "on", "off", "call,system", a number. Empty: on.
 */
uint32_t classes_of_mask(struct view mask);

#endif
