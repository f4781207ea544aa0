/*
 * The lists behind http: and https: URIs: what is known of each, and when it is asked for again.
 *
 * lists.c wants URIs and gets arrays. They are fetched by fetch.h; the last good copy stays in
 * memory, and on disk where `ctibus.lists_cache` says so, while its server cannot be reached.
 */
#ifndef CTIBUS_STATE_WEBLISTS_H
#define CTIBUS_STATE_WEBLISTS_H

#include <json-c/json.h>

#include "base/buf.h"

struct state;
struct weblists;

#define MAX_LIST_BYTES ((size_t)256 * 1024 * 1024) /* text of one list */

bool weblists_is_web(const char *uri);
/* Appends the URI as it may be logged: without user and password. */
void weblists_put_uri(struct buf *out, const char *uri);

/* Something else came from this URI than before, or a copy of it was on disk. */
typedef void weblists_fn(void *state, const char *uri);

/* Reads the configuration of `s` whenever it is needed. Starts nothing before a URI is wanted. NULL
 * without memory. */
struct weblists *weblists_new(struct state *s, uint32_t retry_ms, weblists_fn *changed);
/* What is being fetched ends without effect. */
void weblists_destroy(struct weblists **w);

/* The configuration is read anew: between these two each URI that it names is wanted; the others
 * are forgotten. A new one is known at once when there is a copy on disk. */
void weblists_begin(struct weblists *w);
void weblists_want(struct weblists *w, const char *uri);
void weblists_end(struct weblists *w);

/* What is known of a URI: an array (borrowed), or NULL: nothing yet. */
struct json_object *weblists_get(const struct weblists *w, const char *uri);
/* Fetches all of them now; `changed` is called where what came differs. One that is on its way is
 * fetched once more after that. */
void weblists_refresh(struct weblists *w);
/* Fetches this one now, in the same way. */
void weblists_refresh_one(struct weblists *w, const char *uri);

#endif
