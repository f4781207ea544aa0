/* Lets the dialplan know the services of users: writes them where `ctibus.features.publish` says.
 */
#ifndef CTIBUS_STATE_USERS_FEATURE_PUBLISH_H
#define CTIBUS_STATE_USERS_FEATURE_PUBLISH_H

#include "users/feature_keys.h"

/* Services of a user have changed (bits of fields of users): for each of the user's phones the keys
 * of Asterisk's database and the device states are set, or the user's row of XiVO's table; at once,
 * or when the link or the database is back. */
void features_publish(struct state *s, const struct xod_obj *user, uint64_t fields);
/* The same for the user's phones but this one, at which it was changed: its key is so already. */
void features_publish_others(struct state *s, const struct xod_obj *user, uint64_t fields,
                             const struct xod_obj *phone);
/* One service for one phone of a user. */
void features_publish_phone(struct state *s, const struct xod_obj *user,
                            const struct feature_key *k, const struct xod_obj *phone);

#endif
