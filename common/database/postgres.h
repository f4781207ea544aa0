/* Private to database/: a database in a PostgreSQL server. postgres.c connects and owns it,
 * postgres_run.c carries statements out. */
#ifndef CTIBUS_DATABASE_POSTGRES_H
#define CTIBUS_DATABASE_POSTGRES_H

#include <libpq-fe.h>

#include "base/pg_uri.h"
#include "database/internal.h"

/* So long the server may say nothing, unless dbconn_patience() says otherwise; and so long a step
 * of the tables may take. A client that waits is told of a failure within 5 s: one batch, and the
 * attempt to connect again, take less. */
#define PG_PATIENCE_MS DB_PATIENCE_MS
#define PG_STEP_MS 600000

struct postgres {
    struct dbconn conn; /* first */
    struct pg_uri uri;
    PGconn *pg; /* in pipeline mode once it is owned; NULL: there is none */
    int patience_ms;
    uint64_t deadline_us; /* of what is under way, by clock_mono_us */
    uint64_t again_us;    /* no attempt to connect before */
    int64_t epoch;        /* under which we own it; 0: not yet */
    int64_t written;      /* transactions whose turn is below are committed */
    bool taken_over;      /* another process owns it since */
    struct map *prepared; /* of this connection: a name by the text of a statement */
    struct buf scratch;
};

/* ---- postgres.c ---- */
/* Waits until the server has sent something, and sends meanwhile what waits. 0, or -EIO: nothing
 * came until the deadline, or the connection is lost (it is dropped then, with an error). */
int pg_wait(struct postgres *p);
/* Drops the connection; why: for error, of libpq when NULL. -EIO. */
int pg_drop(struct postgres *p, const char *why);
/* Connects again if there is no connection. 0, or -EIO with an error. */
int pg_connected(struct postgres *p);
/* Puts the server's words into error, in one line. -EIO. */
int pg_failed(struct postgres *p, const char *message);

/* ---- postgres_run.c: dbconn_ops ---- */
int pg_run(struct dbconn *c, struct db_txns *batch);
struct view pg_text(const struct db_row *row, int column);
int64_t pg_integer(const struct db_row *row, int column);
double pg_real(const struct db_row *row, int column);

#endif
