#include "askers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

struct asker {
    char *name;
    size_t len;
    unsigned running;
};

struct askers {
    struct map *by_name;
    unsigned running;
};

struct askers *askers_new(void)
{
    struct askers *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->by_name = map_new();
    if (!a->by_name)
        askers_destroy(&a);
    return a;
}

void askers_destroy(struct askers **a)
{
    if (!*a)
        return;
    map_destroy(&(*a)->by_name);
    free(*a);
    *a = NULL;
}

static struct asker *make(struct askers *a, struct view name)
{
    struct asker *one = calloc(1, sizeof(*one));

    if (one)
        one->name = malloc(name.len);
    if (one && one->name) {
        memcpy(one->name, name.ptr, name.len);
        one->len = name.len;
        if (map_put(a->by_name, view_of(one->name, one->len), one) == 0)
            return one;
    }
    if (one)
        free(one->name);
    free(one);
    return NULL;
}

int asker_begin(struct askers *a, struct view name, struct asker **out)
{
    *out = NULL;
    if (name.len == 0)
        return 0;
    if (a->running >= ASKERS_OF_ALL)
        return -EBUSY;
    *out = map_get(a->by_name, name);
    if (!*out)
        *out = make(a, name);
    if (!*out)
        return -ENOMEM;
    if ((*out)->running >= ASKERS_OF_ONE) {
        *out = NULL;
        return -EBUSY;
    }
    (*out)->running++;
    a->running++;
    return 0;
}

void asker_done(struct askers *a, struct asker *one)
{
    if (!one)
        return;
    a->running--;
    if (--one->running > 0)
        return;
    map_del(a->by_name, view_of(one->name, one->len));
    free(one->name);
    free(one);
}
