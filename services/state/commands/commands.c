/* Which CTI command is carried out by which file, and whether it is permitted. */
#include "commands/commands.h"
#include "base/array.h"
#include "core/profile.h"
#include "sessions/budgets.h"

static const struct command *const commands[] = {
    &command_actionfiche,
    &command_admin_kick,
    &command_admin_reload,
    &command_admin_status,
    &command_answer,
    &command_attended_transfer,
    &command_attended_transfer_voicemail,
    &command_availstate,
    &command_blind_transfer_voicemail,
    &command_callcampaign,
    &command_call_form_result,
    &command_cancel_transfer,
    &command_chat_history,
    &command_chitchat,
    &command_complete_transfer,
    &command_directory,
    &command_direct_transfer,
    &command_faxsend,
    &command_featuresget,
    &command_featuresput,
    &command_get_switchboard_directory_headers,
    &command_getqueuesstats,
    &command_hangup,
    &command_history,
    &command_hold_switchboard,
    &command_invite_confroom,
    &command_ipbxcommand,
    &command_people_create_personal_contact,
    &command_people_delete_personal_contact,
    &command_people_edit_personal_contact,
    &command_people_export_personal_contacts_csv,
    &command_people_favorites,
    &command_people_headers,
    &command_people_import_personal_contacts_csv,
    &command_people_personal_contact_raw,
    &command_people_personal_contacts,
    &command_people_purge_personal_contacts,
    &command_people_search,
    &command_people_set_favorite,
    &command_resume_switchboard,
    &command_sheet,
    &command_switchboard_directory_search,
};

static const struct command *find(struct view class)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (view_eq(view_cstr(commands[i]->class), class))
            return commands[i];
    return NULL;
}

/* What the profile permits: the class, and of an ipbxcommand the command. */
static bool permitted(const struct state *s, const struct session *se, struct view class,
                      const msgpack_object *message)
{
    struct view capaid = view_cstr(se->capaid);

    if (!profile_permits_class(s->cfg, capaid, class))
        return false;
    return !view_eq(class, VIEW("ipbxcommand")) ||
           profile_permits(s->cfg, capaid, "ipbxcommands", msg_get_str(message, "command"));
}

void command_run(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct session *se = session_find(s->sessions, msg_get_str(body, "session"));
    struct view class = msg_get_str(body, "class");
    const msgpack_object *message = msg_get(body, "message");
    const struct command *c = find(class);
    struct deferred_reply *l;

    if (!se) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    if (!message || message->type != MSGPACK_OBJECT_MAP) {
        state_reply(s, p, id, BUS_malformed);
        return;
    }
    if (!budget_allows(s, se, class, message)) { /* without a row and an event of each */
        state_reply(s, p, id, BUS_busy);
        return;
    }
    l = deferred_reply_for_command(s, p, id, se->ipbx, view_cstr(se->user_id), class,
                                   c && c->reads);
    if (!l)
        return;
    if (!permitted(s, se, class, message))
        deferred_reply_status(&l, BUS_unallowed);
    else if (!c)
        deferred_reply_status(&l, BUS_unknown_method);
    else if (!session_user(se))
        deferred_reply_status(&l, BUS_not_found);
    else
        c->fn(s, se, l, message);
}
