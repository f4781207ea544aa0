/* The database: transactions whole or not at all, told when they are on disk, in order. What is so
 * in a file of SQLite and in a PostgreSQL server is tried in both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "database/copy.h"
#include "database/db.h"
#include "database/state_tables.h"
#include "support/bus.h"
#include "support/postgres.h"

#define PUT "INSERT INTO presence (site, user, availstate) VALUES (?, ?, ?)"

static struct postgres_server server;

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

static struct db *open_at(struct world *w, const char *path, int *err)
{
    metrics_destroy(&w->metrics); /* those of a process that is gone */
    w->metrics = metrics_new();
    return db_open(w->loop, path, &state_schema, w->metrics, w->log, err);
}

/* again_ms 0: with the times of the product. */
static void start_with(struct world *w, uint32_t again_ms)
{
    int err = 0;

    w->d = open_at(w, w->path, &err);
    assert_non_null(w->d);
    if (again_ms)
        db_set_times(w->d, w->postgres ? 2500 : 300, again_ms, 100);
    assert_int_equal(db_start(w->d), 0);
}

static void start(struct world *w)
{
    start_with(w, 100);
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new();
    assert_int_equal(pipe2(w->log_fds, O_NONBLOCK | O_CLOEXEC), 0);
    w->log = log_new(w->log_fds[1], "test", LOG_INFO, false);
    return w;
}

static int setup_postgres(void **state)
{
    struct world *w = world_new();

    w->postgres = true;
    postgres_database(&server, w->name, w->path);
    *state = w;
    return 0;
}

static int setup(void **state)
{
    struct world *w = world_new();

    strcpy(w->dir, "/tmp/ctibus-db-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/t.db", w->dir);
    *state = w;
    return 0;
}

static int teardown(void **state)
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

static void on_done(void *arg, int rc)
{
    struct world *w = arg;

    w->done++;
    w->failed += rc < 0;
    snprintf(w->order + strlen(w->order), sizeof(w->order) - strlen(w->order), "%s",
             rc < 0 ? "-" : "+");
}

static bool on_row(void *arg, const struct db_row *row)
{
    struct world *w = arg;
    struct view user = db_text(row, 0);
    struct view is = db_text(row, 1);

    snprintf(w->rows + strlen(w->rows), sizeof(w->rows) - strlen(w->rows), "%.*s=%.*s ",
             VIEW_ARG(user), VIEW_ARG(is));
    return true;
}

static void put(struct world *w, const char *user, const char *is)
{
    struct db_txn *t = db_begin(w->d);

    db_add(t, PUT, "sss", VIEW("x"), view_cstr(user), view_cstr(is));
    db_commit_take(&t, on_done, w);
    assert_null(t);
}

static const char *all(struct world *w)
{
    int before = w->done;

    w->rows[0] = '\0';
    assert_int_equal(db_read(w->d, "SELECT user, availstate FROM presence ORDER BY user", on_row,
                             on_done, w, ""),
                     0);
    UNTIL(w->loop, w->done == before + 1);
    return w->rows;
}

static void what_is_told_is_there_after_a_restart(void **state)
{
    struct world *w = *state;
    int err;

    start(w);
    put(w, "1", "away");
    put(w, "2", "");
    UNTIL(w->loop, w->done == 2);
    db_close(&w->d);
    w->d = open_at(w, w->path, &err);
    assert_int_equal(db_read_now(w->d,
                                 "SELECT user, availstate FROM presence WHERE site = ?"
                                 " ORDER BY user",
                                 on_row, w, "s", VIEW("x")),
                     0);
    assert_string_equal(w->rows, "1=away 2= ");
}

static void one_that_fails_takes_no_other_with_it(void **state)
{
    struct world *w = *state;
    struct db_txn *t;

    start(w);
    put(w, "1", "away");
    t = db_begin(w->d);
    db_add(t, PUT, "sss", VIEW("x"), VIEW("7"), VIEW("half"));
    db_add(t, PUT, "sss", VIEW("x"), VIEW("1"), VIEW("twice")); /* the key is there */
    db_commit_take(&t, on_done, w);
    put(w, "2", "here");
    UNTIL(w->loop, w->done == 3);
    assert_string_equal(w->order, "+-+");
    assert_string_equal(all(w), "1=away 2=here ");
}

static void a_read_sees_what_was_written_before_it(void **state)
{
    struct world *w = *state;

    start(w);
    for (int i = 0; i < 9; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        put(w, id, "x");
    }
    w->rows[0] = '\0';
    db_read(w->d, "SELECT user, availstate FROM presence ORDER BY user", on_row, on_done, w, "");
    UNTIL(w->loop, w->done == 10);
    assert_string_equal(w->rows, "0=x 1=x 2=x 3=x 4=x 5=x 6=x 7=x 8=x ");
}

/* Another process that writes: an operator with a shell, a backup that is put back. */
static void lock_out(struct world *w)
{
    if (w->postgres) {
        w->shell = postgres_connect(&server, w->name);
        postgres_do(w->shell, "BEGIN; LOCK TABLE presence IN SHARE MODE");
        return;
    }
    assert_int_equal(sqlite3_open(w->path, &w->other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(w->other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void let_in(struct world *w)
{
    sqlite3_close(w->other); /* what it began is rolled back */
    w->other = NULL;
    PQfinish(w->shell);
    w->shell = NULL;
}

static void reading_needs_no_lock(void **state)
{
    struct world *w = *state;

    start(w);
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    lock_out(w);
    assert_string_equal(all(w), "1=x ");
    let_in(w);
    put(w, "2", "x");
    UNTIL(w->loop, w->done == 3);
    assert_int_equal(w->failed, 0);
}

static void reads_and_writes_keep_their_order(void **state)
{
    struct world *w = *state;
    int err;

    w->d = open_at(w, w->path, &err); /* no thread yet: all of it waits */
    for (int i = 0; i < 3; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        put(w, id, "x");
        db_read(w->d, "SELECT count(*), '' FROM presence", on_row, on_done, w, "");
    }
    assert_int_equal(db_start(w->d), 0);
    UNTIL(w->loop, w->done == 6);
    assert_string_equal(w->rows, "1= 2= 3= ");
    assert_string_equal(w->order, "++++++");
}

/* A row of a log: nobody waits for it. */
static void note(struct world *w, const char *user, const char *is)
{
    db_write(w->d, PUT, "sss", VIEW("x"), view_cstr(user), view_cstr(is));
}

/* Has the metric this value? */
static bool shows(struct world *w, const char *name, int n)
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

static bool has_lost(struct world *w, int n)
{
    return shows(w, "ctibus_state_database_lost_total", n);
}

static void what_nobody_waits_for_is_kept_until_it_can_be_written(void **state)
{
    struct world *w = *state;

    start(w);
    lock_out(w);
    note(w, "1", "old");
    put(w, "2", "refused");
    db_write(w->d, "UPDATE presence SET availstate = 'new' WHERE user = '1'", "");
    UNTIL(w->loop, w->failed == 1);
    note(w, "3", "later");
    assert_string_equal(all(w), ""); /* meanwhile it answers */
    let_in(w);
    put(w, "4", "last");
    UNTIL(w->loop, w->done == 3);
    assert_string_equal(all(w), "1=new 3=later 4=last ");
    assert_true(has_lost(w, 0));
}

static void who_stands_behind_many_that_wait_is_told(void **state)
{
    struct world *w = *state;

    start(w);
    lock_out(w);
    for (int i = 0; i < 5000; i++) /* more than are written in one go */
        db_write(w->d, "INSERT INTO presence VALUES ('y', CAST(? AS TEXT), '')", "i", (int64_t)i);
    put(w, "1", "refused");
    UNTIL(w->loop, w->failed == 1);
    let_in(w);
    put(w, "2", "x");
    UNTIL(w->loop, w->done == 2);
    w->rows[0] = '\0';
    db_read(w->d, "SELECT count(*), max(availstate) FROM presence", on_row, on_done, w, "");
    UNTIL(w->loop, w->done == 3);
    assert_string_equal(w->rows, "5001=x ");
    assert_true(has_lost(w, 0));
}

/* No file may grow: the same as a full disk. */
static void fill_disk(bool full, const char *wal)
{
    struct rlimit limit;
    struct stat st;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? (rlim_t)st.st_size : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_loses_no_row(void **state)
{
    struct world *w = *state;
    char wal[144];

    snprintf(wal, sizeof(wal), "%s-wal", w->path);
    start(w);
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    fill_disk(true, wal);
    note(w, "2", "x");
    put(w, "3", "refused");
    UNTIL(w->loop, w->failed == 1);
    assert_string_equal(all(w), "1=x ");
    fill_disk(false, wal);
    put(w, "4", "x");
    UNTIL(w->loop, w->done == 4);
    assert_string_equal(all(w), "1=x 2=x 4=x ");
    assert_true(has_lost(w, 0));
}

static void what_waits_while_it_cannot_be_written_is_bounded(void **state)
{
    struct world *w = *state;
    struct db_txn *t;

    start(w);
    lock_out(w);
    while ((t = db_begin(w->d)))
        db_commit_take(&t, NULL, NULL);
    note(w, "1", "too much");
    assert_true(has_lost(w, 1));
    let_in(w);
    UNTIL(w->loop, (t = db_begin(w->d)));
    db_commit_take(&t, NULL, NULL);
}

/* How often it was logged so far. */
static int logged(struct world *w, const char *what)
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

static void only_a_write_shows_that_it_writes_again(void **state)
{
    struct world *w = *state;

    start(w);
    assert_true(shows(w, "ctibus_state_database_up", 1));
    lock_out(w);
    put(w, "1", "refused");
    UNTIL(w->loop, logged(w, "cannot write: ") == 1);
    assert_string_equal(all(w), "");
    assert_int_equal(logged(w, "writing again"), 0);
    assert_true(shows(w, "ctibus_state_database_up", 0));
    let_in(w);
    put(w, "2", "x");
    UNTIL(w->loop, logged(w, "writing again") == 1);
    assert_true(shows(w, "ctibus_state_database_up", 1));
    assert_int_equal(logged(w, "cannot write"), 1);
}

/* An administrator's own trigger. */
static void refuse_seven(struct world *w)
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

static void one_that_is_refused_by_itself_is_logged(void **state)
{
    struct world *w = *state;

    start(w);
    refuse_seven(w);
    for (int i = 0; i < 3; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        note(w, "7", "x");
        put(w, id, "x");
        UNTIL(w->loop, w->done == i + 1);
    }
    assert_int_equal(logged(w, "seven is ours"), 1);
    assert_int_equal(logged(w, "database:"), 1);
    assert_true(has_lost(w, 3));
    assert_string_equal(all(w), "0=x 1=x 2=x ");
}

static void closing_does_not_wait_for_the_next_attempt(void **state)
{
    struct world *w = *state;

    start_with(w, 600000);
    lock_out(w);
    note(w, "1", "x");
    put(w, "2", "refused");
    UNTIL(w->loop, w->failed == 1);
    let_in(w);
    db_close(&w->d);
    assert_true(has_lost(w, 0));
    start(w);
    assert_string_equal(all(w), "1=x ");
}

static void closing_gives_up_what_cannot_be_written(void **state)
{
    struct world *w = *state;
    uint64_t began;

    start_with(w, 0);
    lock_out(w);
    for (int i = 0; i < 5000; i++)
        note(w, "1", "x");
    put(w, "2", "refused");
    began = clock_mono_us();
    db_close(&w->d);
    assert_true(clock_mono_us() - began < 3500000);
    assert_string_equal(w->order, "-");
    assert_true(has_lost(w, 5000));
}

static void closing_writes_and_tells_what_waits(void **state)
{
    struct world *w = *state;

    start(w);
    for (int i = 0; i < 5; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        put(w, id, "x");
    }
    db_close(&w->d);
    assert_int_equal(w->done, 5);
    assert_int_equal(w->failed, 0);
    assert_null(db_begin(NULL));
    start(w);
    assert_string_equal(all(w), "0=x 1=x 2=x 3=x 4=x ");
}

static void nobody_else_may_read_it(void **state)
{
    struct world *w = *state;
    struct stat st;

    start(w);
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_others_could_read_is_taken_from_them(void **state)
{
    static const char *const ends[] = {"", "-wal"};
    struct world *w = *state;
    char path[144];
    struct stat st;

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s%s", w->path, ends[i]);
        fclose(fopen(path, "w"));
        assert_int_equal(chmod(path, 0644), 0);
    }
    start(w);
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s%s", w->path, ends[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void texts_are_what_they_were(void **state)
{
    struct world *w = *state;

    start(w);
    put(w, "'; DROP TABLE presence; --", "O'Neil \"\303\251\"");
    UNTIL(w->loop, w->done == 1);
    assert_string_equal(all(w), "'; DROP TABLE presence; --=O'Neil \"\303\251\" ");
}

static void what_waits_is_bounded(void **state)
{
    struct world *w = *state;
    struct db_txn *t;
    int err, n = 0;

    w->d = open_at(w, w->path, &err); /* no thread: nothing leaves */
    while ((t = db_begin(w->d))) {
        db_commit_take(&t, NULL, NULL);
        n++;
    }
    assert_int_equal(n, 200000);
    assert_int_equal(db_read(w->d, "SELECT 1", on_row, on_done, w, ""), -ENOBUFS);
}

/* ---- files that are taken away, and others that want them ---- */

static bool is_up(struct world *w)
{
    struct buf out;
    bool up;

    buf_init(&out, 0);
    metrics_render(w->metrics, &out);
    up = strstr(buf_cstr(&out), "\nctibus_state_database_up 1\n") != NULL;
    buf_free(&out);
    return up;
}

static void moved(struct world *w, const char *end, bool away)
{
    char here[144], there[160];

    snprintf(here, sizeof(here), "%s%s", w->path, end);
    snprintf(there, sizeof(there), "%s%s.away", w->path, end);
    assert_int_equal(away ? rename(here, there) : rename(there, here), 0);
}

static void a_file_that_is_taken_away_takes_nothing_more(void **state)
{
    static const char *const ends[] = {"", "-wal"};
    struct world *w = *state;

    start(w);
    put(w, "1", "away");
    UNTIL(w->loop, w->done == 1);
    for (int i = 0; i < 2; i++) {
        int done = w->done, failed = w->failed;
        moved(w, ends[i], true);
        UNTIL(w->loop, !is_up(w)); /* told though nobody writes */
        put(w, "2", "away");
        UNTIL(w->loop, w->done == done + 1);
        assert_int_equal(w->failed, failed + 1);
        assert_true(logged(w, "the file was removed or replaced while it was in use"));
        moved(w, ends[i], false);
        UNTIL(w->loop, is_up(w));
        put(w, i ? "4" : "3", "here");
        UNTIL(w->loop, w->done == done + 2);
        assert_int_equal(w->failed, failed + 1);
    }
    db_close(&w->d);
    start(w);
    assert_string_equal(all(w), "1=away 3=here 4=here ");
}

static void a_file_that_was_emptied_takes_nothing_more(void **state)
{
    struct world *w = *state;

    start(w);
    put(w, "1", "away");
    UNTIL(w->loop, w->done == 1);
    db_close(&w->d); /* what is in the -wal goes to the file */
    start(w);
    put(w, "2", "away");
    UNTIL(w->loop, w->done == 2);
    assert_int_equal(truncate(w->path, 0), 0);
    UNTIL(w->loop, !is_up(w));
    put(w, "3", "away");
    UNTIL(w->loop, w->done == 3);
    assert_int_equal(w->failed, 1);
    assert_true(logged(w, "the file was removed or replaced while it was in use"));
}

static void another_file_in_its_place_is_not_written(void **state)
{
    struct world *w = *state;
    FILE *f;

    start(w);
    put(w, "1", "away");
    UNTIL(w->loop, w->done == 1);
    moved(w, "", true);
    f = fopen(w->path, "w");
    fclose(f);
    put(w, "2", "away");
    UNTIL(w->loop, w->done == 2);
    assert_int_equal(w->failed, 1);
    unlink(w->path);
    moved(w, "", false);
}

static void only_one_process_has_it(void **state)
{
    struct world *w = *state;
    struct metrics *m = metrics_new();
    struct db *second;
    int err = 0;

    start(w);
    second = db_open(w->loop, w->path, &state_schema, m, w->log, &err);
    assert_null(second);
    assert_int_equal(err, -EBUSY);
    assert_true(logged(w, "another ctibus-state uses it: stop that one"));
    put(w, "1", "away");
    UNTIL(w->loop, w->done == 1 && w->failed == 0);
    db_close(&w->d);
    metrics_destroy(&m);
    start(w);
}

static void what_cannot_be_opened_is_refused(void **state)
{
    struct world *w = *state;
    int err = 0;
    FILE *f;
    sqlite3 *sql;

    assert_null(open_at(w, "/nosuch/folder/t.db", &err));
    assert_true(err < 0);
    f = fopen(w->path, "w");
    fputs("this is no database, it is a text that is long enough to be looked at", f);
    fclose(f);
    assert_null(open_at(w, w->path, &err));
    unlink(w->path);
    start(w);
    db_close(&w->d);
    assert_int_equal(sqlite3_open(w->path, &sql), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sql, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sql);
    assert_null(open_at(w, w->path, &err)); /* of a later version */
    assert_int_equal(err, -EPROTO);
}

/* ---- PostgreSQL ---- */

static void logs_wait_while_the_server_is_away(void **state)
{
    struct world *w = *state;

    start(w);
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    postgres_kill(&server);
    UNTIL(w->loop, shows(w, "ctibus_state_database_up", 0)); /* told though nobody writes */
    note(w, "2", "x");
    put(w, "3", "refused");
    UNTIL(w->loop, w->done == 2);
    assert_int_equal(w->failed, 1);
    postgres_start(&server);
    UNTIL(w->loop, shows(w, "ctibus_state_database_up", 1));
    put(w, "4", "x");
    UNTIL(w->loop, w->done == 3);
    assert_string_equal(all(w), "1=x 2=x 4=x ");
    assert_true(has_lost(w, 0));
}

static void a_session_that_was_ended_is_made_again(void **state)
{
    struct world *w = *state;

    start(w);
    w->shell = postgres_connect(&server, w->name);
    for (int i = 0; i < 3; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        put(w, id, "x");
        UNTIL(w->loop, w->done == i + 1);
        postgres_do(w->shell,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'ctibus' AND datname = current_database()");
    }
    UNTIL(w->loop, shows(w, "ctibus_state_database_up", 1));
    /* what was answered as done is there; what was refused may be, too */
    assert_in_range(postgres_number(w->shell, "SELECT count(*) FROM presence"), 3 - w->failed, 3);
}

/* Between us and the server: passes on what both say until *cut is set; then what the server says
 * next is lost, and the connection with it. One connection at a time. */
static void relay(int listener, const char *to, volatile int *cut)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char bytes[65536];

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", to);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        int behind = socket(AF_UNIX, SOCK_STREAM, 0);
        struct pollfd fds[2] = {{client, POLLIN, 0}, {behind, POLLIN, 0}};
        bool open = connect(behind, (struct sockaddr *)&at, sizeof(at)) == 0;
        while (open && poll(fds, 2, -1) > 0)
            for (int i = 0; open && i < 2; i++) {
                ssize_t n = fds[i].revents ? read(fds[i].fd, bytes, sizeof(bytes)) : 0;
                if (!fds[i].revents)
                    continue;
                open = n > 0 && !(i == 1 && *cut) && write(fds[1 - i].fd, bytes, (size_t)n) == n;
                if (n > 0 && i == 1)
                    *cut = 0;
            }
        close(client);
        close(behind);
    }
}

static pid_t start_relay(const char *dir, volatile int *cut)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t pid;

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", dir);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 5), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when the test fails */
        relay(listener, server.dir, cut);
    }
    close(listener);
    return pid;
}

static void what_was_committed_unseen_is_not_written_twice(void **state)
{
    struct world *w = *state;
    volatile int *cut =
        mmap(NULL, sizeof(*cut), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char dir[] = "/tmp/ctibus-db-XXXXXX", socket_path[64];
    pid_t pid;

    assert_non_null(mkdtemp(dir));
    snprintf(socket_path, sizeof(socket_path), "%s/.s.PGSQL.5432", dir);
    pid = start_relay(dir, cut);
    snprintf(w->path, sizeof(w->path), "postgresql://ctibus:x@/%s?host=%s", w->name, dir);
    start(w);
    for (int i = 0; i < 3; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        note(w, id, "x"); /* now the server knows the statement */
        UNTIL(w->loop, shows(w, "ctibus_state_database_written_total", 2 * i + 1));
        *cut = 1;
        db_write(w->d,
                 "INSERT INTO queue_log (site, queue, kind, time, waited)"
                 " VALUES ('x', 'q', ?, 0, 0)",
                 "i", (int64_t)i);
        UNTIL(w->loop, shows(w, "ctibus_state_database_written_total", 2 * i + 2));
        assert_int_equal(*cut, 0);
    }
    w->shell = postgres_connect(&server, w->name);
    assert_int_equal(postgres_number(w->shell, "SELECT count(*) FROM queue_log"), 3);
    assert_true(has_lost(w, 0));
    db_close(&w->d);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(socket_path);
    rmdir(dir);
    munmap((void *)cut, sizeof(*cut));
}

static void who_was_replaced_writes_no_more(void **state)
{
    struct world *w = *state;

    start(w);
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    w->shell = postgres_connect(&server, w->name);
    postgres_do(w->shell, "UPDATE ctibus_owner SET epoch = epoch + 1"); /* as the other one does */
    put(w, "2", "x");
    UNTIL(w->loop, w->done == 2);
    assert_int_equal(w->failed, 1);
    note(w, "3", "x");
    UNTIL(w->loop, logged(w, "another process of ctibus has taken it over") >= 1);
    run_for(w->loop, 300);
    assert_int_equal(postgres_number(w->shell, "SELECT count(*) FROM presence"), 1);
}

static void bad_text_is_mended(void **state)
{
    struct world *w = *state;
    struct db_txn *t;

    start(w);
    t = db_begin(w->d);
    db_add(t, PUT, "sss", VIEW("x"), VIEW("a\0b"), VIEW("\xff\xfe"));
    db_commit_take(&t, on_done, w);
    UNTIL(w->loop, w->done == 1);
    assert_string_equal(all(w), "a\xef\xbf\xbd"
                                "b=\xef\xbf\xbd\xef\xbf\xbd ");
}

static void what_no_server_is_is_refused(void **state)
{
    static const struct {
        const char *uri, *says;
    } rows[] = {
        {"postgresql://ctibus:secret@/none?host=%s", "database \"none\" does not exist"},
        {"postgresql://ctibus:secret@/x?host=/nosuch%s", "No such file"},
        {"postgresql://nobody:secret@/postgres?host=%s", "\"nobody\" does not exist"},
    };
    struct world *w = *state;
    char uri[160];
    int err = 0;

    for (size_t i = 0; i < 3; i++) {
        snprintf(uri, sizeof(uri), rows[i].uri, server.dir);
        assert_null(open_at(w, uri, &err));
        assert_true(err < 0);
        assert_int_equal(logged(w, rows[i].says), 1);
    }
    assert_int_equal(logged(w, "ctibus.database names it"), 3);
    assert_int_equal(logged(w, "secret"), 0);
    w->shell = postgres_connect(&server, "postgres");
    postgres_do(w->shell, "DROP DATABASE IF EXISTS latin");
    postgres_do(w->shell, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    snprintf(uri, sizeof(uri), "postgresql://ctibus:x@/latin?host=%s", server.dir);
    assert_null(open_at(w, uri, &err));
    assert_int_equal(logged(w, "its encoding is not UTF8"), 1);
    start(w);
    db_close(&w->d);
    PQfinish(w->shell);
    w->shell = postgres_connect(&server, w->name);
    postgres_do(w->shell, "UPDATE ctibus_schema SET version = 99");
    assert_null(open_at(w, w->path, &err));
    assert_int_equal(err, -EPROTO);
}

/* ---- from one to the other ---- */

/* The tables are what `tables` says, in order. */
static void all_tables_are_copied(void **state)
{
    struct world *w = *state;
    sqlite3_stmt *st;
    int n = 0;

    start(w);
    assert_int_equal(sqlite3_open(w->path, &w->other), SQLITE_OK);
    for (size_t i = 0; i < state_schema.n_tables; i++) {
        const struct db_table *t = &state_schema.tables[i];
        char columns[300] = "", types[20] = "", sql[80];
        snprintf(sql, sizeof(sql), "PRAGMA table_info(%s)", t->name);
        assert_int_equal(sqlite3_prepare_v2(w->other, sql, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *type = (const char *)sqlite3_column_text(st, 2);
            snprintf(columns + strlen(columns), sizeof(columns) - strlen(columns), "%s%s",
                     *columns ? ", " : "", (const char *)sqlite3_column_text(st, 1));
            snprintf(types + strlen(types), sizeof(types) - strlen(types), "%c",
                     *type == 'T'   ? 's'
                     : *type == 'I' ? 'i'
                                    : 'f');
        }
        sqlite3_finalize(st);
        assert_string_equal(columns, t->columns);
        assert_string_equal(types, t->types);
        assert_int_equal(t->counted, strncmp(t->columns, "id,", 3) == 0 && *t->types == 'i');
    }
    sqlite3_prepare_v2(w->other,
                       "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                       " AND name NOT LIKE 'sqlite_%'",
                       -1, &st, NULL);
    if (sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    assert_int_equal(n, state_schema.n_tables);
}

static void count_progress(void *arg, const char *table, int64_t rows, int64_t of_rows)
{
    assert_true(rows <= of_rows);
    *(int *)arg += strcmp(table, "presence") == 0 && rows == of_rows;
}

#define CALL                                                                                       \
    "INSERT INTO call_log (site, user, mode, start, duration, name, number) VALUES"                \
    " ('x', '1', 0, 1.25, 0.1, 'O''Neil', '5')"

static void a_copy_has_everything_and_goes_on(void **state)
{
    struct world *w = *state;
    char name[16], server_uri[128], back[96];
    int told = 0, err = 0;

    postgres_database(&server, name, server_uri);
    snprintf(back, sizeof(back), "%s/back.db", w->dir);
    start(w);
    for (int i = 0; i < 2500; i++)
        db_write(w->d, "INSERT INTO presence VALUES ('y', CAST(? AS TEXT), 'away')", "i",
                 (int64_t)i);
    for (int i = 0; i < 3; i++)
        db_write(w->d, CALL, "");
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    assert_int_equal(db_copy(w->path, server_uri, &state_schema, w->log, NULL, NULL), -EBUSY);
    db_close(&w->d);
    assert_int_equal(db_copy(w->path, server_uri, &state_schema, w->log, count_progress, &told), 0);
    assert_int_equal(told, 1);
    assert_int_equal(db_copy(w->path, server_uri, &state_schema, w->log, NULL, NULL), -EEXIST);
    assert_int_equal(logged(w, "it is not empty (table presence has 2501 rows)"), 1);

    w->d = open_at(w, server_uri, &err);
    assert_int_equal(db_start(w->d), 0);
    db_write(w->d, CALL, "");
    db_read(w->d, "SELECT count(*), max(availstate) FROM presence", on_row, on_done, w, "");
    db_read(w->d, "SELECT max(id), count(*) FROM call_log WHERE start = 1.25 AND duration = 0.1",
            on_row, on_done, w, "");
    UNTIL(w->loop, w->done == 3);
    assert_string_equal(w->rows, "2501=x 4=4 ");
    db_close(&w->d);
    assert_int_equal(db_copy(server_uri, back, &state_schema, w->log, NULL, NULL), 0);
    w->rows[0] = '\0';
    w->d = open_at(w, back, &err);
    assert_int_equal(db_read_now(w->d, "SELECT max(id), max(name) FROM call_log", on_row, w, ""),
                     0);
    assert_string_equal(w->rows, "4=O'Neil ");
    db_close(&w->d);
    unlink(back);
}

/* A copy that fails leaves nothing behind. */
static void a_copy_that_fails_is_taken_back(void **state)
{
    struct world *w = *state;
    char name[16], uri[128];

    start(w);
    put(w, "7", "x");
    put(w, "8", "x");
    db_write(w->d, "INSERT INTO service VALUES ('x', '1', 'f', 'v', 'c')", "");
    UNTIL(w->loop, w->done == 2);
    db_close(&w->d);
    postgres_database(&server, name, uri);
    {
        struct world other = *w;
        int err = 0;
        other.postgres = true;
        snprintf(other.name, sizeof(other.name), "%s", name);
        other.metrics = NULL;
        other.d = open_at(&other, uri, &err);
        assert_non_null(other.d);
        db_close(&other.d);
        refuse_seven(&other);
        metrics_destroy(&other.metrics);
    }
    assert_true(db_copy(w->path, uri, &state_schema, w->log, NULL, NULL) < 0);
    assert_int_equal(logged(w, "table presence: ERROR: seven is ours"), 1);
    w->shell = postgres_connect(&server, name);
    assert_int_equal(postgres_number(w->shell, "SELECT count(*) FROM service"), 0);
}

static int make_server(void **state)
{
    postgres_make(&server);
    return 0;
}

static int remove_server(void **state)
{
    postgres_remove(&server);
    return 0;
}

#define FILE_ONLY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define SERVER_ONLY(test)                                                                          \
    {                                                                                              \
#test "[postgresql]", test, setup_postgres, teardown, NULL                                 \
    }
#define BOTH(test) FILE_ONLY(test), SERVER_ONLY(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_ONLY(a_file_that_is_taken_away_takes_nothing_more),
        FILE_ONLY(a_file_that_was_emptied_takes_nothing_more),
        FILE_ONLY(another_file_in_its_place_is_not_written),
        BOTH(only_one_process_has_it),
        BOTH(what_is_told_is_there_after_a_restart),
        BOTH(one_that_fails_takes_no_other_with_it),
        BOTH(a_read_sees_what_was_written_before_it),
        BOTH(reading_needs_no_lock),
        BOTH(reads_and_writes_keep_their_order),
        BOTH(what_nobody_waits_for_is_kept_until_it_can_be_written),
        BOTH(who_stands_behind_many_that_wait_is_told),
        FILE_ONLY(a_full_disk_loses_no_row),
        BOTH(what_waits_while_it_cannot_be_written_is_bounded),
        BOTH(only_a_write_shows_that_it_writes_again),
        BOTH(one_that_is_refused_by_itself_is_logged),
        BOTH(closing_does_not_wait_for_the_next_attempt),
        FILE_ONLY(closing_gives_up_what_cannot_be_written),
        BOTH(closing_writes_and_tells_what_waits),
        FILE_ONLY(nobody_else_may_read_it),
        FILE_ONLY(what_others_could_read_is_taken_from_them),
        BOTH(texts_are_what_they_were),
        BOTH(what_waits_is_bounded),
        FILE_ONLY(what_cannot_be_opened_is_refused),
        SERVER_ONLY(logs_wait_while_the_server_is_away),
        SERVER_ONLY(a_session_that_was_ended_is_made_again),
        SERVER_ONLY(what_was_committed_unseen_is_not_written_twice),
        SERVER_ONLY(who_was_replaced_writes_no_more),
        SERVER_ONLY(bad_text_is_mended),
        SERVER_ONLY(what_no_server_is_is_refused),
        FILE_ONLY(all_tables_are_copied),
        FILE_ONLY(a_copy_has_everything_and_goes_on),
        FILE_ONLY(a_copy_that_fails_is_taken_back),
    };

    return cmocka_run_group_tests(tests, make_server, remove_server);
}
