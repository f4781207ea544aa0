/* Messages that are state's to carry out: the whole message goes there, and what comes back goes
 * into the line that answers it. */
#include <errno.h>

#include "internal.h"

/* A line with what state answered; false: it is too deep, or there is no memory. What tells of an
 * error is of the class that the client sent: the other class promises fields that are not there.
 */
static bool put_answer(struct buf *line, const struct client *c, const msgpack_object *body)
{
    const char *class = msg_get(body, "error_string") ? c->relayed : c->relayed_answer;

    buf_reset(line);
    line_begin(line, view_cstr(class), client_reply_id(c));
    if (line_put_pairs(line, body) < 0)
        return false;
    if (strcmp(c->relayed, "admin_status") == 0)
        latency_put(c->gw->latency, line);
    line_end(line);
    return !line->failed;
}

static void on_done(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct request rq = {.class = view_cstr(c->relayed), .reply_id = client_reply_id(c)};
    struct view command = view_cstr(c->relayed_command);

    c->asked = 0;
    if (status == BUS_ok && put_answer(&c->gw->line, c, body))
        client_send_line(c, &c->gw->line);
    else if (status == BUS_unallowed)
        client_decline(c, &rq, command, "warning_string", VIEW("unallowed"));
    else if (status == BUS_timeout || status == BUS_gone || status == BUS_noconn)
        client_decline(c, &rq, command, "error_string", VIEW("noconn"));
    else
        client_decline(c, &rq, command, "error_string", schema_status_name(status));
    client_answered(c);
}

/* The command that the row is of, or NULL. */
static const char *command_of(const struct cti_message *m)
{
    const struct condition *c = m->conditions;

    return c && c->path && strcmp(c->path, "command") == 0 ? c->value : NULL;
}

/* The texts are constants. 0, -EBADMSG, or -ENOTCONN: it cannot be asked now. */
static int ask(struct client *c, const char *class, const char *command, const char *answer,
               struct json_object *body, struct view reply_id, bool reads)
{
    struct buf *pairs = &c->gw->pairs;
    struct value message;
    char session[64];

    if (value_from_json(&message, body) < 0)
        return -EBADMSG;
    client_session_name(c, session);
    buf_reset(pairs);
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_pair(pairs, "class", view_cstr(class));
    msg_put_cstr(pairs, "message");
    value_pack(pairs, &message);
    value_clear(&message);
    c->relayed = class;
    c->relayed_command = command;
    c->relayed_answer = answer;
    c->gw->passed_on = true;
    if (pairs->failed)
        return -EBADMSG;
    return client_ask(c, METHOD_command, reads, 3, buf_view(pairs), reply_id, on_done) ? 0
                                                                                       : -ENOTCONN;
}

static void pass_on(struct client *c, const struct request *rq, const char *class,
                    const char *command, const char *answer, bool reads)
{
    int rc = -ENOTCONN;

    if (bus_client_takes(c->gw->bus_client))
        rc = ask(c, class, command, answer, rq->body, rq->reply_id, reads);
    if (rc < 0)
        client_decline(c, rq, view_cstr(command), "error_string",
                       schema_status_name(rc == -EBADMSG ? BUS_malformed : BUS_noconn));
}

void relay(struct client *c, struct request *rq)
{
    const struct cti_message *m = rq->message;

    pass_on(c, rq, m->class, command_of(m), m->answer ? m->answer : m->class, false);
}

void relay_read(struct client *c, struct request *rq)
{
    const struct cti_message *m = rq->message;

    pass_on(c, rq, m->class, command_of(m), m->answer ? m->answer : m->class, true);
}

void relay_class(struct client *c, const struct request *rq, const char *class)
{
    pass_on(c, rq, class, NULL, class, false);
}

#define MISSED_DEADLINE_MS 5000

/* What was written while the user was away comes as lines of its own; that there is none matters to
 * nobody. */
void relay_missed_chat(struct client *c)
{
    struct buf *pairs = &c->gw->pairs;
    char session[64];
    bool any;

    if (!profile_permits(c->profile, VIEW("chat_history"), &any) ||
        !bus_client_is_up(c->gw->bus_client))
        return;
    client_session_name(c, session);
    buf_reset(pairs);
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_pair(pairs, "class", VIEW("chat_history"));
    msg_put_cstr(pairs, "message");
    msg_put_map(pairs, 0);
    bus_ask(c->gw->bus_client, METHOD_command, 3, buf_view(pairs), MISSED_DEADLINE_MS, NULL, NULL);
}

void relay_agent_login(struct client *c, const char *number)
{
    struct json_object *body = json_object_new_object();

    json_object_object_add(body, "class", json_object_new_string("ipbxcommand"));
    json_object_object_add(body, "command", json_object_new_string("agentlogin"));
    if (*number)
        json_object_object_add(body, "agentphonenumber", json_object_new_string(number));
    ask(c, "ipbxcommand", "agentlogin", "ipbxcommand", body, view_of(NULL, 0), false);
    json_object_put(body);
}
