/* The events of the office, in its dialect: names, headers and their order are those of recordings.
 */
#ifndef OFFICE_TELL_H
#define OFFICE_TELL_H

#include "office/internal.h"

/* The beginning of an event of the office's own; say() into the buffer, then tell_end. */
struct buf *tell_begin(struct office *o, const char *event, const char *classes);
void tell_end(struct office *o);
/* The 14 headers of a channel of 2.x, each name behind `prefix`; both dialects' readers get them
 * from listings too. */
void tell_leg(struct buf *out, const char *prefix, const struct leg *l);
void tell_link(struct buf *out, const char *prefix, const struct link *k, unsigned n);

void tell_new_channel(const struct leg *l);
void tell_state(const struct leg *l);
void tell_caller_id(const struct leg *l);
void tell_connected(const struct leg *l);
void tell_step(const struct leg *l);
/* Of no channel when l is NULL. */
void tell_variable(struct office *o, const struct leg *l, struct view name, struct view value);
void tell_user_event(const struct leg *l, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* caller may be NULL: an Originate. */
void tell_dial_begin(const struct leg *caller, const struct leg *called, const char *dialled);
void tell_dial_state(const struct leg *caller, const struct leg *called);
void tell_dial_end(const struct leg *caller, const struct leg *called, const char *status);
/* 1.8: Dial() of an answered call has returned. */
void tell_dial_over(const struct leg *caller);
void tell_link_begin(struct office *o, const struct link *k);
void tell_enter(const struct link *k, const struct leg *l, const struct leg *instead_of);
void tell_leave(const struct link *k, const struct leg *l);
void tell_link_end(struct office *o, const struct link *k);
void tell_hangup_request(const struct leg *l, int cause); /* 0: without one */
void tell_soft_hangup(const struct leg *l);
void tell_hangup(const struct leg *l, int cause);
void tell_hold(const struct leg *l);
void tell_music(const struct leg *l);
/* A key that its phone has sent, and a tone that it was sent. */
void tell_digit(const struct leg *l, char digit);
void tell_sent_digit(const struct leg *l, char digit);
void tell_person(struct office *o, const struct person *p);
void tell_device(struct office *o, const char *device, int state);
/* The device Custom:NAME, in words of Asterisk; of do not disturb also FreePBX's hint on it. */
void tell_custom(struct office *o, struct view name, struct view state);
/* An event of the channel alone, without further headers: MonitorStart... */
void tell_simple(const struct leg *l, const char *event);

/* Queues */
void tell_member(struct office *o, const struct member *m, const char *event);
void tell_queue_join(const struct leg *l);
void tell_queue_leave(const struct leg *l, unsigned position);
void tell_queue_abandon(const struct leg *l, unsigned position);
void tell_agent_called(const struct leg *caller, const struct leg *called);
void tell_agent_connect(const struct leg *caller, const struct leg *called);
void tell_agent_unanswered(const struct leg *caller, const struct leg *called);
void tell_agent_complete(const struct leg *caller, const struct leg *called, const char *reason);
void tell_agent_login(const struct leg *l, const struct agent *a);
void tell_agent_logoff(const struct leg *l, const struct agent *a);

/* The room: Start, End, Record, StopRecord (l NULL); Join, Leave, Mute, Unmute */
void tell_room(struct office *o, const struct leg *l, const char *what);

void tell_parked(const struct leg *l, const char *event, const struct leg *retriever);
/* l may be NULL. */
void tell_mailbox(struct office *o, const struct person *p, const struct leg *l);
void tell_originated(struct office *o, const struct originate *g, const struct leg *l,
                     const struct person *p, int reason);
void tell_local(const struct leg *one, const struct leg *two);

const char *state_text(int state);                            /* "Up" */
const char *device_text(int state);                           /* "INUSE" */
int hint_status(int state);                                   /* 1 */
const char *hint_text(int state);                             /* "InUse" */
unsigned parking_left(const struct leg *l, unsigned *lasted); /* seconds */

#endif
