/* Passwords of users, which never enter the store. */
#ifndef CTIBUS_STATE_USERS_PASSWORDS_H
#define CTIBUS_STATE_USERS_PASSWORDS_H

#include "base/view.h"

struct passwords *passwords_new(void);
void passwords_destroy(struct passwords **s);
/* The password of a user, or NULL. */
const char *passwords_get(const struct passwords *s, struct view ipbx, struct view user_id);
/* Sets it; the empty one is none. 0 or -ENOMEM. */
int passwords_set(struct passwords *s, struct view ipbx, struct view user_id, struct view password);

#endif
