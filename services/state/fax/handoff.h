/* Faxes of clients whose second connection may come to another gateway than the first. */
#ifndef CTIBUS_STATE_FAXES_COMING_H
#define CTIBUS_STATE_FAXES_COMING_H

#include "core/context.h"

/* NULL without memory. */
struct faxes_coming *faxes_coming_new(struct state *s);
void faxes_coming_destroy(struct faxes_coming **f);
/* What this gateway expected is forgotten; what came to it will not arrive, and its owner is told.
 */
void faxes_coming_peer_gone(struct faxes_coming *f, const struct bus_peer *p);

/* The requests of these names; each is answered. */
void fax_expect(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void fax_claim(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void fax_arrived(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
