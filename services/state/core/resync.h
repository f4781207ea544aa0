/* What the gateway of an Asterisk is asked as a whole. */
#ifndef CTIBUS_STATE_CORE_RESYNC_H
#define CTIBUS_STATE_CORE_RESYNC_H

#include "core/context.h"

/* To list everything anew. 0: it is asked; -ENOTCONN: it is not there; -EAGAIN: it could not be
 * sent.
 */
int resync_ask(struct state *s, struct ipbx *ipbx);
/* To connect now, since its Asterisk has announced itself: as above. */
int resync_reconnect(struct state *s, struct ipbx *ipbx);

#endif
