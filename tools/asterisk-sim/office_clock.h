/* The clock of the simulated company (office/): lets happen what is due, as time goes by. */
#ifndef SIM_OFFICE_CLOCK_H
#define SIM_OFFICE_CLOCK_H

#include "loop/loop.h"
#include "office/office.h"
#include "server.h"

struct office_clock;

/* Begins with office_clock_start. Takes the world's `turn`, so that actions happen at their time.
 * NULL without memory. Everything given is borrowed. */
struct office_clock *office_clock_new(struct loop *loop, struct office *office, struct world *world,
                                      struct server *server);
void office_clock_destroy(struct office_clock **c);
/* Does nothing when it has started already. */
void office_clock_start(struct office_clock *c);
/* Stops the clock where it is, or lets it go on. */
void office_clock_pause(struct office_clock *c, bool on);

#endif
