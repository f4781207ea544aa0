/* ctibus action [--ipbx ID] NAME [HEADER=VALUE...]: has an Asterisk do something, and prints its
 * answer as a line of JSON. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

#define WAIT_MS 70000 /* longer than the gateway waits for Asterisk */
#define UP_MS 5000

struct question {
    struct tool *tool;
    struct bus_asker *asker;
    struct loop_timer *timer;
    const char *ipbx, *name;
    int n;
    char **headers;
};

static void fail(struct question *q, const char *why)
{
    fprintf(stderr, "ctibus: %s\n", why);
    q->tool->exit_code = 1;
    loop_stop(q->tool->loop);
}

static const char *reason(enum bus_status status)
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
        return schema_status_name(status).ptr;
    }
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct question *q = arg;
    struct buf out;

    if (status == BUS_gone)
        return; /* said by who destroys the asker */
    if (status != BUS_ok) {
        fail(q, reason(status));
        return;
    }
    buf_init(&out, 0);
    tool_put_object(&out, body);
    buf_append_char(&out, '\n');
    fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_free(&out);
    if (!view_eq(msg_get_str(body, "response"), VIEW("Success")))
        q->tool->exit_code = 1;
    loop_stop(q->tool->loop);
}

static void on_up(void *arg, const msgpack_object *hello)
{
    struct question *q = arg;
    struct buf pairs;
    size_t n = 2;

    loop_timer_stop(q->timer);
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "action", view_cstr(q->name));
    msg_put_cstr(&pairs, "headers");
    msg_put_array(&pairs, (size_t)q->n);
    for (int i = 0; i < q->n; i++) {
        struct view value = view_cstr(q->headers[i]);
        msg_put_array(&pairs, 2);
        msg_put_str(&pairs, view_cut(&value, '='));
        msg_put_str(&pairs, value);
    }
    if (q->ipbx) {
        msg_put_pair(&pairs, "ipbx", view_cstr(q->ipbx));
        n++;
    }
    bus_ask(q->asker, METHOD_ami_action, n, buf_view(&pairs), WAIT_MS, on_answer, q);
    buf_free(&pairs);
}

static void on_time(void *arg)
{
    struct question *q = arg;
    char why[512];

    snprintf(why, sizeof(why), "state does not answer at %s (is it running? ctibus.bus.request)",
             q->tool->onbus.request);
    fail(q, why);
}

static bool take_arguments(struct question *q, int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[0], "--ipbx") == 0) {
        q->ipbx = argv[1];
        argc -= 2;
        argv += 2;
    }
    if (argc < 1 || argv[0][0] == '-')
        return false;
    q->name = argv[0];
    q->n = argc - 1;
    q->headers = argv + 1;
    for (int i = 0; i < q->n; i++)
        if (!strchr(q->headers[i], '='))
            return false;
    return true;
}

int command_action(struct tool *t, int argc, char **argv)
{
    static const struct bus_asker_handler handler = {on_up, NULL, NULL};
    struct question q = {.tool = t};
    int err = 0;

    if (!take_arguments(&q, argc, argv)) {
        fputs("ctibus: action [--ipbx ID] NAME [HEADER=VALUE...], e.g. action QueueStatus "
              "Queue=support\n",
              stderr);
        return t->exit_code = 2;
    }
    q.timer = loop_timer_new(t->loop, on_time, &q);
    if (q.timer)
        q.asker = bus_asker_new(t->onbus.bus, t->onbus.request, "ctibus-tool", &handler, &q, &err);
    if (q.asker) {
        loop_timer_start(q.timer, UP_MS, false);
        loop_run(t->loop);
    } else {
        fprintf(stderr, "ctibus: cannot ask %s: %s\n", t->onbus.request, strerror(-err));
        t->exit_code = 1;
    }
    bus_asker_destroy(&q.asker);
    loop_timer_destroy(&q.timer);
    return t->exit_code;
}
