/*
 * How long it takes from the socket of an Asterisk to those of clients: from when an ami-gw heard
 * of something (by its clock) until the lines about it have been handed over to be sent.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

#define MAX_CAUSES 1024 /* of one round; more are not measured */
#define SPAN_S 60.0     /* administrators are told of this and the span before */

struct span {
    double began, sum, worst;
    uint64_t told;
};

struct latency {
    struct span now, before;
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

/* A clock that was set back begins anew. */
static void next_span(struct latency *l, double now)
{
    double age = now - l->now.began;

    if (age >= 0 && age < SPAN_S)
        return;
    l->before = age >= 0 && age < 2 * SPAN_S ? l->now : (struct span){.began = 0};
    l->now = (struct span){.began = now};
}

void latency_told(struct latency *l)
{
    double now = l->n ? clock_wall() : 0;

    if (l->n)
        next_span(l, now);

    for (size_t i = 0; i < l->n; i++) {
        double took = now > l->causes[i] ? now - l->causes[i] : 0;
        metric_observe(l->seconds, took);
        l->sum += took;
        l->told++;
        l->now.sum += took;
        l->now.told++;
        if (took > l->now.worst)
            l->now.worst = took;
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

void latency_put(struct latency *l, struct buf *line)
{
    uint64_t told;

    next_span(l, clock_wall());
    told = l->now.told + l->before.told;
    buf_printf(line, ",\"latency\":{\"changes\":%llu,\"mean_ms\":%.2f,\"worst_ms\":%.2f}",
               (unsigned long long)told,
               told ? (l->now.sum + l->before.sum) / (double)told * 1000 : 0,
               1000 * (l->now.worst > l->before.worst ? l->now.worst : l->before.worst));
}
