/* What state asks of the gateway: a resync, an action. */
#include <stdlib.h>

#include "internal.h"
#include "msg/msg.h"

#define MAX_HINTS 200000
#define RETRY_MS 5000 /* after a resync that Asterisk did not answer in time */

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
    if (!link_is_up(g->link))
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
    if (g->resync_request)
        bus_asker_reply(g->asker, g->resync_request, complete ? BUS_ok : BUS_noconn,
                        view_of(NULL, 0));
    g->resync_request = 0;
    if (g->again)
        gateway_resync(g);
    else if (!complete && link_is_up(g->link))
        loop_timer_start(g->retry, RETRY_MS, false);
}

static void on_resync(struct gateway *g, uint64_t id, const msgpack_object *body)
{
    if (!link_is_up(g->link)) {
        bus_asker_reply(g->asker, id, BUS_noconn, view_of(NULL, 0));
        return;
    }
    keep_hints(g, msg_get(body, "hints"));
    if (g->resync_request)
        bus_asker_reply(g->asker, id, BUS_busy, view_of(NULL, 0));
    else
        g->resync_request = id;
    gateway_resync(g);
}

/* ---- actions ---- */

struct running_action {
    struct gateway *g;
    uint64_t id;
    size_t n_events;
    struct buf events;
};

static void put_block(struct buf *out, const struct ami_block *b, enum ami_charset charset)
{
    struct buf text;

    buf_init(&text, 4 * AMI_MAX_BLOCK);
    msg_put_array(out, b->n);
    for (unsigned i = 0; i < b->n; i++) {
        msg_put_array(out, 2);
        buf_reset(&text);
        ami_text(&text, b->headers[i].name, charset);
        msg_put_str(out, buf_view(&text));
        buf_reset(&text);
        ami_text(&text, b->headers[i].value, charset);
        msg_put_str(out, buf_view(&text));
    }
    buf_free(&text);
}

static void action_item(void *arg, const struct ami_block *b)
{
    struct running_action *r = arg;
    size_t before = buf_len(&r->events);

    put_block(&r->events, b, r->g->charset);
    if (r->events.failed) {
        r->events.failed = false; /* over the bound: what fits is answered */
        r->events.end = r->events.start + before;
        return;
    }
    r->n_events++;
}

static void action_done(void *arg, enum action_outcome outcome, const struct ami_block *response)
{
    static const enum bus_status words[] = {
        [ACTION_OK] = BUS_ok,
        [ACTION_ERROR] = BUS_ok,
        [ACTION_TIMEOUT] = BUS_timeout,
        [ACTION_LOST] = BUS_noconn,
    };
    struct running_action *r = arg;
    struct view message = response ? ami_get(response, "Message") : view_of(NULL, 0);
    struct buf text;
    struct buf out;

    buf_init(&out, 0);
    buf_init(&text, 4 * AMI_MAX_BLOCK);
    ami_text(&text, message, r->g->charset);
    msg_put_map(&out, 4);
    msg_put_pair(&out, "response", outcome == ACTION_OK ? VIEW("Success") : VIEW("Error"));
    msg_put_pair(&out, "message", buf_view(&text));
    msg_put_cstr(&out, "headers");
    if (response)
        put_block(&out, response, r->g->charset);
    else
        msg_put_array(&out, 0);
    msg_put_cstr(&out, "events");
    msg_put_array(&out, r->n_events);
    buf_append_view(&out, buf_view(&r->events));
    bus_asker_reply(r->g->asker, r->id, out.failed ? BUS_busy : words[outcome],
                    out.failed ? view_of(NULL, 0) : buf_view(&out));
    buf_free(&text);
    buf_free(&out);
    buf_free(&r->events);
    free(r);
}

/* headers: [[name, value], ...] */
static void put_headers(struct ami_action *aa, const msgpack_object *list)
{
    uint32_t n = list && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;

    for (uint32_t i = 0; i < n; i++) {
        const msgpack_object *pair = &list->via.array.ptr[i];
        if (pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2)
            ami_action_header(aa, msg_str(&pair->via.array.ptr[0]),
                              msg_str(&pair->via.array.ptr[1]));
        else
            ami_action_header(aa, view_of(NULL, 0), view_of(NULL, 0)); /* makes it unusable */
    }
}

static void on_action(struct gateway *g, uint64_t id, const msgpack_object *body)
{
    struct view name = msg_get_str(body, "action");
    int64_t deadline = msg_get_i64(body, "deadline_ms", ACTION_DEADLINE_MS);
    struct running_action *r;
    struct ami_action aa;

    if (!link_is_up(g->link)) {
        bus_asker_reply(g->asker, id, BUS_noconn, view_of(NULL, 0));
        return;
    }
    r = name.len ? calloc(1, sizeof(*r)) : NULL;
    if (!r) {
        bus_asker_reply(g->asker, id, BUS_malformed, view_of(NULL, 0));
        return;
    }
    r->g = g;
    r->id = id;
    buf_init(&r->events, 8 << 20);
    link_action(g->link, &aa, name);
    put_headers(&aa, msg_get(body, "headers"));
    if (deadline < 100 || deadline > ORIGINATE_DEADLINE_MS)
        deadline = ORIGINATE_DEADLINE_MS;
    if (link_commit(g->link, &aa, msg_get_bool(body, "list", false), (uint32_t)deadline,
                    action_item, action_done, r) == 0)
        return;
    bus_asker_reply(g->asker, id, BUS_malformed, view_of(NULL, 0));
    buf_free(&r->events);
    free(r);
}

void gateway_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct gateway *g = arg;

    if (method == METHOD_resync)
        on_resync(g, id, body);
    else if (method == METHOD_ami_action)
        on_action(g, id, body);
    else
        bus_asker_reply(g->asker, id, BUS_unknown_method, view_of(NULL, 0));
}
