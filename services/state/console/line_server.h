/*
 * A door: a listener for peers that say lines of text and are answered with lines, behind a list of
 * who may connect, and perhaps a Unix socket beside it. What is no text, or HTTP, ends a connection
 * (foreign.h). It bounds how many are there, how long a line is, how much waits for a peer that
 * does not read, and how long a peer may be silent.
 */
#ifndef CTIBUS_STATE_CONSOLE_DOOR_H
#define CTIBUS_STATE_CONSOLE_DOOR_H

#include <sys/queue.h>

#include "base/netaddr.h"
#include "config/config.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "net/conn.h"

#define DOOR_MAX_OUTPUT ((size_t)8 << 20) /* bytes that may wait for one peer */

struct talk;

struct door_def {
    const char *name;       /* for the log and the metrics */
    const char *listen_key; /* keys of the configuration */
    const char *access_key;
    const char *socket_key; /* of the path of a Unix socket beside it; NULL: there is none */
    const char *refusal;    /* what the line begins with that tells a peer why it is not heard */
    unsigned max_talks;     /* over TCP, and as many through the Unix socket */
    size_t max_line;        /* bytes */
    uint32_t idle_ms;       /* silence after which a peer is cut off */
    /* Web interfaces: the two characters \n end a line, too, and so does a short pause where
     * `whole` says that what stands there can be one; when all is answered and a short pause has
     * passed, the talk is over. NULL: lines are ended by LF, and the talk by the peer. */
    bool (*whole)(struct view rest);
    /* Sets t->data. 0, or negative: the peer is cut off. */
    int (*opened)(struct talk *t);
    void (*line)(struct talk *t, struct view line);
    void (*closed)(struct talk *t);  /* frees t->data */
    void (*drained)(struct talk *t); /* all output has left; may be NULL */
};

/* One peer. Others read peer, and set data and watching. */
struct talk {
    LIST_ENTRY(talk) all;
    struct door *door;
    struct conn *conn;
    char peer[NETADDR_TEXT]; /* IP:PORT, or "local uid=UID pid=PID" */
    bool local;              /* it came through the Unix socket */
    void *owner;             /* as given to door_new */
    void *data;
    bool watching; /* it wants to be told what happens: silence is no reason to cut it off */
    /* door.c's */
    struct buf in;
    uint64_t heard; /* when something was last said or an answer was complete; monotonic us */
    size_t lines;
    bool eof, held, working, closing, rest_counts;
};

struct door;
/* Listens where `cfg` says. NULL and *err on failure (logged); NULL and *err == 0: switched off,
 * TCP and Unix socket both. */
struct door *door_new(struct loop *loop, const struct config *cfg, const struct door_def *def,
                      void *owner, struct metrics *metrics, struct log *log, int *err);
void door_destroy(struct door **d);
/* Reads anew who may connect; those who are there stay. */
void door_reload(struct door *d, const struct config *cfg);
/* Of TCP; 0: it is switched off. */
uint16_t door_port(const struct door *d);

/* 0, or negative: the peer is about to be cut off, since it does not read. */
int talk_send(struct talk *t, struct view text);
/* Bytes that wait for the peer. */
size_t talk_backlog(const struct talk *t);
/* Between these two no line is handed out: an answer is under way. */
void talk_hold(struct talk *t);
void talk_go_on(struct talk *t);
/* Ends it when what was sent has left. */
void talk_close(struct talk *t);

#endif
