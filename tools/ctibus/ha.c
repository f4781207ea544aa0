/* ctibus ha: the states of a site that has two, and a switch from one to the other. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tool.h"

#define ANSWER_MS 2000
#define SWITCH_MS 15000

/* ---- who is what ---- */

struct looking {
    struct tool *tool;
    struct tool_state *states;
    size_t n;
    struct one {
        struct looking *of;
        struct tool_state *state;
        struct bus_client *client;
    } ones[TOOL_STATES];
};

static bool all_told(const struct looking *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!l->states[i].told)
            return false;
    return true;
}

static void note(struct one *one, bool active, const msgpack_object *body)
{
    struct tool_state *s = one->state;
    struct view version = msg_get_str(body, "version");

    s->told = true;
    s->active = active;
    s->ready = msg_get_bool(body, "ready", true);
    s->term = msg_get_u64(body, "term", 0);
    snprintf(s->version, sizeof(s->version), "%.*s", (int)(version.len < 31 ? version.len : 31),
             version.ptr ? version.ptr : "");
    if (all_told(one->of))
        loop_stop(one->of->tool->loop);
}

static void on_active(void *arg, const msgpack_object *body)
{
    note(arg, true, body);
}

static void on_standby(void *arg, const msgpack_object *body)
{
    note(arg, false, body);
}

static void on_time(void *arg)
{
    loop_stop(((struct tool *)arg)->loop);
}

static bool ask_all(struct looking *l)
{
    static const struct bus_client_handler handler = {on_active, NULL, NULL};
    int err = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct one *one = &l->ones[i];
        *one = (struct one){.of = l, .state = &l->states[i]};
        one->client = bus_client_new(l->tool->bus_setup.bus, one->state->endpoint, "ctibus-tool",
                                     &handler, one, &err);
        if (!one->client) {
            tool_fail(l->tool, "cannot ask %s: %s", one->state->endpoint, strerror(-err));
            return false;
        }
        bus_client_on_not_active(one->client, on_standby);
    }
    return true;
}

bool tool_states(struct tool *t, struct tool_state states[TOOL_STATES], size_t *n)
{
    struct looking l = {.tool = t, .states = states};
    struct loop_timer *timer = loop_timer_new(t->loop, on_time, t);
    bool good;

    for (; l.n < TOOL_STATES && config_ha_peer(t->cfg, l.n, NULL); l.n++)
        states[l.n] = (struct tool_state){.name = config_ha_peer(t->cfg, l.n, NULL),
                                          .endpoint = config_ha_peer(t->cfg, l.n, "request")};
    *n = l.n;
    good = timer && ask_all(&l);
    if (good) {
        loop_timer_start(timer, ANSWER_MS, false);
        tool_run(t);
    }
    for (size_t i = 0; i < l.n; i++)
        bus_client_destroy(&l.ones[i].client);
    loop_timer_destroy(&timer);
    return good;
}

const struct tool_state *tool_active_state(const struct tool_state *states, size_t n)
{
    const struct tool_state *found = NULL;

    for (size_t i = 0; i < n; i++)
        if (states[i].active && (!found || states[i].term > found->term))
            found = &states[i];
    return found;
}

const struct tool_state *tool_standby_state(const struct tool_state *states, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (states[i].told && !states[i].active && states[i].ready)
            return &states[i];
    return NULL;
}

static const char *role_of(const struct tool_state *p)
{
    return !p->told ? "no answer" : p->active ? "active" : p->ready ? "standby" : "not ready";
}

static void print_state(const struct tool *t, const struct tool_state *p)
{
    struct buf out, line;

    if (!t->json) {
        char term[24] = "-";
        if (p->term)
            snprintf(term, sizeof(term), "%llu", (unsigned long long)p->term);
        tool_say(stdout, "%-20s %-10s %8s  %-10s %s", p->name, role_of(p), term,
                 p->told ? p->version : "-", p->endpoint);
        return;
    }
    buf_init(&out, 0);
    msg_put_map(&out, 5);
    msg_put_pair(&out, "name", view_cstr(p->name));
    msg_put_pair(&out, "role", view_cstr(role_of(p)));
    msg_put_pair_u64(&out, "term", p->term);
    msg_put_pair(&out, "version", view_cstr(p->version));
    msg_put_pair(&out, "endpoint", view_cstr(p->endpoint));
    buf_init(&line, 0);
    if (tool_put_json(&line, buf_view(&out)) == 0)
        tool_print(&line);
    buf_free(&line);
    buf_free(&out);
}

static void status(struct tool *t)
{
    struct tool_state states[TOOL_STATES];
    size_t n;

    if (!tool_states(t, states, &n))
        return;
    if (!t->json)
        printf("%-20s %-10s %8s  %-10s %s\n", "NAME", "ROLE", "TERM", "VERSION", "ENDPOINT");
    for (size_t i = 0; i < n; i++)
        print_state(t, &states[i]);
    if (!tool_active_state(states, n))
        tool_fail(t, "no state is active: look at their logs, and at the database");
    else if (!tool_standby_state(states, n))
        tool_fail(t, "no state is ready to take over");
}

/* ---- a switch ---- */

struct switching {
    struct tool *tool;
    struct bus_client *client;
    uint64_t asked_us; /* when; 0: not yet */
    uint64_t term;     /* of the state that was asked */
    bool done;
};

static void on_switch(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct switching *w = arg;

    if (status == BUS_ok || status == BUS_gone)
        return; /* the other one is waited for */
    tool_fail(w->tool, "the active state refuses: %s", schema_status_name(status).ptr);
    loop_stop(w->tool->loop);
}

static void on_up(void *arg, const msgpack_object *body)
{
    struct switching *w = arg;
    uint64_t term = msg_get_u64(body, "term", 0);

    if (w->asked_us == 0) {
        w->asked_us = clock_mono_us();
        w->term = term;
        if (!bus_ask(w->client, METHOD_ha_switch, 0, view_of(NULL, 0), SWITCH_MS, on_switch, w)) {
            tool_fail(w->tool, "the request cannot be sent");
            loop_stop(w->tool->loop);
        }
        return;
    }
    if (term <= w->term)
        return;
    tool_say(stdout, "%.*s is active, after %.2f s", VIEW_ARG(msg_get_str(body, "name")),
             (double)(clock_mono_us() - w->asked_us) / 1e6);
    w->done = true;
    loop_stop(w->tool->loop);
}

static void wait_for_switch(struct tool *t)
{
    static const struct bus_client_handler handler = {on_up, NULL, NULL};
    struct switching w = {.tool = t};
    struct loop_timer *timer = loop_timer_new(t->loop, on_time, t);
    int err = -ENOMEM;

    if (timer)
        w.client = bus_client_new(t->bus_setup.bus, t->bus_setup.request, "ctibus-tool", &handler,
                                  &w, &err);
    if (w.client) {
        loop_timer_start(timer, SWITCH_MS, false);
        tool_run(t);
        if (!w.done && t->exit_code == 0)
            tool_fail(t, "no other state has become active within %d s: see ctibus ha status",
                      SWITCH_MS / 1000);
    } else {
        tool_fail(t, "cannot ask %s: %s", t->bus_setup.request, strerror(-err));
    }
    bus_client_destroy(&w.client);
    loop_timer_destroy(&timer);
}

static void switch_over(struct tool *t)
{
    struct tool_state states[TOOL_STATES];
    size_t n;

    if (!tool_states(t, states, &n))
        return;
    if (!tool_active_state(states, n))
        tool_fail(t, "no state is active");
    else if (!tool_standby_state(states, n))
        tool_fail(t, "no state is ready to take over: nothing was changed");
    else
        wait_for_switch(t);
}

static int run(struct tool *t, int argc, char **argv)
{
    if (argc != 1 || (strcmp(argv[0], "status") != 0 && strcmp(argv[0], "switch") != 0))
        return tool_usage(t, &command_ha);
    if (!config_ha(t->cfg))
        tool_fail(t, "this site has one state: no ctibus.ha.peers in %s (docs/ha.md)", t->config);
    else if (strcmp(argv[0], "status") == 0)
        status(t);
    else
        switch_over(t);
    return t->exit_code;
}

const struct command command_ha = {
    .name = "ha",
    .args = "status|switch",
    .help = "The two states of a site. status: which one is active, and can the\n"
            "other take over? Exit code 1: it cannot. switch: the active one leaves\n"
            "the site to the other, before maintenance of its machine.",
    .examples = "$ ctibus ha status\n"
                "NAME                 ROLE           TERM  VERSION    ENDPOINT\n"
                "cti1                 active           14  0.1.0      tcp://10.0.0.1:5552\n"
                "cti2                 standby           -  0.1.0      tcp://10.0.0.2:5552\n"
                "$ ctibus ha switch\n"
                "cti2 is active, after 0.31 s",
    .run = run,
};
