/*
 * agentlogin, agentlogout. An Asterisk that has AgentCallbackLogin is asked for it; others log
 * agents in as `ctibus.agents.login` says: the phone is rung and put into the application
 * AgentLogin, or the agent becomes a member of its queues (`ctibus.agents.queues`) at that phone.
 */
#include <stdio.h>

#include "calls/ipbx_command.h"
#include "calls/parties.h"
#include "users/relations.h"
#include "json/json.h"

/* Of a batch: the agent's number, the phone's id, and whether another way is tried already. */
struct agent_login {
    char agent[TARGET_TEXT], phone[TARGET_TEXT];
    bool fallen_back;
};

static struct xod_obj *agent_of(struct ipbx_command *o, struct view text)
{
    struct xod_obj *agent = text.len ? target_find(o->s, o->se, LIST_agents, text) : NULL;

    if (text.len == 0)
        agent = relations_agent(o->user);
    if (!agent)
        ipbx_command_wrong(o, "agentids", text.len ? "no_such_agent" : "not_an_agent");
    return agent;
}

static bool is_logged_in(const struct xod_obj *agent)
{
    struct view status = xod_get_str(agent, XOD(agents, status));

    return view_eq(status, VIEW("AGENT_IDLE")) || view_eq(status, VIEW("AGENT_ONCALL"));
}

static bool same_context(const struct xod_obj *a, const struct xod_obj *b)
{
    char scratch[32], room2[32];

    return view_eq(value_text(xod_get(a, XOD(agents, context)), scratch),
                   value_text(xod_get(b, XOD(agents, context)), room2));
}

/* Another agent of the same context that is logged in from this number? */
static bool in_use(const struct xod_obj *agent, struct view exten)
{
    struct xod_obj *other;

    for (size_t pos = 0; (other = xod_next(xod_obj_ipbx(agent), LIST_agents, &pos));)
        if (other != agent && is_logged_in(other) && same_context(other, agent) &&
            view_eq(xod_get_str(other, XOD(agents, phonenumber)), exten))
            return true;
    return false;
}

/* The number that is given, else the one given at the login of the session, else the main line's;
 * empty: wrong is said. */
static struct view exten_of(struct ipbx_command *o, const struct xod_obj *agent,
                            struct agent_login *login, char out[TARGET_TEXT])
{
    char scratch[32];
    struct view given = msg_get_text(o->message, "agentphonenumber", scratch);
    struct xod_obj *line = relations_line(o->user);
    struct xod_obj *phone = NULL;

    if (given.len == 0)
        given = view_cstr(o->se->agent_exten);
    if (given.len == 0 && line)
        given = value_text(xod_get(line, XOD(phones, number)), scratch);
    if (dialled(given, out, TARGET_TEXT)) {
        struct target t = {.kind = TARGET_NUMBER};
        snprintf(t.number, sizeof(t.number), "%s", out);
        phone = target_phone(o->s, o->se, &t);
    }
    if (!phone) {
        ipbx_command_wrong(o, "agentphonenumber", "agent_login_invalid_exten");
        return view_of(NULL, 0);
    }
    snprintf(login->phone, sizeof(login->phone), "%.*s", VIEW_ARG(xod_obj_id(phone)));
    if (in_use(agent, view_cstr(out))) {
        ipbx_command_wrong(o, "agentphonenumber", "agent_login_exten_in_use");
        return view_of(NULL, 0);
    }
    return view_cstr(out);
}

/* ---- the other ways ---- */

/* "Local/{exten}@{context}" with what stands for the words. */
static void put_template(struct buf *out, const char *template, struct view agent,
                         const struct xod_obj *phone)
{
    struct view rest = view_cstr(template);
    char scratch[32];

    while (rest.len) {
        buf_append_view(out, view_cut(&rest, '{'));
        if (rest.len == 0)
            break;
        struct view word = view_cut(&rest, '}');
        if (view_eq(word, VIEW("agent")))
            buf_append_view(out, agent);
        else if (view_eq(word, VIEW("exten")))
            buf_append_view(out, value_text(xod_get(phone, XOD(phones, number)), scratch));
        else if (view_eq(word, VIEW("context")))
            buf_append_view(out, value_text(xod_get(phone, XOD(phones, context)), scratch));
        else if (view_eq(word, VIEW("phone")))
            buf_append_view(out, xod_get_str(phone, XOD(phones, identity)));
    }
}

static struct json_object *queues_of(struct state *s, struct view agent)
{
    struct json_object *all = config_get(s->cfg, "ctibus.agents.queues");
    struct json_object *own = all ? json_member(all, agent) : NULL;

    return own || !all ? own : json_get(all, "*");
}

/* False: there is no queue, or nothing could be sent. */
static bool join_queues(struct ami_batch *j, struct view agent, const struct xod_obj *phone)
{
    struct json_object *queues = queues_of(j->s, agent);
    struct buf interface, name;
    bool any = false;

    buf_init(&interface, 512);
    buf_init(&name, 512);
    put_template(&interface, config_str(j->s->cfg, "ctibus.agents.interface"), agent, phone);
    buf_printf(&name, "Agent/%.*s", VIEW_ARG(agent));
    for (size_t i = 0; queues && json_object_is_type(queues, json_type_array) &&
                       i < json_object_array_length(queues);
         i++)
        any |= ami_batch_action(j, "QueueAdd", "Queue",
                                json_view(json_object_array_get_idx(queues, i)), "Interface",
                                buf_view(&interface), "MemberName", buf_view(&name),
                                "StateInterface", xod_get_str(phone, XOD(phones, identity)), NULL);
    buf_free(&interface);
    buf_free(&name);
    return any;
}

static bool ring_and_log_in(struct ami_batch *j, struct view agent, const struct xod_obj *phone)
{
    const struct xod_obj *user = xod_find(j->ipbx, LIST_users, view_cstr(j->user_id));
    struct view channel = xod_get_str(phone, XOD(phones, identity));
    struct parties shown;

    parties_set(&shown, user, channel, VIEW("Agent login"), agent);
    return ami_batch_action(j, "Originate", "Channel", channel, "Application", VIEW("AgentLogin"),
                            "Data", agent, "CallerID", view_cstr(shown.callerid), "Variable",
                            view_cstr(shown.name), "Variable", view_cstr(shown.number), "Timeout",
                            VIEW("30000"), NULL);
}

static bool fall_back(struct ami_batch *j, const struct agent_login *login)
{
    struct xod_obj *phone = xod_find(j->ipbx, LIST_phones, view_cstr(login->phone));
    const char *way = config_str(j->s->cfg, "ctibus.agents.login");

    if (!phone)
        return false;
    return strcmp(way, "member") == 0 ? join_queues(j, view_cstr(login->agent), phone)
                                      : ring_and_log_in(j, view_cstr(login->agent), phone);
}

static void on_login(struct ami_batch *j, const struct outcome *out)
{
    struct agent_login *login = j->ctx;

    if (!out->good && !login->fallen_back && j->lacking) {
        login->fallen_back = true;
        if (fall_back(j, login))
            return;
        ami_batch_notify_response(j, &(struct outcome){.reason = "no_queue"});
        return;
    }
    ami_batch_notify_response(j, out);
}

static struct view first_id(struct ipbx_command *o, char scratch[32])
{
    const msgpack_object *ids = msg_get(o->message, "agentids");

    if (ids && ids->type == MSGPACK_OBJECT_ARRAY)
        return ids->via.array.size ? msg_str(&ids->via.array.ptr[0]) : view_of(NULL, 0);
    return msg_get_text(o->message, "agentids", scratch);
}

/* One agent: two cannot be logged in from one phone. */
void ipbx_agentlogin(struct ipbx_command *o)
{
    char scratch[32], number[32], exten[TARGET_TEXT];
    struct xod_obj *agent = agent_of(o, first_id(o, scratch));
    struct agent_login *login = agent ? ipbx_command_ctx(o, sizeof(*login)) : NULL;
    struct view from;

    if (!login || (from = exten_of(o, agent, login, exten)).len == 0)
        return;
    snprintf(login->agent, sizeof(login->agent), "%.*s",
             VIEW_ARG(value_text(xod_get(agent, XOD(agents, number)), number)));
    o->batch->done = on_login;
    ipbx_command_action(o, "agent.login", "agent", view_cstr(login->agent), "exten", from,
                        "context", value_text(xod_get(agent, XOD(agents, context)), scratch), NULL);
}

/* An agent that was logged in through queues leaves them. */
static void leave_queues(struct ipbx_command *o, const struct xod_obj *agent)
{
    struct xod_obj *m;

    for (size_t n = 0; (m = xod_related(agent, LIST_queuemembers, n)); n++)
        if (view_eq(xod_get_str(m, XOD(queuemembers, membership)), VIEW("dynamic")))
            ipbx_command_action(o, "QueueRemove", "Queue",
                                xod_get_str(m, XOD(queuemembers, queue_name)), "Interface",
                                xod_get_str(m, XOD(queuemembers, location)), NULL);
}

static void log_off(struct ipbx_command *o, struct view text)
{
    struct xod_obj *agent = agent_of(o, text);
    const char *way = config_str(o->s->cfg, "ctibus.agents.login");
    char number[32];

    if (!agent)
        return;
    if (strcmp(way, "member") != 0 ||
        (is_logged_in(agent) && !xod_get(agent, XOD(agents, by_membership))->b))
        ipbx_command_action(o, "agent.logoff", "agent",
                            value_text(xod_get(agent, XOD(agents, number)), number), NULL);
    if (strcmp(way, "member") == 0)
        leave_queues(o, agent);
}

void ipbx_agentlogout(struct ipbx_command *o)
{
    if (ipbx_command_each(o, "agentids", log_off) == 0)
        log_off(o, view_of(NULL, 0));
}
