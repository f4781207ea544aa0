#include "requesters.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

struct requester {
    char *name;
    size_t len;
    unsigned running;
};

struct requesters {
    struct map *by_name;
    unsigned running;
};

struct requesters *requesters_new(void)
{
    struct requesters *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->by_name = map_new();
    if (!a->by_name)
        requesters_destroy(&a);
    return a;
}

void requesters_destroy(struct requesters **a)
{
    if (!*a)
        return;
    map_destroy(&(*a)->by_name);
    free(*a);
    *a = NULL;
}

static struct requester *make(struct requesters *a, struct view name)
{
    struct requester *one = calloc(1, sizeof(*one));

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

int requester_begin(struct requesters *a, struct view name, struct requester **out)
{
    *out = NULL;
    if (name.len == 0)
        return 0;
    if (a->running >= REQUESTERS_OF_ALL)
        return -EBUSY;
    *out = map_get(a->by_name, name);
    if (!*out)
        *out = make(a, name);
    if (!*out)
        return -ENOMEM;
    if ((*out)->running >= REQUESTERS_OF_ONE) {
        *out = NULL;
        return -EBUSY;
    }
    (*out)->running++;
    a->running++;
    return 0;
}

void requester_done(struct requesters *a, struct requester *one)
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
