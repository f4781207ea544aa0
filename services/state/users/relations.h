/* Which user has which line, agent and mailbox. */
#ifndef CTIBUS_STATE_USERS_RELATIONS_H
#define CTIBUS_STATE_USERS_RELATIONS_H

#include "core/context.h"

/* The lists were read anew: ties users to their lines (and sets their linelist), agents and
 * mailboxes. */
void relations_link(struct xod_ipbx *ipbx);
/* The agent that a user is, or NULL. */
struct xod_obj *relations_agent(const struct xod_obj *user);
/* The user's main line, or NULL. */
struct xod_obj *relations_line(const struct xod_obj *user);
/* The context of the user's main line, by which goes what is looked up where; may be empty. A view
 * of the object or of scratch. */
struct view relations_context(const struct xod_obj *user, char scratch[32]);
/* The user of this login name, IPBX/ID or ID, or NULL. */
const struct xod_obj *relations_named(struct state *s, struct view name);
/* The user of a phone or of an agent, or NULL. */
struct xod_obj *relations_user(const struct xod_obj *o);

#endif
