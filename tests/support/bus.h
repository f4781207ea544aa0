/* For tests that run parts on a real bus: one loop, several buses as if of several processes. */
#ifndef CTIBUS_TESTS_BUS_H
#define CTIBUS_TESTS_BUS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/internal.h"

/* Runs the loop until `cond` holds; fails the test after `ms`. */
#define UNTIL_MS(loop, cond, ms)                                                                   \
    do {                                                                                           \
        uint64_t end_ = clock_mono_us() + (uint64_t)(ms)*1000;                                     \
        bool reached_;                                                                             \
        while (!(reached_ = (cond)) && clock_mono_us() < end_)                                     \
            loop_once(loop, 5);                                                                    \
        if (!reached_)                                                                             \
            fail_msg("not reached: %s", #cond);                                                    \
    } while (0)
#define UNTIL(loop, cond) UNTIL_MS(loop, cond, until_ms())

/* How long a condition is waited for before the test fails: much longer than it ever takes.
 * scripts/mutate, which waits for tests to fail, says less. */
static inline unsigned until_ms(void)
{
    const char *s = getenv("CTIBUS_TEST_UNTIL_MS");

    return s ? (unsigned)atoi(s) : 20000;
}

/* Runs the loop for a while in which nothing is to happen. */
static inline void run_for(struct loop *loop, unsigned ms)
{
    for (uint64_t end = clock_mono_us() + (uint64_t)ms * 1000; clock_mono_us() < end;)
        loop_once(loop, 5);
}

/* A bus with its own metrics: one process. */
struct process {
    struct metrics *metrics;
    struct bus *bus;
};

static inline struct process process_start(struct loop *loop, const char *source,
                                           const char *instance, const struct bus_keys *keys)
{
    struct bus_options opt = {.source = source,
                              .instance = instance,
                              .hwm = 1000000,
                              .heartbeat_ms = 1000,
                              .gone_ms = 0,
                              .keys = keys};
    struct process p = {.metrics = metrics_new()};

    p.bus = bus_new(loop, &opt, p.metrics, NULL);
    if (!p.bus)
        abort();
    return p;
}

static inline void process_end(struct process *p)
{
    bus_destroy(&p->bus);
    metrics_destroy(&p->metrics);
}

static inline int counted(const struct metric *m)
{
    return (int)metric_get(m);
}

#endif
