#include "deliveries.h"

#include <stdlib.h>

#include "base/clock.h"

void deliveries_make_room(struct deliveries *d, unsigned things, size_t all)
{
    d->most = things;
    d->cap_all = all;
    d->sent_at = calloc(things, sizeof(*d->sent_at));
    d->received = calloc(things, sizeof(*d->received));
    d->slowest = calloc(things, sizeof(*d->slowest));
    d->all = malloc(all * sizeof(*d->all));
    if (!d->sent_at || !d->received || !d->slowest || !d->all)
        exit(1);
}

void deliveries_sent(struct deliveries *d)
{
    d->sent_at[d->n++] = clock_mono_us();
}

void deliveries_arrived(struct deliveries *d, unsigned long number)
{
    uint64_t us;

    if (number >= d->n)
        return;
    us = clock_mono_us() - d->sent_at[number];
    d->received[number]++;
    if (us > d->slowest[number])
        d->slowest[number] = (uint32_t)us;
    if (d->n_all < d->cap_all)
        d->all[d->n_all++] = (uint32_t)us;
}

unsigned deliveries_incomplete(const struct deliveries *d, unsigned receivers)
{
    unsigned few = 0;

    for (unsigned i = 0; i < d->n; i++)
        few += d->received[i] < receivers;
    return few;
}
