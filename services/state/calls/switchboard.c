/*
 * What the switchboard of the later clients does with the operator's call. These are classes of
 * their own in the protocol; a waiting call is named by the Uniqueid of its channel.
 */
#include <stdio.h>

#include "calls/ipbx_command.h"
#include "calls/transfers.h"
#include "model/model.h"

static struct xod_obj *waiting_channel(struct ipbx_command *o)
{
    struct view id = msg_get_str(o->message, "unique_id");
    struct xod_obj *c;

    if (id.len == 0)
        id = msg_get_str(o->message, "uniqueid");
    c = id.len ? xod_lookup(o->ipbx, LIST_channels, XOD(channels, uniqueid), id, 0) : NULL;
    c = c ? target_find(o->s, o->se, LIST_channels, xod_obj_id(c)) : NULL;
    if (!c)
        ipbx_command_wrong(o, "unique_id", "no_such_channel");
    return c;
}

/* The other end of the operator's call; NULL: wrong is said. */
static struct xod_obj *other_end(struct ipbx_command *o)
{
    struct xod_obj *own = ipbx_command_current(o);
    struct xod_obj *peer = own ? channel_peer(own) : NULL;

    if (!peer)
        ipbx_command_wrong(o, "command", "no_call");
    return peer;
}

static bool number_of(struct ipbx_command *o, struct destination *to)
{
    struct target t = ipbx_command_target(o, "number", LIST_COUNT);

    if (target_destination(o->s, o->user, &t, true, to))
        return true;
    ipbx_command_wrong(o, "number", "unreachable_extension");
    return false;
}

/* The mailbox whose number is given, to leave a message. */
static bool mailbox_of(struct ipbx_command *o, struct destination *to)
{
    char scratch[32], text[32];
    struct view number = msg_get_text(o->message, "voicemail", scratch);
    struct xod_obj *box;

    for (size_t pos = 0; (box = xod_next(o->ipbx, LIST_voicemails, &pos));) {
        struct target t = {.kind = TARGET_OBJECT, .object = box};
        if (view_eq(value_text(xod_get(box, XOD(voicemails, mailbox)), text), number) &&
            target_find(o->s, o->se, LIST_voicemails, xod_obj_id(box)))
            return target_destination(o->s, o->user, &t, true, to);
    }
    ipbx_command_wrong(o, "voicemail", "no_such_mailbox");
    return false;
}

void ipbx_switchboard_hangup(struct ipbx_command *o)
{
    struct xod_obj *own = ipbx_command_current(o);

    if (own)
        ipbx_command_action(o, "Hangup", "Channel", xod_obj_id(own), NULL);
}

/* Waits in a queue of held calls. */
void ipbx_hold_switchboard(struct ipbx_command *o)
{
    char scratch[32];
    struct view name = msg_get_text(o->message, "queue_name", scratch);
    struct xod_obj *queue = xod_lookup(o->ipbx, LIST_queues, XOD(queues, name), name, 0);
    struct target t = {.kind = TARGET_OBJECT, .object = queue};
    struct destination to;
    struct xod_obj *peer;

    if (!queue || !target_find(o->s, o->se, LIST_queues, xod_obj_id(queue)) ||
        !target_destination(o->s, o->user, &t, true, &to))
        ipbx_command_wrong(o, "queue_name", "no_such_queue");
    else if ((peer = other_end(o)))
        ipbx_command_redirect(o, peer, &to);
}

/* Comes back to the operator's phone. */
void ipbx_resume_switchboard(struct ipbx_command *o)
{
    struct target me = {.kind = TARGET_OBJECT, .object = o->user};
    struct xod_obj *channel = waiting_channel(o);
    struct destination to;

    if (channel && target_destination(o->s, o->user, &me, true, &to))
        ipbx_command_redirect(o, channel, &to);
    else
        ipbx_command_wrong(o, "source", "no_line");
}

/* A call that rings at the operator is picked up; one that waits comes to the phone. */
void ipbx_switchboard_answer(struct ipbx_command *o)
{
    struct xod_obj *c;

    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++)
        if (channel_is_ringing(c)) {
            struct xod_obj *phone = xod_related(c, LIST_phones, 0);
            ipbx_command_action(o, "phone.notify", "peer",
                                xod_get_str(phone, XOD(phones, identity)), "variable",
                                VIEW("Event=talk"), NULL);
            return;
        }
    ipbx_resume_switchboard(o);
}

static void transfer_to(struct ipbx_command *o, const struct destination *to)
{
    struct xod_obj *peer = other_end(o);

    if (peer)
        ipbx_command_redirect(o, peer, to);
}

void ipbx_direct_transfer(struct ipbx_command *o)
{
    struct destination to;

    if (number_of(o, &to))
        transfer_to(o, &to);
}

void ipbx_blind_transfer_voicemail(struct ipbx_command *o)
{
    struct destination to;

    if (mailbox_of(o, &to))
        transfer_to(o, &to);
}

static void ask_and_transfer(struct ipbx_command *o, const struct destination *to)
{
    struct xod_obj *own = ipbx_command_current(o);

    if (!own || !other_end(o)) {
        ipbx_command_wrong(o, "command", "no_call");
        return;
    }
    ipbx_command_transfers(o, own, to);
    ipbx_command_action(o, "Atxfer", "Channel", xod_obj_id(own), "Exten", view_cstr(to->exten),
                        "Context", view_cstr(to->context), "Priority", VIEW("1"), NULL);
}

void ipbx_attended_transfer(struct ipbx_command *o)
{
    struct destination to;

    if (number_of(o, &to))
        ask_and_transfer(o, &to);
}

void ipbx_attended_transfer_voicemail(struct ipbx_command *o)
{
    struct destination to;

    if (mailbox_of(o, &to))
        ask_and_transfer(o, &to);
}

/* The transferring channel hangs up: that is how Asterisk completes it. */
void ipbx_complete_transfer(struct ipbx_command *o)
{
    ipbx_switchboard_hangup(o);
}
