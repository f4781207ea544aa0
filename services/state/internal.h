/* Private to the parts of state. */
#ifndef CTIBUS_STATE_INTERNAL_H
#define CTIBUS_STATE_INTERNAL_H

#include <sys/queue.h>

#include "base/map.h"
#include "base/netaddr.h"
#include "database/db.h"
#include "replica/serve.h"
#include "state.h"

struct publisher;
struct sessions;
struct secrets;
struct weblists;
struct features;
struct wanted;
struct directories;
struct extensions;
struct originates;
struct transfers;
struct faxes;
struct faxes_coming;
struct sheets;
struct fagi;
struct peers;
struct gauges;
struct budgets;

#define MAX_SITES 64
#define MAX_LIST_BYTES ((size_t)256 * 1024 * 1024) /* text of one list */

/* What is counted of each user (budgets.c): commands; actions that reach Asterisk; bytes that reach
 * other users; bytes that reach the disk. */
enum budget_kind { BUDGET_COMMANDS, BUDGET_ACTIONS, BUDGET_CHAT, BUDGET_DISK, BUDGET_KINDS };

#define MAX_GATEWAYS 8 /* of one Asterisk */

/* An ami-gw that has registered for an Asterisk. */
struct gateway_entry {
    struct bus_peer *peer;
    uint64_t login; /* which login of it this is; 0: it is not logged in to the Asterisk */
    uint64_t epoch; /* of its messages; 0: it has not said */
    char banner[64];
};

/* One Asterisk that is watched, and who watches it (gateways.c). */
struct site {
    struct domain *domain;
    struct gateway_entry entries[MAX_GATEWAYS];
    size_t n_entries;
    struct bus_peer *gateway; /* the one that owns it, or NULL */
    uint64_t login;           /* which login of the owner was listed or is being listed; 0: down */
    uint64_t epoch;           /* of the owner's messages; 0: not known, all are taken */
    uint64_t asked_at;        /* when a resync was asked for, monotonic microseconds */
    bool users_read;          /* its list of users could be read once */
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
    struct db *db;
    struct features *features;
    struct wanted *wanted;
    struct directories *directories;
    struct extensions *extensions;
    struct originates *originates;
    struct transfers *transfers;
    struct faxes *faxes;
    struct faxes_coming *faxes_coming;
    struct sheets *sheets;
    struct fagi *fagi;
    struct peers *peers;
    struct gauges *gauges;
    struct budgets *budgets;
    struct site sites[MAX_SITES];
    size_t n_sites;
    struct loop_timer *settle_timer;
    struct loop_timer *expire_timer;
    struct loop_timer *lists_timer; /* runs while a list could not be read */
    struct loop_timer *tick_timer;  /* runs while a site wants ticks */
    struct loop_timer *watch_timer; /* looks at the resyncs that are under way */
    int (*reload)(void *arg);       /* as SIGHUP does; NULL: nobody can */
    void *reload_arg;
    uint64_t started;
    uint64_t settle_min_ms, settle_max_ms, resync_late_us;
    double heard_at; /* of the event that is being applied: when its gateway heard it; 0: none is */
    bool settled;
    LIST_HEAD(, later) waiting; /* answered later (later.c) */
    size_t n_waiting;
    STAILQ_HEAD(, kept_line) kept_lines; /* for clients, until it is settled (tell.c) */
    size_t n_kept_lines;
    struct msg_doc doc;
    struct buf room;
    struct metrics *metrics;
    struct metric *events, *events_unknown, *events_foreign, *resyncs_late, *sessions_open;
    struct metric *over_budget[BUDGET_KINDS];
};

/* ---- publish.c ---- */
struct publisher *publisher_new(struct bus_pub *pub, struct log *log);
void publisher_destroy(struct publisher **p);
/* Publishes what has changed in the store since the last commit; the figures of queues on the plane
 * stats, too. at: when a gateway heard what led to it, 0: none did. */
void publisher_commit(struct publisher *p, struct xod *x, bool synthetic, double at);
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
/* Is the list of the users of a site known as a whole, so that who is not in it does not exist? */
bool lists_users_known(struct state *s, struct view site);
/* Loads those lists that have this URI among theirs. As lists_load. */
int lists_load_uri(struct state *s, const struct config *cfg, const char *uri);
/* Loads the list that `key` of urllists names, of all sites: as lists_load. */
int lists_load_key(struct state *s, const struct config *cfg, const char *key);
/* The i-th URI of a list of a site, borrowed from cfg; NULL: it has no more. */
const char *lists_url(const struct config *cfg, const struct site *site, const char *key, size_t i);

/* ---- owners.c ---- */
/* The lists were read anew: ties users to their lines (and sets their linelist), agents and
 * mailboxes. */
void owners_tie(struct xod_site *site);
/* The agent that a user is, or NULL. */
struct xod_obj *owners_agent(const struct xod_obj *user);
/* The user's main line, or NULL. */
struct xod_obj *owners_line(const struct xod_obj *user);
/* The context of the user's main line, by which goes what is looked up where; may be empty. A view
 * of the object or of room. */
struct view owners_context(const struct xod_obj *user, char room[32]);
/* The user of this login name, IPBX/ID or ID, or NULL. */
const struct xod_obj *owners_named(struct state *s, struct view name);
/* The user of a phone or of an agent, or NULL. */
struct xod_obj *owners_user(const struct xod_obj *o);

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
    bool stale;        /* of a gateway that is telling all its sessions: not named yet */
    bool attached;     /* the user is there and counts it */
    char presence[64]; /* not attached: the presence that the user is to have then; else unused */
    char wanted[64];   /* the last presence asked for, while any is on its way to disk */
    unsigned n_wanted; /* how many are */
    double since;      /* when it was opened, seconds since 1970 */
    char address[NETADDR_TEXT]; /* of the client, "IP:PORT", as its gateway says; may be empty */
    char agent_exten[32]; /* the phone to log the agent in at, as the login said; may be empty */
};
/* What of a session is told by a gateway. presence: what the user has if this is the first;
 * address: of the client, forgotten when it is none. */
struct session_told {
    struct view id, user_id, capaid, presence, address;
    struct xod_site *site;
};
/* Opens or renews a session; a new one is kept in the database, by t or (NULL) on its own. 0;
 * -ENOENT: no such user (while the list of users is not known anybody may be one), or one who may
 * not log in; -EEXIST: it is another user's; -EINVAL: id, user_id or capaid is longer than 63
 * bytes; -ENOMEM. */
int session_open(struct sessions *ss, const struct session_told *told, struct bus_peer *gateway,
                 struct db_txn *t);
/* Those of the database, as of gateways that are lost: they have the grace time to come back. 0 or
 * a negative error. */
int sessions_restore(struct sessions *ss);
struct session *session_find(struct sessions *ss, struct view id);
struct xod_obj *session_user(const struct session *s);
/* Ends it; with the user's last one the presence becomes disconnected. t as in session_open. */
void session_end(struct sessions *ss, struct session *s, struct db_txn *t);
/* Its client is gone but may come back: it ends when the grace time is over, at once if there is
 * none. t as in session_open. */
void session_lose(struct sessions *ss, struct session *s, struct db_txn *t);
/* Tells a gateway to end a session. */
void session_kick(struct sessions *ss, struct bus_peer *gateway, struct view id);
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
/* What it says of one presence, or NULL. */
struct json_object *profile_status(const struct config *cfg, struct view capaid, struct view name);
/* May presence go from `from` to `to`? */
bool profile_presence_allowed(const struct config *cfg, struct view capaid, struct view from,
                              struct view to);
/* Is `word` named by the section (regcommands, ipbxcommands...) of the profile? */
bool profile_permits(const struct config *cfg, struct view capaid, const char *section,
                     struct view word);
/* Appends the JSON of `capas` and of `capaxlets`, as login_capas sends them. */
void profile_put_capas(struct buf *out, const struct config *cfg, struct view capaid);
void profile_put_xlets(struct buf *out, const struct config *cfg, struct view capaid);

/* ---- presence.c ---- */
/* Sets a user's presence and keeps it, by t or (NULL) on its own. */
void presence_set(struct state *s, struct xod_obj *user, struct view to, struct db_txn *t);
/* Only what keeps it. */
void presence_add(struct db_txn *t, const struct xod_obj *user, struct view to);
/* Does what the profile's userstatus says is done when the presence becomes `to`. */
void presence_actions(struct state *s, struct xod_obj *user, struct view capaid, struct view to);

/* ---- features.c: the services of users that they change themselves ---- */
#define MAX_FEATURES 10
struct feature_change {
    unsigned field; /* of users */
    bool on;        /* what a flag becomes */
    struct view to; /* what a destination becomes */
};
/* Reads what the database has. NULL and *err on failure. */
struct features *features_new(struct state *s, int *err);
void features_destroy(struct features **f);
bool features_is_flag(unsigned field);
/* The services that have a destination. */
#define N_FORWARDS 3
struct feature_forward {
    const char *flag, *destination; /* as clients and presences call them */
    unsigned flag_field, destination_field;
};
extern const struct feature_forward feature_forwards[N_FORWARDS];
/* The list of users was read anew: what a user has chosen goes before what the list says, unless
 * the list says something else than it did when the choice was made. */
void features_apply(struct features *f, struct xod_obj *user);
/* Leaves out of n changes what is so already, and stays so; how many are left. */
size_t features_differ(struct features *f, const struct xod_obj *user,
                       struct feature_change *changes, size_t n);
/* Keeps the changes, then makes them and calls done(arg, 0); done(arg, negative): not kept, not
 * made. done may be NULL. 0, or negative: done is not called. */
int features_change(struct features *f, struct xod_obj *user, const struct feature_change *changes,
                    size_t n, db_done_fn *done, void *arg);

/* ---- ami.c: actions that state asks for by itself ---- */
/* Headers as pairs of const char * and struct view, ended by NULL. What goes wrong is logged: there
 * is nobody to tell. */
void ami_tell(struct state *s, struct xod_site *site, const char *action, ...);

/* ---- member_actions.c: actions on a user's memberships, by the names that presences use ---- */
/* The member that a user is: the agent, or the main line where there is none; or NULL. */
struct xod_obj *member_who(const struct xod_obj *user);
/* What actions call a member (an agent or a phone): as Asterisk last told it, in any of its queues.
 * A view of the object or of room. */
struct view member_interface_for(const struct xod_obj *who, char room[128]);
/* A logoff that the Asterisk has not been told yet is not wanted any more. */
void member_keep_logged_in(struct state *s, const struct xod_obj *user);
/* False: there is no action of that name. What it changes at the Asterisk takes effect when the
 * link is back, if it is down (wanted.h). */
bool member_action(struct state *s, struct xod_obj *user, struct view name, struct view param);

/* ---- calls.c: the call log ---- */
extern const struct domain_effects state_effects;
/* What happened in the queues in the last 24 hours goes back into the domains; before db_start. 0
 * or a negative error. */
int calls_recall(struct state *s, double now);

/* ---- budgets.c: what one user may cost others ---- */
#define BUDGET_WHO 160
/* Before the first command. 0 or negative: no memory. */
int budget_open(struct state *s);
void budget_close(struct state *s);
/* As the configuration says now. */
void budget_configure(struct state *s);
/* May the user of the session do this command now? Then it is counted. */
bool budget_allows(struct state *s, const struct session *se, struct view class,
                   const msgpack_object *message);
/* May that user have so many units of a kind now? Then they are used. False is counted and told to
 * the log, of each user once a minute. */
bool budget_take(struct state *s, const struct session *se, enum budget_kind kind, double units);
/* The same for a user named by site and id, of our own sites or of another's. */
bool budget_take_of(struct state *s, struct view site, struct view user_id, enum budget_kind kind,
                    double units);
/* Uses them in any case: what has begun goes on. */
void budget_charge(struct state *s, struct view site, struct view user_id, enum budget_kind kind,
                   double units);

/* ---- later.c: requests that are answered when it is done ---- */
struct later;
/* A request that is answered later. NULL: too many are, and it has been answered with busy. */
struct later *later_new(struct state *s, struct bus_peer *p, uint64_t id);
/* The same of a command of a session: its outcome is published, and logged unless `quiet`. */
struct later *later_command(struct state *s, struct bus_peer *p, uint64_t id,
                            const struct session *se, struct view class, bool quiet);
/* Answers, if who asked is still there. *l becomes NULL. */
void later_reply(struct later **l, enum bus_status status, struct view body);
/* The same with no body, or with n pairs of a map. */
void later_status(struct later **l, enum bus_status status);
void later_pairs(struct later **l, size_t n, const struct buf *pairs);
/* The same with what the client is told is wrong, as error_string. */
void later_error(struct later **l, const char *why);
/* Hands t over and answers with ok and body when it is carried out, on disk or (logged) not: a
 * login must not fail because a disk is full. */
void later_after(struct later **l, struct db_txn **t, struct view body);
/* NULL: all are gone. */
void later_peer_gone(struct state *s, struct bus_peer *p);

/* ---- ctilog.c: what clients did, for the operator and for who listens ---- */
/* `address`: where the client is, empty: not known. */
void ctilog_session(struct state *s, struct xod_site *site, struct view user_id, struct view id,
                    bool opened, struct view why, struct view address);
void ctilog_command(struct state *s, struct xod_site *site, struct view user_id, struct view class,
                    enum bus_status outcome, uint64_t us, bool quiet);
/* A row with what a client wrote; l is answered when it is on disk. */
void ctilog_detail(struct state *s, struct xod_site *site, struct view user_id, struct view class,
                   struct view detail, struct later *l);
/* Deletes what is older than `ctibus.retention.*` say, from all logs. */
void ctilog_expire(struct state *s, double now);

/* ---- tell.c: lines to clients beside the answers, on topic cti/IPBX/user/ID/ ---- */
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

/* ---- admin.c: what an administrator's tools ask ---- */
void admin_sessions(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void admin_kick(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void admin_reload(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

/* ---- action.c ---- */
void action_pass(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

/* ---- commands/: one file a class of the CTI protocol ---- */
/* Carries out what a client sent (`message`, a map as the client wrote it, its types unchecked) and
 * answers l, now or later: with ok and a map of the fields of the line that answers the client
 * (class, replyid and timenow are put around it), or with another status and nothing. The profile
 * has been asked whether it permits the class. */
typedef void command_fn(struct state *s, struct session *se, struct later *l,
                        const msgpack_object *message);
struct command {
    const char *class;
    command_fn *fn;
    bool reads; /* changes nothing: of no concern to the log */
};
extern const struct command command_actionfiche, command_answer, command_attended_transfer,
    command_attended_transfer_voicemail, command_availstate, command_blind_transfer_voicemail,
    command_callcampaign, command_call_form_result, command_cancel_transfer, command_chitchat,
    command_complete_transfer, command_directory, command_direct_transfer, command_faxsend,
    command_featuresget, command_featuresput, command_getqueuesstats, command_hangup,
    command_get_switchboard_directory_headers, command_history, command_hold_switchboard,
    command_invite_confroom, command_ipbxcommand, command_people_create_personal_contact,
    command_people_delete_personal_contact, command_people_edit_personal_contact,
    command_people_export_personal_contacts_csv, command_people_favorites, command_people_headers,
    command_people_import_personal_contacts_csv, command_people_personal_contact_raw,
    command_people_personal_contacts, command_people_purge_personal_contacts, command_people_search,
    command_people_set_favorite, command_resume_switchboard, command_switchboard_directory_search,
    command_sheet;
void command_run(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
/* Is the user that a message names (by an id, site/id, user:site/id, user:special:me or J13's
 * "null/null") the one of the session? So is one that names nobody. */
bool command_is_self(const struct session *se, const msgpack_object *message, const char *key);
/* The `pattern` of a lookup: a text, or a number as text. A message without one looks for
 * everything; false: it is something else, which must not fetch everything. */
bool command_pattern(const msgpack_object *message, char room[32], struct view *text);

/* ---- gateways.c: which ami-gw owns an Asterisk ---- */
/* An ami-gw registers, or tells anew whether it is logged in. Of several the one that logged in
 * last owns the Asterisk and the former is told to stand by; one that is not logged in owns it only
 * while none is. */
void gateways_register(struct state *s, struct bus_peer *p, uint64_t id,
                       const msgpack_object *body);
/* The next one that is logged in takes over. */
void gateways_peer_gone(struct state *s, struct bus_peer *p);
/* Is this message from the owner, as far as it has said how to know it? */
bool gateways_is_owner(const struct site *site, const struct bus_msg *m);
/* Asks again where a resync does not come to its end; once a second. */
void gateways_watch(struct state *s);

/* ---- resync.c: what the gateway of an Asterisk is asked as a whole ---- */
/* To list everything anew. 0: it is asked; -ENOTCONN: it is not there; -EAGAIN: it could not be
 * sent.
 */
int resync_ask(struct state *s, struct site *site);
/* To connect now, since its Asterisk has announced itself: as above. */
int resync_hurry(struct state *s, struct site *site);

/* Reads one list, by its key of urllists, of all sites anew and publishes what differs; what comes
 * over HTTP is fetched in the background. 0; -ENOENT: no site has a URI for it; -EINVAL: a file
 * could not be read (logged), what is known of it stays. */
int state_reload_list(struct state *s, const char *key);
/* Something else came from this URI than before: loads it and publishes what differs. */
void state_list_changed(struct state *s, const char *uri);
/* Commits the store, publishes, and gives the number reached. */
uint64_t state_commit(struct state *s, bool synthetic);
/* The gateway of an Asterisk whose link is up, or NULL. */
struct bus_peer *state_gateway(struct state *s, const struct xod_site *x);
/* The site of that name, or NULL. */
struct site *state_site(struct state *s, struct view name);
void state_reply(struct state *s, struct bus_peer *p, uint64_t id, enum bus_status status);

#endif
