/* WebSockets beneath a connection: lines in, lines out, whatever the socket takes at a time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "net/ws.h"
#include "support/wsframes.h"

#define MESSAGE_MAX 100000
#define OUTPUT_MAX 1000000
#define PING_MS 1000

static int early_looks; /* how many looks at the first byte come just before it does */

/* Stands before that of the C library. */
ssize_t recv(int fd, void *p, size_t n, int flags)
{
    if ((flags & MSG_PEEK) && early_looks > 0) {
        early_looks--;
        errno = EAGAIN;
        return -1;
    }
    return recvfrom(fd, p, n, flags, NULL, NULL);
}

struct world {
    struct loop *loop;
    struct conn_class cls;
    struct conn *c;
    struct buf got, heard; /* lines shown here, bytes that came to the other side */
    int ended, why, far;
    char reason[256];
    bool far_end;
};

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct world *w = owner;
    const char *end = memrchr(in.ptr, '\n', in.len);
    size_t whole = end ? (size_t)(end + 1 - in.ptr) : 0;

    buf_append(&w->got, in.ptr, whole);
    return whole;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct world *w = owner;
    const char *reason = conn_class_reason(&w->cls);

    w->ended++;
    w->why = why;
    w->c = NULL;
    snprintf(w->reason, sizeof(w->reason), "%s", reason ? reason : "");
}

static const struct conn_handler handler = {on_data, on_closed, NULL};
static const struct ws_options options = {
    .path = "/cti", .max_message = MESSAGE_MAX, .ping_ms = PING_MS};

static int setup(void **state)
{
    static struct world w;
    int scratch = 4096;
    int fds[2];

    w = (struct world){.loop = loop_new()};
    assert_int_equal(conn_class_init(&w.cls, w.loop, &handler, 2 * MESSAGE_MAX, OUTPUT_MAX), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &scratch, sizeof(scratch));
    buf_init(&w.got, 0);
    buf_init(&w.heard, 0);
    w.far = fds[1];
    w.c = conn_new_ws(&w.cls, fds[0], &w, &options);
    assert_non_null(w.c);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    conn_close(&w->c);
    conn_class_fini(&w->cls);
    loop_destroy(&w->loop);
    buf_free(&w->got);
    buf_free(&w->heard);
    if (w->far >= 0)
        close(w->far);
    return 0;
}

static void turns(struct world *w, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(loop_once(w->loop, 0), 0);
}

/* The other side reads at most n bytes. */
static void hear(struct world *w, size_t n)
{
    char *scratch = buf_reserve(&w->heard, n);
    ssize_t got = recv(w->far, scratch, n, MSG_DONTWAIT);

    if (got > 0)
        buf_commit(&w->heard, (size_t)got);
    w->far_end = got == 0;
}

#define REACH(w, cond)                                                                             \
    do {                                                                                           \
        uint64_t end_ = clock_mono_us() + 30000000;                                                \
        while (!(cond) && clock_mono_us() < end_) {                                                \
            assert_int_equal(loop_once((w)->loop, 0), 0);                                          \
            hear(w, 5000);                                                                         \
        }                                                                                          \
        assert_true(cond);                                                                         \
    } while (0)

static void say(struct world *w, struct view v)
{
    while (v.len > 0) {
        ssize_t n = send(w->far, v.ptr, v.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            v = view_of(v.ptr + n, v.len - (size_t)n);
        turns(w, 1);
    }
}

static void say_frame(struct world *w, int opcode, bool fin, struct view payload)
{
    struct buf frame;

    buf_init(&frame, 0);
    wsf_put(&frame, opcode, fin, payload);
    say(w, buf_view(&frame));
    buf_free(&frame);
}

static void open_it(struct world *w)
{
    say(w, VIEW(WSF_REQUEST));
    REACH(w, buf_len(&w->heard) > 0 && view_find(buf_view(&w->heard), VIEW("\r\n\r\n")) > 0);
    assert_true(view_starts(buf_view(&w->heard), VIEW("HTTP/1.1 101 ")));
}

static struct wsf_said said(struct world *w)
{
    struct wsf_said s;

    wsf_read(buf_view(&w->heard), &s);
    assert_false(s.bad);
    return s;
}

/* What the other side has been told, as lines. */
static size_t lines_heard(struct world *w)
{
    struct wsf_said s = said(w);
    size_t n = buf_len(&s.text);

    buf_free(&s.text);
    return n;
}

/* A line of n bytes with its line feed, different in each place. */
static struct view make_line(struct buf *b, size_t n)
{
    size_t before = buf_len(b);

    for (size_t i = 1; i < n; i++)
        buf_append_char(b, (char)('a' + (i * 7 + n) % 26));
    buf_append_char(b, '\n');
    return view_of(buf_data(b) + before, n);
}

static void messages_are_lines(void **state)
{
    struct world *w = *state;

    open_it(w);
    say_frame(w, WSF_TEXT, true, VIEW("{\"a\":1}"));
    say_frame(w, WSF_TEXT, false, VIEW("{\n\"b\""));
    say_frame(w, WSF_PING, true, VIEW("?"));
    say_frame(w, 0, true, VIEW(":\xc3\xa9}\n"));
    say_frame(w, WSF_TEXT, true, VIEW(""));
    REACH(w, buf_len(&w->got) == 20);
    assert_string_equal(buf_cstr(&w->got), "{\"a\":1}\n{ \"b\":\xc3\xa9} \n\n");
}

static void lines_are_messages_of_any_size(void **state)
{
    static const size_t sizes[] = {1,     2,     126,    127,    65535,  65536, 65537,
                                   65538, 70000, 131072, 131073, 131074, 200000};
    struct world *w = *state;
    struct wsf_said s;
    struct buf all;

    buf_init(&all, 0);
    open_it(w);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        size_t before = buf_len(&all);
        make_line(&all, sizes[i]);
        if (i % 2)
            assert_int_equal(
                conn_send(w->c, view_of(buf_data(&all) + before, buf_len(&all) - before)), 0);
        else /* in two parts */
            for (int half = 0; half < 2; half++) {
                size_t cut = sizes[i] / 2;
                struct view v = half ? view_of(buf_data(&all) + before + cut, sizes[i] - cut)
                                     : view_of(buf_data(&all) + before, cut);
                assert_int_equal(conn_send(w->c, v), 0);
            }
    }
    REACH(w, lines_heard(w) == buf_len(&all));
    s = said(w);
    assert_true(view_eq(buf_view(&s.text), buf_view(&all)));
    assert_false(s.unclean);
    buf_free(&s.text);
    buf_free(&all);
}

/* While output is stuck, pings come: each is answered, between the frames. */
static void pongs_stand_between_frames(void **state)
{
    struct world *w = *state;
    struct wsf_said s;
    struct buf all;

    buf_init(&all, 0);
    open_it(w);
    for (int i = 0; i < 100; i++) {
        make_line(&all, 3000);
        conn_send(w->c, view_of(buf_data(&all) + (size_t)i * 3000, 3000));
        if (i % 10 == 5)
            say_frame(w, WSF_PING, true, VIEW("hello"));
    }
    assert_true(conn_output_len(w->c) > 0);
    REACH(w, lines_heard(w) == 300000);
    s = said(w);
    assert_int_equal(s.pongs, 10);
    assert_true(view_eq(buf_view(&s.text), buf_view(&all)));
    buf_free(&s.text);
    buf_free(&all);
}

/* While lines are stuck the other side may still be heard: it may have asked for all of them. */
static void who_does_not_read_yet_is_heard(void **state)
{
    struct world *w = *state;
    struct buf line;

    buf_init(&line, 0);
    open_it(w);
    conn_send(w->c, make_line(&line, 300000));
    turns(w, 10);
    say_frame(w, WSF_TEXT, true, VIEW("more"));
    turns(w, 10);
    assert_int_equal(buf_len(&w->got), 5);
    buf_free(&line);
}

static void what_waits_is_bounded(void **state)
{
    struct world *w = *state;
    struct buf line;
    int rc = 0;

    buf_init(&line, 0);
    make_line(&line, 10000);
    open_it(w);
    for (int i = 0; i < 1000 && rc == 0; i++) {
        rc = conn_send(w->c, buf_view(&line));
        turns(w, 1);
    }
    assert_int_equal(rc, -ENOBUFS);
    turns(w, 2);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->why, CONN_OUTPUT_LIMIT);
    buf_free(&line);
}

/* Pings without reading: not more is read than answered, and nothing turns meanwhile. */
static void a_flood_of_pings_stops_itself(void **state)
{
    struct world *w = *state;
    struct buf flood;
    uint64_t before;
    size_t sent = 0;
    ssize_t n = 1;
    int idle = 0;

    buf_init(&flood, 0);
    for (int i = 0; i < 100; i++)
        wsf_put(&flood, WSF_PING, true, VIEW("0123456789012345678901234567890123456789"));
    open_it(w);
    while (idle < 100) {
        size_t at = sent % buf_len(&flood);
        n = send(w->far, buf_data(&flood) + at, buf_len(&flood) - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        turns(w, 1);
        assert_true(sent < 4000000);
    }
    before = clock_mono_us();
    loop_once(w->loop, 200);
    assert_true(clock_mono_us() - before > 150000);
    assert_int_equal(w->ended, 0);
    buf_free(&flood);
}

static void closing_softly_delivers_all_and_says_so(void **state)
{
    struct world *w = *state;
    struct wsf_said s;
    struct buf line;

    buf_init(&line, 0);
    open_it(w);
    conn_send(w->c, make_line(&line, 250000));
    conn_close_after_flush(&w->c);
    say_frame(w, WSF_TEXT, true, VIEW("nobody hears this"));
    REACH(w, w->far_end);
    s = said(w);
    assert_true(view_eq(buf_view(&s.text), buf_view(&line)));
    assert_int_equal(s.closed, 1000);
    assert_int_equal(buf_len(&w->got), 0);
    buf_free(&s.text);
    buf_free(&line);
}

static void closing_before_it_is_open_says_nothing(void **state)
{
    struct world *w = *state;

    say(w, VIEW("GET /cti HTTP/1.1\r\n"));
    conn_close_after_flush(&w->c);
    REACH(w, w->far_end);
    assert_int_equal(buf_len(&w->heard), 0);
}

static void who_closes_is_answered(void **state)
{
    struct world *w = *state;
    struct wsf_said s;

    open_it(w);
    say_frame(w, WSF_TEXT, true, VIEW("last"));
    say_frame(w, WSF_CLOSE, true, VIEW("\x03\xe9"));
    REACH(w, w->ended);
    assert_int_equal(w->why, CONN_EOF);
    assert_string_equal(w->reason, "");
    assert_string_equal(buf_cstr(&w->got), "last\n");
    REACH(w, w->far_end);
    s = said(w);
    assert_int_equal(s.closed, 1001);
    buf_free(&s.text);
}

/* The owner learns of it by the next tick, the other side at once; what it still sends is nothing.
 */
static void who_breaks_a_rule_is_told_and_not_heard(void **state)
{
    struct world *w = *state;
    struct wsf_said s;

    open_it(w);
    assert_null(conn_ws_tick(w->c, clock_mono_us()));
    say_frame(w, WSF_TEXT, true, VIEW("good"));
    say_frame(w, WSF_TEXT, true, VIEW("bad\xff"));
    say_frame(w, WSF_TEXT, true, VIEW("never"));
    REACH(w, conn_ws_tick(w->c, clock_mono_us()) != NULL);
    assert_string_equal(conn_ws_tick(w->c, 0), "WebSocket closed with status 1007");
    conn_send(w->c, VIEW("not sent\n"));
    conn_close_after_flush(&w->c);
    REACH(w, w->far_end);
    s = said(w);
    assert_int_equal(s.closed, 1007);
    assert_int_equal(buf_len(&s.text), 0);
    assert_string_equal(buf_cstr(&w->got), "good\n");
    buf_free(&s.text);
}

static void a_refused_request_is_told(void **state)
{
    struct world *w = *state;

    say(w, VIEW("GET /other HTTP/1.1\r\nHost: h\r\n\r\n"));
    REACH(w, conn_ws_tick(w->c, clock_mono_us()) != NULL);
    assert_string_equal(conn_ws_tick(w->c, 0), "WebSocket refused with HTTP status 404");
    conn_close_after_flush(&w->c);
    REACH(w, w->far_end);
    assert_true(view_starts(buf_view(&w->heard), VIEW("HTTP/1.1 404 ")));
}

static void silence_is_broken_or_ends_it(void **state)
{
    struct world *w = *state;
    uint64_t now;
    struct wsf_said s;

    open_it(w);
    now = clock_mono_us();
    assert_null(conn_ws_tick(w->c, now + PING_MS * 500));
    assert_null(conn_ws_tick(w->c, now + PING_MS * 1001)); /* asks */
    assert_null(conn_ws_tick(w->c, now + PING_MS * 1900)); /* only once */
    REACH(w, (s = said(w), buf_free(&s.text), s.pings) == 1);
    say_frame(w, WSF_PONG, true, VIEW(""));
    turns(w, 3);
    assert_null(conn_ws_tick(w->c, now + PING_MS * 2100)); /* asks again */
    assert_null(conn_ws_tick(w->c, now + PING_MS * 3000));
    assert_string_equal(conn_ws_tick(w->c, now + PING_MS * 3200),
                        "WebSocket without a sign of life");
}

/* A first byte that comes between the look at it and the read belongs to TLS all the same. */
static void the_first_byte_is_looked_at_before_it_is_read(void **state)
{
    struct world *w = *state;
    static const char hello[] = "\x16\x03\x01\x00\x05hello";

    early_looks = 1;
    assert_int_equal(send(w->far, hello, sizeof(hello) - 1, 0), sizeof(hello) - 1);
    REACH(w, w->ended);
    assert_int_equal(early_looks, 0);
    assert_string_equal(w->reason, "speaks TLS, for which there is no certificate");
}

static void other_connections_do_not_tick(void **state)
{
    struct world *w = *state;
    struct conn *plain;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    plain = conn_new(&w->cls, fds[0], w);
    assert_null(conn_ws_tick(plain, UINT64_MAX));
    conn_close(&plain);
    close(fds[1]);
}

static void a_peer_that_is_gone_raises_no_signal(void **state)
{
    struct world *w = *state;
    struct buf line;

    buf_init(&line, 0);
    open_it(w);
    close(w->far);
    w->far = -1;
    conn_send(w->c, make_line(&line, 100));
    turns(w, 5);
    assert_int_equal(w->ended, 1);
    buf_free(&line);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(messages_are_lines),
        T(lines_are_messages_of_any_size),
        T(pongs_stand_between_frames),
        T(who_does_not_read_yet_is_heard),
        T(what_waits_is_bounded),
        T(a_flood_of_pings_stops_itself),
        T(closing_softly_delivers_all_and_says_so),
        T(closing_before_it_is_open_says_nothing),
        T(who_closes_is_answered),
        T(who_breaks_a_rule_is_told_and_not_heard),
        T(a_refused_request_is_told),
        T(silence_is_broken_or_ends_it),
        T(the_first_byte_is_looked_at_before_it_is_read),
        T(other_connections_do_not_tick),
        T(a_peer_that_is_gone_raises_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
