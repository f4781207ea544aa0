/*
 * The services of users as Asterisk's database has them: DBGetTree for each family, or, where an
 * Asterisk has no such action, DBGet for each key of each user.
 */
#include "users/feature_reader.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "core/ami_request.h"
#include "users/feature_keys.h"
#include "users/feature_take.h"
#include "users/relations.h"

#define AT_A_TIME 50 /* DBGet under way */
#define DEADLINE_MS 10000
/* Several events tell one change, and the dialplan may set the device before the key. */
#define SOON_MS 100
#define AGAIN_MS 10000
#define MAX_KEY 512

/* A user whose keys are to be read. */
struct reading {
    struct xod_ipbx *ipbx;
    char *key; /* SITE, a NUL, USER */
    size_t key_len;
    uint64_t at_us; /* when, monotonic */
    TAILQ_ENTRY(reading) link;
};

struct feature_reader {
    struct state *s;
    struct map *by_user;
    TAILQ_HEAD(, reading) due;
    size_t n_asked;
    struct loop_timer *soon, *again;
    bool told; /* that it is not permitted; since the last resync */
};

/* A question under way: a family, or (k is not NULL) a key of a user. */
struct question {
    struct feature_reader *r;
    struct xod_ipbx *ipbx;
    const struct feature_key *k;
    char text[]; /* the family, or the user's id */
};

/* ---- users whose keys are to be read ---- */

static void forget(struct feature_reader *r, struct reading *x)
{
    map_del(r->by_user, view_of(x->key, x->key_len));
    TAILQ_REMOVE(&r->due, x, link);
    free(x->key);
    free(x);
}

static struct view user_id(const struct reading *x)
{
    size_t site = xod_ipbx_name(x->ipbx).len + 1;

    return view_of(x->key + site, x->key_len - site);
}

/* Without memory the next resync reads it. */
static void read_soon(struct feature_reader *r, const struct xod_obj *user)
{
    struct xod_ipbx *ipbx = xod_obj_ipbx(user);
    struct reading *x = NULL;
    struct buf key;

    buf_init(&key, 4096);
    buf_append_view(&key, xod_ipbx_name(ipbx));
    buf_append_char(&key, '\0');
    buf_append_view(&key, xod_obj_id(user));
    if (!key.failed && !map_get(r->by_user, buf_view(&key)))
        x = calloc(1, sizeof(*x));
    if (x) {
        x->ipbx = ipbx;
        x->key_len = buf_len(&key);
        x->key = view_dup(buf_view(&key));
        x->at_us = clock_mono_us() + SOON_MS * 1000;
        if (TAILQ_EMPTY(&r->due))
            loop_timer_start(r->soon, SOON_MS, false);
        TAILQ_INSERT_TAIL(&r->due, x, link);
        if (!x->key || map_put(r->by_user, view_of(x->key, x->key_len), x) < 0)
            forget(r, x);
    }
    buf_free(&key);
}

static void read_each(struct feature_reader *r, struct xod_ipbx *ipbx)
{
    struct xod_obj *user;

    for (size_t pos = 0; (user = xod_next(ipbx, LIST_users, &pos));)
        read_soon(r, user);
}

/* ---- what was read ---- */

/* value: empty when there is no such key. */
static void take(struct feature_reader *r, struct xod_obj *user, const struct feature_key *k,
                 struct view key, struct view value)
{
    int rc = feature_take(r->s, user, k, key, value);

    if (rc == -EAGAIN)
        read_soon(r, user);
    else if (rc < 0)
        loop_timer_start(r->again, AGAIN_MS, false);
}

static void not_permitted(struct feature_reader *r, const struct xod_ipbx *ipbx,
                          struct view message)
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
    return msg_get_bool(body, "no_such_action", false) ||
                   view_starts(message, VIEW("Invalid/unknown command"))
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

static struct question *question_new(struct feature_reader *r, struct xod_ipbx *ipbx,
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

/* The path of a user's key; false when it has none, or its family is another one. */
static bool own_key(struct buf *path, const struct feature_reader *r, const struct feature_key *k,
                    const struct xod_obj *user, const char *family)
{
    struct view rest;

    buf_init(path, MAX_KEY);
    if (!feature_key_put(path, r->s, k->astdb, user, feature_phone(user, 0)))
        return false;
    rest = buf_view(path);
    return !family || view_eq(view_cut(&rest, '/'), view_cstr(family));
}

static void take_family(struct question *q, const struct map *values)
{
    struct xod_obj *user;

    for (size_t pos = 0; (user = xod_next(q->ipbx, LIST_users, &pos));)
        for (size_t i = 0; i < N_FEATURE_KEYS; i++) {
            struct buf path;
            if (own_key(&path, q->r, &feature_keys[i], user, q->text)) {
                const struct view *value = map_get(values, buf_view(&path));
                take(q->r, user, &feature_keys[i], buf_view(&path),
                     value ? *value : view_of(NULL, 0));
            }
            buf_free(&path);
        }
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
        loop_timer_start(q->r->again, AGAIN_MS, false);
        break;
    }
    free(q);
}

static void ask_family(struct feature_reader *r, struct xod_ipbx *ipbx, struct view family)
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

void feature_reader_all(struct state *s, struct ipbx *ipbx)
{
    struct feature_reader *r = s->feature_reader;

    if (!r || !ipbx->model->resynced || !feature_way(s, "astdb"))
        return;
    for (size_t i = 0; i < N_FEATURE_KEYS; i++)
        if (family_of(s, &feature_keys[i]).len && !asked_before(s, i))
            ask_family(r, ipbx->model->ipbx, family_of(s, &feature_keys[i]));
}

void feature_reader_resynced(struct state *s, struct ipbx *ipbx)
{
    s->feature_reader->told = false;
    feature_reader_all(s, ipbx);
}

/* ---- single keys ---- */

static void ask_due(struct feature_reader *r);

static void on_key(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct question *q = arg;
    struct feature_reader *r = q->r;
    struct xod_obj *user = xod_find(q->ipbx, LIST_users, view_cstr(q->text));
    enum told what = told(status, body);
    bool more = what == TOLD_NOTHING;
    struct view value =
        what == TOLD_VALUES ? header(body, 0, VIEW("Val"), &more) : view_of(NULL, 0);
    struct buf path;

    r->n_asked--;
    if (what == TOLD_ERROR)
        not_permitted(r, q->ipbx, msg_get_str(body, "message"));
    if (user && more) {
        if (own_key(&path, r, q->k, user, NULL))
            take(r, user, q->k, buf_view(&path), value);
        buf_free(&path);
    }
    free(q);
    ask_due(r);
}

static void ask_key(struct feature_reader *r, const struct xod_obj *user,
                    const struct feature_key *k, struct view path)
{
    struct question *q = question_new(r, xod_obj_ipbx(user), k, xod_obj_id(user));
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

/* The first that waits, if its time has come; else it is asked about when it has. */
static struct reading *first_due(struct feature_reader *r)
{
    struct reading *x = TAILQ_FIRST(&r->due);
    uint64_t now = clock_mono_us();

    if (!x || x->at_us <= now)
        return x;
    loop_timer_start(r->soon, (uint32_t)((x->at_us - now) / 1000) + 1, false);
    return NULL;
}

/* Those of an Asterisk that is not there are read after its resync. */
static void ask_due(struct feature_reader *r)
{
    struct reading *x;

    while (r->n_asked + N_FEATURE_KEYS <= AT_A_TIME && (x = first_due(r))) {
        const struct xod_obj *user = xod_find(x->ipbx, LIST_users, user_id(x));
        forget(r, x);
        for (size_t i = 0; user && i < N_FEATURE_KEYS; i++) {
            struct buf path;
            if (own_key(&path, r, &feature_keys[i], user, NULL))
                ask_key(r, user, &feature_keys[i], buf_view(&path));
            buf_free(&path);
        }
    }
}

static void ask_soon(void *arg)
{
    ask_due(arg);
}

static void ask_again(void *arg)
{
    struct feature_reader *r = arg;

    for (size_t i = 0; i < r->s->n_ipbxes; i++)
        feature_reader_all(r->s, &r->s->ipbxes[i]);
}

/* ---- events ---- */

/* "Custom:DND1001" is about 1001, whatever stands before the number. */
static void device_changed(struct feature_reader *r, const struct xod_ipbx *ipbx,
                           struct view device)
{
    size_t at = device.len;
    struct xod_obj *phone;

    while (at > 0 && device.ptr[at - 1] >= '0' && device.ptr[at - 1] <= '9')
        at--;
    device = view_of(device.ptr + at, device.len - at);
    for (size_t n = 0;
         device.len && (phone = xod_lookup(ipbx, LIST_phones, XOD(phones, number), device, n)); n++)
        if (relations_user(phone))
            read_soon(r, relations_user(phone));
}

/* A hint of such devices only; that of a phone changes with each of its calls. */
static bool is_custom_hint(struct view devices)
{
    while (devices.len)
        if (!view_starts(view_cut(&devices, '&'), VIEW("Custom:")))
            return false;
    return true;
}

void feature_reader_event(struct state *s, struct ipbx *ipbx, const struct tel *t)
{
    struct view devices = t->str[TELF_hint];

    if ((t->event != TEL_device_hint && t->event != TEL_device_custom) || t->resync ||
        !ipbx->model->resynced || !feature_way(s, "astdb"))
        return;
    if (t->event == TEL_device_hint && !is_custom_hint(devices))
        return;
    while (devices.len)
        device_changed(s->feature_reader, ipbx->model->ipbx, view_cut(&devices, '&'));
}

void feature_reader_refused(struct state *s, struct view ipbx, struct view subject)
{
    struct ipbx *of = state_ipbx(s, ipbx);

    if (of && view_starts(subject, VIEW("astdb ")))
        feature_reader_all(s, of);
}

/* ---- life ---- */

struct feature_reader *feature_reader_new(struct state *s)
{
    struct feature_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->s = s;
    TAILQ_INIT(&r->due);
    r->by_user = map_new();
    r->soon = loop_timer_new(s->loop, ask_soon, r);
    r->again = loop_timer_new(s->loop, ask_again, r);
    if (!r->by_user || !r->soon || !r->again)
        feature_reader_destroy(&r);
    return r;
}

void feature_reader_destroy(struct feature_reader **rp)
{
    struct feature_reader *r = rp ? *rp : NULL;
    struct reading *x;

    if (!r)
        return;
    *rp = NULL;
    while ((x = TAILQ_FIRST(&r->due)))
        forget(r, x);
    map_destroy(&r->by_user);
    loop_timer_destroy(&r->soon);
    loop_timer_destroy(&r->again);
    free(r);
}
