/* Between the parts of handlers/. */
#ifndef CTIBUS_STATE_HANDLERS_INTERNAL_H
#define CTIBUS_STATE_HANDLERS_INTERNAL_H

#include "base/queue.h"
#include "core/worker.h"
#include "handlers/handlers.h"

/* A class of a program. */
struct handler {
    TAILQ_ENTRY(handler) all;
    struct worker worker;
    char class[HANDLERS_MAX_CLASS + 1];
    char *row; /* as gateways read it: CLASS, yes or no, and the fields that it needs */
    bool permission;
};

struct handlers {
    struct state *s;
    TAILQ_HEAD(, handler) all; /* the highest priority first, of equals the first that came */
    size_t n;
    struct metric *unanswered;
};

/* Is the handler for this class of this IPBX? */
bool handler_is_for(const struct handler *h, const struct xod_ipbx *ipbx, struct view class);
/* Does the peer answer messages? */
bool handlers_knows(const struct handlers *h, const struct bus_peer *p);
/* Appends the members of a line that a program may choose, as pairs; how many. */
size_t handlers_put_line(struct buf *pairs, const msgpack_object *line);

#endif
