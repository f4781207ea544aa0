/*
 * Messages of clients, for who observes them: published on cti/IPBX/message/CLASS/ with their
 * outcome, as long as somebody has subscribed to that.
 *
 * Nobody waits for an observer: it reads from the forwarder, which drops what it does not read.
 */
#ifndef CTIBUS_STATE_CORE_OBSERVED_H
#define CTIBUS_STATE_CORE_OBSERVED_H

#include "core/context.h"

/* All of it is borrowed. */
struct observed_message {
    const struct xod_ipbx *ipbx;
    struct view session, user_id, login, class;
    const msgpack_object *message; /* NULL: not known */
};

struct observed;
/* Keeps the message until it is done. NULL: nobody observes its class, or there is no memory. */
struct observed *observed_begin(struct state *s, const struct observed_message *m);
/* Publishes it: what came of it, its duration in microseconds, and the map that answered it (empty:
 * not known). *o, which may be NULL, becomes NULL. */
void observed_end(struct observed **o, struct view outcome, uint64_t us, struct view answer);

#endif
