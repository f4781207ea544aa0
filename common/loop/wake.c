/* Threads beside the loop. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop/loop.h"

struct loop_wake {
    int event;
    struct loop_fd *watch;
    loop_fn *fn;
    void *arg;
};

static void on_event(void *arg)
{
    struct loop_wake *w = arg;
    uint64_t n;

    if (read(w->event, &n, sizeof(n)) > 0)
        w->fn(w->arg);
}

struct loop_wake *loop_wake_new(struct loop *l, loop_fn *fn, void *arg, int *err)
{
    struct loop_wake *w = calloc(1, sizeof(*w));

    *err = -ENOMEM;
    if (!w)
        return NULL;
    w->event = -1;
    w->fn = fn;
    w->arg = arg;
    w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->event < 0)
        *err = -errno;
    else
        w->watch = loop_fd_new(l, w->event, on_event, w);
    if (w->watch)
        *err = 0;
    else
        loop_wake_destroy(&w);
    return w;
}

void loop_wake(struct loop_wake *w)
{
    uint64_t add = 1;

    while (write(w->event, &add, sizeof(add)) < 0 && errno == EINTR)
        ;
}

void loop_wake_destroy(struct loop_wake **wp)
{
    struct loop_wake *w = wp ? *wp : NULL;

    if (!w)
        return;
    *wp = NULL;
    loop_fd_destroy(&w->watch);
    if (w->event >= 0)
        close(w->event);
    free(w);
}
