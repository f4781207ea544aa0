/* What the events of an IPBX mean for sheets, but for those of the dialplan. */
#include "sheets/rules.h"
#include "sheets/trigger.h"
#include <stdio.h>

#include "model/tel.h"
#include "users/relations.h"
#include "json/json.h"

#define MAX_HOPS 8 /* Local channels one behind the other */

/* ---- calls ---- */

/* Local channels are only on the way: the channel that called them. */
static const struct xod_obj *root_of(struct ipbx_model *d, const struct xod_obj *channel)
{
    for (int hops = 0; channel && hops < MAX_HOPS; hops++) {
        struct view name = xod_obj_id(channel);
        const struct xod_obj *before;
        if (!local_is_half(name))
            return channel;
        before =
            name.ptr[name.len - 1] == '2' ? local_other_half(d, channel) : channel_peer(channel);
        if (!before)
            return channel;
        channel = before;
    }
    return channel;
}

struct call *event_call(struct sheets *sh, struct ipbx_model *d, const struct xod_obj *channel)
{
    const struct xod_obj *root = root_of(d, channel);
    struct call *call = root ? call_of(sh->calls, root) : NULL;

    if (call)
        values_learn(call, root);
    return call;
}

struct call *event_call_named(struct sheets *sh, struct ipbx_model *d, struct view uniqueid,
                              struct view name)
{
    const struct xod_obj *channel = NULL;

    if (uniqueid.len)
        channel = xod_lookup(d->ipbx, LIST_channels, XOD(channels, uniqueid), uniqueid, 0);
    if (!channel && name.len)
        channel = xod_find(d->ipbx, LIST_channels, name);
    return channel ? event_call(sh, d, channel) : NULL;
}

/* ---- whom ---- */

static const struct xod_obj *user_of_agent(const struct xod_obj *agent)
{
    const struct xod_obj *user = relations_user(agent);
    const struct xod_obj *phone = user ? NULL : xod_related(agent, LIST_phones, 0);

    return phone ? relations_user(phone) : user;
}

static const struct xod_obj *agent_of(struct ipbx_model *d, struct view device)
{
    return view_starts(device, VIEW("Agent/"))
               ? agent_numbered(d, view_of(device.ptr + 6, device.len - 6))
               : NULL;
}

static const struct xod_obj *user_of_channel(struct ipbx_model *d, const struct xod_obj *channel)
{
    const struct xod_obj *phone = xod_related(channel, LIST_phones, 0);
    const struct xod_obj *agent = phone ? NULL : agent_of(d, xod_obj_id(channel));

    if (agent)
        return user_of_agent(agent);
    return phone ? relations_user(phone) : NULL;
}

/* The agent that the event of a queue is about; NULL: another member. */
static const struct xod_obj *agent_of_event(struct ipbx_model *d, const struct tel *t)
{
    char scratch[128];

    return agent_of(d, member_interface(t, TELF_member, scratch));
}

static const struct xod_obj *user_of_member(struct ipbx_model *d, const struct tel *t)
{
    const struct xod_obj *agent = agent_of_event(d, t);
    const struct xod_obj *phone = agent ? NULL : phone_of_device(d, t->str[TELF_member]);

    if (agent)
        return user_of_agent(agent);
    return phone ? relations_user(phone) : NULL;
}

static void happened(struct sheets *sh, struct ipbx_model *d, const char *event, struct call *call,
                     const struct xod_obj *user, double time)
{
    struct sheet_trigger o = {.d = d, .event = event, .call = call, .time = time};

    sheet_trigger_add(&o, user);
    sheets_happened(sh, &o);
}

void event_incoming(struct sheets *sh, struct ipbx_model *d, struct call *call,
                    const struct xod_obj *user, double time)
{
    if (call->incoming)
        happened(sh, d, "incomingdid", call, user, time);
}

/* A call of a trunk of which no dialplan tells that it comes in. */
static void notice_trunk(struct sheets *sh, struct ipbx_model *d, struct call *call, double time)
{
    const struct xod_obj *root =
        xod_lookup(d->ipbx, LIST_channels, XOD(channels, uniqueid), call_uniqueid(call), 0);

    if (call->incoming || !root || !xod_related(root, LIST_trunks, 0))
        return;
    call->incoming = true;
    if (!json_get(call->xivo, "did"))
        call_set(call->xivo, VIEW("did"), xod_get_str(root, XOD(channels, exten)));
    event_incoming(sh, d, call, NULL, time);
}

/* ---- ringing ---- */

static struct view uniqueid_of(const struct xod_obj *channel)
{
    return xod_get_str(channel, XOD(channels, uniqueid));
}

/* What a queue rings by a Local channel is rung once more behind it, but for agents. */
static void ring(struct sheets *sh, struct ipbx_model *d, const struct tel *t, struct call *call,
                 const struct xod_obj *called, const struct xod_obj *user)
{
    struct leg *leg = call_leg(sh->calls, call, uniqueid_of(called), user);
    struct sheet_trigger o = {.d = d, .call = call, .time = t->time, .often = EACH_RING};
    bool queue = t->event == TEL_agent_called;

    if (!leg)
        return;
    leg->local = local_is_half(xod_obj_id(called));
    event_incoming(sh, d, call, user, t->time);
    sheet_trigger_add(&o, user);
    if (queue) {
        o.agent = agent_of_event(d, t);
        call_set(call->xivo, VIEW("queuename"), t->str[TELF_queue]);
    }
    if (!leg->rung && (o.agent || !leg->local)) {
        leg->rung = true;
        o.event = "dial";
        sheets_happened(sh, &o);
    }
    if (queue && !leg->queue_rung) {
        leg->queue_rung = true;
        o.event = "agentcalled";
        sheets_happened(sh, &o);
    }
}

/* A user calls somebody behind a trunk. */
static void call_out(struct sheets *sh, struct ipbx_model *d, struct call *call, double time)
{
    const struct xod_obj *caller =
        xod_find(d->ipbx, LIST_users, json_get_view(call->seen, "userid"));

    if (!caller)
        return;
    call_set(call->xivo, VIEW("direction"), VIEW("outgoing"));
    happened(sh, d, "outcall", call, caller, time);
}

static void on_dial(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    const struct xod_obj *caller = xod_find(d->ipbx, LIST_channels, t->str[TELF_channel]);
    const struct xod_obj *called = xod_find(d->ipbx, LIST_channels, t->str[TELF_destination]);
    struct call *call = caller && called ? event_call(sh, d, caller) : NULL;
    const struct xod_obj *user;

    if (!call)
        return;
    notice_trunk(sh, d, call, t->time);
    user = t->event == TEL_agent_called ? user_of_member(d, t) : user_of_channel(d, called);
    if (user)
        ring(sh, d, t, call, called, user);
    else if (xod_related(called, LIST_trunks, 0))
        call_out(sh, d, call, t->time);
}

static void on_queue_join(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    struct call *call = event_call_named(sh, d, t->str[TELF_uniqueid], t->str[TELF_channel]);

    if (!call)
        return;
    call_set(call->xivo, VIEW("queuename"), t->str[TELF_queue]);
    notice_trunk(sh, d, call, t->time);
}

/* ---- talking ---- */

static bool was_called(const struct xod_obj *channel)
{
    return view_eq(xod_get_str(channel, XOD(channels, commstatus)), VIEW("linked-called"));
}

static void on_link(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    const struct xod_obj *caller = xod_find(d->ipbx, LIST_channels, t->str[TELF_channel]);
    const struct xod_obj *called = xod_find(d->ipbx, LIST_channels, t->str[TELF_other]);
    const struct xod_obj *user;
    struct call *call;
    struct leg *leg;

    if (caller && called && was_called(caller)) {
        const struct xod_obj *swap = caller;
        caller = called;
        called = swap;
    }
    if (!caller || !called || !was_called(called))
        return;
    user = user_of_channel(d, called);
    call = user ? event_call(sh, d, caller) : NULL;
    leg = call ? call_leg(sh->calls, call, uniqueid_of(called), user) : NULL;
    if (!leg)
        return;
    leg->linked = true;
    happened(sh, d, "link", call, user, t->time);
}

/* The user of a leg has talked. */
static void unlink_leg(struct sheets *sh, struct ipbx_model *d, struct leg *leg, double time)
{
    leg->linked = false;
    happened(sh, d, "unlink", leg->call, xod_find(d->ipbx, LIST_users, view_cstr(leg->user_id)),
             time);
}

static struct view uniqueid_named(struct ipbx_model *d, const struct tel *t,
                                  enum tel_field uniqueid, enum tel_field name)
{
    const struct xod_obj *c = xod_find(d->ipbx, LIST_channels, t->str[name]);

    return t->str[uniqueid].len || !c ? t->str[uniqueid] : uniqueid_of(c);
}

/* When a Local channel is taken out of a call, those at its ends go on talking. */
static void on_unlink(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    struct leg *leg;

    if (local_is_half(t->str[TELF_channel]) || local_is_half(t->str[TELF_other]))
        return;
    leg = leg_find(sh->calls, d->ipbx, uniqueid_named(d, t, TELF_uniqueid, TELF_channel));
    if (!leg || !leg->linked)
        leg = leg_find(sh->calls, d->ipbx, uniqueid_named(d, t, TELF_other_uniqueid, TELF_other));
    if (leg && leg->linked)
        unlink_leg(sh, d, leg, t->time);
}

static void agent_unlinked(struct sheets *sh, struct ipbx_model *d, struct call *call, double time)
{
    const struct xod_obj *user = xod_find(d->ipbx, LIST_users, view_cstr(call->agent));

    call->agent[0] = '\0';
    happened(sh, d, "agentunlinked", call, user, time);
}

static void on_connect(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    struct call *call = event_call_named(sh, d, t->str[TELF_uniqueid], t->str[TELF_channel]);
    const struct xod_obj *user = user_of_member(d, t);
    struct sheet_trigger o = {.d = d, .event = "agentlinked", .call = call, .time = t->time};

    if (!call || !user)
        return;
    call_set(call->xivo, VIEW("queuename"), t->str[TELF_queue]);
    snprintf(call->agent, sizeof(call->agent), "%.*s", VIEW_ARG(xod_obj_id(user)));
    sheet_trigger_add(&o, user);
    o.agent = agent_of_event(d, t);
    sheets_happened(sh, &o);
}

static void on_complete(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    struct call *call = event_call_named(sh, d, t->str[TELF_uniqueid], t->str[TELF_channel]);

    if (call && call->agent[0])
        agent_unlinked(sh, d, call, t->time);
}

/* ---- the end ---- */

static void end_leg(struct sheets *sh, struct ipbx_model *d, struct leg *leg, double time)
{
    struct sheet_trigger o = {
        .d = d, .event = "hangup", .call = leg->call, .time = time, .often = EACH_RING};

    if (leg->linked)
        unlink_leg(sh, d, leg, time);
    if (leg_is_last(leg)) {
        sheet_trigger_add(&o, xod_find(d->ipbx, LIST_users, view_cstr(leg->user_id)));
        sheets_happened(sh, &o);
    }
    leg_end(sh->calls, leg);
}

static void on_hangup(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    struct call *call = call_find(sh->calls, d->ipbx, t->str[TELF_uniqueid]);
    struct leg *leg = leg_find(sh->calls, d->ipbx, t->str[TELF_uniqueid]);

    if (leg && !leg->local)
        end_leg(sh, d, leg, t->time);
    if (!call)
        return;
    if (call->agent[0]) /* it is told later, when nothing is known of the call any more */
        agent_unlinked(sh, d, call, t->time);
    while ((leg = LIST_FIRST(&call->legs)))
        end_leg(sh, d, leg, t->time);
    call_end(sh->calls, call);
}

/* ---- faxes ---- */

static void on_fax(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    struct call *call = event_call_named(sh, d, t->str[TELF_uniqueid], t->str[TELF_channel]);
    const struct xod_obj *user = NULL;

    if (!call)
        return;
    call_set(call->xivo, VIEW("faxstatus"), t->str[TELF_status]);
    call_set(call->xivo, VIEW("faxstation"), t->str[TELF_station]);
    call_set(call->xivo, VIEW("faxfile"), t->str[TELF_file]);
    if (tel_has(t, TELF_pages)) {
        struct value pages = {.type = V_INT, .i = t->num[TELF_pages]};
        char scratch[32];
        call_set(call->xivo, VIEW("faxpages"), value_text(&pages, scratch));
    }
    if (view_eq(json_get_view(call->xivo, "desttype"), VIEW("user")))
        user = xod_find(d->ipbx, LIST_users, json_get_view(call->xivo, "destid"));
    happened(sh, d, "faxreceived", call, user, t->time);
}

static void on_listed(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    if (view_eq(t->str[TELF_kind], VIEW("channels")) || view_eq(t->str[TELF_kind], VIEW("all")))
        calls_sweep(sh->calls, d->ipbx);
}

typedef void event_fn(struct sheets *sh, struct ipbx_model *d, const struct tel *t);

static event_fn *const handlers[TEL_EVENT_COUNT] = {
    [TEL_dial_begin] = on_dial,         [TEL_agent_called] = on_dial,
    [TEL_queue_join] = on_queue_join,   [TEL_call_link] = on_link,
    [TEL_call_unlink] = on_unlink,      [TEL_agent_connect] = on_connect,
    [TEL_agent_complete] = on_complete, [TEL_channel_hangup] = on_hangup,
    [TEL_fax_received] = on_fax,        [TEL_user_event] = user_event,
    [TEL_resync_end] = on_listed,
};

/* A listing tells what has been for long: nothing happens then. */
void sheets_event(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    if (handlers[t->event] && !t->resync && rules_any(sh->state->cfg))
        handlers[t->event](sh, d, t);
}
