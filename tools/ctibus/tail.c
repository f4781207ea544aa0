/* ctibus tail [PREFIX...]: what is published, a line a message. */
#include <stdio.h>
#include <string.h>

#include "tool.h"
#include "json/json.h"

struct tail {
    struct tool *tool;
    struct buf line;
};

static void put_plain(struct buf *out, const struct bus_msg *m)
{
    tool_put_time(out, m->time);
    buf_printf(out, " %.*s %llu ", VIEW_ARG(m->topic), (unsigned long long)m->seq);
    if (tool_put_json(out, m->body) < 0)
        buf_append_cstr(out, "(not a msgpack map)");
}

static void put_json(struct buf *out, const struct bus_msg *m)
{
    size_t len;

    buf_append_cstr(out, "{\"topic\":");
    json_put_string(out, m->topic);
    buf_append_cstr(out, ",\"source\":");
    json_put_string(out, m->source);
    buf_printf(out, ",\"epoch\":%llu,\"seq\":%llu,\"time\":", (unsigned long long)m->epoch,
               (unsigned long long)m->seq);
    json_put_time(out, m->time);
    buf_append_cstr(out, ",\"body\":");
    len = buf_len(out);
    if (tool_put_json(out, m->body) < 0 && buf_len(out) == len)
        buf_append_cstr(out, "null");
    buf_append_char(out, '}');
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct tail *t = arg;

    buf_reset(&t->line);
    if (t->tool->json)
        put_json(&t->line, m);
    else
        put_plain(&t->line, m);
    if (!tool_print(&t->line))
        loop_stop(t->tool->loop); /* who read us is gone */
}

static void on_gap(void *arg, const struct bus_msg *m, uint64_t lost)
{
    if (lost)
        tool_say(stderr, "ctibus: %llu messages of %.*s were lost", (unsigned long long)lost,
                 VIEW_ARG(m->source));
    else
        tool_say(stderr, "ctibus: %.*s was restarted", VIEW_ARG(m->source));
}

static const struct bus_sub_handler handler = {on_message, on_gap};

int tool_subscribe(struct bus_sub *sub, const char *prefix)
{
    char whole[512];
    size_t n = strlen(prefix);

    if (n > 0 && strcspn(prefix, "/") >= n - 1) { /* a whole plane: its numbers show losses */
        struct view plane = view_of(prefix, strcspn(prefix, "/"));
        snprintf(whole, sizeof(whole), "%.*s/", VIEW_ARG(plane));
        bus_sub_follow(sub, plane);
        return bus_sub_add(sub, view_cstr(whole));
    }
    return bus_sub_add(sub, view_cstr(prefix));
}

static int run(struct tool *t, int argc, char **argv)
{
    struct tail tail = {.tool = t};
    struct watchbus *watch;
    struct bus_sub *sub;
    int err = 0;

    buf_init(&tail.line, 0);
    sub = bus_sub_new(t->bus_setup.bus, t->bus_setup.subscribe, &handler, &tail, &err);
    for (int i = 0; sub && err == 0 && i < argc; i++)
        err = tool_subscribe(sub, argv[i]);
    if (sub && argc == 0)
        err = bus_sub_add(sub, VIEW(""));
    if (!sub || err < 0) {
        tool_fail(t, "cannot subscribe at %s: %s", t->bus_setup.subscribe, strerror(-err));
    } else {
        watch = watchbus_new(t, false);
        tool_run_until_ctrl_c(t, "listening at");
        watchbus_destroy(&watch);
    }
    bus_sub_destroy(&sub);
    buf_free(&tail.line);
    return t->exit_code;
}

const struct command command_tail = {
    .name = "tail",
    .args = "[PREFIX...]",
    .help = "Prints the messages published on the bus: all, or those whose topic begins\n"
            "with a PREFIX (tel, xod/xivo/status/phones/, ami/xivo/Hangup/, svc ...).\n"
            "With a whole plane, lost messages are reported on standard error.",
    .examples =
        "$ ctibus tail tel/xivo/device/hint/\n"
        "listening at tcp://127.0.0.1:5551; Ctrl-C ends\n"
        "14:52:44.612 tel/xivo/device/hint/ 193 {\"context\":\"default\",\"exten\":\"1024\",...\n"
        "14:52:44.612 tel/xivo/device/hint/ 194 {\"status\":\"8\",\"hint\":\"PJSIP/wanda\"}\n"
        "^C",
    .run = run,
};
