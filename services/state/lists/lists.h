/* The lists of users, lines, queues... that make the objects of the store. */
#ifndef CTIBUS_STATE_LISTS_LISTS_H
#define CTIBUS_STATE_LISTS_LISTS_H

#include "core/context.h"

/* Loads the lists of all IPBXes of cfg into the store: what is no longer named goes. A list that
 * cannot be read keeps its objects, and so does one of which a part is not known yet
 * (core/remote_lists.h). 0, or -EINVAL when a file was not read (logged). */
int lists_load(struct state *s, const struct config *cfg);
/* Is the list of the users of an IPBX known as a whole, so that who is not in it does not exist? */
bool lists_users_known(struct state *s, struct view ipbx);
/* Loads those lists that have this URI among theirs. As lists_load. */
int lists_load_uri(struct state *s, const struct config *cfg, const char *uri);
/* Loads the list that `key` of urllists names, of all IPBXes: as lists_load. */
int lists_load_key(struct state *s, const struct config *cfg, const char *key);
/* The i-th URI of a list of an IPBX, borrowed from cfg; NULL: it has no more. */
const char *lists_url(const struct config *cfg, const struct ipbx *ipbx, const char *key, size_t i);

#endif
