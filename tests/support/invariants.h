/* What must hold of the objects of an IPBX after every event. */
#ifndef CTIBUS_TESTS_INVARIANTS_H
#define CTIBUS_TESTS_INVARIANTS_H

#include "model/model.h"

/* Every id in a list field names an object that is tied to this one, and every tie is in the list.
 */
static inline void check_list(struct xod_obj *o, unsigned field, enum xod_list other)
{
    const struct value *names = xod_get(o, field);
    uint32_t n = 0;

    for (uint32_t i = 0; names->type == V_LIST && i < names->len; i++) {
        struct xod_obj *there = xod_find(xod_obj_ipbx(o), other, value_view(&names->items[i]));
        if (!there)
            fail_msg("%s %s has %s, which is not there", schema_list(xod_obj_list(o))->name,
                     xod_obj_id(o).ptr, names->items[i].s);
        if (!xod_is_tied(there, o))
            fail_msg("%s has %s, which is not tied to it", xod_obj_id(o).ptr, names->items[i].s);
    }
    while (xod_related(o, other, n))
        n++;
    if (n != names->len)
        fail_msg("%s %s has %u of %u %s", schema_list(xod_obj_list(o))->name, xod_obj_id(o).ptr,
                 names->len, n, schema_list(other)->name);
}

/* What is told of ties is what they are. Before a commit they may have changed since. */
static inline void check_relations(struct xod_obj *o)
{
    int field = schema_relations_field(xod_obj_list(o));
    uint32_t n = 0;

    if (field < 0)
        return;
    for (int list = 0; list < LIST_COUNT; list++) {
        const struct xod_obj *other;
        for (size_t pos = 0; (other = xod_tied_next(o, (enum xod_list)list, &pos)); n++) {
            char name[512];
            snprintf(name, sizeof(name), "%.*s:%.*s", (int)strlen(schema_list(list)->name) - 1,
                     schema_list(list)->name, VIEW_ARG(xod_obj_id(other)));
            if (!value_list_has(xod_get(o, (unsigned)field), view_cstr(name)))
                fail_msg("%s is not told to be tied to %s", xod_obj_id(o).ptr, name);
        }
    }
    if (xod_get(o, (unsigned)field)->len != n)
        fail_msg("%s is told to have %u ties instead of %u", xod_obj_id(o).ptr,
                 xod_get(o, (unsigned)field)->len, n);
}

static inline void check_peer(struct xod_obj *c)
{
    struct view kind = xod_get_str(c, XOD(channels, talkingto_kind));
    struct view id = xod_get_str(c, XOD(channels, talkingto_id));

    if ((kind.len == 0) != (id.len == 0))
        fail_msg("%s talks to '%s', of kind '%s'", xod_obj_id(c).ptr, id.ptr, kind.ptr);
    if (view_eq(kind, VIEW("channel")) && !xod_find(xod_obj_ipbx(c), LIST_channels, id))
        fail_msg("%s talks to %s, which is not there", xod_obj_id(c).ptr, id.ptr);
    if (view_starts(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked")) && id.len == 0)
        fail_msg("%s is in a call with nobody", xod_obj_id(c).ptr);
}

static inline void check_device(struct xod_obj *c, enum xod_list list, unsigned identity,
                                unsigned channels)
{
    struct xod_obj *device;

    for (size_t n = 0; (device = xod_related(c, list, n)); n++) {
        struct view v = xod_get_str(device, identity);
        const char *option = view_starts(v, VIEW("Local/")) ? memrchr(v.ptr, '/', v.len) : NULL;
        if (option && option > v.ptr + 5) /* Local/5551@default/n */
            v.len = (size_t)(option - v.ptr);
        if (xod_obj_id(c).len < v.len || !view_ieq(view_of(xod_obj_id(c).ptr, v.len), v) ||
            !value_list_has(xod_get(device, channels), xod_obj_id(c)))
            fail_msg("%s is not a channel of %s", xod_obj_id(c).ptr, v.ptr);
    }
}

static inline void check_waiting(struct xod_obj *c)
{
    struct view kind = xod_get_str(c, XOD(channels, talkingto_kind));
    bool waits = xod_related(c, LIST_queues, 0) || xod_related(c, LIST_groups, 0);

    if ((view_eq(kind, VIEW("queue")) || view_eq(kind, VIEW("group"))) && !waits)
        fail_msg("%s waits in no queue", xod_obj_id(c).ptr);
    if (view_eq(kind, VIEW("meetme")) && xod_related(c, LIST_meetmes, 0) &&
        !value_map_get(xod_get(xod_related(c, LIST_meetmes, 0), XOD(meetmes, channels)),
                       xod_obj_id(c)))
        fail_msg("%s is in a room that does not know it", xod_obj_id(c).ptr);
}

/* A member's queue and agent (or phone) know each other, once per member. */
static inline void check_member(struct xod_obj *m)
{
    struct xod_obj *queue = xod_related(m, LIST_queues, 0);
    struct xod_obj *agent = xod_related(m, LIST_agents, 0);
    struct xod_obj *phone = xod_related(m, LIST_phones, 0);

    if (queue && agent &&
        (!value_list_has(xod_get(queue, XOD(queues, agentmembers)), xod_obj_id(agent)) ||
         !value_list_has(xod_get(agent, XOD(agents, queues)), xod_obj_id(queue))))
        fail_msg("%s: queue and agent do not know each other", xod_obj_id(m).ptr);
    if (queue && phone &&
        (!value_list_has(xod_get(queue, XOD(queues, phonemembers)), xod_obj_id(phone)) ||
         !value_list_has(xod_get(phone, XOD(phones, queues)), xod_obj_id(queue))))
        fail_msg("%s: queue and phone do not know each other", xod_obj_id(m).ptr);
}

/* Does an earlier member stand for the same phone or agent? */
static inline bool is_counted(const struct xod_obj *queue, const struct xod_obj *who, size_t before)
{
    for (size_t n = 0; n < before; n++)
        if (xod_is_tied(xod_related(queue, LIST_queuemembers, n), who))
            return true;
    return false;
}

/* The lists hold those that members are tied to, each once. */
static inline void check_count(struct xod_obj *queue, unsigned field, enum xod_list list)
{
    uint32_t members = 0;
    struct xod_obj *m;

    for (size_t n = 0; (m = xod_related(queue, LIST_queuemembers, n)); n++) {
        struct xod_obj *who = xod_related(m, list, 0);
        members += who && !is_counted(queue, who, n);
    }
    if (members != xod_get(queue, field)->len)
        fail_msg("queue %s: %u members, %u told", xod_obj_id(queue).ptr, members,
                 xod_get(queue, field)->len);
}

static inline void check_bays(struct xod_obj *lot)
{
    const struct value *bays = xod_get(lot, XOD(parkinglots, bays));

    for (uint32_t i = 0; i < bays->len; i++) {
        const struct value *parked = value_map_get(&bays->items[2 * i + 1], VIEW("parked"));
        if (!parked || !xod_find(xod_obj_ipbx(lot), LIST_channels, value_view(parked)))
            fail_msg("bay %s: who is parked is not there", bays->items[2 * i].s);
    }
}

static inline void check_room(struct xod_obj *room)
{
    const struct value *all = xod_get(room, XOD(meetmes, channels));

    for (uint32_t i = 0; i < all->len; i++)
        if (!xod_find(xod_obj_ipbx(room), LIST_channels, value_view(&all->items[2 * i])))
            fail_msg("room: %s is not there", all->items[2 * i].s);
}

/* Logged in or not, in a call of a queue or in wrap-up: the fields of an agent agree. */
static inline void check_agent(struct xod_obj *a)
{
    struct view status = xod_get_str(a, XOD(agents, status));
    struct view availability = xod_get_str(a, XOD(agents, availability));
    bool on_call = view_eq(status, VIEW("AGENT_ONCALL"));
    bool there = on_call || view_eq(status, VIEW("AGENT_IDLE"));
    bool acd = xod_get(a, XOD(agents, on_call_acd))->b;
    bool nonacd = xod_get(a, XOD(agents, on_call_nonacd))->b;
    bool wrapup = xod_get(a, XOD(agents, on_wrapup))->b;

    if (there == view_eq(availability, VIEW("logged_out")))
        fail_msg("agent %s is %s and %s", xod_obj_id(a).ptr, status.ptr, availability.ptr);
    if (acd != on_call || (wrapup && acd) || (nonacd && acd))
        fail_msg("agent %s: acd %d, nonacd %d, wrapup %d", xod_obj_id(a).ptr, acd, nonacd, wrapup);
    if (!there && (nonacd || wrapup || xod_related(a, LIST_phones, 0)))
        fail_msg("agent %s is logged off and does something", xod_obj_id(a).ptr);
    if (wrapup != (xod_get(a, XOD(agents, wrapup_until))->type == V_FLOAT))
        fail_msg("agent %s: wrap-up without an end", xod_obj_id(a).ptr);
    if ((acd || wrapup) && !view_eq(availability, VIEW("unavailable")))
        fail_msg("agent %s is busy and %s", xod_obj_id(a).ptr, availability.ptr);
    if (view_starts(availability, VIEW("on_call_nonacd")) && !nonacd)
        fail_msg("agent %s is %s in no call", xod_obj_id(a).ptr, availability.ptr);
}

/* Made to reach somebody for a call that is told later: the halves of a Local channel, and the
 * channel of an agent. */
static inline bool is_a_way(struct view channel)
{
    return local_is_half(channel) || view_starts(channel, VIEW("Agent/"));
}

/* Each channel is in a call that is there, each call has a channel and names those that are. */
static inline void check_call_of(struct xod_obj *c)
{
    struct view id = xod_get_str(c, XOD(channels, call));
    struct xod_obj *call = xod_find(xod_obj_ipbx(c), LIST_calls, id);

    if (xod_get_str(c, XOD(channels, uniqueid)).len && !call &&
        !xod_get(c, XOD(channels, agent))->b && !is_a_way(xod_obj_id(c)) &&
        !view_eq(xod_get_str(c, XOD(channels, state)), VIEW("Down")))
        fail_msg("%s is in no call (%.*s)", xod_obj_id(c).ptr, VIEW_ARG(id));
    if (call && !local_is_half(xod_obj_id(c)) &&
        !value_list_has(xod_get(call, XOD(calls, participants)), xod_obj_id(c)))
        fail_msg("%s is no participant of its call", xod_obj_id(c).ptr);
}

static inline void check_call(struct xod_obj *call)
{
    const struct value *names = xod_get(call, XOD(calls, participants));
    struct view state = xod_get_str(call, XOD(calls, state));
    bool rings = view_eq(state, VIEW("ringing")) || view_eq(state, VIEW("queued"));

    if (!xod_lookup(xod_obj_ipbx(call), LIST_channels, XOD(channels, call), xod_obj_id(call), 0))
        fail_msg("call %s has no channel", xod_obj_id(call).ptr);
    for (uint32_t i = 0; i < names->len; i++)
        if (!xod_find(xod_obj_ipbx(call), LIST_channels, value_view(&names->items[i])))
            fail_msg("call %s has %s, which is not there", xod_obj_id(call).ptr, names->items[i].s);
    if (rings != (xod_get(call, XOD(calls, answered_at))->type == V_NULL))
        fail_msg("call %s is %s, and answered or not", xod_obj_id(call).ptr, state.ptr);
}

static inline void check_site(struct xod_ipbx *s)
{
    struct xod_obj *o;

    for (int list = 0; list < LIST_COUNT; list++)
        for (size_t pos = 0; (o = xod_next(s, (enum xod_list)list, &pos));)
            check_relations(o);
    for (size_t pos = 0; (o = xod_next(s, LIST_channels, &pos));) {
        check_peer(o);
        check_device(o, LIST_phones, XOD(phones, identity), XOD(phones, channels));
        check_device(o, LIST_trunks, XOD(trunks, identity), XOD(trunks, channels));
        check_waiting(o);
        check_call_of(o);
    }
    for (size_t pos = 0; (o = xod_next(s, LIST_calls, &pos));)
        check_call(o);
    for (size_t pos = 0; (o = xod_next(s, LIST_phones, &pos));)
        check_list(o, XOD(phones, channels), LIST_channels);
    for (size_t pos = 0; (o = xod_next(s, LIST_trunks, &pos));)
        check_list(o, XOD(trunks, channels), LIST_channels);
    for (size_t pos = 0; (o = xod_next(s, LIST_queues, &pos));) {
        check_list(o, XOD(queues, incalls), LIST_channels);
        check_count(o, XOD(queues, agentmembers), LIST_agents);
        check_count(o, XOD(queues, phonemembers), LIST_phones);
    }
    for (size_t pos = 0; (o = xod_next(s, LIST_groups, &pos));)
        check_list(o, XOD(groups, incalls), LIST_channels);
    for (size_t pos = 0; (o = xod_next(s, LIST_queuemembers, &pos));)
        check_member(o);
    for (size_t pos = 0; (o = xod_next(s, LIST_agents, &pos));)
        check_agent(o);
    for (size_t pos = 0; (o = xod_next(s, LIST_parkinglots, &pos));)
        check_bays(o);
    for (size_t pos = 0; (o = xod_next(s, LIST_meetmes, &pos));)
        check_room(o);
}

#endif
