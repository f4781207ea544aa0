/* Who is in which bridge: what it takes to say "these two talk to each other" of Asterisk 12 and
 * later, which tells of bridges and never of pairs. */
#ifndef CTIBUS_AMI_GW_BRIDGES_H
#define CTIBUS_AMI_GW_BRIDGES_H

#include "base/view.h"

struct bridge;

struct bridge_member {
    struct bridge *bridge;
    char *channel;
    char *uniqueid;
};

struct bridge {
    char *id;
    bool basic;                    /* a call: Asterisk's own or an application's (stasis), not a
                                      conference, a parking lot, a place to wait in... */
    unsigned n, cap;               /* how many are in it */
    struct bridge_member **member; /* in the order of their coming */
};

struct bridges;
struct bridges *bridges_new(void); /* NULL without memory */
void bridges_destroy(struct bridges **b);
void bridges_clear(struct bridges *b);

/* The bridge of that id, made if need be; NULL without memory or with 65,536 bridges. type and
 * technology: the headers BridgeType, empty when it is not told (then what is known stays), and
 * BridgeTechnology. */
struct bridge *bridges_get(struct bridges *b, struct view id, struct view type,
                           struct view technology);
/* The bridge of that id, or NULL. */
struct bridge *bridges_find(const struct bridges *b, struct view id);
/* The bridge that a channel is in, or NULL. */
struct bridge *bridges_of(const struct bridges *b, struct view channel);
/* False when it was in one already, there are 131,072 members, or there is no memory. */
bool bridges_add(struct bridges *b, struct bridge *br, struct view channel, struct view uniqueid);
/* False when it was not in it. */
bool bridges_remove(struct bridges *b, struct bridge *br, struct view channel);
/* A channel has another name; a channel that had that name is in no bridge any more. */
void bridges_rename(struct bridges *b, struct view channel, struct view now);
void bridges_drop(struct bridges *b, struct view id);

#endif
