/* A database in a file of SQLite. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "database/internal.h"

struct sqlite {
    struct dbconn conn; /* first */
    sqlite3 *sql;
    int lock_fd;          /* holds the lock of the one process whose file it is; -1: none */
    char *wal;            /* the file of what is not in the database's own yet */
    ino_t wal_ino;        /* which it is; 0: it was never seen */
    bool had_pages;       /* the database's own file was seen with something in it */
    struct map *prepared; /* statement by the text's own address */
};

static struct sqlite *of_conn(struct dbconn *c)
{
    return (struct sqlite *)c;
}

static int failed(struct sqlite *c)
{
    snprintf(c->conn.error, sizeof(c->conn.error), "%s", sqlite3_errmsg(c->sql));
    return -EIO;
}

static int exec(struct sqlite *c, const char *sql)
{
    return sqlite3_exec(c->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(c);
}

static void take_from_others(const char *path, int more_flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | more_flags, 0600);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        (st.st_mode & 077) != 0)
        (void)fchmod(fd, 0600);
    close(fd);
}

/* Call logs are private: mode 0600. The files beside it get the same mode from SQLite when
 * it makes them, but may be there from before, too. */
static void make_private(const char *path)
{
    static const char *const beside[] = {"-wal", "-shm"};
    char name[PATH_MAX];

    take_from_others(path, O_CREAT);
    for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
        if (snprintf(name, sizeof(name), "%s%s", path, beside[i]) < (int)sizeof(name))
            take_from_others(name, 0);
}

/* The lock is that of the open file (flock), which SQLite's own (fcntl) do not touch. */
static int take_alone(struct sqlite *c, const char *path)
{
    int rc = 0;

    c->lock_fd = open(path, O_RDWR | O_CLOEXEC);
    if (c->lock_fd >= 0 && flock(c->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    rc = -errno;
    if (rc == -EWOULDBLOCK) {
        snprintf(c->conn.error, sizeof(c->conn.error), "another process of ctibus uses it");
        return -EBUSY;
    }
    snprintf(c->conn.error, sizeof(c->conn.error), "%s", strerror(-rc));
    return rc;
}

static ino_t inode_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* An empty file was copied over it, or it was truncated. A smaller one may come from an operator's
 * VACUUM. */
static bool was_emptied(struct sqlite *c)
{
    struct stat st;
    const char *path = sqlite3_db_filename(c->sql, "main");

    if (!path || stat(path, &st) < 0 || (c->had_pages && st.st_size == 0))
        return true;
    c->had_pages = st.st_size > 0;
    return false;
}

/* What is written to a file that was removed or replaced is lost at the end of the process. */
static int check(struct dbconn *conn)
{
    struct sqlite *c = of_conn(conn);
    ino_t wal = inode_of(c->wal);
    int moved = 0;

    if (c->wal_ino == 0) /* SQLite makes it when it is first needed */
        c->wal_ino = wal;
    if (sqlite3_file_control(c->sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        !moved && wal == c->wal_ino && !was_emptied(c))
        return 0;
    snprintf(
        conn->error, sizeof(conn->error),
        "the file was removed or replaced while it was in use: put it back, or restart state to "
        "use what is there now");
    return -EIO;
}

/* Others that write are a backup, or an operator with a shell. */
static void patience(struct dbconn *conn, int ms)
{
    sqlite3_busy_timeout(of_conn(conn)->sql, ms);
}

static void destroy(struct dbconn *conn)
{
    struct sqlite *c = of_conn(conn);
    size_t pos = 0;
    void *v;

    while (c->prepared && map_next(c->prepared, &pos, NULL, &v))
        sqlite3_finalize(v);
    map_destroy(&c->prepared);
    sqlite3_close(c->sql);
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    free(c->wal);
    free(c);
}

/* All statements are literals of the program, so there are few of them. */
static sqlite3_stmt *prepared(struct sqlite *c, const char *sql)
{
    struct view key = view_cstr(sql);
    sqlite3_stmt *st = map_get(c->prepared, key);

    if (st)
        return st;
    if (sqlite3_prepare_v3(c->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
        failed(c);
        return NULL;
    }
    if (map_put(c->prepared, key, st) < 0) {
        snprintf(c->conn.error, sizeof(c->conn.error), "out of memory");
        sqlite3_finalize(st);
        return NULL;
    }
    return st;
}

/* One of those that frame transactions. */
static int step(struct sqlite *c, const char *sql)
{
    sqlite3_stmt *st = prepared(c, sql);
    int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

    if (st && rc != SQLITE_DONE)
        failed(c);
    if (st)
        sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : -EIO;
}

static int bind(sqlite3_stmt *st, int n, const struct db_txn *t, const struct db_param *p)
{
    if (p->type == 's')
        return sqlite3_bind_text(st, n, p->len ? buf_data(&t->texts) + p->at : "", (int)p->len,
                                 SQLITE_STATIC);
    if (p->type == 'i')
        return sqlite3_bind_int64(st, n, p->i);
    return sqlite3_bind_double(st, n, p->f);
}

static int run_statement(struct sqlite *c, const struct db_txn *t, const struct db_statement *s)
{
    sqlite3_stmt *st = prepared(c, s->sql);
    const struct db_row row = {c->conn.ops, st, 0};
    int rc = SQLITE_OK;

    if (!st)
        return -EIO;
    for (unsigned i = 0; rc == SQLITE_OK && i < s->n; i++)
        rc = bind(st, (int)i + 1, t, &s->params[i]);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(st)) == SQLITE_ROW)
            if (t->row && !t->row(t->arg, &row)) {
                rc = SQLITE_DONE;
                break;
            }
    if (rc != SQLITE_DONE)
        failed(c);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE ? 0 : -EIO;
}

static int run_one(struct sqlite *c, struct db_txn *t)
{
    int rc = t->unfit;

    for (size_t i = 0; rc == 0 && i < t->n; i++)
        rc = run_statement(c, t, &t->statements[i]);
    return rc;
}

/* Whether what failed last would fail for any other transaction as well. */
static bool is_of_all(const struct sqlite *c)
{
    int code = sqlite3_errcode(c->sql) & 0xff;

    return code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY ||
           code == SQLITE_NOMEM;
}

static void note_refused(struct sqlite *c, const struct db_txn *t)
{
    const char *unfit = t->unfit == -ENOMEM ? "out of memory" : "a text that is too long";

    snprintf(c->conn.refused, sizeof(c->conn.refused), "%s", t->unfit < 0 ? unfit : c->conn.error);
}

/* One that fails by itself takes none of the others with it. SQLite undoes a single statement that
 * fails, except for a trigger of somebody else that says RAISE(FAIL). */
static int run_guarded(struct sqlite *c, struct db_txn *t)
{
    bool guarded = t->n > 1;
    int rc = guarded ? step(c, "SAVEPOINT one") : 0;

    if (rc < 0)
        return rc;
    t->rc = run_one(c, t);
    if (t->rc < 0 && is_of_all(c))
        return t->rc;
    if (t->rc < 0) {
        note_refused(c, t);
        rc = guarded ? step(c, "ROLLBACK TO one") : 0;
    }
    if (rc < 0)
        return rc;
    return guarded ? step(c, "RELEASE one") : 0;
}

static int run(struct dbconn *conn, struct db_txns *batch)
{
    struct sqlite *c = of_conn(conn);
    struct db_txn *t;
    bool writes =
        !STAILQ_FIRST(batch)->row; /* who only reads needs no lock: nobody is waited for */
    int rc = writes ? check(conn) : 0;

    if (rc == 0)
        rc = step(c, writes ? "BEGIN IMMEDIATE" : "BEGIN");
    STAILQ_FOREACH(t, batch, link)
    {
        if (rc == 0)
            rc = run_guarded(c, t);
    }
    if (rc == 0)
        rc = step(c, "COMMIT");
    if (rc == 0 && writes)
        rc = check(conn);
    if (rc == 0)
        return 0;
    if (!sqlite3_get_autocommit(c->sql))
        sqlite3_exec(c->sql, "ROLLBACK", NULL, NULL, NULL);
    STAILQ_FOREACH(t, batch, link)
    {
        t->rc = rc;
    }
    return rc;
}

/* ---- rows ---- */

static struct view text(const struct db_row *row, int column)
{
    const unsigned char *v = sqlite3_column_text(row->of, column);

    return v ? view_of((const char *)v, (size_t)sqlite3_column_bytes(row->of, column))
             : view_of(NULL, 0);
}

static int64_t integer(const struct db_row *row, int column)
{
    return sqlite3_column_int64(row->of, column);
}

static double real(const struct db_row *row, int column)
{
    return sqlite3_column_double(row->of, column);
}

/* ---- tables ---- */

static int version_of(sqlite3 *sql)
{
    sqlite3_stmt *st = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(sql, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return version;
}

static int take_step(struct sqlite *c, const char *step, int n)
{
    char mark[48];
    int rc = exec(c, "BEGIN IMMEDIATE");

    snprintf(mark, sizeof(mark), "PRAGMA user_version=%d; COMMIT", n + 1);
    if (rc == 0)
        rc = exec(c, step);
    return rc == 0 ? exec(c, mark) : rc; /* closing it rolls back */
}

static int steps(struct dbconn *conn, const struct db_schema *schema)
{
    struct sqlite *c = of_conn(conn);
    int version = version_of(c->sql);
    int rc = version < 0 ? failed(c) : version > schema->n_steps ? -EPROTO : 0;

    for (; rc == 0 && version < schema->n_steps; version++)
        rc = take_step(c, schema->steps[version], version);
    return rc;
}

/* SQLite does so by itself. */
static int count_on(struct dbconn *conn, const char *table)
{
    return 0;
}

/* ---- life ---- */

/* PostgreSQL has it, SQLite from 3.43 on. */
static void octet_length(sqlite3_context *ctx, int n, sqlite3_value **values)
{
    sqlite3_result_int(ctx, sqlite3_value_bytes(values[0]));
}

static int open_file(struct sqlite *c, const char *path)
{
    int rc;

    make_private(path);
    rc = take_alone(c, path);
    if (rc < 0)
        return rc;
    if (asprintf(&c->wal, "%s-wal", path) < 0) {
        c->wal = NULL;
        return -ENOMEM;
    }
    if (sqlite3_open_v2(path, &c->sql,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return failed(c);
    sqlite3_extended_result_codes(c->sql, 1);
    patience(&c->conn, DB_PATIENCE_MS);
    c->prepared = map_new();
    if (!c->prepared)
        return -ENOMEM;
    if (sqlite3_create_function(c->sql, "octet_length", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                octet_length, NULL, NULL) != SQLITE_OK)
        return failed(c);
    return exec(c, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
}

static const struct dbconn_ops ops = {
    .text = text,
    .integer = integer,
    .real = real,
    .steps = steps,
    .check = check,
    .run = run,
    .count_on = count_on,
    .patience = patience,
    .destroy = destroy,
    .advice = "Its folder must be there and writable for this user",
    .damaged = "; a file that is damaged may be moved away, then ",
};

int sqlite_open(struct dbconn **out, const char *path)
{
    struct sqlite *c = calloc(1, sizeof(*c));

    *out = NULL;
    if (!c)
        return -ENOMEM;
    *out = &c->conn;
    c->conn.ops = &ops;
    c->lock_fd = -1;
    snprintf(c->conn.name, sizeof(c->conn.name), "%s", path);
    return open_file(c, path);
}
