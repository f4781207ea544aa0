/* Lines to clients beside the answers, on topic cti/IPBX/user/ID/. */
#ifndef CTIBUS_STATE_CORE_NOTIFY_H
#define CTIBUS_STATE_CORE_NOTIFY_H

#include "core/context.h"

struct notification {
    struct buf line;
    size_t mark, n;
};
/* Begins a line of `class`; what follows adds a field, and one of the last two sends it and frees
 * what it took. */
void notify_begin(struct notification *t, const char *class);
void notify_str(struct notification *t, const char *key, struct view text);
void notify_i64(struct notification *t, const char *key, int64_t number);
/* Adds a key: the caller writes the value (one of msgpack) to what is returned. */
struct buf *notify_key(struct notification *t, const char *key);
/* The commandid of a client's message, as replyid. */
void notify_reply_id(struct notification *t, const msgpack_object *message);
/* The gateways are back: what was told before goes out. It does not: the state ends. */
void notify_settled(struct state *s);
void notify_forget(struct state *s);
/* To all sessions of a user, on whatever gateway; to one of them (empty: all). */
void notify_user(struct state *s, struct xod_ipbx *ipbx, struct view user_id,
                 struct notification *t);
void notify_session(struct state *s, struct xod_ipbx *ipbx, struct view user_id,
                    struct view session, struct notification *t);

/* To all sessions of a user: `other` to those of clients that named `accepts` in their login, `t`
 * to the rest. */
void notify_user_either(struct state *s, struct xod_ipbx *ipbx, struct view user_id,
                        struct notification *t, const char *accepts, struct notification *other);

#endif
