/* ctibus top: live rates by topic and source. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "tool.h"
#include "topscreen.h"

/* All but ami, which is published only while somebody listens. */
static const char *const planes[] = {"tel", "xod", "cti", "stats", "fagi", "svc"};

struct top {
    struct tool *tool;
    struct toptable table;
    struct buf out;
    double interval;
    uint64_t left; /* intervals until the end; 0: no end */
    struct watchbus *watch;
    bool screen, paused;
};

static void on_message(void *arg, const struct bus_msg *m)
{
    toptable_message(&((struct top *)arg)->table, m, clock_wall());
}

static void on_gap(void *arg, const struct bus_msg *m, uint64_t lost)
{
    toptable_lost(&((struct top *)arg)->table, m, lost);
}

static const struct bus_sub_handler handler = {on_message, on_gap};

static void show(struct top *t)
{
    double now = clock_wall();

    if (t->screen) {
        top_screen_draw(&t->table, now,
                        watchbus_silent(t->watch) ? ", NOTHING COMES FROM THE BUS"
                        : t->paused               ? ", PAUSED"
                                                  : "");
        return;
    }
    buf_reset(&t->out);
    if (t->tool->json)
        top_put_json(&t->out, &t->table, now);
    else
        top_put_text(&t->out, &t->table, now);
    if (!tool_print(&t->out))
        loop_stop(t->tool->loop);
}

static void on_turn(void *arg)
{
    struct top *t = arg;

    if (t->paused)
        return;
    toptable_turn(&t->table, clock_wall());
    show(t);
    if (t->left && --t->left == 0)
        loop_stop(t->tool->loop);
}

static void on_key(void *arg)
{
    struct top *t = arg;
    int key;

    while ((key = top_screen_key())) {
        if (key == 'q')
            loop_stop(t->tool->loop);
        if (key == 'r')
            toptable_reset(&t->table, clock_wall());
        if (key == 'p')
            t->paused = !t->paused;
    }
    show(t);
}

static void watch(struct top *t)
{
    struct loop *loop = t->tool->loop;
    struct loop_timer *timer = loop_timer_new(loop, on_turn, t);
    struct loop_fd *keys = t->screen ? loop_fd_new(loop, STDIN_FILENO, on_key, t) : NULL;

    if (timer) {
        loop_timer_start(timer, (uint32_t)(t->interval * 1000), true);
        t->watch = watchbus_new(t->tool, t->screen);
        tool_run(t->tool);
        watchbus_destroy(&t->watch);
    }
    loop_timer_destroy(&timer);
    loop_fd_destroy(&keys);
}

static void run_top(struct top *t)
{
    struct tool *tool = t->tool;
    int err = 0;
    struct bus_sub *sub =
        bus_sub_new(tool->bus_setup.bus, tool->bus_setup.subscribe, &handler, t, &err);

    for (size_t i = 0; sub && err == 0 && i < ARRAY_SIZE(planes); i++)
        err = tool_subscribe(sub, planes[i]);
    if (!sub || err < 0) {
        tool_fail(tool, "cannot subscribe at %s: %s", tool->bus_setup.subscribe, strerror(-err));
    } else {
        t->screen =
            !tool->json && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && top_screen_begin();
        watch(t);
        if (t->screen)
            top_screen_end();
    }
    bus_sub_destroy(&sub);
}

static int run(struct tool *tool, int argc, char **argv)
{
    struct top t = {.tool = tool, .interval = 2};
    const char *interval = NULL, *count = NULL;

    while (tool_option(&argc, &argv, "interval", &interval) ||
           tool_option(&argc, &argv, "count", &count))
        ;
    if (interval)
        t.interval = strtod(interval, NULL);
    if (!(t.interval >= 0.1 && t.interval <= 3600))
        return tool_wrong(tool, &command_top, "--interval %s: seconds, from 0.1 to 3600", interval);
    if (count && view_to_u64(view_cstr(count), &t.left) < 0)
        return tool_wrong(tool, &command_top, "--count %s: a number", count);
    if (argc > 0)
        return tool_usage(tool, &command_top);
    buf_init(&t.out, 0);
    if (toptable_init(&t.table, clock_wall()) == 0)
        run_top(&t);
    else
        tool_fail(tool, "out of memory");
    toptable_free(&t.table);
    buf_free(&t.out);
    return tool->exit_code;
}

const struct command command_top = {
    .name = "top",
    .args = "[--interval SECONDS] [--count N]",
    .help = "Shows the traffic on the bus live: rates by topic and by source, latency,\n"
            "lost messages, and the heartbeats of the services. A full screen on a\n"
            "terminal, otherwise a table every interval (2 s).",
    .examples = "$ ctibus top --count 1 | grep -A 3 SOURCE\n"
                "SOURCE                                   per s     total   lag ms worst ms  lost\n"
                "state@pbx                                 15.5        31     1.20     1.82     0\n"
                "ami-gw:xivo@pbx                           14.5        29     0.97     2.08     0\n"
                "cti-gw:pbx-15@pbx                          0.5         1     1.09     1.09     0",
    .run = run,
};
