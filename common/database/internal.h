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

/* ---- steps.c ---- */
/* Brings its tables up to what this version needs. 0; -EPROTO: a later version has written it; or
 * -EIO. */
int steps_take(sqlite3 *sql, const struct db_schema *schema);

/* ---- txn.c ---- */
struct db_txn *txn_new(struct db *d);
void txn_free(struct db_txn *t);
void txn_add(struct db_txn *t, const char *sql, const char *types, va_list ap);

/* ---- run.c: by the connection of the caller ---- */
struct dbconn {
    sqlite3 *sql;
    int lock_fd;          /* holds the lock of the one process whose file it is; -1: none */
    char *wal;            /* the file of what is not in the database's own yet */
    ino_t wal_ino;        /* which it is; 0: it was never seen */
    bool had_pages;       /* the database's own file was seen with something in it */
    struct map *prepared; /* statement by the text's own address */
    char error[160];      /* of the last thing that failed */
    char refused[160];    /* of the last batch: why one failed by itself; empty: none did */
};
/* Takes the file for this process alone; others may read it and, in between, write (a backup, an
 * operator with a shell). 0; -EBUSY: another process of ours has it; another negative errno, with
 * c->error. */
int dbconn_open(struct dbconn *c, const char *path);
/* Are the files still those that were opened? What is written to one that was removed or replaced
 * is lost at the end of the process. 0, or -EIO with c->error. */
int dbconn_check(struct dbconn *c);
void dbconn_close(struct dbconn *c);
/* How long it waits for another process that writes; at first DB_PATIENCE_MS, also of struct db. */
#define DB_PATIENCE_MS 2000
void dbconn_patience(struct dbconn *c, int ms);
/* Carries out all as one, and each gets its rc. They all read or they all write: those that read
 * need no lock, so no other process that writes keeps them waiting. 0, or a negative error, that of
 * the file or the disk and not of one of them: nothing was written. */
int dbconn_run(struct dbconn *c, struct db_txns *batch);

#endif
