/* A database with the tables of state, in a file of SQLite or in a PostgreSQL server, and what is
 * told of it. */
#ifndef CTIBUS_TESTS_DATABASE_WORLD_H
#define CTIBUS_TESTS_DATABASE_WORLD_H

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "database/db.h"
#include "database/state_tables.h"
#include "support/bus.h"
#include "support/postgres_group.h"

#define PUT "INSERT INTO presence (site, user, availstate) VALUES (?, ?, ?)"

struct world {
    struct loop *loop;
    int log_fds[2];
    struct log *log;
    char text[4096];
    struct metrics *metrics;
    char dir[64], path[128];
    bool postgres; /* path is the URI */
    char name[16];
    struct db *d;
    sqlite3 *other;
    PGconn *shell;
    int done, failed;
    char order[64];
    char rows[256];
};

static inline struct db *open_at(struct world *w, const char *path, int *err)
{
    metrics_destroy(&w->metrics); /* those of a process that is gone */
    w->metrics = metrics_new();
    return db_open(w->loop, path, &state_schema, w->metrics, w->log, err);
}

/* again_ms 0: with the times of the product. */
static inline void start_with(struct world *w, uint32_t again_ms)
{
    int err = 0;

    w->d = open_at(w, w->path, &err);
    assert_non_null(w->d);
    if (again_ms)
        db_set_times(w->d, w->postgres ? 2500 : 300, again_ms, 100);
    assert_int_equal(db_start(w->d), 0);
}

static inline void start(struct world *w)
{
    start_with(w, 100);
}

static inline struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new();
    assert_int_equal(pipe2(w->log_fds, O_NONBLOCK | O_CLOEXEC), 0);
    w->log = log_new(w->log_fds[1], "test", LOG_INFO, false);
    return w;
}

static inline int setup_postgres(void **state)
{
    struct world *w = world_new();

    w->postgres = true;
    postgres_database(&server, w->name, w->path);
    *state = w;
    return 0;
}

static inline int setup(void **state)
{
    struct world *w = world_new();

    strcpy(w->dir, "/tmp/ctibus-db-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/t.db", w->dir);
    *state = w;
    return 0;
}

static inline int teardown(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct world *w = *state;
    char path[144];

    db_close(&w->d);
    sqlite3_close(w->other);
    PQfinish(w->shell);
    metrics_destroy(&w->metrics);
    loop_destroy(&w->loop);
    log_destroy(&w->log);
    close(w->log_fds[0]);
    close(w->log_fds[1]);
    for (size_t i = 0; i < 3 && !w->postgres; i++) {
        snprintf(path, sizeof(path), "%s%s", w->path, ends[i]);
        unlink(path);
    }
    rmdir(w->dir);
    free(w);
    return 0;
}

static inline void on_done(void *arg, int rc)
{
    struct world *w = arg;

    w->done++;
    w->failed += rc < 0;
    snprintf(w->order + strlen(w->order), sizeof(w->order) - strlen(w->order), "%s",
             rc < 0 ? "-" : "+");
}

static inline bool on_row(void *arg, const struct db_row *row)
{
    struct world *w = arg;
    struct view user = db_text(row, 0);
    struct view is = db_text(row, 1);

    snprintf(w->rows + strlen(w->rows), sizeof(w->rows) - strlen(w->rows), "%.*s=%.*s ",
             VIEW_ARG(user), VIEW_ARG(is));
    return true;
}

static inline void put(struct world *w, const char *user, const char *is)
{
    struct db_txn *t = db_begin(w->d);

    db_add(t, PUT, "sss", VIEW("x"), view_cstr(user), view_cstr(is));
    db_commit_take(&t, on_done, w);
    assert_null(t);
}

static inline const char *all(struct world *w)
{
    int before = w->done;

    w->rows[0] = '\0';
    assert_int_equal(db_read(w->d, "SELECT user, availstate FROM presence ORDER BY user", on_row,
                             on_done, w, ""),
                     0);
    UNTIL(w->loop, w->done == before + 1);
    return w->rows;
}

/* A row of a log: nobody waits for it. */
static inline void note(struct world *w, const char *user, const char *is)
{
    db_write(w->d, PUT, "sss", VIEW("x"), view_cstr(user), view_cstr(is));
}

/* Another process that writes: an operator with a shell, a backup that is put back. */
static inline void lock_out(struct world *w)
{
    if (w->postgres) {
        w->shell = postgres_connect(&server, w->name);
        postgres_do(w->shell, "BEGIN; LOCK TABLE presence IN SHARE MODE");
        return;
    }
    assert_int_equal(sqlite3_open(w->path, &w->other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(w->other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static inline void let_in(struct world *w)
{
    sqlite3_close(w->other); /* what it began is rolled back */
    w->other = NULL;
    PQfinish(w->shell);
    w->shell = NULL;
}

/* An administrator's own trigger. */
static inline void refuse_seven(struct world *w)
{
    lock_out(w);
    if (w->postgres)
        postgres_do(w->shell, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
                              " $$ BEGIN RAISE EXCEPTION 'seven is ours'; END $$;"
                              "CREATE TRIGGER t BEFORE INSERT ON presence FOR EACH ROW"
                              " WHEN (NEW.\"user\" = '7') EXECUTE FUNCTION f(); COMMIT");
    else
        assert_int_equal(sqlite3_exec(w->other,
                                      "CREATE TRIGGER t BEFORE INSERT ON presence"
                                      " WHEN NEW.user = '7'"
                                      " BEGIN SELECT RAISE(ABORT, 'seven is ours'); END; COMMIT",
                                      NULL, NULL, NULL),
                         SQLITE_OK);
    let_in(w);
}

/* Has the metric this value? */
static inline bool shows(struct world *w, const char *name, int n)
{
    char line[64];
    struct buf out;
    bool has;

    snprintf(line, sizeof(line), "\n%s %d\n", name, n);
    buf_init(&out, 1 << 16);
    assert_int_equal(metrics_render(w->metrics, &out), 0);
    assert_int_equal(buf_append(&out, "", 1), 0);
    has = strstr(buf_data(&out), line) != NULL;
    buf_free(&out);
    return has;
}

static inline bool has_lost(struct world *w, int n)
{
    return shows(w, "ctibus_state_database_lost_total", n);
}

/* How often it was logged so far. */
static inline int logged(struct world *w, const char *what)
{
    size_t at = strlen(w->text);
    ssize_t got;
    int n = 0;

    assert_true(log_flush(w->log, 10000));
    got = read(w->log_fds[0], w->text + at, sizeof(w->text) - 1 - at);
    if (got > 0)
        w->text[at + (size_t)got] = '\0';
    for (const char *p = w->text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

#define FILE_ONLY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define SERVER_ONLY(test)                                                                          \
    {                                                                                              \
#test "[postgresql]", test, setup_postgres, teardown, NULL                                 \
    }
#define BOTH(test) FILE_ONLY(test), SERVER_ONLY(test)

#endif
