/* Actions on the memberships of a user, by the names that presences use. */
#ifndef CTIBUS_STATE_USERS_MEMBER_ACTIONS_H
#define CTIBUS_STATE_USERS_MEMBER_ACTIONS_H

#include "core/context.h"

/* The member that a user is: the agent, or the main line where there is none; or NULL. */
struct xod_obj *member_who(const struct xod_obj *user);
/* What actions call a member (an agent or a phone): as Asterisk last told it, in any of its queues.
 * A view of the object or of scratch. */
struct view member_interface_for(const struct xod_obj *who, char scratch[128]);
/* A logoff that the Asterisk has not been told yet is not wanted any more. */
void member_keep_logged_in(struct state *s, const struct xod_obj *user);
/* False: there is no action of that name. What it changes at the Asterisk takes effect when the
 * link is back, if it is down (deferred_actions.h). */
bool member_action(struct state *s, struct xod_obj *user, struct view name, struct view param);

#endif
