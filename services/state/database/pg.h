/*
 * A connection to a PostgreSQL server, on the loop: nothing waits, neither for the server nor for
 * its name. It is made again by itself when it is lost, after 1 s and up to 60 s.
 *
 * Queries are carried out one after the other, in the order in which they were asked. What was
 * asked when the connection ends is told so; nothing is asked again by itself.
 */
#ifndef CTIBUS_STATE_DATABASE_PG_H
#define CTIBUS_STATE_DATABASE_PG_H

#include "base/pg_uri.h"
#include "log/log.h"
#include "loop/loop.h"

#define PG_MAX_VALUES 16 /* of a query */
/* A query of which nothing has come for so long ends the connection; and so long may it take to
 * connect to one address. */
#define PG_DEADLINE_MS 10000

struct pg;

enum pg_outcome {
    PG_DONE,
    PG_REFUSED, /* by the server, for what was asked */
    PG_LOST,    /* there is no connection any more, or the server cannot do it at present */
};
struct pg_result {
    enum pg_outcome outcome;
    uint64_t rows;       /* that were given or changed */
    char sqlstate[6];    /* of PostgreSQL; empty: the server has not said why */
    const char *message; /* in the server's words, of one line; "" unless it was refused */
};

/* One row of the answer; a value that is NULL is empty. */
typedef void pg_row_fn(void *arg, const struct view *values, size_t n);
typedef void pg_done_fn(void *arg, const struct pg_result *r);

struct pg_handler {
    /* The server has let us in: from now on may be asked. */
    void (*up)(void *arg);
    /* The connection is lost; or an attempt has failed, which is told once until pg_good(), and
     * again when the reason is another one. `why` is of one line, without the password. */
    void (*down)(void *arg, const char *why);
};

/* Connects, and calls the handlers from the loop. uri is copied; handler is borrowed. NULL without
 * memory. */
struct pg *pg_new(struct loop *loop, const struct pg_uri *uri, const struct pg_handler *handler,
                  void *arg);
/* done functions of what was asked are called (PG_LOST), handlers no more. Not from within one of
 * its callbacks. */
void pg_destroy(struct pg **p);

/* The connection is of use. When it is lost after more than a minute, the first attempt follows
 * after a second again. */
void pg_good(struct pg *p);
/* Ends it, as if it had been lost for this reason. From within a callback, too. */
void pg_fail(struct pg *p, const char *why);
bool pg_is_up(const struct pg *p);

/* Asks; `sql` must live for ever, values (n, NUL-ended, for $1...) are copied. row may be NULL. 0;
 * -ENOTCONN; -ENOBUFS: too much waits; -ENOMEM: done is not called. */
int pg_ask(struct pg *p, const char *sql, const char *const *values, size_t n, pg_row_fn *row,
           pg_done_fn *done, void *arg);

#endif
