/* One file for each class of the CTI protocol. */
#ifndef CTIBUS_STATE_COMMANDS_COMMANDS_H
#define CTIBUS_STATE_COMMANDS_COMMANDS_H

#include "core/deferred_reply.h"
#include "sessions/sessions.h"

/* Carries out what a client sent (`message`, a map as the client wrote it, its types unchecked) and
 * answers l, now or later: with ok and a map of the fields of the line that answers the client
 * (class, replyid and timenow are put around it), or with another status and nothing. The profile
 * has been asked whether it permits the class. */
typedef void command_fn(struct state *s, struct session *se, struct deferred_reply *l,
                        const msgpack_object *message);
struct command {
    const char *class;
    command_fn *fn;
    bool reads; /* changes nothing: of no concern to the log */
};
extern const struct command command_actionfiche, command_admin_kick, command_admin_reload,
    command_admin_status, command_answer, command_attended_transfer,
    command_attended_transfer_voicemail, command_availstate, command_blind_transfer_voicemail,
    command_callcampaign, command_call_form_result, command_chat_history, command_cancel_transfer,
    command_chitchat, command_complete_transfer, command_directory, command_direct_transfer,
    command_faxsend, command_featuresget, command_featuresput, command_getqueuesstats,
    command_hangup, command_get_switchboard_directory_headers, command_history,
    command_hold_switchboard, command_invite_confroom, command_ipbxcommand,
    command_people_create_personal_contact, command_people_delete_personal_contact,
    command_people_edit_personal_contact, command_people_export_personal_contacts_csv,
    command_people_favorites, command_people_headers, command_people_import_personal_contacts_csv,
    command_people_personal_contact_raw, command_people_personal_contacts,
    command_people_purge_personal_contacts, command_people_search, command_people_set_favorite,
    command_resume_switchboard, command_switchboard_directory_search, command_sheet;
void command_run(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
/* Is the user that a message names (by an id, site/id, user:site/id, user:special:me or J13's
 * "null/null") the one of the session? So is one that names nobody. */
bool command_is_self(const struct session *se, const msgpack_object *message, const char *key);
/* The `pattern` of a lookup: a text, or a number as text. A message without one looks for
 * everything; false: it is something else, which must not fetch everything. */
bool command_pattern(const msgpack_object *message, char scratch[32], struct view *text);

#endif
