/* The office's clock: it stands still until it is told what time it is, so that tests need no time
 * of their own and the same seed makes the same day. */
#ifndef OFFICE_TIMERS_H
#define OFFICE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of what it is a timer of; all zero before its first start. */
struct timer {
    uint64_t at_us;
    uint64_t order; /* of two at the same time the one that was started first */
    size_t place;   /* in the heap, from 1; 0: it does not run */
    void (*fn)(void *arg);
    void *arg;
};

struct timers {
    struct timer **heap; /* heap[0] is not used */
    size_t n, cap;
    uint64_t now_us;
    uint64_t order;
};

void timers_free(struct timers *t);

/* Starts it anew when it runs already. 0 or -ENOMEM. */
int timer_start(struct timers *t, struct timer *one, uint64_t in_us, void (*fn)(void *arg),
                void *arg);
void timer_stop(struct timers *t, struct timer *one);

static inline bool timer_runs(const struct timer *one)
{
    return one->place > 0;
}

/* When the next one is due, UINT64_MAX when none runs. */
uint64_t timers_next(const struct timers *t);

/* Runs the next timer that is due by now_us, at its own time. False: there is none, and the clock
 * shows now_us. */
bool timers_run_one(struct timers *t, uint64_t now_us);

#endif
