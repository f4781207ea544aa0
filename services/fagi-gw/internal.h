/* Private to the parts of the gateway. */
#ifndef CTIBUS_FAGI_GW_INTERNAL_H
#define CTIBUS_FAGI_GW_INTERNAL_H

#include "agi/agi.h"
#include "base/queue.h"
#include "gateway.h"
#include "ipbxes.h"
#include "net/conn.h"

/* How long Asterisk may take to carry out what it was told, and to close. */
#define LEAVE_US 2000000u

enum phase {
    READING, /* the environment */
    HOLDING, /* state is away, but may come back in time */
    ASKED,   /* state */
    LEAVING, /* answered: what Asterisk says to it is read until it closes */
};

/* What became of a session, as metrics and the bus call it. */
enum outcome {
    OUTCOME_OK,
    OUTCOME_FAIL,      /* answered with XIVO_CTI_AGI=FAIL: state or a handler could not */
    OUTCOME_TIMEOUT,   /* the same: nothing came within the deadline */
    OUTCOME_GONE,      /* Asterisk closed before it was answered */
    OUTCOME_MALFORMED, /* that was no FastAGI */
    OUTCOMES
};
extern const char *const outcome_names[OUTCOMES];

struct session {
    TAILQ_ENTRY(session) all; /* on `open` or, LEAVING, on `leaving`: by `due` */
    struct fagi *f;
    struct conn *conn;
    uint64_t since, due; /* monotonic us; due: when it is answered with FAIL, or closed */
    uint64_t ask;        /* the request of state; 0: none */
    size_t seen;         /* of the environment (agi_env_len) */
    struct buf request;  /* while HOLDING: what state is to be asked */
    char *ipbx, *script, *channel, *uniqueid;
    struct buf set; /* the variables set, as pairs of a map */
    size_t n_set;
    uint64_t took;   /* us until it was answered */
    uint32_t errors; /* commands that Asterisk answered with one */
    struct agi_answers answers;
    enum phase phase;
    enum outcome outcome;
};
TAILQ_HEAD(sessions, session);

/* Calls of which a script failed, the last so many: a later one that succeeds says so. */
#define FAILED_KEPT 256
struct fagi_failed {
    char call[FAILED_KEPT][96]; /* IPBX/Uniqueid; "": none */
    unsigned n, next;           /* how many there are; where the next one is kept */
};

struct fagi_counts {
    struct metric *outcomes[OUTCOMES];
    struct metric *open, *seconds, *over_limit, *answers[AGI_PART], *refused;
};

struct fagi {
    struct loop *loop;
    struct bus *bus;
    struct log *log;
    struct bus_pub *pub;
    struct bus_client *bus_client;
    struct bus_heartbeat *heart;
    struct listener *listener;
    struct conn_class conns;
    struct ipbxes *sites;
    struct loop_timer *janitor; /* runs while a session is open */
    struct sessions open, leaving;
    size_t n_open, max_sessions;
    uint64_t deadline_us;
    uint64_t state_lost; /* monotonic us, when state went away; 0: it is there, or was never */
    struct agi_env env;  /* the one being read; views die with its turn */
    struct buf scratch, line, topic, body;
    struct fagi_counts counts;
    struct fagi_failed failed;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* ---- session.c ---- */
extern const struct conn_handler session_handler;
/* A connection was accepted; takes fd. */
void session_new(struct fagi *f, int fd, const struct sockaddr *peer);
/* State is there: those that wait for it are asked. */
void sessions_state_up(struct fagi *f);
/* What is due by the clock. */
void sessions_tick(struct fagi *f, uint64_t now);
/* Ends all of them without a word. */
void sessions_close(struct fagi *f);

/* ---- request.c ---- */
/* Writes what state is asked about the environment in f->env into s->request, and keeps of it what
 * is to be told afterwards. IPBX may be NULL: nobody's. 0 or -ENOMEM. */
int request_make(struct session *s, struct view script, const struct ipbx *ipbx);

/* ---- answer.c ---- */
/* Writes the commands that an answer asks for into f->line and notes them in s->set. What cannot be
 * a command is left out and logged. */
void answer_put(struct session *s, const msgpack_object *body);
/* The one that says that nothing came of it. */
void answer_put_fail(struct session *s);
/* Tells the bus what became of the session. */
void answer_publish(struct session *s);

#endif
