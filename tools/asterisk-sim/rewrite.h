/*
 * Fresh ids for each loop: unique ids (epoch seconds, a point, a counter), the eight hexadecimal
 * digits at the end of channel names, and the UUIDs of bridges, wherever they stand in an event.
 *
 * All keep their length, so the places found once at load serve every loop; an event is rewritten
 * in its place just before it is played.
 */
#ifndef SIM_REWRITE_H
#define SIM_REWRITE_H

#include "capture.h"

struct id_place {
    uint32_t off;   /* of its first digit, in capture.bytes */
    uint32_t value; /* as captured */
    uint8_t kind;   /* enum id_kind in rewrite.c */
};

struct rewrite {
    struct id_place *places; /* in order of off */
    size_t n;
    size_t cap;
    size_t next; /* the first place not yet rewritten in this loop */
    uint32_t min_epoch, max_epoch;
    uint32_t min_suffix, max_suffix;
    uint32_t epoch_add; /* what this loop adds to each value, modulo 2^32 */
    uint32_t suffix_add;
    uint32_t uuid_flip;
    uint64_t loop;
};

/* Finds all ids of the capture. 0 or -ENOMEM. */
int rewrite_init(struct rewrite *r, const struct capture *c);
void rewrite_free(struct rewrite *r);

/* Starts the next loop at `now` (seconds since 1970): its unique ids start there, or after those of
 * the loop before when that is later. */
void rewrite_next_loop(struct rewrite *r, uint64_t now);

/* Writes this loop's ids into the event; events must come in order within a loop. */
void rewrite_event(struct rewrite *r, struct capture *c, const struct sim_event *e);

#endif
