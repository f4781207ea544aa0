#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool.h"

int tool_usage(struct tool *t, const struct command *c)
{
    fprintf(stderr, "Usage: ctibus %s %s\n", c->name, c->args);
    return t->exit_code = 2;
}

void tool_fail(struct tool *t, const char *fmt, ...)
{
    va_list ap;

    fputs("ctibus: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    t->exit_code = 1;
}

static void on_signal(void *arg)
{
    loop_stop(arg);
}

void tool_run(struct tool *t)
{
    struct loop_signal *sigint = loop_signal_new(t->loop, SIGINT, on_signal, t->loop);
    struct loop_signal *sigterm = loop_signal_new(t->loop, SIGTERM, on_signal, t->loop);

    loop_run(t->loop);
    loop_signal_destroy(&sigint);
    loop_signal_destroy(&sigterm);
}

bool tool_print(struct buf *line)
{
    buf_append_char(line, '\n');
    return line->failed || (fwrite(buf_data(line), 1, buf_len(line), stdout) == buf_len(line) &&
                            fflush(stdout) == 0);
}

static void drop(int *argc, char ***argv, int n)
{
    *argc -= n;
    *argv += n;
}

bool tool_option(int *argc, char ***argv, const char *name, const char **value)
{
    const char *arg = *argc > 0 ? (*argv)[0] : "";
    size_t len = strlen(name);

    if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, len) != 0)
        return false;
    if (value && arg[2 + len] == '=') {
        *value = arg + 3 + len;
        drop(argc, argv, 1);
        return true;
    }
    if (arg[2 + len] != '\0' || (value && *argc < 2))
        return false;
    if (value)
        *value = (*argv)[1];
    drop(argc, argv, value ? 2 : 1);
    return true;
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
