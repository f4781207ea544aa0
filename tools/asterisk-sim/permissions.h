/* What the manager user may do and which events it gets, as `read` and `write` of manager.conf say,
 * and which modules this Asterisk has not. */
#ifndef SIM_PERMISSIONS_H
#define SIM_PERMISSIONS_H

#include "base/view.h"

struct permissions {
    const char *read, *write; /* classes by comma, or all */
    const char *without; /* modules by comma, of those that the actions below belong to; NULL */
};

/* Are all words known? */
bool permissions_are_known(const struct permissions *p);
/* Does the Asterisk have the module of this action? */
bool permissions_have(const struct permissions *p, struct view action);
bool permissions_allow(const struct permissions *p, struct view action);
/* The classes of which one in `write` permits it, as ListCommands says them: "system,reporting,all"
 * or "<none>". */
const char *permissions_of(struct view action);
/* Bits of the classes of events that it gets (classes.h). */
uint32_t permissions_events(const struct permissions *p);

#endif
