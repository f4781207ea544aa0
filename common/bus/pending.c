#include <stdlib.h>

#include "base/clock.h"
#include "bus/internal.h"

#define MAX_PENDING 65536

struct entry {
    uint64_t id; /* the key of the map */
    const void *owner;
    uint64_t deadline;
    bus_answer_fn *answer;
    void *arg;
};

struct pending {
    struct bus *bus;
    struct map *by_id;
    uint64_t next_id;
    bool closed; /* being destroyed: nothing is asked any more */
};

struct pending *pending_new(struct bus *b)
{
    struct pending *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->bus = b;
    p->next_id = 1;
    p->by_id = map_new();
    if (!p->by_id) {
        free(p);
        return NULL;
    }
    return p;
}

static struct view key_of(const uint64_t *id)
{
    return view_of(id, sizeof(*id));
}

/* Ends one request. The entry is out of the table before anybody is called. */
static void finish(struct pending *p, struct entry *e, enum bus_status status)
{
    map_del(p->by_id, key_of(&e->id));
    if (e->answer)
        e->answer(e->arg, status, NULL);
    free(e);
}

/* Any request of this owner (NULL: any), asked before number `before`, that is due at `now`; the
 * table may change between calls. */
static struct entry *find_due(struct pending *p, const void *owner, uint64_t before, uint64_t now)
{
    size_t pos = 0;
    void *v;

    while (map_next(p->by_id, &pos, NULL, &v)) {
        struct entry *e = v;
        if ((!owner || e->owner == owner) && e->id < before && e->deadline <= now)
            return e;
    }
    return NULL;
}

void pending_gone(struct pending *p, const void *owner)
{
    uint64_t before = p->next_id; /* who is answered may ask again */
    struct entry *e;

    while ((e = find_due(p, owner, before, UINT64_MAX)))
        finish(p, e, BUS_gone);
}

void pending_destroy(struct pending **p)
{
    if (!p || !*p)
        return;
    (*p)->closed = true;
    pending_gone(*p, NULL);
    map_destroy(&(*p)->by_id);
    free(*p);
    *p = NULL;
}

uint64_t pending_add(struct pending *p, const void *owner, uint32_t deadline_ms,
                     bus_answer_fn *answer, void *arg)
{
    struct entry *e;

    if (p->closed || map_count(p->by_id) >= MAX_PENDING)
        return 0;
    e = calloc(1, sizeof(*e));
    if (!e)
        return 0;
    *e = (struct entry){p->next_id++, owner, clock_mono_us() + (uint64_t)deadline_ms * 1000, answer,
                        arg};
    if (map_put(p->by_id, key_of(&e->id), e) < 0) {
        free(e);
        return 0;
    }
    metric_add(p->bus->counts.asked, 1);
    return e->id;
}

bool pending_answer(struct pending *p, const void *owner, uint64_t id, enum bus_status status,
                    const msgpack_object *body)
{
    struct entry *e = map_get(p->by_id, key_of(&id));

    if (!e || (owner && e->owner != owner)) {
        metric_add(p->bus->counts.late, 1);
        return false;
    }
    metric_add(p->bus->counts.answered, 1);
    if (status == BUS_more) {
        if (e->answer)
            e->answer(e->arg, status, body);
        return true;
    }
    map_del(p->by_id, key_of(&id));
    if (e->answer)
        e->answer(e->arg, status, body);
    free(e);
    return true;
}

void pending_cancel(struct pending *p, uint64_t id)
{
    free(map_del(p->by_id, key_of(&id)));
}

void pending_tick(struct pending *p)
{
    struct entry *e;

    while ((e = find_due(p, NULL, UINT64_MAX, clock_mono_us()))) {
        metric_add(p->bus->counts.timed_out, 1);
        finish(p, e, BUS_timeout);
    }
}
