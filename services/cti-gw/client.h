/*
 * One CTI client: framing, the steps of its login, answers.
 *
 * phase: CONNECTED -> IDENTIFIED (login_id) -> AUTHENTICATED (login_pass) -> OPENING (login_capas
 * asked) -> LIVE. Only client_set_phase changes it.
 */
#ifndef CTIBUS_CTI_GW_CLIENT_H
#define CTIBUS_CTI_GW_CLIENT_H

#include "base/queue.h"
#include "bus/bus.h"
#include "gateway.h"
#include "net/conn.h"
#include "registry.h"
#include "xod/xod.h"

struct gateway;
struct audience;
struct user_sessions;
struct watch;
struct snapshot;
struct fax;
struct profile;
struct origin;

enum client_phase { CONNECTED, IDENTIFIED, AUTHENTICATED, OPENING, LIVE };

/* What is only needed until the login is complete. */
struct login;

/* What a client says in its login that it knows (`accepts`): those of 2012 know none of it. */
enum client_accepts {
    ACCEPTS_LOGIN_THROTTLED = 1 << 0, /* that error */
    ACCEPTS_CALLS = 1 << 1,           /* pushes about the list calls */
    ACCEPTS_LOGIN_HASHED = 1 << 2,    /* that error */
    ACCEPTS_SHEET_JSON = 1 << 3,      /* sheets as objects instead of XML */
    ACCEPTS_STATE = 1 << 4,           /* whether state is there */
};

struct client {
    struct gateway *gw;
    struct conn *conn;
    LIST_ENTRY(client) all;
    LIST_ENTRY(client) of_audience;          /* while LIVE */
    LIST_ENTRY(client) of_opened;            /* while login->opened */
    LIST_ENTRY(client) of_yielding;          /* while yielding */
    LIST_ENTRY(client) of_realtime_stats;    /* while wants_realtime_stats */
    LIST_ENTRY(client) of_user;              /* while LIVE */
    TAILQ_ENTRY(client) of_lobby, of_origin; /* while not (lobby.c) */
    struct origin *origin;                   /* of the same address, or NULL */
    struct buf *held; /* lines that are not to come before an answer, or NULL */
    struct user_sessions
        *user_sessions; /* where lines for the user are handed out (user_push.c), or NULL */
    uint64_t since;     /* when connected; once LIVE: when last heard (monotonic us) */
    uint64_t session;   /* number within this gateway; 0: none open */
    struct login *login;
    struct xod_ipbx *ipbx; /* once AUTHENTICATED */
    char *user_id;
    struct audience *audience;
    uint32_t told; /* bytes of what the audience has gathered that are not for it (fanout.c) */
    struct profile *profile;
    uint64_t asked;              /* the request to state that is under way, or 0 */
    char *ask_reply_id;          /* JSON text of the commandid it belongs to, or NULL */
    const char *relayed;         /* the class of the message that state carries out (relay.c) */
    const char *relayed_answer;  /* the class of a good answer to it */
    const char *relayed_command; /* of an ipbxcommand, else NULL */
    struct fax *fax;             /* what comes over this connection, or NULL (fax.c) */
    uint8_t peer[16]; /* address, as announced if it was; one of IPv4 as IPv6 writes it */
    uint16_t port;    /* of that address */
    uint32_t accepts; /* enum client_accepts */
    uint64_t address; /* the peer's, for the guard */
    uint8_t phase;
    uint8_t listener_kind;     /* by which it came in; LISTENER_TLS also after starttls */
    uint8_t bad_json;          /* in a row */
    uint8_t ignored;           /* messages before the login */
    bool secure;               /* nobody on the way reads what it sends: TLS, or this machine */
    bool from_proxy;           /* the peer of its socket is in remote_user_from */
    bool wants_tls;            /* has asked for it on the clear-text port, and may have it */
    bool fax_asked;            /* state was asked whether a fax comes over this connection, */
    bool fax_asking;           /* and has not answered yet */
    bool slowed;               /* pace.c holds reading back: it is over its budget, */
    bool yielding;             /* or it is the turn of others */
    bool silent;               /* nothing has come from it yet */
    bool wants_realtime_stats; /* of queues (realtime_stats.c) */
    struct snapshot *snapshot; /* what is still to be sent of one (snapshot.c), or NULL */
    struct watch *watch;       /* what else it wants to be told as it changes (watch.c), or NULL */
};

/* Ends it at once: session, connection, memory. */
void client_destroy(struct client *c);
/* Ends it when what was sent has left. The client must not be used afterwards. */
void client_close(struct client *c, const char *why);
/* The same for a user who may come back: is shown as there for the grace time
 * (ctibus.session_grace_seconds). */
void client_lose(struct client *c, const char *why);
/* Frees all but the connection, which is closed already. lost: as of client_lose. */
void client_free(struct client *c, bool lost);
void client_set_phase(struct client *c, enum client_phase phase);
/* The client of a session of this gateway, or NULL. */
struct client *client_of_session(struct gateway *g, struct view name);

/* What the gateway's parts do when something happens to a client (gateway.c). */
struct client_hooks {
    void (*live)(struct client *c);     /* its login is complete */
    void (*answered)(struct client *c); /* the request to state has been answered */
    void (*leaving)(struct client *c);  /* it is about to be freed */
};

/* input.c */
extern const struct conn_handler client_conn_handler;

/* ---- answer.c ---- */

/* Begins a line of `class`: {"class":"...","replyid":N ; the caller appends ,"field":value pairs.
 */
void line_begin(struct buf *out, struct view class, struct view reply_id);
/* Appends ,"key":value of each pair of a map but class. 0, or -E2BIG (too deep) or -ENOMEM. */
int line_put_pairs(struct buf *out, const msgpack_object *map);
/* Appends timenow, the end and a line feed. */
void line_end(struct buf *out);
/* Sends what stands in the gateway's scratch line; after the lines that were due before it. */
void client_send_line(struct client *c, struct buf *line);
/* {"class":CLASS,"replyid":N,KEY:TEXT,"timenow":T}; key NULL: without. */
void client_send_pair(struct client *c, struct view class, struct view reply_id, const char *key,
                      struct view text);
/* The same as the answer to a request. */
void client_answer(struct client *c, const struct request *rq, const char *key, struct view text);
/* The same to what is not carried out: to an ipbxcommand with the command, if it is known. */
void client_decline(struct client *c, const struct request *rq, struct view command,
                    const char *key, struct view text);
/* Answers one for which nothing else is to be said, if it has a commandid. */
void client_done(struct client *c, const struct request *rq);
/* The same with error_string, then the end of the connection; before the login is complete, a line
 * of the log says who was refused and why. */
void client_refuse(struct client *c, struct view class, struct view reply_id, struct view error);

/* The same, with another reason for the log than for the client. */
void client_refuse_as(struct client *c, struct view class, struct view reply_id, struct view error,
                      struct view reason);

/* ---- client.c ---- */

/* Asks state on behalf of this client; reading pauses until the answer, so that answers keep the
 * order of the requests. repeat: as of bus_ask_wait(). False when state is not there. */
bool client_ask(struct client *c, enum bus_method method, bool repeat, size_t n_pairs,
                struct view pairs, struct view reply_id, bus_answer_fn *answer);
/* The answer has been dealt with: reading goes on. Returns nothing that is kept. */
void client_answered(struct client *c);
/* The reply_id of the request that client_ask was for. */
struct view client_reply_id(const struct client *c);

/* "INSTANCE-N": what state knows the session by. */
void client_session_name(const struct client *c, char out[64]);
/* "IP:PORT" of the peer; returns `out`. */
const char *client_address(const struct client *c, char out[64]);
/* The same of session number n, whose client may be gone. */
void session_name(const struct gateway *gw, uint64_t n, char out[64]);
/* "of user 5 at 192.0.2.7:49152", for a log; returns `out`. */
#define CLIENT_WHO 160
const char *client_who(const struct client *c, char out[CLIENT_WHO]);
/* The user's own object, or NULL when it is gone. */
struct xod_obj *client_user(const struct client *c);

#endif
