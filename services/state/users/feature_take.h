/* What was read of Asterisk's database becomes a user's choice, unless something newer is known. */
#ifndef CTIBUS_STATE_USERS_FEATURE_TAKE_H
#define CTIBUS_STATE_USERS_FEATURE_TAKE_H

#include "users/feature_keys.h"

/* Asterisk has this value (empty: no such key) under the user's key of a service. 0: it is so now,
 * or it is to be passed over: ctibus has set another one that Asterisk has not answered yet, or the
 * value is no number. -EAGAIN: a change of that service is being kept, and it is to be read again.
 * Another negative errno: it cannot be kept now. */
int feature_take(struct state *s, struct xod_obj *user, const struct feature_key *k,
                 struct view key, struct view value);

#endif
