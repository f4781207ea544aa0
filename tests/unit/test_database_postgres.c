/* The PostgreSQL server of the database: away, back, another one in its place, or none at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "support/database_world.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_ONLY(logs_wait_while_the_server_is_away),
        SERVER_ONLY(a_session_that_was_ended_is_made_again),
        SERVER_ONLY(what_was_committed_unseen_is_not_written_twice),
        SERVER_ONLY(who_was_replaced_writes_no_more),
        SERVER_ONLY(bad_text_is_mended),
        SERVER_ONLY(what_no_server_is_is_refused),
    };

    return cmocka_run_group_tests(tests, make_server, remove_server);
}
