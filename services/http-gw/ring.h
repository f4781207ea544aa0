/* The last events, for listeners that come back. */
#ifndef CTIBUS_HTTP_GW_RING_H
#define CTIBUS_HTTP_GW_RING_H

#include "events/events.h"
#include "net/conn.h"

struct ring_entry {
    struct event_id id;
    int kind; /* enum event_kind, or -1: a change of an object */
    enum xod_list list;
    const struct xod_ipbx *ipbx;
    struct shared *text; /* as it is sent */
};

struct ring;
/* At most so many, and so many bytes of texts. NULL without memory. */
struct ring *ring_new(size_t entries, size_t bytes);
void ring_destroy(struct ring **r);
/* Takes a reference of the text. The oldest go. */
void ring_add(struct ring *r, const struct ring_entry *e);
/* It begins anew: all that happens behind this event will be added. */
void ring_start(struct ring *r, const struct event_id *floor);
/* The place behind the event of this id; false: what came behind it is not all known. */
bool ring_find(const struct ring *r, const struct event_id *id, uint64_t *at);
/* The entry at a place (which moves on), or NULL at the end. Entries may have gone meanwhile: those
 * that are left are given. */
const struct ring_entry *ring_next(const struct ring *r, uint64_t *at);
/* The place behind the last one. */
uint64_t ring_end(const struct ring *r);

#endif
