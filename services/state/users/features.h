/* The services of users that they change themselves. */
#ifndef CTIBUS_STATE_USERS_FEATURES_H
#define CTIBUS_STATE_USERS_FEATURES_H

#include "core/context.h"
#include "database/db.h"

#define MAX_FEATURES 10
struct feature_change {
    unsigned field; /* of users */
    bool on;        /* what a flag becomes */
    struct view to; /* what a destination becomes */
};
/* Reads what the database has. NULL and *err on failure. */
struct features *features_new(struct state *s, int *err);
void features_destroy(struct features **f);
bool features_is_flag(unsigned field);
/* The services that have a destination. */
#define N_FORWARDS 3
struct feature_forward {
    const char *flag, *destination; /* as clients and presences call them */
    unsigned flag_field, destination_field;
};
extern const struct feature_forward feature_forwards[N_FORWARDS];
/* The list of users was read anew: what a user has chosen goes before what the list says, unless
 * the list says something else than it did when the choice was made. */
void features_apply(struct features *f, struct xod_obj *user);
/* Leaves out of n changes what is so already, and stays so; how many are left. */
size_t features_differ(struct features *f, const struct xod_obj *user,
                       struct feature_change *changes, size_t n);
/* Is a change of this field being kept? What it is to become shows when that is done. */
bool features_on_way(struct features *f, const struct xod_obj *user, unsigned field);
/* Keeps the changes, then makes them, lets the dialplan know (users/feature_publish.h) and calls
 * done(arg, 0); done(arg, negative): not kept, not made. done may be NULL. 0, or negative: done is
 * not called. */
int features_change(struct features *f, struct xod_obj *user, const struct feature_change *changes,
                    size_t n, db_done_fn *done, void *arg);
/* The same of what was read of where calls find it: it is not written back there. If that place is
 * a phone's own, the user's other phones are given it; phone NULL: it is the user's. */
int features_read(struct features *f, struct xod_obj *user, const struct xod_obj *phone,
                  const struct feature_change *changes, size_t n);

#endif
