/* The lists of users, lines, queues... that make the objects of the store. */
#ifndef CTIBUS_STATE_LISTS_LISTS_H
#define CTIBUS_STATE_LISTS_LISTS_H

#include <json-c/json.h>

#include "core/context.h"

/* One list of an IPBX: which key of `urllists` names its files, what an object's id is called
 * there, and what is to be done beside copying the fields. */
struct lists_source {
    const char *key;
    enum xod_list list;
    const char *id;
    void (*finish)(struct state *s, struct xod_obj *o, struct json_object *item); /* or NULL */
    /* Not NULL: it takes a list that becomes no objects of xod, and the three before do not count.
     * 0 or a negative errno. */
    int (*take)(struct state *s, struct xod_ipbx *ipbx, struct json_object *array);
    bool may_be_object; /* one object stands for a list of one */
};
/* Number i of them, or NULL: there are no more. */
const struct lists_source *lists_source(size_t i);
/* The id of an item, as text; empty: it has none. */
struct view lists_id_of(const struct lists_source *src, struct json_object *item);

/* Tells core/remote_lists.h the URIs that it is to care for. */
struct remote_lists;
void lists_want(struct remote_lists *remote, const struct config *cfg);

/* Loads the lists of all IPBXes of cfg into the store: what is no longer named goes. A list that
 * cannot be read keeps its objects, and so does one of which a part is not known yet
 * (core/remote_lists.h). 0, or -EINVAL when a file was not read (logged). */
int lists_load(struct state *s, const struct config *cfg);
/* Is the list of the users of an IPBX known as a whole, so that who is not in it does not exist? */
bool lists_users_known(struct state *s, struct view ipbx);
/* The same of all IPBXes. */
bool lists_all_users_known(struct state *s);
/* Loads those lists that have this URI among theirs. As lists_load. */
int lists_load_uri(struct state *s, const struct config *cfg, const char *uri);
/* Loads the list that `key` of urllists names, of all IPBXes: as lists_load. */
int lists_load_key(struct state *s, const struct config *cfg, const char *key);
/* The i-th URI of a list of an IPBX, borrowed from cfg; NULL: it has no more. */
const char *lists_url(const struct config *cfg, const struct ipbx *ipbx, const char *key, size_t i);

#endif
