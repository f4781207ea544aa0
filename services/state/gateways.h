/* Which ami-gw owns an Asterisk. */
#ifndef CTIBUS_STATE_GATEWAYS_H
#define CTIBUS_STATE_GATEWAYS_H

#include "core/context.h"

/* An ami-gw registers, or tells anew whether it is logged in. Of several the one that logged in
 * last owns the Asterisk and the former is told to stand by; one that is not logged in owns it only
 * while none is. */
void gateways_register(struct state *s, struct bus_peer *p, uint64_t id,
                       const msgpack_object *body);
/* The next one that is logged in takes over. */
void gateways_peer_gone(struct state *s, struct bus_peer *p);
/* Once, before the first registration: which Asterisks were connected when state ended. 0 or a
 * negative error. */
int gateways_recall(struct state *s);
/* Is each Asterisk listed that is connected, or was when state ended? */
bool gateways_all_back(const struct state *s);
/* Is this message from the owner, as far as it has said how to know it? */
bool gateways_is_owner(const struct ipbx *ipbx, const struct bus_msg *m);
/* Asks again where a resync does not come to its end; once a second. */
void gateways_watch(struct state *s);

#endif
