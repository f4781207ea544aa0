#include "base/descriptors.h"

#include <limits.h>
#include <sys/resource.h>

#define KEPT_MOST 32

int descriptors_first_kept(bool vital)
{
    struct rlimit limit;
    rlim_t most, kept;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    most = limit.rlim_cur;
    kept = most / 8 < KEPT_MOST ? most / 8 : KEPT_MOST;
    return (int)(most - (vital ? kept / 2 : kept));
}
