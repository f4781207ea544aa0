#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static void on_signal(void *arg)
{
    struct tool *t = arg;

    t->stopped = true;
    loop_stop(t->loop);
}

void tool_signals_take(struct tool *t, struct tool_signals *s)
{
    s->sigint = loop_signal_new(t->loop, SIGINT, on_signal, t);
    s->sigterm = loop_signal_new(t->loop, SIGTERM, on_signal, t);
}

void tool_signals_release(struct tool_signals *s)
{
    loop_signal_destroy(&s->sigint);
    loop_signal_destroy(&s->sigterm);
}

void tool_run(struct tool *t)
{
    struct tool_signals s;

    tool_signals_take(t, &s);
    if (!t->stopped)
        loop_run(t->loop);
    tool_signals_release(&s);
}

void tool_run_until_ctrl_c(struct tool *t, const char *what)
{
    struct tool_signals s;

    tool_signals_take(t, &s);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s %s; Ctrl-C ends\n", what, t->bus_setup.subscribe);
    if (!t->stopped)
        loop_run(t->loop);
    tool_signals_release(&s);
}

bool tool_print(struct buf *line)
{
    buf_append_char(line, '\n');
    return line->failed || (fwrite(buf_data(line), 1, buf_len(line), stdout) == buf_len(line) &&
                            fflush(stdout) == 0);
}

void tool_put_time(struct buf *out, double when)
{
    time_t s = (time_t)when;
    struct tm tm;
    char text[32];

    if (!localtime_r(&s, &tm))
        return;
    strftime(text, sizeof(text), "%H:%M:%S", &tm);
    buf_printf(out, "%s.%03d", text, (int)((when - (double)s) * 1000));
}

void tool_put_date(struct buf *out, double when)
{
    time_t s = (time_t)when;
    struct tm tm;
    char text[32];

    if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
        buf_append_cstr(out, text);
}
