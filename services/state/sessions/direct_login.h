/*
 * Logins without the challenge of login.begin and login.check: by the password itself, by a token,
 * or by the word of a reverse proxy. Their answer is that of login.check.
 */
#ifndef CTIBUS_STATE_SESSIONS_DIRECT_LOGIN_H
#define CTIBUS_STATE_SESSIONS_DIRECT_LOGIN_H

#include "core/context.h"

/* NULL and *err: the threads that check hashes, or the LDAP options. */
struct direct_login *direct_login_new(struct state *s, int *err);
void direct_login_destroy(struct direct_login **d);
/* Tokens of the database; before it is started. 0 or a negative error. */
int direct_login_restore(struct direct_login *d);
struct tokens *direct_login_tokens(struct direct_login *d);

/* The requests; each answers its own. */
void login_password(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_token(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_trusted(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_forget(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
