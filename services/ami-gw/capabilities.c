#include "capabilities.h"

#include <stdlib.h>

#include "base/map.h"

struct capabilities {
    struct map *names; /* in lower case; the values are the keys' own memory */
};

/* Too long a name is none of those that we ask for. */
static struct view lower(struct view v, char scratch[64])
{
    if (v.len > 64)
        return view_of(NULL, 0);
    for (size_t i = 0; i < v.len; i++)
        scratch[i] = v.ptr[i] >= 'A' && v.ptr[i] <= 'Z' ? (char)(v.ptr[i] | 0x20) : v.ptr[i];
    return view_of(scratch, v.len);
}

struct capabilities *capabilities_new(void)
{
    struct capabilities *f = calloc(1, sizeof(*f));

    if (f)
        f->names = map_new();
    if (f && !f->names) {
        free(f);
        return NULL;
    }
    return f;
}

void capabilities_clear(struct capabilities *f)
{
    size_t pos = 0;
    struct view key;
    void *v;

    while (map_next(f->names, &pos, &key, &v)) {
        map_del(f->names, key);
        free(v);
    }
}

void capabilities_destroy(struct capabilities **f)
{
    if (!f || !*f)
        return;
    capabilities_clear(*f);
    map_destroy(&(*f)->names);
    free(*f);
    *f = NULL;
}

static void add(struct capabilities *f, struct view name)
{
    char scratch[64];
    char *copy;

    name = lower(name, scratch);
    if (name.len == 0 || map_get(f->names, name))
        return;
    copy = view_dup(name);
    if (copy && map_put(f->names, view_cstr(copy), copy) < 0)
        free(copy);
}

void capabilities_take(struct capabilities *f, const struct ami_block *response)
{
    capabilities_clear(f);
    for (unsigned i = 0; i < response->n; i++)
        if (!view_ieq(response->headers[i].name, VIEW("Response")) &&
            !view_ieq(response->headers[i].name, VIEW("ActionID")))
            add(f, response->headers[i].name);
}

bool capabilities_has(const struct capabilities *f, struct view action)
{
    char scratch[64];

    action = lower(action, scratch);
    return action.len && map_get(f->names, action);
}

bool capabilities_known(const struct capabilities *f)
{
    return map_count(f->names) > 0;
}
