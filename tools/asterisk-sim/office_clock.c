#include "office_clock.h"

#include <stdlib.h>

#include "base/clock.h"

#define BATCH 500              /* things that happen in a turn of the loop */
#define MAX_BACKLOG (8U << 20) /* a client this far behind is waited for */
#define FURTHEST_MS 3600000    /* it sleeps no longer at a time */

struct office_clock {
    struct office *office;
    struct world *world;
    struct server *server;
    struct loop_timer *timer;
    uint64_t start_us; /* when the office began, on the real clock */
    uint64_t paused_us;
    bool started, paused;
};

static uint64_t now(const struct office_clock *c)
{
    return clock_mono_us() - c->start_us;
}

static void sleep_until(struct office_clock *c, uint64_t when)
{
    uint64_t at = now(c), ms;

    if (when == UINT64_MAX)
        return;
    ms = when > at ? (when - at + 999) / 1000 : 0;
    loop_timer_start(c->timer, ms < FURTHEST_MS ? (uint32_t)ms : FURTHEST_MS, false);
}

static void on_turn(void *arg)
{
    struct office_clock *c = arg;

    if (!c->started || c->paused)
        return;
    if (server_backlog(c->server) > MAX_BACKLOG) {
        loop_timer_start(c->timer, 1, false);
        return;
    }
    office_run(c->office, now(c), BATCH);
    server_flush(c->server);
    sleep_until(c, office_next(c->office));
}

struct office_clock *office_clock_new(struct loop *loop, struct office *office, struct world *world,
                                      struct server *server)
{
    struct office_clock *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->office = office;
    c->world = world;
    c->server = server;
    c->timer = loop_timer_new(loop, on_turn, c);
    if (!c->timer) {
        free(c);
        return NULL;
    }
    world->turn = on_turn;
    world->turn_arg = c;
    return c;
}

void office_clock_destroy(struct office_clock **c)
{
    if (!*c)
        return;
    (*c)->world->turn = NULL;
    loop_timer_destroy(&(*c)->timer);
    free(*c);
    *c = NULL;
}

void office_clock_start(struct office_clock *c)
{
    if (c->started)
        return;
    c->started = true;
    c->start_us = clock_mono_us();
    on_turn(c);
}

void office_clock_pause(struct office_clock *c, bool on)
{
    if (c->paused == on)
        return;
    c->paused = on;
    if (on)
        c->paused_us = clock_mono_us();
    else
        c->start_us += clock_mono_us() - c->paused_us;
    on_turn(c);
}
