/*
 * User services: do not disturb, filter, mailbox, recording, three forwards, as users set them.
 *
 * The web services' list says what they were when it was made; a choice that was made here goes
 * before that for as long as the list says the same as then. When the list comes to say something
 * else (somebody changed it in the web interface, or at the phone) the choice is forgotten.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "users/feature_publish.h"
#include "users/features.h"
#include "users/function_keys.h"

static const unsigned fields[MAX_FEATURES] = {XOD(users, enablednd),       XOD(users, incallfilter),
                                              XOD(users, enablevoicemail), XOD(users, callrecord),
                                              XOD(users, enableunc),       XOD(users, enablebusy),
                                              XOD(users, enablerna),       XOD(users, destunc),
                                              XOD(users, destbusy),        XOD(users, destrna)};
#define N_FLAGS 7

const struct feature_forward feature_forwards[N_FORWARDS] = {
    {"enableunc", "destunc", XOD(users, enableunc), XOD(users, destunc)},
    {"enablebusy", "destbusy", XOD(users, enablebusy), XOD(users, destbusy)},
    {"enablerna", "destrna", XOD(users, enablerna), XOD(users, destrna)},
};

struct choice {
    char *value;      /* "1", "0", or a destination; NULL: none was made */
    char *configured; /* what the list said then */
};

struct choices {
    char *key; /* SITE, a NUL, USER */
    struct choice by_field[MAX_FEATURES];
    unsigned on_way[MAX_FEATURES]; /* changes that are being kept */
};

struct features {
    struct state *s;
    struct map *by_user;
    struct buf key;
};

/* Its place in `fields`, or -1. */
static int place_of(unsigned field)
{
    for (int i = 0; i < MAX_FEATURES; i++)
        if (fields[i] == field)
            return i;
    return -1;
}

bool features_is_flag(unsigned field)
{
    int i = place_of(field);

    return i >= 0 && i < N_FLAGS;
}

/* ---- choices ---- */

static struct view key_of(struct features *f, struct view ipbx, struct view user)
{
    buf_reset(&f->key);
    buf_append_view(&f->key, ipbx);
    buf_append_char(&f->key, '\0');
    buf_append_view(&f->key, user);
    return f->key.failed ? view_of(NULL, 0) : buf_view(&f->key);
}

static struct choices *choices_of(struct features *f, struct view ipbx, struct view user, bool make)
{
    struct view key = key_of(f, ipbx, user);
    struct choices *c = key.len ? map_get(f->by_user, key) : NULL;

    if (c || !make || key.len == 0)
        return c;
    c = calloc(1, sizeof(*c));
    if (c)
        c->key = view_dup(key);
    if (c && c->key && map_put(f->by_user, view_of(c->key, key.len), c) == 0)
        return c;
    if (c)
        free(c->key);
    free(c);
    return NULL;
}

static void forget(struct choice *c)
{
    free(c->value);
    free(c->configured);
    *c = (struct choice){0};
}

static int choose(struct choice *c, struct view value, struct view configured)
{
    struct choice made = {view_dup(value), view_dup(configured)};

    if (!made.value || !made.configured) {
        forget(&made);
        return -ENOMEM;
    }
    forget(c);
    *c = made;
    return 0;
}

/* What the list says of a field: a flag as 1 or 0, however it is written there. */
static struct view configured_of(const struct xod_obj *user, int i, char scratch[32])
{
    const struct value *v = xod_get(user, fields[i]);

    if (features_is_flag(fields[i]))
        return value_truth(v) ? VIEW("1") : VIEW("0");
    return value_text(v, scratch);
}

static void show(struct xod_obj *user, int i, struct view value)
{
    unsigned field = fields[i];

    if (features_is_flag(field))
        xod_set_bool(user, field, view_eq(value, VIEW("1")));
    else
        xod_set_str(user, field, value);
}

void features_apply(struct features *f, struct xod_obj *user)
{
    struct view ipbx = xod_ipbx_name(xod_obj_ipbx(user));
    struct choices *c = choices_of(f, ipbx, xod_obj_id(user), false);
    char scratch[32];

    for (int i = 0; c && i < MAX_FEATURES; i++) {
        struct choice *one = &c->by_field[i];
        if (!one->value)
            continue;
        if (view_eq(configured_of(user, i, scratch), view_cstr(one->configured))) {
            show(user, i, view_cstr(one->value));
            continue;
        }
        forget(one);
        db_write(f->s->db, "DELETE FROM service WHERE site = ? AND user = ? AND field = ?", "sss",
                 ipbx, xod_obj_id(user), schema_list(LIST_users)->fields[fields[i]].vname);
    }
}

/* ---- changing ---- */

size_t features_differ(struct features *f, const struct xod_obj *user,
                       struct feature_change *changes, size_t n)
{
    struct choices *c = choices_of(f, xod_ipbx_name(xod_obj_ipbx(user)), xod_obj_id(user), false);
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct value *now = xod_get(user, changes[i].field);
        int place = place_of(changes[i].field);
        char scratch[32];
        bool same = features_is_flag(changes[i].field)
                        ? value_truth(now) == changes[i].on
                        : view_eq(value_text(now, scratch), changes[i].to);
        if (!same || (c && place >= 0 && c->on_way[place] > 0))
            changes[kept++] = changes[i];
    }
    return kept;
}

bool features_on_way(struct features *f, const struct xod_obj *user, unsigned field)
{
    struct choices *c = choices_of(f, xod_ipbx_name(xod_obj_ipbx(user)), xod_obj_id(user), false);
    int i = place_of(field);

    return c && i >= 0 && c->on_way[i] > 0;
}

struct pending {
    struct features *f;
    struct xod_ipbx *ipbx;
    char *user_id;
    bool was_read;
    char *phone_id; /* at which it was read, or NULL */
    size_t n;
    int place[MAX_FEATURES];
    struct choice made[MAX_FEATURES];
    db_done_fn *done;
    void *arg;
};

static void pending_free(struct pending *p)
{
    for (size_t i = 0; i < p->n; i++)
        forget(&p->made[i]);
    free(p->user_id);
    free(p->phone_id);
    free(p);
}

/* What the list says now of what was chosen here or not. */
static struct view listed(const struct choices *c, const struct xod_obj *user, int i,
                          char scratch[32])
{
    return c->by_field[i].value ? view_cstr(c->by_field[i].configured)
                                : configured_of(user, i, scratch);
}

/* A choice that is on disk counts, unless the list came to say something else meanwhile. */
static void take(struct pending *p, struct xod_obj *user, struct choices *c, size_t n)
{
    int i = p->place[n];
    struct choice *made = &p->made[n];
    char scratch[32];

    if (user && !view_eq(listed(c, user, i, scratch), view_cstr(made->configured))) {
        db_write(p->f->s->db,
                 "DELETE FROM service WHERE site = ? AND user = ? AND field = ? AND configured = ?",
                 "ssss", xod_ipbx_name(p->ipbx), view_cstr(p->user_id),
                 schema_list(LIST_users)->fields[fields[i]].vname, view_cstr(made->configured));
        return;
    }
    if (user)
        show(user, i, view_cstr(made->value));
    forget(&c->by_field[i]);
    c->by_field[i] = *made;
    *made = (struct choice){0};
}

/* What Asterisk is to be told is on its way to disk: the answer waits for it. */
static void answer_after_actions(struct pending *p, int rc)
{
    struct db_txn *t = rc == 0 && p->done ? db_begin(p->f->s->db) : NULL;

    if (t)
        db_commit_take(&t, p->done, p->arg);
    else if (p->done)
        p->done(p->arg, rc);
}

/* A phone that is gone meanwhile has no others beside it. */
static void publish(const struct pending *p, const struct xod_obj *user, uint64_t changed)
{
    const struct xod_obj *phone =
        p->phone_id ? xod_find(p->ipbx, LIST_phones, view_cstr(p->phone_id)) : NULL;

    if (!p->was_read)
        features_publish(p->f->s, user, changed);
    else if (phone)
        features_publish_others(p->f->s, user, changed, phone);
}

static void on_kept(void *arg, int rc)
{
    struct pending *p = arg;
    struct xod_obj *user = xod_find(p->ipbx, LIST_users, view_cstr(p->user_id));
    struct choices *c = choices_of(p->f, xod_ipbx_name(p->ipbx), view_cstr(p->user_id), true);
    uint64_t changed = 0;

    for (size_t i = 0; rc == 0 && i < p->n; i++)
        changed |= (uint64_t)1 << fields[p->place[i]];
    if (user)
        funckeys_changing(p->f->s, user, changed);
    for (size_t i = 0; c && i < p->n; i++) {
        if (c->on_way[p->place[i]])
            c->on_way[p->place[i]]--;
        if (rc == 0)
            take(p, user, c, i);
    }
    state_commit(p->f->s, false);
    if (user)
        funckeys_changed(p->f->s, user, changed);
    if (user && rc == 0)
        publish(p, user, changed);
    answer_after_actions(p, rc);
    pending_free(p);
}

/* Puts one change into what is pending. 0 or a negative errno. */
static int add(struct pending *p, struct xod_obj *user, const struct feature_change *change)
{
    int i = place_of(change->field);
    struct choices *c = choices_of(p->f, xod_ipbx_name(p->ipbx), xod_obj_id(user), false);
    const char *before = c && i >= 0 ? c->by_field[i].configured : NULL;
    char scratch[32];

    if (i < 0 || p->n == MAX_FEATURES)
        return -EINVAL;
    p->place[p->n] = i;
    return choose(&p->made[p->n++],
                  i >= N_FLAGS ? change->to
                  : change->on ? VIEW("1")
                               : VIEW("0"),
                  before ? view_cstr(before) : configured_of(user, i, scratch));
}

static void keep(struct pending *p, struct db_txn *t)
{
    struct choices *c = choices_of(p->f, xod_ipbx_name(p->ipbx), view_cstr(p->user_id), true);

    for (size_t i = 0; i < p->n; i++) {
        if (c)
            c->on_way[p->place[i]]++;
        db_add(t,
               "INSERT INTO service (site, user, field, value, configured) VALUES (?, ?, ?, ?, ?)"
               " ON CONFLICT (site, user, field) DO UPDATE SET value = excluded.value,"
               " configured = excluded.configured",
               "sssss", xod_ipbx_name(p->ipbx), view_cstr(p->user_id),
               schema_list(LIST_users)->fields[fields[p->place[i]]].vname,
               view_cstr(p->made[i].value), view_cstr(p->made[i].configured));
    }
    db_commit_take(&t, on_kept, p);
}

static int change(struct features *f, struct xod_obj *user, struct pending *p,
                  const struct feature_change *changes, size_t n)
{
    struct db_txn *t;
    int rc = 0;

    p->f = f;
    p->ipbx = xod_obj_ipbx(user);
    p->user_id = view_dup(xod_obj_id(user));
    if (!p->user_id)
        rc = -ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add(p, user, &changes[i]);
    t = rc == 0 ? db_begin(f->s->db) : NULL;
    if (!t) {
        pending_free(p);
        return rc ? rc : -ENOBUFS;
    }
    keep(p, t);
    return 0;
}

int features_change(struct features *f, struct xod_obj *user, const struct feature_change *changes,
                    size_t n, db_done_fn *done, void *arg)
{
    struct pending *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->done = done;
    p->arg = arg;
    return change(f, user, p, changes, n);
}

int features_read(struct features *f, struct xod_obj *user, const struct xod_obj *phone,
                  const struct feature_change *changes, size_t n)
{
    struct pending *p = calloc(1, sizeof(*p));

    if (p && phone)
        p->phone_id = view_dup(xod_obj_id(phone));
    if (!p || (phone && !p->phone_id)) {
        free(p);
        return -ENOMEM;
    }
    p->was_read = true;
    return change(f, user, p, changes, n);
}

/* ---- life ---- */

static bool take_row(void *arg, const struct db_row *row)
{
    struct features *f = arg;
    int field = schema_field_find(LIST_users, db_text(row, 2));
    int i = field >= 0 ? place_of((unsigned)field) : -1;
    struct choices *c = i >= 0 ? choices_of(f, db_text(row, 0), db_text(row, 1), true) : NULL;

    if (c)
        choose(&c->by_field[i], db_text(row, 3), db_text(row, 4));
    return true;
}

struct features *features_new(struct state *s, int *err)
{
    struct features *f = calloc(1, sizeof(*f));

    *err = -ENOMEM;
    if (!f)
        return NULL;
    f->s = s;
    buf_init(&f->key, 4096);
    f->by_user = map_new();
    if (f->by_user)
        *err = db_read_now(s->db, "SELECT site, user, field, value, configured FROM service",
                           take_row, f, "");
    if (*err < 0)
        features_destroy(&f);
    return f;
}

void features_destroy(struct features **fp)
{
    struct features *f = fp ? *fp : NULL;
    size_t pos = 0;
    void *v;

    if (!f)
        return;
    *fp = NULL;
    while (f->by_user && map_next(f->by_user, &pos, NULL, &v)) {
        struct choices *c = v;
        for (int i = 0; i < MAX_FEATURES; i++)
            forget(&c->by_field[i]);
        free(c->key);
        free(c);
    }
    map_destroy(&f->by_user);
    buf_free(&f->key);
    free(f);
}
