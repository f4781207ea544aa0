/*
 * The lists behind http: and https: URIs: what is known of each, and when it is asked for again.
 *
 * lists.c wants URIs and gets arrays. They are fetched by fetch.h; the last good copy stays in
 * memory, and on disk where `ctibus.lists_cache` says so, while its server cannot be reached.
 */
#ifndef CTIBUS_STATE_CORE_REMOTE_LISTS_H
#define CTIBUS_STATE_CORE_REMOTE_LISTS_H

#include <json-c/json.h>

#include "base/buf.h"
#include "config/config.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

struct fetch;
struct remote_lists;

#define MAX_LIST_BYTES ((size_t)256 * 1024 * 1024) /* text of one list */

bool remote_lists_is_remote(const char *uri);

/* A fetch of `uri`, also of what is no list: at most max_bytes, with the time limit
 * (main.sockettimeout) and the authorities (ctibus.lists_ca) of the configuration. NULL without
 * memory. */
struct fetch *remote_fetch_new(const struct config *cfg, const char *uri, size_t max_bytes);

/* Something else came from this URI than before, or a copy of it was on disk. */
typedef void remote_lists_fn(void *arg, const char *uri);

/* Starts nothing before a URI is wanted. cfg is borrowed until remote_lists_begin() names another;
 * retry_ms: until a list that could not be fetched is tried again, longer each time. NULL without
 * memory. */
struct remote_lists *remote_lists_new(struct loop *loop, const struct config *cfg,
                                      uint32_t retry_ms, struct metrics *metrics, struct log *log);
/* Who is told from now on; NULL: nobody. */
void remote_lists_tell(struct remote_lists *w, remote_lists_fn *changed, void *arg);
/* What is being fetched ends without effect. */
void remote_lists_destroy(struct remote_lists **w);

/* The configuration is read anew: between these two each URI that it names is wanted; the others
 * are forgotten. A new one is known at once when there is a copy on disk. */
void remote_lists_begin(struct remote_lists *w, const struct config *cfg);
void remote_lists_want(struct remote_lists *w, const char *uri);
void remote_lists_end(struct remote_lists *w);

/* What is known of a URI: an array (borrowed), or NULL: nothing yet. */
struct json_object *remote_lists_get(const struct remote_lists *w, const char *uri);
/* For the metrics, which are of lists from elsewhere, too: one could not be read; and of so many
 * nothing is known yet. */
void remote_lists_failed(struct remote_lists *w);
void remote_lists_unread(struct remote_lists *w, unsigned others);
/* Fetches all of them now; `changed` is called where what came differs. One that is on its way is
 * fetched once more after that. */
void remote_lists_refresh(struct remote_lists *w);
/* Fetches this one now, in the same way. */
void remote_lists_refresh_one(struct remote_lists *w, const char *uri);

#endif
