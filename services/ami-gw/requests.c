/* What state asks of the gateway: a resync and a reconnection here, an action in
 * action_request.c, the lists of the Asterisk in discover.c. */
#include <stdlib.h>

#include "internal.h"
#include "msg/msg.h"

#define MAX_HINTS 200000

/* ---- resync ---- */

void gateway_free_hints(struct gateway *g)
{
    for (size_t i = 0; i < g->n_hints; i++) {
        free(g->hints[i].exten);
        free(g->hints[i].context);
    }
    free(g->hints);
    g->hints = NULL;
    g->n_hints = 0;
}

/* hints: [[exten, context], ...] */
static void keep_hints(struct gateway *g, const msgpack_object *list)
{
    uint32_t n = list && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;

    gateway_free_hints(g);
    g->hints = n && n <= MAX_HINTS ? calloc(n, sizeof(*g->hints)) : NULL;
    for (uint32_t i = 0; g->hints && i < n; i++) {
        const msgpack_object *pair = &list->via.array.ptr[i];
        if (pair->type != MSGPACK_OBJECT_ARRAY || pair->via.array.size != 2)
            continue;
        g->hints[g->n_hints].exten = view_dup(msg_str(&pair->via.array.ptr[0]));
        g->hints[g->n_hints].context = view_dup(msg_str(&pair->via.array.ptr[1]));
        if (g->hints[g->n_hints].exten && g->hints[g->n_hints].context)
            g->n_hints++;
    }
}

void gateway_resync(struct gateway *g)
{
    if (!link_is_up(g->link) || g->standby)
        return;
    if (resync_running(g->resync)) {
        g->again = true;
        return;
    }
    g->listed = true;
    g->again = false;
    loop_timer_stop(g->retry);
    metric_add(g->resyncs, 1);
    resync_start(g->resync, g->hints, g->n_hints);
}

void gateway_resynced(struct gateway *g, bool complete)
{
    log_info(g->log, "resync of %s: %s", g->ipbx, complete ? "complete" : "not complete");
    g->resynced |= g->resync_request != 0;
    if (g->resync_request)
        bus_client_reply(g->bus_client, g->resync_request, complete ? BUS_ok : BUS_noconn,
                         view_of(NULL, 0));
    g->resync_request = 0;
    if (g->again)
        gateway_resync(g);
    else if (!complete && link_is_up(g->link))
        loop_timer_start(g->retry, g->list_retry_ms, false);
}

static void on_resync(struct gateway *g, uint64_t id, const msgpack_object *body)
{
    if (g->standby)
        log_notice(g->log, "%s is ours again", g->ipbx);
    g->standby = false;
    if (!link_is_up(g->link)) {
        bus_client_reply(g->bus_client, id, BUS_noconn, view_of(NULL, 0));
        return;
    }
    keep_hints(g, msg_get(body, "hints"));
    if (g->resync_request)
        bus_client_reply(g->bus_client, id, BUS_busy, view_of(NULL, 0));
    else
        g->resync_request = id;
    gateway_resync(g);
}

/* The link is kept, so that we can take over at once. */
static void on_standby(struct gateway *g, uint64_t id)
{
    if (!g->standby)
        log_warning(g->log, "another ami-gw has logged in to %s: standing by", g->ipbx);
    g->standby = true;
    resync_abort(g->resync);
    bus_client_reply(g->bus_client, id, BUS_ok, view_of(NULL, 0));
}

/* ---- hurry ---- */

static void on_reconnect(struct gateway *g, uint64_t id)
{
    log_notice(g->log, "%s announces itself: %s", g->ipbx,
               link_is_up(g->link) ? "the link is up, and is tried" : "connecting now");
    link_reconnect(g->link);
    bus_client_reply(g->bus_client, id, BUS_ok, view_of(NULL, 0));
}

void gateway_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct gateway *g = arg;

    if (method == METHOD_resync)
        on_resync(g, id, body);
    else if (method == METHOD_ami_action)
        gateway_action(g, id, body);
    else if (method == METHOD_ami_discover)
        gateway_discover(g, id);
    else if (method == METHOD_ami_reconnect || method == METHOD_ami_hurry)
        on_reconnect(g, id);
    else if (method == METHOD_ami_standby)
        on_standby(g, id);
    else
        bus_client_reply(g->bus_client, id, BUS_unknown_method, view_of(NULL, 0));
}
