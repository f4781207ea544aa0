/* What is subscribed to. */
#include <stdlib.h>

#include "bus/internal.h"

#define MAX_PREFIXES 4096

void prefixes_add(struct prefixes *p, struct view prefix)
{
    struct view *more;
    char *copy;

    if (p->n == MAX_PREFIXES)
        return;
    more = realloc(p->items, (p->n + 1) * sizeof(*more));
    if (!more)
        return;
    p->items = more;
    copy = view_dup(prefix);
    if (copy)
        p->items[p->n++] = view_of(copy, prefix.len);
}

void prefixes_remove(struct prefixes *p, struct view prefix)
{
    for (size_t i = 0; i < p->n; i++)
        if (view_eq(p->items[i], prefix)) {
            free((char *)p->items[i].ptr);
            p->items[i] = p->items[--p->n];
            return;
        }
}

bool prefixes_match(const struct prefixes *p, struct view topic)
{
    for (size_t i = 0; i < p->n; i++)
        if (view_starts(topic, p->items[i]))
            return true;
    return false;
}

void prefixes_free(struct prefixes *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((char *)p->items[i].ptr);
    free(p->items);
    *p = (struct prefixes){NULL, 0};
}
