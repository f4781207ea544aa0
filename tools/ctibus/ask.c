/* One request to state, and its answers. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

#define UP_MS 5000

struct asking {
    struct tool *tool;
    const struct tool_question *q;
    struct bus_client *bus_client;
    struct loop_timer *timer;
};

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct asking *a = arg;
    const char *why = NULL;
    bool good = status == BUS_ok || status == BUS_more;

    if (status == BUS_gone)
        return; /* said by who destroys the asker */
    if (good && a->q->answer(a->q->arg, body) && status == BUS_more)
        return;
    if (!good) {
        why = a->q->explain ? a->q->explain(status) : NULL;
        tool_fail(a->tool, "%s", why ? why : schema_status_name(status).ptr);
    }
    loop_stop(a->tool->loop);
}

static void on_up(void *arg, const msgpack_object *hello)
{
    struct asking *a = arg;

    loop_timer_stop(a->timer);
    if (bus_ask(a->bus_client, a->q->method, a->q->n_pairs, a->q->pairs, a->q->deadline_ms,
                on_answer, a))
        return;
    tool_fail(a->tool, "the request cannot be sent");
    loop_stop(a->tool->loop);
}

static void on_time(void *arg)
{
    struct asking *a = arg;

    tool_fail(a->tool,
              "state does not answer at %s (is it running? ctibus.bus.request; with CURVE: "
              "does it know our key as a gateway's?)",
              a->tool->bus_setup.request);
    loop_stop(a->tool->loop);
}

void tool_ask(struct tool *t, const struct tool_question *q)
{
    static const struct bus_client_handler handler = {on_up, NULL, NULL};
    struct asking a = {.tool = t, .q = q};
    int err = 0;

    a.timer = loop_timer_new(t->loop, on_time, &a);
    if (a.timer)
        a.bus_client = bus_client_new(t->bus_setup.bus, t->bus_setup.request, "ctibus-tool",
                                      &handler, &a, &err);
    if (a.bus_client) {
        loop_timer_start(a.timer, UP_MS, false);
        tool_run(t);
    } else {
        tool_fail(t, "cannot ask %s: %s", t->bus_setup.request, strerror(-err));
    }
    bus_client_destroy(&a.bus_client);
    loop_timer_destroy(&a.timer);
}
