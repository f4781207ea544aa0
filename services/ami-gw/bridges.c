#include "bridges.h"

#include <stdlib.h>

#include "base/map.h"

#define MAX_BRIDGES 65536

struct bridges {
    struct map *by_id;
};

static void member_free(struct bridge_member *m)
{
    free(m->channel);
    free(m->uniqueid);
}

static void bridge_free(struct bridge *br)
{
    for (unsigned i = 0; i < br->known; i++)
        member_free(&br->member[i]);
    free(br->id);
    free(br);
}

struct bridges *bridges_new(void)
{
    struct bridges *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->by_id = map_new();
    if (!b->by_id) {
        free(b);
        return NULL;
    }
    return b;
}

void bridges_clear(struct bridges *b)
{
    size_t pos = 0;
    struct view key;
    void *v;

    while (map_next(b->by_id, &pos, &key, &v)) {
        map_del(b->by_id, key);
        bridge_free(v);
    }
}

void bridges_destroy(struct bridges **b)
{
    if (!b || !*b)
        return;
    bridges_clear(*b);
    map_destroy(&(*b)->by_id);
    free(*b);
    *b = NULL;
}

struct bridge *bridges_get(struct bridges *b, struct view id, struct view type)
{
    struct bridge *br = map_get(b->by_id, id);

    if (!br) {
        if (id.len == 0 || map_count(b->by_id) >= MAX_BRIDGES)
            return NULL;
        br = calloc(1, sizeof(*br));
        if (!br)
            return NULL;
        br->basic = true;
        br->id = view_dup(id);
        if (!br->id || map_put(b->by_id, view_of(br->id, id.len), br) < 0) {
            bridge_free(br);
            return NULL;
        }
    }
    if (type.len)
        br->basic = view_eq(type, VIEW("basic"));
    return br;
}

static int find(const struct bridge *br, struct view channel)
{
    for (unsigned i = 0; i < br->known; i++)
        if (view_eq(view_cstr(br->member[i].channel), channel))
            return (int)i;
    return -1;
}

bool bridge_add(struct bridge *br, struct view channel, struct view uniqueid)
{
    struct bridge_member m;

    if (find(br, channel) >= 0)
        return false;
    if (br->known == BRIDGE_MEMBERS) {
        br->n++;
        return true;
    }
    m.channel = view_dup(channel);
    m.uniqueid = view_dup(uniqueid);
    if (!m.channel || !m.uniqueid) {
        member_free(&m);
        return false;
    }
    br->member[br->known++] = m;
    br->n++;
    return true;
}

bool bridge_remove(struct bridge *br, struct view channel)
{
    int at = find(br, channel);

    if (at < 0) {
        if (br->n == br->known)
            return false;
        br->n--; /* one of those that are only counted */
        return true;
    }
    member_free(&br->member[at]);
    br->known--;
    br->n--;
    memmove(&br->member[at], &br->member[at + 1],
            (br->known - (unsigned)at) * sizeof(br->member[0]));
    return true;
}

void bridges_drop(struct bridges *b, struct view id)
{
    struct bridge *br = map_del(b->by_id, id);

    if (br)
        bridge_free(br);
}
