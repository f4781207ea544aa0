/*
 * Which users' services are to be read, and when; where they are read is another file's matter
 * (feature_astdb.c, feature_table.c).
 */
#include "users/feature_reader.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "users/feature_astdb.h"
#include "users/feature_keys.h"
#include "users/feature_table.h"
#include "users/relations.h"

/* Several events tell one change, and the dialplan may set the device before the key. */
#define SOON_MS 100
#define AGAIN_MS 10000

/* A user whose services are to be read. */
struct reading {
    struct xod_ipbx *ipbx;
    char *key; /* SITE, a NUL, USER */
    size_t key_len;
    uint64_t at_us; /* when, monotonic */
    TAILQ_ENTRY(reading) link;
};

struct feature_reader {
    struct state *s;
    struct feature_astdb *astdb;
    struct map *by_user;
    TAILQ_HEAD(, reading) due;
    struct loop_timer *soon, *again;
};

/* ---- users whose services are to be read ---- */

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
void feature_reader_user(struct state *s, const struct xod_obj *user)
{
    struct feature_reader *r = s->feature_reader;
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

void feature_reader_took(struct state *s, const struct xod_obj *user, int rc)
{
    if (rc == -EAGAIN)
        feature_reader_user(s, user);
    else if (rc < 0)
        feature_reader_again(s);
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

/* Those of an Asterisk that is not there are read after its resync, and those of a database when it
 * is back. */
static void ask_due(struct feature_reader *r)
{
    struct reading *x;

    while (feature_astdb_has_room(r->astdb) && (x = first_due(r))) {
        struct xod_obj *user = xod_find(x->ipbx, LIST_users, user_id(x));
        forget(r, x);
        if (user && feature_way(r->s, xod_obj_ipbx(user), "userfeatures"))
            feature_table_user(r->s, user);
        else if (user && feature_way(r->s, xod_obj_ipbx(user), "astdb"))
            feature_astdb_user(r->astdb, user);
    }
}

void feature_reader_go_on(struct state *s)
{
    ask_due(s->feature_reader);
}

/* ---- all of them ---- */

void feature_reader_all(struct state *s, struct ipbx *ipbx)
{
    struct feature_reader *r = s->feature_reader;

    if (feature_way(s, ipbx->model->ipbx, "userfeatures"))
        feature_table_all(s, ipbx->model->ipbx);
    else if (r && ipbx->model->resynced && feature_way(s, ipbx->model->ipbx, "astdb"))
        feature_astdb_all(r->astdb, ipbx->model->ipbx);
}

void feature_reader_resynced(struct state *s, struct ipbx *ipbx)
{
    feature_astdb_resynced(s->feature_reader->astdb, ipbx->model->ipbx);
    feature_reader_all(s, ipbx);
}

void feature_reader_again(struct state *s)
{
    loop_timer_start(s->feature_reader->again, AGAIN_MS, false);
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
            feature_reader_user(r->s, relations_user(phone));
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
        !ipbx->model->resynced)
        return;
    if ((t->event == TEL_device_hint && !is_custom_hint(devices)) ||
        !feature_way(s, ipbx->model->ipbx, "astdb"))
        return;
    while (devices.len)
        device_changed(s->feature_reader, ipbx->model->ipbx, view_cut(&devices, '&'));
}

void feature_reader_refused(struct state *s, struct view ipbx, struct view subject)
{
    struct ipbx *of = state_ipbx(s, ipbx);
    struct view word = view_cut(&subject, ' ');
    const struct xod_obj *user;

    if (of && view_eq(word, VIEW("astdb"))) {
        feature_astdb_refused(s->feature_reader->astdb, of->model->ipbx);
        feature_reader_all(s, of);
    }
    if (!of || !view_eq(word, VIEW("userfeatures")))
        return;
    user = xod_find(of->model->ipbx, LIST_users, view_cut(&subject, '/'));
    if (user)
        feature_reader_user(s, user);
}

/* ---- life ---- */

struct feature_reader *feature_reader_new(struct state *s)
{
    struct feature_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->s = s;
    TAILQ_INIT(&r->due);
    r->astdb = feature_astdb_new(s);
    r->by_user = map_new();
    r->soon = loop_timer_new(s->loop, ask_soon, r);
    r->again = loop_timer_new(s->loop, ask_again, r);
    if (!r->astdb || !r->by_user || !r->soon || !r->again)
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
    feature_astdb_destroy(&r->astdb);
    loop_timer_destroy(&r->soon);
    loop_timer_destroy(&r->again);
    free(r);
}
