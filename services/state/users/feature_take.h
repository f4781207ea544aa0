/* What was read of where calls find services becomes a user's choice, unless something newer is
 * known. */
#ifndef CTIBUS_STATE_USERS_FEATURE_TAKE_H
#define CTIBUS_STATE_USERS_FEATURE_TAKE_H

#include "users/feature_keys.h"

struct feature_value {
    bool on;
    bool has_destination; /* `destination` is to be taken, too */
    struct view destination;
    /* The phone of which it is, if the user's phones have places of their own; else NULL. The
     * others are given what was changed here. */
    const struct xod_obj *phone;
    bool is_new; /* nobody has seen this place before: it is given what the user has */
};

/* A service has this value where calls find it; `subject` is what deferred actions about that place
 * are about. 0: it is so now, or it is to be passed over: ctibus has set another one that was not
 * answered yet, or the destination is no number. -EAGAIN: a change of that service is being kept,
 * and it is to be read again. Another negative errno: it cannot be kept now. */
int feature_take(struct state *s, struct xod_obj *user, const struct feature_key *k,
                 struct view subject, const struct feature_value *v);
/* The same of a key of Asterisk's database and its value; empty: there is no such key. `phone` and
 * `is_new` as above. */
int feature_take_key(struct state *s, struct xod_obj *user, const struct feature_key *k,
                     const struct xod_obj *phone, bool is_new, struct view key, struct view value);

#endif
