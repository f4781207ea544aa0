/* Call centre agents: logged in or not, from where, on a call of a queue, in wrap-up. What that
 * means for their availability is in availability.c. */
#include "model/model.h"

#define MAX_WRAPUP_S 86400

struct xod_obj *agent_numbered(struct ipbx_model *d, struct view number)
{
    return number.len ? xod_lookup(d->ipbx, LIST_agents, XOD(agents, number), number, 0) : NULL;
}

static bool is_logged_in(const struct xod_obj *agent)
{
    struct view status = xod_get_str(agent, XOD(agents, status));

    return view_eq(status, VIEW("AGENT_IDLE")) || view_eq(status, VIEW("AGENT_ONCALL"));
}

/* ---- wrap-up ---- */

/* Seconds, 0: none. */
static double wrapup_time(const struct xod_obj *agent)
{
    char scratch[32];
    uint64_t seconds;

    if (view_to_u64(value_text(xod_get(agent, XOD(agents, wrapuptime)), scratch), &seconds) < 0)
        return 0;
    return seconds < MAX_WRAPUP_S ? (double)seconds : MAX_WRAPUP_S;
}

static void end_wrapup(struct xod_obj *agent)
{
    xod_set_bool(agent, XOD(agents, on_wrapup), false);
    xod_set_null(agent, XOD(agents, wrapup_until));
}

/* Its last call ended at `end`. `own`: seconds that it has as a member of the queue. */
static void begin_wrapup(struct ipbx_model *d, struct xod_obj *agent, double end, double own)
{
    double seconds = own > wrapup_time(agent) ? own : wrapup_time(agent);
    double until = (end < d->now ? end : d->now) + seconds;

    if (until <= d->now)
        return;
    xod_set_bool(agent, XOD(agents, on_wrapup), true);
    xod_set_float(agent, XOD(agents, wrapup_until), until);
    if (d->wrapup_due <= 0 || until < d->wrapup_due)
        d->wrapup_due = until;
}

void agent_tick(struct ipbx_model *d, double now)
{
    struct xod_obj *agent;

    if (d->wrapup_due <= 0 || now < d->wrapup_due)
        return;
    d->wrapup_due = 0;
    member_tick(d, now);
    for (size_t pos = 0; (agent = xod_next(d->ipbx, LIST_agents, &pos));) {
        double until;
        if (!xod_get(agent, XOD(agents, on_wrapup))->b)
            continue;
        until = xod_get(agent, XOD(agents, wrapup_until))->f;
        if (until <= now)
            end_wrapup(agent);
        else if (d->wrapup_due <= 0 || until < d->wrapup_due)
            d->wrapup_due = until;
    }
}

/* The end of its last call as the queues it is in remember it, seconds since 1970; 0: none. */
static double last_call(const struct xod_obj *agent)
{
    const struct xod_obj *m;
    uint64_t last = 0;
    uint64_t t;

    for (size_t pos = 0; (m = xod_tied_next(agent, LIST_queuemembers, &pos));)
        if (view_to_u64(xod_get_str(m, XOD(queuemembers, lastcall)), &t) == 0 && t > last)
            last = t;
    return (double)last;
}

/* ---- where it is logged in ---- */

static void mark_channel(struct ipbx_model *d, struct view name, bool is_agents)
{
    struct xod_obj *c = name.len ? xod_find(d->ipbx, LIST_channels, name) : NULL;

    if (c)
        xod_set_bool(c, XOD(channels, agent), is_agents);
}

static void link_phone(struct xod_obj *agent, struct xod_obj *phone)
{
    struct xod_obj *old;

    while ((old = xod_related(agent, LIST_phones, 0)))
        xod_unrelate(agent, old);
    if (phone)
        xod_relate(agent, phone);
}

/* That of its login channel, else that of the number it gave; or NULL. */
static struct xod_obj *login_phone(struct ipbx_model *d, const struct xod_obj *agent)
{
    struct view number = xod_get_str(agent, XOD(agents, phonenumber));
    struct xod_obj *phone = phone_of_channel(d, xod_get_str(agent, XOD(agents, channel)));

    if (phone || number.len == 0)
        return phone;
    return xod_lookup(d->ipbx, LIST_phones, XOD(phones, number), number, 0);
}

/* The number of the phone it logged in from: told (Agentcallbacklogin: NUMBER@CONTEXT), or that of
 * the channel's phone. */
static void take_phone(struct ipbx_model *d, struct xod_obj *agent, const struct tel *t)
{
    struct view login = t->str[TELF_channel];
    struct xod_obj *phone = phone_of_channel(d, login);
    struct view exten = t->str[TELF_exten];
    char scratch[32];

    if (login.len) {
        mark_channel(d, xod_get_str(agent, XOD(agents, channel)), false);
        xod_set_str(agent, XOD(agents, channel), login);
        mark_channel(d, login, true);
    }
    if (phone)
        xod_set_str(agent, XOD(agents, phonenumber),
                    value_text(xod_get(phone, XOD(phones, number)), scratch));
    else if (exten.len)
        xod_set_str(agent, XOD(agents, phonenumber), view_cut(&exten, '@'));
    link_phone(agent, login_phone(d, agent));
}

/* Logged in by a membership: at that phone, which may be another now. */
static void log_in_by_membership(struct ipbx_model *d, struct xod_obj *agent, struct xod_obj *phone)
{
    char scratch[32];

    if (!is_logged_in(agent))
        xod_set_str(agent, XOD(agents, status), VIEW("AGENT_IDLE"));
    xod_set_bool(agent, XOD(agents, by_membership), true);
    xod_set_str(agent, XOD(agents, phonenumber),
                value_text(xod_get(phone, XOD(phones, number)), scratch));
    if (xod_related(agent, LIST_phones, 0) != phone)
        link_phone(agent, phone);
}

static void log_off(struct ipbx_model *d, struct xod_obj *agent)
{
    mark_channel(d, xod_get_str(agent, XOD(agents, channel)), false);
    link_phone(agent, NULL);
    end_wrapup(agent);
    xod_set_bool(agent, XOD(agents, by_membership), false);
    xod_set_null(agent, XOD(agents, channel));
    xod_set_null(agent, XOD(agents, phonenumber));
    xod_set_str(agent, XOD(agents, status), VIEW("AGENT_LOGGEDOFF"));
}

void agent_member_changed(struct ipbx_model *d, struct xod_obj *agent)
{
    bool by_membership = xod_get(agent, XOD(agents, by_membership))->b;
    struct xod_obj *phone;

    if (is_logged_in(agent) && !by_membership)
        return; /* as the Asterisk has told */
    phone = member_login_phone(d, agent);
    if (phone)
        log_in_by_membership(d, agent, phone);
    else if (by_membership)
        log_off(d, agent);
}

void agent_relink(struct ipbx_model *d)
{
    struct xod_obj *agent;

    for (size_t pos = 0; (agent = xod_next(d->ipbx, LIST_agents, &pos));) {
        link_phone(agent, is_logged_in(agent) ? login_phone(d, agent) : NULL);
        agent_member_changed(d, agent);
        agent_update(d, agent);
    }
}

/* ---- events ---- */

/* What its phone is in at the moment is the call of the queue: a listing does not tell by what it
 * was made to ring. */
static void mark_queue_calls(struct xod_obj *agent)
{
    struct xod_obj *phone;
    struct xod_obj *c;

    for (size_t at = 0; (phone = xod_tied_next(agent, LIST_phones, &at));)
        for (size_t pos = 0; (c = xod_tied_next(phone, LIST_channels, &pos));)
            if (channel_is_linked(c))
                xod_set_bool(c, XOD(channels, queue_call), true);
}

void agent_login(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *agent = agent_numbered(d, t->str[TELF_agent]);
    bool on_call = view_eq(t->str[TELF_status], VIEW("AGENT_ONCALL"));

    if (!agent)
        return;
    xod_set_bool(agent, XOD(agents, by_membership), false);
    take_phone(d, agent, t);
    if (on_call && !view_eq(xod_get_str(agent, XOD(agents, status)), VIEW("AGENT_ONCALL")))
        mark_queue_calls(agent);
    xod_set_str(agent, XOD(agents, status), on_call ? VIEW("AGENT_ONCALL") : VIEW("AGENT_IDLE"));
    if (on_call || !t->resync)
        end_wrapup(agent);
    else if (!xod_get(agent, XOD(agents, on_wrapup))->b)
        begin_wrapup(d, agent, last_call(agent), 0); /* the end of its call may have been missed */
}

void agent_logoff(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *agent = agent_numbered(d, t->str[TELF_agent]);

    if (!agent)
        return;
    if (xod_get(agent, XOD(agents, by_membership))->b)
        return; /* the Asterisk's own agent of this number is not in use */
    log_off(d, agent);
    agent_member_changed(d, agent);
}

/* The agent whose call it is, or NULL. After its call a 1.8 tells the end of the login first, where
 * the agent hung up. */
static struct xod_obj *agent_of_call(struct ipbx_model *d, const struct tel *t)
{
    char scratch[128];
    struct view member = member_interface(t, TELF_member, scratch);
    struct xod_obj *agent = NULL;

    if (view_starts(member, VIEW("Agent/")))
        agent = agent_numbered(d, view_of(member.ptr + 6, member.len - 6));
    if (!agent) /* it is named by its location alone, and MemberName is a person's */
        agent = member_agent_at(d, t->str[TELF_queue], t->str[TELF_member]);
    return agent && !view_eq(xod_get_str(agent, XOD(agents, status)), VIEW("AGENT_LOGGEDOFF"))
               ? agent
               : NULL;
}

void agent_connect(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *agent = agent_of_call(d, t);

    member_answered(d, t);
    if (!agent)
        return;
    xod_set_str(agent, XOD(agents, status), VIEW("AGENT_ONCALL"));
    end_wrapup(agent);
}

void agent_complete(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *agent = agent_of_call(d, t);
    double wrapup = member_completed(d, t);

    if (!agent)
        return;
    xod_set_str(agent, XOD(agents, status), VIEW("AGENT_IDLE"));
    begin_wrapup(d, agent, t->time, wrapup);
}

void agent_all_idle(struct ipbx_model *d)
{
    struct xod_obj *agent;

    for (size_t pos = 0; (agent = xod_next(d->ipbx, LIST_agents, &pos));)
        if (view_eq(xod_get_str(agent, XOD(agents, status)), VIEW("AGENT_ONCALL")))
            xod_set_str(agent, XOD(agents, status), VIEW("AGENT_IDLE"));
}
