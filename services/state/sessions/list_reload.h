/* Lists that are read anew while state runs. */
#ifndef CTIBUS_STATE_SESSIONS_LIST_RELOAD_H
#define CTIBUS_STATE_SESSIONS_LIST_RELOAD_H

#include "core/context.h"

#define LISTS_RETRY_MS 10000 /* a list that could not be read is tried again */

/* The store has what the lists say: ends the sessions of users that are gone, and publishes. */
void lists_loaded(struct state *s);
/* Reads one list, by its key of urllists, of all IPBXes anew and publishes what differs; what comes
 * over HTTP is fetched in the background. 0; -ENOENT: no IPBX has a URI for it; -EINVAL: a file
 * could not be read (logged), what is known of it stays. */
int list_reload(struct state *s, const char *key);
/* Something else came from this URI than before: loads it and publishes what differs. A
 * remote_lists_fn of a struct state. */
void list_changed(void *state, const char *uri);

#endif
