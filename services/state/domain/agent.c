/* Call centre agents: logged in or not, on a call or not. */
#include "domain/domain.h"

struct xod_obj *agent_numbered(struct domain *d, struct view number)
{
    return number.len ? xod_lookup(d->site, LIST_agents, XOD(agents, number), number, 0) : NULL;
}

static void set_availability(struct xod_obj *agent, const char *availability, double now)
{
    if (view_eq(xod_get_str(agent, XOD(agents, availability)), view_cstr(availability)))
        return;
    xod_set_str(agent, XOD(agents, availability), view_cstr(availability));
    xod_set_float(agent, XOD(agents, availability_since), now);
}

static void set_status(struct xod_obj *agent, const char *status, double now)
{
    xod_set_str(agent, XOD(agents, status), view_cstr(status));
    set_availability(
        agent, view_eq(view_cstr(status), VIEW("AGENT_IDLE")) ? "available" : "unavailable", now);
}

static void mark_channel(struct domain *d, struct view name, bool is_agents)
{
    struct xod_obj *c = name.len ? xod_find(d->site, LIST_channels, name) : NULL;

    if (c)
        xod_set_bool(c, XOD(channels, agent), is_agents);
}

/* The number of the phone it logged in from: told (Agentcallbacklogin: NUMBER@CONTEXT), or that of
 * the channel's phone. */
static void take_phone(struct domain *d, struct xod_obj *agent, const struct tel *t)
{
    struct view login = t->str[TELF_channel];
    struct xod_obj *phone = phone_of_channel(d, login);
    struct view exten = t->str[TELF_exten];
    char room[32];

    if (login.len) {
        mark_channel(d, xod_get_str(agent, XOD(agents, channel)), false);
        xod_set_str(agent, XOD(agents, channel), login);
        mark_channel(d, login, true);
    }
    if (phone)
        xod_set_str(agent, XOD(agents, phonenumber),
                    value_text(xod_get(phone, XOD(phones, number)), room));
    else if (exten.len)
        xod_set_str(agent, XOD(agents, phonenumber), view_cut(&exten, '@'));
}

void agent_login(struct domain *d, const struct tel *t)
{
    struct xod_obj *agent = agent_numbered(d, t->str[TELF_agent]);

    if (!agent)
        return;
    take_phone(d, agent, t);
    set_status(agent,
               view_eq(t->str[TELF_status], VIEW("AGENT_ONCALL")) ? "AGENT_ONCALL" : "AGENT_IDLE",
               t->time);
}

void agent_logoff(struct domain *d, const struct tel *t)
{
    struct xod_obj *agent = agent_numbered(d, t->str[TELF_agent]);

    if (!agent)
        return;
    mark_channel(d, xod_get_str(agent, XOD(agents, channel)), false);
    xod_set_null(agent, XOD(agents, channel));
    xod_set_null(agent, XOD(agents, phonenumber));
    xod_set_str(agent, XOD(agents, status), VIEW("AGENT_LOGGEDOFF"));
    set_availability(agent, "logged_out", t->time);
}

void agent_call(struct domain *d, const struct tel *t)
{
    char room[128];
    struct view member = member_interface(t, TELF_member, room);
    struct xod_obj *agent = NULL;

    if (view_starts(member, VIEW("Agent/")))
        agent = agent_numbered(d, view_of(member.ptr + 6, member.len - 6));
    /* After its call a 1.8 tells the end of the login first, where the agent hung up. */
    if (!agent || view_eq(xod_get_str(agent, XOD(agents, status)), VIEW("AGENT_LOGGEDOFF")))
        return;
    set_status(agent, t->event == TEL_agent_connect ? "AGENT_ONCALL" : "AGENT_IDLE", t->time);
}
