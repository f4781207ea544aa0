/* ctibus ha: the states of a site that has two, and a switch from one to the other. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tool.h"

#define MAX_PEERS 4
#define ANSWER_MS 2000
#define SWITCH_MS 15000

struct peer {
    struct ha *ha;
    const char *name, *endpoint;
    struct bus_client *client;
    bool told, active, ready;
    uint64_t term;
    char version[32];
};

struct ha {
    struct tool *tool;
    struct peer peers[MAX_PEERS];
    size_t n;
    struct loop_timer *timer;
    /* of a switch */
    struct bus_client *client;
    uint64_t asked_us; /* when; 0: not yet */
    uint64_t term;     /* of the state that was asked */
};

/* ---- who is what ---- */

static bool all_told(const struct ha *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (!h->peers[i].told)
            return false;
    return true;
}

static void note(struct peer *p, bool active, const msgpack_object *body)
{
    struct view version = msg_get_str(body, "version");

    p->told = true;
    p->active = active;
    p->ready = msg_get_bool(body, "ready", true);
    p->term = msg_get_u64(body, "term", 0);
    snprintf(p->version, sizeof(p->version), "%.*s", (int)(version.len < 31 ? version.len : 31),
             version.ptr ? version.ptr : "");
    if (all_told(p->ha))
        loop_stop(p->ha->tool->loop);
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
    loop_stop(((struct ha *)arg)->tool->loop);
}

/* False: it cannot be asked at all (told). */
static bool look(struct ha *h)
{
    static const struct bus_client_handler handler = {on_active, NULL, NULL};
    int err = 0;

    for (size_t i = 0; i < h->n; i++) {
        struct peer *p = &h->peers[i];
        p->client =
            bus_client_new(h->tool->bus_setup.bus, p->endpoint, "ctibus-tool", &handler, p, &err);
        if (!p->client) {
            tool_fail(h->tool, "cannot ask %s: %s", p->endpoint, strerror(-err));
            return false;
        }
        bus_client_on_not_active(p->client, on_standby);
    }
    loop_timer_start(h->timer, ANSWER_MS, false);
    tool_run(h->tool);
    loop_timer_stop(h->timer);
    for (size_t i = 0; i < h->n; i++)
        bus_client_destroy(&h->peers[i].client);
    return true;
}

static const char *role_of(const struct peer *p)
{
    return !p->told ? "no answer" : p->active ? "active" : p->ready ? "standby" : "not ready";
}

static void print_peer(const struct tool *t, const struct peer *p)
{
    struct buf out;

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
    {
        struct buf line;
        buf_init(&line, 0);
        if (tool_put_json(&line, buf_view(&out)) == 0)
            tool_print(&line);
        buf_free(&line);
    }
    buf_free(&out);
}

static const struct peer *active_of(const struct ha *h)
{
    const struct peer *found = NULL;

    for (size_t i = 0; i < h->n; i++)
        if (h->peers[i].active && (!found || h->peers[i].term > found->term))
            found = &h->peers[i];
    return found;
}

static const struct peer *standby_of(const struct ha *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->peers[i].told && !h->peers[i].active && h->peers[i].ready)
            return &h->peers[i];
    return NULL;
}

static void status(struct ha *h)
{
    if (!look(h))
        return;
    if (!h->tool->json)
        printf("%-20s %-10s %8s  %-10s %s\n", "NAME", "ROLE", "TERM", "VERSION", "ENDPOINT");
    for (size_t i = 0; i < h->n; i++)
        print_peer(h->tool, &h->peers[i]);
    if (!active_of(h))
        tool_fail(h->tool, "no state is active: look at their logs, and at the database");
    else if (!standby_of(h))
        tool_fail(h->tool, "no state is ready to take over");
}

/* ---- a switch ---- */

static void on_switch(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct ha *h = arg;

    if (status == BUS_ok || status == BUS_gone)
        return; /* the other one is waited for */
    tool_fail(h->tool, "the active state refuses: %s", schema_status_name(status).ptr);
    loop_stop(h->tool->loop);
}

static void on_up(void *arg, const msgpack_object *body)
{
    struct ha *h = arg;
    uint64_t term = msg_get_u64(body, "term", 0);

    if (h->asked_us == 0) {
        h->asked_us = clock_mono_us();
        h->term = term;
        if (!bus_ask(h->client, METHOD_ha_switch, 0, view_of(NULL, 0), SWITCH_MS, on_switch, h)) {
            tool_fail(h->tool, "the request cannot be sent");
            loop_stop(h->tool->loop);
        }
        return;
    }
    if (term <= h->term)
        return;
    tool_say(stdout, "%.*s is active, after %.2f s", VIEW_ARG(msg_get_str(body, "name")),
             (double)(clock_mono_us() - h->asked_us) / 1e6);
    h->asked_us = UINT64_MAX;
    loop_stop(h->tool->loop);
}

static void wait_for_switch(struct ha *h)
{
    static const struct bus_client_handler handler = {on_up, NULL, NULL};
    struct tool *t = h->tool;
    int err = 0;

    h->client =
        bus_client_new(t->bus_setup.bus, t->bus_setup.request, "ctibus-tool", &handler, h, &err);
    if (!h->client) {
        tool_fail(t, "cannot ask %s: %s", t->bus_setup.request, strerror(-err));
        return;
    }
    loop_timer_start(h->timer, SWITCH_MS, false);
    tool_run(t);
    if (h->asked_us != UINT64_MAX && t->exit_code == 0)
        tool_fail(t, "no other state has become active within %d s: see ctibus ha status",
                  SWITCH_MS / 1000);
    bus_client_destroy(&h->client);
}

static void switch_over(struct ha *h)
{
    if (!look(h))
        return;
    if (!active_of(h))
        tool_fail(h->tool, "no state is active");
    else if (!standby_of(h))
        tool_fail(h->tool, "no state is ready to take over: nothing was changed");
    else
        wait_for_switch(h);
}

static int run(struct tool *t, int argc, char **argv)
{
    struct ha h = {.tool = t};

    if (argc != 1 || (strcmp(argv[0], "status") != 0 && strcmp(argv[0], "switch") != 0))
        return tool_usage(t, &command_ha);
    if (!config_ha(t->cfg)) {
        tool_fail(t, "this site has one state: no ctibus.ha.peers in %s (docs/ha.md)", t->config);
        return t->exit_code;
    }
    for (; h.n < MAX_PEERS && config_ha_peer(t->cfg, h.n, NULL); h.n++)
        h.peers[h.n] = (struct peer){.ha = &h,
                                     .name = config_ha_peer(t->cfg, h.n, NULL),
                                     .endpoint = config_ha_peer(t->cfg, h.n, "request")};
    h.timer = loop_timer_new(t->loop, on_time, &h);
    if (!h.timer)
        tool_fail(t, "out of memory");
    else if (strcmp(argv[0], "status") == 0)
        status(&h);
    else
        switch_over(&h);
    loop_timer_destroy(&h.timer);
    return t->exit_code;
}

const struct command command_ha = {
    .name = "ha",
    .args = "status|switch",
    .help = "The two states of a site. status: which one is active, and can the\n"
            "other take over? Exit code 1: it cannot. switch: the active one leaves\n"
            "the site to the other, before maintenance of its machine.",
    .run = run,
};
