/* The services of users as Asterisk's own database has them. What is read goes to feature_take.h.
 */
#ifndef CTIBUS_STATE_USERS_FEATURE_ASTDB_H
#define CTIBUS_STATE_USERS_FEATURE_ASTDB_H

#include "core/context.h"

struct feature_astdb;
struct feature_astdb *feature_astdb_new(struct state *s); /* NULL without memory */
void feature_astdb_destroy(struct feature_astdb **r);

/* Reads the keys of all users of an IPBX. */
void feature_astdb_all(struct feature_astdb *r, struct xod_ipbx *ipbx);
/* Reads those of one user: ask feature_astdb_has_room() before. */
void feature_astdb_user(struct feature_astdb *r, struct xod_obj *user);
bool feature_astdb_has_room(const struct feature_astdb *r);
/* All of an IPBX is listed: that it is not permitted is told once from then on. */
void feature_astdb_resynced(struct feature_astdb *r, const struct xod_ipbx *ipbx);
/* It has refused to change a key: until the next resync only keys of main lines are read. */
void feature_astdb_refused(struct feature_astdb *r, const struct xod_ipbx *ipbx);

#endif
