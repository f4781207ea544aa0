/* Profiles: shared by all clients that have them. */
#include <stdlib.h>

#include "access/access.h"
#include "internal.h"

static void profile_free(struct profile *p)
{
    json_object_put(p->capas);
    free(p->id);
    free(p);
}

struct profile *profile_get(struct gateway *g, struct view id, struct view capas)
{
    struct json_object *parsed = NULL;
    struct profile *p;

    if (json_parse(&g->parser, capas, &parsed) < 0)
        return NULL;
    for (p = g->profiles; p; p = p->next)
        if (view_eq(view_cstr(p->id), id) && json_object_equal(p->capas, parsed)) {
            json_object_put(parsed);
            p->refs++;
            return p;
        }
    p = calloc(1, sizeof(*p));
    if (p)
        p->id = view_dup(id);
    if (!p || !p->id) {
        json_object_put(parsed);
        free(p);
        return NULL;
    }
    p->capas = parsed;
    p->refs = 1;
    p->next = g->profiles;
    g->profiles = p;
    return p;
}

void profile_put(struct gateway *g, struct profile *p)
{
    struct profile **at = &g->profiles;

    if (!p || --p->refs > 0)
        return;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    profile_free(p);
}

bool profile_permits(const struct profile *p, struct view class, bool *any)
{
    return access_names(json_get(p->capas, "regcommands"), class, any);
}
