/*
 * The lists that an Asterisk itself has, for URIs "asterisk:" in urllists: its gateway finds them
 * out (the request ami.discover) after each resync, and the last ones are kept in the database for
 * the next start.
 */
#ifndef CTIBUS_STATE_LISTS_ASTERISK_H
#define CTIBUS_STATE_LISTS_ASTERISK_H

#include <json-c/json.h>

#include "core/context.h"

struct asterisk_lists;
/* changed(s, uri): the lists of an Asterisk are others than before; as remote_lists_fn. NULL
 * without memory. */
struct asterisk_lists *asterisk_lists_new(struct state *s,
                                          void (*changed)(void *state, const char *uri));
void asterisk_lists_destroy(struct asterisk_lists **a);
/* Reads what was kept, before the database runs. 0 or a negative error. */
int asterisk_lists_restore(struct asterisk_lists *a);

bool asterisk_lists_is(const char *uri);
/* What is known of the list `key` ("urllist_lines") of an IPBX: an array (borrowed), or NULL:
 * nothing yet, or there is no such list. */
struct json_object *asterisk_lists_get(const struct asterisk_lists *a, struct view ipbx,
                                       const char *key);
/* Everything of this Asterisk has been listed: if a list of it is "asterisk:", its gateway is asked
 * for the lists. */
void asterisk_lists_resynced(struct asterisk_lists *a, struct ipbx *ipbx);
/* Asks for those of all Asterisks whose link is up. */
void asterisk_lists_refresh(struct asterisk_lists *a);

#endif
