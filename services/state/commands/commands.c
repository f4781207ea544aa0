/* Which CTI command is carried out by which file, and whether it is permitted. */
#include "commands/commands.h"
#include "base/array.h"
#include "core/observed.h"
#include "core/profile.h"
#include "handlers/handlers.h"
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
    &command_getagentsstats,
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

bool command_is_known(struct view class)
{
    return find(class) != NULL;
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

static struct observed *command_observed(struct state *s, struct session *se, struct view class,
                                         const msgpack_object *message)
{
    const struct xod_obj *user = session_user(se);
    struct observed_message m = {.ipbx = se->ipbx,
                                 .session = view_cstr(se->id),
                                 .user_id = view_cstr(se->user_id),
                                 .class = class,
                                 .message = message};
    char scratch[32];

    if (user)
        m.login = value_text(xod_get(user, XOD(users, loginclient)), scratch);
    return observed_begin(s, &m);
}

/* What a gateway answers by itself: only told to observers. */
void command_observe(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct session *se = session_find(s->sessions, msg_get_str(body, "session"));
    struct observed *o =
        se ? command_observed(s, se, msg_get_str(body, "class"), msg_get(body, "message")) : NULL;

    observed_end(&o, msg_get_str(body, "outcome"), msg_get_u64(body, "us", 0), view_of(NULL, 0));
    state_reply(s, p, id, se ? BUS_ok : BUS_not_found);
}

static void carry_out(struct state *s, struct session *se, struct deferred_reply *l,
                      struct view class, const msgpack_object *message)
{
    const struct command *c = find(class);
    bool needs_permission = true;
    bool handled = handlers_has(s->handlers, se->ipbx, class, &needs_permission);

    if ((c || !handled || needs_permission) && !permitted(s, se, class, message))
        deferred_reply_status(&l, BUS_unallowed);
    else if (!c && !handled)
        deferred_reply_status(&l, BUS_unknown_method);
    else if (!session_user(se))
        deferred_reply_status(&l, BUS_not_found);
    else if (handled)
        handlers_ask(s->handlers, se, class, l, message);
    else
        c->fn(s, se, l, message);
}

bool command_start(struct state *s, const struct command_request *rq, struct session *se)
{
    const struct command *c = find(rq->class);
    struct deferred_reply *l;

    if (!rq->message || rq->message->type != MSGPACK_OBJECT_MAP) {
        state_reply(s, rq->peer, rq->id, BUS_malformed);
        return false;
    }
    if (!budget_allows(s, se, rq->class, rq->message)) { /* without a row and an event of each */
        state_reply(s, rq->peer, rq->id, BUS_busy);
        return false;
    }
    l = deferred_reply_for_command(s, rq->peer, rq->id, se->ipbx, view_cstr(se->user_id), rq->class,
                                   c && c->reads);
    if (!l)
        return false;
    if (rq->watch)
        deferred_reply_watch(l, rq->watch, rq->watch_arg);
    deferred_reply_observe(l, command_observed(s, se, rq->class, rq->message));
    carry_out(s, se, l, rq->class, rq->message);
    return true;
}

void command_run(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct session *se = session_find(s->sessions, msg_get_str(body, "session"));
    const struct command_request rq = {.peer = p,
                                       .id = id,
                                       .class = msg_get_str(body, "class"),
                                       .message = msg_get(body, "message")};

    if (se)
        command_start(s, &rq, se);
    else
        state_reply(s, p, id, BUS_not_found);
}
