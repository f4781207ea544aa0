/*
 * getlist snapshot: all objects of a list, or of all lists, that the client may see. They come in
 * lines of bounded size, as fast as the client reads them; changes go on meanwhile and may come
 * before the line of their object, which then has them already.
 */
#include <stdlib.h>

#include "messages/messages.h"

#define OBJECT 0.02            /* what an object costs, in lines */
#define PART ((size_t)49152)   /* a line ends behind the object that reaches this */
#define AHEAD ((size_t)262144) /* bytes that may wait for the client before more is made */

/* What is still to be sent. */
struct snapshot {
    char *ipbx_name, *list_name, *reply_id;
    struct buf ids; /* of each object: its list (a byte), the length of its id (two), the id */
};

void snapshot_free(struct snapshot **sp)
{
    struct snapshot *s = *sp;

    if (!s)
        return;
    *sp = NULL;
    free(s->ipbx_name);
    free(s->list_name);
    free(s->reply_id);
    buf_free(&s->ids);
    free(s);
}

/* ---- what there is ---- */

static void put_id(struct buf *ids, enum xod_list list, struct view id)
{
    unsigned char head[3] = {(unsigned char)list, (unsigned char)(id.len >> 8),
                             (unsigned char)id.len};

    buf_append(ids, head, sizeof(head));
    buf_append_view(ids, id);
}

static void gather(struct client *c, struct snapshot *s, struct xod_ipbx *ipbx, enum xod_list list)
{
    struct xod_obj *o;
    size_t pos = 0;

    while ((o = xod_next(ipbx, list, &pos)))
        if (fanout_visible(c->gw->fanout, c, o) && xod_obj_id(o).len < 65536)
            put_id(&s->ids, list, xod_obj_id(o));
}

/* The next object that is still there; NULL: there are no more. */
static struct xod_obj *next_object(struct client *c, struct snapshot *s)
{
    while (buf_len(&s->ids) >= 3) {
        const unsigned char *head = (const unsigned char *)buf_data(&s->ids);
        enum xod_list list = (enum xod_list)head[0];
        size_t len = (size_t)head[1] << 8 | head[2];
        struct xod_ipbx *ipbx =
            xod_ipbx(replica_xod(c->gw->replica), view_cstr(s->ipbx_name), false);
        struct xod_obj *o =
            ipbx ? xod_find(ipbx, list, view_of((const char *)head + 3, len)) : NULL;
        buf_consume(&s->ids, 3 + len);
        if (o && fanout_visible(c->gw->fanout, c, o))
            return o;
    }
    return NULL;
}

/* ---- lines ---- */

static void put_object(struct client *c, struct buf *line, const struct xod_obj *o)
{
    enum xod_list list = xod_obj_list(o);

    buf_append_cstr(line, "{\"tid\":");
    json_put_string(line, xod_obj_id(o));
    buf_append_cstr(line, ",\"config\":");
    fanout_render_fields(c->gw->fanout, c, line, o, schema_plane_mask(list, PLANE_CONFIG));
    buf_append_cstr(line, ",\"status\":");
    fanout_render_fields(c->gw->fanout, c, line, o, schema_plane_mask(list, PLANE_STATUS));
    buf_append_char(line, '}');
}

/* A line of objects of one list; *o is the first, and becomes the first that is not in it. */
static void send_part(struct client *c, struct snapshot *s, struct xod_obj **o)
{
    enum xod_list list = *o ? xod_obj_list(*o) : LIST_users;
    struct view name = *o ? schema_list(list)->vname : view_cstr(s->list_name);
    struct buf *line = &c->gw->line;
    const char *sep = "";

    buf_reset(line);
    render_getlist(line, view_cstr(s->reply_id), "snapshot", name, view_cstr(s->ipbx_name),
                   view_of(NULL, 0));
    buf_append_cstr(line, ",\"objects\":[");
    while (*o && xod_obj_list(*o) == list && buf_len(line) < PART) {
        buf_append_cstr(line, sep);
        put_object(c, line, *o);
        sep = ",";
        *o = next_object(c, s);
    }
    buf_printf(line, "],\"last\":%s", *o ? "false" : "true");
    line_end(line);
    client_send_line(c, line);
}

void snapshot_continue(struct client *c)
{
    struct snapshot *s = c->snapshot;
    struct xod_obj *o;

    if (!s || conn_output_len(c->conn) >= AHEAD)
        return;
    o = next_object(c, s);
    do
        send_part(c, s, &o);
    while (o && conn_output_len(c->conn) < AHEAD);
    if (o) { /* it was taken, and is not sent: back to the front */
        struct buf rest = s->ids;
        buf_init(&s->ids, 0);
        put_id(&s->ids, xod_obj_list(o), xod_obj_id(o));
        buf_append_view(&s->ids, buf_view(&rest));
        buf_free(&rest);
        return;
    }
    snapshot_free(&c->snapshot);
    client_answered(c);
}

/* ---- the message ---- */

static struct snapshot *snapshot_new(struct request *rq)
{
    struct snapshot *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    buf_init(&s->ids, 0);
    s->ipbx_name = view_dup(json_get_view(rq->body, "tipbxid"));
    s->list_name = view_dup(json_get_view(rq->body, "listname"));
    s->reply_id = view_dup(rq->reply_id);
    if (!s->ipbx_name || !s->list_name || !s->reply_id)
        snapshot_free(&s);
    return s;
}

void message_getlist_snapshot(struct client *c, struct request *rq)
{
    struct view listname = json_get_view(rq->body, "listname");
    int only = schema_list_find(listname);
    struct xod_ipbx *ipbx =
        xod_ipbx(replica_xod(c->gw->replica), json_get_view(rq->body, "tipbxid"), false);
    struct snapshot *s;

    if (!ipbx || (only < 0 && listname.len > 0 && !view_eq(listname, VIEW("*")))) {
        client_answer(c, rq, "error_string", VIEW("not_found"));
        return;
    }
    s = snapshot_new(rq);
    for (int list = 0; s && list < LIST_COUNT; list++)
        if (only < 0 || list == only)
            gather(c, s, ipbx, (enum xod_list)list);
    if (!s || s->ids.failed) {
        snapshot_free(&s);
        client_answer(c, rq, "error_string", VIEW("busy"));
        return;
    }
    pace_cost(c, OBJECT * (double)buf_len(&s->ids) / 16);
    c->snapshot = s;
    c->asked = UINT64_MAX; /* no request of this number: only holds the reading back */
    conn_pause(c->conn);
    snapshot_continue(c);
}
