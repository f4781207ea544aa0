/* A service's place on the bus, as its configuration says. */
#ifndef CTIBUS_SVC_ONBUS_H
#define CTIBUS_SVC_ONBUS_H

#include "bus/bus.h"
#include "bus/keys.h"
#include "svc/svc.h"

struct onbus {
    struct bus *bus;
    struct bus_keys *keys;
    char **trusted;                            /* NULL-ended */
    const char *publish, *subscribe, *request; /* borrowed from the configuration */
};

/* Opens the bus as `who` ("ami-gw:xivo"; "@host" is put behind it) with this instance name. 0 or a
 * negative errno, logged. */
int onbus_open(struct onbus *ob, struct loop *loop, const struct config *cfg, const char *who,
               const char *instance, struct metrics *metrics, struct log *log);
/* Everything made on the bus must be gone. */
void onbus_close(struct onbus *ob);

#endif
