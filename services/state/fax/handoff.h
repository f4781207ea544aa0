/* Faxes of clients whose second connection may come to another gateway than the first. */
#ifndef CTIBUS_STATE_FAX_HANDOFF_H
#define CTIBUS_STATE_FAX_HANDOFF_H

#include "core/context.h"

/* NULL without memory. */
struct fax_handoffs *fax_handoffs_new(struct state *s);
void fax_handoffs_destroy(struct fax_handoffs **f);
/* What this gateway expected is forgotten; what came to it will not arrive, and its owner is told.
 */
void fax_handoffs_peer_gone(struct fax_handoffs *f, const struct bus_peer *p);

/* The requests of these names; each is answered. */
void fax_expect(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void fax_claim(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void fax_arrived(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
