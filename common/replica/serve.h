/*
 * Snapshots for replicas: the xod, or a part of it, in chunks, one a turn of the loop, so that
 * events go on. Replicas at the same position get the same chunk, made once. Each chunk is
 * stamped with the number of the last change published before it.
 */
#ifndef CTIBUS_REPLICA_SERVE_H
#define CTIBUS_REPLICA_SERVE_H

#include "bus/bus.h"
#include "xod/xod.h"

struct snapshot_source {
    uint64_t (*seq)(void *arg);                       /* of the last change published */
    bool (*ready)(void *arg);                         /* requests before that wait */
    bool (*sees)(void *arg, const struct xod_obj *o); /* NULL: all is shown */
    uint64_t (*fields)(const struct xod_obj *o);      /* bits of those shown; NULL: all */
};

struct snapshots;
/* All is borrowed. NULL without memory. */
struct snapshots *snapshots_new(struct loop *loop, struct bus_server *server, struct xod *xod,
                                const struct snapshot_source *source, void *arg);
void snapshots_destroy(struct snapshots **ss);
/* Answers the request `snapshot` of a peer; list and id in the body narrow it, brief leaves out
 * what has its initial value. */
void snapshots_ask(struct snapshots *ss, struct bus_peer *p, uint64_t id,
                   const msgpack_object *body);
void snapshots_peer_gone(struct snapshots *ss, struct bus_peer *p);
/* The source has become ready. */
void snapshots_settled(struct snapshots *ss);

#endif
