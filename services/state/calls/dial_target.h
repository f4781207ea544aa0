/*
 * What clients call things: "user:xivo/5", "exten:xivo/1002", "chan:xivo/SIP/alice-0001", "1002",
 * "agent:special:me"... and what is dialled to reach them.
 *
 * Nothing is found here that the user may not see, so that what is hidden and what is not there
 * look the same.
 */
#ifndef CTIBUS_STATE_CALLS_DIAL_TARGET_H
#define CTIBUS_STATE_CALLS_DIAL_TARGET_H

#include "base/dialled.h"
#include "sessions/sessions.h"

#define TARGET_TEXT 128

enum target_kind {
    TARGET_NONE, /* malformed, of a peer, not there or hidden */
    TARGET_OBJECT,
    TARGET_REMOTE,     /* `object` is a peer's: it can be called, and written to */
    TARGET_NUMBER,     /* one to be dialled as it is */
    TARGET_VM_CONSULT, /* `object`: the mailbox that is to be listened to */
};

struct target {
    enum target_kind kind;
    struct xod_obj *object;
    char number[TARGET_TEXT]; /* as it is dialled (base/dialled.h) */
};

/* The clients of 2015 name a channel by its user, too: "1:PJSIP/alice-00000018". The channel alone;
 * other names stay as they are. */
struct view target_channel_name(struct view id);

/* Reads what a client wrote. A text without a kind is one of `bare`: of a list, or (LIST_COUNT) a
 * number. special ids are those of the session's user. */
struct target target_read(struct state *s, const struct session *se, struct view text, int bare);
/* The object of `list` that a text (KIND:SITE/ID, SITE/ID or ID) names, if the user of the session
 * may see it; or NULL. */
struct xod_obj *target_find(struct state *s, const struct session *se, enum xod_list list,
                            struct view text);

/* Where a call goes that is to reach a target. */
struct destination {
    char exten[TARGET_TEXT], context[TARGET_TEXT];
    char name[TARGET_TEXT]; /* of the destination, for display; may be empty */
};
/* Of a call of this line. False: it cannot be called. `leave`: a mailbox is to be spoken to, also
 * the user's own. */
bool target_destination(struct state *s, const struct xod_obj *user, const struct target *t,
                        bool leave, struct destination *out);
/* The phone that rings for a user, phone, agent (the one logged in from) or number, if the user of
 * the session may see it; or NULL. */
struct xod_obj *target_phone(struct state *s, const struct session *se, const struct target *t);
/* Appends "name" <number>, without what would break the header. */
void target_put_callerid(struct buf *out, struct view name, struct view number);

#endif
