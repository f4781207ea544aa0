/* getlist: ids of a list, config and status of an object. Served from the replica. */
#include "messages/messages.h"

#define LISTED 0.05 /* what an object of a list costs, in lines */

/* XiVOs of early 2012 name no IPBX: theirs is meant. */
static struct view site_name(const struct client *c, const struct request *rq)
{
    return json_get(rq->body, "tipbxid") ? json_get_view(rq->body, "tipbxid")
                                         : xod_ipbx_name(c->ipbx);
}

static struct xod_ipbx *site_of(struct client *c, struct request *rq)
{
    return xod_ipbx(replica_xod(c->gw->replica), site_name(c, rq), false);
}

static void begin(struct client *c, struct request *rq, const char *function, struct view tid)
{
    buf_reset(&c->gw->line);
    render_getlist(&c->gw->line, rq->reply_id, function, json_get_view(rq->body, "listname"),
                   site_name(c, rq), tid);
}

static void end(struct client *c)
{
    line_end(&c->gw->line);
    client_send_line(c, &c->gw->line);
}

void message_getlist_listid(struct client *c, struct request *rq)
{
    int list = schema_list_find(json_get_view(rq->body, "listname"));
    struct xod_ipbx *ipbx = site_of(c, rq);
    struct buf *line = &c->gw->line;
    const char *sep = "";
    struct xod_obj *o;
    size_t pos = 0;

    begin(c, rq, "listid", view_of(NULL, 0));
    buf_append_cstr(line, ",\"list\":[");
    while (list >= 0 && ipbx && (o = xod_next(ipbx, (enum xod_list)list, &pos))) {
        pace_cost(c, LISTED);
        if (!fanout_visible(c->gw->fanout, c, o))
            continue;
        buf_append_cstr(line, sep);
        json_put_string(line, xod_obj_id(o));
        sep = ",";
    }
    buf_append_char(line, ']');
    end(c);
}

static struct xod_obj *find(struct client *c, struct xod_ipbx *ipbx, enum xod_list list,
                            struct view id)
{
    if (list != LIST_queuemembers || !is_legacy_member_id(id))
        return xod_find(ipbx, list, id);
    watch_members(c); /* without memory it is told less, no more */
    return member_of_legacy_id(ipbx, id);
}

/* Clients wait for an answer to each id they ask for: what they may not see, or what is gone, is
 * answered empty. The tid comes back as it was sent, string or number. */
static void object(struct client *c, struct request *rq, const char *function, const char *key,
                   enum xod_plane plane)
{
    int list = schema_list_find(json_get_view(rq->body, "listname"));
    struct json_object *tid = json_get(rq->body, "tid");
    struct xod_ipbx *ipbx = site_of(c, rq);
    struct buf *line = &c->gw->line;
    struct xod_obj *o = NULL;

    if (list >= 0 && ipbx && tid)
        o = find(c, ipbx, (enum xod_list)list, view_cstr(json_object_get_string(tid)));
    begin(c, rq, function, view_of(NULL, 0));
    buf_append_cstr(line, ",\"tid\":");
    if (tid && json_object_is_type(tid, json_type_string))
        json_put_string(line, json_view(tid));
    else
        json_put_object(line, tid);
    buf_printf(line, ",\"%s\":", key);
    if (!o || !fanout_visible(c->gw->fanout, c, o))
        buf_append_cstr(line, "{}");
    else if (list == LIST_queuemembers &&
             is_legacy_member_id(view_cstr(json_object_get_string(tid))))
        render_member_2012(line, o, schema_plane_mask(LIST_queuemembers, PLANE_CONFIG));
    else /* of members the status is the config */
        fanout_render_fields(c->gw->fanout, c, line, o,
                             schema_plane_mask((enum xod_list)list,
                                               list == LIST_queuemembers ? PLANE_CONFIG : plane));
    end(c);
}

void message_getlist_updateconfig(struct client *c, struct request *rq)
{
    object(c, rq, "updateconfig", "config", PLANE_CONFIG);
}

void message_getlist_updatestatus(struct client *c, struct request *rq)
{
    object(c, rq, "updatestatus", "status", PLANE_STATUS);
}
