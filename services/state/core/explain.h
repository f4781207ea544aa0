/*
 * Why an object is as it is: the last events that changed it, with what they changed. For an
 * administrator whose lamp is wrong (INFO, ctibus explain).
 */
#ifndef CTIBUS_STATE_CORE_EXPLAIN_H
#define CTIBUS_STATE_CORE_EXPLAIN_H

#include "base/buf.h"
#include "model/tel.h"
#include "xod/xod.h"

struct explain;

/* Keeps so many events of each phone, trunk, channel, agent, member and queue; 0: none. NULL
 * without memory. */
struct explain *explain_new(unsigned per_object);
void explain_destroy(struct explain **e);

/* What is committed next was changed by this event, which must live until then; NULL: by ctibus
 * itself (a list that was read, a command, time that passed). */
void explain_cause(struct explain *e, const struct tel *t);
/* A change that is committed, for publisher_watch with the struct explain. What there is no memory
 * for is not kept. */
void explain_change(void *explain, const struct xod_change *c);

struct explained {
    double time;         /* seconds since 1970 */
    struct view event;   /* "device/hint exten=1001 status=8", "ctibus" */
    struct view changes; /* "hintstatus 8, hint 1001@default" */
};
/* Event number n of an object, the oldest first; the views live until its next change. False: there
 * are no more. */
bool explain_event(const struct explain *e, const struct xod_obj *o, size_t n,
                   struct explained *out);

/* The object of a name like phone:xivo/11, agent:xivo/2, channel:xivo/SIP/alice-1 (or chan:), or
 * NULL. */
struct xod_obj *explain_object(struct xod *x, struct view name);
/* How it is now: "hintstatus 8, reg Reachable...". */
void explain_put_now(struct buf *out, const struct xod_obj *o);
/* By what it goes: a sentence, or nothing. */
void explain_put_why(struct buf *out, const struct xod_obj *o);

#endif
