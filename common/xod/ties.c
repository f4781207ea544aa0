#include <errno.h>
#include <stdlib.h>

#include "xod/store.h"

bool xod_is_tied(const struct xod_obj *a, const struct xod_obj *b)
{
    for (uint32_t i = 0; i < a->n_ties; i++)
        if (a->ties[i] == b)
            return true;
    return false;
}

static int tie_one(struct xod_obj *a, struct xod_obj *b)
{
    struct xod_obj **ties = realloc(a->ties, (a->n_ties + 1) * sizeof(struct xod_obj *));

    if (!ties)
        return -ENOMEM;
    a->ties = ties;
    a->ties[a->n_ties++] = b;
    return 0;
}

static void untie_one(struct xod_obj *a, struct xod_obj *b)
{
    for (uint32_t i = 0; i < a->n_ties; i++)
        if (a->ties[i] == b) {
            memmove(&a->ties[i], &a->ties[i + 1], (a->n_ties - i - 1) * sizeof(struct xod_obj *));
            a->n_ties--;
            return;
        }
}

int xod_tie(struct xod_obj *a, struct xod_obj *b)
{
    if (a->deleted || b->deleted)
        return -ENOENT;
    if (xod_is_tied(a, b))
        return 0;
    if (tie_one(a, b) < 0)
        return -ENOMEM;
    if (tie_one(b, a) < 0) {
        untie_one(a, b);
        return -ENOMEM;
    }
    return 0;
}

void xod_untie(struct xod_obj *a, struct xod_obj *b)
{
    untie_one(a, b);
    untie_one(b, a);
}

struct xod_obj *xod_tied(const struct xod_obj *o, enum xod_list list, size_t n)
{
    for (uint32_t i = 0; i < o->n_ties; i++)
        if (o->ties[i]->list == list && n-- == 0)
            return o->ties[i];
    return NULL;
}

struct xod_obj *xod_tied_next(const struct xod_obj *o, enum xod_list list, size_t *pos)
{
    while (*pos < o->n_ties) {
        struct xod_obj *other = o->ties[(*pos)++];
        if (other->list == list)
            return other;
    }
    return NULL;
}

void ties_drop(struct xod_obj *o)
{
    for (uint32_t i = 0; i < o->n_ties; i++)
        untie_one(o->ties[i], o);
    free(o->ties);
    o->ties = NULL;
    o->n_ties = 0;
}
