/* The transaction: what is set, what it was before, and what is told of it in the end. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xod/store.h"

int store_touch(struct xod_obj *o)
{
    struct xod *x = o->ipbx->x;

    if (o->touched)
        return 0;
    if (store_grow(&x->touched, x->n_touched, &x->cap_touched, sizeof(*x->touched)) < 0)
        return -ENOMEM;
    x->touched[x->n_touched++] = o;
    o->touched = true;
    return 0;
}

struct xod_obj *xod_touched(const struct xod_ipbx *s, size_t n)
{
    return n < s->x->n_touched ? s->x->touched[n] : NULL;
}

/* Remembers the value of a field before its first change in this transaction. */
static int remember(struct xod_obj *o, unsigned field)
{
    struct xod *x = o->ipbx->x;

    if (o->added || o->dirty & ((uint64_t)1 << field))
        return 0;
    if (store_touch(o) < 0 ||
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

int xod_set_text(struct xod_obj *o, unsigned field, struct view s)
{
    return s.len ? xod_set_str(o, field, s) : xod_set_null(o, field);
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

int xod_list_insert(struct xod_obj *o, unsigned field, uint32_t at, struct view id)
{
    int rc;

    if (o->deleted)
        return -ENOENT;
    rc = remember(o, field);
    if (rc < 0)
        return rc;
    value_list_del(&o->values[field], id);
    return value_list_insert(&o->values[field], at, id);
}

int xod_map_put(struct xod_obj *o, unsigned field, struct view key, struct value *item)
{
    const struct value *now = value_map_get(&o->values[field], key);
    int rc = o->deleted ? -ENOENT : now && value_eq(now, item) ? 0 : remember(o, field);

    if (rc < 0 || (now && value_eq(now, item))) {
        value_clear(item);
        return rc;
    }
    return value_map_put(&o->values[field], key, item);
}

int xod_map_del(struct xod_obj *o, unsigned field, struct view key)
{
    int rc;

    if (o->deleted)
        return -ENOENT;
    if (!value_map_get(&o->values[field], key))
        return 0;
    rc = remember(o, field);
    if (rc == 0)
        value_map_del(&o->values[field], key);
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

/* "phone:11" of an object of the list phones, made once. */
static int name_of(struct value *out, struct xod_obj *o)
{
    const struct schema_list *l = schema_list(o->list);
    struct buf name;
    int rc = 0;

    if (o->tie_name.type == V_NULL) {
        buf_init(&name, 0);
        buf_append_view(&name, view_of(l->name, l->vname.len - 1));
        buf_append_char(&name, ':');
        buf_append_view(&name, xod_obj_id(o));
        rc = name.failed ? -ENOMEM : value_set_str(&o->tie_name, buf_view(&name));
        buf_free(&name);
    }
    return rc < 0 ? rc : value_copy(out, &o->tie_name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct value *)a)->s, ((const struct value *)b)->s);
}

/* In one order, whatever was tied first: a reload ties everything anew. Without memory it stays as
 * it was, and is tried again with the next change of the object. */
static void tell_ties(struct xod_obj *o)
{
    int field = schema_relations_field(o->list);
    struct value list = {.type = V_NULL};
    int rc = field < 0 ? 0 : value_list_of_nulls(&list, o->n_relations);

    for (uint32_t i = 0; rc == 0 && field >= 0 && i < o->n_relations; i++)
        rc = name_of(&list.items[i], o->relations[i]);
    if (rc == 0 && list.len > 1)
        qsort(list.items, list.len, sizeof(list.items[0]), by_name);
    if (rc < 0 || field < 0)
        value_clear(&list);
    else
        rc = xod_set(o, (unsigned)field, &list);
    o->retied = rc < 0;
}

static void settle_ties(struct xod *x)
{
    for (size_t i = 0; i < x->n_touched; i++)
        if (x->touched[i]->retied && !x->touched[i]->deleted)
            tell_ties(x->touched[i]);
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
    struct list_table *t = &o->ipbx->lists[o->list];

    map_del(t->by_id, xod_obj_id(o));
    t->n_deleted--;
    store_drop_slot(o);
}

#define MAX_RANK 8

void xod_commit(struct xod *x, xod_change_fn *fn, void *arg)
{
    settle_ties(x);
    settle_journal(x);
    for (unsigned rank = 0; fn && x->n_touched && rank <= MAX_RANK; rank++)
        tell_kept(x, rank, fn, arg);
    for (size_t i = 0; i < x->n_touched; i++) {
        struct xod_obj *o = x->touched[i];
        o->touched = false;
        o->dirty = 0;
        if (o->deleted) {
            struct xod_change c = {XOD_DEL, o, ((uint64_t)1 << schema_list(o->list)->n_fields) - 1};
            if (fn && !o->added)
                fn(arg, &c);
            leave(o);
            store_obj_free(x, o);
        } else {
            o->added = false;
        }
    }
    x->n_touched = 0;
}
