#include "ring.h"

#include <stdlib.h>

struct ring {
    struct ring_entry *entries;
    size_t size, max_bytes, bytes;
    uint64_t first, end;   /* places; entry n is at n % size */
    struct event_id floor; /* all behind this one is here */
};

struct ring *ring_new(size_t entries, size_t bytes)
{
    struct ring *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->entries = calloc(entries, sizeof(*r->entries));
    r->size = entries;
    r->max_bytes = bytes;
    if (!r->entries)
        ring_destroy(&r);
    return r;
}

static void drop_first(struct ring *r)
{
    struct ring_entry *e = &r->entries[r->first++ % r->size];

    r->floor = e->id;
    r->bytes -= e->text->len;
    shared_unref(e->text);
    e->text = NULL;
}

void ring_destroy(struct ring **rp)
{
    struct ring *r = rp ? *rp : NULL;

    if (!r)
        return;
    *rp = NULL;
    while (r->first < r->end)
        drop_first(r);
    free(r->entries);
    free(r);
}

void ring_add(struct ring *r, const struct ring_entry *e)
{
    while (r->end - r->first == r->size ||
           (r->first < r->end && r->bytes + e->text->len > r->max_bytes))
        drop_first(r);
    e->text->refs++;
    r->bytes += e->text->len;
    r->entries[r->end++ % r->size] = *e;
}

void ring_start(struct ring *r, const struct event_id *floor)
{
    while (r->first < r->end)
        drop_first(r);
    r->floor = *floor;
}

bool ring_find(const struct ring *r, const struct event_id *id, uint64_t *at)
{
    uint64_t n = r->end;

    /* from the end: who comes back was here lately */
    while (n > r->first) {
        const struct ring_entry *e = &r->entries[(n - 1) % r->size];
        if (e->id.epoch == id->epoch && event_id_cmp(&e->id, id) <= 0) {
            *at = n;
            return true;
        }
        n--;
    }
    *at = n;
    return r->floor.epoch != 0 && r->floor.epoch == id->epoch && event_id_cmp(&r->floor, id) <= 0;
}

const struct ring_entry *ring_next(const struct ring *r, uint64_t *at)
{
    if (*at < r->first)
        *at = r->first;
    return *at < r->end ? &r->entries[(*at)++ % r->size] : NULL;
}

uint64_t ring_end(const struct ring *r)
{
    return r->end;
}
