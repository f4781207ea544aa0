/* The Asterisks that are watched, and the gateways that have registered for each. */
#ifndef CTIBUS_STATE_CORE_IPBX_H
#define CTIBUS_STATE_CORE_IPBX_H

#include "bus/bus.h"
#include "model/model.h"

struct state;

#define MAX_IPBXES 64
#define MAX_GATEWAYS 8 /* of one Asterisk */

/* An ami-gw that has registered for an Asterisk. */
struct gateway_entry {
    struct bus_peer *peer;
    uint64_t login; /* which login of it this is; 0: it is not logged in to the Asterisk */
    uint64_t epoch; /* of its messages; 0: it has not said */
    char banner[64];
};

/* One Asterisk that is watched, and who watches it (gateways.c). */
struct ipbx {
    struct ipbx_model *model;
    struct gateway_entry entries[MAX_GATEWAYS];
    size_t n_entries;
    struct bus_peer *gateway; /* the one that owns it, or NULL */
    uint64_t login;           /* which login of the owner was listed or is being listed; 0: down */
    uint64_t epoch;           /* of the owner's messages; 0: not known, all are taken */
    bool expected;            /* it was connected when state ended, and has not come back yet */
    uint64_t asked_at;        /* when a resync was asked for, monotonic microseconds */
    uint32_t lists_read;      /* a bit for each of its lists that could be read once (lists.h) */
};

/* The gateway of an Asterisk whose link is up, or NULL. */
struct bus_peer *state_gateway(struct state *s, const struct xod_ipbx *x);
/* The IPBX of that name, or NULL. */
struct ipbx *state_ipbx(struct state *s, struct view name);

#endif
