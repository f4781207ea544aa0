/*
 * The inside of the fan-out, for audience.c (who sees what) and fanout.c (changes) alone.
 *
 * An audience is all clients that see the same objects: those of one set of contexts that are told
 * of the same lists. Without context separation there is one of each of the latter. A user whose
 * profile limits whose calls are seen is an audience alone.
 */
#ifndef CTIBUS_CTI_GW_FANOUT_IMPL_H
#define CTIBUS_CTI_GW_FANOUT_IMPL_H

#include "access/access.h"
#include "internal.h"

LIST_HEAD(audience_list, audience);

/* All audiences that have this context. */
struct audience_context {
    char *name;
    LIST_HEAD(, audience_of_context) audiences;
};

struct audience_of_context {
    LIST_ENTRY(audience_of_context) next;
    struct audience_context *context;
    struct audience *audience;
};

struct audience {
    LIST_ENTRY(audience) all;
    LIST_ENTRY(audience) of_unindexed; /* while it has no `contexts` */
    LIST_ENTRY(audience) of_due;       /* while `due` */
    struct client_list clients;
    size_t n;
    struct access sees;
    bool calls;       /* is told of the list calls */
    bool due;         /* something is gathered */
    uint64_t offered; /* the last change that it was offered, by number */
    struct buf key;   /* it is known by */
    struct audience_of_context *contexts;
    size_t n_contexts;
    /* Of one that is limited: ids of the calls it sees now. Whether it does changes as people come
     * into a call and leave it. */
    struct map *seen_calls;
    struct buf gathered; /* for its clients, whose `told` are offsets in it */
};

/* So many joins within this time, or twice this time, are a mass login. */
#define CROWD_US 250000u
#define CROWD 16

struct fanout {
    struct gateway *g;
    struct audience_list audiences;
    /* Those who may see an object of any context; others are found by it. */
    struct audience_list unindexed;
    struct audience_list due;
    struct map *by_key, *by_context;
    struct loop_task *task;
    struct loop_timer *rest; /* runs: the next round waits for it */
    struct buf line, masked, limited, key;
    struct map *lots; /* what bays_change knows */
    struct buf freed;
    size_t n_limited;     /* audiences */
    uint64_t offer;       /* numbers changes */
    uint64_t crowd_since; /* joined, and joined_before in the CROWD_US before that (monotonic us) */
    unsigned joined, joined_before;
    bool grew;        /* by the change that is being told, something was gathered */
    bool full;        /* an audience has gathered MAX_GATHERED */
    bool regroup_due; /* whose calls are whose may have changed */
};

/* ---- audience.c ---- */

/* Makes and frees what is needed for it; 0 or -ENOMEM. There is no audience any more at the end. */
int audiences_init(struct fanout *f);
void audiences_fini(struct fanout *f);
/* Clients of XiVO know no list ipbx and no calls: they may ask for them, and are not told. */
bool audience_is_told(const struct audience *a, int list);
/* Does it see all of what it sees at all? a may be NULL. */
bool audience_sees_all(const struct fanout *f, const struct audience *a);
/* Notes whether a limited audience sees a call now; whether it did before. */
bool audience_note_call(struct audience *a, const struct xod_obj *call, bool sees);
/* Calls fn once for each audience that may see the object, and maybe for others. */
typedef void audience_fn(struct fanout *f, struct audience *a, const struct xod_change *c);
void audiences_offer(struct fanout *f, const struct xod_change *c, audience_fn *fn);
/* Do many join at present? Counts as one more if `joins`. */
bool audiences_are_crowded(struct fanout *f, bool joins);

/* ---- fanout.c ---- */

/* Something was put into a->gathered: it leaves in the next round. */
void fanout_gathered(struct fanout *f, struct audience *a);

#endif
