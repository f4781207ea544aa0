/* Waiting for a PostgreSQL database that another process owns: who gets it, when, and what becomes
 * of the one that had it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/array.h"
#include "database/claim.h"
#include "database/state_tables.h"
#include "support/bus.h"
#include "support/postgres_group.h"

#define PUT "INSERT INTO presence (site, user, availstate) VALUES ('x', ?, 'here')"
#define SILENT_MS 2000

/* One process that has the database, or wants it. */
struct one {
    struct db_claim *claim;
    struct db_claim_status now;
    int told;
    struct metrics *metrics;
    struct db *d;
    int done, failed, over;
};

struct world {
    struct loop *loop;
    int log_fds[2];
    struct log *log;
    char name[16], uri[128];
    PGconn *shell;
    struct one a, b, c;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new();
    assert_int_equal(pipe2(w->log_fds, O_NONBLOCK | O_CLOEXEC), 0);
    w->log = log_new(w->log_fds[1], "test", LOG_INFO, false);
    postgres_database(&server, w->name, w->uri);
    w->shell = postgres_connect(&server, w->name);
    *state = w;
    return 0;
}

static void one_end(struct one *o)
{
    db_claim_destroy(&o->claim);
    db_close(&o->d);
    metrics_destroy(&o->metrics);
}

static int teardown(void **state)
{
    struct world *w = *state;

    PQfinish(w->shell);
    if (server.pid == 0)
        postgres_start(&server);
    one_end(&w->a);
    one_end(&w->b);
    one_end(&w->c);
    loop_destroy(&w->loop);
    log_destroy(&w->log);
    close(w->log_fds[0]);
    close(w->log_fds[1]);
    free(w);
    return 0;
}

static bool has_logged(struct world *w, const char *what)
{
    static char text[8192];
    ssize_t n;

    assert_true(log_flush(w->log, 10000));
    n = read(w->log_fds[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, what) != NULL;
}

static void on_claim(void *arg, const struct db_claim_status *now)
{
    struct one *o = arg;

    o->now = *now;
    o->told++;
}

static void claim_as(struct world *w, struct one *o, const char *name)
{
    int err = 0;

    o->claim = db_claim_new(w->loop, w->uri, name, SILENT_MS, on_claim, o, w->log, &err);
    assert_non_null(o->claim);
    assert_int_equal(err, 0);
}

static void on_over(void *arg)
{
    ((struct one *)arg)->over++;
}

static int try_open(struct world *w, struct one *o, const struct db_schema *schema)
{
    int err = 0;

    o->metrics = metrics_new();
    o->d = db_open_claimed(w->loop, &o->claim, schema, o->metrics, w->log, &err);
    assert_null(o->claim);
    return err;
}

/* It has won. Its thread does not run yet: it gives no sign of life. */
static void open_it(struct world *w, struct one *o)
{
    assert_int_equal(try_open(w, o, &state_schema), 0);
    db_on_taken_over(o->d, on_over, o);
}

static void own(struct world *w, struct one *o, const char *name)
{
    claim_as(w, o, name);
    UNTIL(w->loop, o->now.won);
    open_it(w, o);
}

/* As by a process that has written last a minute ago. */
static void is_silent(struct world *w)
{
    postgres_do(w->shell, "UPDATE ctibus_owner SET heartbeat = now() - interval '1 min'");
}

static void on_done(void *arg, int rc)
{
    struct one *o = arg;

    o->done++;
    o->failed += rc < 0;
}

static void put(struct one *o, const char *user)
{
    struct db_txn *t = db_begin(o->d);

    db_add(t, PUT, "s", view_cstr(user));
    db_commit_take(&t, on_done, o);
}

static void put_and_wait(struct world *w, struct one *o, const char *user)
{
    int done = o->done;

    put(o, user);
    UNTIL(w->loop, o->done == done + 1);
}

static bool knows(const struct one *o, const char *owner, int64_t term)
{
    return strcmp(o->now.owner, owner) == 0 && o->now.term == term;
}

static long n_rows(struct world *w)
{
    return postgres_number(w->shell, "SELECT count(*) FROM presence");
}

static void a_free_database_is_won(void **state)
{
    struct world *w = *state;

    own(w, &w->a, "a");
    assert_true(w->a.now.reachable);
    assert_int_equal(db_term(w->a.d), 1);
    assert_int_equal(db_start(w->a.d), 0);
    put_and_wait(w, &w->a, "1");
    assert_int_equal(w->a.failed, 0);
    assert_int_equal(n_rows(w), 1);
    assert_int_equal(postgres_number(w->shell, "SELECT count(*) FROM ctibus_owner"
                                               " WHERE name = 'a' AND epoch = 1"),
                     1);
}

static void who_waits_gets_it_when_the_owner_ends(void **state)
{
    struct world *w = *state;
    int told;

    own(w, &w->a, "a");
    assert_int_equal(db_start(w->a.d), 0);
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, knows(&w->b, "a", 1));
    assert_true(w->b.now.reachable);
    told = w->b.told;
    put_and_wait(w, &w->a, "1");
    run_for(w->loop, SILENT_MS + 1000); /* there are signs of life though nothing is written */
    assert_false(w->b.now.won);
    assert_int_equal(w->b.told, told); /* nothing is another now */
    put_and_wait(w, &w->a, "2");
    assert_int_equal(w->a.failed, 0);
    db_close(&w->a.d);
    UNTIL(w->loop, w->b.now.won);
    open_it(w, &w->b);
    assert_int_equal(db_term(w->b.d), 2);
    assert_int_equal(db_start(w->b.d), 0);
    put_and_wait(w, &w->b, "3");
    assert_int_equal(n_rows(w), 3);
    assert_int_equal(w->a.over, 0);
}

static void of_two_at_once_one_wins(void **state)
{
    struct world *w = *state;
    struct one *won, *other;

    own(w, &w->c, "c");
    db_close(&w->c.d);
    is_silent(w); /* that both have been down for a while says nothing about who comes first */
    claim_as(w, &w->a, "a");
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, w->a.now.won || w->b.now.won);
    won = w->a.now.won ? &w->a : &w->b;
    other = w->a.now.won ? &w->b : &w->a;
    UNTIL(w->loop, knows(other, "c", 1));
    run_for(w->loop, 1000);
    assert_false(other->now.won);
    open_it(w, won);
    assert_int_equal(db_start(won->d), 0);
    put_and_wait(w, won, "1");
    assert_int_equal(won->failed, 0);
    UNTIL(w->loop, knows(other, won == &w->a ? "a" : "b", 2));
    assert_false(other->now.won);
}

static void an_owner_that_stands_still_is_replaced(void **state)
{
    struct world *w = *state;

    own(w, &w->a, "a");
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, knows(&w->b, "a", 1));
    run_for(w->loop, SILENT_MS + 500); /* it is given time to start */
    assert_false(w->b.now.won);
    is_silent(w);
    UNTIL(w->loop, w->b.now.won);
    assert_true(has_logged(w, "database: a has it and has written nothing for 6"));
    open_it(w, &w->b);
    assert_int_equal(db_start(w->b.d), 0);
    put_and_wait(w, &w->b, "1");
    put(&w->a, "late");
    assert_int_equal(db_start(w->a.d), 0);
    UNTIL(w->loop, w->a.done == 1 && w->a.over == 1);
    assert_int_equal(w->a.failed, 1);
    put_and_wait(w, &w->a, "later");
    assert_int_equal(w->a.failed, 2);
    put_and_wait(w, &w->b, "2");
    assert_int_equal(w->b.failed, 0);
    assert_int_equal(n_rows(w), 2);
    assert_true(w->a.over == 1 && w->b.over == 0);
}

/* The same, found out by one that has nothing to write. */
static void who_was_replaced_is_told_though_it_writes_nothing(void **state)
{
    struct world *w = *state;

    own(w, &w->a, "a");
    assert_int_equal(db_start(w->a.d), 0);
    postgres_do(w->shell, "UPDATE ctibus_owner SET epoch = epoch + 1"); /* as the other one does */
    UNTIL(w->loop, w->a.over == 1);
}

static void an_owner_without_a_name_is_left_alone(void **state)
{
    struct world *w = *state;
    int err = 0;

    w->a.metrics = metrics_new();
    w->a.d = db_open(w->loop, w->uri, &state_schema, w->a.metrics, w->log, &err);
    is_silent(w);
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, knows(&w->b, "", 1));
    run_for(w->loop, SILENT_MS + 1000);
    assert_false(w->b.now.won);
    assert_int_equal(db_start(w->a.d), 0);
    put_and_wait(w, &w->a, "1");
    assert_int_equal(w->a.failed, 0);
    db_close(&w->a.d);
    UNTIL(w->loop, w->b.now.won);
}

/* That may take longer than an owner may be silent. */
static void who_brings_the_tables_up_is_given_time(void **state)
{
    static const char *const steps[] = {"CREATE TABLE seen AS SELECT heartbeat > now() + interval "
                                        "'5 min' AS far FROM ctibus_owner"};
    struct db_schema schema = state_schema;
    struct world *w = *state;

    schema.steps = steps;
    schema.n_steps = 1;
    schema.reports = NULL;
    claim_as(w, &w->a, "a");
    UNTIL(w->loop, w->a.now.won);
    assert_int_equal(try_open(w, &w->a, &schema), 0);
    assert_int_equal(postgres_number(w->shell, "SELECT far::int FROM seen"), 1);
    assert_int_equal(postgres_number(w->shell, "SELECT count(*) FROM ctibus_owner WHERE"
                                               " heartbeat > now() + interval '1 min'"),
                     0);
}

/* ---- a server that goes away ---- */

static void after_that_the_owner_comes_first(void **state)
{
    struct world *w = *state;

    own(w, &w->a, "a");
    assert_int_equal(db_start(w->a.d), 0);
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, knows(&w->b, "a", 1));
    PQfinish(w->shell);
    w->shell = NULL;
    postgres_kill(&server);
    UNTIL(w->loop, !w->b.now.reachable);
    assert_true(*w->b.now.why);
    run_for(w->loop, SILENT_MS); /* for longer than an owner may be silent */
    postgres_start(&server);
    UNTIL(w->loop, w->b.now.reachable);
    assert_string_equal(w->b.now.why, "");
    do
        put_and_wait(w, &w->a, "1");
    while (w->a.failed == w->a.done);
    run_for(w->loop, SILENT_MS + 500);
    assert_false(w->b.now.won);
    assert_int_equal(w->a.over, 0);
    assert_true(knows(&w->b, "a", 1));
}

/* How long it was there before it was taken; it was away, and nobody has it. */
static uint64_t ms_until_won(struct world *w, struct one *o)
{
    uint64_t since;

    postgres_start(&server);
    UNTIL(w->loop, o->now.reachable);
    since = clock_mono_us();
    UNTIL(w->loop, o->now.won);
    return (clock_mono_us() - since) / 1000;
}

static void an_owner_that_does_not_come_back_has_its_time(void **state)
{
    struct world *w = *state;

    own(w, &w->a, "a"); /* its thread does not run */
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, knows(&w->b, "a", 1));
    PQfinish(w->shell);
    w->shell = NULL;
    postgres_kill(&server);
    UNTIL(w->loop, !w->b.now.reachable);
    assert_in_range(ms_until_won(w, &w->b), SILENT_MS - 500, 10000);
}

static void also_where_the_claim_began_without_the_server(void **state)
{
    struct world *w = *state;

    own(w, &w->a, "a");
    PQfinish(w->shell);
    w->shell = NULL;
    postgres_kill(&server);
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, *w->b.now.why);
    assert_false(w->b.now.reachable);
    assert_in_range(ms_until_won(w, &w->b), SILENT_MS - 500, 10000);
}

static void what_was_won_may_be_lost_again(void **state)
{
    struct world *w = *state;

    claim_as(w, &w->a, "a");
    UNTIL(w->loop, w->a.now.won);
    PQfinish(w->shell);
    w->shell = NULL;
    postgres_kill(&server);
    assert_true(try_open(w, &w->a, &state_schema) < 0);
    assert_null(w->a.d);
    assert_true(has_logged(w, "database"));
}

/* A copy that follows another server has locks of its own. */
static void a_server_that_takes_no_writes_is_not_taken(void **state)
{
    struct world *w = *state;
    char sql[100];

    snprintf(sql, sizeof(sql), "ALTER DATABASE %s SET default_transaction_read_only = on", w->name);
    postgres_do(w->shell, sql);
    claim_as(w, &w->a, "a");
    UNTIL(w->loop, w->a.told > 0);
    assert_false(w->a.now.reachable);
    assert_string_equal(w->a.now.why, "the server takes no writes: is it a copy of another one?");
    snprintf(sql, sizeof(sql),
             "SET transaction_read_only = off;"
             "ALTER DATABASE %s RESET default_transaction_read_only",
             w->name);
    postgres_do(w->shell, sql);
    UNTIL(w->loop, w->a.now.won);
    open_it(w, &w->a);
}

/* ---- its life ---- */

static void what_no_server_is_is_refused(void **state)
{
    static const char *const uris[] = {"", "ctibus.db", "postgresql://", "mysql://u:secret@h/d",
                                       "postgresql://u:secret@h,i/d"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
        int err = 0;
        assert_null(db_claim_new(w->loop, uris[i], "a", SILENT_MS, on_claim, &w->a, w->log, &err));
        assert_int_equal(err, -EINVAL);
        assert_true(has_logged(w, "database: cannot be waited for: it "));
    }
    run_for(w->loop, 50);
    assert_int_equal(w->a.told, 0);
}

static void assert_ends_soon(struct db_claim **c)
{
    uint64_t began = clock_mono_us();

    db_claim_destroy(c);
    assert_null(*c);
    assert_in_range(clock_mono_us() - began, 0, 3000000);
}

/* It takes connections, and says nothing. */
static void it_ends_while_it_connects(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct world *w = *state;
    char dir[] = "/tmp/ctibus-pg-XXXXXX";
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int accepted;

    assert_non_null(mkdtemp(dir));
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 5), 0);
    snprintf(w->uri, sizeof(w->uri), "postgresql://ctibus:x@/x?host=%s", dir);
    claim_as(w, &w->a, "a");
    accepted = accept(fd, NULL, NULL);
    assert_true(accepted >= 0);
    assert_ends_soon(&w->a.claim);
    close(accepted);
    close(fd);
    unlink(at.sun_path);
    rmdir(dir);
}

static void it_ends_while_the_server_stands_still(void **state)
{
    struct world *w = *state;
    pid_t pid;

    own(w, &w->a, "a");
    claim_as(w, &w->b, "b");
    UNTIL(w->loop, knows(&w->b, "a", 1));
    pid = (pid_t)postgres_number(w->shell, "SELECT max(pid) FROM pg_stat_activity WHERE datname ="
                                           " current_database() AND query LIKE '%owner%'"
                                           " AND pid <> pg_backend_pid()");
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    run_for(w->loop, 500); /* it has asked something since */
    assert_ends_soon(&w->b.claim);
    kill(pid, SIGCONT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_free_database_is_won),
        T(who_waits_gets_it_when_the_owner_ends),
        T(of_two_at_once_one_wins),
        T(an_owner_that_stands_still_is_replaced),
        T(who_was_replaced_is_told_though_it_writes_nothing),
        T(an_owner_without_a_name_is_left_alone),
        T(who_brings_the_tables_up_is_given_time),
        T(after_that_the_owner_comes_first),
        T(an_owner_that_does_not_come_back_has_its_time),
        T(also_where_the_claim_began_without_the_server),
        T(what_was_won_may_be_lost_again),
        T(a_server_that_takes_no_writes_is_not_taken),
        T(what_no_server_is_is_refused),
        T(it_ends_while_it_connects),
        T(it_ends_while_the_server_stands_still),
    };

    return cmocka_run_group_tests(tests, make_server, remove_server);
}
