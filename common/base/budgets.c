#include "base/budgets.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"

#define SWEEP_US 10000000u
#define TELL_US 60000000u

struct entry {
    char *key;
    size_t key_len;
    double used[BUDGETS_KINDS]; /* and not paid back yet */
    uint64_t at;                /* when that was so */
    uint64_t told;
};

struct budgets {
    size_t kinds;
    double rate[BUDGETS_KINDS], burst[BUDGETS_KINDS];
    struct map *entries;
    uint64_t swept;
};

struct budgets *budgets_new(size_t kinds)
{
    struct budgets *b = calloc(1, sizeof(*b));

    assert(kinds <= BUDGETS_KINDS);
    if (!b)
        return NULL;
    b->kinds = kinds;
    b->entries = map_new();
    if (!b->entries)
        budgets_destroy(&b);
    return b;
}

static void forget(void *arg)
{
    struct entry *e = arg;

    free(e->key);
    free(e);
}

void budgets_destroy(struct budgets **bp)
{
    struct budgets *b = *bp;

    if (!b)
        return;
    *bp = NULL;
    map_destroy_with(&b->entries, forget);
    free(b);
}

void budgets_set(struct budgets *b, size_t kind, double rate, double burst)
{
    assert(kind < b->kinds);
    b->rate[kind] = rate;
    b->burst[kind] = burst;
}

size_t budgets_count(const struct budgets *b)
{
    return map_count(b->entries);
}

/* Pays back what time has. True: nothing is owed any more. */
static bool settle(const struct budgets *b, struct entry *e, uint64_t now_us)
{
    double seconds = now_us > e->at ? (double)(now_us - e->at) / 1e6 : 0;
    bool even = true;

    e->at = now_us;
    for (size_t i = 0; i < b->kinds; i++) {
        e->used[i] -= seconds * b->rate[i];
        if (e->used[i] <= 0 || b->rate[i] <= 0)
            e->used[i] = 0;
        else
            even = false;
    }
    return even;
}

static void sweep(struct budgets *b, uint64_t now_us)
{
    struct view key;
    size_t pos = 0;
    void *e;

    if (now_us - b->swept < SWEEP_US)
        return;
    b->swept = now_us;
    while (map_next(b->entries, &pos, &key, &e)) {
        struct entry *one = e;
        if (!settle(b, one, now_us) || (one->told && now_us - one->told < TELL_US))
            continue;
        map_del(b->entries, key);
        forget(one);
    }
}

/* The one of that name, settled; NULL: no memory. */
static struct entry *entry_of(struct budgets *b, struct view who, uint64_t now_us)
{
    struct entry *e;

    sweep(b, now_us);
    e = map_get(b->entries, who);
    if (!e) {
        e = calloc(1, sizeof(*e));
        if (!e)
            return NULL;
        e->key = malloc(who.len + 1);
        if (e->key && who.len)
            memcpy(e->key, who.ptr, who.len);
        e->key_len = who.len;
        e->at = now_us;
        if (!e->key || map_put(b->entries, view_of(e->key, e->key_len), e) < 0) {
            forget(e);
            return NULL;
        }
    }
    settle(b, e, now_us);
    return e;
}

bool budgets_take(struct budgets *b, struct view who, size_t kind, double units, uint64_t now_us)
{
    struct entry *e = b->rate[kind] > 0 ? entry_of(b, who, now_us) : NULL;

    assert(kind < b->kinds);
    if (!e)
        return true;
    if (e->used[kind] > 0 && e->used[kind] + units > b->burst[kind])
        return false;
    e->used[kind] += units;
    return true;
}

void budgets_charge(struct budgets *b, struct view who, size_t kind, double units, uint64_t now_us)
{
    struct entry *e = b->rate[kind] > 0 ? entry_of(b, who, now_us) : NULL;

    assert(kind < b->kinds);
    if (e)
        e->used[kind] += units;
}

bool budgets_has(struct budgets *b, struct view who, size_t kind, uint64_t now_us)
{
    struct entry *e = b->rate[kind] > 0 ? entry_of(b, who, now_us) : NULL;

    assert(kind < b->kinds);
    return !e || e->used[kind] < b->burst[kind];
}

bool budgets_tell(struct budgets *b, struct view who, uint64_t now_us)
{
    struct entry *e = entry_of(b, who, now_us);

    if (!e || (e->told && now_us - e->told < TELL_US))
        return false;
    e->told = now_us;
    return true;
}
