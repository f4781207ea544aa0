/* The two clocks. Intervals are measured with the monotonic one, dates are told with the wall one.
 */
#ifndef CTIBUS_BASE_CLOCK_H
#define CTIBUS_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Microseconds of a clock that never jumps. */
static inline uint64_t clock_mono_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

/* For what is done, or logged, at most once in `us` microseconds: is it time? *last is when it was
 * time last (monotonic; 0: never). */
static inline bool clock_once_in(uint64_t *last, uint64_t us)
{
    uint64_t now = clock_mono_us();

    if (*last && now - *last < us)
        return false;
    *last = now;
    return true;
}

/* Microseconds since 1970. */
static inline uint64_t clock_wall_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

/* Seconds since 1970. */
static inline double clock_wall(void)
{
    return (double)clock_wall_us() / 1e6;
}

#endif
