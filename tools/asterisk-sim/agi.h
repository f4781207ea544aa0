/* The dialplan's AGI(agi://...): a FastAGI session for each that the capture plays. */
#ifndef SIM_AGI_H
#define SIM_AGI_H

#include "log/log.h"
#include "server.h"

struct agi;

/* Calls the FastAGI server at `addr` (HOST:PORT, whatever the capture says) from now on; takes the
 * world's dialplan. What the server sets becomes variables of the channel, told as VarSet. NULL and
 * *err when the address is none. */
struct agi *agi_new(struct loop *loop, struct log *log, struct world *world, struct server *server,
                    const char *addr, int *err);
/* Sessions that are open end. */
void agi_destroy(struct agi **a);

#endif
