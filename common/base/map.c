#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/rng.h"

#define FIRST_SLOTS 16

struct slot {
    struct view key;
    void *value; /* NULL: never used, or removed (then key.ptr is TOMB) */
    uint64_t hash;
};

struct map {
    struct slot *slots;
    size_t mask; /* number of slots - 1 */
    size_t count;
    size_t used; /* count + tombs */
    uint64_t seed;
};

static const char tomb_mark;
#define TOMB (&tomb_mark)

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t load(const char *p, size_t n)
{
    uint64_t v = 0;

    memcpy(&v, p, n);
    return v;
}

uint64_t map_hash(uint64_t seed, struct view key)
{
    uint64_t h = seed ^ 0x9e3779b97f4a7c15u;
    const char *p = key.ptr;
    size_t n = key.len;

    while (n >= 8) {
        h = mix(h ^ load(p, 8), 0xbf58476d1ce4e5b9u ^ seed);
        p += 8;
        n -= 8;
    }
    if (n)
        h = mix(h ^ load(p, n), 0x94d049bb133111ebu ^ seed);
    return mix(h ^ key.len, 0xff51afd7ed558ccdu);
}

struct map *map_new(void)
{
    struct map *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->slots = calloc(FIRST_SLOTS, sizeof(*m->slots));
    if (!m->slots) {
        free(m);
        return NULL;
    }
    m->mask = FIRST_SLOTS - 1;
    m->seed = rng_u64();
    return m;
}

void map_destroy(struct map **m)
{
    if (!m || !*m)
        return;
    free((*m)->slots);
    free(*m);
    *m = NULL;
}

void map_destroy_with(struct map **m, void (*destroy)(void *value))
{
    size_t pos = 0;
    void *value;

    while (m && *m && map_next(*m, &pos, NULL, &value))
        destroy(value);
    map_destroy(m);
}

size_t map_count(const struct map *m)
{
    return m->count;
}

static struct slot *find(const struct map *m, struct view key, uint64_t hash)
{
    for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
        struct slot *s = &m->slots[i];
        if (s->value) {
            if (s->hash == hash && view_eq(s->key, key))
                return s;
        } else if (s->key.ptr != TOMB) {
            return NULL;
        }
    }
}

void *map_get(const struct map *m, struct view key)
{
    struct slot *s = find(m, key, map_hash(m->seed, key));

    return s ? s->value : NULL;
}

static void insert(struct slot *slots, size_t mask, struct slot entry)
{
    size_t i = entry.hash & mask;

    while (slots[i].value)
        i = (i + 1) & mask;
    slots[i] = entry;
}

/* Rebuilds without tombs, larger when it is really full. */
static int rehash(struct map *m)
{
    size_t n = (m->mask + 1) * (m->count * 2 > m->mask ? 2 : 1);
    struct slot *slots = calloc(n, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i <= m->mask; i++)
        if (m->slots[i].value)
            insert(slots, n - 1, m->slots[i]);
    free(m->slots);
    m->slots = slots;
    m->mask = n - 1;
    m->used = m->count;
    return 0;
}

int map_put(struct map *m, struct view key, void *value)
{
    uint64_t hash = map_hash(m->seed, key);
    struct slot *s = find(m, key, hash);

    if (s) {
        s->key = key;
        s->value = value;
        return 0;
    }
    if ((m->used + 1) * 4 > (m->mask + 1) * 3 && rehash(m) < 0)
        return -ENOMEM;
    insert(m->slots, m->mask, (struct slot){key, value, hash});
    m->count++;
    m->used++;
    return 0;
}

void *map_del(struct map *m, struct view key)
{
    struct slot *s = find(m, key, map_hash(m->seed, key));
    void *value;

    if (!s)
        return NULL;
    value = s->value;
    *s = (struct slot){.key = {TOMB, 0}};
    m->count--;
    return value;
}

bool map_next(const struct map *m, size_t *pos, struct view *key, void **value)
{
    for (; *pos <= m->mask; (*pos)++) {
        const struct slot *s = &m->slots[*pos];
        if (s->value) {
            if (key)
                *key = s->key;
            if (value)
                *value = s->value;
            (*pos)++;
            return true;
        }
    }
    return false;
}
