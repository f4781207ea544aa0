/* Sessions: the users that are logged in, and through which gateway. */
#ifndef CTIBUS_STATE_SESSIONS_SESSIONS_H
#define CTIBUS_STATE_SESSIONS_SESSIONS_H

#include "base/netaddr.h"
#include "core/context.h"
#include "database/db.h"

struct sessions *sessions_new(struct state *s, uint32_t grace_ms);
void sessions_destroy(struct sessions **ss);
struct session {
    char id[64];
    struct xod_ipbx *ipbx;
    char user_id[64];
    char capaid[64];
    bool agent;
    struct bus_peer *gateway; /* NULL: lost, the grace time is running */
    uint64_t lost_at;
    bool stale;        /* of a gateway that is telling all its sessions: not named yet */
    bool attached;     /* the user is there and counts it */
    char presence[64]; /* not attached: the presence that the user is to have then; else unused */
    char wanted[64];   /* the last presence asked for, while any is on its way to disk */
    unsigned n_wanted; /* how many are */
    double since;      /* when it was opened, seconds since 1970 */
    char address[NETADDR_TEXT]; /* of the client, "IP:PORT", as its gateway says; may be empty */
    bool awaits_outcome;  /* no client hears lines of it: orders to the Asterisk are answered when
                             that  has answered */
    char agent_exten[32]; /* the phone to log the agent in at, as the login said; may be empty */
};
/* What of a session is told by a gateway. presence: what the user has if this is the first;
 * address: of the client, forgotten when it is none. */
struct session_info {
    struct view id, user_id, capaid, presence, address;
    struct xod_ipbx *ipbx;
};
/* Opens or renews a session; a new one is kept in the database, by t or (NULL) on its own. 0;
 * -ENOENT: no such user (while the list of users is not known anybody may be one), or one who may
 * not log in; -EEXIST: it is another user's; -EINVAL: id, user_id or capaid is longer than 63
 * bytes; -ENOMEM. */
int session_open(struct sessions *ss, const struct session_info *told, struct bus_peer *gateway,
                 struct db_txn *t);
/* Those of the database, as of gateways that are lost: they have the grace time to come back. 0 or
 * a negative error. */
int sessions_restore(struct sessions *ss);
struct session *session_find(struct sessions *ss, struct view id);
/* Appends it as a map, for administrators: ipbx, user, name, presence, address, since, session. */
void session_put(struct buf *out, const struct session *s);
struct xod_obj *session_user(const struct session *s);
/* Ends it; with the user's last one the presence becomes disconnected. t as in session_open. */
void session_end(struct sessions *ss, struct session *s, struct db_txn *t);
/* Its client is gone but may come back: it ends when the grace time is over, at once if there is
 * none. t as in session_open. */
void session_lose(struct sessions *ss, struct session *s, struct db_txn *t);
/* Tells a gateway to end a session. */
void session_kick(struct sessions *ss, struct bus_peer *gateway, struct view id);
/* Asks its gateway to close it; ends it at once, and frees it, when its gateway is lost. */
void session_kick_or_end(struct sessions *ss, struct session *se);
/* The lists were read anew: who is no longer named, or may no longer log in, is out. */
void sessions_check_users(struct sessions *ss);
/* Tells the gateways of the user's other sessions to end them. */
void sessions_kick_others(struct sessions *ss, const struct session *keep);
/* The same of all sessions of a user; how many there were. */
size_t sessions_kick_user(struct sessions *ss, const struct xod_obj *user);
/* The same of those whose client is at this address. */
size_t sessions_kick_address(struct sessions *ss, const struct netaddr *address, uint16_t port);
/* Walks the sessions: *pos starts at 0; NULL at the end. They must not change meanwhile. */
const struct session *sessions_next(const struct sessions *ss, size_t *pos);
/* A gateway tells all its sessions: those it does not open between these two are over. */
void sessions_renew_begin(struct sessions *ss, struct bus_peer *peer);
void sessions_renew_end(struct sessions *ss, struct bus_peer *peer);
void sessions_peer_gone(struct sessions *ss, struct bus_peer *peer);
size_t sessions_count(const struct sessions *ss);
/* Has each its gateway? */
bool sessions_all_there(const struct sessions *ss);

#endif
