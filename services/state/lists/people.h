/* The people of a CSV file (csv/staff.h) over the users of the lists before it. An empty field
 * leaves what these say; a row of somebody whom they do not have is a user of its own, with its
 * number, or else its login, as id. One who can log in and has no profile gets the first of the
 * configuration.
 */
#ifndef CTIBUS_STATE_LISTS_PEOPLE_H
#define CTIBUS_STATE_LISTS_PEOPLE_H

#include <json-c/json.h>

#include "core/context.h"

bool people_is(const char *uri);
/* Joins the rows with the users in `all`, an array of items as of urllist_users. 0; -EINVAL: it
 * cannot be read, or it is no list of users (logged); -ENOMEM. */
int people_join(struct state *s, const struct config *cfg, const char *uri, bool users,
                struct json_object *all);

#endif
