/* The queue of webhooks: order in a lane, what a restart finds, dead letters, bounds, and a
 * database that cannot be written. */
#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hooks/queue.h"
#include "support/bus.h"

#define MAX 1000

struct world {
    struct loop *loop;
    struct metrics *metrics;
    char dir[64], path[96];
    struct db *db;
    struct queue *queue;
    size_t max;
    bool buries; /* what is ready is given up at once */
    char ready[512];
    struct delivery *last[16];
    size_t n_last;
    int n_ready, written, failed;
};

static void on_ready(void *arg, struct delivery *d)
{
    struct world *w = arg;
    size_t n = strlen(w->ready);

    w->n_ready++;
    if (w->buries) {
        queue_bury(w->queue, d, "nobody wants it");
        return;
    }
    snprintf(w->ready + n, sizeof(w->ready) - n, "%s%.*s:%s", n ? " " : "", VIEW_ARG(queue_hook(d)),
             d->event);
    assert_true(w->n_last < 16);
    w->last[w->n_last++] = d;
    d->leaves = true;
}

static void open_queue(struct world *w)
{
    int err = 0;

    metrics_destroy(&w->metrics);
    w->metrics = metrics_new();
    w->db = db_open(w->loop, w->path, &queue_schema, w->metrics, NULL, &err);
    assert_non_null(w->db);
    db_set_times(w->db, 300, 100, 100);
    w->queue = queue_new(w->db, w->max, on_ready, w);
    assert_non_null(w->queue);
    w->ready[0] = '\0';
    w->n_last = 0;
    w->n_ready = 0;
}

static void start(struct world *w)
{
    open_queue(w);
    assert_int_equal(queue_restore(w->queue), 0);
    assert_int_equal(db_start(w->db), 0);
}

static void stop(struct world *w)
{
    db_close(&w->db);
    queue_destroy(&w->queue);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new();
    w->max = MAX;
    strcpy(w->dir, "/tmp/ctibus-queue-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/q.db", w->dir);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct world *w = *state;
    char path[128];

    stop(w);
    metrics_destroy(&w->metrics);
    loop_destroy(&w->loop);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", w->path, ends[i]);
        unlink(path);
    }
    rmdir(w->dir);
    free(w);
    return 0;
}

static void on_written(void *arg, int rc)
{
    struct world *w = arg;

    w->written++;
    w->failed += rc < 0;
}

static struct queue_item item_of(const char *hook, const char *key, const char *event)
{
    return (struct queue_item){.hook = view_cstr(hook),
                               .event = view_cstr(event),
                               .name = VIEW("call.ringing"),
                               .key = view_cstr(key),
                               .body = VIEW("{\"a\":1}"),
                               .now = 1000.5};
}

/* In a transaction each, on disk at the end. */
static int add(struct world *w, const char *hook, const char *key, const char *event)
{
    const struct queue_item item = item_of(hook, key, event);
    struct db_txn *t = db_begin(w->db);
    int before = w->written;
    int rc = queue_add(w->queue, &item, t);
    int64_t mark = queue_last(w->queue);

    db_commit_take(&t, on_written, w);
    UNTIL(w->loop, w->written == before + 1);
    queue_kept(w->queue, mark);
    return rc;
}

static const char *taken(struct world *w)
{
    static char text[512];

    snprintf(text, sizeof(text), "%s", w->ready);
    w->ready[0] = '\0';
    return text;
}

static struct delivery *pop(struct world *w)
{
    struct delivery *d = w->last[0];

    assert_true(w->n_last > 0);
    memmove(w->last, w->last + 1, --w->n_last * sizeof(w->last[0]));
    return d;
}

/* Rows of the file, with the database closed. */
static void rows(struct world *w, char out[512])
{
    sqlite3_stmt *row;
    sqlite3 *db;

    out[0] = '\0';
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db,
                       "SELECT hook || ':' || event || ' ' || tries || ' ' || dead || ' ' || why"
                       " FROM delivery ORDER BY id",
                       -1, &row, NULL);
    while (sqlite3_step(row) == SQLITE_ROW)
        snprintf(out + strlen(out), 512 - strlen(out), "%s|", sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    sqlite3_close(db);
}

/* ---- order ---- */

static void one_after_the_other_in_a_lane(void **state)
{
    struct world *w = *state;
    struct delivery *d;

    start(w);
    assert_int_equal(add(w, "crm", "calls/1", "e1"), 0);
    assert_int_equal(add(w, "crm", "calls/1", "e2"), 0);
    assert_int_equal(add(w, "crm", "calls/2", "e3"), 0);
    assert_int_equal(add(w, "log", "calls/1", "e1"), 0);
    assert_string_equal(taken(w), "crm:e1 crm:e3 log:e1");
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 4);
    assert_int_equal(queue_waiting(w->queue, VIEW("crm")), 3);
    assert_int_equal(queue_waiting(w->queue, VIEW("cr")), 0);
    d = pop(w);
    queue_again(w->queue, d, 5, "it answers with status 500"); /* keeps its place */
    assert_string_equal(taken(w), "crm:e1");
    assert_true(d->tries == 1 && d->due == 5);
    w->n_last--;
    queue_done(w->queue, d);
    assert_string_equal(taken(w), "crm:e2");
    queue_done(w->queue, pop(w)); /* e3 */
    queue_done(w->queue, pop(w)); /* log */
    queue_done(w->queue, pop(w)); /* e2 */
    assert_string_equal(taken(w), "");
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 0);
}

static void what_is_not_on_disk_does_not_leave(void **state)
{
    const struct queue_item one = item_of("crm", "calls/1", "e1"),
                            two = item_of("crm", "calls/2", "e2");
    struct world *w = *state;
    struct db_txn *t;
    int64_t mark;

    start(w);
    t = db_begin(w->db);
    queue_add(w->queue, &one, t);
    mark = queue_last(w->queue);
    db_commit_take(&t, on_written, w);
    t = db_begin(w->db);
    queue_add(w->queue, &two, t);
    assert_string_equal(taken(w), "");
    queue_kept(w->queue, mark);
    assert_string_equal(taken(w), "crm:e1");
    db_commit_take(&t, on_written, w);
    UNTIL(w->loop, w->written == 2);
    queue_kept(w->queue, queue_last(w->queue));
    assert_string_equal(taken(w), "crm:e2");
}

/* ---- restart ---- */

static void a_restart_goes_on(void **state)
{
    struct world *w = *state;
    struct delivery *d;

    start(w);
    add(w, "crm", "calls/1", "e1");
    add(w, "crm", "calls/1", "e2");
    add(w, "crm", "calls/2", "e3");
    add(w, "crm", "calls/3", "e4");
    queue_again(w->queue, pop(w), 5, "later");
    queue_done(w->queue, pop(w)); /* e3 */
    queue_bury(w->queue, pop(w), "never");
    stop(w);
    start(w);
    assert_string_equal(taken(w), "crm:e1");
    d = pop(w);
    assert_int_equal(d->tries, 1);
    assert_int_equal(d->len, 7);
    assert_string_equal(d->body, "{\"a\":1}");
    assert_string_equal(d->name, "call.ringing");
    assert_true(d->created == 1000.5);
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 2); /* dead letters do not wait */
    add(w, "crm", "calls/1", "e5"); /* behind what was there; numbers go on */
    assert_int_equal(queue_last(w->queue), 5);
    queue_done(w->queue, d);
    queue_done(w->queue, pop(w));
    assert_string_equal(taken(w), "crm:e2 crm:e5");
}

/* A webhook that is gone, with a lane as long as the queue may be: nothing of it goes deeper and
 * deeper. */
static void a_long_lane_of_nobody(void **state)
{
    struct world *w = *state;
    struct db_txn *t;
    int n = 100000;

    w->max = 1000000;
    start(w);
    for (int i = 0; i < n; i += 1000) {
        t = db_begin(w->db);
        for (int k = 0; k < 1000; k++) {
            const struct queue_item item = item_of("gone", "users/1", "e");
            assert_int_equal(queue_add(w->queue, &item, t), 0);
        }
        db_commit_take(&t, on_written, w);
        UNTIL(w->loop, w->written == i / 1000 + 1);
    }
    stop(w);
    w->buries = true;
    open_queue(w);
    assert_int_equal(queue_restore(w->queue), 0);
    assert_int_equal(w->n_ready, n);
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 0);
    assert_int_equal(db_start(w->db), 0);
}

static void several_lanes_of_nobody(void **state)
{
    struct world *w = *state;
    char key[32];

    start(w);
    for (int i = 0; i < 60; i++) {
        snprintf(key, sizeof(key), "calls/%d", i % 20);
        w->n_last = 0;
        add(w, i % 3 ? "gone" : "gone2", key, "e");
    }
    stop(w);
    w->buries = true;
    open_queue(w);
    assert_int_equal(queue_restore(w->queue), 0);
    assert_int_equal(w->n_ready, 60);
    assert_int_equal(db_start(w->db), 0);
}

/* ---- dead letters ---- */

static void dead_letters(void **state)
{
    struct queue_item item = item_of("crm", "calls/1", "e1");
    struct world *w = *state;
    char text[512];

    start(w);
    add(w, "crm", "calls/1", "e1");
    add(w, "crm", "calls/1", "e2");
    taken(w);
    queue_bury(w->queue, pop(w), "it answers with status 404");
    assert_string_equal(taken(w), "crm:e2"); /* what is behind it goes on */
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 1);
    item.now = 2000.25;
    assert_int_equal(queue_revive(w->queue, &item, 1), 0);
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 2);
    assert_int_equal(queue_revive(w->queue, &item, 1), -EEXIST); /* it waits already */
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 2);
    stop(w);
    rows(w, text);
    assert_string_equal(text, "crm:e1 0 0 |crm:e2 0 0 |");
    start(w);
    assert_string_equal(taken(w), "crm:e1");
    assert_true(pop(w)->created == 2000.25); /* its time begins anew, also after a restart */
}

static void a_dead_letter_that_was_alone(void **state)
{
    const struct queue_item item = item_of("crm", "calls/1", "e1");
    struct world *w = *state;
    char text[512];

    start(w);
    add(w, "crm", "calls/1", "e1");
    taken(w);
    queue_bury(w->queue, pop(w), "so");
    assert_int_equal(queue_revive(w->queue, &item, 1), 0);
    assert_string_equal(taken(w), "crm:e1");
    queue_bury(w->queue, pop(w), "so again");
    stop(w);
    rows(w, text);
    assert_string_equal(text, "crm:e1 1 1 so again|");
}

/* ---- bounds ---- */

static void it_is_bounded(void **state)
{
    const struct queue_item item = item_of("crm", "calls/1", "e4");
    struct world *w = *state;

    w->max = 3;
    start(w);
    assert_int_equal(add(w, "crm", "calls/1", "e1"), 0);
    assert_int_equal(add(w, "crm", "calls/1", "e2"), 0);
    assert_int_equal(add(w, "crm", "calls/2", "e3"), 0);
    assert_int_equal(add(w, "crm", "calls/3", "e4"), -ENOBUFS);
    queue_bury(w->queue, pop(w), "so");
    assert_int_equal(add(w, "crm", "calls/3", "e4"), 0);
    assert_int_equal(queue_revive(w->queue, &item, 1), -ENOBUFS); /* dead letters, too */
    stop(w);
    start(w); /* what was taken before is sent all the same */
    assert_int_equal(queue_waiting(w->queue, view_of(NULL, 0)), 3);
}

/* ---- a database that cannot be written ---- */

static void the_file_cannot_be_written(void **state)
{
    struct world *w = *state;
    sqlite3 *other;

    start(w);
    add(w, "crm", "calls/1", "e1");
    taken(w);
    assert_int_equal(sqlite3_open(w->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    {
        const struct queue_item item = item_of("crm", "calls/2", "e2");
        struct db_txn *t = db_begin(w->db);
        assert_int_equal(queue_add(w->queue, &item, t), 0);
        db_commit_take(&t, on_written, w);
    }
    queue_done(w->queue, pop(w));
    run_for(w->loop, 500);
    assert_string_equal(taken(w), "");
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(other);
    UNTIL(w->loop, w->written == 2); /* told when it is there, or given up */
    queue_kept(w->queue, queue_last(w->queue));
    assert_string_equal(taken(w), "crm:e2");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_after_the_other_in_a_lane),
        TEST(what_is_not_on_disk_does_not_leave),
        TEST(a_restart_goes_on),
        TEST(a_long_lane_of_nobody),
        TEST(several_lanes_of_nobody),
        TEST(dead_letters),
        TEST(a_dead_letter_that_was_alone),
        TEST(it_is_bounded),
        TEST(the_file_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
