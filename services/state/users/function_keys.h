/*
 * The lamps of function keys: XiVO's phones have hints on custom devices for the services of their
 * user, which Asterisk is told whenever a service changes.
 */
#ifndef CTIBUS_STATE_USERS_FUNCTION_KEYS_H
#define CTIBUS_STATE_USERS_FUNCTION_KEYS_H

#include "core/context.h"

/* Services of a user have changed (bits of fields of users): tells the Asterisk how they are now.
 * Only of IPBXes whose `urllist_extenfeatures` says which numbers the services have; of others
 * nothing. */
void funckeys_changed(struct state *s, const struct xod_obj *user, uint64_t fields);
/* They are about to change: the lamps of destinations that will no longer be go out. */
void funckeys_changing(struct state *s, const struct xod_obj *user, uint64_t fields);

#endif
