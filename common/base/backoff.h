/* How long to wait after an attempt that failed: longer each time, up to a limit. */
#ifndef CTIBUS_BASE_BACKOFF_H
#define CTIBUS_BASE_BACKOFF_H

#include <stdint.h>

/* The delay before try number n (from 0), in milliseconds: first_ms (not 0), doubled n times, but
 * not more than most_ms. Once it is at most_ms, up to a quarter less, as `random` says, so that
 * those who lost the same server do not all come back at the same moment; random 0: nothing less.
 */
uint32_t backoff_ms(uint32_t first_ms, uint32_t most_ms, unsigned n, uint64_t random);

#endif
