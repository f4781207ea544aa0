/* ctibus peers: the links to other sites, as federation says in its heartbeat. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tool.h"
#include "json/json.h"

#define WAIT_MS 6000 /* three heartbeats */

struct peers {
    struct tool *tool;
    struct msg_doc doc;
    bool told;
};

static void print_json(const msgpack_object *peer)
{
    struct buf out;

    buf_init(&out, 0);
    tool_put_object(&out, peer);
    tool_print(&out);
    buf_free(&out);
}

static void print_plain(const msgpack_object *peer)
{
    double lag = msg_get_double(peer, "lag", 0);
    char text[32] = "-";

    if (lag > 0)
        snprintf(text, sizeof(text), "%.1f", lag * 1000);
    tool_say(stdout, "%-20.*s %-7.*s %-8.*s %10.0f %9lld %8s %12lld",
             VIEW_ARG(msg_get_str(peer, "site")), VIEW_ARG(msg_get_str(peer, "kind")),
             VIEW_ARG(msg_get_str(peer, "state")),
             clock_wall() - msg_get_double(peer, "since", clock_wall()),
             (long long)msg_get_i64(peer, "objects", 0), text,
             (long long)msg_get_i64(peer, "bytes", 0));
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct peers *p = arg;
    const msgpack_object *list;

    if (p->told || msg_parse(&p->doc, m->body) < 0)
        return;
    p->told = true;
    list = msg_get(&p->doc.root, "peers");
    if (!p->tool->json)
        printf("%-20s %-7s %-8s %10s %9s %8s %12s\n", "SITE", "KIND", "STATE", "SINCE s", "OBJECTS",
               "LAG ms", "BYTES");
    for (uint32_t i = 0; list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size;
         i++)
        if (p->tool->json)
            print_json(&list->via.array.ptr[i]);
        else
            print_plain(&list->via.array.ptr[i]);
    loop_stop(p->tool->loop);
}

/* Does the configuration name another site at all? */
static bool any_peer(const struct config *cfg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");

    if (!ipbxes)
        return false;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        (void)name;
        if (json_get(ipbx, "peer") || json_get(ipbx, "cti_connection"))
            return true;
    }
    return false;
}

static void on_time(void *arg)
{
    struct tool *t = arg;

    tool_fail(t, "no heartbeat of federation at %s: is it running?", t->bus_setup.subscribe);
    loop_stop(t->loop);
}

static const struct bus_sub_handler handler = {on_message, NULL};

static int run(struct tool *t, int argc, char **argv)
{
    struct peers p = {.tool = t};
    struct loop_timer *timer = loop_timer_new(t->loop, on_time, t);
    struct bus_sub *sub = NULL;
    int err = -1;

    if (argc > 0) {
        loop_timer_destroy(&timer);
        return tool_usage(t, &command_peers);
    }
    if (!any_peer(t->cfg) && !t->json)
        fputs("no other site is in the configuration (ipbxes.*.peer, docs/federation.md)\n",
              stderr);
    if (timer && msg_doc_init(&p.doc) == 0) {
        sub = bus_sub_new(t->bus_setup.bus, t->bus_setup.subscribe, &handler, &p, &err);
        if (sub)
            err = bus_sub_add(sub, VIEW("svc/federation/"));
        if (err == 0) {
            loop_timer_start(timer, WAIT_MS, false);
            tool_run(t);
        }
        msg_doc_fini(&p.doc);
    }
    if (err < 0)
        tool_fail(t, "cannot subscribe at %s", t->bus_setup.subscribe);
    bus_sub_destroy(&sub);
    loop_timer_destroy(&timer);
    return t->exit_code;
}

const struct command command_peers = {
    .name = "peers",
    .args = "",
    .help = "Lists the peers: state of each link and since when, number of objects,\n"
            "round-trip time, bytes received.",
    .examples = "$ ctibus peers\n"
                "SITE                 KIND    STATE       SINCE s   OBJECTS   LAG ms        BYTES\n"
                "lyon                 ctibus  up             3652       217      0.4       184302",
    .run = run,
};
