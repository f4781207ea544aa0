/*
 * Tokens of programs that use the HTTP API (http-gw): each is of a user, whose profile says what it
 * may see and do, and has scopes (schema/api.def) that narrow it. Kept is only its SHA-256.
 *
 * Unlike what a browser keeps (tokens.h) it does not end with the user's password: it is made by an
 * administrator, who ends it.
 */
#ifndef CTIBUS_STATE_SESSIONS_API_TOKENS_H
#define CTIBUS_STATE_SESSIONS_API_TOKENS_H

#include "core/context.h"
#include "database/db.h"
#include "schema/api.h"

/* "ctb_", 43 random characters and a NUL. */
#define API_TOKEN_TEXT 48
#define API_TOKENS_MAX 10000
#define API_TOKEN_ID 12 /* characters of its hash that name it */

struct api_token {
    char *ipbx, *user_id, *name;
    uint32_t scopes;               /* bits of enum api_scope */
    double created, used, expires; /* seconds since 1970; expires 0: never */
    char hash[65];                 /* hexadecimal */
};

struct api_tokens;
/* NULL without memory. */
struct api_tokens *api_tokens_new(struct state *s);
void api_tokens_destroy(struct api_tokens **t);
/* Those of the database, before it is started. 0 or a negative error. */
int api_tokens_restore(struct api_tokens *t);
/* What a new one is to be. days: until it expires, 0: never. */
struct api_token_wish {
    const struct xod_obj *user;
    struct view name;
    uint32_t scopes;
    double days;
};
/* A new one: its text in `text`; written by `txn`. NULL: too many, no memory, or OpenSSL refuses.
 */
const struct api_token *api_token_create(struct api_tokens *t, const struct api_token_wish *wish,
                                         struct db_txn *txn, char text[API_TOKEN_TEXT]);
/* The one of this text, or of this id, if it is valid now; or NULL. Notes the use. */
struct api_token *api_token_of_text(struct api_tokens *t, struct view text);
struct api_token *api_token_of_id(struct api_tokens *t, struct view id);
/* The user that it was made for; NULL: no longer in the configuration. */
struct xod_obj *api_token_user(const struct api_tokens *t, const struct api_token *k);
/* Ends the one of this id. False: there is none. */
bool api_token_revoke(struct api_tokens *t, struct view id);
/* Ends all of a user; how many. */
size_t api_tokens_revoke_user(struct api_tokens *t, const struct xod_obj *user);
/* Walks them: *pos starts at 0; NULL at the end. They must not change meanwhile. */
const struct api_token *api_tokens_next(const struct api_tokens *t, size_t *pos);
/* Ends those whose time is over. */
void api_tokens_expire(struct api_tokens *t, double now);

/* The names of scopes, as an array of msgpack; and the bits of such an array. False: one is unknown
 * (appended to `why`), or there is none. */
void api_scopes_put(struct buf *out, uint32_t scopes);
bool api_scopes_read(const msgpack_object *list, uint32_t *scopes, struct buf *why);

#endif
