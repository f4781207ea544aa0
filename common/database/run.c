/* Transactions on a connection. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "database/internal.h"

static int failed(struct dbconn *c)
{
    snprintf(c->error, sizeof(c->error), "%s", sqlite3_errmsg(c->sql));
    return -EIO;
}

static int exec(struct dbconn *c, const char *sql)
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
static int take_alone(struct dbconn *c, const char *path)
{
    int rc = 0;

    c->lock_fd = open(path, O_RDWR | O_CLOEXEC);
    if (c->lock_fd >= 0 && flock(c->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    rc = -errno;
    if (rc == -EWOULDBLOCK) {
        snprintf(c->error, sizeof(c->error), "another ctibus-state uses it");
        return -EBUSY;
    }
    snprintf(c->error, sizeof(c->error), "%s", strerror(-rc));
    return rc;
}

static ino_t inode_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* An empty file was copied over it, or it was truncated. A smaller one may come from an operator's
 * VACUUM. */
static bool was_emptied(struct dbconn *c)
{
    struct stat st;
    const char *path = sqlite3_db_filename(c->sql, "main");

    if (!path || stat(path, &st) < 0 || (c->had_pages && st.st_size == 0))
        return true;
    c->had_pages = st.st_size > 0;
    return false;
}

int dbconn_check(struct dbconn *c)
{
    ino_t wal = inode_of(c->wal);
    int moved = 0;

    if (c->wal_ino == 0) /* SQLite makes it when it is first needed */
        c->wal_ino = wal;
    if (sqlite3_file_control(c->sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        !moved && wal == c->wal_ino && !was_emptied(c))
        return 0;
    snprintf(
        c->error, sizeof(c->error),
        "the file was removed or replaced while it was in use: put it back, or restart state to "
        "use what is there now");
    return -EIO;
}

int dbconn_open(struct dbconn *c, const char *path)
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
    dbconn_patience(c, DB_PATIENCE_MS);
    c->prepared = map_new();
    if (!c->prepared)
        return -ENOMEM;
    return exec(c, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
}

/* Others that write are a backup, or an operator with a shell. */
void dbconn_patience(struct dbconn *c, int ms)
{
    sqlite3_busy_timeout(c->sql, ms);
}

void dbconn_close(struct dbconn *c)
{
    size_t pos = 0;
    void *v;

    while (c->prepared && map_next(c->prepared, &pos, NULL, &v))
        sqlite3_finalize(v);
    map_destroy(&c->prepared);
    sqlite3_close(c->sql);
    c->sql = NULL;
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    c->lock_fd = -1;
    free(c->wal);
    c->wal = NULL;
}

/* All statements are literals of the program, so there are few of them. */
static sqlite3_stmt *prepared(struct dbconn *c, const char *sql)
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
        snprintf(c->error, sizeof(c->error), "out of memory");
        sqlite3_finalize(st);
        return NULL;
    }
    return st;
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

static int run_statement(struct dbconn *c, const struct db_txn *t, const struct db_statement *s)
{
    sqlite3_stmt *st = prepared(c, s->sql);
    int rc = SQLITE_OK;

    if (!st)
        return -EIO;
    for (unsigned i = 0; rc == SQLITE_OK && i < s->n; i++)
        rc = bind(st, (int)i + 1, t, &s->params[i]);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(st)) == SQLITE_ROW)
            if (t->row && !t->row(t->arg, st)) {
                rc = SQLITE_DONE;
                break;
            }
    if (rc != SQLITE_DONE)
        failed(c);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE ? 0 : -EIO;
}

static int run_one(struct dbconn *c, struct db_txn *t)
{
    int rc = t->unfit;

    for (size_t i = 0; rc == 0 && i < t->n; i++)
        rc = run_statement(c, t, &t->statements[i]);
    return rc;
}

/* Whether what failed last would fail for any other transaction as well. */
static bool is_of_all(const struct dbconn *c)
{
    int code = sqlite3_errcode(c->sql) & 0xff;

    return code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY ||
           code == SQLITE_NOMEM;
}

static void note_refused(struct dbconn *c, const struct db_txn *t)
{
    const char *unfit = t->unfit == -ENOMEM ? "out of memory" : "a text that is too long";

    snprintf(c->refused, sizeof(c->refused), "%s", t->unfit < 0 ? unfit : c->error);
}

/* One that fails by itself takes none of the others with it. */
static int run_guarded(struct dbconn *c, struct db_txn *t)
{
    int rc = exec(c, "SAVEPOINT one");

    if (rc < 0)
        return rc;
    t->rc = run_one(c, t);
    if (t->rc < 0 && is_of_all(c))
        return t->rc;
    if (t->rc < 0) {
        note_refused(c, t);
        rc = exec(c, "ROLLBACK TO one");
    }
    if (rc < 0)
        return rc;
    return exec(c, "RELEASE one");
}

int dbconn_run(struct dbconn *c, struct db_txns *batch)
{
    struct db_txn *t;
    bool writes = !STAILQ_FIRST(batch)->row;
    int rc = writes ? dbconn_check(c) : 0;

    if (rc == 0)
        rc = exec(c, writes ? "BEGIN IMMEDIATE" : "BEGIN");
    c->refused[0] = '\0';
    STAILQ_FOREACH(t, batch, link)
    {
        if (rc == 0)
            rc = run_guarded(c, t);
    }
    if (rc == 0)
        rc = exec(c, "COMMIT");
    if (rc == 0 && writes)
        rc = dbconn_check(c);
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

struct view db_text(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);

    return text ? view_of((const char *)text, (size_t)sqlite3_column_bytes(row, column))
                : view_of(NULL, 0);
}
