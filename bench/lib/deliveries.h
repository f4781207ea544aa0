/* Things that are sent once and arrive at one or more receivers, all in this process: when. */
#ifndef CTIBUS_BENCH_DELIVERIES_H
#define CTIBUS_BENCH_DELIVERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deliveries {
    unsigned n, most;   /* things */
    uint64_t *sent_at;  /* by thing */
    uint32_t *received; /* how many have it */
    uint32_t *slowest;  /* microseconds until the last had it */
    uint32_t *all;      /* every delivery */
    size_t n_all, cap_all;
};

/* Room for so many things and deliveries; what is beyond that is not measured. Ends the program
 * without memory. */
void deliveries_make_room(struct deliveries *d, unsigned things, size_t all);
/* Another one, numbered from 0, is sent now. */
void deliveries_sent(struct deliveries *d);
/* The thing of this number is here. */
void deliveries_arrived(struct deliveries *d, unsigned long number);
/* How many have not arrived at so many receivers. */
unsigned deliveries_incomplete(const struct deliveries *d, unsigned receivers);

#endif
