/*
 * The connections of a bound socket and their keys. libzmq cannot disconnect a peer, but tells the
 * descriptor that a message came over: a connection whose key is no longer allowed is shut down
 * from outside, as in accepted.c, and comes to ZAP when it connects again. Only over TCP. One
 * thread.
 */
#ifndef CTIBUS_BUS_CONNECTIONS_H
#define CTIBUS_BUS_CONNECTIONS_H

#include "bus/internal.h"

struct connections;
/* Of the socket bound to `endpoint` (with its real port). NULL without memory. */
struct connections *connections_new(struct bus *b, const char *endpoint, struct view domain);
void connections_destroy(struct connections **c);
/* What the key of the connection that m came over may do now. When that does not include this
 * socket, the connection is cut, and m is not to be used: ROLE_NONE. `keep`: if what it may do
 * changes, connections_check will cut it. A message without a key is of this process: ROLE_GATEWAY.
 */
enum bus_role connections_admit(struct connections *c, zmq_msg_t *m, bool keep);
/* Cuts the kept ones whose role is no longer what it was. */
void connections_check(struct connections *c);
/* Cuts the connection that m came over; why is logged. */
void connections_cut(struct connections *c, zmq_msg_t *m, const char *why);
/* Has a key been added or revoked since the process started to listen? What comes over a connection
 * need not be asked about before that. */
bool connections_changed(const struct connections *c);

#endif
