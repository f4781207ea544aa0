/* login_capas: the profile, the first presence; opens the session. */
#include "messages/messages.h"

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

static bool is_true(struct json_object *v)
{
    return v && (json_object_get_boolean(v) && strcmp(json_object_get_string(v), "false") != 0);
}

void message_login_capas(struct client *c, struct request *rq)
{
    struct login *l = c->login;

    if (c->phase != AUTHENTICATED) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("notloggedyet"));
        return;
    }
    l->class = "login_capas";
    l->capaid = view_dup(text_of(json_get(rq->body, "capaid")));
    l->reply_id = view_dup(rq->reply_id);
    l->state = view_dup(text_of(json_get(rq->body, "state")));
    l->loginkind = view_dup(json_get_view(rq->body, "loginkind"));
    l->wins = is_true(json_get(rq->body, "lastconnwins"));
    read_agent(c, rq->body);
    login_open_session(c, text_of(json_get(rq->body, "agentphonenumber")));
}
