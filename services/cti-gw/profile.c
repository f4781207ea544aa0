/* Profiles: shared by all clients that have them. */
#include <errno.h>
#include <stdlib.h>

#include "access/access.h"
#include "internal.h"

static void profile_free(struct profile *p)
{
    map_destroy(&p->regcommands);
    json_object_put(p->capas);
    free(p->id);
    free(p);
}

/* The names stand in capas, and live as long. */
static int index_names(struct profile *p)
{
    struct json_object *names = json_get(p->capas, "regcommands");

    p->regcommands = map_new();
    if (!p->regcommands)
        return -ENOMEM;
    for (size_t i = 0;
         json_object_is_type(names, json_type_array) && i < json_object_array_length(names); i++) {
        struct view name = json_view(json_object_array_get_idx(names, i));
        if (name.len && map_put(p->regcommands, name, p) < 0)
            return -ENOMEM;
    }
    return 0;
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
    if (index_names(p) < 0) {
        profile_free(p);
        return NULL;
    }
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
    *any = true;
    if (config_class_is_open(class))
        return !access_names(json_get(p->capas, "deny"), class, NULL);
    *any = map_count(p->regcommands) > 0;
    return map_get(p->regcommands, class) != NULL;
}
