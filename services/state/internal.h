/* Private to the parts of state. */
#ifndef CTIBUS_STATE_INTERNAL_H
#define CTIBUS_STATE_INTERNAL_H

#include <sys/queue.h>

#include "base/map.h"
#include "state.h"

struct publisher;
struct sessions;
struct snapshots;
struct secrets;
struct weblists;

#define MAX_SITES 64
#define MAX_LIST_BYTES ((size_t)256 * 1024 * 1024) /* text of one list */

/* One Asterisk that is watched, and who watches it. */
struct site {
    struct domain *domain;
    struct bus_peer *gateway; /* its ami-gw, or NULL */
    uint64_t login;           /* which login of the gateway was listed or is being listed */
};

struct state {
    struct loop *loop;
    struct bus *bus;
    const struct config *cfg;
    struct log *log;
    struct xod *xod;
    struct bus_forwarder *forwarder;
    struct bus_pub *pub;
    struct bus_sub *sub;
    struct bus_server *server;
    struct bus_heart *heart;
    struct publisher *publisher;
    struct sessions *sessions;
    struct snapshots *snapshots;
    struct secrets *secrets;
    struct weblists *weblists;
    struct site sites[MAX_SITES];
    size_t n_sites;
    struct loop_timer *settle_timer;
    struct loop_timer *lists_timer; /* runs while a list could not be read */
    uint64_t started;
    bool settled;
    LIST_HEAD(, later) waiting; /* answered later (later.c) */
    size_t n_waiting;
    struct msg_doc doc;
    struct buf room;
    struct metrics *metrics;
    struct metric *events, *events_unknown, *sessions_open;
};

/* ---- publish.c ---- */
struct publisher *publisher_new(struct bus_pub *pub, struct log *log);
void publisher_destroy(struct publisher **p);
/* Publishes what has changed in the store since the last commit. */
void publisher_commit(struct publisher *p, struct xod *x, bool synthetic);
/* The number of the last change. */
uint64_t publisher_seq(const struct publisher *p);

/* ---- secrets.c: passwords, which never enter xod ---- */
struct secrets *secrets_new(void);
void secrets_destroy(struct secrets **s);
/* The password of a user, or NULL. */
const char *secrets_get(const struct secrets *s, struct view site, struct view user_id);
/* Sets it; the empty one is none. 0 or -ENOMEM. */
int secrets_set(struct secrets *s, struct view site, struct view user_id, struct view password);

/* ---- lists.c ---- */
/* Loads the lists of all sites of cfg into the store: what is no longer named goes. A list that
 * cannot be read keeps its objects, and so does one of which a part is not known yet (weblists.h).
 * 0, or -EINVAL when a file was not read (logged). */
int lists_load(struct state *s, const struct config *cfg);
/* Loads those lists that have this URI among theirs. As lists_load. */
int lists_load_uri(struct state *s, const struct config *cfg, const char *uri);

/* ---- sessions.c ---- */
struct sessions *sessions_new(struct state *s, uint32_t grace_ms);
void sessions_destroy(struct sessions **ss);
struct session {
    char id[64];
    struct xod_site *site;
    char user_id[64];
    char capaid[64];
    bool agent;
    struct bus_peer *gateway; /* NULL: lost, the grace time is running */
    uint64_t lost_at;
    bool stale; /* of a gateway that is telling all its sessions: not named yet */
};
/* Opens or renews a session. 0; -ENOENT: no such user; -EEXIST: it is another user's; -EINVAL: id,
 * user_id or capaid is longer than 63 bytes; -ENOMEM. */
int session_open(struct sessions *ss, struct view id, struct xod_site *site, struct view user_id,
                 struct view capaid, struct bus_peer *gateway);
struct session *session_find(struct sessions *ss, struct view id);
struct xod_obj *session_user(const struct session *s);
/* Ends it; with the user's last one the presence becomes disconnected. */
void session_end(struct sessions *ss, struct session *s);
/* Tells a gateway to end a session. */
void session_kick(struct sessions *ss, struct bus_peer *gateway, struct view id);
/* The lists were read anew: who is no longer named, or may no longer log in, is out. */
void sessions_check_users(struct sessions *ss);
/* Tells the gateways of the user's other sessions to end them. */
void sessions_kick_others(struct sessions *ss, const struct session *keep);
/* A gateway tells all its sessions: those it does not open between these two are over. */
void sessions_renew_begin(struct sessions *ss, struct bus_peer *peer);
void sessions_renew_end(struct sessions *ss, struct bus_peer *peer);
void sessions_peer_gone(struct sessions *ss, struct bus_peer *peer);
size_t sessions_count(const struct sessions *ss);

/* ---- login.c: each answers its request ---- */
void login_begin(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_check(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_open(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_renew(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void login_close(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

/* ---- profile.c: what a profile of the configuration permits ---- */
struct json_object *profile_find(const struct config *cfg, struct view capaid);
/* The userstatus section that the profile names, or NULL. */
struct json_object *profile_userstatus(const struct config *cfg, struct view capaid);
/* May presence go from `from` to `to`? */
bool profile_presence_allowed(const struct config *cfg, struct view capaid, struct view from,
                              struct view to);
/* Is `word` named by the section (regcommands, ipbxcommands...) of the profile? */
bool profile_permits(const struct config *cfg, struct view capaid, const char *section,
                     struct view word);
/* Appends the JSON of `capas` and of `capaxlets`, as login_capas sends them. */
void profile_put_capas(struct buf *out, const struct config *cfg, struct view capaid);
void profile_put_xlets(struct buf *out, const struct config *cfg, struct view capaid);

/* ---- snapshot.c ---- */
struct snapshots *snapshots_new(struct state *s);
void snapshots_destroy(struct snapshots **ss);
void snapshots_ask(struct snapshots *ss, struct bus_peer *p, uint64_t id,
                   const msgpack_object *body);
void snapshots_peer_gone(struct snapshots *ss, struct bus_peer *p);
void snapshots_settled(struct snapshots *ss);

/* ---- later.c: answers that take a while ---- */
struct later;
/* A request that is answered later. NULL: too many are, and it has been answered with busy. */
struct later *later_new(struct state *s, struct bus_peer *p, uint64_t id);
/* Answers, if who asked is still there. *l becomes NULL. */
void later_reply(struct later **l, enum bus_status status, struct view body);
/* NULL: all are gone. */
void later_peer_gone(struct state *s, struct bus_peer *p);

/* ---- action.c ---- */
void action_pass(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

/* ---- commands/: one file a class of the CTI protocol ---- */
/* Carries out what a client sent (`message`, a map as the client wrote it, its types unchecked) and
 * answers the request: with ok and a map of the fields of the line that answers the client (class,
 * replyid and timenow are put around it), or with another status and nothing. The profile has been
 * asked whether it permits the class. */
typedef void command_fn(struct state *s, struct session *se, struct bus_peer *p, uint64_t id,
                        const msgpack_object *message);
struct command {
    const char *class;
    command_fn *fn;
};
extern const struct command command_availstate;
void command_run(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

/* Something else came from this URI than before: loads it and publishes what differs. */
void state_list_changed(struct state *s, const char *uri);
/* Commits the store, publishes, and gives the number reached. */
uint64_t state_commit(struct state *s, bool synthetic);
/* The site of that name, or NULL. */
struct site *state_site(struct state *s, struct view name);
void state_reply(struct state *s, struct bus_peer *p, uint64_t id, enum bus_status status);

#endif
