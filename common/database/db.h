/*
 * The database: what must survive a restart, in a file of SQLite or in a PostgreSQL server, written
 * by a thread of its own.
 *
 * SQL is what both understand, with the parameters of SQLite (?, ?1); database/dialect.h says what
 * is translated for PostgreSQL.
 *
 * The loop puts statements together to a transaction and hands it over; the thread writes all that
 * wait in one go (one fsync for many), and the loop is told of each when it is on disk (or when
 * PostgreSQL says that it is committed). So a caller that answers "done" only when told so loses
 * nothing by a crash at any instant. Transactions are carried out in the order in which they were
 * handed over, and whole or not at all.
 *
 * While nothing can be written (the disk is full, another process has the lock, the server is away)
 * a caller that waits is told so; what no caller waits for stays, in its order, and is tried again.
 * Reads do not wait for it.
 *
 * What waits is bounded; db_begin says when it is too much.
 */
#ifndef CTIBUS_DATABASE_DB_H
#define CTIBUS_DATABASE_DB_H

#include "base/view.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

struct db;
struct db_txn;
struct db_row;

/* A table, to be copied from one database to another. */
struct db_table {
    const char *name, *columns; /* "site, user": the primary key first */
    const char *types;          /* of the columns, as of parameters */
    bool counted;               /* the column `id` is given by the database */
};

/* What a database is for. All is borrowed for the life of the database. */
struct db_schema {
    const char *const *steps; /* step n brings tables of version n to version n + 1 */
    int n_steps;
    const struct db_table *tables; /* all of them after the last step; n_tables 0: in a file only */
    size_t n_tables;
    const char *reports; /* views for PostgreSQL, made anew at each start; NULL: none */
    const char *key;     /* of the configuration, which names it: for messages */
    const char *program; /* whose it is: for messages */
    const char *without; /* what begins anew without a file that is damaged, in words */
    const char *refuses; /* what is so while nothing can be written, in words */
    enum metric_id up, written, lost;
};

/* Told on the loop: rc is 0 when it is on disk, else negative (nothing of it is). */
typedef void db_done_fn(void *arg, int rc);
/* One row of what was asked for. On the thread (db_read) or before there is one (db_read_now): it
 * may touch nothing but arg. False: no more rows are wanted. */
typedef bool db_row_fn(void *arg, const struct db_row *row);

/* Opens the database at `where`, a file, which is made if it is not there, or
 * postgresql://USER:PASSWORD@HOST/DATABASE, and brings its tables up to what this version needs.
 * Waits for the server, some seconds at most. NULL, logged with what to do, and *err on failure. */
struct db *db_open(struct loop *loop, const char *where, const struct db_schema *schema,
                   struct metrics *metrics, struct log *log, int *err);
/* Does the server of this URI let us in? Touches nothing there; waits for it, some seconds at most.
 * name: the database as it may be shown; why: what is wrong, in the server's words; `size` bytes
 * each. 0 or a negative errno. */
int db_probe(const char *uri, char *name, char *why, size_t size);
/* Which owner of the database we are, counted from its first one; 0: a file, where that is not
 * counted. */
int64_t db_term(const struct db *d);
/* Once, on the loop: another process owns the database now, and nothing is written any more. */
void db_on_taken_over(struct db *d, void (*over)(void *arg), void *arg);
/* Before db_start, in milliseconds: how long another process that writes is waited for, or a server
 * that says nothing, by a write and by db_close (2000 unless set); when what could not be written
 * is tried again (1000); from one look at the files, or at the connection, to the next while
 * nothing is written (2000). */
void db_set_times(struct db *d, uint32_t patience_ms, uint32_t again_ms, uint32_t check_ms);
/* Starts the thread: what has been handed over is written from now on. 0 or a negative errno. */
int db_start(struct db *d);
/* Writes what waits, tells of it, and begins nothing new meanwhile. What cannot be written in time
 * (db_set_times) is given up. */
void db_close(struct db **d);

/* Parameters of a statement, by their types: 's' struct view, 'i' int64_t, 'f' double. */

/* A transaction to fill. NULL: without memory, too much waits, or it is being closed. */
struct db_txn *db_begin(struct db *d);
/* Adds a statement; `sql` must live for ever. What cannot be added makes the transaction fail. */
void db_add(struct db_txn *t, const char *sql, const char *types, ...);
/* Hands it over. done may be NULL. */
void db_commit_take(struct db_txn **t, db_done_fn *done, void *arg);
/* One statement as a transaction that nobody waits for; one that is given up is counted. */
void db_write(struct db *d, const char *sql, const char *types, ...);

/* Asks for rows; done is called when there are no more. 0; -ENOBUFS, -ENOMEM: it is not called. */
int db_read(struct db *d, const char *sql, db_row_fn *row, db_done_fn *done, void *arg,
            const char *types, ...);
/* The same before db_start: waits for it. 0 or a negative error. */
int db_read_now(struct db *d, const char *sql, db_row_fn *row, void *arg, const char *types, ...);

/* A column, from 0. A text dies with the row; an empty column is "" or 0. */
struct view db_text(const struct db_row *row, int column);
int64_t db_int(const struct db_row *row, int column);
double db_float(const struct db_row *row, int column);

#endif
