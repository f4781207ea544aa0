/* The request ami.discover: the lists that the Asterisk itself has. */
#include <errno.h>

#include "base/clock.h"
#include "internal.h"
#include "msg/msg.h"
#include "json/json.h"

#define BOOT_US UINT64_C(60000000)

/* What is refused leaves gaps, which an administrator can close. */
static void tell_refused(struct gateway *g, const struct discovery *d)
{
    struct discovery_refusal r;

    for (size_t i = 0; discovery_refusal(d, i, &r); i++)
        log_warning(
            g->log,
            "%s: the manager user is not allowed to use %s, without which %s are not known: add %s "
            "to its write in %s",
            g->ipbx, r.action, r.missing, r.permission ? r.permission : "all",
            discovery_manager(discovery_is_freepbx(d))->place);
    if (discovery_dropped(d))
        log_warning(g->log, "%s: %zu objects of this Asterisk are over the limit of %d of a kind",
                    g->ipbx, discovery_dropped(d), DISCOVERY_MAX);
}

/* Asterisk tells each login when its modules are there, to users who may read `system`. A minute
 * after the login they are. */
static bool is_booted(const struct gateway *g)
{
    return g->booted || clock_wall_us() - g->login > BOOT_US;
}

/* False: it cannot be written, and the request has ended with that. */
static bool reply_list(struct gateway *g, const struct discovery *d, const char *name,
                       struct json_object *items, bool last)
{
    struct buf pairs;
    struct buf text;
    bool good;

    buf_init(&text, 0);
    buf_init(&pairs, 0);
    json_put_object(&text, items);
    msg_put_map(&pairs, 3);
    msg_put_pair(&pairs, "list", view_cstr(name));
    msg_put_pair(&pairs, "items", buf_view(&text));
    msg_put_cstr(&pairs, "complete");
    msg_put_bool(&pairs, is_booted(g) && discovery_is_complete(d, name));
    good = !text.failed && !pairs.failed;
    bus_client_reply(g->bus_client, g->discover_request,
                     !good  ? BUS_failed
                     : last ? BUS_ok
                            : BUS_more,
                     good ? buf_view(&pairs) : view_of(NULL, 0));
    buf_free(&text);
    buf_free(&pairs);
    return good;
}

static void reply_lists(struct gateway *g, const struct discovery *d, struct json_object *lists)
{
    int left = json_object_object_length(lists);

    json_object_object_foreach(lists, name, items)
    {
        if (!reply_list(g, d, name, items, --left == 0))
            return;
    }
}

static void on_discovered(void *arg, const struct discovery *d, bool complete)
{
    struct gateway *g = arg;
    struct json_object *lists = complete && g->discover_request ? discovery_lists(d) : NULL;

    if (complete)
        tell_refused(g, d);
    if (lists)
        reply_lists(g, d, lists);
    else if (g->discover_request)
        bus_client_reply(g->bus_client, g->discover_request, BUS_noconn, view_of(NULL, 0));
    g->discover_request = 0;
    json_object_put(lists);
}

int gateway_discovery_new(struct gateway *g, uint32_t timeout_ms)
{
    g->discovery = discovery_walk_new(g->link, g->charset, timeout_ms, on_discovered, g);
    return g->discovery ? 0 : -ENOMEM;
}

void gateway_discover(struct gateway *g, uint64_t id)
{
    if (g->discover_request) {
        bus_client_reply(g->bus_client, id, BUS_busy, view_of(NULL, 0));
        return;
    }
    g->discover_request = id;
    if (discovery_walk_start(g->discovery) < 0) {
        g->discover_request = 0;
        bus_client_reply(g->bus_client, id, BUS_noconn, view_of(NULL, 0));
    }
}
