/* Who gets a sheet. */
#ifndef CTIBUS_STATE_SHEETS_RECIPIENTS_H
#define CTIBUS_STATE_SHEETS_RECIPIENTS_H

#include "core/context.h"

/* Ids of users of one IPBX. */
struct recipients {
    char (*ids)[64];
    size_t n, room;
};

/* Whom something happened to. */
struct concerned {
    struct xod_ipbx *ipbx;
    const struct xod_obj *const *users; /* who is called */
    size_t n_users;
    const struct xod_obj *seen; /* who sees this sees the call; NULL: only where all see all */
};

/* 0 or -ENOMEM. */
int recipients_add(struct recipients *r, struct view user_id);
void recipients_clear(struct recipients *r);
/* Is the condition one for all, not for who is called? */
bool recipients_are_all(struct json_object *condition);
/* Adds the users that are logged in and whom the condition (NULL: who is called) lets have the
 * sheet. 0 or -ENOMEM. */
int recipients_find(struct recipients *r, const struct config *cfg, struct json_object *condition,
                    const struct concerned *c);

#endif
