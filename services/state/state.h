/*
 * state: the one writer of xod. This header is private to the service; state.c wires its parts.
 *
 *   tel.c + model/   what the events of an Asterisk mean
 *   core/publisher.c         changes of the store -> the bus
 *   lists.c           users and phones from the configuration
 *   core/remote_lists.c        those lists that come over HTTP: fetch.c, transfer.c,
 *                     http/copy.c
 *   directory/        directories: people and numbers to be looked up
 *   sessions.c        who is logged in, and what that makes of a user's presence
 *   login.c           the steps of a login
 *   fagi/             what scripts of the dialplan are answered
 *   users/deferred_actions.c          what an Asterisk is to be told when its link is back
 *   gateways.c        which ami-gw owns an Asterisk
 *   resync.c          what gateways are asked as a whole
 *   peers/            peers
 *   commands/         CTI commands, one file each
 *   console/          WEBI, INFO and ANNOUNCE
 *   standby.c         before all that, where a site has two states
 */
#ifndef CTIBUS_STATE_STATE_H
#define CTIBUS_STATE_STATE_H

#include "bus/bus.h"
#include "config/config.h"
#include "model/model.h"
#include "xod/xod.h"

struct standby_legacy;

struct state_options {
    const char *publish, *subscribe, *request; /* endpoints to bind */
    /* Of a state that was on standby: what it had; all is bound. What is left in it when
     * state_new() returns is the caller's. NULL: there is no other state. */
    struct standby_legacy *legacy;
    const char *const *trusted;
    uint32_t session_grace_ms; /* how long the sessions of a lost gateway live */
    uint32_t lists_retry_ms;   /* until a list that could not be fetched is tried again; 0: 10 s */
    /* How long gateways have to come back after a start before snapshots are served, where one that
     * was there before is missing: at least, and at most while an Asterisk is not listed; 0: 1 and
     * 1.5 s. */
    uint32_t settle_min_ms, settle_max_ms;
    bool settle_late;        /* not before settle_min_ms, even when all are back: for tests */
    uint32_t resync_late_ms; /* after so long a resync is asked for again; 0: 30 s */
};

struct state;
/* Makes it all, loads the lists (those of HTTP are fetched afterwards), binds. NULL and *err on
 * failure (logged). cfg is borrowed. */
struct state *state_new(struct loop *loop, struct bus *bus, const struct config *cfg,
                        const struct state_options *opt, struct metrics *metrics, struct log *log,
                        int *err);
void state_destroy(struct state **s);
/* The term under which it has its database (database/db.h); 0: a file. */
int64_t state_term(const struct state *s);
/* What does the same as SIGHUP, for requests and consoles: reload(arg) gives 0 or a negative errno.
 */
void state_on_reload(struct state *s, int (*reload)(void *arg), void *arg);
/* Reads and fetches the lists again and publishes what differs. */
void state_reload(struct state *s, const struct config *cfg);
/* Another state has taken over, or is to (ha.switch): leave(arg) is to end this process cleanly. */
void state_on_leave(struct state *s, void (*leave)(void *arg), void *arg);
/* Ready: bound, settled (the gateways had their time to come back). why: what is missing. */
bool state_is_ready(const struct state *s, struct buf *why);
const char *state_endpoint_publish(const struct state *s);
const char *state_endpoint_subscribe(const struct state *s);
const char *state_endpoint_request(const struct state *s);
struct xod *state_xod(const struct state *s);

#endif
