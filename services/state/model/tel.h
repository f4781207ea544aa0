/* One canonical telephony event (common/schema/tel.def), as the domain reads it. */
#ifndef CTIBUS_STATE_MODEL_TEL_H
#define CTIBUS_STATE_MODEL_TEL_H

#include "bus/bus.h"

struct tel {
    enum tel_event event;
    double time;        /* when the gateway made it, seconds since 1970 */
    bool resync;        /* from a listing */
    struct tel_set set; /* the fields below that were there; the others are empty or 0 */
    struct view str[TEL_FIELD_COUNT];
    int64_t num[TEL_FIELD_COUNT];
    const msgpack_object *headers; /* of user/event: a map, or NULL */
};

static inline bool tel_has(const struct tel *t, enum tel_field f)
{
    return tel_set_has(&t->set, f);
}

/* Reads a message of the plane tel. The views live as long as doc and m. *IPBX becomes the second
 * segment of the topic, decoded into scratch. 0; -ENOENT for an event this schema lacks; -EBADMSG.
 */
int tel_read(struct tel *t, const struct bus_msg *m, struct msg_doc *doc, struct buf *scratch,
             struct view *ipbx);

#endif
