/* get_relations: which phone and agent the user is. */
#include "messages/messages.h"

static void put(struct buf *line, const char *key, struct view id)
{
    buf_printf(line, ",\"%s\":", key);
    if (id.len == 0)
        buf_append_cstr(line, "null");
    else
        render_id(line, id);
}

void message_get_relations(struct client *c, struct request *rq)
{
    const struct xod_obj *user = client_user(c);
    const struct value *lines = user ? xod_get(user, XOD(users, linelist)) : NULL;
    struct buf *line = &c->gw->line;
    char scratch[32];

    buf_reset(line);
    line_begin(line, VIEW("relations"), rq->reply_id);
    buf_append_cstr(line, ",\"data\":{\"xivo_uuid\":");
    json_put_string(line, xod_ipbx_name(c->ipbx));
    put(line, "user_id", view_cstr(c->user_id));
    put(line, "endpoint_id",
        lines && lines->type == V_LIST && lines->len ? value_view(&lines->items[0])
                                                     : view_of(NULL, 0));
    put(line, "agent_id",
        user ? value_text(xod_get(user, XOD(users, agentid)), scratch) : view_of(NULL, 0));
    buf_append_char(line, '}');
    line_end(line);
    client_send_line(c, line);
}
