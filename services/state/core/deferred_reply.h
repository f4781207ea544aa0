/* Requests that are answered when what they asked for is done. */
#ifndef CTIBUS_STATE_CORE_DEFERRED_REPLY_H
#define CTIBUS_STATE_CORE_DEFERRED_REPLY_H

#include "core/context.h"
#include "database/db.h"

struct deferred_reply;
/* A request that is answered later. NULL: too many are, and it has been answered with busy. */
struct deferred_reply *deferred_reply_new(struct state *s, struct bus_peer *p, uint64_t id);
/* The same of a command of a user: its outcome is published, and logged unless `quiet`. */
struct deferred_reply *deferred_reply_for_command(struct state *s, struct bus_peer *p, uint64_t id,
                                                  struct xod_ipbx *ipbx, struct view user_id,
                                                  struct view class, bool quiet);
/* Calls fn with the answer, too, once: also when the requester is gone, and before it is sent. */
typedef void deferred_reply_fn(void *arg, enum bus_status status, struct view body);
void deferred_reply_watch(struct deferred_reply *l, deferred_reply_fn *fn, void *arg);
struct observed;
/* Its outcome and answer are told to observers, too (core/observed.h). Takes o, which may be NULL.
 */
void deferred_reply_observe(struct deferred_reply *l, struct observed *o);
/* Answers, if the requester is still there. *l becomes NULL. */
void deferred_reply_send(struct deferred_reply **l, enum bus_status status, struct view body);
/* The same with what a gateway has answered; BUS_gone becomes BUS_noconn. */
void deferred_reply_relay(struct deferred_reply **l, enum bus_status status,
                          const msgpack_object *body);
/* The same with no body, or with n pairs of a map. */
void deferred_reply_status(struct deferred_reply **l, enum bus_status status);
void deferred_reply_pairs(struct deferred_reply **l, size_t n, const struct buf *pairs);
/* The same with what the client is told is wrong, as error_string. */
void deferred_reply_error(struct deferred_reply **l, const char *why);
/* Hands t over and answers with ok and body when it is carried out, on disk or (logged) not: a
 * login must not fail because a disk is full. */
void deferred_reply_when_written(struct deferred_reply **l, struct db_txn **t, struct view body);
/* NULL: all are gone. */
void deferred_reply_peer_gone(struct state *s, struct bus_peer *p);

#endif
