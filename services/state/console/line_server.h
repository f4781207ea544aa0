/*
 * A door: a listener for peers that say lines of text and are answered with lines, behind a list of
 * who may connect, and perhaps a Unix socket beside it. What is no text, or HTTP, ends a connection
 * (foreign.h). It bounds how many are there, how long a line is, how much waits for a peer that
 * does not read, and how long a peer may be silent.
 */
#ifndef CTIBUS_STATE_CONSOLE_LINE_SERVER_H
#define CTIBUS_STATE_CONSOLE_LINE_SERVER_H

#include "base/netaddr.h"
#include "base/queue.h"
#include "config/config.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "net/conn.h"

#define LINE_SERVER_MAX_OUTPUT ((size_t)8 << 20) /* bytes that may wait for one peer */

struct line_client;

struct line_server_def {
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
    int (*opened)(struct line_client *t);
    void (*line)(struct line_client *t, struct view line);
    void (*closed)(struct line_client *t);  /* frees t->data */
    void (*drained)(struct line_client *t); /* all output has left; may be NULL */
};

/* One peer. Others read peer, and set data and watching. */
struct line_client {
    LIST_ENTRY(line_client) all;
    struct line_server *server;
    struct conn *conn;
    char peer[NETADDR_TEXT]; /* IP:PORT, or "local uid=UID pid=PID" */
    bool local;              /* it came through the Unix socket */
    void *owner;             /* as given to line_server_new */
    void *data;
    bool watching; /* it wants to be told what happens: silence is no reason to cut it off */
    /* line_server.c's */
    struct buf in;
    uint64_t last_rx; /* when something was last said or an answer was complete; monotonic us */
    size_t lines;
    bool eof, held, working, closing, rest_counts;
};

struct line_server;
/* Listens where `cfg` says. NULL and *err on failure (logged); NULL and *err == 0: switched off,
 * TCP and Unix socket both. */
struct line_server *line_server_new(struct loop *loop, const struct config *cfg,
                                    const struct line_server_def *def, void *owner,
                                    struct metrics *metrics, struct log *log, int *err);
void line_server_destroy(struct line_server **d);
/* Reads anew who may connect; those who are there stay. */
void line_server_reload(struct line_server *d, const struct config *cfg);
/* Of TCP; 0: it is switched off. */
uint16_t line_server_port(const struct line_server *d);

/* 0, or negative: the peer is about to be cut off, since it does not read. */
int line_client_send(struct line_client *t, struct view text);
/* Bytes that wait for the peer. */
size_t line_client_backlog(const struct line_client *t);
/* Between these two no line is handed out: an answer is under way. */
void line_client_hold(struct line_client *t);
void line_client_go_on(struct line_client *t);
/* Ends it when what was sent has left. */
void line_client_close(struct line_client *t);

#endif
