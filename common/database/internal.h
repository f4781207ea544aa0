/* Private to database/: transactions, and the thread that carries them out. */
#ifndef CTIBUS_DATABASE_INTERNAL_H
#define CTIBUS_DATABASE_INTERNAL_H

#include <stdarg.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/map.h"
#include "database/db.h"

#define DB_MAX_PARAMS 12

struct db_param {
    char type;
    size_t at, len; /* of a text: where it stands in the transaction's texts */
    int64_t i;
    double f;
};

struct db_statement {
    const char *sql;
    unsigned n;
    struct db_param params[DB_MAX_PARAMS];
};

/* Statements to carry out, or (row) one to ask with. */
struct db_txn {
    struct db *d;
    struct db_statement *statements;
    size_t n, cap;
    struct buf texts;
    db_row_fn *row;
    db_done_fn *done;
    void *arg;
    int unfit;     /* negative: it could not be put together, and is not to be carried out */
    int rc;        /* what came of it */
    uint64_t turn; /* in the order in which they were handed over */
    STAILQ_ENTRY(db_txn) link;
};
STAILQ_HEAD(db_txns, db_txn);

/* ---- txn.c ---- */
struct db_txn *txn_new(struct db *d);
void txn_free(struct db_txn *t);
void txn_add(struct db_txn *t, const char *sql, const char *types, va_list ap);
/* The same with the columns of a row. */
void txn_add_row(struct db_txn *t, const char *sql, const char *types, const struct db_row *row);

/* ---- conn.c: a connection, of the kind that `where` names ---- */

struct dbconn;

struct dbconn_ops {
    struct view (*text)(const struct db_row *row, int column);
    int64_t (*integer)(const struct db_row *row, int column);
    double (*real)(const struct db_row *row, int column);
    int (*steps)(struct dbconn *c, const struct db_schema *schema);
    int (*check)(struct dbconn *c);
    int (*run)(struct dbconn *c, struct db_txns *batch);
    int (*count_on)(struct dbconn *c, const char *table);
    void (*patience)(struct dbconn *c, int ms);
    void (*destroy)(struct dbconn *c);
    const char *advice;  /* what to look at when it cannot be opened, in words */
    const char *damaged; /* what may be done with one that is damaged, in words; NULL: nothing */
};
struct dbconn {
    const struct dbconn_ops *ops;
    char name[400];    /* for messages: without a password */
    char error[240];   /* of the last thing that failed */
    char refused[240]; /* of the last batch: why one failed by itself; empty: none did */
    int64_t term;      /* which owner of the database we are, counted; 0: that is not counted */
    bool taken_over;   /* another process owns it since: nothing is written any more */
};
struct db_row {
    const struct dbconn_ops *ops;
    void *of; /* sqlite3_stmt or PGresult */
    int at;
};

/* Takes the database for this process alone; others may read it and, in between, write (a backup,
 * an operator with a shell). 0; -EBUSY: another process of ours has it; another negative errno,
 * with (*out)->error. *out is to be closed in any case but -ENOMEM, when it may be NULL. */
int dbconn_open(struct dbconn **out, const char *where);
/* Logs why dbconn_open() or dbconn_steps() failed, with what to do. */
void dbconn_log(const struct dbconn *c, const struct db_schema *schema, struct log *log, int rc);
/* Brings its tables up to what this version needs. 0; -EPROTO: a later version has written it; or
 * -EIO with c->error. */
int dbconn_steps(struct dbconn *c, const struct db_schema *schema);
/* Is it still what was opened: the file, which may have been removed or replaced, or the
 * connection, which is made again if it was lost? Of one that was claimed (claim.h) tells the
 * server that we are alive. 0, or -EIO with c->error. */
int dbconn_check(struct dbconn *c);
void dbconn_close(struct dbconn **c);
/* How often dbconn_check() is to be called of one that was claimed. */
#define DB_BEAT_MS 1000
/* How long it waits for another process that writes; at first DB_PATIENCE_MS, also of struct db. */
#define DB_PATIENCE_MS 2000
void dbconn_patience(struct dbconn *c, int ms);
/* Carries out all, and each gets its rc: one that fails by itself takes none of the others with it.
 * They all read or they all write. 0, or a negative error, that of the file, the disk or the server
 * and not of one of them: then nothing was written but those whose rc is 0. */
int dbconn_run(struct dbconn *c, struct db_txns *batch);
/* Ids of rows to come begin behind those of the rows that the table has. 0 or -EIO. */
int dbconn_count_on(struct dbconn *c, const char *table);

/* claim.c: the connection of a claim that is won, which ends. */
struct db_claim;
struct dbconn *claim_take(struct db_claim **claim);

/* Both are to be closed by dbconn_close() if *out is set. */
int sqlite_open(struct dbconn **out, const char *path);
int postgres_open(struct dbconn **out, const char *uri);

#endif
