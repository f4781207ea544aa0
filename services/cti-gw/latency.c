/*
 * How long it takes from the socket of an Asterisk to those of clients: from when an ami-gw heard
 * of something (by its clock) until the lines about it have been handed over to be sent.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

#define MAX_CAUSES 1024 /* of one turn of the loop; more are not looked at */

struct latency {
    struct metric *seconds;
    double causes[MAX_CAUSES];
    size_t n;
    double sum, worst; /* since the last heartbeat */
    uint64_t told;
};

struct latency *latency_new(struct metrics *m)
{
    struct latency *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->seconds = metrics_add(m, METRIC_cti_latency, NULL);
    if (!l->seconds)
        latency_destroy(&l);
    return l;
}

void latency_destroy(struct latency **l)
{
    if (l) {
        free(*l);
        *l = NULL;
    }
}

void latency_note(struct latency *l, double cause)
{
    if (cause > 0 && l->n < MAX_CAUSES)
        l->causes[l->n++] = cause;
}

void latency_told(struct latency *l)
{
    double now = l->n ? clock_wall() : 0;

    for (size_t i = 0; i < l->n; i++) {
        double took = now > l->causes[i] ? now - l->causes[i] : 0;
        metric_observe(l->seconds, took);
        l->sum += took;
        l->told++;
        if (took > l->worst)
            l->worst = took;
    }
    l->n = 0;
}

size_t latency_beat(struct latency *l, struct buf *pairs)
{
    msg_put_cstr(pairs, "latency_ms");
    msg_put_double(pairs, l->told ? l->sum / (double)l->told * 1000 : 0);
    msg_put_cstr(pairs, "latency_worst_ms");
    msg_put_double(pairs, l->worst * 1000);
    l->sum = l->worst = 0;
    l->told = 0;
    return 2;
}
