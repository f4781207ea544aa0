#include "player.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

#define BATCH 512                     /* events in one turn of the loop */
#define MAX_BACKLOG ((size_t)1 << 20) /* of bytes that a client has not taken, at PACE_MAX */
#define LATE_US 1000000               /* at PACE_RATE, what is later than this is not made up for */

struct player {
    struct loop *loop;
    struct world *world;
    struct server *server;
    struct pace pace;
    uint64_t loops;
    size_t next;       /* event */
    uint64_t start_us; /* of this loop; at PACE_RATE: when `count` was 0 */
    uint64_t count;
    bool started, paused;
    uint64_t paused_us; /* when */
    struct loop_timer *timer;
    struct loop_task *task;
};

int pace_parse(struct pace *p, const char *text)
{
    char *end;

    *p = (struct pace){.kind = PACE_TIMES, .factor = 1};
    if (strcmp(text, "real") == 0)
        return 0;
    if (strcmp(text, "max") == 0) {
        p->kind = PACE_MAX;
        return 0;
    }
    p->factor = strtod(text[0] == 'x' ? text + 1 : text, &end);
    if (text[0] != 'x')
        p->kind = PACE_RATE;
    if (strcmp(end, text[0] == 'x' ? "" : "/s") != 0)
        return -EINVAL;
    return isfinite(p->factor) && p->factor > 0 && p->factor < 1e9 ? 0 : -EINVAL;
}

/* The loop is over. False when it was the last. */
static bool next_loop(struct player *p)
{
    world_end_loop(p->world);
    p->next = 0;
    if (p->loops > 0 && p->world->loops >= p->loops) {
        p->world->done = true;
        return false;
    }
    world_begin_loop(p->world);
    if (p->pace.kind == PACE_TIMES)
        p->start_us = clock_mono_us();
    return true;
}

/* Microseconds from now until the next event, or the end of the loop, is due. */
static int64_t due_in(const struct player *p)
{
    const struct capture *c = &p->world->capture;
    uint64_t elapsed = clock_mono_us() - p->start_us;
    double at;

    if (p->pace.kind == PACE_RATE)
        at = (double)(p->count + 1) * 1e6 / p->pace.factor;
    else
        at = (double)(p->next < c->n ? c->events[p->next].at_us : c->duration_us) / p->pace.factor;
    return (int64_t)at - (int64_t)elapsed;
}

static bool play_one(struct player *p)
{
    if (p->next == p->world->capture.n)
        return next_loop(p);
    world_play(p->world, p->next++);
    p->count++;
    return true;
}

static void sleep_for(struct player *p, int64_t us)
{
    if (us <= 0)
        loop_task_post(p->task);
    else
        loop_timer_start(p->timer, (uint32_t)((us + 999) / 1000), false);
}

static void turn_by_time(struct player *p)
{
    int64_t wait = due_in(p);
    bool more = true;

    if (p->pace.kind == PACE_RATE && wait < -LATE_US) {
        p->start_us = clock_mono_us();
        p->count = 0;
    }
    for (int i = 0; i < BATCH && wait <= 0 && more; i++) {
        more = play_one(p);
        wait = due_in(p);
    }
    server_flush(p->server);
    if (more)
        sleep_for(p, wait);
}

static void turn_at_most(struct player *p)
{
    bool more = true;

    if (server_listeners(p->server) == 0) {
        sleep_for(p, 10000);
        return;
    }
    if (server_backlog(p->server) > MAX_BACKLOG) {
        sleep_for(p, 1000);
        return;
    }
    for (int i = 0; i < BATCH && more; i++)
        more = play_one(p);
    server_flush(p->server);
    if (more)
        sleep_for(p, 0);
}

static void on_turn(void *arg)
{
    struct player *p = arg;

    if (p->paused)
        return;
    if (p->pace.kind == PACE_MAX)
        turn_at_most(p);
    else
        turn_by_time(p);
}

struct player *player_new(struct loop *loop, struct world *world, struct server *server,
                          const struct pace *pace, uint64_t loops)
{
    struct player *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->loop = loop;
    p->world = world;
    p->server = server;
    p->pace = *pace;
    p->loops = loops;
    p->timer = loop_timer_new(loop, on_turn, p);
    p->task = loop_task_new(loop, on_turn, p);
    if (!p->timer || !p->task)
        player_destroy(&p);
    return p;
}

void player_destroy(struct player **p)
{
    if (!*p)
        return;
    loop_timer_destroy(&(*p)->timer);
    loop_task_destroy(&(*p)->task);
    free(*p);
    *p = NULL;
}

void player_start(struct player *p)
{
    if (p->started)
        return;
    p->started = true;
    world_begin_loop(p->world);
    p->start_us = clock_mono_us();
    if (p->world->capture.n == 0) /* an idle Asterisk: nothing to play, ever */
        p->world->done = true;
    else
        loop_task_post(p->task);
}

void player_pause(struct player *p, bool on)
{
    if (p->paused == on)
        return;
    p->paused = on;
    if (on) {
        p->paused_us = clock_mono_us();
        return;
    }
    p->start_us += clock_mono_us() - p->paused_us;
    if (p->started && !p->world->done)
        loop_task_post(p->task);
}
