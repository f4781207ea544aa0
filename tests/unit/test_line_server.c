/* The door of the consoles: who comes in, lines however they are split, and every bound. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "console/line_server.h"
#include "support/bus.h"

#define MAX_LINE 32

struct world {
    struct loop *loop;
    struct metrics *metrics;
    char dir[64], file[96];
    struct config *cfg;
    struct line_server *server;
    int peers[4];
    size_t n_peers;
    /* what was handed out, each line ended by | */
    struct buf lines;
    struct line_client *line_client; /* the last that opened */
    int opened, closed, drained;
    bool hold, reply;
    size_t flood; /* bytes to answer with */
};

static int on_opened(struct line_client *t)
{
    struct world *w = t->owner;

    w->opened++;
    w->line_client = t;
    return 0;
}

static void on_line(struct line_client *t, struct view line)
{
    struct world *w = t->owner;

    buf_printf(&w->lines, "%.*s|", VIEW_ARG(line));
    if (w->hold)
        line_client_hold(t);
    if (w->reply)
        line_client_send(t, VIEW("yes\n"));
    for (size_t i = 0; i < w->flood; i += 1024) {
        static const char piece[1024];
        line_client_send(t, view_of(piece, sizeof(piece)));
    }
    if (view_eq(line, VIEW("bye")))
        line_client_close(t);
}

static void on_closed(struct line_client *t)
{
    struct world *w = t->owner;

    w->closed++;
    if (w->line_client == t)
        w->line_client = NULL;
}

static void on_drained(struct line_client *t)
{
    ((struct world *)t->owner)->drained++;
}

static bool whole(struct view rest)
{
    return view_eq(rest, VIEW("whole"));
}

static struct line_server_def plain = {.name = "INFO",
                                       .listen_key = "main.incoming_tcp.INFO",
                                       .access_key = "ctibus.access.info",
                                       .refusal = "NO",
                                       .max_talks = 2,
                                       .max_line = MAX_LINE,
                                       .idle_ms = 60000,
                                       .opened = on_opened,
                                       .line = on_line,
                                       .closed = on_closed,
                                       .drained = on_drained};

static void load(struct world *w, const char *access)
{
    struct config_errors errors = {0};
    FILE *f = fopen(w->file, "w");

    assert_non_null(f);
    fprintf(f,
            "{\"main\":{\"incoming_tcp\":{\"INFO\":[\"127.0.0.1\",0,true]}},"
            "\"ctibus\":{\"access\":{\"info\":%s},\"console\":{\"socket\":\"sock\"}}}",
            access);
    fclose(f);
    config_destroy(&w->cfg);
    w->cfg = config_load(w->file, NULL, &errors);
    assert_non_null(w->cfg);
}

static void open_listener(struct world *w, const struct line_server_def *def)
{
    int err;

    w->server = line_server_new(w->loop, w->cfg, def, w, w->metrics, NULL, &err);
    assert_non_null(w->server);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    strcpy(w->dir, "/tmp/ctibus-door-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->file, sizeof(w->file), "%s/ctibus.json", w->dir);
    w->loop = loop_new();
    w->metrics = metrics_new();
    buf_init(&w->lines, 0);
    load(w, "[\"127.0.0.0/8\"]");
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    line_server_destroy(&w->server);
    assert_int_equal(w->opened, w->closed);
    for (size_t i = 0; i < w->n_peers; i++)
        close(w->peers[i]);
    metrics_destroy(&w->metrics);
    config_destroy(&w->cfg);
    loop_destroy(&w->loop);
    buf_free(&w->lines);
    unlink(w->file);
    rmdir(w->dir);
    free(w);
    return 0;
}

static int connect_peer(struct world *w)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(line_server_port(w->server))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    w->peers[w->n_peers++] = fd;
    return fd;
}

static void say(int fd, struct view v)
{
    assert_int_equal(send(fd, v.ptr, v.len, MSG_NOSIGNAL), (ssize_t)v.len);
}

static const char *lines(struct world *w)
{
    return buf_len(&w->lines) ? buf_cstr(&w->lines) : "";
}

/* Reads until the other side closes. */
static bool heard_to_the_end(int fd, struct buf *out)
{
    char piece[65536];
    ssize_t n;

    while ((n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT)) > 0)
        buf_append(out, piece, (size_t)n);
    return n == 0;
}

static void expect_end(struct world *w, int fd, const char *part)
{
    struct buf out;

    buf_init(&out, 0);
    UNTIL(w->loop, heard_to_the_end(fd, &out));
    if (!strstr(buf_len(&out) ? buf_cstr(&out) : "", part))
        fail_msg("no %s in %s", part, buf_len(&out) ? buf_cstr(&out) : "(nothing)");
    buf_free(&out);
}

/* It ends, and nothing was said to it. */
static void expect_silent_end(struct world *w, int fd)
{
    struct buf out;

    buf_init(&out, 0);
    UNTIL(w->loop, heard_to_the_end(fd, &out));
    assert_int_equal(buf_len(&out), 0);
    buf_free(&out);
}

static unsigned foreign(struct world *w)
{
    static const char name[] = "\nctibus_state_console_foreign_total{door=\"INFO\"} ";
    struct buf out;
    const char *at;
    unsigned n = 0;

    buf_init(&out, 0);
    metrics_render(w->metrics, &out);
    at = strstr(buf_cstr(&out), name);
    if (at)
        n = (unsigned)strtoul(at + sizeof(name) - 1, NULL, 10);
    buf_free(&out);
    return n;
}

static void lines_are_the_same_however_they_are_split(void **state)
{
    static const struct view text = {"one\r\n  two \n\n\nthree\nfour", 24};
    struct world *w = *state;
    int fd;

    open_listener(w, &plain);
    fd = connect_peer(w);
    for (size_t i = 0; i < text.len; i++) {
        say(fd, view_of(text.ptr + i, 1));
        loop_once(w->loop, 1);
    }
    UNTIL(w->loop, strcmp(lines(w), "one|two|three|") == 0);
    shutdown(fd, SHUT_WR);
    UNTIL(w->loop, strcmp(lines(w), "one|two|three|four|") == 0);
    UNTIL(w->loop, w->closed == 1);
}

static void who_sends_its_last_is_still_answered(void **state)
{
    struct world *w = *state;
    int fd;

    open_listener(w, &plain);
    w->hold = true;
    fd = connect_peer(w);
    say(fd, VIEW("slow\nand more"));
    shutdown(fd, SHUT_WR);
    UNTIL(w->loop, strcmp(lines(w), "slow|") == 0);
    run_for(w->loop, 30);
    assert_int_equal(w->closed, 0);
    w->hold = false;
    w->reply = true;
    line_client_send(w->line_client, VIEW("done\n"));
    line_client_go_on(w->line_client);
    expect_end(w, fd, "done\nyes\n");
    assert_string_equal(lines(w), "slow|and more|");
}

static void held_lines_wait_in_their_order(void **state)
{
    struct world *w = *state;
    int fd;

    open_listener(w, &plain);
    w->hold = true;
    fd = connect_peer(w);
    say(fd, VIEW("1\n2\n"));
    UNTIL(w->loop, strcmp(lines(w), "1|") == 0);
    say(fd, VIEW("3\n"));
    run_for(w->loop, 30);
    assert_string_equal(lines(w), "1|");
    line_client_go_on(w->line_client);
    UNTIL(w->loop, strcmp(lines(w), "1|2|") == 0);
    line_client_go_on(w->line_client);
    UNTIL(w->loop, strcmp(lines(w), "1|2|3|") == 0);
}

static void a_line_without_end_is_cut_off(void **state)
{
    struct world *w = *state;
    char text[MAX_LINE + 2];
    int fd;

    open_listener(w, &plain);
    memset(text, 'x', sizeof(text));
    fd = connect_peer(w);
    say(fd, view_of(text, MAX_LINE));
    say(fd, VIEW("\n")); /* as long as may be */
    UNTIL(w->loop, buf_len(&w->lines) == MAX_LINE + 1);
    say(fd, view_of(text, MAX_LINE + 1));
    expect_end(w, fd, "NO a line is at most 32 bytes\n");
}

static void what_is_no_text_ends_it(void **state)
{
    static const struct view bytes[] = {
        {"one\ntw\0o\n", 9},
        {"\x16\x03\x01\x02\0\x01\0", 7}, /* TLS: a ClientHello begins so, and has no line */
        {"one\n\x7f", 5},
        {"\x1b[2J\n", 5},
    };
    struct world *w = *state;

    open_listener(w, &plain);
    w->reply = true;
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
        int fd = connect_peer(w);
        say(fd, bytes[i]);
        expect_silent_end(w, fd);
        close(fd);
        w->n_peers--;
    }
    assert_string_equal(lines(w), "");
    assert_int_equal(foreign(w), 4);
}

static void http_ends_it(void **state)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: x\r\n\r\none\n",
        "post /x?one\nHost: x\n\none\n", /* of HTTP 0.9, and in lower case */
        "\r\n\r\nGET * HTTP/2.0\none\n",
        "ONE http://x/ HTTP/1.1\none\n",
        "CONNECT x:1 HTTP/1.1\none\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n",
        "Host: x\none\n",
        "oRiGiN:x\none\n",
        "one HTTP/1.1\none\n",
    };
    struct world *w = *state;

    open_listener(w, &plain);
    w->reply = true;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        int fd = connect_peer(w);
        for (const char *p = requests[i]; *p; p++)
            if (send(fd, p, 1, MSG_NOSIGNAL) == 1 && i % 2)
                loop_once(w->loop, 1);
        expect_silent_end(w, fd);
        close(fd);
        w->n_peers--;
    }
    assert_string_equal(lines(w), "");
    assert_int_equal(foreign(w), ARRAY_SIZE(requests));
}

static void a_unix_socket_beside_it(void **state)
{
    static struct line_server_def local;
    struct world *w = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int second = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/sock", w->dir);
    assert_int_equal(bind(second, (struct sockaddr *)&at, sizeof(at)), 0);
    close(second); /* left over by a process that died */
    local = plain;
    local.socket_key = "ctibus.console.socket";
    open_listener(w, &local);
    assert_int_equal(stat(at.sun_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    connect_peer(w);
    connect_peer(w);
    UNTIL(w->loop, w->opened == 2);
    assert_false(w->line_client->local);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    UNTIL(w->loop, w->opened == 3); /* those of TCP do not take its place */
    assert_true(w->line_client->local);
    assert_memory_equal(w->line_client->peer, "local uid=", 10);
    say(fd, VIEW("one\n"));
    UNTIL(w->loop, strcmp(lines(w), "one|") == 0);
    assert_int_equal(net_bind_path(at.sun_path, 0660), -EADDRINUSE);
    line_server_destroy(&w->server);
    assert_int_equal(stat(at.sun_path, &st), -1);
    close(fd);
}

static void nonsense_is_only_text(void **state)
{
    struct world *w = *state;
    int fd;

    open_listener(w, &plain);
    w->reply = true;
    fd = connect_peer(w);
    say(fd, VIEW("$%&/() : /\377\376\n\n\r\t\r\n?\n\200\n\\n\n"));
    say(fd, VIEW("bye\nnot read any more\n"));
    expect_end(w, fd, "yes\nyes\nyes\nyes\n");
}

static void who_is_not_let_in_is_told_why(void **state)
{
    struct world *w = *state;
    int fd;

    load(w, "[\"10.0.0.0/8\"]");
    open_listener(w, &plain);
    fd = connect_peer(w);
    say(fd, VIEW("help\n")); /* has no effect, and does not break the answer */
    expect_end(w, fd, "is refused: its address is not in ctibus.access.info\n");
    load(w, "[]");
    line_server_reload(w->server, w->cfg);
    expect_end(w, connect_peer(w), "is refused");
    assert_int_equal(w->opened, 0);
    load(w, "[\"::1\", \"127.0.0.1\"]");
    line_server_reload(w->server, w->cfg);
    connect_peer(w);
    UNTIL(w->loop, w->opened == 1);
}

static void there_are_not_too_many(void **state)
{
    struct world *w = *state;
    int first;

    open_listener(w, &plain);
    first = connect_peer(w);
    say(first, VIEW("one\n"));
    say(connect_peer(w), VIEW("two\n"));
    UNTIL(w->loop, buf_len(&w->lines) == 8);
    expect_end(w, connect_peer(w), "2 are connected already\n");
    close(first);
    w->peers[0] = -1;
    UNTIL(w->loop, w->closed == 1);
    connect_peer(w);
    UNTIL(w->loop, w->opened == 3);
}

static void who_has_said_nothing_gives_its_place_to_the_next(void **state)
{
    struct world *w = *state;
    int first, second;

    open_listener(w, &plain);
    first = connect_peer(w);
    UNTIL(w->loop, w->opened == 1);
    second = connect_peer(w);
    UNTIL(w->loop, w->opened == 2);
    say(connect_peer(w), VIEW("three\n"));
    expect_end(w, first, "");
    UNTIL(w->loop, strcmp(lines(w), "three|") == 0);
    say(second, VIEW("two\n"));
    UNTIL(w->loop, strcmp(lines(w), "three|two|") == 0);
    expect_end(w, connect_peer(w), "2 are connected already\n");
}

static void who_is_silent_is_cut_off_unless_it_watches(void **state)
{
    struct world *w = *state;
    static struct line_server_def impatient; /* as long as its door */

    impatient = plain;
    impatient.idle_ms = 1000;
    open_listener(w, &impatient);
    connect_peer(w);
    UNTIL(w->loop, w->opened == 1);
    w->line_client->watching = true;
    expect_end(w, connect_peer(w), "");
    assert_int_equal(w->opened, 2);
    assert_int_equal(w->closed, 1);
}

static void who_does_not_read_is_cut_off(void **state)
{
    struct world *w = *state;

    open_listener(w, &plain);
    w->flood = 4 * LINE_SERVER_MAX_OUTPUT;
    say(connect_peer(w), VIEW("much\n"));
    UNTIL(w->loop, w->closed == 1);
}

/* ---- web interfaces ---- */

static const struct line_server_def *web(void)
{
    static struct line_server_def d;

    d = plain;
    d.whole = whole;
    return &d;
}

static void a_spelled_line_end_counts_for_web_interfaces(void **state)
{
    struct world *w = *state;
    int fd;

    open_listener(w, web());
    w->reply = true;
    fd = connect_peer(w);
    say(fd, VIEW("one\\ntwo\n"));
    expect_end(w, fd, "yes\nyes\n");
    assert_string_equal(lines(w), "one|two|");
}

static void what_can_be_whole_needs_no_end(void **state)
{
    struct world *w = *state;
    int other, fd;

    open_listener(w, web());
    w->reply = true;
    other = connect_peer(w);
    say(other, VIEW("who")); /* first, and waited for longer */
    fd = connect_peer(w);
    say(fd, VIEW("whole"));
    expect_end(w, fd, "yes\n");
    assert_int_equal(strncmp(lines(w), "whole|", 6), 0);
    expect_end(w, other, "yes\n");
    assert_string_equal(lines(w), "whole|who|");
}

static void what_cannot_be_whole_is_waited_for_longer(void **state)
{
    struct world *w = *state;
    uint64_t begin = clock_mono_us();
    int fd;

    open_listener(w, web());
    fd = connect_peer(w);
    say(fd, VIEW("who"));
    run_for(w->loop, 300);
    assert_string_equal(lines(w), "");
    say(fd, VIEW("m"));
    expect_end(w, fd, "");
    assert_true(clock_mono_us() - begin >= 1000000);
    assert_string_equal(lines(w), "whom|");
}

static void an_answer_that_takes_long_is_waited_for(void **state)
{
    struct world *w = *state;
    int fd;

    open_listener(w, web());
    w->hold = true;
    fd = connect_peer(w);
    say(fd, VIEW("whole\n"));
    UNTIL(w->loop, strcmp(lines(w), "whole|") == 0);
    run_for(w->loop, 400);
    assert_int_equal(w->closed, 0);
    line_client_send(w->line_client, VIEW("done\n"));
    line_client_go_on(w->line_client);
    expect_end(w, fd, "done\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(lines_are_the_same_however_they_are_split),
        T(who_sends_its_last_is_still_answered),
        T(held_lines_wait_in_their_order),
        T(a_line_without_end_is_cut_off),
        T(nonsense_is_only_text),
        T(what_is_no_text_ends_it),
        T(http_ends_it),
        T(a_unix_socket_beside_it),
        T(who_is_not_let_in_is_told_why),
        T(there_are_not_too_many),
        T(who_has_said_nothing_gives_its_place_to_the_next),
        T(who_is_silent_is_cut_off_unless_it_watches),
        T(who_does_not_read_is_cut_off),
        T(a_spelled_line_end_counts_for_web_interfaces),
        T(what_can_be_whole_needs_no_end),
        T(what_cannot_be_whole_is_waited_for_longer),
        T(an_answer_that_takes_long_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
