/* Lookups. Private to directory.c, lookup.c and search.c. */
#ifndef CTIBUS_STATE_DIRECTORY_LOOKUP_H
#define CTIBUS_STATE_DIRECTORY_LOOKUP_H

#include <sys/queue.h>

#include "core/context.h"
#include "directory.h"

#define LOOKUP_MAX_DIRECTORIES 64
#define LOOKUP_MAX_TEXT 256 /* bytes; a longer one finds nothing */

struct directories {
    struct state *state;
    struct catalog *catalog; /* NULL: not loaded yet */
    struct phonebooks *phonebooks;
    struct webdirs *webdirs;
    LIST_HEAD(, lookup) waiting;
};

/* Why nothing can be looked up, in a word for the client; NULL: it can. */
const char *lookup_fault(const struct directories *d, const struct directory_ask *ask);
/* For webdirs_new. */
webdirs_fn lookup_answered;
/* It ends, with a fault for who still waits. No web server may come back to it after that. */
void lookup_abort(struct lookup *l);

#endif
