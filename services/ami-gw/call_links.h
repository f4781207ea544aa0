/* Who talks to whom in an Asterisk before 12, and who put whom on hold: what it takes to tell hold
 * from music, and the end of a call from the pause that a feature digit makes. */
#ifndef CTIBUS_AMI_GW_CALL_LINKS_H
#define CTIBUS_AMI_GW_CALL_LINKS_H

#include "base/view.h"

#define CALL_LINKS_HELD_BACK                                                                       \
    64 /* ends of calls that wait for what follows; more are told at once */

struct pair {
    char *channel, *uniqueid, *other, *other_uniqueid;
};

struct call_links;
struct call_links *call_links_new(void); /* NULL without memory */
void call_links_destroy(struct call_links **p);
void call_links_clear(struct call_links *p);

/* These two talk to each other. */
void call_links_link(struct call_links *p, struct view channel, struct view other);
/* They no longer do. Where one has the other on hold both are remembered until it takes it back: an
 * attended transfer ends the call first. */
void call_links_unlink(struct call_links *p, struct view channel, struct view other);
/* It put its peer on hold, or took it back. False when that was known already. */
bool call_links_hold(struct call_links *p, struct view holder, bool on);
/* It hears music, or no longer: who did that, if it is news; the caller frees it. NULL: nobody, or
 * it is known already. */
char *call_links_music(struct call_links *p, struct view channel, bool on);
/* Renames a channel to `now`; a former channel of that name is gone. */
void call_links_rename(struct call_links *p, struct view channel, struct view now);
void call_links_forget(struct call_links *p, struct view channel);

/* Holds the end of a call back: everything is copied. -ENOBUFS or -ENOMEM: tell it yourself. */
int call_links_hold_back(struct call_links *p, struct view channel, struct view uniqueid,
                         struct view other, struct view other_uniqueid);
size_t call_links_held_back(const struct call_links *p);
/* Takes out the first that is of `channel` (empty: any); false when there is none. The caller frees
 * it with pair_fini. */
bool call_links_release(struct call_links *p, struct view channel, struct pair *out);
void pair_fini(struct pair *pair);

#endif
