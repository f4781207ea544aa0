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

void store_obj_free(struct xod *x, struct xod_obj *o)
{
    if (o->extra && x->free_extra)
        x->free_extra(o->extra);
    for (unsigned i = 0; i < schema_list(o->list)->n_fields; i++)
        value_clear(&o->values[i]);
    value_clear(&o->tie_name);
    free(o->relations);
    free(o->id);
    free(o);
}

static void site_free(struct xod_ipbx *s)
{
    for (unsigned l = 0; l < LIST_COUNT; l++) {
        struct list_table *t = &s->lists[l];
        index_fini(t, l);
        for (uint32_t i = 0; i < t->n_slots; i++)
            if (t->slots[i])
                store_obj_free(s->x, t->slots[i]);
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
    for (size_t i = 0; i < (*x)->n_ipbxes; i++)
        site_free((*x)->ipbxes[i]);
    free((*x)->ipbxes);
    free((*x)->touched);
    free((*x)->journal);
    free(*x);
    *x = NULL;
}

static struct xod_ipbx *site_new(struct xod *x, struct view name)
{
    struct xod_ipbx *s = calloc(1, sizeof(*s));

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

struct xod_ipbx *xod_ipbx(struct xod *x, struct view name, bool create)
{
    struct xod_ipbx **ipbxes;
    struct xod_ipbx *s;

    for (size_t i = 0; i < x->n_ipbxes; i++)
        if (view_eq(view_cstr(x->ipbxes[i]->name), name))
            return x->ipbxes[i];
    if (!create)
        return NULL;
    ipbxes = realloc(x->ipbxes, (x->n_ipbxes + 1) * sizeof(struct xod_ipbx *));
    if (!ipbxes)
        return NULL;
    x->ipbxes = ipbxes;
    s = site_new(x, name);
    if (s)
        x->ipbxes[x->n_ipbxes++] = s;
    return s;
}

struct xod_ipbx *xod_site_at(const struct xod *x, size_t n)
{
    return n < x->n_ipbxes ? x->ipbxes[n] : NULL;
}

struct view xod_ipbx_name(const struct xod_ipbx *s)
{
    return view_cstr(s->name);
}

struct xod_obj *xod_find(const struct xod_ipbx *s, enum xod_list list, struct view id)
{
    struct xod_obj *o = map_get(s->lists[list].by_id, id);

    return o && !o->deleted ? o : NULL;
}

struct xod_obj *xod_next(const struct xod_ipbx *s, enum xod_list list, size_t *pos)
{
    const struct list_table *t = &s->lists[list];

    while (*pos < t->n_slots) {
        struct xod_obj *o = t->slots[(*pos)++];
        if (o && !o->deleted)
            return o;
    }
    return NULL;
}

size_t xod_count(const struct xod_ipbx *s, enum xod_list list)
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

struct xod_ipbx *xod_obj_ipbx(const struct xod_obj *o)
{
    return o->ipbx;
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

static int take_slot(struct xod_obj *o)
{
    struct list_table *t = &o->ipbx->lists[o->list];
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
void store_drop_slot(struct xod_obj *o)
{
    struct list_table *t = &o->ipbx->lists[o->list];
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

static bool is_initial(const struct value *v, const struct schema_field *f)
{
    switch (f->init) {
    case INIT_FALSE_:
        return v->type == V_BOOL && !v->b;
    case INIT_ZERO_:
        return v->type == V_INT && v->i == 0;
    case INIT_STR_:
        return v->type == V_STR && view_eq(value_view(v), view_cstr(f->init_str));
    case INIT_LIST_:
        return v->type == V_LIST && v->len == 0;
    case INIT_MAP_:
        return v->type == V_MAP && v->len == 0;
    default:
        return v->type == V_NULL;
    }
}

uint64_t xod_set_fields(const struct xod_obj *o)
{
    const struct schema_list *l = schema_list(o->list);
    uint64_t fields = 0;

    for (unsigned f = 0; f < l->n_fields; f++)
        if (!is_initial(&o->values[f], &l->fields[f]))
            fields |= (uint64_t)1 << f;
    return fields;
}

static struct xod_obj *obj_new(struct xod_ipbx *s, enum xod_list list, struct view id)
{
    const struct schema_list *l = schema_list(list);
    struct xod_obj *o = calloc(1, sizeof(*o) + l->n_fields * sizeof(struct value));

    if (!o)
        return NULL;
    o->ipbx = s;
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
    store_obj_free(s->x, o);
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
    o->ipbx->lists[o->list].n_deleted--;
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
    struct list_table *t = &o->ipbx->lists[o->list];

    if (map_put(t->by_id, xod_obj_id(o), o) < 0)
        return -ENOMEM;
    if (take_slot(o) < 0) {
        map_del(t->by_id, xod_obj_id(o));
        return -ENOMEM;
    }
    if (store_touch(o) < 0) {
        map_del(t->by_id, xod_obj_id(o));
        store_drop_slot(o);
        return -ENOMEM;
    }
    o->added = true;
    return 0;
}

struct xod_obj *xod_add(struct xod_ipbx *s, enum xod_list list, struct view id)
{
    struct xod_obj *o = map_get(s->lists[list].by_id, id);

    if (o)
        return o->deleted ? resurrect(o) : o;
    o = obj_new(s, list, id);
    if (!o)
        return NULL;
    if (enter(o) < 0) {
        store_obj_free(s->x, o);
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
    if (o->deleted || store_touch(o) < 0)
        return;
    o->deleted = true; /* stays in by_id until the commit, for xod_add */
    o->ipbx->lists[o->list].n_deleted++;
    relations_drop(o);
    for (unsigned f = 0; f < schema_list(o->list)->n_fields; f++)
        index_remove(o, f);
}
