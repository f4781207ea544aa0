/* Where directories get their entries from. Private to directory/. */
#ifndef CTIBUS_STATE_DIRECTORY_SOURCES_H
#define CTIBUS_STATE_DIRECTORY_SOURCES_H

#include "catalog.h"
#include "core/context.h"

struct state;

/* ---- source_internal.c: the users of an IPBX with each of their phones ---- */

/* May the user who searches see this user, or this phone? */
typedef bool sees_fn(void *arg, const struct xod_obj *o);
/* Calls found(arg, e) for each user whom `sees` (NULL: all are seen) lets through and of whom one
 * of these columns fits the query, with each of the phones that it lets through, or without one
 * when the user has none at all, until it returns false. Columns are fields of users and, of the
 * phone, `number` and `context`; also in the spelling of XiVO's tables ("userfeatures.firstname",
 * "linefeatures.number"...). */
void internal_find(const struct xod_ipbx *ipbx, struct json_object *columns, const struct query *q,
                   sees_fn *sees, void *sees_arg, found_fn *found, void *arg);

/* Is it the IPBX of another site, known through federation? */
bool internal_is_remote(const struct xod_ipbx *ipbx);
/* The user of an entry that internal_find gave, and the phone (or NULL). */
const struct xod_obj *internal_user(const struct entry *e);
const struct xod_obj *internal_phone(const struct entry *e);

/* ---- source_phonebook.c: the list urllist_phonebook of each IPBX ---- */

struct phonebooks;
struct phonebooks *phonebooks_new(void); /* NULL without memory */
void phonebooks_destroy(struct phonebooks **p);
/* Takes in what the list of an IPBX holds now. 0, or -EINVAL and in *fault what is wrong with it in
 * words: what was there stays. */
int phonebooks_set(struct phonebooks *p, const struct xod_ipbx *ipbx, struct json_object *list,
                   const char **fault);
/* NULL: nothing is known yet. */
const struct table *phonebooks_get(const struct phonebooks *p, const struct xod_ipbx *ipbx);

/* ---- source_csv.c: files ---- */

#define CSV_MAX_BYTES ((size_t)32 * 1024 * 1024)

/* Reads the file of a directory into its table. 0, or a negative errno and in *fault what is wrong
 * in words: its table stays. */
int csv_load(struct directory *dir, const struct config *cfg, const char **fault);

/* ---- source_http.c: web servers, asked anew for each lookup ---- */

#define HTTP_MAX_WAITING 64
#define HTTP_MAX_BYTES ((size_t)4 * 1024 * 1024) /* of an answer */

struct webdirs;
/* What one answered to the lookup `arg` as its number `slot`, for the callback to look at; NULL:
 * nothing (logged). */
typedef void webdirs_fn(void *arg, size_t slot, const struct table *answer);

/* Starts no thread before there is something to ask. NULL without memory. */
struct webdirs *webdirs_new(struct state *s, webdirs_fn *done);
/* Who waits is not called any more. */
void webdirs_destroy(struct webdirs **w);
/* Asks; done(arg, slot, answer) is called on the loop within main.sockettimeout seconds. False: it
 * cannot be asked (logged), and nothing is called. */
bool webdirs_ask(struct webdirs *w, struct directory *dir, const struct query *q, void *arg,
                 size_t slot);
/* Appends the URI of a lookup: that of the directory with NAME=TEXT for each column that is looked
 * at. */
void webdirs_put_uri(struct buf *out, const struct directory *dir, const struct query *q);

#endif
