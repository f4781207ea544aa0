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
/* The call of this channel (of the user of the job) is about to be transferred to there: the
 * session is told when the channel talks to another one than now, and when it is back. */
void transfers_expect(struct transfers *t, const struct ami_batch *j, const struct xod_obj *channel,
                      const struct destination *to);
/* It is not. */
void transfers_forget(struct transfers *t, const struct xod_obj *channel);
/* May this channel be transferring its call, by a command or by keys at the phone? */
bool transfers_is_one(const struct transfers *t, const struct xod_obj *channel);
/* The third party's channel, which a transferring channel consults: its peer, or before somebody
 * has answered the one that a command had Asterisk make. NULL: none is known. Never the party that
 * is transferred. */
struct xod_obj *transfers_asked(const struct transfers *t, const struct xod_obj *channel);
/* After an event of an IPBX. */
void transfers_event(struct transfers *t, const struct tel *e);

#endif
