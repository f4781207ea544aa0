#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "xod/store.h"

int store_grow(void *array_pp, size_t n, size_t *cap, size_t size)
{
    void **array = array_pp;
    size_t want = *cap ? *cap * 2 : 4;
    void *p;

    if (n < *cap)
        return 0;
    p = realloc(*array, want * size);
    if (!p)
        return -ENOMEM;
    *array = p;
    *cap = want;
    return 0;
}

struct xod *xod_new(void)
{
    return calloc(1, sizeof(struct xod));
}

static void obj_free(struct xod *x, struct xod_obj *o)
{
    if (o->extra && x->free_extra)
        x->free_extra(o->extra);
    for (unsigned i = 0; i < schema_list(o->list)->n_fields; i++)
        value_clear(&o->values[i]);
    free(o->ties);
    free(o->id);
    free(o);
}

static void site_free(struct xod_site *s)
{
    for (unsigned l = 0; l < LIST_COUNT; l++) {
        struct list_table *t = &s->lists[l];
        index_fini(t, l);
        for (uint32_t i = 0; i < t->n_slots; i++)
            if (t->slots[i])
                obj_free(s->x, t->slots[i]);
        free(t->slots);
        free(t->free_slots);
        map_destroy(&t->by_id);
    }
    free(s->name);
    free(s);
}

void xod_destroy(struct xod **x)
{
    if (!x || !*x)
        return;
    xod_commit(*x, NULL, NULL);
    for (size_t i = 0; i < (*x)->n_sites; i++)
        site_free((*x)->sites[i]);
    free((*x)->sites);
    free((*x)->touched);
    free((*x)->journal);
    free(*x);
    *x = NULL;
}

static struct xod_site *site_new(struct xod *x, struct view name)
{
    struct xod_site *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->x = x;
    s->name = view_dup(name);
    for (unsigned l = 0; s->name && l < LIST_COUNT; l++) {
        s->lists[l].by_id = map_new();
        if (!s->lists[l].by_id || index_init(&s->lists[l], l) < 0)
            break;
        if (l == LIST_COUNT - 1)
            return s;
    }
    site_free(s);
    return NULL;
}

struct xod_site *xod_site(struct xod *x, struct view name, bool create)
{
    struct xod_site **sites;
    struct xod_site *s;

    for (size_t i = 0; i < x->n_sites; i++)
        if (view_eq(view_cstr(x->sites[i]->name), name))
            return x->sites[i];
    if (!create)
        return NULL;
    sites = realloc(x->sites, (x->n_sites + 1) * sizeof(struct xod_site *));
    if (!sites)
        return NULL;
    x->sites = sites;
    s = site_new(x, name);
    if (s)
        x->sites[x->n_sites++] = s;
    return s;
}

struct xod_site *xod_site_at(const struct xod *x, size_t n)
{
    return n < x->n_sites ? x->sites[n] : NULL;
}

struct view xod_site_name(const struct xod_site *s)
{
    return view_cstr(s->name);
}

struct xod_obj *xod_find(const struct xod_site *s, enum xod_list list, struct view id)
{
    struct xod_obj *o = map_get(s->lists[list].by_id, id);

    return o && !o->deleted ? o : NULL;
}

struct xod_obj *xod_next(const struct xod_site *s, enum xod_list list, size_t *pos)
{
    const struct list_table *t = &s->lists[list];

    while (*pos < t->n_slots) {
        struct xod_obj *o = t->slots[(*pos)++];
        if (o && !o->deleted)
            return o;
    }
    return NULL;
}

size_t xod_count(const struct xod_site *s, enum xod_list list)
{
    return map_count(s->lists[list].by_id) - s->lists[list].n_deleted;
}

enum xod_list xod_obj_list(const struct xod_obj *o)
{
    return o->list;
}

struct view xod_obj_id(const struct xod_obj *o)
{
    return view_of(o->id, o->id_len);
}

struct xod_site *xod_obj_site(const struct xod_obj *o)
{
    return o->site;
}

const struct value *xod_get(const struct xod_obj *o, unsigned field)
{
    assert(field < schema_list(o->list)->n_fields);
    return &o->values[field];
}

struct view xod_get_str(const struct xod_obj *o, unsigned field)
{
    return value_view(xod_get(o, field));
}

void *xod_extra(const struct xod_obj *o)
{
    return o->extra;
}

void xod_set_extra(struct xod_obj *o, void *extra)
{
    o->extra = extra;
}

void xod_on_free(struct xod *x, void (*free_extra)(void *extra))
{
    x->free_extra = free_extra;
}

static int touch(struct xod_obj *o)
{
    struct xod *x = o->site->x;

    if (o->touched)
        return 0;
    if (store_grow(&x->touched, x->n_touched, &x->cap_touched, sizeof(*x->touched)) < 0)
        return -ENOMEM;
    x->touched[x->n_touched++] = o;
    o->touched = true;
    return 0;
}

static int take_slot(struct xod_obj *o)
{
    struct list_table *t = &o->site->lists[o->list];
    size_t cap = t->cap_slots;

    if (t->n_free > 0) {
        o->slot = t->free_slots[--t->n_free];
    } else {
        if (store_grow(&t->slots, t->n_slots, &cap, sizeof(*t->slots)) < 0)
            return -ENOMEM;
        t->cap_slots = (uint32_t)cap;
        o->slot = t->n_slots++;
    }
    t->slots[o->slot] = o;
    return 0;
}

/* Gives the slot back; without memory for that it stays a hole. */
static void drop_slot(struct xod_obj *o)
{
    struct list_table *t = &o->site->lists[o->list];
    size_t cap = t->cap_free;

    t->slots[o->slot] = NULL;
    if (store_grow(&t->free_slots, t->n_free, &cap, sizeof(*t->free_slots)) < 0)
        return;
    t->cap_free = (uint32_t)cap;
    t->free_slots[t->n_free++] = o->slot;
}

static int initial_value(struct value *v, const struct schema_field *f)
{
    *v = (struct value){.type = V_NULL};
    switch (f->init) {
    case INIT_FALSE_:
        v->type = V_BOOL;
        return 0;
    case INIT_ZERO_:
        v->type = V_INT;
        return 0;
    case INIT_STR_:
        return value_set_str(v, view_cstr(f->init_str));
    case INIT_LIST_:
        v->type = V_LIST;
        return 0;
    case INIT_MAP_:
        v->type = V_MAP;
        return 0;
    default:
        return 0;
    }
}

static struct xod_obj *obj_new(struct xod_site *s, enum xod_list list, struct view id)
{
    const struct schema_list *l = schema_list(list);
    struct xod_obj *o = calloc(1, sizeof(*o) + l->n_fields * sizeof(struct value));

    if (!o)
        return NULL;
    o->site = s;
    o->list = (uint8_t)list;
    o->id = view_dup(id);
    o->id_len = (uint32_t)id.len;
    if (!o->id)
        goto fail;
    for (unsigned i = 0; i < l->n_fields; i++)
        if (initial_value(&o->values[i], &l->fields[i]) < 0)
            goto fail;
    return o;
fail:
    obj_free(s->x, o);
    return NULL;
}

int xod_reset(struct xod_obj *o, unsigned field)
{
    struct value v;

    assert(field < schema_list(o->list)->n_fields);
    if (initial_value(&v, &schema_list(o->list)->fields[field]) < 0)
        return -ENOMEM;
    return xod_set(o, field, &v);
}

/* An object deleted earlier in this transaction comes back, as a change of the old one. */
static struct xod_obj *resurrect(struct xod_obj *o)
{
    o->deleted = false;
    o->site->lists[o->list].n_deleted--;
    for (unsigned f = 0; f < schema_list(o->list)->n_fields; f++)
        if (index_insert(o, f) < 0 || xod_reset(o, f) < 0) {
            xod_del(o);
            return NULL;
        }
    return o;
}

/* Puts a new object into the tables; after a failure it is in none. */
static int enter(struct xod_obj *o)
{
    struct list_table *t = &o->site->lists[o->list];

    if (map_put(t->by_id, xod_obj_id(o), o) < 0)
        return -ENOMEM;
    if (take_slot(o) < 0) {
        map_del(t->by_id, xod_obj_id(o));
        return -ENOMEM;
    }
    if (touch(o) < 0) {
        map_del(t->by_id, xod_obj_id(o));
        drop_slot(o);
        return -ENOMEM;
    }
    o->added = true;
    return 0;
}

struct xod_obj *xod_add(struct xod_site *s, enum xod_list list, struct view id)
{
    struct xod_obj *o = map_get(s->lists[list].by_id, id);

    if (o)
        return o->deleted ? resurrect(o) : o;
    o = obj_new(s, list, id);
    if (!o)
        return NULL;
    if (enter(o) < 0) {
        obj_free(s->x, o);
        return NULL;
    }
    for (unsigned f = 0; f < schema_list(list)->n_fields; f++)
        if (index_insert(o, f) < 0) {
            xod_del(o);
            return NULL;
        }
    return o;
}

void xod_del(struct xod_obj *o)
{
    if (o->deleted || touch(o) < 0)
        return;
    o->deleted = true; /* stays in by_id until the commit, for xod_add */
    o->site->lists[o->list].n_deleted++;
    ties_drop(o);
    for (unsigned f = 0; f < schema_list(o->list)->n_fields; f++)
        index_remove(o, f);
}

/* Remembers the value of a field before its first change in this transaction. */
static int remember(struct xod_obj *o, unsigned field)
{
    struct xod *x = o->site->x;

    if (o->added || o->dirty & ((uint64_t)1 << field))
        return 0;
    if (touch(o) < 0 ||
        store_grow(&x->journal, x->n_journal, &x->cap_journal, sizeof(*x->journal)) < 0)
        return -ENOMEM;
    x->journal[x->n_journal].obj = o;
    x->journal[x->n_journal].field = field;
    if (value_copy(&x->journal[x->n_journal].old, &o->values[field]) < 0)
        return -ENOMEM;
    x->n_journal++;
    o->dirty |= (uint64_t)1 << field;
    return 0;
}

int xod_set(struct xod_obj *o, unsigned field, struct value *v)
{
    int rc;

    assert(field < schema_list(o->list)->n_fields);
    if (!value_fits(v, schema_list(o->list)->fields[field].types)) {
        value_clear(v);
        return -EINVAL;
    }
    if (o->deleted) {
        value_clear(v);
        return -ENOENT;
    }
    if (value_eq(v, &o->values[field])) {
        value_clear(v);
        return 0;
    }
    rc = remember(o, field);
    if (rc < 0) {
        value_clear(v);
        return rc;
    }
    index_remove(o, field);
    value_clear(&o->values[field]);
    o->values[field] = *v;
    *v = (struct value){.type = V_NULL};
    return index_insert(o, field);
}

int xod_set_str(struct xod_obj *o, unsigned field, struct view s)
{
    struct value v = {.type = V_NULL};
    const struct value *now = xod_get(o, field);

    if (now->type == V_STR && view_eq(value_view(now), s))
        return 0;
    if (value_set_str(&v, s) < 0)
        return -ENOMEM;
    return xod_set(o, field, &v);
}

int xod_set_null(struct xod_obj *o, unsigned field)
{
    struct value v = {.type = V_NULL};

    return xod_set(o, field, &v);
}

int xod_set_bool(struct xod_obj *o, unsigned field, bool b)
{
    struct value v = {.type = V_BOOL, .b = b};

    return xod_set(o, field, &v);
}

int xod_set_int(struct xod_obj *o, unsigned field, int64_t i)
{
    struct value v = {.type = V_INT, .i = i};

    return xod_set(o, field, &v);
}

int xod_set_float(struct xod_obj *o, unsigned field, double f)
{
    struct value v = {.type = V_FLOAT, .f = f};

    return xod_set(o, field, &v);
}

int xod_list_add(struct xod_obj *o, unsigned field, struct view id)
{
    int rc;

    if (o->deleted)
        return -ENOENT;
    if (value_list_has(&o->values[field], id))
        return 0;
    rc = remember(o, field);
    return rc < 0 ? rc : value_list_add(&o->values[field], id);
}

int xod_list_del(struct xod_obj *o, unsigned field, struct view id)
{
    int rc;

    if (o->deleted)
        return -ENOENT;
    if (!value_list_has(&o->values[field], id))
        return 0;
    rc = remember(o, field);
    if (rc == 0)
        value_list_del(&o->values[field], id);
    return rc;
}

/* Drops from `dirty` what is again as it was. */
static void settle_journal(struct xod *x)
{
    for (size_t i = 0; i < x->n_journal; i++) {
        struct journal_entry *e = &x->journal[i];
        if (value_eq(&e->old, &e->obj->values[e->field]))
            e->obj->dirty &= ~((uint64_t)1 << e->field);
        value_clear(&e->old);
    }
    x->n_journal = 0;
}

static void tell_kept(struct xod *x, unsigned rank, xod_change_fn *fn, void *arg)
{
    for (size_t i = 0; i < x->n_touched; i++) {
        struct xod_obj *o = x->touched[i];
        const struct schema_list *l = schema_list(o->list);
        struct xod_change c = {o->added ? XOD_ADD : XOD_UPDATE, o, o->dirty};
        if (o->deleted || l->rank != rank)
            continue;
        if (o->added)
            c.fields = ((uint64_t)1 << l->n_fields) - 1;
        if (c.fields)
            fn(arg, &c);
    }
}

/* Takes a deleted object out of the tables. */
static void leave(struct xod_obj *o)
{
    struct list_table *t = &o->site->lists[o->list];

    map_del(t->by_id, xod_obj_id(o));
    t->n_deleted--;
    drop_slot(o);
}

#define MAX_RANK 8

void xod_commit(struct xod *x, xod_change_fn *fn, void *arg)
{
    settle_journal(x);
    for (unsigned rank = 0; fn && x->n_touched && rank <= MAX_RANK; rank++)
        tell_kept(x, rank, fn, arg);
    for (size_t i = 0; i < x->n_touched; i++) {
        struct xod_obj *o = x->touched[i];
        o->touched = false;
        o->dirty = 0;
        if (o->deleted) {
            struct xod_change c = {XOD_DEL, o,
                                   ((uint64_t)1 << schema_list(o->list)->n_fields) - 1};
            if (fn && !o->added)
                fn(arg, &c);
            leave(o);
            obj_free(x, o);
        } else {
            o->added = false;
        }
    }
    x->n_touched = 0;
}
