/* From clear text to TLS on the same connection: what leaves before, what counts afterwards. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/tls.h"
#include "support/certs.h"

#define LIMIT 200000

static struct certs certs;

struct side {
    struct conn *c;
    struct buf got;
    int ended, why;
};

struct world {
    struct loop *loop;
    struct conn_class cls;
    struct side server, client;
    struct tls_ctx *server_ctx, *client_ctx;
    size_t last_words; /* bytes that the server says in clear before it goes over */
    int far;           /* the client's socket while it is in clear */
};

static struct world *the_world;

/* The server goes over at "go"; everything else is kept. */
static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct world *w = the_world;
    struct side *s = owner;

    if (s == &w->server && view_eq(in, VIEW("go"))) {
        char *words = calloc(1, w->last_words);
        memset(words, '.', w->last_words);
        assert_int_equal(conn_send(c, view_of(words, w->last_words)), 0);
        free(words);
        assert_int_equal(conn_start_tls(c, w->server_ctx), 0);
        return in.len;
    }
    buf_append_view(&s->got, in);
    return in.len;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct side *s = owner;

    s->ended++;
    s->why = why;
    s->c = NULL;
}

static const struct conn_handler handler = {on_data, on_closed, NULL};

#define REACH(w, cond)                                                                             \
    do {                                                                                           \
        uint64_t end_ = clock_mono_us() + 30000000;                                                \
        while (!(cond) && clock_mono_us() < end_)                                                  \
            assert_int_equal(loop_once((w)->loop, 1), 0);                                          \
        assert_true(cond);                                                                         \
    } while (0)

static int setup(void **state)
{
    static struct world w;
    struct tls_options server = {.cert_file = certs_path(&certs, "good.pem"),
                                 .key_file = certs_path(&certs, "good.key")};
    struct tls_options client = {.ca_file = certs_path(&certs, "ca.pem")};
    struct tls_fault fault;
    int room = 4096;
    int fds[2];

    w = (struct world){.loop = loop_new(), .last_words = 5};
    the_world = &w;
    w.server_ctx = tls_server_new(&server, &fault);
    w.client_ctx = tls_client_new(&client, &fault);
    assert_int_equal(conn_class_init(&w.cls, w.loop, &handler, LIMIT, LIMIT), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    buf_init(&w.server.got, 0);
    buf_init(&w.client.got, 0);
    w.server.c = conn_new(&w.cls, fds[0], &w.server);
    w.far = fds[1];
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    conn_close(&w->server.c);
    conn_close(&w->client.c);
    conn_class_fini(&w->cls);
    tls_destroy(&w->server_ctx);
    tls_destroy(&w->client_ctx);
    loop_destroy(&w->loop);
    buf_free(&w->server.got);
    buf_free(&w->client.got);
    if (w->far >= 0)
        close(w->far);
    return 0;
}

static void say(struct world *w, struct view v)
{
    assert_int_equal(send(w->far, v.ptr, v.len, MSG_NOSIGNAL), v.len);
}

/* Reads so many bytes in clear. */
static void hear(struct world *w, size_t n)
{
    char piece[1000];

    while (n > 0) {
        ssize_t got = recv(w->far, piece, n < sizeof(piece) ? n : sizeof(piece), MSG_DONTWAIT);
        if (got > 0) {
            assert_int_equal(piece[0], '.');
            assert_int_equal(piece[got - 1], '.');
            n -= (size_t)got;
        } else {
            assert_int_equal(errno, EAGAIN);
            assert_int_equal(loop_once(w->loop, 1), 0);
        }
    }
}

static void shake_hands(struct world *w)
{
    char text[100];

    w->client.c = conn_new_tls(&w->cls, w->far, &w->client, w->client_ctx, "pbx.example");
    w->far = -1;
    assert_non_null(w->client.c);
    REACH(w, w->server.c && conn_tls_describe(w->server.c, text, sizeof(text)));
}

static void talk(struct world *w)
{
    conn_send(w->client.c, VIEW("question"));
    REACH(w, buf_len(&w->server.got) == 8);
    conn_send(w->server.c, VIEW("answer"));
    REACH(w, buf_len(&w->client.got) == 6);
    assert_string_equal(buf_cstr(&w->server.got), "question");
    assert_string_equal(buf_cstr(&w->client.got), "answer");
}

static void it_goes_over_and_talks_on(void **state)
{
    struct world *w = *state;

    say(w, VIEW("go"));
    hear(w, w->last_words);
    shake_hands(w);
    talk(w);
}

static void what_waits_leaves_in_clear_and_all_of_it(void **state)
{
    struct world *w = *state;

    w->last_words = LIMIT / 2;
    say(w, VIEW("go"));
    hear(w, w->last_words);
    shake_hands(w);
    talk(w);
}

/* What is said between the switch and the handshake is for TLS. */
static void what_is_said_afterwards_is_not_in_clear(void **state)
{
    struct world *w = *state;

    w->last_words = LIMIT / 2;
    say(w, VIEW("go"));
    REACH(w, conn_output_len(w->server.c) > 0);
    conn_send(w->server.c, VIEW("secret"));
    hear(w, w->last_words);
    shake_hands(w);
    REACH(w, buf_len(&w->client.got) == 6);
    assert_string_equal(buf_cstr(&w->client.got), "secret");
}

/* The other side begins too early: nothing is read, and nothing turned, until there is room. */
static void input_must_wait_for_the_last_words(void **state)
{
    struct world *w = *state;
    uint64_t before;

    w->last_words = LIMIT / 2;
    say(w, VIEW("go"));
    for (int i = 0; i < 10; i++)
        loop_once(w->loop, 0);
    assert_true(conn_output_len(w->server.c) > 0);
    say(w, VIEW("\x16"));
    for (int i = 0; i < 10; i++)
        loop_once(w->loop, 0);
    before = clock_mono_us();
    loop_once(w->loop, 200);
    assert_true(clock_mono_us() - before > 150000);
    assert_int_equal(buf_len(&w->server.got), 0);
}

static void clear_text_behind_it_is_no_input(void **state)
{
    struct world *w = *state;

    say(w, VIEW("go"));
    hear(w, w->last_words);
    say(w, VIEW("{\"class\":\"login_id\",\"userlogin\":\"mallory\"}\n"));
    REACH(w, w->server.ended);
    assert_int_equal(w->server.why, EPROTO);
    assert_int_equal(buf_len(&w->server.got), 0);
}

static void closing_leaves_the_last_words(void **state)
{
    struct world *w = *state;

    w->last_words = LIMIT / 2;
    say(w, VIEW("go"));
    REACH(w, conn_output_len(w->server.c) > 0);
    conn_close_after_flush(&w->server.c);
    hear(w, w->last_words);
}

static void who_never_shakes_hands_can_be_closed(void **state)
{
    struct world *w = *state;

    say(w, VIEW("go"));
    hear(w, w->last_words);
    conn_close(&w->server.c);
}

static void an_end_meanwhile_is_told(void **state)
{
    struct world *w = *state;

    say(w, VIEW("go"));
    hear(w, w->last_words);
    close(w->far);
    w->far = -1;
    REACH(w, w->server.ended);
}

static int make_certs(void **state)
{
    certs_make(&certs);
    return 0;
}

static int remove_certs(void **state)
{
    certs_remove(&certs);
    return 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_goes_over_and_talks_on),
        T(what_waits_leaves_in_clear_and_all_of_it),
        T(what_is_said_afterwards_is_not_in_clear),
        T(input_must_wait_for_the_last_words),
        T(clear_text_behind_it_is_no_input),
        T(closing_leaves_the_last_words),
        T(who_never_shakes_hands_can_be_closed),
        T(an_end_meanwhile_is_told),
    };
    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
