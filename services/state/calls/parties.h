/*
 * Who is shown to whom in a call that ctibus begins (Originate).
 *
 * The phone that is rung first is the caller's own: it keeps its own caller id, which is what the
 * destination is shown, and is shown the destination as its connected line. Asterisk takes a header
 * CallerID for both, so that the destination would see itself calling.
 */
#ifndef CTIBUS_STATE_CALLS_PARTIES_H
#define CTIBUS_STATE_CALLS_PARTIES_H

#include "calls/dial_target.h"

#define PARTY_TEXT (2 * TARGET_TEXT + 32)

/* Values of headers of an Originate; an empty one is left out. */
struct parties {
    char callerid[PARTY_TEXT];                 /* CallerID */
    char name[PARTY_TEXT], number[PARTY_TEXT]; /* Variable, once each */
};

/* `channel`: what is rung first; `user` dials, and is the caller where that is no phone of ours but
 * a number elsewhere (a Local channel, a trunk with a number). name and number are those of the
 * destination; either may be empty, what cannot stand in a header is left out. */
void parties_set(struct parties *p, const struct xod_obj *user, struct view channel,
                 struct view name, struct view number);

#endif
