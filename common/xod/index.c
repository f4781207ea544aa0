#include <errno.h>
#include <stdlib.h>

#include "xod/store.h"

/* All objects with one value of one field, in no order. */
struct bucket {
    struct xod_obj **objs;
    size_t n, cap;
    size_t key_len;
    char key[];
};

/* The key under which a value stands: its text, folded where the schema says so. */
static struct view make_key(const struct value *v, bool fold, char *scratch, size_t size)
{
    char number[32];
    struct view text = value_text(v, number);

    if (text.len > size)
        text.len = size; /* a prefix: the lookup compares the rest */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        scratch[i] = fold && c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return view_of(scratch, text.len);
}

static const struct schema_field *field_of(const struct xod_obj *o, unsigned field)
{
    return &schema_list(o->list)->fields[field];
}

int index_init(struct list_table *t, enum xod_list list)
{
    const struct schema_list *l = schema_list(list);

    t->indexes = calloc(l->n_fields, sizeof(struct map *));
    if (!t->indexes)
        return -ENOMEM;
    for (unsigned i = 0; i < l->n_fields; i++)
        if (l->fields[i].flags & F_INDEXED) {
            t->indexes[i] = map_new();
            if (!t->indexes[i])
                return -ENOMEM;
        }
    return 0;
}

void index_fini(struct list_table *t, enum xod_list list)
{
    for (unsigned i = 0; t->indexes && i < schema_list(list)->n_fields; i++) {
        size_t pos = 0;
        void *b;
        while (t->indexes[i] && map_next(t->indexes[i], &pos, NULL, &b)) {
            free(((struct bucket *)b)->objs);
            free(b);
        }
        map_destroy(&t->indexes[i]);
    }
    free(t->indexes);
    t->indexes = NULL;
}

int index_insert(struct xod_obj *o, unsigned field)
{
    struct map *m = o->ipbx->lists[o->list].indexes[field];
    char scratch[256];
    struct view key;
    struct bucket *b;

    if (!m || o->values[field].type == V_NULL)
        return 0;
    key = make_key(&o->values[field], field_of(o, field)->flags & F_FOLD, scratch, sizeof(scratch));
    b = map_get(m, key);
    if (!b) {
        b = calloc(1, sizeof(*b) + key.len + 1);
        if (!b)
            return -ENOMEM;
        if (key.len)
            memcpy(b->key, key.ptr, key.len);
        b->key_len = key.len;
        if (map_put(m, view_of(b->key, key.len), b) < 0) {
            free(b);
            return -ENOMEM;
        }
    }
    if (store_grow(&b->objs, b->n, &b->cap, sizeof(*b->objs)) < 0)
        return -ENOMEM;
    b->objs[b->n++] = o;
    return 0;
}

void index_remove(struct xod_obj *o, unsigned field)
{
    struct map *m = o->ipbx->lists[o->list].indexes[field];
    char scratch[256];
    struct view key;
    struct bucket *b;

    if (!m || o->values[field].type == V_NULL)
        return;
    key = make_key(&o->values[field], field_of(o, field)->flags & F_FOLD, scratch, sizeof(scratch));
    b = map_get(m, key);
    for (size_t i = b ? b->n : 0; i > 0; i--)
        if (b->objs[i - 1] == o) {
            memmove(&b->objs[i - 1], &b->objs[i], (b->n - i) * sizeof(*b->objs));
            b->n--;
            break;
        }
    if (b && b->n == 0) {
        map_del(m, view_of(b->key, b->key_len));
        free(b->objs);
        free(b);
    }
}

/* Is this the value, beyond the prefix that is its key? */
static bool is_value(const struct xod_obj *o, unsigned field, struct view value, bool fold)
{
    char number[32];
    struct view text = value_text(&o->values[field], number);

    return fold ? view_ieq(text, value) : view_eq(text, value);
}

static struct xod_obj *nth(const struct bucket *b, unsigned field, struct view value, bool fold,
                           size_t n)
{
    for (size_t i = 0; i < b->n; i++)
        if (is_value(b->objs[i], field, value, fold) && n-- == 0)
            return b->objs[i];
    return NULL;
}

struct xod_obj *xod_lookup(const struct xod_ipbx *s, enum xod_list list, unsigned field,
                           struct view value, size_t n)
{
    struct map *m = s->lists[list].indexes[field];
    bool fold = schema_list(list)->fields[field].flags & F_FOLD;
    struct value v = {.type = V_STR, .len = (uint32_t)value.len, .s = (char *)value.ptr};
    char scratch[256];
    const struct bucket *b;

    if (!m || value.len > UINT32_MAX)
        return NULL;
    b = map_get(m, make_key(&v, fold, scratch, sizeof(scratch)));
    if (!b)
        return NULL;
    if (fold && nth(b, field, value, false, 0))
        return nth(b, field, value, false, n);
    if (value.len < sizeof(scratch))
        return n < b->n ? b->objs[n] : NULL;
    return nth(b, field, value, fold, n);
}
