/*
 * A copy of state's xod, kept current from the bus.
 *
 * How it comes to be and stays right (the Clone pattern, made safe): subscribe to xod/; ask state
 * for an echo on that plane until it arrives, which proves that the subscription is in force; ask
 * for the snapshot, keeping the changes that come meanwhile; put the snapshot in; apply the kept
 * changes that are newer than the chunk which held their object. A gap in the numbers, or a
 * restarted state, leads to a new snapshot, and the owner is told only the differences.
 */
#ifndef CTIBUS_REPLICA_REPLICA_H
#define CTIBUS_REPLICA_REPLICA_H

#include "bus/bus.h"
#include "xod/xod.h"

struct replica;

struct replica_handler {
    /* One object changed. During the first snapshot, too: ask replica_is_ready. */
    void (*change)(void *arg, const struct xod_change *c);
    /* It is complete (the first time, and after each healing). May be NULL. */
    void (*ready)(void *arg);
    /* All changes up to this number of state are in. May be NULL. */
    void (*reached)(void *arg, uint64_t seq);
    /* A message of another plane that the owner subscribed to. May be NULL. */
    void (*message)(void *arg, const struct bus_msg *m);
};

/* `asker` is borrowed: its owner calls replica_state_up from the asker's `up`. */
struct replica *replica_new(struct bus *b, struct loop *loop, const char *subscribe,
                            struct bus_client *bus_client, const struct replica_handler *handler,
                            void *arg, struct log *log, int *err);
void replica_destroy(struct replica **r);
void replica_state_up(struct replica *r);

/* Inside `change`: when a gateway heard from its Asterisk what led to it, seconds since 1970 by
 * that gateway's clock; 0: nothing of an Asterisk's did, or it is from a snapshot. */
double replica_cause(const struct replica *r);

/* Inside `change`: state's number of it; of a change that a snapshot brought, of that snapshot. */
uint64_t replica_change_seq(const struct replica *r);

struct xod *replica_xod(const struct replica *r);
/* Was it complete once? Else `why` (may be NULL) is told. */
bool replica_is_ready(const struct replica *r, struct buf *why);
bool replica_is_live(const struct replica *r); /* is complete now, of the state that runs */
uint64_t replica_seq(const struct replica *r);
struct bus_sub *replica_sub(const struct replica *r);   /* for further subscriptions */
uint64_t replica_healed_total(const struct replica *r); /* snapshots after the first */

#endif
