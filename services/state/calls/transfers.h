/*
 * Attended transfers, until the destination answers: the switchboard may complete them only
 * then, and is told so.
 */
#ifndef CTIBUS_STATE_CALLS_TRANSFERS_H
#define CTIBUS_STATE_CALLS_TRANSFERS_H

#include "calls/ipbx_command.h"
#include "model/tel.h"

struct transfers;
struct transfers *transfers_new(struct state *s);
void transfers_destroy(struct transfers **t);
/* The call of this channel (of the user of the job) is about to be transferred: the session is told
 * when the channel talks to another one than now. */
void transfers_expect(struct transfers *t, const struct ami_batch *j,
                      const struct xod_obj *channel);
/* It is not. */
void transfers_forget(struct transfers *t, const struct xod_obj *channel);
/* Whom a channel that transfers asks just now; NULL: it transfers nothing, or nobody has answered
 * yet. Never who is to be transferred. */
struct xod_obj *transfers_asked(const struct transfers *t, const struct xod_obj *channel);
/* After an event of an IPBX. */
void transfers_event(struct transfers *t, const struct tel *e);

#endif
