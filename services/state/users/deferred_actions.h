/*
 * What an Asterisk is to be like: actions that must take effect although its link is down when they
 * are asked for, or breaks before it has answered. Each is about one subject (the lamp of a key,
 * the pause of a member in a queue...), of which only the last wish counts. It is kept in the
 * database until the Asterisk has answered, and sent again after each resync.
 *
 * So are changes of services in XiVO's table (users/feature_table.h): they wait for its database in
 * place of the link.
 */
#ifndef CTIBUS_STATE_USERS_DEFERRED_ACTIONS_H
#define CTIBUS_STATE_USERS_DEFERRED_ACTIONS_H

#include "core/context.h"

struct deferred_actions;
/* Reads what the database has. NULL and *err on failure. */
struct deferred_actions *deferred_actions_new(struct state *s, int *err);
void deferred_actions_destroy(struct deferred_actions **w);

/* The Asterisk of `site` is to carry out `action` with the headers that follow: pairs of const char
 * * and struct view, ended by NULL. At once if its link is up. A wish about the same subject that
 * was not carried out yet is forgotten. Once a transaction that is handed to the database
 * afterwards is on disk, so is this. "userfeatures" is a change of XiVO's table: "id" with the
 * user's, then the columns. */
void deferred_actions_set(struct state *s, struct xod_ipbx *ipbx, struct view subject,
                          const char *action, ...);
/* What depends on a listing that is not there yet: member_action() with the user's id, the name and
 * the parameter, once all of the IPBX is listed. The last wish about the subject counts here, too.
 */
void deferred_actions_later(struct state *s, struct xod_ipbx *ipbx, struct view subject,
                            struct view user_id, struct view name, struct view param);
/* Is something wanted of the subject that the Asterisk has not answered yet? */
bool deferred_actions_wanted(const struct state *s, const struct xod_ipbx *ipbx,
                             struct view subject);
/* Nothing is wanted of the subject any more. */
void deferred_actions_drop(struct state *s, const struct xod_ipbx *ipbx, struct view subject);
/* All of the IPBX is listed, or the database of its table is there: what waits is sent. */
void deferred_actions_resynced(struct state *s, const struct xod_ipbx *ipbx);
/* How many wait, for /metrics. */
size_t deferred_actions_count(const struct deferred_actions *w);

#endif
