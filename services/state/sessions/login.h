/* The requests of the login; each answers its own. */
#ifndef CTIBUS_STATE_SESSIONS_LOGIN_H
#define CTIBUS_STATE_SESSIONS_LOGIN_H

#include "core/context.h"

/* The user of this login name on any IPBX, or NULL. */
struct xod_obj *login_find(struct state *s, struct view login);

void login_begin(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_check(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_open(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_renew(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_close(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
