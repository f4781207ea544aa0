/* ctibus action [--ipbx ID] NAME [HEADER=VALUE...]: has an Asterisk do something, and prints its
 * answer as a line of JSON. */
#include <string.h>

#include "tool.h"

#define WAIT_MS 70000 /* longer than the gateway waits for Asterisk */

static const char *explain(enum bus_status status)
{
    switch (status) {
    case BUS_noconn:
        return "no ami-gw is logged in to this Asterisk";
    case BUS_not_found:
        return "state knows no such ipbx";
    case BUS_timeout:
        return "Asterisk does not answer";
    case BUS_malformed:
        return "this cannot be sent over AMI (a line end in a value, or a name that is none)";
    default:
        return NULL;
    }
}

static bool on_answer(void *arg, const msgpack_object *body)
{
    struct tool *t = arg;
    struct buf out;

    buf_init(&out, 0);
    tool_put_object(&out, body);
    tool_print(&out);
    buf_free(&out);
    if (!view_eq(msg_get_str(body, "response"), VIEW("Success")))
        t->exit_code = 1;
    return false;
}

static size_t put_request(struct buf *pairs, const char *ipbx, int argc, char **argv)
{
    msg_put_pair(pairs, "action", view_cstr(argv[0]));
    msg_put_cstr(pairs, "headers");
    msg_put_array(pairs, (size_t)argc - 1);
    for (int i = 1; i < argc; i++) {
        struct view value = view_cstr(argv[i]);
        msg_put_array(pairs, 2);
        msg_put_str(pairs, view_cut(&value, '='));
        msg_put_str(pairs, value);
    }
    if (!ipbx)
        return 2;
    msg_put_pair(pairs, "ipbx", view_cstr(ipbx));
    return 3;
}

/* The first argument that is no header; NULL: all are. */
static const char *no_header(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strchr(argv[i], '='))
            return argv[i];
    return NULL;
}

static int run(struct tool *t, int argc, char **argv)
{
    struct tool_question q = {.method = METHOD_ami_action,
                              .deadline_ms = WAIT_MS,
                              .answer = on_answer,
                              .explain = explain,
                              .arg = t};
    const char *ipbx = NULL;
    struct buf pairs;

    tool_option(&argc, &argv, "ipbx", &ipbx);
    if (argc < 1 || argv[0][0] == '-')
        return tool_usage(t, &command_action);
    if (no_header(argc, argv))
        return tool_wrong(t, &command_action, "%s: a header is NAME=VALUE", no_header(argc, argv));
    buf_init(&pairs, 0);
    q.n_pairs = put_request(&pairs, ipbx, argc, argv);
    q.pairs = buf_view(&pairs);
    tool_ask(t, &q);
    buf_free(&pairs);
    return t->exit_code;
}

const struct command command_action = {
    .name = "action",
    .args = "[--ipbx ID] NAME [HEADER=VALUE...]",
    .help = "Sends an AMI action to an Asterisk (default: the first) and prints the answer\n"
            "as a line of JSON.",
    .examples = "$ ctibus action Ping\n"
                "{\"response\":\"Success\",\"message\":\"\",\"action\":\"Ping\",\"actionid\":"
                "\"xivo-45\",\"headers\":[...\n"
                "$ ctibus action QueueStatus Queue=support | jq -c .events[0]\n"
                "[[\"Event\",\"QueueParams\"],[\"ActionID\",\"xivo-46\"],[\"Queue\",\"support\"],["
                "\"Max\",\"0\"],...",
    .run = run,
};
