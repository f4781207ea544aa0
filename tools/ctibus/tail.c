/* ctibus tail [PREFIX...]: what is published, a line a message. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

struct tail {
    struct tool *tool;
    struct buf line;
};

static void put_time(struct buf *out, double when)
{
    time_t s = (time_t)when;
    struct tm tm;
    char text[32];

    if (!localtime_r(&s, &tm))
        return;
    strftime(text, sizeof(text), "%H:%M:%S", &tm);
    buf_printf(out, "%s.%03d", text, (int)((when - (double)s) * 1000));
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct tail *t = arg;

    buf_reset(&t->line);
    put_time(&t->line, m->time);
    buf_printf(&t->line, " %.*s %llu ", VIEW_ARG(m->topic), (unsigned long long)m->seq);
    if (tool_put_json(&t->line, m->body) < 0)
        buf_append_cstr(&t->line, "(not a msgpack map)");
    buf_append_char(&t->line, '\n');
    if (t->line.failed)
        return;
    if (fwrite(buf_data(&t->line), 1, buf_len(&t->line), stdout) != buf_len(&t->line) ||
        fflush(stdout) != 0)
        loop_stop(t->tool->loop); /* who read us is gone */
}

static void on_gap(void *arg, const struct bus_msg *m, uint64_t lost)
{
    if (lost)
        fprintf(stderr, "ctibus: %llu messages of %.*s were lost\n", (unsigned long long)lost,
                VIEW_ARG(m->source));
    else
        fprintf(stderr, "ctibus: %.*s was restarted\n", VIEW_ARG(m->source));
}

static const struct bus_sub_handler handler = {on_message, on_gap};

static void on_signal(void *arg)
{
    loop_stop(arg);
}

/* "xod" means "xod/": whole segments. */
static int subscribe(struct bus_sub *sub, const char *prefix)
{
    char whole[512];
    size_t n = strlen(prefix);

    if (n > 0 && !strchr(prefix, '/')) { /* a whole plane: its numbers show losses */
        snprintf(whole, sizeof(whole), "%s/", prefix);
        bus_sub_follow(sub, view_cstr(prefix));
        return bus_sub_add(sub, view_cstr(whole));
    }
    return bus_sub_add(sub, view_cstr(prefix));
}

int command_tail(struct tool *t, int argc, char **argv)
{
    struct tail tail = {.tool = t};
    struct bus_sub *sub;
    struct loop_signal *sigint = loop_signal_new(t->loop, SIGINT, on_signal, t->loop);
    struct loop_signal *sigterm = loop_signal_new(t->loop, SIGTERM, on_signal, t->loop);
    int err = 0;

    signal(SIGPIPE, SIG_IGN);
    buf_init(&tail.line, 0);
    sub = bus_sub_new(t->onbus.bus, t->onbus.subscribe, &handler, &tail, &err);
    for (int i = 0; sub && err == 0 && i < argc; i++)
        err = subscribe(sub, argv[i]);
    if (sub && argc == 0)
        err = bus_sub_add(sub, VIEW(""));
    if (!sub || err < 0) {
        fprintf(stderr, "ctibus: cannot subscribe at %s: %s\n", t->onbus.subscribe, strerror(-err));
        t->exit_code = 1;
    } else {
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "listening at %s; Ctrl-C ends\n", t->onbus.subscribe);
        loop_run(t->loop);
    }
    bus_sub_destroy(&sub);
    loop_signal_destroy(&sigint);
    loop_signal_destroy(&sigterm);
    buf_free(&tail.line);
    return t->exit_code;
}
