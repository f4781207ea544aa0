/* The presences of users. */
#ifndef CTIBUS_STATE_SESSIONS_PRESENCE_H
#define CTIBUS_STATE_SESSIONS_PRESENCE_H

#include "core/context.h"
#include "database/db.h"

/* Sets a user's presence and keeps it, by t or (NULL) on its own. */
void presence_set(struct state *s, struct xod_obj *user, struct view to, struct db_txn *t);
/* Only what keeps it. */
void presence_add(struct db_txn *t, const struct xod_obj *user, struct view to);
/* Does what the profile's userstatus says is done when the presence becomes `to`. */
void presence_actions(struct state *s, struct xod_obj *user, struct view capaid, struct view to);

#endif
