/*
 * An ipbxcommand: what a client wants an Asterisk to do.
 *
 * A command's function looks at the message and says which actions of AMI are to be sent, or what
 * is wrong with the message. Then the client is answered (ipbxreply), then the actions leave, and
 * when all have been answered, or their time is over, the session is told how it went (response).
 */
#ifndef CTIBUS_STATE_CALLS_IPBX_COMMAND_H
#define CTIBUS_STATE_CALLS_IPBX_COMMAND_H

#include "calls/dial_target.h"
#include "core/deferred_reply.h"
#include "core/notify.h"

struct ami_batch;

/* Lives as long as the command's function runs. */
struct ipbx_command {
    struct state *s;
    struct session *se;
    struct xod_ipbx *ipbx;
    struct xod_obj *user; /* the user that asks */
    const msgpack_object *message;
    const char *wrong; /* the field of the message that is wrong, or NULL */
    char why[TARGET_TEXT + 32];
    const char *text; /* for people, in the answer: a message, or a warning when nothing is done;
                         NULL: none */
    struct ami_batch *batch;
};

typedef void ipbx_command_fn(struct ipbx_command *o);

/* ---- what a command's function says ---- */

/* An action (of AMI, or one of the gateway's names) with its headers: pairs of const char * and
 * struct view, ended by NULL; a header whose value is the empty view is left out. */
void ipbx_command_action(struct ipbx_command *o, const char *action, ...);
/* This channel of the user is about to be transferred after asking (transfers.h), if the order is
 * carried out. */
void ipbx_command_transfers(struct ipbx_command *o, const struct xod_obj *channel,
                            const struct destination *to);
/* Sends a channel there. */
void ipbx_command_redirect(struct ipbx_command *o, const struct xod_obj *channel,
                           const struct destination *to);
/* This field of the message is wrong, and why; the first one counts. Nothing is sent. */
void ipbx_command_wrong(struct ipbx_command *o, const char *field, const char *why);

/* ---- what the message names ---- */

/* The text of a field, as a target; without a kind it is one of `bare` (target.h). */
struct target ipbx_command_target(struct ipbx_command *o, const char *field, int bare);
/* The channel that a field names, or NULL. */
struct xod_obj *ipbx_command_channel(struct ipbx_command *o, const char *field);
/* Calls fn for each text of a field that holds one or a list of them; how many there were. */
typedef void ipbx_command_text_fn(struct ipbx_command *o, struct view text);
size_t ipbx_command_each(struct ipbx_command *o, const char *field, ipbx_command_text_fn *fn);

/* ---- calls of the user ---- */

/* Channel number n of the user's phones, or NULL. */
struct xod_obj *ipbx_command_own_channel(const struct ipbx_command *o, size_t n);
bool ipbx_command_is_own(const struct ipbx_command *o, const struct xod_obj *channel);
/* The user's channel that talks, else the first one; or NULL. */
struct xod_obj *ipbx_command_current(const struct ipbx_command *o);

/* ---- what outlives the function ---- */

/* What came of the actions. */
struct outcome {
    bool good;            /* all were answered with success */
    const char *reason;   /* of the first that failed: what Asterisk said, "timeout" or "noconn" */
    struct view actionid; /* of the last one */
};
/* Called in place of ami_batch_notify_response when all have been answered. */
typedef void ami_batch_done_fn(struct ami_batch *j, const struct outcome *out);
struct ami_batch {
    struct state *s;
    struct xod_ipbx *ipbx;
    char user_id[64], session[64], command[32];
    struct deferred_reply *reply; /* to be answered when all is done; NULL: it has been */
    char autocall[TARGET_TEXT];   /* of a call that is originated: what its channel will have */
    struct value reply_id;        /* the commandid; null: none */
    ami_batch_done_fn *done;
    void (*abandon)(
        struct ami_batch *j); /* nothing was sent after all, or nothing came of it; or NULL */
    void *ctx; /* of `done` and `abandon`: from ipbx_command_ctx, freed with the batch */
    /* the batch's own */
    struct buf pairs; /* actions that are to be sent, each with its length before it */
    unsigned n_actions, waiting;
    bool sending;
    bool failed;
    bool lacking; /* the Asterisk has no action for what was asked last */
    char reason[192], actionid[96];
};
/* Gives the command's batch a zeroed context of its own, which must hold no pointers that it owns.
 * NULL without memory: then the command is refused as busy. */
void *ipbx_command_ctx(struct ipbx_command *o, size_t size);
/* Begins a line of class ipbxcommand that belongs to this batch: command and replyid. */
void ami_batch_begin_line(struct notification *t, const struct ami_batch *j);
/* Sends it to the session that asked. */
void ami_batch_notify(const struct ami_batch *j, struct notification *t);
/* The line that every command ends with: response ok or ko, and error_string. */
void ami_batch_notify_response(const struct ami_batch *j, const struct outcome *out);
/* One more action of a batch whose actions have been answered: called from `done`, which is called
 * again when this one is. False: it could not be sent. */
bool ami_batch_action(struct ami_batch *j, const char *action, ...);

/* Appends the date and time as names of recordings have it. */
void record_put_date(struct buf *out);

/* ---- the commands ---- */
ipbx_command_fn ipbx_dial, ipbx_originate;
ipbx_command_fn ipbx_transfer, ipbx_atxfer, ipbx_transfercancel, ipbx_intercept, ipbx_parking;
ipbx_command_fn ipbx_hangup, ipbx_hangupme, ipbx_refuse, ipbx_cancel, ipbx_answer;
ipbx_command_fn ipbx_dtmf, ipbx_sipnotify, ipbx_mailboxcount, ipbx_meetme, ipbx_record, ipbx_listen,
    ipbx_whisper, ipbx_barge, ipbx_stoplisten;
ipbx_command_fn ipbx_agentlogin, ipbx_agentlogout;
ipbx_command_fn ipbx_queueadd, ipbx_queueremove, ipbx_queuepause, ipbx_queueunpause;
ipbx_command_fn ipbx_queuepause_all, ipbx_queueunpause_all, ipbx_queueremove_all;
/* Classes of their own in the protocol. */
ipbx_command_fn ipbx_switchboard_answer, ipbx_switchboard_hangup, ipbx_hold_switchboard;
ipbx_command_fn ipbx_resume_switchboard, ipbx_direct_transfer, ipbx_attended_transfer;
ipbx_command_fn ipbx_complete_transfer, ipbx_blind_transfer_voicemail,
    ipbx_attended_transfer_voicemail;
ipbx_command_fn ipbx_invite_confroom;

/* Carries out one command: l is answered, then the session hears how it went. Without l the latter
 * only. */
void ipbx_command_run(struct state *s, struct session *se, struct deferred_reply *l,
                      const msgpack_object *message, const char *command, ipbx_command_fn *fn);
/* The same, but only the batch's `done` is called. False: no action was sent, done is not called.
 */
bool ipbx_command_run_quiet(struct state *s, struct session *se, const msgpack_object *message,
                            const char *command, ipbx_command_fn *fn);

#endif
