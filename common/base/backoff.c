#include "base/backoff.h"

uint32_t backoff_ms(uint32_t first_ms, uint32_t most_ms, unsigned n, uint64_t random)
{
    if (n < 32 && (uint64_t)first_ms << n < most_ms)
        return first_ms << n;
    return most_ms - (uint32_t)(random % (most_ms / 4 + 1));
}
