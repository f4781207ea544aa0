/* Passwords of users, which never enter the store. */
#ifndef CTIBUS_STATE_USERS_PASSWORDS_H
#define CTIBUS_STATE_USERS_PASSWORDS_H

#include "base/view.h"

struct secrets *secrets_new(void);
void secrets_destroy(struct secrets **s);
/* The password of a user, or NULL. */
const char *secrets_get(const struct secrets *s, struct view site, struct view user_id);
/* Sets it; the empty one is none. 0 or -ENOMEM. */
int secrets_set(struct secrets *s, struct view site, struct view user_id, struct view password);

#endif
