/* The classes of the switchboard of later clients, and the invitation into a conference; state
 * carries them out. */
#include "internal.h"

static const char *const needs_number[] = {"number", NULL};
static const char *const needs_voicemail[] = {"voicemail", NULL};
static const char *const needs_queue[] = {"queue_name", NULL};
static const char *const needs_unique_id[] = {"unique_id", NULL};
static const char *const needs_invitee[] = {"invitee", NULL};
static const char *const needs_nothing[] = {NULL};

#define SWITCHBOARD(name, fields, text)                                                            \
    CTI_MESSAGE(name, .class = #name, .required = (fields), .permission = true, .handle = relay,   \
                .doc = (text))

SWITCHBOARD(answer, needs_nothing,
            "the phone that rings picks up, else the call that waits (`unique_id`) comes to it");
SWITCHBOARD(attended_transfer, needs_number,
            "the current call is transferred after asking; "
            "`current_call_attended_transfer_answered` when who is asked answers");
SWITCHBOARD(attended_transfer_voicemail, needs_voicemail, "the same to a mailbox, by its number");
SWITCHBOARD(blind_transfer_voicemail, needs_voicemail, "the current call goes to a mailbox");
SWITCHBOARD(cancel_transfer, needs_nothing, "a transfer after asking is given up");
SWITCHBOARD(complete_transfer, needs_nothing, "a transfer after asking is completed");
SWITCHBOARD(direct_transfer, needs_number, "the current call goes to a number");
SWITCHBOARD(hangup, needs_nothing, "the current call ends");
SWITCHBOARD(hold_switchboard, needs_queue, "the current call waits in a queue of held calls");
SWITCHBOARD(invite_confroom, needs_invitee, "somebody is called into the conference one is in");
SWITCHBOARD(resume_switchboard, needs_unique_id, "a held call comes back to the own phone");
