/* login_capas: the profile, the first presence; opens the session. */
#include "messages/messages.h"

static void on_opened(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;

    c->asked = 0;
    if (status == BUS_ok) {
        login_complete_begin(c, body);
        return;
    }
    client_refuse(c, VIEW("login_capas"), view_cstr(c->login->reply_id),
                  status == BUS_unknownprofile || status == BUS_wrongprofile
                      ? schema_status_name(status)
                      : VIEW("noconn"));
}

/* The profile comes back as it was sent: string or number. */
static struct view text_of(struct json_object *v)
{
    return v ? view_cstr(json_object_get_string(v)) : view_of(NULL, 0);
}

/* An agent who is to be logged in at once. Empty: at the user's own phone. */
static void read_agent(struct client *c, struct json_object *body)
{
    if (view_eq(json_get_view(body, "loginkind"), VIEW("agent")) &&
        view_eq(json_get_view(body, "agentlogin"), VIEW("now")))
        c->login->agent_number = view_dup(text_of(json_get(body, "agentphonenumber")));
}

static bool wins(struct json_object *v)
{
    return v && (json_object_get_boolean(v) && strcmp(json_object_get_string(v), "false") != 0);
}

void message_login_capas(struct client *c, struct request *rq)
{
    struct buf *pairs = &c->gw->pairs;
    struct view capaid = text_of(json_get(rq->body, "capaid"));
    char session[64];
    char address[64];

    if (c->phase != AUTHENTICATED) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("notloggedyet"));
        return;
    }
    c->login->capaid = view_dup(capaid);
    c->login->reply_id = view_dup(rq->reply_id);
    c->session = ++c->gw->next_session;
    if (!c->login->capaid || !c->login->reply_id ||
        map_put(c->gw->by_session, view_of(&c->session, sizeof(c->session)), c) < 0) {
        c->session = 0;
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
        return;
    }
    read_agent(c, rq->body);
    client_session_name(c, session);
    client_set_phase(c, OPENING);
    buf_reset(pairs);
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_pair(pairs, "userid", view_cstr(c->user_id));
    msg_put_pair(pairs, "ipbxid", xod_ipbx_name(c->ipbx));
    msg_put_pair(pairs, "capaid", capaid);
    msg_put_pair(pairs, "state", text_of(json_get(rq->body, "state")));
    msg_put_pair(pairs, "loginkind", json_get_view(rq->body, "loginkind"));
    msg_put_pair(pairs, "agentphonenumber", text_of(json_get(rq->body, "agentphonenumber")));
    msg_put_pair(pairs, "address", view_cstr(client_address(c, address)));
    msg_put_cstr(pairs, "lastconnwins");
    msg_put_bool(pairs, wins(json_get(rq->body, "lastconnwins")));
    if (!client_ask(c, METHOD_login_open, 9, buf_view(pairs), rq->reply_id, on_opened))
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
}
