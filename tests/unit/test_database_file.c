/* The file of the database: taken away, replaced, full disks, who may read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/database_world.h"

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
        UNTIL(w->loop, !shows(w, "ctibus_state_database_up", 1)); /* told though nobody writes */
        put(w, "2", "away");
        UNTIL(w->loop, w->done == done + 1);
        assert_int_equal(w->failed, failed + 1);
        assert_true(logged(w, "the file was removed or replaced while it was in use"));
        moved(w, ends[i], false);
        UNTIL(w->loop, shows(w, "ctibus_state_database_up", 1));
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
    UNTIL(w->loop, !shows(w, "ctibus_state_database_up", 1));
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

static int commits_seen(sqlite3 *sql)
{
    sqlite3_stmt *st = NULL;
    int version;

    assert_int_equal(sqlite3_prepare_v2(sql, "PRAGMA data_version", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return version;
}

/* Each commit waits for the disk. A write that somebody waits for is committed at once. In memory,
 * so that it is not the disk that is measured. */
static void writes_that_nobody_waits_for_go_together(void **state)
{
    struct world *w = *state;
    char id[32];
    uint64_t start_us, shortest = UINT64_MAX;
    int n = 0, before, commits = 0;

    rmdir(w->dir);
    strcpy(w->dir, "/dev/shm/ctibus-db-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/t.db", w->dir);
    start(w);
    assert_int_equal(sqlite3_open(w->path, &w->other), SQLITE_OK);
    put(w, "first", "x");
    UNTIL(w->loop, w->done == 1);
    before = commits_seen(w->other);
    start_us = clock_mono_us();
    while (commits < 4) {
        int now;
        snprintf(id, sizeof(id), "%d", n++);
        db_write(w->d, PUT, "sss", VIEW("x"), view_cstr(id), VIEW("y"));
        loop_once(w->loop, 1);
        now = commits_seen(w->other);
        commits += now != before;
        before = now;
    }
    assert_true(clock_mono_us() - start_us >= 30000); /* 10 ms from one to the next */
    for (int i = 0; i < 20; i++) {
        int done = w->done;
        snprintf(id, sizeof(id), "waits %d", i);
        start_us = clock_mono_us();
        put(w, id, "y");
        UNTIL(w->loop, w->done == done + 1);
        if (clock_mono_us() - start_us < shortest)
            shortest = clock_mono_us() - start_us;
    }
    assert_true(shortest < 10000);
    assert_int_equal(w->failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_ONLY(a_file_that_is_taken_away_takes_nothing_more),
        FILE_ONLY(a_file_that_was_emptied_takes_nothing_more),
        FILE_ONLY(another_file_in_its_place_is_not_written),
        FILE_ONLY(a_full_disk_loses_no_row),
        FILE_ONLY(nobody_else_may_read_it),
        FILE_ONLY(what_others_could_read_is_taken_from_them),
        FILE_ONLY(what_cannot_be_opened_is_refused),
        FILE_ONLY(writes_that_nobody_waits_for_go_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
