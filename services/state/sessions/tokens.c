#include "sessions/tokens.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/rng.h"
#include "users/passwords.h"

/* A use is written at most so often. */
#define TOUCH_S 3600.0
/* What a client may call itself, in bytes. */
#define MAX_AGENT 200

struct tokens {
    struct state *s;
    struct map *by_hash;
};

struct tokens *tokens_new(struct state *s)
{
    struct tokens *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->s = s;
    t->by_hash = map_new();
    if (!t->by_hash)
        tokens_destroy(&t);
    return t;
}

static void token_free(void *arg)
{
    struct token *k = arg;

    if (!k)
        return;
    free(k->ipbx);
    free(k->user_id);
    free(k->agent);
    free(k);
}

void tokens_destroy(struct tokens **t)
{
    if (!t || !*t)
        return;
    map_destroy_with(&(*t)->by_hash, token_free);
    free(*t);
    *t = NULL;
}

/* False: OpenSSL refuses. */
static bool hash_of(struct view text, char out[65])
{
    char hex[DIGEST_HEX];
    bool ok = DIGEST_HEX_OF(EVP_sha256(), hex, text);

    memcpy(out, hex, 65);
    return ok;
}

/* Only the holder of the token can tell from it whether a password is the right one. */
static bool proof_of(struct view text, const char *password, char out[65])
{
    char hex[DIGEST_HEX];
    bool ok =
        DIGEST_HEX_OF(EVP_sha256(), hex, text, VIEW(":"), view_cstr(password ? password : ""));

    memcpy(out, hex, 65);
    return ok;
}

static int insert(struct tokens *t, struct token *k)
{
    if (!k->ipbx || !k->user_id || !k->agent || map_put(t->by_hash, view_of(k->hash, 64), k) < 0) {
        token_free(k);
        return -ENOMEM;
    }
    return 0;
}

static void remove_token(struct tokens *t, struct token *k)
{
    map_del(t->by_hash, view_of(k->hash, 64));
    db_write(t->s->db, "DELETE FROM token WHERE hash = ?", "s", view_cstr(k->hash));
    token_free(k);
}

/* ---- restart ---- */

static bool take_row(void *arg, const struct db_row *row)
{
    struct tokens *t = arg;
    struct view hash = db_text(row, 0);
    struct view proof = db_text(row, 1);
    struct token *k;

    if (hash.len != 64 || proof.len != 64 || !(k = calloc(1, sizeof(*k))))
        return true;
    memcpy(k->hash, hash.ptr, 64);
    memcpy(k->proof, proof.ptr, 64);
    k->ipbx = view_dup(db_text(row, 2));
    k->user_id = view_dup(db_text(row, 3));
    k->created = db_float(row, 4);
    k->used = db_float(row, 5);
    k->agent = view_dup(db_text(row, 6));
    return insert(t, k) == 0;
}

int tokens_restore(struct tokens *t)
{
    return db_read_now(t->s->db, "SELECT hash, proof, site, user, created, used, agent FROM token",
                       take_row, t, "");
}

/* ---- use ---- */

static bool is_of(const struct token *k, const struct xod_obj *user)
{
    return view_eq(view_cstr(k->ipbx), xod_ipbx_name(xod_obj_ipbx(user))) &&
           view_eq(view_cstr(k->user_id), xod_obj_id(user));
}

/* Makes room for one more of this user. */
static void bound_user(struct tokens *t, const struct xod_obj *user)
{
    struct token *oldest = NULL;
    size_t pos = 0;
    size_t n = 0;
    void *v;

    while (map_next(t->by_hash, &pos, NULL, &v)) {
        struct token *k = v;
        if (!is_of(k, user))
            continue;
        n++;
        if (!oldest || k->used < oldest->used)
            oldest = k;
    }
    if (n >= TOKENS_PER_USER)
        remove_token(t, oldest);
}

int token_create(struct tokens *t, const struct xod_obj *user, const char *password,
                 struct view agent, struct db_txn *txn, char text[TOKEN_TEXT])
{
    struct token *k;

    bound_user(t, user);
    k = calloc(1, sizeof(*k));
    if (!k)
        return -ENOMEM;
    rng_alnum(text, TOKEN_TEXT - 1);
    if (!hash_of(view_cstr(text), k->hash) || !proof_of(view_cstr(text), password, k->proof)) {
        token_free(k);
        return -EIO;
    }
    agent.len = agent.len < MAX_AGENT ? agent.len : MAX_AGENT;
    k->ipbx = view_dup(xod_ipbx_name(xod_obj_ipbx(user)));
    k->user_id = view_dup(xod_obj_id(user));
    k->agent = view_dup(agent);
    k->created = k->used = clock_wall();
    if (insert(t, k) < 0)
        return -ENOMEM;
    if (txn)
        db_add(txn,
               "INSERT INTO token (hash, proof, site, user, created, used, agent)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)",
               "ssssffs", view_cstr(k->hash), view_cstr(k->proof), view_cstr(k->ipbx),
               view_cstr(k->user_id), k->created, k->used, view_cstr(k->agent));
    return 0;
}

static double lifetime(const struct tokens *t)
{
    return 86400.0 * (double)config_int(t->s->cfg, "ctibus.auth.token_days");
}

static struct token *find(struct tokens *t, struct view text)
{
    char hash[65];

    return text.len == TOKEN_TEXT - 1 && hash_of(text, hash)
               ? map_get(t->by_hash, view_of(hash, 64))
               : NULL;
}

struct xod_obj *token_owner(const struct tokens *t, const struct token *k)
{
    struct xod_ipbx *ipbx = xod_ipbx(t->s->xod, view_cstr(k->ipbx), false);

    return ipbx ? xod_find(ipbx, LIST_users, view_cstr(k->user_id)) : NULL;
}

struct xod_obj *token_user(struct tokens *t, struct view text)
{
    struct token *k = find(t, text);
    struct xod_obj *user = k ? token_owner(t, k) : NULL;
    double now = clock_wall();
    const char *password;
    char proof[65];

    if (!user || now - k->used > lifetime(t))
        return NULL;
    password = passwords_get(t->s->passwords, view_cstr(k->ipbx), view_cstr(k->user_id));
    if (!proof_of(text, password, proof) || CRYPTO_memcmp(proof, k->proof, 64) != 0) {
        remove_token(t, k); /* the password has changed since */
        return NULL;
    }
    if (now - k->used > TOUCH_S)
        db_write(t->s->db, "UPDATE token SET used = ? WHERE hash = ?", "fs", now,
                 view_cstr(k->hash));
    if (now > k->used)
        k->used = now;
    return user;
}

bool token_revoke(struct tokens *t, struct view text)
{
    struct token *k = find(t, text);

    if (k)
        remove_token(t, k);
    return k != NULL;
}

size_t tokens_revoke_user(struct tokens *t, const struct xod_obj *user)
{
    size_t pos = 0;
    size_t n = 0;
    void *v;

    while (map_next(t->by_hash, &pos, NULL, &v))
        if (is_of(v, user)) {
            remove_token(t, v);
            n++;
        }
    return n;
}

const struct token *tokens_next(const struct tokens *t, size_t *pos)
{
    void *v;

    return map_next(t->by_hash, pos, NULL, &v) ? v : NULL;
}

void tokens_expire(struct tokens *t, double now)
{
    size_t pos = 0;
    void *v;

    while (map_next(t->by_hash, &pos, NULL, &v))
        if (now - ((struct token *)v)->used > lifetime(t))
            remove_token(t, v);
}
