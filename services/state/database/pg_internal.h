/* The inside of a connection to a PostgreSQL server: pg.c connects, pg_query.c asks. */
#ifndef CTIBUS_STATE_DATABASE_PG_INTERNAL_H
#define CTIBUS_STATE_DATABASE_PG_INTERNAL_H

#include <event2/event.h>
#include <libpq-fe.h>
#include <sys/queue.h>

#include "database/pg.h"
#include "net/lookup.h"

#define PG_MAX_WHY 400

struct query {
    const char *sql;
    pg_row_fn *row;
    pg_done_fn *done;
    void *arg;
    STAILQ_ENTRY(query) link;
    size_t n;
    char *values[PG_MAX_VALUES]; /* in `text` */
    char text[];
};

enum phase { PG_WAITING, PG_LOOKUP, PG_CONNECTING, PG_UP };

struct pg {
    struct loop *loop;
    struct pg_uri uri;
    const struct pg_handler *handler;
    void *arg;
    enum phase phase;
    struct lookup *lookup;
    char addresses[LOOKUP_MAX][64]; /* of the host; tried one after the other */
    size_t n_addresses, next_address;
    PGconn *conn;
    struct event *ready;
    short awaited;            /* what `ready` waits for */
    struct loop_timer *timer; /* until the next attempt, or for the server */
    struct loop_task *starter;
    unsigned tries;      /* since the connection was of use for long */
    uint64_t good_since; /* monotonic us; 0: it is not */
    STAILQ_HEAD(, query) queries;
    size_t n_queries;
    bool sent; /* the first of them */
    struct pg_result result;
    char message[PG_MAX_WHY], told[PG_MAX_WHY]; /* of the result; the last reason that was told */
    bool in_callback;
    char failing[PG_MAX_WHY]; /* pg_fail() was called within a callback */
};

/* The connection has ended, or an attempt to make it. */
void pg_lost(struct pg *p, const char *why);
/* True when pg_fail() was called within the callback that has ended: the connection is gone. */
bool pg_after_callback(struct pg *p);
/* Waits for EV_READ, EV_WRITE or both on the socket. False: no memory. */
bool pg_await(struct pg *p, short what);

/* Tells the caller that there will be no answer. */
void pg_lose_queries(struct pg *p);
/* Sends the first query that waits, if none is under way. */
void pg_send_next(struct pg *p);
/* The socket of a connection that is up is ready. */
void pg_input(struct pg *p);
void pg_output(struct pg *p);

#endif
