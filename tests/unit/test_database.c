/* The database: transactions whole or not at all, told when they are on disk, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/db.h"
#include "database/schema.h"
#include "support/bus.h"

#define PUT "INSERT INTO presence (site, user, availstate) VALUES (?, ?, ?)"

struct world {
    struct loop *loop;
    int log_fds[2];
    struct log *log;
    char text[4096];
    struct metrics *metrics;
    char dir[64], path[96];
    struct db *d;
    sqlite3 *other;
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
        db_set_times(w->d, 300, again_ms, 100);
    assert_int_equal(db_start(w->d), 0);
}

static void start(struct world *w)
{
    start_with(w, 100);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new();
    assert_int_equal(pipe2(w->log_fds, O_NONBLOCK | O_CLOEXEC), 0);
    w->log = log_new(w->log_fds[1], "test", LOG_INFO, false);
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
    char path[128];

    db_close(&w->d);
    sqlite3_close(w->other);
    metrics_destroy(&w->metrics);
    loop_destroy(&w->loop);
    log_destroy(&w->log);
    close(w->log_fds[0]);
    close(w->log_fds[1]);
    for (size_t i = 0; i < 3; i++) {
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

static bool on_row(void *arg, sqlite3_stmt *row)
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
    assert_int_equal(sqlite3_open(w->path, &w->other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(w->other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void let_in(struct world *w)
{
    sqlite3_close(w->other); /* what it began is rolled back */
    w->other = NULL;
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
        db_write(w->d, "INSERT INTO presence VALUES ('y', ?, '')", "i", (int64_t)i);
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
    char wal[128];

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
    UNTIL(w->loop, logged(w, "cannot write: database is locked") == 1);
    assert_string_equal(all(w), "");
    assert_int_equal(logged(w, "writing again"), 0);
    assert_true(shows(w, "ctibus_state_database_up", 0));
    let_in(w);
    put(w, "2", "x");
    UNTIL(w->loop, logged(w, "writing again") == 1);
    assert_true(shows(w, "ctibus_state_database_up", 1));
    assert_int_equal(logged(w, "cannot write"), 1);
}

static void one_that_is_refused_by_itself_is_logged(void **state)
{
    struct world *w = *state;

    start(w);
    lock_out(w);
    assert_int_equal(sqlite3_exec(w->other,
                                  "CREATE TRIGGER t BEFORE INSERT ON presence WHEN NEW.user = '7'"
                                  " BEGIN SELECT RAISE(ABORT, 'seven is ours'); END; COMMIT",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    let_in(w);
    for (int i = 0; i < 3; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        note(w, "7", "x");
        put(w, id, "x");
        UNTIL(w->loop, w->done == i + 1);
    }
    assert_int_equal(logged(w, "refused: seven is ours"), 1);
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
    char path[128];
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
    char here[128], there[128];

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_is_taken_away_takes_nothing_more, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_emptied_takes_nothing_more, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(another_file_in_its_place_is_not_written, setup, teardown),
        cmocka_unit_test_setup_teardown(only_one_process_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_told_is_there_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_fails_takes_no_other_with_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_read_sees_what_was_written_before_it, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_needs_no_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_and_writes_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_nobody_waits_for_is_kept_until_it_can_be_written,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(who_stands_behind_many_that_wait_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_loses_no_row, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_while_it_cannot_be_written_is_bounded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_a_write_shows_that_it_writes_again, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_refused_by_itself_is_logged, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_does_not_wait_for_the_next_attempt, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(closing_gives_up_what_cannot_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_writes_and_tells_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_else_may_read_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_others_could_read_is_taken_from_them, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_what_they_were, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
