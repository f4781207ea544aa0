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
    command_faxsend, command_featuresget, command_featuresput, command_getagentsstats,
    command_getqueuesstats, command_hangup, command_get_switchboard_directory_headers,
    command_history, command_hold_switchboard, command_invite_confroom, command_ipbxcommand,
    command_people_create_personal_contact, command_people_delete_personal_contact,
    command_people_edit_personal_contact, command_people_export_personal_contacts_csv,
    command_people_favorites, command_people_headers, command_people_import_personal_contacts_csv,
    command_people_personal_contact_raw, command_people_personal_contacts,
    command_people_purge_personal_contacts, command_people_search, command_people_set_favorite,
    command_resume_switchboard, command_switchboard_directory_search, command_sheet;
/* Is there a file for this class? */
bool command_is_known(struct view class);
/* A request that asks for a command. watch: as deferred_reply_watch; NULL: nobody. */
struct command_request {
    struct bus_peer *peer;
    uint64_t id;
    struct view class;
    const msgpack_object *message;
    deferred_reply_fn *watch;
    void *watch_arg;
};
/* Carries it out for the session, which need not be one of a client, nor last longer than this
 * call; answers it in any case. False: it was refused at once, and `watch` will not be called. */
bool command_start(struct state *s, const struct command_request *rq, struct session *se);
void command_run(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
/* The request cti.observed: answered. */
void command_observe(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
/* Is the user that a message names (by an id, site/id, user:site/id, user:special:me or J13's
 * "null/null") the one of the session? So is one that names nobody. */
bool command_is_self(const struct session *se, const msgpack_object *message, const char *key);
/* The `pattern` of a lookup: a text, or a number as text. A message without one looks for
 * everything; false: it is something else, which must not fetch everything. */
bool command_pattern(const msgpack_object *message, char scratch[32], struct view *text);

#endif
