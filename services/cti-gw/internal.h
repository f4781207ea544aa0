/* Private to the parts of the gateway. */
#ifndef CTIBUS_CTI_GW_INTERNAL_H
#define CTIBUS_CTI_GW_INTERNAL_H

#include "access/masked.h"
#include "base/map.h"
#include "client.h"
#include "gateway.h"
#include "replica/replica.h"
#include "json/json.h"

LIST_HEAD(client_list, client);

#define XIVO_VERSION "1.2"

struct fanout;
struct login_throttle;
struct delayed;
struct user_push;
struct watches;
struct faxes;
struct latency;
struct lobby;
struct budgets;

/* One of the ways in. */
struct client_listener {
    struct gateway *gw;
    struct listener *listener; /* NULL: not there */
    struct proxy_gate *gate;   /* NULL: nobody is announced */
    enum gateway_listener which;
};

/* The stop, once it is under way (drain.c). */
struct drain {
    struct loop_timer *timer;
    void (*done)(void *arg);
    void *arg;
    uint64_t since, end; /* all have been sent away by then (monotonic us) */
    uint64_t empty_since;
    size_t most; /* clients that there were to send away */
};

struct gateway {
    struct loop *loop;
    struct bus *bus;
    struct log *log;
    struct gateway_options opt;
    const struct client_hooks *hooks;
    struct bus_pub *pub;
    struct bus_heartbeat *heart;
    struct bus_client *bus_client;
    struct replica *replica;
    struct conn_class conns;
    struct client_listener listeners[LISTENERS];
    struct netlist proxy_from;       /* who may announce clients */
    struct netlist banner_to;        /* who is greeted */
    struct netlist remote_user_from; /* whose header Remote-User is believed */
    struct tls_ctx *tls;             /* NULL: no certificate */
    struct ws_options ws;
    struct loop_timer *janitor;
    struct json_parser parser;
    struct client_list clients;
    struct client_list opened;         /* whose login waits only for the replica */
    struct client_list realtime_stats; /* clients that subscribed to queue statistics */
    size_t n_clients, n_live;          /* all, LIVE */
    struct client *current; /* whose line is being handled; NULL once that client is gone */
    char said[64];          /* what its answer says is wrong with that line; empty: nothing */
    bool passed_on;         /* it is state's to carry out */
    uint64_t next_session;
    struct map *handled;    /* class -> class, owned: of programs on the bus (handled.c) */
    struct map *by_session; /* number -> client; the key lies in the client */
    struct fanout *fanout;
    struct user_push *user_push;
    struct watches *watches;
    struct faxes *faxes;
    struct login_throttle *guard;
    struct lobby *lobby;
    struct budgets *budgets;     /* of users */
    double cost;                 /* of the line that is being handled, in lines */
    struct client_list yielding; /* who waits until others have had their turn */
    struct loop_task *pace;      /* ends that */
    struct latency *latency;
    struct profile *profiles;
    struct buf line, pairs;
    struct drain drain;
    struct metric *accepted, *refused, *lines_in, *ignored, *json_errors, *cut_slow, *cut_long,
        *cut_silent, *tls_failed, *fanned_lines, *unannounced, *throttled, *crowded, *slowed;
};

/* ---- gateway.c ---- */

/* ---- listeners.c: where clients come in ---- */
/* 0, or a negative errno (it has logged why). */
int listeners_open(struct gateway *g);
/* Closes the listeners. Connections whose PROXY header is still to come stay. */
void listeners_close(struct gateway *g);
void listeners_destroy(struct gateway *g);

/* ---- lobby.c: those who have not completed a login ---- */
/* A few clients over the limit get as far as login_id, to be told so. */
#define BEYOND_LIMIT 100
/* The longest line before the login, and what may wait behind a step of it; bytes. */
#define LOBBY_LINE ((size_t)4096)
#define LOBBY_INPUT ((size_t)16384)
struct lobby *lobby_new(struct gateway *g); /* NULL without memory */
/* Nobody may be there any more. */
void lobby_destroy(struct lobby **l);
size_t lobby_count(const struct lobby *l);
/* One more comes from this address (login_throttle_address), and `coming` others are about to:
 * others may be sent away for it. False: there is no place for it. */
bool lobby_make_room(struct lobby *l, uint64_t address, size_t coming);
/* One that came from there had no place: counts it, and tells the log now and then. */
void lobby_turned_away(struct lobby *l, const char *who);
/* 0 or -ENOMEM. */
int lobby_enter(struct lobby *l, struct client *c);
/* It has said something. */
void lobby_heard(struct lobby *l, struct client *c);
/* It has logged in, or goes. Does nothing to one that is not there. */
void lobby_leave(struct lobby *l, struct client *c);

/* ---- pace.c: nobody is read from so fast that others wait ---- */
int pace_open(struct gateway *g); /* 0 or -ENOMEM */
void pace_close(struct gateway *g);
void pace_configure(struct gateway *g);
/* May the next line of the client be handled? If not, reading is paused until pace_tick. */
bool pace_allows(struct client *c);
/* A line has been handled, the n-th of this turn that cost `cost` with those before it. True: it is
 * the turn of others now; what is left is shown again afterwards. */
bool pace_handled(struct client *c, double *cost);
/* The line that is being handled costs as much as so many others. */
void pace_cost(struct client *c, double lines);
/* The client goes. */
void pace_leave(struct client *c);
/* A few times a second for each client. */
void pace_tick(struct client *c);
/* May the user have one more line in the log? */
bool pace_allows_log(struct client *c);

/* ---- drain.c ---- */
/* For gateway_stop; NULL without memory. */
struct loop_timer *drain_timer(struct gateway *g);

/* ---- profile.c: what the profiles of the clients that are here permit ---- */
struct profile {
    struct profile *next;
    char *id;
    struct json_object *capas; /* as login_capas sends it */
    struct map *regcommands;   /* the names of it; the values mean nothing */
    uint32_t refs;
};
/* The profile of this id with these capas (JSON text); one reference. NULL without memory or when
 * capas is not JSON. */
struct profile *profile_get(struct gateway *g, struct view id, struct view capas);
void profile_put(struct gateway *g, struct profile *p);
/* Is the class among the regcommands, or one that is permitted without (config_class_is_open) and
 * not denied? *any: would the profile have to name it, and names none? Then it is false. */
bool profile_permits(const struct profile *p, struct view class, bool *any);

/* ---- render.c: objects as CTI lines ---- */
/* Appends {"field":value,...}: the fields of the mask; masked: with the numbers of calls masked. */
void render_fields(struct buf *out, const struct xod_obj *o, uint64_t mask, bool masked);
/* A member as the clients of 2012 read it, which take its last call as a number. */
void render_member_2012(struct buf *out, const struct xod_obj *member, uint64_t mask);
/* An id as later clients take it: one of digits is a number. */
void render_id(struct buf *out, struct view id);
/* A getlist line about one object up to its "tid": the caller goes on with ,"config":... */
void render_getlist(struct buf *out, struct view reply_id, const char *function, struct view list,
                    struct view ipbx, struct view tid);
/* The line that makes a client ask for an object (addconfig), or forget it (delconfig). */
void render_presence(struct buf *out, const struct xod_obj *o, bool there);
/* All unasked lines that a change is to clients; `freed` is of bays_change. */
void render_change(struct buf *out, const struct xod_change *c, bool masked, struct view freed);

/* ---- bays.c: bays of parking lots ---- */
/* Notes what is taken after a change (`lots` is the map of all), and puts the names of the bays
 * that are free since, each ended by a NUL, into *freed. Any change, in order. */
void bays_change(struct map *lots, const struct xod_change *c, struct buf *freed);
void bays_destroy(struct map **lots);
/* Appends "701":{...} for each after `sep`; what is to stand before the next member. */
const char *bays_put(struct buf *out, const struct value *bays, bool masked, const char *sep);
const char *bays_put_freed(struct buf *out, struct view freed, const char *sep);

/* ---- audience.c, fanout.c: who sees what, and changes to all who do ---- */
struct fanout *fanout_new(struct gateway *g);
void fanout_destroy(struct fanout **f);
/* A change of the replica. Is any client told of it? */
bool fanout_change(struct fanout *f, const struct xod_change *c);
/* Sends to all what has gathered since the last round. */
void fanout_flush(struct fanout *f);
/* The same, unless rounds rest. */
void fanout_round(struct fanout *f);
/* The same to one client, before another line: changes that came first are told first. */
void fanout_catch_up(struct fanout *f, struct client *c);
/* The client becomes one of those who get changes; ends to be one. 0 or -ENOMEM. */
int fanout_join(struct fanout *f, struct client *c);
void fanout_leave(struct fanout *f, struct client *c);
/* What users see may have changed: each sees what the own lines say now, and is told of it. */
void fanout_regroup(struct fanout *f);
void fanout_regroup_client(struct fanout *f, struct client *c); /* the same of one */
/* May this client see the object? */
bool fanout_visible(struct fanout *f, struct client *c, const struct xod_obj *o);
/* Are numbers of the object masked for this client? Are its calls none of the client's, by the
 * profile? */
bool fanout_masks(struct fanout *f, struct client *c, const struct xod_obj *o);
bool fanout_hides(struct fanout *f, struct client *c, const struct xod_obj *o);
/* render_fields, of those that this client sees. */
void fanout_render_fields(struct fanout *f, struct client *c, struct buf *out,
                          const struct xod_obj *o, uint64_t mask);

/* ---- latency.c: from Asterisk to clients ---- */
struct latency *latency_new(struct metrics *m); /* NULL without memory */
void latency_destroy(struct latency **l);
/* A change was heard of by a gateway at this time (replica_cause). */
void latency_note(struct latency *l, double cause);
/* What has been noted is handed over for clients. */
void latency_told(struct latency *l);
/* Adds mean and worst since the last call to a heartbeat; how many pairs. */
size_t latency_beat(struct latency *l, struct buf *pairs);
/* Adds those of the last minute or two to a line that is begun: `latency` with changes, mean_ms and
 * worst_ms. */
void latency_put(struct latency *l, struct buf *line);

/* ---- realtime_stats.c: the figures of queues, for who asked for them ---- */
/* Tells the client all figures that it may see now, and from now on those that change. */
void realtime_stats_subscribe(struct client *c);
void realtime_stats_unsubscribe(struct client *c); /* does nothing to one that is not subscribed */
/* A change of the replica. */
void realtime_stats_change(struct gateway *g, const struct xod_change *change);

/* ---- watch.c: views that clients subscribe to, told anew as a whole when they change ---- */
struct watches *watches_new(struct gateway *g);
void watches_destroy(struct watches **w);
/* Each tells the client at once how it is, and again at each change. 0, or -ENOMEM, or -E2BIG: it
 * watches too much already. */
int watch_rooms(struct client *c);
int watch_calls(struct client *c);
int watch_queue(struct client *c, const struct xod_obj *queue);
/* Its ids of members are those of 2012 (legacy_member_id.c): it is told changes under those, too.
 */
int watch_members(struct client *c);
/* The status of one object of the lists agents, phones or users; not any more. */
int watch_status(struct client *c, const struct xod_obj *o);
void watch_status_end(struct client *c, enum xod_list list, struct view id);
/* It wants to be told nothing any more. */
void watch_end(struct client *c);
/* A change of the replica. */
void watches_change(struct watches *w, const struct xod_change *change);

/* ---- views.c: what watch.c tells, appended to `line` ---- */
/* The conferences that the client may see; which of them the client's own phones are in. */
void view_rooms(struct buf *line, struct client *c);
void view_own_rooms(struct buf *line, struct client *c);
/* The calls of the client's phones. */
void view_calls(struct buf *line, struct client *c);
/* Who waits in a queue. */
void view_queue(struct buf *line, struct client *client, const struct xod_obj *queue);
/* The status of an agent, phone or user. */
void view_status(struct buf *line, const struct xod_obj *o);
/* Is it the channel of a phone of the client's user? */
bool view_is_own_channel(const struct client *c, struct view channel);

/* ---- legacy_member_id.c: members of queues as the clients of 2012 call them ---- */
/* The member of qa:QUEUE-AGENT, qp:QUEUE-PHONE, ga:GROUP-AGENT, gp:GROUP-PHONE; NULL: no such. */
struct xod_obj *member_of_legacy_id(const struct xod_ipbx *ipbx, struct view id);
bool is_legacy_member_id(struct view id);
/* Appends that id of a member; false: its queue or who it is is not known. */
bool put_legacy_member_id(struct buf *out, const struct xod_obj *member);

/* ---- user_push.c: lines for users, from the bus ---- */
struct user_push *user_push_new(struct gateway *g);
void user_push_destroy(struct user_push **in);
/* Lines for the users of this IPBX are wanted. 0 or a negative errno. */
int user_push_listen(struct user_push *in, struct view ipbx);
/* From now on the lines for its user go to the client, too. 0 or -ENOMEM. */
int user_push_join(struct user_push *in, struct client *c);
void user_push_leave(struct user_push *in, struct client *c);
/* The sessions of a user that have joined, or NULL: none. Their list is linked by `of_user`. */
struct client_list *user_push_sessions(struct user_push *in, struct view ipbx, struct view user_id);
/* A key that identifies the user of a client, which must have joined. */
struct view user_push_key(const struct client *c);
/* The client has its answer: sends the lines that waited for that. Throws them away. */
void user_push_release(struct client *c);
void user_push_forget(struct client *c);
/* A message of another plane than xod. */
void user_push_message(struct user_push *in, const struct bus_msg *m);

/* ---- login_throttle.c: who guesses passwords ---- */
struct sockaddr;
struct login_throttle *login_throttle_new(void);
void login_throttle_destroy(struct login_throttle **g);
/* What failures are counted under; both are secret numbers of this guard. A user is
 * known by the login that is tried, in any case of ASCII letters and with any blanks around: this
 * puts together at least all that state takes for the same user, which is the very same bytes. */
uint64_t login_throttle_address(const struct login_throttle *g, const struct sockaddr *peer);
uint64_t login_throttle_user(const struct login_throttle *g, struct view login);
void login_throttle_failed(struct login_throttle *g, uint64_t address, uint64_t user,
                           uint64_t now_us);
/* One that was counted beforehand was none. */
void login_throttle_forgive(struct login_throttle *g, uint64_t address, uint64_t user);
/* The user has logged in from this address. */
void login_throttle_succeeded(struct login_throttle *g, uint64_t address, uint64_t user,
                              uint64_t now_us);
/* How long the password of this user from this address is held back before it is looked at, in
 * milliseconds (at most 5,000); -1: it is refused without a look. */
int login_throttle_delay(const struct login_throttle *g, uint64_t address, uint64_t user,
                         uint64_t now_us);

/* ---- delayed.c ---- */
/* Calls fn(c, text, reply_id) in so many milliseconds; reading pauses until then. 0 or -ENOMEM. */
int client_ask_later(struct client *c, struct view text, struct view reply_id, uint32_t ms,
                     void (*fn)(struct client *c, struct view text, struct view reply_id));
void delayed_free(struct delayed **d);

/* ---- snapshot.c ---- */
/* The client has taken what was sent: goes on with its snapshot, if one is under way. */
void snapshot_continue(struct client *c);
void snapshot_free(struct snapshot **s);

/* ---- handled.c ---- */
/* Does a program on the bus answer messages of this class? *permission: only of users whose profile
 * names it; the fields that it lacks are appended to `missing`, with commas between them. */
bool handled(struct client *c, struct request *rq, bool *permission, struct buf *missing);
/* Passes it on. */
void handled_relay(struct client *c, struct request *rq);

/* ---- observed.c: messages that are answered here, for who observes them ---- */
/* Is a message of this class of the client to be told of? */
bool observed(const struct client *c, struct view class);
/* Tells state what came of it. */
void observed_tell(struct client *c, const struct request *rq, uint64_t us);

/* ---- relay.c ---- */
/* A handler: state carries the message out and says what the answer has in it. */
void relay(struct client *c, struct request *rq);
/* The same of a message that changes nothing, which another state may be asked, too. */
void relay_read(struct client *c, struct request *rq);
/* The same of a class without a row; `class` lives as long as the gateway. */
void relay_class(struct client *c, const struct request *rq, const char *class);
/* The agent that the user is takes calls at this number (empty: the user's own phone): as if the
 * client had asked for it. */
void relay_agent_login(struct client *c, const char *number);
/* Asks for what was written to the user who was not there, where the profile permits that. */
void relay_missed_chat(struct client *c);

/* ---- login_start.c: the first step of a login ---- */
/* Checks version, fields and the number of clients, and makes c->login. False: the client has been
 * refused and is gone. */
bool login_start(struct client *c, struct request *rq, const char *const *required,
                 struct view who);

/* ---- messages/getlist.c ---- */
/* Answers a question for the config or status of an object without making a tree of it; most of
 * what clients send is that. False: the line is something else, or has to be looked at more
 * closely; nothing has happened. */
bool message_getlist_quick(struct client *c, struct view line);

/* ---- messages/login_direct.c ---- */
/* Revokes a token; everywhere: all tokens of the user, whose other sessions end. */
void login_direct_forget(struct client *c, struct view token, bool everywhere);

/* ---- accepts.c ---- */
/* The bits (enum client_accepts) of the list `accepts` of a login message; unknown words count for
 * nothing. */
uint32_t client_accepts_of(struct json_object *body);
/* The bit of one word, or 0. */
uint32_t client_accepts_bit(struct view word);

/* ---- login_complete.c: the last step of a login ---- */
/* Asks state to open the session that c->login describes (class, reply_id, capaid, state,
 * loginkind, wins), then goes on with login_complete_begin. The client may be gone afterwards.
 * agent_number: where the agent's phone is; may be empty. */
void login_open_session(struct client *c, struct view agent_number);
/* State has opened the session: waits until the replica holds it, then answers. */
void login_complete_begin(struct client *c, const msgpack_object *body);
/* Takes the client off the list of logins that wait for the replica; does nothing if it is not on
 * it. */
void login_complete_end(struct client *c);
/* The replica has reached this number: completes who waited for it. */
void login_complete_reached(struct gateway *g, uint64_t seq);

/* What is only needed until the login is complete. */
struct login {
    char *userlogin;
    uint64_t guarded_as; /* the user, for the guard */
    bool counted;        /* as a failure, while it is not known that it is none */
    const char *class;   /* of the message that completes the login */
    char *state;         /* the presence that it asks for */
    char *loginkind;     /* user or agent */
    char *token;         /* for the answer, or NULL */
    char *ident;         /* what its client calls itself */
    bool remember;       /* it wants a token */
    bool wins;           /* it ends the other sessions of its user */
    char sessionid[32];
    struct json_object *capalist; /* of login_pass, as sent */
    char *presence;               /* of the answer of state */
    char *appliname, *capaxlets, *capas, *capaid;
    char *reply_id;
    char *agent_number;      /* to log the agent in at once the login is complete, or NULL */
    struct delayed *delayed; /* an answer that is held back, or NULL */
    uint64_t wait_seq;       /* OPENING: complete when the replica is there */
    bool opened;             /* state has answered, and it is in gw->opened */
};
void login_free(struct login **l);

#endif
