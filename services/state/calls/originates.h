/*
 * Calls that clients have asked for, until it is known what became of them: which channel it is
 * (the variable XIVO_ORIGACTIONID says so), and with which reason it began or failed.
 */
#ifndef CTIBUS_STATE_CALLS_ORIGINATES_H
#define CTIBUS_STATE_CALLS_ORIGINATES_H

#include "calls/ipbx_command.h"
#include "model/tel.h"

struct originates;
struct originates *originates_new(struct state *s);
void originates_destroy(struct originates **o);

/* A name for the next one, for the variable XIVO_ORIGACTIONID. */
void originates_name(struct originates *o, char out[TARGET_TEXT]);
/* Is to be known before it is asked for: `channel` is what is rung (SIP/alice). What becomes of it
 * is told to the session of the job. */
void originates_expect(struct originates *o, const struct ami_batch *j, struct view name,
                       struct view channel);
/* The action was answered: it goes by this ActionID now; refused: forgotten. */
void originates_accepted(struct originates *o, struct view name, struct view actionid);
void originates_refused(struct originates *o, struct view name);
/* An event of an IPBX. */
void originates_event(struct originates *o, struct xod_ipbx *ipbx, const struct tel *t);

#endif
