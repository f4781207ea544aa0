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
    int64_t written;      /* transactions whose turn is below are committed */
    char name[64];        /* of the owner that was on standby (claim.c), or empty */
    struct map *prepared; /* of this connection: a name by the text of a statement */
    struct buf scratch;
};

/* What a claim knows of the process that owns the database. */
struct pg_owner {
    char name[64];
    int64_t term;
    double silent_s; /* since it has written last; negative: it is given time to start */
    int64_t session; /* the server's process that has the lock; 0: none has */
};

/* ---- postgres.c ---- */
/* Without a connection yet. -EINVAL: the URI is none, with an error; -ENOMEM: *out may be NULL. */
int pg_make(struct postgres **out, const char *uri);
/* One attempt to connect to a server that takes writes. 0 or -EIO with an error. */
int pg_connect(struct postgres *p);
/* Takes the lock of the owner if it is free. 1: it is ours; 0: another process has it; -EIO. */
int pg_try_lock(struct postgres *p);
/* Who has it. 0, or -EIO: that is not known. */
int pg_read_owner(struct postgres *p, struct pg_owner *out);
/* Ends this session if it still has the lock, and the server is not at work for it. 1: it was
 * ended; 0: not; -EIO. */
int pg_end_owner(struct postgres *p, int64_t session);
void pg_destroy_conn(struct postgres *p);
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
/* Writes nothing but that we are alive. 0 or -EIO with an error. */
int pg_beat(struct postgres *p);
int pg_run(struct dbconn *c, struct db_txns *batch);
struct view pg_text(const struct db_row *row, int column);
int64_t pg_integer(const struct db_row *row, int column);
double pg_real(const struct db_row *row, int column);

#endif
