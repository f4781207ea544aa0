/* login_id: who wants in, with which version. */
#include "messages/messages.h"

static void on_begun(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct view id = msg_get_str(body, "sessionid");
    struct buf *line = &c->gw->line;

    c->asked = 0;
    if (status != BUS_ok || id.len == 0 || id.len >= sizeof(c->login->sessionid)) {
        client_refuse(c, VIEW("login_id"), client_reply_id(c), VIEW("noconn"));
        return;
    }
    memcpy(c->login->sessionid, id.ptr, id.len);
    client_set_phase(c, IDENTIFIED);
    buf_reset(line);
    line_begin(line, VIEW("login_id"), client_reply_id(c));
    buf_append_cstr(line, ",\"sessionid\":");
    json_put_string(line, id);
    buf_append_cstr(line, ",\"xivoversion\":\"" XIVO_VERSION "\"");
    line_end(line);
    client_send_line(c, line);
    client_answered(c);
}

void message_login_id(struct client *c, struct request *rq)
{
    static const char *const required[] = {"userlogin", "company", "ident", "xivoversion", NULL};
    struct view who = json_get_view(rq->body, "userlogin");

    if (!login_start(c, rq, required, who))
        return;
    buf_reset(&c->gw->pairs);
    msg_put_pair(&c->gw->pairs, "userlogin", who);
    if (!client_ask(c, METHOD_login_begin, true, 1, buf_view(&c->gw->pairs), rq->reply_id,
                    on_begun))
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
}
