/* transfer, atxfer, transfercancel, intercept, parking: calls that go on elsewhere. */
#include "calls/transfers.h"
#include "model/model.h"

/* The channel of the user that `source` names, or that of the call that goes on now; NULL: wrong is
 * said. */
static struct xod_obj *source_of(struct ipbx_command *o)
{
    bool named = msg_get(o->message, "source");
    struct xod_obj *channel = named ? ipbx_command_channel(o, "source") : ipbx_command_current(o);

    if (!channel)
        ipbx_command_wrong(o, "source", named ? "no_such_channel" : "no_call");
    return channel;
}

static bool destination_of(struct ipbx_command *o, struct destination *to)
{
    struct target t = ipbx_command_target(o, "destination", LIST_COUNT);

    if (target_destination(o->s, o->user, &t, true, to))
        return true;
    ipbx_command_wrong(o, "destination", "unreachable_extension");
    return false;
}

/* Clients name the channel of the other end; the user's own channel, or none, means it, too. One
 * that rings cannot go elsewhere: its caller does. */
void ipbx_transfer(struct ipbx_command *o)
{
    struct xod_obj *channel = source_of(o);
    struct destination to;

    if (channel && (ipbx_command_is_own(o, channel) || channel_is_ringing(channel)) &&
        !(channel = channel_peer(channel)))
        ipbx_command_wrong(o, "source", "no_peer");
    if (channel && destination_of(o, &to))
        ipbx_command_redirect(o, channel, &to);
}

void ipbx_atxfer(struct ipbx_command *o)
{
    struct xod_obj *channel = source_of(o);
    struct destination to;

    if (!channel || !destination_of(o, &to))
        return;
    ipbx_command_transfers(o, channel, &to);
    ipbx_command_action(o, "Atxfer", "Channel", xod_obj_id(channel), "Exten", view_cstr(to.exten),
                        "Context", view_cstr(to.context), "Priority", VIEW("1"), NULL);
}

/* Older Asterisks give a transfer up when the consulted channel is gone: only that one may be hung
 * up. Nothing is sent where there is no transfer, which the answer says. */
static void give_up(struct ipbx_command *o, const struct xod_obj *channel)
{
    struct xod_obj *asked = transfers_asked(o->s->transfers, channel);

    if (!transfers_is_one(o->s->transfers, channel))
        return;
    ipbx_command_action(o, "transfer.cancel", "channel", xod_obj_id(channel), "other",
                        asked ? xod_obj_id(asked) : view_of(NULL, 0), NULL);
}

static void cancel_one(struct ipbx_command *o, struct view text)
{
    struct xod_obj *channel = target_find(o->s, o->se, LIST_channels, text);

    if (channel)
        give_up(o, channel);
    else
        ipbx_command_wrong(o, "channelids", "no_such_channel");
}

void ipbx_transfercancel(struct ipbx_command *o)
{
    struct xod_obj *current;

    if (ipbx_command_each(o, "channelids", cancel_one) > 0)
        return;
    current = ipbx_command_current(o);
    if (current)
        give_up(o, current);
}

/* Pick up the caller's channel: a ringing channel cannot be redirected. */
void ipbx_intercept(struct ipbx_command *o)
{
    struct xod_obj *channel = ipbx_command_channel(o, "tointercept");
    struct target who = {.kind = TARGET_OBJECT, .object = o->user};
    struct destination to;

    if (msg_get(o->message, "catcher"))
        who = ipbx_command_target(o, "catcher", LIST_users);
    if (!channel)
        ipbx_command_wrong(o, "tointercept", "no_such_channel");
    else if (channel_is_ringing(channel) && !(channel = channel_peer(channel)))
        ipbx_command_wrong(o, "tointercept", "no_peer");
    else if (!target_destination(o->s, o->user, &who, true, &to))
        ipbx_command_wrong(o, "catcher", "no_line");
    else
        ipbx_command_redirect(o, channel, &to);
}

/* The call returns to the channel that was linked to it. */
void ipbx_parking(struct ipbx_command *o)
{
    struct xod_obj *channel = source_of(o);
    struct xod_obj *lot = NULL;
    struct xod_obj *parker;

    if (!channel)
        return;
    if (msg_get(o->message, "destination")) {
        struct target t = ipbx_command_target(o, "destination", LIST_parkinglots);
        lot =
            t.kind == TARGET_OBJECT && xod_obj_list(t.object) == LIST_parkinglots ? t.object : NULL;
        if (!lot) {
            ipbx_command_wrong(o, "destination", "no_such_parkinglot");
            return;
        }
    }
    if (ipbx_command_is_own(o, channel) && !(channel = channel_peer(channel))) {
        ipbx_command_wrong(o, "source", "no_peer");
        return;
    }
    parker = channel_peer(channel);
    ipbx_command_action(o, "call.park", "channel", xod_obj_id(channel), "parker",
                        parker ? xod_obj_id(parker) : view_of(NULL, 0), "lot",
                        lot ? xod_get_str(lot, XOD(parkinglots, name)) : view_of(NULL, 0), NULL);
}
