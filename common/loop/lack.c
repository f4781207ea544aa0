/* What is said of a lack of descriptors: the same at each port. */
#include "base/clock.h"
#include "loop/loop.h"

#define TELL_US 60000000u

void loop_lack_closed(struct loop *l, struct loop_lack *lack)
{
    lack->closed++;
    loop_counts(l)->no_descriptor++;
}

void loop_lack_tell(struct loop *l, struct loop_lack *lack, const char *port)
{
    if (!clock_once_in(&lack->told, TELL_US))
        return;
    log_warning(
        loop_log(l),
        "too few file descriptors are left (LimitNOFILE, ulimit -n): connections to %s wait "
        "or are closed, %llu since the last such line",
        port, (unsigned long long)lack->closed);
    lack->closed = 0;
}
