/* Whom a user has chosen: pairs of a source and an id within it (directory/identity.h). */
#ifndef CTIBUS_STATE_PEOPLE_FAVORITES_H
#define CTIBUS_STATE_PEOPLE_FAVORITES_H

#include "database/db.h"

#define FAVORITES_MAX 10000    /* of a user */
#define FAVORITES_MAX_TEXT 128 /* bytes of a source or an id */

struct favorites;

/* What somebody is known by: the source, a NUL, the id, each up to FAVORITES_MAX_TEXT bytes. */
#define FAVORITE_KEY (2 * FAVORITES_MAX_TEXT + 1)
struct view favorite_key(struct view source, struct view entry, char scratch[FAVORITE_KEY]);

/* None yet; NULL without memory. */
struct favorites *favorites_new(void);
void favorites_destroy(struct favorites **f);
/* Reads those of a user; done(arg, rc) is called when they are there, rc < 0: they are not. `f`
 * must live until then. 0, or a negative errno: it is not called. */
int favorites_read(struct favorites *f, struct db *db, struct view ipbx, struct view user,
                   db_done_fn *done, void *arg);
bool favorites_any(const struct favorites *f);
bool favorites_has(const struct favorites *f, struct view source, struct view entry);

/* Adds to t what makes one, or unmakes it. */
void favorites_add(struct db_txn *t, struct view ipbx, struct view user, struct view source,
                   struct view entry);
void favorites_remove(struct db_txn *t, struct view ipbx, struct view user, struct view source,
                      struct view entry);
/* Adds to t what unmakes all of a source. */
void favorites_remove_source(struct db_txn *t, struct view ipbx, struct view user,
                             struct view source);

#endif
