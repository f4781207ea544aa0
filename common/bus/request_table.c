#include <stdlib.h>
#include <sys/queue.h>

#include "base/rng.h"
#include "bus/internal.h"

#define MAX_PENDING 65536

TAILQ_HEAD(entries, entry);

/* All that one owner was asked, oldest first. */
struct owner {
    const void *who; /* the key of the map */
    struct entries entries;
};

struct entry {
    uint64_t id; /* the key of the map */
    struct request_table *requests;
    struct owner *owner;
    struct loop_timer *deadline;
    TAILQ_ENTRY(entry) link;
    bus_answer_fn *answer;
    void *arg;
};

struct request_table {
    struct bus *bus;
    struct map *by_id;
    struct map *owners; /* those that were asked something */
    uint64_t next_id;
    bool closed; /* being destroyed: nothing is asked any more */
};

struct request_table *request_table_new(struct bus *b)
{
    struct request_table *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->bus = b;
    /* Not where the process before us began: an answer to it that comes late is none to us. */
    p->next_id = 1 + (rng_u64() & 0xffffffffffff);
    p->by_id = map_new();
    p->owners = map_new();
    if (p->by_id && p->owners)
        return p;
    request_table_destroy(&p);
    return NULL;
}

static struct view id_key(const uint64_t *id)
{
    return view_of(id, sizeof(*id));
}

static struct view owner_key(const void *const *who)
{
    return view_of(who, sizeof(*who));
}

static struct owner *owner_make(struct request_table *p, const void *who)
{
    struct owner *o = map_get(p->owners, owner_key(&who));

    if (o)
        return o;
    o = malloc(sizeof(*o));
    if (!o)
        return NULL;
    o->who = who;
    TAILQ_INIT(&o->entries);
    if (map_put(p->owners, owner_key(&o->who), o) == 0)
        return o;
    free(o);
    return NULL;
}

/* Takes the entry from its owner, who is forgotten with the last one. */
static void disown(struct entry *e)
{
    struct owner *o = e->owner;

    TAILQ_REMOVE(&o->entries, e, link);
    if (TAILQ_EMPTY(&o->entries)) {
        map_del(e->requests->owners, owner_key(&o->who));
        free(o);
    }
}

static void entry_free(struct entry *e)
{
    if (e->owner)
        disown(e);
    map_del(e->requests->by_id, id_key(&e->id));
    loop_timer_destroy(&e->deadline);
    free(e);
}

/* Ends one request. The entry is gone before anybody is called. */
static void finish(struct entry *e, enum bus_status status, const msgpack_object *body)
{
    bus_answer_fn *answer = e->answer;
    void *arg = e->arg;

    entry_free(e);
    if (answer)
        answer(arg, status, body);
}

static void deadline_passed(void *arg)
{
    struct entry *e = arg;

    metric_add(e->requests->bus->counts.timed_out, 1);
    finish(e, BUS_timeout, NULL);
}

void request_table_gone(struct request_table *p, const void *who)
{
    uint64_t before = p->next_id; /* the callback may send a new request */
    struct owner *o;

    while ((o = map_get(p->owners, owner_key(&who))) && TAILQ_FIRST(&o->entries)->id < before)
        finish(TAILQ_FIRST(&o->entries), BUS_gone, NULL);
}

void request_table_destroy(struct request_table **pp)
{
    struct request_table *p = pp ? *pp : NULL;
    size_t pos = 0;
    void *v;

    if (!p)
        return;
    p->closed = true;
    while (p->owners && map_next(p->owners, &pos, NULL, &v)) {
        request_table_gone(p, ((struct owner *)v)->who);
        pos = 0; /* the callback may have cancelled other requests */
    }
    map_destroy(&p->owners);
    map_destroy(&p->by_id);
    free(p);
    *pp = NULL;
}

static struct entry *entry_new(struct request_table *p, const void *who)
{
    struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->requests = p;
    e->id = p->next_id++;
    e->deadline = loop_timer_new(p->bus->loop, deadline_passed, e);
    e->owner = e->deadline ? owner_make(p, who) : NULL;
    if (e->owner)
        TAILQ_INSERT_TAIL(&e->owner->entries, e, link);
    if (e->owner && map_put(p->by_id, id_key(&e->id), e) == 0)
        return e;
    entry_free(e);
    return NULL;
}

uint64_t request_table_add(struct request_table *p, const void *owner, uint32_t deadline_ms,
                           bus_answer_fn *answer, void *arg)
{
    struct entry *e;

    if (p->closed || map_count(p->by_id) >= MAX_PENDING)
        return 0;
    e = entry_new(p, owner);
    if (!e)
        return 0;
    e->answer = answer;
    e->arg = arg;
    loop_timer_start(e->deadline, deadline_ms, false);
    metric_add(p->bus->counts.asked, 1);
    return e->id;
}

uint64_t request_table_newest(const struct request_table *p)
{
    return p->next_id - 1;
}

bool request_table_answer(struct request_table *p, const void *owner, uint64_t id,
                          enum bus_status status, const msgpack_object *body)
{
    struct entry *e = map_get(p->by_id, id_key(&id));

    if (!e || (owner && e->owner->who != owner)) {
        metric_add(p->bus->counts.late, 1);
        return false;
    }
    metric_add(p->bus->counts.answered, 1);
    if (status != BUS_more)
        finish(e, status, body);
    else if (e->answer)
        e->answer(e->arg, status, body);
    return true;
}

void request_table_cancel(struct request_table *p, uint64_t id)
{
    struct entry *e = map_get(p->by_id, id_key(&id));

    if (e)
        entry_free(e);
}

bool request_table_move(struct request_table *p, uint64_t id, const void *owner)
{
    struct entry *e = map_get(p->by_id, id_key(&id));
    struct owner *o = e ? owner_make(p, owner) : NULL;
    struct entry *before;

    if (!o)
        return false;
    if (o == e->owner)
        return true;
    disown(e);
    e->owner = o;
    /* those of an owner stand in the order of their ids */
    TAILQ_FOREACH_REVERSE(before, &o->entries, entries, link)
    if (before->id < id)
        break;
    if (before)
        TAILQ_INSERT_AFTER(&o->entries, before, e, link);
    else
        TAILQ_INSERT_HEAD(&o->entries, e, link);
    return true;
}
