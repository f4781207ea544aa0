#include "sessions/api_tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/rng.h"

/* A use is written at most so often. */
#define TOUCH_S 3600.0
#define MAX_NAME 100  /* bytes */
#define PREFIX "ctb_" /* so that scanners of secrets, and people, know what it is */

struct api_tokens {
    struct state *s;
    struct map *by_id; /* the first API_TOKEN_ID characters of the hash */
};

static struct view id_of(const struct api_token *k)
{
    return view_of(k->hash, API_TOKEN_ID);
}

/* ---- lifecycle ---- */

struct api_tokens *api_tokens_new(struct state *s)
{
    struct api_tokens *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->s = s;
    t->by_id = map_new();
    if (!t->by_id)
        api_tokens_destroy(&t);
    return t;
}

static void token_free(void *arg)
{
    struct api_token *k = arg;

    free(k->ipbx);
    free(k->user_id);
    free(k->name);
    free(k);
}

void api_tokens_destroy(struct api_tokens **t)
{
    if (!t || !*t)
        return;
    map_destroy_with(&(*t)->by_id, token_free);
    free(*t);
    *t = NULL;
}

static int insert(struct api_tokens *t, struct api_token *k)
{
    if (k->ipbx && k->user_id && k->name && !map_get(t->by_id, id_of(k)) &&
        map_put(t->by_id, id_of(k), k) == 0)
        return 0;
    token_free(k);
    return -ENOMEM;
}

static void remove_token(struct api_tokens *t, struct api_token *k)
{
    map_del(t->by_id, id_of(k));
    db_write(t->s->db, "DELETE FROM api_token WHERE hash = ?", "s", view_cstr(k->hash));
    token_free(k);
}

/* ---- scopes ---- */

void api_scopes_put(struct buf *out, uint32_t scopes)
{
    msg_put_array(out, (size_t)__builtin_popcount(scopes));
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (scopes & (1u << i))
            msg_put_cstr(out, api_scope(i)->name);
}

bool api_scopes_read(const msgpack_object *list, uint32_t *scopes, struct buf *why)
{
    uint32_t n = list && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;

    *scopes = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct view name = msg_str(&list->via.array.ptr[i]);
        int scope = api_scope_find(name);
        if (scope < 0) {
            buf_printf(why, "%.*s", VIEW_ARG(name));
            return false;
        }
        *scopes |= 1u << scope;
    }
    return *scopes != 0;
}

/* As they are kept: names with blanks between them; those of a newer version are left out. */
static uint32_t scopes_of(struct view text)
{
    uint32_t scopes = 0;

    while (text.len > 0) {
        int scope = api_scope_find(view_cut(&text, ' '));
        if (scope >= 0)
            scopes |= 1u << scope;
    }
    return scopes;
}

static void put_words(struct buf *out, uint32_t scopes)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (scopes & (1u << i))
            buf_printf(out, "%s%s", buf_len(out) ? " " : "", api_scope(i)->name);
}

/* ---- restart ---- */

static bool take_row(void *arg, const struct db_row *row)
{
    struct api_tokens *t = arg;
    struct view hash = db_text(row, 0);
    struct api_token *k = hash.len == 64 ? calloc(1, sizeof(*k)) : NULL;

    if (!k)
        return true;
    memcpy(k->hash, hash.ptr, 64);
    k->name = view_dup(db_text(row, 1));
    k->ipbx = view_dup(db_text(row, 2));
    k->user_id = view_dup(db_text(row, 3));
    k->scopes = scopes_of(db_text(row, 4));
    k->created = db_float(row, 5);
    k->used = db_float(row, 6);
    k->expires = db_float(row, 7);
    return insert(t, k) == 0;
}

int api_tokens_restore(struct api_tokens *t)
{
    return db_read_now(t->s->db,
                       "SELECT hash, name, site, user, scopes, created, used, expires"
                       " FROM api_token",
                       take_row, t, "");
}

/* ---- making and finding ---- */

static bool hash_of(struct view text, char out[65])
{
    char hex[DIGEST_HEX];
    bool ok = DIGEST_HEX_OF(EVP_sha256(), hex, text);

    memcpy(out, hex, 65);
    return ok;
}

static void write_new(struct db_txn *txn, const struct api_token *k)
{
    struct buf scopes;

    buf_init(&scopes, 1024);
    put_words(&scopes, k->scopes);
    db_add(txn,
           "INSERT INTO api_token (hash, name, site, user, scopes, created, used, expires)"
           " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
           "sssssfff", view_cstr(k->hash), view_cstr(k->name), view_cstr(k->ipbx),
           view_cstr(k->user_id), buf_view(&scopes), k->created, k->used, k->expires);
    buf_free(&scopes);
}

const struct api_token *api_token_create(struct api_tokens *t, const struct api_token_wish *wish,
                                         struct db_txn *txn, char text[API_TOKEN_TEXT])
{
    struct view name = wish->name;
    struct api_token *k = map_count(t->by_id) < API_TOKENS_MAX ? calloc(1, sizeof(*k)) : NULL;

    if (!k)
        return NULL;
    memcpy(text, PREFIX, strlen(PREFIX));
    rng_alnum(text + strlen(PREFIX), API_TOKEN_TEXT - 1 - strlen(PREFIX));
    name.len = name.len < MAX_NAME ? name.len : MAX_NAME;
    k->ipbx = view_dup(xod_ipbx_name(xod_obj_ipbx(wish->user)));
    k->user_id = view_dup(xod_obj_id(wish->user));
    k->name = view_dup(name);
    k->scopes = wish->scopes;
    k->created = k->used = clock_wall();
    k->expires = wish->days > 0 ? k->created + wish->days * 86400.0 : 0;
    if (!hash_of(view_cstr(text), k->hash)) {
        token_free(k);
        return NULL;
    }
    if (insert(t, k) < 0)
        return NULL;
    write_new(txn, k);
    return k;
}

static struct api_token *valid(struct api_tokens *t, struct api_token *k)
{
    double now = clock_wall();

    if (!k || (k->expires > 0 && now > k->expires))
        return NULL;
    if (now - k->used > TOUCH_S)
        db_write(t->s->db, "UPDATE api_token SET used = ? WHERE hash = ?", "fs", now,
                 view_cstr(k->hash));
    if (now > k->used)
        k->used = now;
    return k;
}

struct api_token *api_token_of_text(struct api_tokens *t, struct view text)
{
    char hash[65];
    struct api_token *k = text.len == API_TOKEN_TEXT - 1 && hash_of(text, hash)
                              ? map_get(t->by_id, view_of(hash, API_TOKEN_ID))
                              : NULL;

    /* what is compared is a hash: its time tells nothing of the token */
    return k && memcmp(k->hash, hash, 64) == 0 ? valid(t, k) : NULL;
}

struct api_token *api_token_of_id(struct api_tokens *t, struct view id)
{
    return valid(t, map_get(t->by_id, id));
}

struct xod_obj *api_token_user(const struct api_tokens *t, const struct api_token *k)
{
    struct xod_ipbx *ipbx = xod_ipbx(t->s->xod, view_cstr(k->ipbx), false);

    return ipbx ? xod_find(ipbx, LIST_users, view_cstr(k->user_id)) : NULL;
}

/* ---- ending ---- */

bool api_token_revoke(struct api_tokens *t, struct view id)
{
    struct api_token *k = map_get(t->by_id, id);

    if (k)
        remove_token(t, k);
    return k != NULL;
}

size_t api_tokens_revoke_user(struct api_tokens *t, const struct xod_obj *user)
{
    size_t pos = 0;
    size_t n = 0;
    void *v;

    while (map_next(t->by_id, &pos, NULL, &v))
        if (api_token_user(t, v) == user) {
            remove_token(t, v);
            n++;
        }
    return n;
}

const struct api_token *api_tokens_next(const struct api_tokens *t, size_t *pos)
{
    void *v;

    return map_next(t->by_id, pos, NULL, &v) ? v : NULL;
}

void api_tokens_expire(struct api_tokens *t, double now)
{
    size_t pos = 0;
    void *v;

    while (map_next(t->by_id, &pos, NULL, &v)) {
        const struct api_token *k = v;
        if (k->expires > 0 && now > k->expires)
            remove_token(t, v);
    }
}
