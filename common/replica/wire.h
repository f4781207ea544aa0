/* How xod objects and their changes look on the bus: topics xod/<ipbx>/<plane>/<list>/<id>/, bodies
 * {op, fields}, and the chunks of a snapshot. */
#ifndef CTIBUS_REPLICA_WIRE_H
#define CTIBUS_REPLICA_WIRE_H

#include "xod/xod.h"

/* Appends the topic of an object on a plane. */
void wire_topic(struct buf *out, const struct xod_obj *o, enum xod_plane plane);
/* Where a change comes from. */
struct wire_cause {
    bool synthetic; /* ctibus made it, no Asterisk said it */
    double at;      /* when the gateway of the Asterisk heard what led to it, seconds since 1970; 0:
                       unknown */
};
/* Appends {op: add|update|del, fields: {...}}; fields: bits, only those of the plane are written
 * (none for XOD_DEL). */
void wire_change(struct buf *out, enum xod_op op, const struct xod_obj *o, uint64_t fields,
                 const struct wire_cause *cause);

/* A change as read from the bus. */
struct wire_change {
    struct view ipbx, list, id; /* decoded; they live in the buffer given to wire_read_topic */
    enum xod_list list_no;
    enum xod_plane plane;
};
/* Reads a topic of the plane xod. 0; -EINVAL when it is none; -ENOENT for a list this schema lacks.
 */
int wire_read_topic(struct buf *scratch, struct view topic, struct wire_change *c);
/* Applies a body to the store (within the caller's transaction). An update of an object that is not
 * there is left out. 0, -EBADMSG or -ENOMEM; fields that the schema lacks or whose type is wrong
 * are left out. */
int wire_apply(struct xod *x, const struct wire_change *c, const msgpack_object *body);

/* Appends one object of a snapshot: [IPBX, list, id, {fields}], of its fields those of the bits. */
void wire_object(struct buf *out, const struct xod_obj *o, uint64_t fields);
/* Reads one into the store; *made becomes the object. brief: fields that it does not name have
 * their initial values, else they stay as they are. 0, -EBADMSG or -ENOMEM. */
int wire_read_object(struct xod *x, const msgpack_object *item, bool brief, struct xod_obj **made);

#endif
