/* The database: transactions whole or not at all, told when they are on disk, in order. What is so
 * in a file of SQLite and in a PostgreSQL server is tried in both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/database_world.h"

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

/* In one transaction with others, of which a savepoint guards none. */
static void a_single_one_that_fails_takes_no_other_with_it(void **state)
{
    struct world *w = *state;
    struct db_txn *t;
    int err = 0;

    w->d = open_at(w, w->path, &err);
    assert_non_null(w->d);
    put(w, "1", "away");
    t = db_begin(w->d);
    db_add(t,
           "INSERT INTO presence (site, user, availstate) VALUES ('x', '7', 'half'),"
           " ('x', ?, 'twice')",
           "s", VIEW("1"));
    db_commit_take(&t, on_done, w);
    put(w, "2", "here");
    assert_int_equal(db_start(w->d), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(only_one_process_has_it),
        BOTH(what_is_told_is_there_after_a_restart),
        BOTH(one_that_fails_takes_no_other_with_it),
        BOTH(a_single_one_that_fails_takes_no_other_with_it),
        BOTH(a_read_sees_what_was_written_before_it),
        BOTH(reading_needs_no_lock),
        BOTH(reads_and_writes_keep_their_order),
        BOTH(what_nobody_waits_for_is_kept_until_it_can_be_written),
        BOTH(who_stands_behind_many_that_wait_is_told),
        BOTH(what_waits_while_it_cannot_be_written_is_bounded),
        BOTH(only_a_write_shows_that_it_writes_again),
        BOTH(one_that_is_refused_by_itself_is_logged),
        BOTH(closing_does_not_wait_for_the_next_attempt),
        FILE_ONLY(closing_gives_up_what_cannot_be_written),
        BOTH(closing_writes_and_tells_what_waits),
        BOTH(texts_are_what_they_were),
        BOTH(what_waits_is_bounded),
    };

    return cmocka_run_group_tests(tests, make_server, remove_server);
}
