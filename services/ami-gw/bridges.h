/* Who is in which bridge: what it takes to say "these two talk to each other" of Asterisk 12 and
 * later, which tells of bridges and never of pairs. */
#ifndef CTIBUS_AMI_GW_BRIDGES_H
#define CTIBUS_AMI_GW_BRIDGES_H

#include "base/view.h"

#define BRIDGE_MEMBERS 16 /* of a bridge with more only the count is kept */

struct bridge_member {
    char *channel;
    char *uniqueid;
};

struct bridge {
    char *id;
    bool basic;     /* a plain call, not a conference, a parking lot... */
    unsigned n;     /* how many are in it */
    unsigned known; /* of which so many are remembered, in the order of their coming */
    struct bridge_member member[BRIDGE_MEMBERS];
};

struct bridges;
struct bridges *bridges_new(void); /* NULL without memory */
void bridges_destroy(struct bridges **b);
void bridges_clear(struct bridges *b);

/* The bridge of that id, made if need be; NULL without memory or with 65,536 bridges. type: the
 * header BridgeType, empty when it is not told (then what is known stays). */
struct bridge *bridges_get(struct bridges *b, struct view id, struct view type);
/* False when it was in it already, or there is no memory. */
bool bridge_add(struct bridge *br, struct view channel, struct view uniqueid);
/* False when it was not in it. */
bool bridge_remove(struct bridge *br, struct view channel);
void bridges_drop(struct bridges *b, struct view id);

#endif
