/* invite_confroom: calls somebody into the conference that the user is in. */
#include "calls/ipbx_command.h"
#include "calls/parties.h"

/* The room that one of the user's phones is in, or NULL. */
static struct xod_obj *own_room(const struct ipbx_command *o)
{
    struct xod_obj *c;

    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++) {
        struct xod_obj *room = xod_related(c, LIST_meetmes, 0);
        if (room)
            return room;
    }
    return NULL;
}

void ipbx_invite_confroom(struct ipbx_command *o)
{
    struct target who = ipbx_command_target(o, "invitee", LIST_users);
    struct xod_obj *phone = target_phone(o->s, o->se, &who);
    struct xod_obj *room = own_room(o);
    struct target t = {.kind = TARGET_OBJECT, .object = room};
    struct destination to;
    struct parties shown;
    struct view channel;

    if (!phone) {
        o->text = "The invited person has no line";
        ipbx_command_wrong(o, "invitee", "no_line");
        return;
    }
    if (!room || !target_destination(o->s, o->user, &t, true, &to)) {
        o->text = "You are not in a conference room";
        ipbx_command_wrong(o, "command", "not_in_a_room");
        return;
    }
    o->text = "The invitation is sent";
    channel = xod_get_str(phone, XOD(phones, identity));
    parties_set(&shown, o->user, channel, view_cstr(to.name), view_cstr(to.exten));
    ipbx_command_action(o, "Originate", "Channel", channel, "Exten", view_cstr(to.exten), "Context",
                        view_cstr(to.context), "Priority", VIEW("1"), "Timeout", VIEW("30000"),
                        "CallerID", view_cstr(shown.callerid), "Variable", view_cstr(shown.name),
                        "Variable", view_cstr(shown.number), NULL);
}
