/* The figures of queues (Xivo-WaitingCalls...) for the clients that asked to be told. They are
 * fields of the queues that no other message shows. */
#include "internal.h"

static bool shows(const struct xod_change *c)
{
    return xod_obj_list(c->obj) == LIST_queues && c->op != XOD_DEL &&
           (c->fields & schema_stats_mask(LIST_queues));
}

/* "ID":{"Xivo-...":N,...} */
static void put_queue(struct buf *line, const struct xod_obj *queue)
{
    const struct schema_list *l = schema_list(LIST_queues);
    const char *sep = "";

    json_put_string(line, xod_obj_id(queue));
    buf_append_cstr(line, ":{");
    for (unsigned i = 0; i < l->n_fields; i++) {
        if (!(schema_stats_mask(LIST_queues) >> i & 1))
            continue;
        buf_append_cstr(line, sep);
        json_put_string(line, l->fields[i].vname);
        buf_append_char(line, ':');
        value_put_json(line, xod_get(queue, i));
        sep = ",";
    }
    buf_append_char(line, '}');
}

static void begin(struct buf *line)
{
    buf_reset(line);
    line_begin(line, VIEW("getqueuesstats"), view_of(NULL, 0));
    buf_append_cstr(line, ",\"stats\":{");
}

static void end(struct buf *line)
{
    buf_append_char(line, '}');
    line_end(line);
}

/* The ids of queues are those of one IPBX: that of the client. */
static bool is_for(struct client *c, const struct xod_obj *queue)
{
    return c->ipbx == xod_obj_ipbx(queue) && fanout_visible(c->gw->fanout, c, queue);
}

void realtime_stats_subscribe(struct client *c)
{
    struct buf *line = &c->gw->line;
    const struct xod_obj *queue;
    const char *sep = "";

    if (!c->wants_realtime_stats) {
        c->wants_realtime_stats = true;
        LIST_INSERT_HEAD(&c->gw->realtime_stats, c, of_realtime_stats);
    }
    begin(line);
    for (size_t pos = 0; (queue = xod_next(c->ipbx, LIST_queues, &pos));) {
        if (!is_for(c, queue))
            continue;
        buf_append_cstr(line, sep);
        put_queue(line, queue);
        sep = ",";
    }
    end(line);
    client_send_line(c, line);
}

void realtime_stats_unsubscribe(struct client *c)
{
    if (c->wants_realtime_stats)
        LIST_REMOVE(c, of_realtime_stats);
    c->wants_realtime_stats = false;
}

void realtime_stats_change(struct gateway *g, const struct xod_change *change)
{
    struct shared *block;
    struct client *c;

    if (LIST_EMPTY(&g->realtime_stats) || !shows(change))
        return;
    begin(&g->line);
    put_queue(&g->line, change->obj);
    end(&g->line);
    block = g->line.failed ? NULL : shared_new(buf_view(&g->line));
    if (!block)
        return;
    fanout_round(g->fanout);
    LIST_FOREACH(c, &g->realtime_stats, of_realtime_stats)
    {
        if (!is_for(c, change->obj))
            continue;
        fanout_catch_up(g->fanout, c); /* a queue is told of before its figures are */
        conn_send_shared(c->conn, block);
    }
    shared_unref(block);
}
