/* ctibus explain: why a phone, an agent, a channel... is as it is. */
#include <stdio.h>

#include "tool.h"

#define WAIT_MS 10000

static void put_event(const msgpack_object *event)
{
    struct buf time;

    buf_init(&time, 64);
    tool_put_time(&time, msg_get_double(event, "time", 0));
    tool_say(stdout, "%s  %.*s", buf_cstr(&time), VIEW_ARG(msg_get_str(event, "event")));
    tool_say(stdout, "%*s  -> %.*s", (int)buf_len(&time), "",
             VIEW_ARG(msg_get_str(event, "changes")));
    buf_free(&time);
}

static bool on_explained(void *arg, const msgpack_object *body)
{
    const struct tool *t = arg;
    const msgpack_object *events = msg_get(body, "events");
    uint32_t n = events && events->type == MSGPACK_OBJECT_ARRAY ? events->via.array.size : 0;
    struct buf out;

    if (t->json) {
        buf_init(&out, 0);
        tool_put_object(&out, body);
        tool_print(&out);
        buf_free(&out);
        return false;
    }
    tool_say(stdout, "%.*s", VIEW_ARG(msg_get_str(body, "now")));
    if (msg_get_str(body, "why").len)
        tool_say(stdout, "%.*s", VIEW_ARG(msg_get_str(body, "why")));
    printf("%s\n", n ? "The last events that changed it, the oldest first:"
                     : "No event has changed it since state was started.");
    for (uint32_t i = 0; i < n; i++)
        put_event(&events->via.array.ptr[i]);
    return false;
}

static const char *explain(enum bus_status status)
{
    return status == BUS_not_found
               ? "there is no such object: phone:IPBX/ID, agent:IPBX/ID, channel:IPBX/NAME, "
                 "queue:IPBX/ID, trunk:IPBX/ID or member:IPBX/INTERFACE,QUEUE; "
                 "`ctibus snapshot phones` lists the phones"
               : NULL;
}

static int run(struct tool *t, int argc, char **argv)
{
    struct tool_question q = {.method = METHOD_explain,
                              .deadline_ms = WAIT_MS,
                              .n_pairs = 1,
                              .answer = on_explained,
                              .explain = explain,
                              .arg = t};
    struct buf pairs;

    if (argc != 1 || argv[0][0] == '-')
        return tool_usage(t, &command_explain);
    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "object", view_cstr(argv[0]));
    q.pairs = buf_view(&pairs);
    tool_ask(t, &q);
    buf_free(&pairs);
    return t->exit_code;
}

const struct command command_explain = {
    .name = "explain",
    .args = "OBJECT",
    .help = "Says why a phone, an agent or a channel is as it is: its state, what it goes\n"
            "by, and the last events that changed it. OBJECT: phone:xivo/11, agent:xivo/2,\n"
            "channel:xivo/SIP/alice-0000001f, queue:, trunk:, member:. How many events are\n"
            "kept: ctibus.explain.events.",
    .examples =
        "$ ctibus explain phone:xivo/1\n"
        "hintstatus 1, hint 1001@default, reg Reachable, channels [\"PJSIP/alice-00000012\"], ...\n"
        "It is in use, by the hint 1001@default; the state of its device PJSIP/alice does not "
        "count.\n"
        "The last events that changed it, the oldest first:\n"
        "14:52:12.790  device/hint context=default exten=1001 status=1 hint=PJSIP/alice\n"
        "              -> hintstatus 1\n"
        "...",
    .run = run,
};
