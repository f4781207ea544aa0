/* Is the bus there? A subscriber of a few topics cannot tell silence from a bus that is gone, but
 * each service sends a heartbeat every 2 s. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tool.h"

#define SILENT_US 6000000u
#define LOOK_MS 1000

struct watchbus {
    struct tool *tool;
    struct bus_sub *sub;
    struct loop_timer *look;
    uint64_t heard; /* monotonic us; at first, when it began */
    bool silent, quiet;
};

static void on_message(void *arg, const struct bus_msg *m)
{
    struct watchbus *w = arg;

    w->heard = clock_mono_us();
    if (w->silent && !w->quiet)
        fprintf(stderr, "ctibus: there is somebody at %s\n", w->tool->bus_setup.subscribe);
    w->silent = false;
}

static void look(void *arg)
{
    struct watchbus *w = arg;

    if (w->silent || clock_mono_us() - w->heard < SILENT_US)
        return;
    w->silent = true;
    if (!w->quiet)
        fprintf(stderr,
                "ctibus: nothing comes from %s: does state run, is the address right, is the key "
                "allowed? Waiting\n",
                w->tool->bus_setup.subscribe);
}

struct watchbus *watchbus_new(struct tool *t, bool quiet)
{
    static const struct bus_sub_handler handler = {on_message, NULL};
    struct watchbus *w = calloc(1, sizeof(*w));
    int err;

    if (!w)
        return NULL;
    w->tool = t;
    w->quiet = quiet;
    w->heard = clock_mono_us();
    w->sub = bus_sub_new(t->bus_setup.bus, t->bus_setup.subscribe, &handler, w, &err);
    w->look = loop_timer_new(t->loop, look, w);
    if (!w->sub || !w->look || bus_sub_add(w->sub, VIEW("svc/")) < 0) {
        watchbus_destroy(&w);
        return NULL;
    }
    loop_timer_start(w->look, LOOK_MS, true);
    return w;
}

bool watchbus_silent(const struct watchbus *w)
{
    return w && w->silent;
}

void watchbus_destroy(struct watchbus **wp)
{
    struct watchbus *w = wp ? *wp : NULL;

    if (!w)
        return;
    *wp = NULL;
    bus_sub_destroy(&w->sub);
    loop_timer_destroy(&w->look);
    free(w);
}
