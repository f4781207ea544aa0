/* Which http-gw sends webhooks: one of those that have registered, and the next when it is gone. */
#ifndef CTIBUS_STATE_WEBHOOKS_H
#define CTIBUS_STATE_WEBHOOKS_H

#include "core/context.h"

struct webhooks;
struct webhooks *webhooks_new(struct state *s); /* NULL without memory */
void webhooks_destroy(struct webhooks **w);
/* worker.register of kind webhooks. */
void webhooks_register(struct state *s, struct bus_peer *p, uint64_t id,
                       const msgpack_object *body);
void webhooks_peer_gone(struct webhooks *w, struct bus_peer *p);
/* The requests; each answers its own. */
void webhooks_progress(struct state *s, struct bus_peer *p, uint64_t id,
                       const msgpack_object *body);
void webhooks_ask(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
