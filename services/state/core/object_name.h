/* Names of objects in requests. */
#ifndef CTIBUS_STATE_CORE_OBJECT_NAME_H
#define CTIBUS_STATE_CORE_OBJECT_NAME_H

#include "xod/xod.h"

/* The object of a name KIND:IPBX/ID, like phone:xivo/11 or channel:xivo/SIP/alice-1; the kinds are
 * phone, trunk, agent, member, queue, group, room, voicemail, call, channel (or chan), user. NULL:
 * there is none. */
struct xod_obj *object_named(struct xod *x, struct view name);

#endif
