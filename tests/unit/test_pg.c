/* A connection to a PostgreSQL server: the server is a process that says what a test wants, good
 * and bad. What a real one says is tested in tests/system/test_userfeatures.py. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "database/pg.h"
#include "support/bus.h"

/* What the server does with each query. */
enum mode {
    ROWS,     /* two rows with its first parameter and a second column that is NULL */
    REFUSES,  /* an error of class 42 */
    PASSING,  /* an error of class 53 */
    COPIES,   /* wants data to be copied in */
    GARBAGE,  /* answers with what is no message */
    CLOSES,   /* ends the connection */
    LETS_NONE /* does not let anybody in */
};

struct world {
    char dir[32];
    struct pg_uri uri;
    struct loop *loop;
    struct pg *pg;
    pid_t server;
    int ups, downs, done, rows;
    char why[512], value[64];
    size_t columns;
    struct pg_result result;
    char message[256];
    bool asks_when_up, fails_when_done;
};

/* ---- the server ---- */

static void put(struct buf *out, char type, const void *body, size_t n)
{
    uint32_t len = htonl((uint32_t)n + 4);

    buf_append_char(out, type);
    buf_append(out, &len, 4);
    buf_append(out, body, n);
}

static bool read_all(int fd, void *to, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, (char *)to + got, n - got);
        if (r <= 0)
            return false;
        got += (size_t)r;
    }
    return true;
}

static void send_all(int fd, struct buf *out)
{
    if (write(fd, buf_data(out), buf_len(out)) < 0)
        _exit(1);
    buf_reset(out);
}

static void put_rows(struct buf *out, const char *value, size_t len)
{
    static const char columns[] = "\0\2"
                                  "a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
                                  "b\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";
    char row[300] = "\0\2\0\0\0";

    row[5] = (char)len;
    memcpy(row + 6, value, len);
    memcpy(row + 6 + len, "\xff\xff\xff\xff", 4);
    put(out, '1', "", 0);
    put(out, '2', "", 0);
    put(out, 'T', columns, sizeof(columns) - 1);
    put(out, 'D', row, 10 + len);
    put(out, 'D', row, 10 + len);
    put(out, 'C', "SELECT 2", 9);
}

static void put_error(struct buf *out, const char *code)
{
    char fields[100];
    int n = snprintf(fields, sizeof(fields), "SERROR%cC%s%cMno  such\nthing%c", 0, code, 0, 0);

    put(out, 'E', fields, (size_t)n + 1);
}

/* The first parameter in a Bind message: after two names, the formats and their number. */
static size_t parameter(const char *bind, char *value)
{
    const char *at = bind + 2 + 2;
    uint32_t len;
    uint16_t n;

    memcpy(&n, at, 2);
    if (n == 0)
        return 0;
    memcpy(&len, at + 2, 4);
    memcpy(value, at + 6, ntohl(len));
    return ntohl(len);
}

static void answer(int fd, enum mode mode, struct buf *out, const char *value, size_t len)
{
    if (mode == ROWS)
        put_rows(out, value, len);
    else if (mode == REFUSES)
        put_error(out, "42P01");
    else if (mode == PASSING)
        put_error(out, "53100");
    else if (mode == GARBAGE)
        buf_append_cstr(out, "HTTP/1.1 400 Bad Request\r\n\r\n");
    else if (mode == CLOSES)
        _exit(0);
    else
        put(out, '1', "", 0), put(out, '2', "", 0), put(out, 'G', "\0\0\0", 3);
    if (mode != COPIES)
        put(out, 'Z', "I", 1);
    send_all(fd, out);
}

static void serve(int fd, enum mode mode)
{
    char body[1000], type, value[256];
    size_t len = 0;
    uint32_t n;
    struct buf out;

    buf_init(&out, 0);
    if (!read_all(fd, &n, 4) || !read_all(fd, body, ntohl(n) - 4))
        _exit(1);
    if (mode == LETS_NONE) {
        put_error(&out, "28P01");
        send_all(fd, &out);
        _exit(0);
    }
    put(&out, 'R', "\0\0\0\0", 4);
    put(&out, 'Z', "I", 1);
    send_all(fd, &out);
    while (read_all(fd, &type, 1) && read_all(fd, &n, 4) && read_all(fd, body, ntohl(n) - 4)) {
        if (type == 'B')
            len = parameter(body, value);
        if (type == 'S')
            answer(fd, mode, &out, value, len);
    }
    _exit(0);
}

/* Listens before it returns; serves as many connections as come, one after the other. */
static void start_server(struct world *w, enum mode mode)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", w->dir);
    unlink(at.sun_path);
    assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(s, 5), 0);
    w->server = fork();
    if (w->server == 0)
        for (;;) {
            int fd = accept(s, NULL, NULL);
            if (fork() == 0)
                serve(fd, mode);
            close(fd);
        }
    close(s);
}

static void stop_server(struct world *w)
{
    if (w->server)
        kill(w->server, SIGKILL);
    if (w->server)
        waitpid(w->server, NULL, 0);
    w->server = 0;
}

/* ---- the world ---- */

static void on_row(void *arg, const struct view *values, size_t n)
{
    struct world *w = arg;

    w->rows++;
    w->columns = n;
    snprintf(w->value, sizeof(w->value), "%.*s|%.*s", VIEW_ARG(values[0]), VIEW_ARG(values[1]));
}

static void on_done(void *arg, const struct pg_result *r)
{
    struct world *w = arg;

    w->done++;
    w->result = *r;
    snprintf(w->message, sizeof(w->message), "%s", r->message);
    if (w->fails_when_done)
        pg_fail(w->pg, "of no use");
}

static int ask(struct world *w, const char *value)
{
    return pg_ask(w->pg, "SELECT $1", &value, 1, on_row, on_done, w);
}

static void on_up(void *arg)
{
    struct world *w = arg;

    w->ups++;
    if (w->asks_when_up)
        assert_int_equal(ask(w, "x"), 0);
}

static void on_down(void *arg, const char *why)
{
    struct world *w = arg;

    w->downs++;
    snprintf(w->why, sizeof(w->why), "%s", why);
}

static const struct pg_handler handler = {on_up, on_down};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    strcpy(w->dir, "/tmp/ctibus-pg-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->uri = (struct pg_uri){.port = 5432};
    strcpy(w->uri.user, "u");
    strcpy(w->uri.password, "hidden");
    strcpy(w->uri.database, "d");
    strcpy(w->uri.host, w->dir);
    w->loop = loop_new();
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char path[100];

    pg_destroy(&w->pg);
    stop_server(w);
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", w->dir);
    unlink(path);
    rmdir(w->dir);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

static void connect_to(struct world *w, enum mode mode)
{
    start_server(w, mode);
    w->pg = pg_new(w->loop, &w->uri, &handler, w);
    assert_non_null(w->pg);
    assert_int_equal(ask(w, "too early"), -ENOTCONN);
}

/* ---- tests ---- */

static void queries_are_answered_in_their_order(void **state)
{
    struct world *w = *state;

    connect_to(w, ROWS);
    UNTIL(w->loop, w->ups == 1);
    for (int i = 0; i < 100; i++) {
        char value[16];
        snprintf(value, sizeof(value), "'; %d", i);
        assert_int_equal(ask(w, value), 0);
    }
    assert_int_equal(w->done, 0);
    for (int i = 0; i < 100; i++) {
        char value[16];
        UNTIL(w->loop, w->done == i + 1);
        snprintf(value, sizeof(value), "'; %d|", i);
        assert_string_equal(w->value, value);
        assert_int_equal(w->result.outcome, PG_DONE);
        assert_int_equal(w->result.rows, 2);
    }
    assert_int_equal(w->rows, 200);
    assert_int_equal(w->columns, 2);
    assert_int_equal(w->downs, 0);
}

static void what_is_refused_leaves_the_connection(void **state)
{
    struct world *w = *state;

    connect_to(w, REFUSES);
    UNTIL(w->loop, w->ups == 1);
    assert_int_equal(ask(w, "x"), 0);
    assert_int_equal(ask(w, "y"), 0);
    UNTIL(w->loop, w->done == 2);
    assert_int_equal(w->result.outcome, PG_REFUSED);
    assert_string_equal(w->result.sqlstate, "42P01");
    assert_string_equal(w->message, "no such thing");
    assert_true(pg_is_up(w->pg));
    assert_int_equal(w->downs, 0);
}

/* The first one has an answer, the others wait: all are lost, each once; and it connects again. */
static void lose(struct world *w, enum mode mode, const char *why)
{
    connect_to(w, mode);
    UNTIL(w->loop, w->ups == 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(w, "x"), 0);
    UNTIL(w->loop, w->done == 3);
    assert_int_equal(w->result.outcome, PG_LOST);
    UNTIL(w->loop, w->downs == 1);
    if (!strstr(w->why, why))
        fail_msg("%s", w->why);
    assert_int_equal(ask(w, "x"), -ENOTCONN);
    UNTIL(w->loop, w->ups == 2);
    assert_int_equal(w->done, 3);
}

static void a_server_that_cannot_do_it_now(void **state)
{
    lose(*state, PASSING, "no such thing");
}

static void a_server_that_closes(void **state)
{
    lose(*state, CLOSES, "server closed the connection");
}

static void a_server_that_is_none(void **state)
{
    lose(*state, GARBAGE, "");
}

static void a_server_that_wants_data(void **state)
{
    lose(*state, COPIES, "of another kind");
}

static void nobody_is_let_in(void **state)
{
    struct world *w = *state;

    connect_to(w, LETS_NONE);
    UNTIL(w->loop, w->downs == 1);
    assert_non_null(strstr(w->why, "no such thing"));
    assert_null(strstr(w->why, "hidden"));
    assert_null(strchr(w->why, '\n'));
    /* the next attempt fails for the same reason, which is not told again; then for another one */
    stop_server(w);
    UNTIL(w->loop, w->downs == 2);
    assert_int_equal(w->ups, 0);
}

static void a_name_without_an_address(void **state)
{
    struct world *w = *state;

    loop_set_names(w->loop, "127.0.0.1:9", "/dev/null");
    strcpy(w->uri.host, "192.0.2.999");
    w->pg = pg_new(w->loop, &w->uri, &handler, w);
    UNTIL_MS(w->loop, w->downs == 1, 20000);
    assert_true(strlen(w->why) > 0);
}

static void a_port_where_nobody_listens(void **state)
{
    struct world *w = *state;

    loop_set_names(w->loop, NULL, NULL);
    strcpy(w->uri.host, "localhost");
    w->uri.port = 1;
    w->pg = pg_new(w->loop, &w->uri, &handler, w);
    UNTIL(w->loop, w->downs == 1);
    assert_non_null(strstr(w->why, "refused"));
}

static void the_owner_gives_it_up(void **state)
{
    struct world *w = *state;

    w->fails_when_done = w->asks_when_up = true;
    connect_to(w, ROWS);
    UNTIL(w->loop, w->downs == 1);
    assert_string_equal(w->why, "of no use");
    assert_int_equal(w->result.outcome, PG_DONE);
    assert_false(pg_is_up(w->pg));
    w->fails_when_done = false;
    UNTIL(w->loop, w->done == 2);
    assert_true(pg_is_up(w->pg));
    pg_fail(w->pg, "of no use");
    assert_int_equal(w->downs, 1); /* the same reason */
    UNTIL(w->loop, w->done == 3);
    pg_good(w->pg);
    pg_fail(w->pg, "of no use");
    assert_int_equal(w->downs, 2);
}

static void it_is_destroyed_with_queries_waiting(void **state)
{
    struct world *w = *state;

    connect_to(w, ROWS);
    UNTIL(w->loop, w->ups == 1);
    assert_int_equal(ask(w, "x"), 0);
    assert_int_equal(ask(w, "y"), 0);
    pg_destroy(&w->pg);
    assert_int_equal(w->done, 2);
    assert_int_equal(w->result.outcome, PG_LOST);
    assert_int_equal(w->downs, 0);
}

static void it_is_destroyed_while_it_connects(void **state)
{
    struct world *w = *state;

    for (int turns = 0; turns < 6; turns++) {
        stop_server(w);
        connect_to(w, ROWS);
        for (int i = 0; i < turns; i++)
            loop_once(w->loop, 1);
        pg_destroy(&w->pg);
    }
    assert_int_equal(w->downs, 0);
}

static void too_much_waits(void **state)
{
    struct world *w = *state;
    int n = 0, rc;

    connect_to(w, ROWS);
    UNTIL(w->loop, w->ups == 1);
    while ((rc = ask(w, "x")) == 0)
        n++;
    assert_int_equal(rc, -ENOBUFS);
    assert_in_range(n, 20000, 30000);
    pg_destroy(&w->pg);
    assert_int_equal(w->done, n);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(queries_are_answered_in_their_order),
        T(what_is_refused_leaves_the_connection),
        T(a_server_that_cannot_do_it_now),
        T(a_server_that_closes),
        T(a_server_that_is_none),
        T(a_server_that_wants_data),
        T(nobody_is_let_in),
        T(a_name_without_an_address),
        T(a_port_where_nobody_listens),
        T(the_owner_gives_it_up),
        T(it_is_destroyed_with_queries_waiting),
        T(it_is_destroyed_while_it_connects),
        T(too_much_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
