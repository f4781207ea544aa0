#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "net/conn.h"

#define MAX_INPUT 20000
#define MAX_OUTPUT 100000

/* What happened to one connection, and what is to happen in its callbacks. */
struct side {
    struct conn *c;
    struct buf got;
    int lines, calls, ended, drained;
    int why;
    bool close_on_line, close_softly, reply, hold, pauses;
    struct conn **victim; /* closed in data() */
    struct conn_class *finish;
};

struct world {
    struct loop *loop;
    struct conn_class cls;
    struct side a;
    struct side b;
    int peer; /* the far end of a's socket */
};

/* Takes whole lines only. */
static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct side *s = owner;
    size_t used = 0;

    s->calls++;
    if (s->pauses)
        conn_pause(c);
    while (!s->hold && !s->pauses) {
        const char *end = memchr(in.ptr + used, '\n', in.len - used);
        struct view line;
        if (!end)
            break;
        line = view_of(in.ptr + used, (size_t)(end + 1 - in.ptr) - used);
        used += line.len;
        s->lines++;
        buf_append_view(&s->got, line);
        if (s->reply)
            conn_send(c, line);
        if (s->victim)
            conn_close(s->victim);
        if (s->close_softly)
            conn_close_after_flush(&s->c);
        if (s->close_on_line)
            conn_close(&s->c);
        buf_append_view(&s->got, view_of(line.ptr, 0)); /* the input must outlive the connection */
        if (!s->c)
            break;
    }
    return used;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct side *s = owner;

    assert_ptr_equal(c, s->c);
    s->ended++;
    s->why = why;
    s->c = NULL;
    if (s->finish)
        conn_class_fini(s->finish);
}

static void on_drained(void *owner, struct conn *c)
{
    struct side *s = owner;

    s->drained++;
    if (s->close_on_line)
        conn_close(&s->c);
}

static const struct conn_handler handler = {on_data, on_closed, on_drained};

static void nonblocking_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static int setup(void **state)
{
    static struct world w;
    int fds[2];

    w = (struct world){.loop = loop_new()};
    assert_int_equal(conn_class_init(&w.cls, w.loop, &handler, MAX_INPUT, MAX_OUTPUT), 0);
    buf_init(&w.a.got, 0);
    buf_init(&w.b.got, 0);
    nonblocking_pair(fds);
    w.peer = fds[1];
    w.a.c = conn_new(&w.cls, fds[0], &w.a);
    assert_non_null(w.a.c);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    conn_close(&w->a.c);
    conn_close(&w->b.c);
    conn_class_fini(&w->cls);
    loop_destroy(&w->loop);
    buf_free(&w->a.got);
    buf_free(&w->b.got);
    if (w->peer >= 0)
        close(w->peer);
    return 0;
}

static void say(struct world *w, struct view v)
{
    assert_int_equal(write(w->peer, v.ptr, v.len), v.len);
}

static void turns(struct world *w, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(loop_once(w->loop, 0), 0);
}

/* All that the peer can read now. */
static size_t hear(struct world *w, char *p, size_t n)
{
    size_t have = 0;
    ssize_t got;

    while (have < n && (got = read(w->peer, p + have, n - have)) > 0)
        have += (size_t)got;
    return have;
}

static void test_whole_and_partial_lines(void **state)
{
    struct world *w = *state;

    say(w, VIEW("one\ntwo\nth"));
    turns(w, 1);
    assert_int_equal(w->a.lines, 2);
    say(w, VIEW("ree\n"));
    turns(w, 1);
    assert_int_equal(w->a.lines, 3);
    assert_string_equal(buf_cstr(&w->a.got), "one\ntwo\nthree\n");
    assert_int_equal(w->cls.bytes_in, 14);
}

static void test_one_byte_at_a_time(void **state)
{
    struct world *w = *state;
    const char *text = "hello\nworld\n";

    for (const char *p = text; *p; p++) {
        say(w, view_of(p, 1));
        turns(w, 1);
    }
    assert_int_equal(w->a.lines, 2);
    assert_string_equal(buf_cstr(&w->a.got), text);
}

/* A line near the limit in pieces of every size: both ways of keeping unfinished input. */
static void test_long_line_in_pieces(void **state)
{
    struct world *w = *state;
    char line[MAX_INPUT];

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (size_t piece = 1; piece < sizeof(line); piece = piece * 3 + 7) {
        for (size_t at = 0; at < sizeof(line); at += piece) {
            size_t n = sizeof(line) - at < piece ? sizeof(line) - at : piece;
            say(w, view_of(line + at, n));
            if (piece > 10 || at % 64 == 0)
                turns(w, 1);
        }
        turns(w, 2);
        assert_non_null(w->a.c);
        assert_int_equal(w->a.lines, 1);
        assert_int_equal(buf_len(&w->a.got), sizeof(line));
        assert_memory_equal(buf_data(&w->a.got), line, sizeof(line));
        buf_reset(&w->a.got);
        w->a.lines = 0;
    }
}

static void test_input_limit(void **state)
{
    struct world *w = *state;
    char line[MAX_INPUT + 1];

    memset(line, 'x', sizeof(line));
    say(w, view_of(line, MAX_INPUT));
    turns(w, 2);
    assert_non_null(w->a.c);
    say(w, view_of(line, 1));
    turns(w, 2);
    assert_null(w->a.c);
    assert_int_equal(w->a.ended, 1);
    assert_int_equal(w->a.why, CONN_INPUT_LIMIT);
}

/* It has left whole messages, which are not what the limit is for. */
static void test_who_pauses_may_leave_more(void **state)
{
    struct world *w = *state;
    char lines[MAX_INPUT + 2];

    for (size_t i = 0; i < sizeof(lines); i++)
        lines[i] = i % 2 ? '\n' : 'x';
    w->a.pauses = true;
    say(w, view_of(lines, sizeof(lines)));
    turns(w, 3);
    assert_non_null(w->a.c);
    assert_int_equal(w->a.lines, 0);
    w->a.pauses = false;
    conn_resume(w->a.c);
    turns(w, 2);
    assert_int_equal(w->a.lines, sizeof(lines) / 2);
}

static void test_eof(void **state)
{
    struct world *w = *state;

    say(w, VIEW("last\npart"));
    close(w->peer);
    w->peer = -1;
    turns(w, 3);
    assert_int_equal(w->a.lines, 1);
    assert_int_equal(w->a.ended, 1);
    assert_int_equal(w->a.why, CONN_EOF);
}

static void test_answer_before_eof(void **state)
{
    struct world *w = *state;
    char got[64];

    w->a.reply = true;
    say(w, VIEW("question\n"));
    shutdown(w->peer, SHUT_WR);
    turns(w, 3);
    assert_int_equal(w->a.why, CONN_EOF);
    assert_int_equal(hear(w, got, sizeof(got)), 9);
}

static void on_eof(void *owner, struct conn *c)
{
    struct side *s = owner;

    s->drained += 100;
    if (s->close_on_line)
        conn_close(&s->c);
}

static void test_eof_that_is_not_the_end(void **state)
{
    struct world *w = *state;
    char text[16];

    w->cls.eof = on_eof;
    say(w, VIEW("one\nrest"));
    shutdown(w->peer, SHUT_WR);
    turns(w, 3);
    assert_int_equal(w->a.lines, 1);
    assert_int_equal(w->a.drained, 100);
    assert_int_equal(w->a.ended, 0);
    conn_pause(w->a.c);
    conn_resume(w->a.c);
    turns(w, 3);
    assert_int_equal(w->a.drained, 100);
    conn_send(w->a.c, VIEW("answer"));
    conn_close_after_flush(&w->a.c);
    turns(w, 3);
    assert_int_equal(hear(w, text, sizeof(text)), 6);
    assert_int_equal(read(w->peer, text, 1), 0);
    assert_int_equal(w->a.ended, 0);
}

static void test_close_in_eof(void **state)
{
    struct world *w = *state;

    w->cls.eof = on_eof;
    shutdown(w->peer, SHUT_WR);
    w->a.close_on_line = true;
    turns(w, 2);
    assert_null(w->a.c);
    assert_int_equal(w->a.ended, 0);
}

static void test_sends_of_a_turn_leave_together(void **state)
{
    struct world *w = *state;
    char got[64];

    for (int i = 0; i < 10; i++)
        assert_int_equal(conn_send(w->a.c, VIEW("ab")), 0);
    assert_int_equal(conn_output_len(w->a.c), 20);
    assert_int_equal(hear(w, got, sizeof(got)), 0);
    turns(w, 1);
    assert_int_equal(hear(w, got, sizeof(got)), 20);
    assert_memory_equal(got, "abababababababababab", 20);
    assert_int_equal(conn_output_len(w->a.c), 0);
    assert_int_equal(w->a.drained, 1);
    assert_int_equal(w->cls.bytes_out, 20);
}

static void test_order_of_copies_and_shared(void **state)
{
    struct world *w = *state;
    struct shared *s = shared_new(VIEW("[shared]"));
    struct buf expected;
    char got[8192];

    buf_init(&expected, 0);
    for (int i = 0; i < 300; i++) {
        char text[16];
        int n = snprintf(text, sizeof(text), "%d,", i);
        assert_int_equal(conn_send(w->a.c, view_of(text, (size_t)n)), 0);
        buf_append(&expected, text, (size_t)n);
        if (i % 3 == 0) {
            assert_int_equal(conn_send_shared(w->a.c, s), 0);
            buf_append_cstr(&expected, "[shared]");
        }
    }
    assert_int_equal(s->refs, 101);
    turns(w, 1);
    assert_int_equal(s->refs, 1);
    shared_unref(s);
    assert_int_equal(hear(w, got, sizeof(got)), buf_len(&expected));
    assert_memory_equal(got, buf_data(&expected), buf_len(&expected));
    buf_free(&expected);
}

#define FANOUT 200
static void test_shared_fan_out(void **state)
{
    struct world *w = *state;
    static struct side sides[FANOUT];
    int peers[FANOUT];
    struct shared *s = shared_new(VIEW("to all\n"));

    for (int i = 0; i < FANOUT; i++) {
        int fds[2];
        nonblocking_pair(fds);
        peers[i] = fds[1];
        sides[i] = (struct side){.c = conn_new(&w->cls, fds[0], &sides[i])};
        assert_int_equal(conn_send_shared(sides[i].c, s), 0);
    }
    assert_int_equal(s->refs, FANOUT + 1);
    turns(w, 1);
    assert_int_equal(s->refs, 1);
    shared_unref(s);
    for (int i = 0; i < FANOUT; i++) {
        char got[16];
        assert_int_equal(read(peers[i], got, sizeof(got)), 7);
        close(peers[i]);
        conn_close(&sides[i].c);
    }
}

/* What a slow peer leaves lying waits, in order, and is bounded. */
static void test_backpressure(void **state)
{
    struct world *w = *state;
    char block[1000];
    char *got = malloc(1 << 20);
    size_t sent = 0;
    size_t have = 0;

    while (sent < 300000 && conn_output_len(w->a.c) < 50000) {
        memset(block, (int)('a' + sent / 1000 % 26), sizeof(block));
        assert_int_equal(conn_send(w->a.c, view_of(block, sizeof(block))), 0);
        sent += sizeof(block);
        turns(w, 1);
    }
    assert_true(conn_output_len(w->a.c) >= 50000); /* the socket is full */
    assert_int_equal(w->a.ended, 0);
    w->a.drained = 0;
    for (int i = 0; i < 100 && have < sent; i++) {
        have += hear(w, got + have, 30000);
        turns(w, 1);
    }
    assert_int_equal(have, sent);
    for (size_t i = 0; i < sent; i++)
        assert_int_equal(got[i], 'a' + i / 1000 % 26);
    assert_int_equal(w->a.drained, 1);
    free(got);
}

static void test_output_limit(void **state)
{
    struct world *w = *state;
    struct shared *s = shared_new(VIEW("0123456789012345678901234567890123456789"));
    int rc = 0;

    for (int i = 0; i < 100000 && rc == 0; i++) {
        rc = conn_send_shared(w->a.c, s);
        assert_true(conn_output_len(w->a.c) <= MAX_OUTPUT);
    }
    assert_int_equal(rc, -ENOBUFS);
    assert_int_equal(w->a.ended, 0); /* never from inside conn_send */
    assert_int_equal(conn_send(w->a.c, VIEW("x")), -ENOBUFS);
    turns(w, 1);
    assert_int_equal(w->a.ended, 1);
    assert_int_equal(w->a.why, CONN_OUTPUT_LIMIT);
    assert_int_equal(s->refs, 1);
    shared_unref(s);
}

/* The limit is for what the peer does not take, not for what is said in one turn. */
static void test_much_output_to_a_fast_reader(void **state)
{
    struct world *w = *state;
    char block[5000] = {0};
    char got[5000];
    size_t have = 0;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(conn_send(w->a.c, view_of(block, sizeof(block))), 0);
        have += hear(w, got, sizeof(got));
    }
    for (int i = 0; i < 500 && have < 100 * sizeof(block); i++) {
        turns(w, 1);
        have += hear(w, got, sizeof(got));
    }
    assert_int_equal(have, 100 * sizeof(block));
    assert_int_equal(w->a.ended, 0);
}

static void test_close_in_data(void **state)
{
    struct world *w = *state;

    w->a.close_on_line = true;
    say(w, VIEW("one\ntwo\n"));
    turns(w, 3);
    assert_null(w->a.c);
    assert_int_equal(w->a.lines, 1);
    assert_int_equal(w->a.ended, 0);
    assert_string_equal(buf_cstr(&w->a.got), "one\n");
}

static void test_close_in_data_of_a_long_line(void **state)
{
    struct world *w = *state;
    char line[10000];

    w->a.close_on_line = true;
    memset(line, 'x', sizeof(line));
    say(w, view_of(line, sizeof(line)));
    turns(w, 1);
    say(w, VIEW("\nmore\n"));
    turns(w, 2);
    assert_null(w->a.c);
    assert_int_equal(w->a.lines, 1);
}

static void test_close_in_drained(void **state)
{
    struct world *w = *state;

    conn_send(w->a.c, VIEW("x"));
    w->a.close_on_line = true;
    turns(w, 2);
    assert_null(w->a.c);
    assert_int_equal(w->a.drained, 1);
}

static void test_close_another_in_data(void **state)
{
    struct world *w = *state;
    int fds[2];

    nonblocking_pair(fds);
    w->b.c = conn_new(&w->cls, fds[0], &w->b);
    assert_int_equal(write(fds[1], "for b\n", 6), 6);
    say(w, VIEW("for a\n"));
    conn_send(w->b.c, VIEW("waits"));
    w->a.victim = &w->b.c;
    w->b.victim = &w->a.c;
    turns(w, 3);
    assert_int_equal(w->a.lines + w->b.lines, 1); /* the one that came first */
    assert_int_equal(w->a.ended + w->b.ended, 0);
    assert_true(!w->a.c || !w->b.c);
    close(fds[1]);
}

static void test_finish_class_in_closed(void **state)
{
    struct world *w = *state;

    w->a.finish = &w->cls;
    close(w->peer);
    w->peer = -1;
    turns(w, 2);
    assert_int_equal(w->a.ended, 1);
    assert_null(w->cls.flush);
}

static void test_close_after_flush(void **state)
{
    struct world *w = *state;
    char got[64];

    w->a.close_softly = true;
    w->a.reply = true;
    say(w, VIEW("bye\nignored\n"));
    turns(w, 2);
    assert_null(w->a.c);
    say(w, VIEW("ignored, too\n"));
    turns(w, 2);
    assert_int_equal(w->a.lines, 1);
    assert_int_equal(hear(w, got, sizeof(got)), 4);
    assert_int_equal(read(w->peer, got, 1), 0); /* its half is closed */
    shutdown(w->peer, SHUT_WR);
    turns(w, 2);
    assert_int_equal(write(w->peer, "x", 1), -1); /* all of it */
    assert_int_equal(w->a.ended, 0);
}

/* The output of a closing connection goes on after the peer has said all. */
/* Our half ends behind what was sent; what the peer says to it is still heard. */
static void test_finish(void **state)
{
    struct world *w = *state;
    char said[16];

    conn_send(w->a.c, VIEW("bye\n"));
    conn_finish(w->a.c);
    assert_int_equal(conn_send(w->a.c, VIEW("more\n")), -ENOBUFS);
    turns(w, 2);
    assert_int_equal(read(w->peer, said, sizeof(said)), 4);
    assert_int_equal(read(w->peer, said, sizeof(said)), 0);
    say(w, VIEW("200 result=1\n"));
    turns(w, 2);
    assert_int_equal(w->a.lines, 1);
    assert_int_equal(w->a.ended, 0);
    close(w->peer);
    w->peer = -1;
    turns(w, 2);
    assert_int_equal(w->a.why, CONN_EOF);
}

static void test_finish_with_nothing_to_say(void **state)
{
    struct world *w = *state;
    char said;

    conn_finish(w->a.c);
    turns(w, 2);
    assert_int_equal(read(w->peer, &said, 1), 0);
    assert_int_equal(w->a.ended, 0);
}

static void test_close_after_flush_to_a_half_closed_peer(void **state)
{
    struct world *w = *state;
    char *block = calloc(1, MAX_OUTPUT);
    size_t sent = 0;
    size_t have = 0;

    for (int i = 0; i < 20 && conn_output_len(w->a.c) < 10000; i++) {
        assert_int_equal(conn_send(w->a.c, view_of(block, 50000)), 0);
        sent += 50000;
        turns(w, 1);
    }
    conn_close_after_flush(&w->a.c);
    shutdown(w->peer, SHUT_WR);
    for (int i = 0; i < 100 && have < sent; i++) {
        have += hear(w, block, MAX_OUTPUT);
        turns(w, 1);
    }
    assert_int_equal(have, sent);
    assert_int_equal(read(w->peer, block, 1), 0);
    free(block);
}

static void test_close_after_flush_does_not_wait_for_ever(void **state)
{
    struct world *w = *state;
    uint64_t before = clock_mono_us();
    char c;

    conn_close_after_flush(&w->a.c);
    while (write(w->peer, "noise\n", 6) > 0) {
        loop_once(w->loop, 10);
        assert_true(clock_mono_us() - before < 15000000);
    }
    assert_true(clock_mono_us() - before >= 1900000);
    assert_int_equal(read(w->peer, &c, 1), 0);
}

static void test_pause_and_resume(void **state)
{
    struct world *w = *state;

    conn_pause(w->a.c);
    say(w, VIEW("one\n"));
    turns(w, 2);
    assert_int_equal(w->a.calls, 0);
    conn_resume(w->a.c);
    turns(w, 2);
    assert_int_equal(w->a.lines, 1);
}

/* What the owner had left when it paused comes again, without anything new from the peer. */
static void test_resume_shows_what_was_left(void **state)
{
    struct world *w = *state;

    w->a.hold = true;
    conn_pause(w->a.c);
    conn_resume(w->a.c);
    turns(w, 1);
    say(w, VIEW("one\ntwo\n"));
    turns(w, 1);
    assert_int_equal(w->a.lines, 0);
    conn_pause(w->a.c);
    w->a.hold = false;
    turns(w, 2);
    assert_int_equal(w->a.lines, 0);
    conn_resume(w->a.c);
    turns(w, 1);
    assert_int_equal(w->a.lines, 2);
}

struct fake {
    int reads, destroyed;
};

/* Holds input of which the socket knows nothing, as TLS does. */
static ssize_t fake_read(void *state, int fd, void *p, size_t n)
{
    struct fake *f = state;

    if (f->reads == 0) {
        errno = EAGAIN;
        return -1;
    }
    f->reads--;
    memcpy(p, "fake\n", 5);
    return 5;
}

static ssize_t fake_writev(void *state, int fd, const struct iovec *iov, int n)
{
    return write(fd, iov[0].iov_base, 1); /* never more than a byte */
}

static void fake_destroy(void *state)
{
    ((struct fake *)state)->destroyed++;
}

static void test_transport(void **state)
{
    static const struct conn_transport t = {fake_read, fake_writev, fake_destroy, NULL, NULL};
    struct world *w = *state;
    struct fake f = {.reads = 50};
    char got[64];

    conn_set_transport(w->a.c, &t, &f);
    say(w, VIEW("!"));
    conn_send(w->a.c, VIEW("byte by byte"));
    turns(w, 1);
    assert_true(w->a.lines > 0 && w->a.lines < 50); /* fair */
    turns(w, 30);
    assert_int_equal(w->a.lines, 50);
    assert_int_equal(hear(w, got, sizeof(got)), 12);
    assert_memory_equal(got, "byte by byte", 12);
    conn_close(&w->a.c);
    assert_int_equal(f.destroyed, 1);
}

static void accept_b(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct world *w = arg;

    assert_int_equal(peer->sa_family, AF_INET);
    w->b.c = conn_new(&w->cls, fd, &w->b);
}

static void test_tcp(void **state)
{
    struct world *w = *state;
    struct side far = {.reply = false};
    struct listener *ls;
    int err;
    int fd;

    ls = listener_new(w->loop, "127.0.0.1:0", accept_b, w, &err);
    assert_non_null(ls);
    assert_int_not_equal(listener_port(ls), 0);
    fd = net_connect("127.0.0.1", listener_port(ls));
    assert_true(fd >= 0);
    buf_init(&far.got, 0);
    far.c = conn_new(&w->cls, fd, &far);
    w->b.reply = true;
    assert_int_equal(conn_send(far.c, VIEW("over TCP\n")), 0); /* while it connects */
    for (int i = 0; i < 100 && far.lines == 0; i++)
        loop_once(w->loop, 100);
    assert_string_equal(buf_cstr(&far.got), "over TCP\n");
    conn_close(&far.c);
    for (int i = 0; i < 100 && w->b.ended == 0; i++)
        loop_once(w->loop, 100);
    assert_int_equal(w->b.why, CONN_EOF);
    buf_free(&far.got);
    listener_destroy(&ls);
}

static struct listener *in_callback;
static void accept_and_destroy(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    close(fd);
    listener_destroy(&in_callback);
}

static void test_destroy_listener_in_accept(void **state)
{
    struct world *w = *state;
    int err;
    int fd;

    in_callback = listener_new(w->loop, "127.0.0.1:0", accept_and_destroy, w, &err);
    fd = net_connect("127.0.0.1", listener_port(in_callback));
    for (int i = 0; i < 100 && in_callback; i++)
        loop_once(w->loop, 100);
    assert_null(in_callback);
    close(fd);
}

static void test_refused(void **state)
{
    struct world *w = *state;
    struct listener *ls;
    uint16_t port;
    int err;
    int fd;

    ls = listener_new(w->loop, "127.0.0.1:0", accept_b, w, &err);
    port = listener_port(ls);
    listener_destroy(&ls); /* now nobody listens there */
    fd = net_connect("127.0.0.1", port);
    if (fd < 0) {
        assert_int_equal(fd, -ECONNREFUSED);
        return;
    }
    w->b.c = conn_new(&w->cls, fd, &w->b);
    conn_send(w->b.c, VIEW("nobody reads this"));
    for (int i = 0; i < 100 && w->b.ended == 0; i++)
        loop_once(w->loop, 100);
    assert_int_equal(w->b.ended, 1);
    assert_int_equal(w->b.why, ECONNREFUSED);
}

static void test_bad_addresses(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"",      "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000",
                                      "[::1]", "[::1:80",   "::1:80"};
    struct listener *ls;
    int err;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_null(listener_new(w->loop, bad[i], accept_b, w, &err));
        assert_int_equal(err, -EINVAL);
    }
    assert_null(listener_new(w->loop, "192.0.2.1:0", accept_b, w, &err));
    assert_int_equal(err, -EADDRNOTAVAIL);
    ls = listener_new(w->loop, "*:0", accept_b, w, &err);
    assert_non_null(ls);
    listener_destroy(&ls);
    assert_int_equal(net_connect("localhost", 80), -EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_whole_and_partial_lines),
        T(test_one_byte_at_a_time),
        T(test_long_line_in_pieces),
        T(test_input_limit),
        T(test_who_pauses_may_leave_more),
        T(test_eof),
        T(test_answer_before_eof),
        T(test_eof_that_is_not_the_end),
        T(test_close_in_eof),
        T(test_sends_of_a_turn_leave_together),
        T(test_order_of_copies_and_shared),
        T(test_shared_fan_out),
        T(test_backpressure),
        T(test_output_limit),
        T(test_much_output_to_a_fast_reader),
        T(test_close_in_data),
        T(test_close_in_data_of_a_long_line),
        T(test_close_in_drained),
        T(test_close_another_in_data),
        T(test_finish_class_in_closed),
        T(test_close_after_flush),
        T(test_finish),
        T(test_finish_with_nothing_to_say),
        T(test_close_after_flush_to_a_half_closed_peer),
        T(test_close_after_flush_does_not_wait_for_ever),
        T(test_pause_and_resume),
        T(test_resume_shows_what_was_left),
        T(test_transport),
        T(test_tcp),
        T(test_destroy_listener_in_accept),
        T(test_refused),
        T(test_bad_addresses),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
