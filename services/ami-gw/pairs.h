/* Who talks to whom in an Asterisk before 12, and who put whom on hold: what it takes to tell hold
 * from music, and the end of a call from the pause that a feature digit makes. */
#ifndef CTIBUS_AMI_GW_PAIRS_H
#define CTIBUS_AMI_GW_PAIRS_H

#include "base/view.h"

#define PAIRS_HELD_BACK 64 /* ends of calls that wait for what follows; more are told at once */

struct pair {
    char *channel, *uniqueid, *other, *other_uniqueid;
};

struct pairs;
struct pairs *pairs_new(void); /* NULL without memory */
void pairs_destroy(struct pairs **p);
void pairs_clear(struct pairs *p);

/* These two talk to each other. */
void pairs_link(struct pairs *p, struct view channel, struct view other);
/* They no longer do. Where one has the other on hold both are remembered until it takes it back: an
 * attended transfer ends the call first. */
void pairs_unlink(struct pairs *p, struct view channel, struct view other);
/* It put its peer on hold, or took it back. False when that was known already. */
bool pairs_hold(struct pairs *p, struct view holder, bool on);
/* It hears music, or no longer: who did that, if it is news; the caller frees it. NULL: nobody, or
 * it is known already. */
char *pairs_music(struct pairs *p, struct view channel, bool on);
/* It is called `now`; who was called that is gone. */
void pairs_rename(struct pairs *p, struct view channel, struct view now);
void pairs_forget(struct pairs *p, struct view channel);

/* Holds the end of a call back: everything is copied. -ENOBUFS or -ENOMEM: tell it yourself. */
int pairs_hold_back(struct pairs *p, struct view channel, struct view uniqueid, struct view other,
                    struct view other_uniqueid);
size_t pairs_held_back(const struct pairs *p);
/* Takes out the first that is of `channel` (empty: any); false when there is none. The caller frees
 * it with pair_fini. */
bool pairs_release(struct pairs *p, struct view channel, struct pair *out);
void pair_fini(struct pair *pair);

#endif
