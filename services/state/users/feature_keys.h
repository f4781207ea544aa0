/*
 * Where the dialplan finds the services of a user: keys of Asterisk's own database and device
 * states, as `ctibus.features` has them, and columns of XiVO's table.
 */
#ifndef CTIBUS_STATE_USERS_FEATURE_KEYS_H
#define CTIBUS_STATE_USERS_FEATURE_KEYS_H

#include "core/context.h"

#define N_FEATURE_KEYS 7
struct feature_key {
    unsigned flag;             /* of users */
    unsigned destination;      /* of users; the same as flag: the service has none */
    const char *functions[2];  /* what the dialplan calls it in UserEvent(Feature); may be NULL */
    const char *astdb, *state; /* keys of the configuration: the templates */
};
extern const struct feature_key feature_keys[N_FEATURE_KEYS];

/* Do the services of this IPBX's users reach calls by `way` (agi, astdb, devstate, userfeatures)?
 * It is so when `ctibus.features.publish` has it; but only an IPBX with a database of XiVO's has
 * userfeatures, and that one has no astdb: there is one place that counts. */
bool feature_way(const struct state *s, const struct xod_ipbx *ipbx, const char *way);
/* Writes a template with what stands for the user and the phone. False: it is empty, or the user or
 * the phone lacks what the template asks for, or has it with characters that mean something there.
 */
bool feature_key_put(struct buf *out, const struct state *s, const char *config_key,
                     const struct xod_obj *user, const struct xod_obj *phone);
/* Has each phone of a user a key, or a device, of its own by this template? Otherwise the user has
 * one, whatever phones there are. */
bool feature_key_of_each_phone(const struct state *s, const char *config_key);
/* Phone number n of a user, the main line first, or NULL. */
struct xod_obj *feature_phone(const struct xod_obj *user, size_t n);
/* What deferred actions about a key of the database are about: "astdb FAMILY/KEY". */
void feature_subject(struct buf *out, struct view key);
/* The same about a service in XiVO's table: "userfeatures USER/SERVICE". */
void feature_row_subject(struct buf *out, const struct xod_obj *user, const struct feature_key *k);
/* What XiVO's table calls a field of users, which is what users call it. */
struct view feature_column(unsigned field);

#endif
