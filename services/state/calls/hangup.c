/* hangup, hangupme, refuse, cancel, answer: the user's phone, and calls that end. */
#include <stdio.h>

#include "calls/ipbx_command.h"
#include "model/model.h"

#define Q850_BUSY "17"

static struct xod_obj *channel_of(struct ipbx_command *o, struct view text)
{
    struct xod_obj *channel = target_find(o->s, o->se, LIST_channels, text);

    if (!channel)
        ipbx_command_wrong(o, "channelids", "no_such_channel");
    return channel;
}

static void hang_up(struct ipbx_command *o, struct view text)
{
    struct xod_obj *channel = channel_of(o, text);

    if (channel)
        ipbx_command_action(o, "Hangup", "Channel", xod_obj_id(channel), NULL);
}

void ipbx_hangup(struct ipbx_command *o)
{
    if (ipbx_command_each(o, "channelids", hang_up) == 0)
        ipbx_command_wrong(o, "channelids", "missing");
}

void ipbx_hangupme(struct ipbx_command *o)
{
    struct xod_obj *c;

    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++)
        ipbx_command_action(o, "Hangup", "Channel", xod_obj_id(c), NULL);
}

/* The caller is to hear that it is busy: by the dialplan where it has an extension for that, else
 * by the cause with which the phone is taken off the call. */
static void refuse(struct ipbx_command *o, struct view text)
{
    struct xod_obj *channel = channel_of(o, text);
    struct view context = view_cstr(config_str(o->s->cfg, "ctibus.dialplan.busy"));
    struct view exten = view_cut(&context, '@');
    struct xod_obj *caller = channel ? channel_peer(channel) : NULL;

    if (!channel)
        return;
    if (caller && exten.len && context.len)
        ipbx_command_action(o, "Redirect", "Channel", xod_obj_id(caller), "Exten", exten, "Context",
                            context, "Priority", VIEW("1"), NULL);
    else
        ipbx_command_action(o, "Hangup", "Channel", xod_obj_id(channel), "Cause", VIEW(Q850_BUSY),
                            NULL);
}

/* Without channels: what rings at the user's phones. */
static size_t each_ringing(struct ipbx_command *o, ipbx_command_text_fn *fn)
{
    struct xod_obj *c;
    size_t n = 0;

    for (size_t i = 0; (c = ipbx_command_own_channel(o, i)); i++)
        if (channel_is_ringing(c)) {
            fn(o, xod_obj_id(c));
            n++;
        }
    return n;
}

void ipbx_refuse(struct ipbx_command *o)
{
    if (ipbx_command_each(o, "channelids", refuse) == 0)
        each_ringing(o, refuse);
}

void ipbx_cancel(struct ipbx_command *o)
{
    if (ipbx_command_each(o, "channelids", hang_up) == 0)
        each_ringing(o, hang_up);
}

static void pick_up(struct ipbx_command *o, const struct xod_obj *phone)
{
    ipbx_command_action(o, "phone.notify", "peer", xod_get_str(phone, XOD(phones, identity)),
                        "variable", VIEW("Event=talk"), NULL);
}

static void answer_at(struct ipbx_command *o, struct view text)
{
    struct xod_obj *phone = target_find(o->s, o->se, LIST_phones, text);

    if (!phone || !xod_is_tied(phone, o->user))
        ipbx_command_wrong(o, "phoneids", "not_your_phone");
    else
        pick_up(o, phone);
}

/* The phone of the user that rings, for this call if one is named. */
void ipbx_answer(struct ipbx_command *o)
{
    struct view uniqueid = msg_get_str(o->message, "uniqueid");
    struct xod_obj *c;

    if (uniqueid.len == 0)
        uniqueid = msg_get_str(o->message, "unique_id");
    if (ipbx_command_each(o, "phoneids", answer_at) > 0)
        return;
    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++)
        if (channel_is_ringing(c) &&
            (uniqueid.len == 0 || view_eq(xod_get_str(c, XOD(channels, uniqueid)), uniqueid))) {
            pick_up(o, xod_related(c, LIST_phones, 0));
            return;
        }
    if (uniqueid.len)
        ipbx_command_wrong(o, "uniqueid", "no_such_channel");
}
