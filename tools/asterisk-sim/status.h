/* A tiny server for tests: to each connection it writes one JSON object that says what was played
 * and what is live, and closes. */
#ifndef SIM_STATUS_H
#define SIM_STATUS_H

#include "loop/loop.h"
#include "world.h"

struct status;

/* Listens on addr (HOST:PORT); NULL and *err when it cannot. */
struct status *status_new(struct loop *loop, const struct world *world, const char *addr, int *err);
void status_destroy(struct status **s);
uint16_t status_port(const struct status *s);

/* Appends the object and a line end. */
void status_write(struct buf *out, const struct world *w);

#endif
