/*
 * Chat that is kept: for those who are not there, and to be read again.
 *
 * Nothing is kept unless ctibus.retention.chat_days says for how long, and then only what somebody
 * wrote or got whose profile permits chat_history.
 */
#ifndef CTIBUS_STATE_COMMANDS_CHAT_LOG_H
#define CTIBUS_STATE_COMMANDS_CHAT_LOG_H

#include "core/deferred_reply.h"
#include "sessions/sessions.h"

/* Is what is written between this user and that one kept? */
bool chat_is_kept(struct state *s, const struct session *se, const struct xod_obj *to);
/* Will this user be given, at the next login, what is written meanwhile? */
bool chat_waits_for(struct state *s, const struct xod_obj *to);
/* Keeps a line that was handed out already. */
void chat_keep(struct state *s, const struct session *se, const struct xod_obj *to,
               struct view text);
/* Keeps one for a user who is not there; takes the reply, and answers `kept` true when it is on
 * disk. Of each user the last 1,000 wait. */
void chat_keep_for(struct state *s, const struct session *se, const struct xod_obj *to,
                   struct view text, struct deferred_reply **l);
/* Tells a session what was written to its user while that was not there. */
void chat_tell_missed(struct state *s, const struct session *se, struct deferred_reply **l);
/* Writes a line as clients read it; the row is id, from, to, when, text. Its id. Any thread. */
int64_t chat_put_line(struct buf *out, const char *ipbx, const struct db_row *row);

#endif
