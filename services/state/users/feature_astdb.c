/*
 * The services of users as Asterisk's database has them: DBGetTree for each family, or, where an
 * Asterisk has no such action, DBGet for each key of each user.
 */
#include "users/feature_astdb.h"

#include <stdlib.h>

#include "ami/ami.h"
#include "base/map.h"
#include "core/ami_request.h"
#include "users/feature_keys.h"
#include "users/feature_reader.h"
#include "users/feature_take.h"

#define AT_A_TIME 50 /* DBGet under way before the next user is asked about */
#define DEADLINE_MS 10000
#define MAX_KEY 512
#define MAX_KNOWN 200000 /* keys that are remembered */

/* A question under way: a family, or (k is not NULL) a key of a user. */
struct question {
    struct feature_astdb *r;
    struct xod_ipbx *ipbx;
    const struct feature_key *k;
    size_t phone_at; /* of the phone's id in text; 0: the key is of no phone */
    char text[];     /* the family, or the user's id, a NUL, the phone's id */
};

struct feature_astdb {
    struct state *s;
    size_t n_asked; /* DBGet under way */
    bool told;      /* that it is not permitted; since the last resync */
    /* Keys of users' other phones that were read before: SITE, a NUL, USER, a NUL, the path. */
    struct map *known;
    bool refuses[MAX_IPBXES]; /* it has refused to change a key since the last resync */
};

/* ---- keys ---- */

/* The path of the key of a user's phone; false when there is none, or its family is another one. */
static bool own_key(struct buf *path, const struct feature_astdb *r, const struct feature_key *k,
                    const struct xod_obj *user, const struct xod_obj *phone, const char *family)
{
    struct view rest;

    buf_init(path, MAX_KEY);
    if (!feature_key_put(path, r->s, k->astdb, user, phone))
        return false;
    rest = buf_view(path);
    return !family || view_eq(view_cut(&rest, '/'), view_cstr(family));
}

static bool *refuses(struct feature_astdb *r, const struct xod_ipbx *ipbx)
{
    for (size_t i = 0; i < r->s->n_ipbxes; i++)
        if (r->s->ipbxes[i].model->ipbx == ipbx)
            return &r->refuses[i];
    return NULL;
}

/* How many keys a user has for a service: one, or one for each phone. Where keys cannot be changed,
 * those of the phones cannot be kept the same, and that of the main line counts alone. */
static size_t n_keys(struct feature_astdb *r, const struct feature_key *k,
                     const struct xod_obj *user)
{
    const bool *one = refuses(r, xod_obj_ipbx(user));
    size_t n = 1;

    if (!feature_key_of_each_phone(r->s, k->astdb) || (one && *one))
        return 1;
    while (feature_phone(user, n))
        n++;
    return n;
}

static void known_key(struct buf *out, const struct xod_obj *user, struct view path)
{
    buf_init(out, 4096);
    buf_append_view(out, xod_ipbx_name(xod_obj_ipbx(user)));
    buf_append_char(out, '\0');
    buf_append_view(out, xod_obj_id(user));
    buf_append_char(out, '\0');
    buf_append_view(out, path);
}

static bool is_known(const struct feature_astdb *r, const struct xod_obj *user, struct view path)
{
    struct buf key;
    bool known;

    known_key(&key, user, path);
    known = !key.failed && map_get(r->known, buf_view(&key));
    buf_free(&key);
    return known;
}

/* What cannot be remembered is given what the user has when it is read again. */
static void remember(struct feature_astdb *r, const struct xod_obj *user, struct view path)
{
    struct buf key;
    char *copy = NULL;

    known_key(&key, user, path);
    if (!key.failed && map_count(r->known) < MAX_KNOWN && !map_get(r->known, buf_view(&key)))
        copy = view_dup(buf_view(&key));
    if (copy && map_put(r->known, view_of(copy, buf_len(&key)), copy) < 0)
        free(copy);
    buf_free(&key);
}

/* ---- what was read ---- */

/* value: empty when there is no such key. The key of another phone than the main line's may be of
 * one that the user did not have before: it counts from the second time on. */
static void take(struct feature_astdb *r, struct xod_obj *user, const struct feature_key *k,
                 const struct xod_obj *phone, struct view key, struct view value)
{
    bool other = phone && phone != feature_phone(user, 0);
    bool is_new = other && !is_known(r, user, key);
    int rc = feature_take_key(r->s, user, k, phone, is_new, key, value);

    if (rc == 0 && is_new)
        remember(r, user, key);
    feature_reader_took(r->s, user, rc);
}

static void not_permitted(struct feature_astdb *r, const struct xod_ipbx *ipbx, struct view message)
{
    if (r->told)
        return;
    r->told = true;
    log_warning(r->s->log,
                "%s: services of users cannot be read of its database: %.*s: the manager user "
                "needs write = system,reporting",
                xod_ipbx_name(ipbx).ptr, VIEW_ARG(message));
}

/* What an answer says. */
enum told { TOLD_VALUES, TOLD_NOTHING, TOLD_NO_SUCH_ACTION, TOLD_ERROR, TOLD_LOST };

static enum told told(enum bus_status status, const msgpack_object *body)
{
    struct view message = msg_get_str(body, "message");

    if (status != BUS_ok)
        return TOLD_LOST;
    if (!view_eq(msg_get_str(body, "response"), VIEW("Error")))
        return TOLD_VALUES;
    if (view_starts(message, VIEW("Database entry")))
        return TOLD_NOTHING;
    return msg_get_bool(body, "no_such_action", false) || ami_is_unknown(message)
               ? TOLD_NO_SUCH_ACTION
               : TOLD_ERROR;
}

/* A header of event number n of a list; *more says whether there is such an event. */
static struct view header(const msgpack_object *body, size_t n, struct view name, bool *more)
{
    const msgpack_object *events = msg_get(body, "events");
    const msgpack_object *event;

    *more = events && events->type == MSGPACK_OBJECT_ARRAY && n < events->via.array.size;
    event = *more ? &events->via.array.ptr[n] : NULL;
    for (uint32_t i = 0; event && event->type == MSGPACK_OBJECT_ARRAY && i < event->via.array.size;
         i++) {
        const msgpack_object *pair = &event->via.array.ptr[i];
        if (pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2 &&
            view_ieq(msg_str(&pair->via.array.ptr[0]), name))
            return msg_str(&pair->via.array.ptr[1]);
    }
    return view_of(NULL, 0);
}

static struct question *question_new(struct feature_astdb *r, struct xod_ipbx *ipbx,
                                     const struct feature_key *k, struct view text)
{
    struct question *q = calloc(1, sizeof(*q) + text.len + 1);

    if (!q)
        return NULL;
    q->r = r;
    q->ipbx = ipbx;
    q->k = k;
    memcpy(q->text, text.ptr, text.len);
    return q;
}

/* ---- families ---- */

static void read_each(struct feature_astdb *r, struct xod_ipbx *ipbx)
{
    struct xod_obj *user;

    for (size_t pos = 0; (user = xod_next(ipbx, LIST_users, &pos));)
        feature_reader_user(r->s, user);
}

static void take_keys(struct question *q, const struct map *values, struct xod_obj *user,
                      const struct feature_key *k)
{
    size_t n = n_keys(q->r, k, user);

    for (size_t i = 0; i < n; i++) {
        const struct xod_obj *phone = feature_phone(user, i);
        struct buf path;
        if (own_key(&path, q->r, k, user, phone, q->text)) {
            const struct view *value = map_get(values, buf_view(&path));
            take(q->r, user, k, phone, buf_view(&path), value ? *value : view_of(NULL, 0));
        }
        buf_free(&path);
    }
}

static void take_family(struct question *q, const struct map *values)
{
    struct xod_obj *user;

    for (size_t pos = 0; (user = xod_next(q->ipbx, LIST_users, &pos));)
        for (size_t i = 0; i < N_FEATURE_KEYS; i++)
            take_keys(q, values, user, &feature_keys[i]);
}

/* The values by their paths without the slash in front; `room` has place for all of them. */
static bool index_values(struct map *values, struct view *room, const msgpack_object *body)
{
    bool more = true;

    for (size_t n = 0; more; n++) {
        struct view path = header(body, n, VIEW("Key"), &more);
        if (path.len < 2)
            continue;
        room[n] = header(body, n, VIEW("Val"), &more);
        if (map_put(values, view_of(path.ptr + 1, path.len - 1), &room[n]) < 0)
            return false;
    }
    return true;
}

static void take_values(struct question *q, const msgpack_object *body)
{
    const msgpack_object *events = msg_get(body, "events");
    size_t n = events && events->type == MSGPACK_OBJECT_ARRAY ? events->via.array.size : 0;
    struct view *room = calloc(n + 1, sizeof(*room));
    struct map *values = map_new();

    /* of what was cut off nothing is known */
    if (room && values && !msg_get_bool(body, "truncated", false) &&
        index_values(values, room, body))
        take_family(q, values);
    map_destroy(&values);
    free(room);
}

static void on_family(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct question *q = arg;

    switch (told(status, body)) {
    case TOLD_VALUES:
    case TOLD_NOTHING:
        take_values(q, body);
        break;
    case TOLD_NO_SUCH_ACTION:
        read_each(q->r, q->ipbx);
        break;
    case TOLD_ERROR:
        not_permitted(q->r, q->ipbx, msg_get_str(body, "message"));
        break;
    case TOLD_LOST: /* when the link is down, the next resync does it */
        feature_reader_again(q->r->s);
        break;
    }
    free(q);
}

static void ask_family(struct feature_astdb *r, struct xod_ipbx *ipbx, struct view family)
{
    struct question *q = question_new(r, ipbx, NULL, family);
    struct ami_request request;
    struct buf body;

    if (!q)
        return;
    buf_init(&body, 4096);
    ami_request_begin(&request, &body, VIEW("DBGetTree"));
    ami_request_header(&request, VIEW("Family"), family);
    if (!ami_request_ask(r->s, ipbx, 2, ami_request_end(&request), DEADLINE_MS, on_family, q))
        free(q);
    buf_free(&body);
}

static struct view family_of(const struct state *s, const struct feature_key *k)
{
    struct view template = view_cstr(config_str(s->cfg, k->astdb));

    return view_cut(&template, '/');
}

static bool asked_before(const struct state *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (view_eq(family_of(s, &feature_keys[i]), family_of(s, &feature_keys[n])))
            return true;
    return false;
}

void feature_astdb_all(struct feature_astdb *r, struct xod_ipbx *ipbx)
{
    for (size_t i = 0; i < N_FEATURE_KEYS; i++)
        if (family_of(r->s, &feature_keys[i]).len && !asked_before(r->s, i))
            ask_family(r, ipbx, family_of(r->s, &feature_keys[i]));
}

/* ---- single keys ---- */

static void on_key(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct question *q = arg;
    struct feature_astdb *r = q->r;
    struct xod_obj *user = xod_find(q->ipbx, LIST_users, view_cstr(q->text));
    const struct xod_obj *phone =
        q->phone_at ? xod_find(q->ipbx, LIST_phones, view_cstr(q->text + q->phone_at)) : NULL;
    enum told what = told(status, body);
    bool more = what == TOLD_NOTHING;
    struct view value =
        what == TOLD_VALUES ? header(body, 0, VIEW("Val"), &more) : view_of(NULL, 0);
    struct buf path;

    r->n_asked--;
    if (what == TOLD_ERROR)
        not_permitted(r, q->ipbx, msg_get_str(body, "message"));
    if (user && more && (phone || !q->phone_at)) {
        if (own_key(&path, r, q->k, user, phone, NULL))
            take(r, user, q->k, phone, buf_view(&path), value);
        buf_free(&path);
    }
    free(q);
    feature_reader_go_on(r->s);
}

/* About the key of a user's phone, or (NULL) of a user. */
static struct question *question_of(struct feature_astdb *r, const struct xod_obj *user,
                                    const struct xod_obj *phone, const struct feature_key *k)
{
    struct question *q = NULL;
    struct buf text;

    buf_init(&text, 4096);
    buf_append_view(&text, xod_obj_id(user));
    buf_append_char(&text, '\0');
    if (phone)
        buf_append_view(&text, xod_obj_id(phone));
    if (!text.failed)
        q = question_new(r, xod_obj_ipbx(user), k, buf_view(&text));
    if (q && phone)
        q->phone_at = xod_obj_id(user).len + 1;
    buf_free(&text);
    return q;
}

static void ask_key(struct feature_astdb *r, const struct xod_obj *user,
                    const struct xod_obj *phone, const struct feature_key *k, struct view path)
{
    struct question *q = question_of(r, user, phone, k);
    struct view family = view_cut(&path, '/');
    struct ami_request request;
    struct buf body;

    if (!q)
        return;
    buf_init(&body, 4096);
    ami_request_begin(&request, &body, VIEW("DBGet"));
    ami_request_header(&request, VIEW("Family"), family);
    ami_request_header(&request, VIEW("Key"), path);
    if (ami_request_ask(r->s, q->ipbx, 2, ami_request_end(&request), DEADLINE_MS, on_key, q))
        r->n_asked++;
    else
        free(q);
    buf_free(&body);
}

bool feature_astdb_has_room(const struct feature_astdb *r)
{
    return r->n_asked + N_FEATURE_KEYS <= AT_A_TIME;
}

void feature_astdb_user(struct feature_astdb *r, struct xod_obj *user)
{
    for (size_t i = 0; i < N_FEATURE_KEYS; i++)
        for (size_t n = 0; n < n_keys(r, &feature_keys[i], user); n++) {
            const struct xod_obj *phone = feature_phone(user, n);
            struct buf path;
            if (own_key(&path, r, &feature_keys[i], user, phone, NULL))
                ask_key(r, user, phone, &feature_keys[i], buf_view(&path));
            buf_free(&path);
        }
}

/* ---- life ---- */

void feature_astdb_resynced(struct feature_astdb *r, const struct xod_ipbx *ipbx)
{
    bool *now = refuses(r, ipbx);

    r->told = false;
    if (now)
        *now = false;
}

void feature_astdb_refused(struct feature_astdb *r, const struct xod_ipbx *ipbx)
{
    bool *now = refuses(r, ipbx);

    if (now)
        *now = true;
}

struct feature_astdb *feature_astdb_new(struct state *s)
{
    struct feature_astdb *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->s = s;
    r->known = map_new();
    if (!r->known)
        feature_astdb_destroy(&r);
    return r;
}

void feature_astdb_destroy(struct feature_astdb **rp)
{
    struct feature_astdb *r = rp ? *rp : NULL;

    if (!r)
        return;
    *rp = NULL;
    map_destroy_with(&r->known, free);
    free(r);
}
