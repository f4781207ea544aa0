/* getlist: ids of a list, config and status of an object. Served from the replica. */
#include "messages/messages.h"
#include "json/flat.h"

#define LISTED 0.05 /* what an object of a list costs, in lines */
#define MAX_QUICK ((size_t)1024)

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

/* What is asked of one object. */
struct question {
    const char *function, *key;
    enum xod_plane plane;
    struct view reply_id, ipbx, list, tid;
    bool is_text;            /* the tid is a string; else: */
    struct view number;      /* it is this one, */
    struct json_object *any; /* or if that is empty, any value */
};

/* Clients wait for an answer to each id they ask for: what they may not see, or what is gone, is
 * answered empty. The tid comes back as it was sent, string or number. */
static void answer(struct client *c, const struct question *q)
{
    int list = schema_list_find(q->list);
    struct xod_ipbx *ipbx = xod_ipbx(replica_xod(c->gw->replica), q->ipbx, false);
    struct buf *line = &c->gw->line;
    struct xod_obj *o = NULL;

    if (list >= 0 && ipbx && q->tid.ptr)
        o = find(c, ipbx, (enum xod_list)list, q->tid);
    buf_reset(line);
    render_getlist(line, q->reply_id, q->function, q->list, q->ipbx, view_of(NULL, 0));
    buf_append_cstr(line, ",\"tid\":");
    if (q->is_text)
        json_put_string(line, q->tid);
    else if (q->number.len)
        buf_append_view(line, q->number);
    else
        json_put_object(line, q->any);
    buf_append_cstr(line, ",\"");
    buf_append_cstr(line, q->key);
    buf_append_cstr(line, "\":");
    if (!o || !fanout_visible(c->gw->fanout, c, o))
        buf_append_cstr(line, "{}");
    else if (list == LIST_queuemembers && is_legacy_member_id(q->tid))
        render_member_2012(line, o, schema_plane_mask(LIST_queuemembers, PLANE_CONFIG));
    else /* of members the status is the config */
        fanout_render_fields(c->gw->fanout, c, line, o,
                             schema_plane_mask((enum xod_list)list, list == LIST_queuemembers
                                                                        ? PLANE_CONFIG
                                                                        : q->plane));
    end(c);
}

static const struct question kinds[] = {
    {.function = "updateconfig", .key = "config", .plane = PLANE_CONFIG},
    {.function = "updatestatus", .key = "status", .plane = PLANE_STATUS}};

static void object(struct client *c, struct request *rq, struct question q)
{
    struct json_object *tid = json_get(rq->body, "tid");

    q.reply_id = rq->reply_id;
    q.ipbx = site_name(c, rq);
    q.list = json_get_view(rq->body, "listname");
    q.is_text = json_object_is_type(tid, json_type_string);
    q.any = tid;
    if (q.is_text)
        q.tid = json_view(tid);
    else if (tid)
        q.tid = view_cstr(json_object_get_string(tid));
    answer(c, &q);
}

void message_getlist_updateconfig(struct client *c, struct request *rq)
{
    object(c, rq, kinds[0]);
}

void message_getlist_updatestatus(struct client *c, struct request *rq)
{
    object(c, rq, kinds[1]);
}

/* ---- the fast way ---- */

#define MEMBERS 12

/* The text of a member that is a string; false: it is something else. */
static bool text_of(const struct json_flat_member *m, struct view *text)
{
    if (!m || m->type != JSON_FLAT_STRING)
        return false;
    *text = m->value;
    return true;
}

/* A commandid, in JSON. */
static struct view id_of(const struct json_flat_member *m)
{
    if (!m)
        return view_of(NULL, 0);
    return m->type == JSON_FLAT_STRING ? view_of(m->value.ptr - 1, m->value.len + 2) : m->value;
}

static bool read_question(struct client *c, struct view line, struct question *q)
{
    struct json_flat_member m[MEMBERS];
    int n = json_flat(line, m, MEMBERS);
    const struct json_flat_member *tid = n < 0 ? NULL : json_flat_get(m, n, VIEW("tid"));
    const struct json_flat_member *ipbx;
    struct view class, function;

    if (!tid || tid->type == JSON_FLAT_WORD ||
        !text_of(json_flat_get(m, n, VIEW("class")), &class) || !view_eq(class, VIEW("getlist")) ||
        !text_of(json_flat_get(m, n, VIEW("function")), &function))
        return false;
    if (view_eq(function, view_cstr(kinds[0].function)))
        *q = kinds[0];
    else if (view_eq(function, view_cstr(kinds[1].function)))
        *q = kinds[1];
    else
        return false;
    ipbx = json_flat_get(m, n, VIEW("tipbxid"));
    q->ipbx = xod_ipbx_name(c->ipbx);
    if (!text_of(json_flat_get(m, n, VIEW("listname")), &q->list) ||
        (ipbx && !text_of(ipbx, &q->ipbx)))
        return false;
    q->reply_id = id_of(json_flat_get(m, n, VIEW("commandid")));
    q->tid = q->number = tid->value;
    q->is_text = tid->type == JSON_FLAT_STRING;
    return true;
}

bool message_getlist_quick(struct client *c, struct view line)
{
    struct question q;
    bool any;

    if (line.len > MAX_QUICK || !read_question(c, line, &q) ||
        !profile_permits(c->profile, VIEW("getlist"), &any) || observed(c, VIEW("getlist")))
        return false;
    answer(c, &q);
    return true;
}
