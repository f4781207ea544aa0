/* What an administrator's tools ask. */
#ifndef CTIBUS_STATE_ADMIN_H
#define CTIBUS_STATE_ADMIN_H

#include "core/context.h"

void admin_sessions(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void admin_kick(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void admin_tokens(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void admin_reload(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void admin_explain(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
