/* The clock of the simulation: plays the capture's events when they are due, loop after loop. */
#ifndef SIM_PLAYER_H
#define SIM_PLAYER_H

#include "loop/loop.h"
#include "server.h"

enum pace_kind {
    PACE_TIMES, /* as recorded, `factor` times faster */
    PACE_RATE,  /* `factor` events a second, evenly */
    PACE_MAX    /* as fast as the clients read; waits while nobody listens */
};

struct pace {
    enum pace_kind kind;
    double factor;
};

/* "real", "xN", "max" or "N/s" (N a number over 0). 0 or -EINVAL. */
int pace_parse(struct pace *p, const char *text);

struct player;

/* loops: how often everything is played, 0 for ever. Starts with player_start. NULL without memory.
 */
struct player *player_new(struct loop *loop, struct world *world, struct server *server,
                          const struct pace *pace, uint64_t loops);
void player_destroy(struct player **p);

/* Does nothing when it has started already. */
void player_start(struct player *p);

/* Stops the clock where it is, or lets it go on. Actions are answered all the time. */
void player_pause(struct player *p, bool on);

#endif
