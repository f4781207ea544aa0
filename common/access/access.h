/*
 * Access rights: what each user may see and do. The only place that decides it.
 *
 * What a class or a command needs is that the profile's section names it. What an object needs is,
 * where `main.parting_astid_context` holds "context", a context that the user has, too: those are
 * the contexts of the user's own lines; a user's own contexts are those of the lines. A user whose
 * id begins with "cs:" is another site (a XiVO that logs in as a client): it sees users, groups,
 * queues, agents and phones of this site, and nothing that came from a third.
 */
#ifndef CTIBUS_ACCESS_ACCESS_H
#define CTIBUS_ACCESS_ACCESS_H

#include "config/config.h"
#include "xod/xod.h"

/* What one user sees: contexts, each ended by a NUL, sorted, no two alike; NULL: everything. */
struct access {
    bool is_site; /* it is another site */
    char *contexts;
    size_t len;
    /* what the profile limits (access_limit), devices each ended by a NUL: */
    char *seen; /* those whose channels and calls are seen; NULL: all */
    char *own;  /* the user's; NULL: nothing is limited */
    size_t seen_len, own_len;
    bool masked; /* the numbers of other people's calls are */
};

/* Does the configuration keep contexts apart? */
bool access_is_separate(const struct config *cfg);
/* What `user` sees (NULL: a user without lines). 0 or -ENOMEM. */
int access_init(struct access *a, const struct xod_obj *user, bool separate);
/* Limits it as the profile's `see` says: calls: own (channels and calls of the user's phones and
 * agent), group (also of those of the user's group, see access_group) or all; numbers: full or
 * masked. NULL limits nothing. It holds until lines, agents or groups change. 0 or -ENOMEM. */
int access_limit(struct access *a, const struct xod_obj *user, struct json_object *see);
bool access_is_limited(const struct access *a);
/* What access_sees asks beside the contexts. */
bool access_within_limit(const struct access *a, const struct xod_obj *o);
/* Are numbers of this object masked (access_mask)? */
bool access_masks(const struct access *a, const struct xod_obj *o);
/* Appends the text with an x for each of the last four digits of every number of more than six. */
void access_mask(struct buf *out, struct view text);
/* Is this user another site? */
bool access_is_peer(struct view user_id);
void access_fini(struct access *a);
/* Appends bytes that are the same for two that see the same, and for no others. */
void access_put_key(const struct access *a, struct buf *out);
bool access_sees(const struct access *a, const struct xod_obj *o);
/* Calls fn for each context by which an object is seen: with one of them it is, by a user who is no
 * other site and whom no profile limits. A context may come twice. Ends at the first for which fn
 * says true, and says so, too. */
typedef bool access_context_fn(void *arg, struct view context);
bool access_contexts_of(const struct xod_obj *o, access_context_fn *fn, void *arg);
/* Context of `a` behind *pos (begin with 0); false at the end. */
bool access_next_context(const struct access *a, size_t *pos, struct view *context);

/* Is `word` among the strings of an array (regcommands, ipbxcommands...)? *any, if not NULL: are
 * there any strings at all? NULL and what is no array has none. */
bool access_names(struct json_object *array, struct view word, bool *any);

/* Calls fn for each user of the user's group, also the user and maybe several times: those whose
 * phones (or whose agents) are members of a ring group that a phone or the agent of the user is a
 * member of, and those with whom the user has a name of the lists' `groups` in common. It is whom a
 * company lets answer each other's calls; entities of the web services often hold the whole
 * company. */
typedef void access_user_fn(void *arg, const struct xod_obj *user);
void access_group(const struct xod_obj *user, access_user_fn *fn, void *arg);

#endif
