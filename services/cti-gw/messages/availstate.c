/* availstate: the user's presence; state decides and tells everybody. */
#include "internal.h"

static void on_done(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct request rq = {NULL, VIEW("availstate"), client_reply_id(c)};

    c->asked = 0;
    if (status == BUS_ok)
        client_answer(c, &rq, NULL, view_of(NULL, 0));
    else
        client_answer(c, &rq, status == BUS_unallowed ? "warning_string" : "error_string",
                      status == BUS_unallowed ? VIEW("unallowed") : VIEW("noconn"));
    client_answered(c);
}

static void availstate(struct client *c, struct request *rq)
{
    struct buf *pairs = &c->gw->pairs;
    struct json_object *whom = json_get(rq->body, "userid"); /* a string or a number */
    char session[64];

    client_session_name(c, session);
    buf_reset(pairs);
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_pair(pairs, "class", rq->class);
    msg_put_pair(pairs, "availstate", json_get_view(rq->body, "availstate"));
    msg_put_pair(pairs, "userid",
                 whom ? view_cstr(json_object_get_string(whom)) : view_of(NULL, 0));
    if (!client_ask(c, METHOD_command, 4, buf_view(pairs), rq->reply_id, on_done))
        client_answer(c, rq, "error_string", VIEW("noconn"));
}

static const char *const required[] = {"availstate", NULL};
CTI_MESSAGE(availstate, .class = "availstate", .required = required, .permission = true,
            .handle = availstate);
