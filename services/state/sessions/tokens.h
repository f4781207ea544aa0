/*
 * Tokens: what a browser keeps instead of a password, so that a reload of its page logs in again.
 *
 * A token is 32 random bytes, given to its client once. Kept are only its SHA-256, and that of the
 * token with the password: a token dies with the password that it was made for. It ends
 * `ctibus.auth.token_days` after its last use, or when it is revoked.
 */
#ifndef CTIBUS_STATE_SESSIONS_TOKENS_H
#define CTIBUS_STATE_SESSIONS_TOKENS_H

#include "core/context.h"
#include "database/db.h"

/* Characters of a token and a NUL. */
#define TOKEN_TEXT 44
/* Of one user; another one ends the one that was unused for longest. */
#define TOKENS_PER_USER 20

struct token {
    char *ipbx, *user_id;
    char *agent;          /* what its client called itself, for administrators; may be empty */
    double created, used; /* seconds since 1970 */
    char hash[65];        /* hexadecimal */
    char proof[65];
};

/* NULL without memory. */
struct tokens *tokens_new(struct state *s);
void tokens_destroy(struct tokens **t);
/* Those of the database, before it is started. 0 or a negative error. */
int tokens_restore(struct tokens *t);
/* A new one for the user: its text in `text`; written by `txn`. `password` may be NULL: it is not
 * known here. 0, -ENOMEM or -EIO. */
int token_create(struct tokens *t, const struct xod_obj *user, const char *password,
                 struct view agent, struct db_txn *txn, char text[TOKEN_TEXT]);
/* The user of a token that is valid now, or NULL; notes the use. */
struct xod_obj *token_user(struct tokens *t, struct view text);
/* The user that it was made for, valid or not; NULL: no longer in the configuration. */
struct xod_obj *token_owner(const struct tokens *t, const struct token *k);
/* Ends it. False: there is none. */
bool token_revoke(struct tokens *t, struct view text);
/* Ends all of a user; how many. */
size_t tokens_revoke_user(struct tokens *t, const struct xod_obj *user);
/* Walks them: *pos starts at 0; NULL at the end. They must not change meanwhile. */
const struct token *tokens_next(const struct tokens *t, size_t *pos);
/* Ends those that were not used for too long. */
void tokens_expire(struct tokens *t, double now);

#endif
