/* Whether an agent can take a call, from its status, its phone and its membership. */
#include <stdio.h>

#include "model/model.h"

/* A Local channel leads on to another, that to a third: more of them are not followed. */
#define MAX_HOPS 4

static bool is_login_channel(const struct xod_obj *c)
{
    return xod_get(c, XOD(channels, agent))->b;
}

/* Connected to another channel, or answered and in a room or with an application (a mailbox, a
 * bridge of ARI): somebody is on the phone. One that is parked, or waits in a queue, is off it. */
static bool is_busy_with(const struct xod_obj *c)
{
    struct view commstatus = xod_get_str(c, XOD(channels, commstatus));

    return channel_is_linked(c) || xod_get(c, XOD(channels, meetme_ismeetme))->b ||
           (view_eq(xod_get_str(c, XOD(channels, state)), VIEW("Up")) &&
            view_eq(commstatus, VIEW("ready")) && !xod_get(c, XOD(channels, parked))->b);
}

/* The call on the phone it is logged in from that no queue made, or NULL. What is on the login
 * channel is the queues' business. */
static const struct xod_obj *other_call(const struct xod_obj *agent)
{
    const struct xod_obj *phone;
    const struct xod_obj *c;

    for (size_t at = 0; (phone = xod_tied_next(agent, LIST_phones, &at));)
        for (size_t pos = 0; (c = xod_tied_next(phone, LIST_channels, &pos));)
            if (is_busy_with(c) && !is_login_channel(c) &&
                !xod_get(c, XOD(channels, queue_call))->b)
                return c;
    return NULL;
}

/* Is the other end, also behind Local channels, a phone of this IPBX? So are its rooms, and its
 * mailboxes, feature codes and other applications, with which nobody is at the other end. */
static bool peer_is_internal(struct ipbx_model *d, const struct xod_obj *c)
{
    if (!channel_is_linked(c))
        return true;
    for (int hop = 0; c && hop < MAX_HOPS; hop++) {
        const struct xod_obj *peer = channel_peer(c);
        if (!peer || xod_related(peer, LIST_trunks, 0))
            return false;
        if (xod_related(peer, LIST_phones, 0))
            return true;
        c = local_other_half(d, peer);
    }
    return false;
}

static bool went_out(const struct xod_obj *c)
{
    struct view direction = xod_get_str(c, XOD(channels, direction));

    return direction.len
               ? view_eq(direction, VIEW("out"))
               : view_eq(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked-caller"));
}

/* The other end has gone, and the call with it in a moment: it is shown as it was. */
static bool is_ending(const struct xod_obj *agent, const struct xod_obj *call)
{
    return xod_get(call, XOD(channels, peer_gone))->b &&
           !xod_get(call, XOD(channels, meetme_ismeetme))->b &&
           view_starts(xod_get_str(agent, XOD(agents, availability)), VIEW("on_call_nonacd"));
}

/* Paused in all queues; an agent that is a member of none is not paused. */
static bool is_paused(const struct xod_obj *agent)
{
    const struct xod_obj *m;
    size_t members = 0;

    for (size_t pos = 0; (m = xod_tied_next(agent, LIST_queuemembers, &pos)); members++)
        if (!value_truth(xod_get(m, XOD(queuemembers, paused))))
            return false;
    return members > 0;
}

static void set_availability(struct xod_obj *agent, const char *availability, double now)
{
    if (view_eq(xod_get_str(agent, XOD(agents, availability)), view_cstr(availability)))
        return;
    xod_set_str(agent, XOD(agents, availability), view_cstr(availability));
    xod_set_float(agent, XOD(agents, availability_since), now);
}

void agent_update(struct ipbx_model *d, struct xod_obj *agent)
{
    struct view status = xod_get_str(agent, XOD(agents, status));
    bool on_call_acd = view_eq(status, VIEW("AGENT_ONCALL"));
    bool logged_in = on_call_acd || view_eq(status, VIEW("AGENT_IDLE"));
    const struct xod_obj *call = logged_in && !on_call_acd ? other_call(agent) : NULL;
    char text[64];

    xod_set_bool(agent, XOD(agents, on_call_acd), on_call_acd);
    xod_set_bool(agent, XOD(agents, on_call_nonacd), call != NULL);
    if (!logged_in) {
        set_availability(agent, "logged_out", d->now);
    } else if (on_call_acd || xod_get(agent, XOD(agents, on_wrapup))->b || is_paused(agent)) {
        set_availability(agent, "unavailable", d->now);
    } else if (call && !is_ending(agent, call)) {
        snprintf(text, sizeof(text), "on_call_nonacd_%s_%s",
                 went_out(call) ? "outgoing" : "incoming",
                 peer_is_internal(d, call) ? "internal" : "external");
        set_availability(agent, text, d->now);
    } else if (!call) {
        set_availability(agent, "available", d->now);
    }
}
