/* The classes of the switchboard: each is an order to the Asterisk. */
#include "calls/ipbx_command.h"
#include "commands/commands.h"
#include "sessions/sessions.h"

#define CLASS(name, order)                                                                         \
    static void run_##name(struct state *s, struct session *se, struct deferred_reply *l,          \
                           const msgpack_object *message)                                          \
    {                                                                                              \
        ipbx_command_run(s, se, l, message, #name, order);                                         \
    }                                                                                              \
    const struct command command_##name = {#name, run_##name, false}

CLASS(answer, ipbx_switchboard_answer);
CLASS(attended_transfer, ipbx_attended_transfer);
CLASS(attended_transfer_voicemail, ipbx_attended_transfer_voicemail);
CLASS(blind_transfer_voicemail, ipbx_blind_transfer_voicemail);
CLASS(cancel_transfer, ipbx_transfercancel);
CLASS(complete_transfer, ipbx_complete_transfer);
CLASS(direct_transfer, ipbx_direct_transfer);
CLASS(hangup, ipbx_switchboard_hangup);
CLASS(hold_switchboard, ipbx_hold_switchboard);
CLASS(invite_confroom, ipbx_invite_confroom);
CLASS(resume_switchboard, ipbx_resume_switchboard);
