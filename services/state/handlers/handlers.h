/*
 * CTI messages that programs on the bus answer.
 *
 * A program registers (worker.register, kind cti) for classes of messages; gateways learn from the
 * field `handlers` of each IPBX which there are. A message of such a class is a request cti.message
 * to every program that registered for it, all at once; what each answers goes to the client in the
 * order of their priorities: the first as the answer to the message, the others as lines behind it.
 * Later lines of a program are its request cti.line.
 */
#ifndef CTIBUS_STATE_HANDLERS_HANDLERS_H
#define CTIBUS_STATE_HANDLERS_HANDLERS_H

#include "core/context.h"
#include "core/deferred_reply.h"
#include "sessions/sessions.h"

#define HANDLERS_MAX_CLASS 47 /* bytes */

struct handlers;
struct handlers *handlers_new(struct state *s); /* NULL without memory */
void handlers_destroy(struct handlers **h);
/* Is this class one of ctibus's own? */
typedef bool handlers_own_fn(struct view class);
/* The request worker.register with kind cti: answered. It replaces what the peer said before,
 * unless it says `more`. */
void handlers_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body,
                       handlers_own_fn *is_own);
void handlers_peer_gone(struct handlers *h, const struct bus_peer *p);
/* The request cti.line: answered. */
void handlers_line(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
/* Does a program answer messages of this class of users of this IPBX? *permission: only of those
 * whose profile names it. */
bool handlers_has(const struct handlers *h, const struct xod_ipbx *ipbx, struct view class,
                  bool *permission);
/* Asks them, after handlers_has. l is answered when the first of them has answered, or none has
 * within its time (BUS_timeout) or at all (BUS_gone). */
void handlers_ask(struct handlers *h, struct session *se, struct view class,
                  struct deferred_reply *l, const msgpack_object *message);

#endif
