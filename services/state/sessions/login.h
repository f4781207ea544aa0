/* The requests of the login; each answers its own. */
#ifndef CTIBUS_STATE_SESSIONS_LOGIN_H
#define CTIBUS_STATE_SESSIONS_LOGIN_H

#include "core/context.h"

/* The user of this login name on any IPBX, or NULL. */
struct xod_obj *login_find(struct state *s, struct view login);

/* May this user log in, and with which profile (in scratch, or the user's)? BUS_ok, or why
 * not. `user` may be NULL: no such user. */
enum bus_status login_may(const struct xod_obj *user, char scratch[32], struct view *profile);
/* Appends the pairs of the answer to a login that is right. */
#define LOGIN_USER_PAIRS 3
void login_put_user(struct buf *out, const struct xod_obj *user, struct view profile);
/* Answers a login whose password or token is right. */
void login_answer(struct state *s, struct bus_peer *p, uint64_t id, const struct xod_obj *user);

void login_begin(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_check(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_open(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_renew(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_close(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
