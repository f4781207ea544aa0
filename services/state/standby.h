/*
 * A state that waits until the site needs it (docs/ha.md).
 *
 * It binds all that the active one binds, so that a take-over cannot fail by that, answers requests
 * with BUS_not_active and who is active, keeps the lists that come over HTTP as they are now, and
 * waits for the database. Taking over is a start: the state that state_new()
 * makes reads everything else from the database and from the gateways, as after a restart.
 */
#ifndef CTIBUS_STATE_STANDBY_H
#define CTIBUS_STATE_STANDBY_H

#include "bus/bus.h"
#include "config/config.h"
#include "core/remote_lists.h"
#include "database/claim.h"

struct standby_options {
    const char *name;                          /* of this state among ctibus.ha.peers */
    const char *publish, *subscribe, *request; /* endpoints to bind */
    const char *const *trusted;
    uint32_t silent_ms; /* as of db_claim_new() */
};

/* What the active state takes over from it. */
struct standby_legacy {
    struct bus_forwarder *forwarder;
    struct bus_server *server;
    struct db_claim *claim;
    struct remote_lists *remote_lists;
};

struct standby;
/* `mine` is told once, on the loop: the database is ours, and standby_take() is to be called. NULL
 * and *err on failure (logged). cfg is borrowed until standby_reload(). */
struct standby *standby_new(struct loop *loop, struct bus *bus, const struct config *cfg,
                            const struct standby_options *opt, void (*mine)(void *arg), void *arg,
                            struct metrics *metrics, struct log *log, int *err);
void standby_destroy(struct standby **s);
void standby_reload(struct standby *s, const struct config *cfg);
/* Ends it. What is in *out is the caller's. */
void standby_take(struct standby **s, struct standby_legacy *out);
/* Could it take over? why: what is missing. */
bool standby_is_ready(const struct standby *s, struct buf *why);
const char *standby_endpoint_publish(const struct standby *s);
const char *standby_endpoint_subscribe(const struct standby *s);
const char *standby_endpoint_request(const struct standby *s);

#endif
