/*
 * What scripts of the dialplan are answered (request fagi.call): variables for their channel.
 *
 *   fagi.c       the request, and the table of scripts
 *   presence.c   how many users are in which presence
 *   callerid.c   the caller id that the called phone shows
 *   features.c   the services and forwards of a user
 *   handlers.c   scripts of programs that registered for them on the bus
 *   await.c      calls whose channel is not known yet: AMI and FastAGI race
 */
#ifndef CTIBUS_STATE_FAGI_FAGI_H
#define CTIBUS_STATE_FAGI_FAGI_H

#include "core/context.h"
#include "model/tel.h"

struct fagi;
/* NULL without memory. */
struct fagi *fagi_new(struct state *s);
void fagi_destroy(struct fagi **f);
/* The configuration is another one. */
void fagi_reload(struct fagi *f);
/* The request fagi.call: answered now or later. */
void fagi_call(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
/* The request worker.register with kind fagi: answered. */
void fagi_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void fagi_peer_gone(struct fagi *f, const struct bus_peer *p);
/* An event was applied: a script may wait for its channel. */
void fagi_event(struct fagi *f, const struct xod_ipbx *ipbx, const struct tel *t);

#endif
