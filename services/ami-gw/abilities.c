#include "abilities.h"

#include <stdlib.h>

#include "base/map.h"

struct abilities {
    struct map *names; /* in lower case; the values are the keys' own memory */
};

/* Too long a name is none of those that we ask for. */
static struct view lower(struct view v, char room[64])
{
    if (v.len > 64)
        return view_of(NULL, 0);
    for (size_t i = 0; i < v.len; i++)
        room[i] = v.ptr[i] >= 'A' && v.ptr[i] <= 'Z' ? (char)(v.ptr[i] | 0x20) : v.ptr[i];
    return view_of(room, v.len);
}

struct abilities *abilities_new(void)
{
    struct abilities *f = calloc(1, sizeof(*f));

    if (f)
        f->names = map_new();
    if (f && !f->names) {
        free(f);
        return NULL;
    }
    return f;
}

void abilities_clear(struct abilities *f)
{
    size_t pos = 0;
    struct view key;
    void *v;

    while (map_next(f->names, &pos, &key, &v)) {
        map_del(f->names, key);
        free(v);
    }
}

void abilities_destroy(struct abilities **f)
{
    if (!f || !*f)
        return;
    abilities_clear(*f);
    map_destroy(&(*f)->names);
    free(*f);
    *f = NULL;
}

static void add(struct abilities *f, struct view name)
{
    char room[64];
    char *copy;

    name = lower(name, room);
    if (name.len == 0 || map_get(f->names, name))
        return;
    copy = view_dup(name);
    if (copy && map_put(f->names, view_cstr(copy), copy) < 0)
        free(copy);
}

void abilities_take(struct abilities *f, const struct ami_block *response)
{
    abilities_clear(f);
    for (unsigned i = 0; i < response->n; i++)
        if (!view_ieq(response->headers[i].name, VIEW("Response")) &&
            !view_ieq(response->headers[i].name, VIEW("ActionID")))
            add(f, response->headers[i].name);
}

bool abilities_has(const struct abilities *f, struct view action)
{
    char room[64];

    action = lower(action, room);
    return action.len && map_get(f->names, action);
}

bool abilities_known(const struct abilities *f)
{
    return map_count(f->names) > 0;
}
