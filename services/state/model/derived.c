/*
 * What follows from what an event has changed: availability of agents depends on their phones, the
 * channels of these and on being paused; the figures of a queue depend on its members, their agents
 * and on who waits. Instead of telling each of those who change something whom it may concern, what
 * the event touched in the store is looked through once, at its end.
 */
#include "model/model.h"
#include "model/statistics.h"

static void agents_of_phones(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct xod_obj *phone;
    struct xod_obj *agent;

    for (size_t at = 0; (phone = xod_tied_next(channel, LIST_phones, &at));)
        for (size_t pos = 0; (agent = xod_tied_next(phone, LIST_agents, &pos));)
            agent_update(d, agent);
}

/* The peer of one half of a Local channel is the peer of the other half. */
static void channel_touched(struct ipbx_model *d, struct xod_obj *c)
{
    const struct xod_obj *half = local_other_half(d, c);
    const struct xod_obj *peer = NULL;

    call_settle(d, c);
    party_chain(d, c);
    agents_of_phones(d, c);
    if (half)
        peer = channel_peer(half);
    if (peer)
        agents_of_phones(d, peer);
}

static void phone_touched(struct ipbx_model *d, const struct xod_obj *phone)
{
    struct xod_obj *agent;

    for (size_t pos = 0; (agent = xod_tied_next(phone, LIST_agents, &pos));)
        agent_update(d, agent);
}

static void member_touched(struct ipbx_model *d, const struct xod_obj *member)
{
    struct xod_obj *agent = xod_related(member, LIST_agents, 0);
    struct xod_obj *queue = xod_related(member, LIST_queues, 0);

    if (agent)
        agent_update(d, agent);
    if (queue)
        realtime_stats_touch(d, queue);
}

static void agent_touched(struct ipbx_model *d, struct xod_obj *agent)
{
    const struct xod_obj *member;
    struct xod_obj *queue;

    agent_update(d, agent);
    for (size_t pos = 0; (member = xod_tied_next(agent, LIST_queuemembers, &pos));)
        if ((queue = xod_related(member, LIST_queues, 0)))
            realtime_stats_touch(d, queue);
}

static bool is_there(struct ipbx_model *d, const struct xod_obj *o)
{
    return xod_find(d->ipbx, xod_obj_list(o), xod_obj_id(o)) == o;
}

#define MANY_CALLS 8 /* of one event; of more than that some may be computed twice */

struct calls {
    const struct xod_obj *done[MANY_CALLS];
    size_t n;
};

static void call_touched(struct ipbx_model *d, struct calls *calls, struct view id)
{
    const struct xod_obj *call = xod_find(d->ipbx, LIST_calls, id);

    for (size_t i = 0; i < calls->n; i++)
        if (calls->done[i] == call)
            return;
    calls_update(d, id);
    call = xod_find(d->ipbx, LIST_calls, id);
    if (call && calls->n < MANY_CALLS)
        calls->done[calls->n++] = call;
}

/* Calls come last: they show what their channels are in the end. */
static void calls_touched(struct ipbx_model *d)
{
    struct calls calls = {.n = 0};
    struct xod_obj *o;

    for (size_t n = 0; (o = xod_touched(d->ipbx, n)); n++)
        if (xod_obj_ipbx(o) == d->ipbx && xod_obj_list(o) == LIST_channels && is_there(d, o))
            calls_place(d, o);
    for (size_t n = 0; (o = xod_touched(d->ipbx, n)); n++) {
        if (xod_obj_ipbx(o) != d->ipbx || !is_there(d, o))
            continue;
        if (xod_obj_list(o) == LIST_channels && xod_get_str(o, XOD(channels, call)).len)
            call_touched(d, &calls, xod_get_str(o, XOD(channels, call)));
        else if (xod_obj_list(o) == LIST_calls)
            call_touched(d, &calls, xod_obj_id(o));
    }
}

/* An agent that is updated is touched and so comes to its turn; it is touched once. */
void derived_update(struct ipbx_model *d)
{
    struct xod_obj *o;

    for (size_t n = 0; (o = xod_touched(d->ipbx, n)); n++) {
        if (xod_obj_ipbx(o) != d->ipbx)
            continue;
        switch (xod_obj_list(o)) {
        case LIST_channels:
            channel_touched(d, o);
            break;
        case LIST_phones:
            phone_touched(d, o);
            break;
        case LIST_queuemembers:
            member_touched(d, o);
            break;
        case LIST_agents:
            agent_touched(d, o);
            break;
        case LIST_queues:
            realtime_stats_touch(d, o);
            break;
        default:
            break;
        }
    }
    calls_touched(d);
}
