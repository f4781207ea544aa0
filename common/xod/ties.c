#include <errno.h>
#include <stdlib.h>

#include "xod/store.h"

bool xod_is_tied(const struct xod_obj *a, const struct xod_obj *b)
{
    for (uint32_t i = 0; i < a->n_relations; i++)
        if (a->relations[i] == b)
            return true;
    return false;
}

/* What cannot be put into the transaction for want of memory is told with its next change. */
static void retied(struct xod_obj *o)
{
    o->retied = true;
    store_touch(o);
}

static int relate_one(struct xod_obj *a, struct xod_obj *b)
{
    struct xod_obj **relations =
        realloc(a->relations, (a->n_relations + 1) * sizeof(struct xod_obj *));

    if (!relations)
        return -ENOMEM;
    a->relations = relations;
    a->relations[a->n_relations++] = b;
    retied(a);
    return 0;
}

static void untie_one(struct xod_obj *a, struct xod_obj *b)
{
    for (uint32_t i = 0; i < a->n_relations; i++)
        if (a->relations[i] == b) {
            memmove(&a->relations[i], &a->relations[i + 1],
                    (a->n_relations - i - 1) * sizeof(struct xod_obj *));
            a->n_relations--;
            retied(a);
            return;
        }
}

int xod_relate(struct xod_obj *a, struct xod_obj *b)
{
    if (a->deleted || b->deleted)
        return -ENOENT;
    if (xod_is_tied(a, b))
        return 0;
    if (relate_one(a, b) < 0)
        return -ENOMEM;
    if (relate_one(b, a) < 0) {
        untie_one(a, b);
        return -ENOMEM;
    }
    return 0;
}

void xod_unrelate(struct xod_obj *a, struct xod_obj *b)
{
    untie_one(a, b);
    untie_one(b, a);
}

struct xod_obj *xod_related(const struct xod_obj *o, enum xod_list list, size_t n)
{
    for (uint32_t i = 0; i < o->n_relations; i++)
        if (o->relations[i]->list == list && n-- == 0)
            return o->relations[i];
    return NULL;
}

struct xod_obj *xod_tied_next(const struct xod_obj *o, enum xod_list list, size_t *pos)
{
    while (*pos < o->n_relations) {
        struct xod_obj *other = o->relations[(*pos)++];
        if (other->list == list)
            return other;
    }
    return NULL;
}

void relations_drop(struct xod_obj *o)
{
    for (uint32_t i = 0; i < o->n_relations; i++)
        untie_one(o->relations[i], o);
    free(o->relations);
    o->relations = NULL;
    o->n_relations = 0;
    o->retied = true; /* it may be made again in this transaction */
}
