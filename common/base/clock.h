/* The two clocks. Intervals are measured with the monotonic one, dates are told with the wall one.
 */
#ifndef CTIBUS_BASE_CLOCK_H
#define CTIBUS_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds of a clock that never jumps. */
static inline uint64_t clock_mono_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
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
