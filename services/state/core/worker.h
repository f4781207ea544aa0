/* What the registrations (worker.register) of programs that answer something have in common. */
#ifndef CTIBUS_STATE_CORE_WORKER_H
#define CTIBUS_STATE_CORE_WORKER_H

#include "core/context.h"

#define WORKER_MAX_ASKED                                                                           \
    16 /* programs for one question; those of the lowest priorities are not                        \
        */

struct worker {
    struct bus_peer *peer;
    const struct xod_ipbx *ipbx; /* NULL: of all */
    int priority;                /* the highest is the first */
    uint32_t deadline_ms;        /* that its answer may take */
    bool more;                   /* beside what it registered before */
};

/* Reads them; deadline_ms: where the program says nothing, in milliseconds. 0; -ENOENT: it names an
 * IPBX that is not there. */
int worker_read(struct worker *w, struct state *s, struct bus_peer *p, const msgpack_object *body,
                uint32_t deadline_ms);
/* Answers the request: 0 ok, -EPERM denied, -ENOENT not_found, -EINVAL malformed, any other busy.
 */
void worker_reply(struct state *s, struct bus_peer *p, uint64_t id, int rc);

/* One word of visible ASCII, of at most `most` bytes? */
bool worker_is_word(struct view v, size_t most);
/* Is it an array of them, that many at most? */
bool worker_are_words(const msgpack_object *list, uint32_t n, size_t most);

#endif
