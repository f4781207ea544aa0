/* Lets the dialplan know the services of users: writes them where `ctibus.features.publish` says.
 */
#ifndef CTIBUS_STATE_USERS_FEATURE_PUBLISH_H
#define CTIBUS_STATE_USERS_FEATURE_PUBLISH_H

#include "core/context.h"

/* Services of a user have changed (bits of fields of users): for each of the user's phones the keys
 * of Asterisk's database and the device states are set, at once or when the link is back. */
void features_publish(struct state *s, const struct xod_obj *user, uint64_t fields);

#endif
