/*
 * The end of a login. State has opened the session and said with which change of xod; the answer
 * waits until the replica holds that change, so that what the client reads next is never older than
 * its own login.
 */
#include <stdlib.h>

#include "internal.h"

static void on_opened(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;

    c->asked = 0;
    if (status == BUS_ok) {
        login_complete_begin(c, body);
        return;
    }
    client_refuse(c, view_cstr(c->login->class), view_cstr(c->login->reply_id),
                  status == BUS_unknownprofile || status == BUS_wrongprofile
                      ? schema_status_name(status)
                      : VIEW("noconn"));
}

/* Numbers the session. False: there is no memory. */
static bool number_session(struct client *c)
{
    const struct login *l = c->login;

    if (!l->capaid || !l->reply_id || !l->state || !l->loginkind)
        return false;
    c->session = ++c->gw->next_session;
    if (map_put(c->gw->by_session, view_of(&c->session, sizeof(c->session)), c) == 0)
        return true;
    c->session = 0;
    return false;
}

void login_open_session(struct client *c, struct view agent_number)
{
    struct login *l = c->login;
    struct buf *pairs = &c->gw->pairs;
    char session[64];
    char address[64];

    if (!number_session(c)) {
        client_refuse(c, view_cstr(l->class), view_cstr(l->reply_id), VIEW("noconn"));
        return;
    }
    client_session_name(c, session);
    client_set_phase(c, OPENING);
    buf_reset(pairs);
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_pair(pairs, "userid", view_cstr(c->user_id));
    msg_put_pair(pairs, "ipbxid", xod_ipbx_name(c->ipbx));
    msg_put_pair(pairs, "capaid", view_cstr(l->capaid));
    msg_put_pair(pairs, "state", view_cstr(l->state));
    msg_put_pair(pairs, "loginkind", view_cstr(l->loginkind));
    msg_put_pair(pairs, "agentphonenumber", agent_number);
    msg_put_pair(pairs, "address", view_cstr(client_address(c, address)));
    msg_put_cstr(pairs, "lastconnwins");
    msg_put_bool(pairs, l->wins);
    if (!client_ask(c, METHOD_login_open, true, 9, buf_view(pairs), view_cstr(l->reply_id),
                    on_opened))
        client_refuse(c, view_cstr(l->class), view_cstr(l->reply_id), VIEW("noconn"));
}

void login_complete_begin(struct client *c, const msgpack_object *body)
{
    struct login *l = c->login;
    struct view capas = msg_get_str(body, "capas");

    l->appliname = view_dup(msg_get_str(body, "appliname"));
    l->capaxlets = view_dup(msg_get_str(body, "capaxlets"));
    l->capas = view_dup(capas);
    l->presence = view_dup(msg_get_str(body, "presence"));
    l->wait_seq = msg_get_u64(body, "seq", 0);
    if (!l->appliname || !l->capaxlets || !l->capas || !l->presence ||
        !(c->profile = profile_get(c->gw, view_cstr(l->capaid), capas))) {
        client_refuse(c, view_cstr(l->class), view_cstr(l->reply_id), VIEW("no_capability"));
        return;
    }
    l->opened = true;
    LIST_INSERT_HEAD(&c->gw->opened, c, of_opened);
    login_complete_reached(c->gw, replica_seq(c->gw->replica));
}

void login_complete_end(struct client *c)
{
    if (!c->login || !c->login->opened)
        return;
    c->login->opened = false;
    LIST_REMOVE(c, of_opened);
}

/* The three lines that a good login_capas is answered with. */
static void send_opened(struct client *c)
{
    struct login *l = c->login;
    struct xod_obj *user = client_user(c);
    struct buf *line = &c->gw->line;
    struct view ipbx = xod_ipbx_name(c->ipbx);

    buf_reset(line);
    line_begin(line, view_cstr(l->class), view_cstr(l->reply_id));
    if (l->token) {
        buf_append_cstr(line, ",\"token\":");
        json_put_string(line, view_cstr(l->token));
    }
    buf_append_cstr(line, ",\"userid\":");
    json_put_string(line, view_cstr(c->user_id));
    buf_append_cstr(line, ",\"ipbxid\":");
    json_put_string(line, ipbx);
    buf_append_cstr(line, ",\"appliname\":");
    json_put_string(line, view_cstr(l->appliname));
    buf_append_cstr(line, ",\"presence\":");
    json_put_string(line, view_cstr(l->presence));
    buf_printf(line, ",\"capaxlets\":%s,\"capas\":%s", l->capaxlets, l->capas);
    line_end(line);
    render_getlist(line, view_of(NULL, 0), "updateconfig", VIEW("users"), ipbx,
                   view_cstr(c->user_id));
    buf_append_cstr(line, ",\"config\":");
    fanout_render_fields(c->gw->fanout, c, line, user, schema_plane_mask(LIST_users, PLANE_CONFIG));
    line_end(line);
    render_getlist(line, view_of(NULL, 0), "updatestatus", VIEW("users"), ipbx,
                   view_cstr(c->user_id));
    buf_append_cstr(line, ",\"status\":");
    fanout_render_fields(c->gw->fanout, c, line, user, schema_plane_mask(LIST_users, PLANE_STATUS));
    line_end(line);
    if (!line->failed)
        conn_send(c->conn, buf_view(line));
}

static void complete(struct client *c)
{
    char *agent_number = c->login->agent_number;

    if (!client_user(c) || fanout_join(c->gw->fanout, c) < 0 ||
        user_push_join(c->gw->user_push, c) < 0) {
        client_refuse(c, view_cstr(c->login->class), view_cstr(c->login->reply_id),
                      VIEW("no_capability"));
        return;
    }
    send_opened(c);
    c->login->agent_number = NULL; /* the rest of it ends with the login */
    client_set_phase(c, LIVE);
    client_answered(c);
    relay_missed_chat(c);
    if (agent_number)
        relay_agent_login(c, agent_number);
    free(agent_number);
}

void login_complete_reached(struct gateway *g, uint64_t seq)
{
    struct client *c, *next;

    if (!replica_is_live(g->replica))
        return;
    LIST_FOREACH_SAFE(c, &g->opened, of_opened, next)
    if (seq >= c->login->wait_seq)
        complete(c);
}
