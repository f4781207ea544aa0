/*
 * The simulated Asterisk without its sockets: what is played, what is live because of it, and the
 * events that the simulator adds. Events leave through `sink`.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "capture.h"
#include "listing.h"
#include "rewrite.h"

struct office;

struct world {
    struct capture capture;
    struct rewrite rewrite;
    struct listing listing;
    struct model model;
    struct ami_parser parser; /* for events */
    struct map *gone; /* unique ids of channels that an action hung up in this loop (owned keys) */
    struct map *variables; /* set by actions in this loop: keys and values are one owned memory */
    void (*sink)(void *arg, struct view event, uint32_t classes);
    void *sink_arg;
    /* a step of the dialplan was played; NULL: nobody wants to know. Must not emit. */
    void (*newexten)(void *arg, const struct ami_block *b);
    void *newexten_arg;
    struct office *office; /* NULL: a recording is played */
    /* before and after an action: what is due by now happens; NULL: nothing is */
    void (*turn)(void *arg);
    void *turn_arg;
    uint64_t events_played;
    size_t in_loop;    /* events of the capture played in this loop */
    uint64_t loops;    /* begun */
    uint64_t start_us; /* clock_mono_us */
    bool done;
    bool paused; /* by SIGUSR2 */
};

/* 0 or -ENOMEM; then add captures, the listing, and call world_prepare. */
int world_init(struct world *w);
void world_free(struct world *w);

/* After everything is loaded: finds the ids and the first hints. 0 or -ENOMEM. */
int world_prepare(struct world *w);

void world_begin_loop(struct world *w);
/* Plays event i of the capture. */
void world_play(struct world *w, size_t i);
/* Ends what the capture left up: Unlink or BridgeLeave, Hangup, BridgeDestroy. */
void world_end_loop(struct world *w);

/* Adds an event of the simulator's own. */
void world_emit(struct world *w, struct view event);
/* Hangs a channel up as an action asked: what the capture says of it later is not played. */
void world_hangup(struct world *w, struct chan *c, int cause);

/* Sets a variable of a channel (or a global one, c NULL) and tells so. */
void world_set_variable(struct world *w, const struct chan *c, struct view name, struct view value);
/* The last value that an action or an event of this loop gave it; NULL ptr when none did. */
struct view world_variable(struct world *w, const struct chan *c, struct view name);

#endif
