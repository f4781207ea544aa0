/* What one user may cost others. Per user, not per session. */
#ifndef CTIBUS_STATE_SESSIONS_BUDGETS_H
#define CTIBUS_STATE_SESSIONS_BUDGETS_H

#include "sessions/sessions.h"

#define BUDGET_WHO 160
/* Before the first command. 0 or negative: no memory. */
int budget_open(struct state *s);
void budget_close(struct state *s);
/* As the configuration says now. */
void budget_configure(struct state *s);
/* May the user of the session do this command now? Then it is counted. */
bool budget_allows(struct state *s, const struct session *se, struct view class,
                   const msgpack_object *message);
/* May that user have so many units of a kind now? Then they are used. False is counted and told to
 * the log, of each user once a minute. */
bool budget_take(struct state *s, const struct session *se, enum budget_kind kind, double units);
/* The same for a user named by IPBX and id, of our own IPBXes or of another's. */
bool budget_take_of(struct state *s, struct view ipbx, struct view user_id, enum budget_kind kind,
                    double units);
/* Uses them in any case: what has begun goes on. */
void budget_charge(struct state *s, struct view ipbx, struct view user_id, enum budget_kind kind,
                   double units);

#endif
