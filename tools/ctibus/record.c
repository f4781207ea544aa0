/* ctibus record FILE [PREFIX...]: the bus into a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "recording.h"
#include "tool.h"

#define FLUSH_MS 1000

struct record {
    struct tool *tool;
    FILE *file;
    struct buf scratch;
    uint64_t messages, bytes, lost, refused;
};

static void write_out(struct record *r)
{
    if (fwrite(buf_data(&r->scratch), 1, buf_len(&r->scratch), r->file) != buf_len(&r->scratch)) {
        tool_fail(r->tool, "cannot write: %s", strerror(errno));
        loop_stop(r->tool->loop);
    }
    r->bytes += buf_len(&r->scratch);
    buf_reset(&r->scratch);
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct record *r = arg;

    if (msg_check(m->body) < 0) { /* it would break the file */
        r->refused++;
        return;
    }
    recording_put(&r->scratch, m);
    r->messages++;
    write_out(r);
}

static void on_gap(void *arg, const struct bus_msg *m, uint64_t lost)
{
    ((struct record *)arg)->lost += lost;
}

static void on_flush(void *arg)
{
    fflush(((struct record *)arg)->file);
}

static void on_end(void *arg)
{
    loop_stop(arg);
}

static const struct bus_sub_handler handler = {on_message, on_gap};

static void record(struct record *r, int argc, char **argv, double seconds)
{
    struct tool *t = r->tool;
    struct loop_timer *flush = loop_timer_new(t->loop, on_flush, r);
    struct loop_timer *end = loop_timer_new(t->loop, on_end, t->loop);
    struct watchbus *watch;
    int err = 0;
    struct bus_sub *sub = bus_sub_new(t->bus_setup.bus, t->bus_setup.subscribe, &handler, r, &err);

    for (int i = 0; sub && err == 0 && i < argc; i++)
        err = tool_subscribe(sub, argv[i]);
    if (sub && argc == 0)
        err = tool_subscribe(sub, "");
    if (!sub || !flush || !end || err < 0) {
        tool_fail(t, "cannot subscribe at %s: %s", t->bus_setup.subscribe, strerror(-err));
    } else {
        recording_put_head(&r->scratch, clock_wall());
        write_out(r);
        fflush(r->file);
        loop_timer_start(flush, FLUSH_MS, true);
        if (seconds > 0)
            loop_timer_start(end, (uint32_t)(seconds * 1000), false);
        watch = watchbus_new(t, false);
        tool_run_until_ctrl_c(t, "recording");
        watchbus_destroy(&watch);
    }
    bus_sub_destroy(&sub);
    loop_timer_destroy(&flush);
    loop_timer_destroy(&end);
}

static void report(const struct record *r)
{
    if (r->tool->json)
        printf("{\"messages\":%llu,\"bytes\":%llu,\"lost\":%llu}\n",
               (unsigned long long)r->messages, (unsigned long long)r->bytes,
               (unsigned long long)r->lost);
    else
        fprintf(stderr, "%llu messages, %llu bytes%s\n", (unsigned long long)r->messages,
                (unsigned long long)r->bytes, r->lost ? ", and some were lost" : "");
}

static int run(struct tool *t, int argc, char **argv)
{
    struct record r = {.tool = t};
    const char *text = NULL;
    double seconds = 0;

    if (tool_option(&argc, &argv, "seconds", &text))
        seconds = strtod(text, NULL);
    if (text && !(seconds > 0 && seconds < 1e6))
        return tool_wrong(t, &command_record, "--seconds %s: a number above 0", text);
    if (argc < 1 || argv[0][0] == '-')
        return tool_usage(t, &command_record);
    r.file = fopen(argv[0], "wbx");
    if (!r.file) {
        tool_fail(t, "%s: %s", argv[0], strerror(errno));
        return t->exit_code;
    }
    buf_init(&r.scratch, 0);
    record(&r, argc - 1, argv + 1, seconds);
    if (fclose(r.file) != 0)
        tool_fail(t, "%s: %s", argv[0], strerror(errno));
    report(&r);
    buf_free(&r.scratch);
    return t->exit_code;
}

const struct command command_record = {
    .name = "record",
    .args = "[--seconds N] FILE [PREFIX...]",
    .help = "Records the messages published on the bus in a new file until Ctrl-C, to\n"
            "attach to a bug report. The file has names and numbers, but no passwords.",
    .examples = "$ ctibus record --seconds 5 bug.rec\n"
                "recording tcp://127.0.0.1:5551; Ctrl-C ends\n"
                "412 messages, 90133 bytes\n"
                "$ ctibus record calls.rec tel/ svc/\n"
                "recording tcp://127.0.0.1:5551; Ctrl-C ends\n"
                "^C\n"
                "1203 messages, 251904 bytes",
    .run = run,
};
