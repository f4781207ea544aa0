#include "bridges.h"

#include <stdlib.h>

#include "base/map.h"

#define MAX_BRIDGES 65536
#define MAX_MEMBERS 131072

struct bridges {
    struct map *by_id;
    struct map *by_channel; /* -> struct bridge_member */
};

static void member_free(struct bridge_member *m)
{
    if (!m)
        return;
    free(m->channel);
    free(m->uniqueid);
    free(m);
}

struct bridges *bridges_new(void)
{
    struct bridges *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->by_id = map_new();
    b->by_channel = map_new();
    if (!b->by_id || !b->by_channel)
        bridges_destroy(&b);
    return b;
}

static void bridge_free(struct bridges *b, struct bridge *br)
{
    for (unsigned i = 0; i < br->n; i++) {
        map_del(b->by_channel, view_cstr(br->member[i]->channel));
        member_free(br->member[i]);
    }
    free(br->member);
    free(br->id);
    free(br);
}

void bridges_clear(struct bridges *b)
{
    size_t pos = 0;
    struct view key;
    void *v;

    while (map_next(b->by_id, &pos, &key, &v)) {
        map_del(b->by_id, key);
        bridge_free(b, v);
    }
}

void bridges_destroy(struct bridges **b)
{
    if (!b || !*b)
        return;
    if ((*b)->by_id && (*b)->by_channel)
        bridges_clear(*b);
    map_destroy(&(*b)->by_id);
    map_destroy(&(*b)->by_channel);
    free(*b);
    *b = NULL;
}

struct bridge *bridges_find(const struct bridges *b, struct view id)
{
    return map_get(b->by_id, id);
}

struct bridge *bridges_get(struct bridges *b, struct view id, struct view type,
                           struct view technology)
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
            bridge_free(b, br);
            return NULL;
        }
    }
    if (type.len && !view_eq(type, VIEW("stasis")))
        br->basic = view_eq(type, VIEW("basic"));
    else if (type.len && technology.len)
        br->basic = !view_eq(technology, VIEW("holding_bridge"));
    return br;
}

struct bridge *bridges_of(const struct bridges *b, struct view channel)
{
    const struct bridge_member *m = map_get(b->by_channel, channel);

    return m ? m->bridge : NULL;
}

static bool grow(struct bridge *br)
{
    unsigned cap = br->cap ? 2 * br->cap : 2;
    struct bridge_member **member;

    if (br->n < br->cap)
        return true;
    member = realloc(br->member, cap * sizeof(*member));
    if (!member)
        return false;
    br->member = member;
    br->cap = cap;
    return true;
}

bool bridges_add(struct bridges *b, struct bridge *br, struct view channel, struct view uniqueid)
{
    struct bridge_member *m;

    if (bridges_of(b, channel) || map_count(b->by_channel) >= MAX_MEMBERS || !grow(br))
        return false;
    m = calloc(1, sizeof(*m));
    if (!m)
        return false;
    m->bridge = br;
    m->channel = view_dup(channel);
    m->uniqueid = view_dup(uniqueid);
    if (!m->channel || !m->uniqueid || map_put(b->by_channel, view_cstr(m->channel), m) < 0) {
        member_free(m);
        return false;
    }
    br->member[br->n++] = m;
    return true;
}

bool bridges_remove(struct bridges *b, struct bridge *br, struct view channel)
{
    struct bridge_member *m = map_get(b->by_channel, channel);
    unsigned at = 0;

    if (!m || m->bridge != br)
        return false;
    map_del(b->by_channel, channel);
    while (br->member[at] != m)
        at++;
    br->n--;
    memmove(&br->member[at], &br->member[at + 1], (br->n - at) * sizeof(struct bridge_member *));
    member_free(m);
    return true;
}

void bridges_rename(struct bridges *b, struct view channel, struct view now)
{
    struct bridge_member *m = map_get(b->by_channel, channel);
    struct bridge_member *other = map_get(b->by_channel, now);
    char *name;

    if (other && other != m)
        bridges_remove(b, other->bridge, now);
    if (!m || view_eq(channel, now))
        return;
    name = view_dup(now);
    map_del(b->by_channel, channel);
    if (name) {
        free(m->channel);
        m->channel = name;
    }
    /* Without memory it is only not found any more until its bridge goes. */
    map_put(b->by_channel, view_cstr(m->channel), m);
}

void bridges_drop(struct bridges *b, struct view id)
{
    struct bridge *br = map_del(b->by_id, id);

    if (br)
        bridge_free(b, br);
}
