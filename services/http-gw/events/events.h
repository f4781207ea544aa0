/*
 * What happens, in words of telephony: made of the changes of xod. A call begins, rings, is
 * answered, held, transferred, missed, and ends; a caller joins a queue; an agent logs in; and so
 * on. Every http-gw makes the same events of the same changes, with the same ids.
 */
#ifndef CTIBUS_HTTP_GW_EVENTS_H
#define CTIBUS_HTTP_GW_EVENTS_H

#include "base/buf.h"
#include "schema/api.h"
#include "xod/xod.h"

/* Does a name fit one of a list of patterns with commas between them: "call.answered,agent.*"? */
bool event_fits(struct view patterns, struct view name);

/* An id: the change that led to it, and which of its events. Later ones are greater within an
 * epoch. */
struct event_id {
    uint64_t epoch, seq;
    uint32_t n;
};
#define EVENT_ID_TEXT 56
void event_id_print(const struct event_id *id, char out[EVENT_ID_TEXT]);
/* 0 or -EINVAL. */
int event_id_parse(struct view text, struct event_id *id);
/* <0, 0, >0; of one epoch. */
int event_id_cmp(const struct event_id *a, const struct event_id *b);

/* Who called whom while there were two: when one of them has gone, the call itself cannot tell. */
#define EVENT_PARTY 96
struct event_parties {
    char caller_name[EVENT_PARTY], caller_number[EVENT_PARTY];
    char called_name[EVENT_PARTY], called_number[EVENT_PARTY];
    char direction[16];
};

struct event {
    enum event_kind kind;
    struct event_id id;
    double time;                         /* seconds since 1970 */
    const struct xod_obj *obj;           /* what it happened to; also one that is just gone */
    bool answered;                       /* of a call: somebody has answered it so far */
    const struct event_parties *parties; /* of a call that is over; NULL: as the object says */
};
typedef void event_fn(void *arg, const struct event *e);

struct events;
/* fn is called for each event, inside events_change. NULL without memory. `xod` gets a note on each
 * object that is followed (xod_set_extra). */
struct events *events_new(struct xod *xod, event_fn *fn, void *arg);
void events_destroy(struct events **e);
/* A change, by state's epoch and its number. `tell` false: only what is so is noted (the first
 * snapshot). now: seconds since 1970. */
void events_change(struct events *e, const struct xod_change *c, uint64_t epoch, uint64_t seq,
                   double now, bool tell);
/* Calls fn when what is noted of an object is another: for those who keep it over a restart. gone:
 * the object is. */
typedef void event_note_fn(void *arg, const struct xod_obj *o, bool gone);
void events_watch(struct events *e, event_note_fn *fn, void *arg);
/* Appends the note on an object as a text; nothing where there is none. */
void events_put_note(struct buf *out, const struct xod_obj *o);
/* Puts in what was noted before. 0, -EINVAL or -ENOMEM. */
int events_set_note(struct xod_obj *o, struct view note);
/* Are objects of this list followed at all? */
bool events_follow(enum xod_list list);
/* Of a note on a call: was it answered, and was somebody called? False: it is malformed. */
bool events_read_call(struct view note, bool *answered, bool *sought);
/* An id behind those of the events of the last change, for the change itself. */
struct event_id events_next_id(struct events *e);

#endif
