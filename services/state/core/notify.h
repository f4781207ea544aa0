/* Lines to clients beside the answers, on topic cti/IPBX/user/ID/. */
#ifndef CTIBUS_STATE_CORE_NOTIFY_H
#define CTIBUS_STATE_CORE_NOTIFY_H

#include "core/context.h"

struct tell {
    struct buf line;
    size_t mark, n;
};
/* Begins a line of `class`; what follows adds a field, and one of the last two sends it and frees
 * what it took. */
void tell_begin(struct tell *t, const char *class);
void tell_str(struct tell *t, const char *key, struct view text);
void tell_i64(struct tell *t, const char *key, int64_t number);
/* Adds a key: the caller writes the value (one of msgpack) to what is returned. */
struct buf *tell_key(struct tell *t, const char *key);
/* The commandid of a client's message, as replyid. */
void tell_reply_id(struct tell *t, const msgpack_object *message);
/* The gateways are back: what was told before goes out. It does not: the state ends. */
void tell_settled(struct state *s);
void tell_forget(struct state *s);
/* To all sessions of a user, on whatever gateway; to one of them (empty: all). */
void tell_user(struct state *s, struct xod_site *site, struct view user_id, struct tell *t);
void tell_session(struct state *s, struct xod_site *site, struct view user_id, struct view session,
                  struct tell *t);

#endif
