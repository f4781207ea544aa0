/* A service's place on the bus, as its configuration says. */
#ifndef CTIBUS_SVC_BUS_SETUP_H
#define CTIBUS_SVC_BUS_SETUP_H

#include "bus/bus.h"
#include "bus/keys.h"
#include "svc/svc.h"

struct bus_setup {
    struct bus *bus;
    struct bus_keys *keys;
    char **trusted;                      /* NULL-ended */
    char *publish, *subscribe, *request; /* where to connect to, as bus_client_new() takes it */
};

/* Whether it would open: the files of the keys are read. False, and what a start logs is in `why`.
 */
bool bus_setup_check(const struct config *cfg, struct buf *why);
/* Opens the bus as `who` ("ami-gw:xivo"; "@host" is put behind it) with this instance name. 0 or a
 * negative errno, logged. */
int bus_setup_open(struct bus_setup *ob, struct loop *loop, const struct config *cfg,
                   const char *who, const char *instance, struct metrics *metrics, struct log *log);
/* The same for a service of which there may be several: svc_name_instance names it with `prefix`,
 * and it opens the bus as "NAME:INSTANCE". */
int bus_setup_open_instance(struct bus_setup *ob, struct svc *svc, const char *prefix);
/* Everything made on the bus must be gone. */
void bus_setup_close(struct bus_setup *ob);

#endif
