/* The HTTP server: requests one behind the other, answers now and later, streams, and clients that
 * are slow, half-closed or gone. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/server.h"
#include "support/bus.h"
#include "support/certs.h"

#define MAX_OUTPUT ((size_t)400000)

struct world {
    struct loop *loop;
    struct server *server;
    struct tls_ctx *tls;
    bool later;   /* requests are answered by answer_all */
    bool streams; /* they become streams */
    struct exchange *open[8];
    size_t n_open;
    int asked, gone;
    char paths[512]; /* of the requests, with blanks between them */
    char body[64];
    size_t body_len;
};

static void forget(struct world *w, const struct exchange *x)
{
    for (size_t i = 0; i < w->n_open; i++)
        if (w->open[i] == x)
            w->open[i] = w->open[--w->n_open];
}

static struct world *the_world; /* `gone` is told only of an exchange */

static void on_gone(void *arg)
{
    the_world->gone++;
    forget(the_world, arg);
}

static void answer(struct exchange *x, const char *body)
{
    exchange_answer(x, 200, "text/plain", "X-A: b\r\n", view_cstr(body));
}

static void on_request(void *arg, struct exchange *x, const struct server_request *rq)
{
    struct world *w = arg;
    size_t n = strlen(w->paths);

    w->asked++;
    snprintf(w->paths + n, sizeof(w->paths) - n, "%s%.*s", n ? " " : "", VIEW_ARG(rq->head->path));
    snprintf(w->body, sizeof(w->body), "%.*s", VIEW_ARG(rq->body));
    w->body_len = rq->body.len;
    if (!w->later && !w->streams) {
        char text[600];
        snprintf(text, sizeof(text), "%.*s", VIEW_ARG(rq->head->path));
        answer(x, text);
        return;
    }
    exchange_on_gone(x, on_gone, x);
    assert_true(w->n_open < 8);
    w->open[w->n_open++] = x;
    if (w->streams)
        exchange_begin(x, "text/event-stream", "");
}

static void start_with(struct world *w, struct server_options opt)
{
    int err;

    opt.listen = "127.0.0.1:0";
    opt.tls = &w->tls;
    w->server = server_new(w->loop, &opt, on_request, w, &err);
    assert_non_null(w->server);
}

static void start(struct world *w)
{
    start_with(w, (struct server_options){
                      .max_connections = 8, .max_output = MAX_OUTPUT, .request_ms = 300});
}

static int setup(void **state)
{
    static struct world w;

    w = (struct world){.loop = loop_new()};
    the_world = &w;
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    server_destroy(&w->server);
    tls_destroy(&w->tls);
    loop_destroy(&w->loop);
    return 0;
}

/* ---- a client ---- */

static int client_with(struct world *w, int buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server_port(w->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int client(struct world *w)
{
    return client_with(w, 0);
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What has come so far is appended. True: that was the end. */
static bool hear(int fd, struct buf *got)
{
    char scratch[65536];
    ssize_t n = recv(fd, scratch, sizeof(scratch), 0);

    if (n > 0)
        buf_append(got, scratch, (size_t)n);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static bool heard(int fd, struct buf *got, const char *text)
{
    hear(fd, got);
    return buf_len(got) && strstr(buf_cstr(got), text) != NULL;
}

static size_t count(struct buf *got, const char *text)
{
    size_t n = 0;

    for (const char *at = buf_cstr(got); at && (at = strstr(at, text)); at++)
        n++;
    return n;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- requests ---- */

static void a_connection_stays(void **state)
{
    struct world *w = *state;
    struct buf got;
    int fd;

    start(w);
    buf_init(&got, 0);
    fd = client(w);
    say(fd, GET("/a"));
    UNTIL(w->loop, heard(fd, &got, "\r\n\r\n/a"));
    assert_int_equal(count(&got, "HTTP/1.1 200 OK\r\n"), 1);
    assert_int_equal(count(&got, "Content-Length: 2\r\n"), 1);
    assert_int_equal(count(&got, "Content-Type: text/plain\r\n"), 1);
    assert_int_equal(count(&got, "X-A: b\r\n"), 1);
    assert_int_equal(count(&got, "Connection:"), 0);
    say(fd, GET("/b"));
    UNTIL(w->loop, heard(fd, &got, "\r\n\r\n/b"));
    assert_int_equal(server_connections(w->server), 1);
    say(fd, "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    UNTIL(w->loop, hear(fd, &got));
    assert_int_equal(count(&got, "Connection: close\r\n"), 1);
    assert_string_equal(w->paths, "/a /b /c");
    close(fd);
    UNTIL(w->loop, server_connections(w->server) == 0);
    buf_free(&got);
}

/* One behind the other: each is answered before the next is looked at. */
static void pipelined_requests(void **state)
{
    struct world *w = *state;
    struct buf got;
    int fd;

    start(w);
    w->later = true;
    buf_init(&got, 0);
    fd = client(w);
    say(fd, GET("/a") "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody\r\n" GET("/c"));
    shutdown(fd, SHUT_WR); /* nothing more comes; all is answered all the same */
    for (int i = 1; i <= 3; i++) {
        UNTIL(w->loop, w->asked == i);
        run_for(w->loop, 20);
        assert_int_equal(w->asked, i);
        assert_int_equal(w->n_open, 1);
        if (i == 2)
            assert_string_equal(w->body, "body");
        w->n_open = 0;
        answer(w->open[0], "x");
    }
    UNTIL(w->loop, hear(fd, &got));
    assert_int_equal(count(&got, "HTTP/1.1 200 OK"), 3);
    assert_string_equal(w->paths, "/a /b /c");
    assert_int_equal(w->gone, 0);
    UNTIL(w->loop, server_connections(w->server) == 0);
    close(fd);
    buf_free(&got);
}

/* More of them than the server would ever keep: they wait at the client. */
static void so_many_requests_at_once(struct world *w)
{
    static const char text[] =
        GET("/a") "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
    const size_t pairs = 4000;
    size_t all = pairs * (sizeof(text) - 1);
    size_t said = 0;
    struct buf got;
    int fd;

    w->asked = 0;
    buf_init(&got, 0);
    fd = client(w);
    while ((size_t)w->asked < 2 * pairs) {
        size_t at = said % (sizeof(text) - 1);
        ssize_t n = said < all ? send(fd, text + at, sizeof(text) - 1 - at, MSG_NOSIGNAL) : 0;
        said += n > 0 ? (size_t)n : 0;
        w->paths[0] = '\0';
        if (n <= 0)
            loop_once(w->loop, 5);
        if (w->later && w->n_open == 1) {
            w->n_open = 0;
            answer(w->open[0], "x");
        }
        assert_false(hear(fd, &got));
    }
    if (w->n_open == 1)
        answer(w->open[0], "x");
    w->n_open = 0;
    UNTIL(w->loop, !hear(fd, &got) && count(&got, "HTTP/1.1 200 OK") == 2 * pairs);
    assert_int_equal(w->gone, 0);
    close(fd);
    buf_free(&got);
}

static void many_requests_at_once(void **state)
{
    struct world *w = *state;

    start_with(w, (struct server_options){.max_connections = 8, .max_output = MAX_OUTPUT});
    so_many_requests_at_once(w);
    w->later = true;
    so_many_requests_at_once(w);
}

static void a_request_in_pieces(void **state)
{
    static const char text[] =
        "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    struct world *w = *state;
    struct buf got;
    int fd;

    start(w);
    buf_init(&got, 0);
    fd = client(w);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
        loop_once(w->loop, 0);
    }
    UNTIL(w->loop, heard(fd, &got, "100 Continue\r\n\r\n"));
    assert_int_equal(w->asked, 0);
    say(fd, "ab");
    run_for(w->loop, 20);
    assert_int_equal(w->asked, 0);
    say(fd, "c");
    UNTIL(w->loop, heard(fd, &got, "\r\n\r\n/x"));
    assert_int_equal(count(&got, "100 Continue"), 1);
    assert_string_equal(w->body, "abc");
    close(fd);
    buf_free(&got);
}

static void head_has_no_body(void **state)
{
    struct world *w = *state;
    struct buf got;
    int fd;

    start(w);
    buf_init(&got, 0);
    fd = client(w);
    say(fd, "HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n" GET("/d"));
    UNTIL(w->loop, heard(fd, &got, "\r\n\r\n/d"));
    assert_int_equal(count(&got, "Content-Length: 4\r\n"), 1); /* as GET would say */
    assert_int_equal(count(&got, "\r\n\r\n/abc"), 0);
    close(fd);
    buf_free(&got);
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } all[] = {
        {"nonsense\r\n\r\n" GET("/a"), "HTTP/1.1 400 Bad Request"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n",
         "HTTP/1.1 413 Content Too Large"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n",
         "HTTP/1.1 413 "},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
         "HTTP/1.1 411 Length Required"},
        {"GET / HTTP/3\r\nHost: x\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported"},
    };
    struct world *w = *state;

    start(w);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct buf got;
        int fd = client(w);
        buf_init(&got, 0);
        say(fd, all[i].text);
        UNTIL(w->loop, hear(fd, &got));
        assert_int_equal(count(&got, all[i].says), 1);
        assert_int_equal(count(&got, "HTTP/1.1"), 1); /* what follows is not understood, either */
        assert_int_equal(count(&got, "Connection: close"), 1);
        assert_int_equal(count(&got, "application/problem+json"), 1);
        close(fd);
        buf_free(&got);
    }
    assert_int_equal(w->asked, 0);
    UNTIL(w->loop, server_connections(w->server) == 0);
}

/* The largest body that is taken. */
static void a_long_body(void **state)
{
    struct world *w = *state;
    struct buf text, got;
    int fd;

    start(w);
    buf_init(&text, 0);
    buf_init(&got, 0);
    buf_printf(&text, "POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
               SERVER_MAX_BODY);
    for (size_t i = 0; i < SERVER_MAX_BODY; i++)
        buf_append_char(&text, 'x');
    buf_append_cstr(&text, GET("/next"));
    fd = client(w);
    for (size_t at = 0; at < buf_len(&text);) {
        ssize_t n = send(fd, buf_data(&text) + at, buf_len(&text) - at, MSG_NOSIGNAL);
        at += n > 0 ? (size_t)n : 0;
        loop_once(w->loop, 0);
        if (w->asked == 1)
            assert_int_equal(w->body_len, SERVER_MAX_BODY);
    }
    UNTIL(w->loop, heard(fd, &got, "\r\n\r\n/next"));
    assert_string_equal(w->paths, "/long /next");
    close(fd);
    buf_free(&text);
    buf_free(&got);
}

/* ---- clients that are slow, or gone ---- */

static void slow_requests_end(void **state)
{
    struct world *w = *state;
    struct buf got;
    int slow, silent, half;

    start(w);
    buf_init(&got, 0);
    slow = client(w);
    silent = client(w);
    half = client(w);
    say(slow, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123");
    say(half, "GET / HT");
    shutdown(half, SHUT_WR);
    UNTIL(w->loop, server_connections(w->server) == 3);
    UNTIL_MS(w->loop, server_connections(w->server) == 0, 5000);
    assert_int_equal(server_slow(w->server), 2); /* who says nothing is not slow */
    assert_true(hear(slow, &got) && hear(silent, &got) && hear(half, &got));
    assert_int_equal(buf_len(&got), 0);
    assert_int_equal(w->asked, 0);
    close(slow);
    close(silent);
    close(half);
    buf_free(&got);
}

static void a_client_that_goes_before_its_answer(void **state)
{
    struct linger none = {1, 0};
    struct world *w = *state;
    int fd;

    start(w);
    w->later = true;
    fd = client(w);
    say(fd, GET("/a"));
    UNTIL(w->loop, w->asked == 1);
    shutdown(fd, SHUT_WR); /* it may still read */
    run_for(w->loop, 50);
    assert_int_equal(w->gone, 0);
    answer(w->open[0], "x");
    w->n_open = 0;
    run_for(w->loop, 10);
    close(fd);
    fd = client(w);
    say(fd, GET("/b"));
    UNTIL(w->loop, w->asked == 2);
    w->n_open = 0; /* on_gone forgets it */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(fd);
    /* nothing is read while the answer is being made: its end is seen when that is sent */
    run_for(w->loop, 20);
    if (w->gone == 0)
        answer(w->open[0], "x");
    UNTIL(w->loop, server_connections(w->server) == 0);
}

static void too_many_connections(void **state)
{
    struct world *w = *state;
    struct buf got;
    int fds[9];

    start(w);
    buf_init(&got, 0);
    for (int i = 0; i < 9; i++)
        fds[i] = client(w);
    UNTIL(w->loop, server_refused(w->server) == 1);
    assert_int_equal(server_connections(w->server), 8);
    UNTIL(w->loop, hear(fds[8], &got));
    for (int i = 0; i < 9; i++)
        close(fds[i]);
    buf_free(&got);
}

/* Answers that nobody reads are bounded, however many are asked for. */
static void a_client_that_does_not_read_its_answers(void **state)
{
    static const char text[] = GET("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    struct world *w = *state;
    size_t at = 0;
    int fd;

    start(w);
    fd = client_with(w, 4096);
    for (int i = 0; i < 1000000 && server_slow(w->server) == 0; i++) {
        ssize_t n = send(fd, text + at, sizeof(text) - 1 - at, MSG_NOSIGNAL);
        at = (at + (size_t)(n > 0 ? n : 0)) % (sizeof(text) - 1);
        w->paths[0] = '\0';
        if (n <= 0 || i % 64 == 0)
            loop_once(w->loop, 0);
    }
    UNTIL(w->loop, server_slow(w->server) == 1);
    UNTIL(w->loop, server_connections(w->server) == 0);
    close(fd);
}

/* ---- streams ---- */

static void a_stream(void **state)
{
    struct world *w = *state;
    struct shared *part = shared_new(VIEW("two"));
    struct buf got;
    int fd;

    start(w);
    w->streams = true;
    buf_init(&got, 0);
    fd = client(w);
    say(fd, GET("/s"));
    UNTIL(w->loop, w->n_open == 1);
    assert_int_equal(exchange_send(w->open[0], VIEW("one")), 0);
    assert_int_equal(exchange_send_shared(w->open[0], part), 0);
    UNTIL(w->loop, heard(fd, &got, "onetwo"));
    assert_int_equal(count(&got, "Content-Length"), 0);
    assert_int_equal(count(&got, "Connection: close"), 1);
    say(fd, GET("/other")); /* thrown away */
    run_for(w->loop, 30);
    assert_int_equal(w->asked, 1);
    exchange_send(w->open[0], VIEW("three"));
    exchange_end(w->open[0]);
    w->n_open = 0;
    UNTIL(w->loop, hear(fd, &got));
    assert_int_equal(count(&got, "onetwothree"), 1);
    close(fd);
    UNTIL(w->loop, server_connections(w->server) == 0);
    assert_int_equal(w->gone, 0);
    shared_unref(part);
    buf_free(&got);
}

static void a_listener_that_goes(void **state)
{
    struct world *w = *state;
    int fd;

    start(w);
    w->streams = true;
    fd = client(w);
    say(fd, GET("/s"));
    UNTIL(w->loop, w->n_open == 1);
    close(fd);
    UNTIL(w->loop, w->gone == 1);
    fd = client(w);
    say(fd, GET("/s"));
    UNTIL(w->loop, w->n_open == 1);
    shutdown(fd, SHUT_WR); /* who closes this half listens no longer */
    UNTIL(w->loop, w->gone == 2);
    assert_int_equal(server_connections(w->server), 0);
    close(fd);
}

static void a_listener_that_does_not_read(void **state)
{
    struct world *w = *state;
    struct buf part, got;
    int slow, good;
    int rc = 0;

    start(w);
    w->streams = true;
    buf_init(&part, 0);
    buf_init(&got, 0);
    for (int i = 0; i < 10000; i++)
        buf_append_char(&part, 'x');
    slow = client_with(w, 4096);
    say(slow, GET("/slow"));
    UNTIL(w->loop, w->n_open == 1);
    good = client(w);
    say(good, GET("/good"));
    UNTIL(w->loop, w->n_open == 2);
    for (int i = 0; i < 2000 && rc == 0 && w->gone == 0; i++) {
        rc = exchange_send(w->open[0], buf_view(&part));
        if (rc == 0 && i % 10 == 0)
            loop_once(w->loop, 0);
        assert_true(exchange_waiting(w->open[0]) <= MAX_OUTPUT);
    }
    assert_int_equal(rc, -ENOBUFS);
    assert_int_equal(w->gone, 0); /* not from inside */
    UNTIL(w->loop, w->gone == 1);
    assert_int_equal(server_slow(w->server), 1);
    assert_int_equal(w->n_open, 1);
    exchange_send(w->open[0], VIEW("still here"));
    UNTIL(w->loop, heard(good, &got, "still here"));
    close(slow);
    close(good);
    buf_free(&part);
    buf_free(&got);
}

static void what_is_open_goes_with_the_server(void **state)
{
    struct world *w = *state;
    int a, b;

    start(w);
    w->streams = true;
    a = client(w);
    say(a, GET("/s"));
    UNTIL(w->loop, w->n_open == 1);
    w->streams = false;
    w->later = true;
    b = client(w);
    say(b, GET("/l"));
    UNTIL(w->loop, w->n_open == 2);
    server_destroy(&w->server);
    assert_int_equal(w->gone, 2);
    close(a);
    close(b);
}

/* What is under way is answered; who comes later is not let in, and who says nothing is let go. */
static void the_listener_closes(void **state)
{
    struct world *w = *state;
    struct buf got;
    int asks, idle, begins;

    start(w);
    w->later = true;
    buf_init(&got, 0);
    asks = client(w);
    idle = client(w);
    begins = client(w);
    say(asks, GET("/a"));
    say(begins, "GET /b HTTP/1.1\r\n");
    UNTIL(w->loop, w->n_open == 1 && server_connections(w->server) == 3);
    run_for(w->loop, 20);
    server_close_listener(w->server);
    assert_int_equal(server_connections(w->server), 2);
    answer(w->open[0], "x");
    w->n_open = 0;
    UNTIL(w->loop, hear(asks, &got));
    assert_int_equal(count(&got, "Connection: close"), 1);
    w->later = false;
    say(begins, "Host: x\r\n\r\n");
    UNTIL(w->loop, heard(begins, &got, "\r\n\r\n/b"));
    assert_int_equal(count(&got, "Connection: close"), 2); /* this one, too, is its last */
    close(asks);
    close(idle);
    close(begins);
    UNTIL(w->loop, server_connections(w->server) == 0);
    buf_free(&got);
}

/* ---- TLS ---- */

static bool tls_talks(SSL *ssl, const char *text, size_t *said, struct buf *got)
{
    char scratch[4096];
    int n;

    if (*said < strlen(text) && (n = SSL_write(ssl, text + *said, (int)(strlen(text) - *said))) > 0)
        *said += (size_t)n;
    n = SSL_read(ssl, scratch, sizeof(scratch));
    if (n > 0)
        buf_append(got, scratch, (size_t)n);
    return SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
}

static void over_tls(void **state)
{
    struct world *w = *state;
    struct certs certs;
    struct tls_options opt;
    struct tls_fault fault;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    struct buf got;
    size_t said = 0;
    int fd, plain;

    certs_make(&certs);
    opt = (struct tls_options){.cert_file = certs_path(&certs, "good.pem"),
                               .key_file = certs_path(&certs, "good.key")};
    w->tls = tls_server_new(&opt, &fault);
    assert_non_null(w->tls);
    start_with(w, (struct server_options){.max_connections = 8, .max_output = MAX_OUTPUT});
    buf_init(&got, 0);
    fd = client(w);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    UNTIL(w->loop,
          tls_talks(ssl, GET("/a") "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &said,
                    &got));
    assert_int_equal(count(&got, "HTTP/1.1 200 OK"), 2);
    plain = client(w);
    say(plain, GET("/plain"));
    UNTIL(w->loop, hear(plain, &got));
    assert_string_equal(w->paths, "/a /b");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    close(plain);
    certs_remove(&certs);
    buf_free(&got);
}

static void statuses_have_names(void **state)
{
    assert_string_equal(status_name(429), "Too Many Requests");
    assert_string_equal(status_name(204), "No Content");
    assert_string_equal(status_name(999), "Internal Server Error");
}

static void where_it_cannot_listen(void **state)
{
    struct world *w = *state;
    struct server_options opt = {.listen = "127.0.0.1:99999", .max_connections = 1};
    int err = 0;

    assert_null(server_new(w->loop, &opt, on_request, w, &err));
    assert_true(err < 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_stays),
        TEST(pipelined_requests),
        TEST(many_requests_at_once),
        TEST(a_request_in_pieces),
        TEST(head_has_no_body),
        TEST(what_is_refused),
        TEST(a_long_body),
        TEST(slow_requests_end),
        TEST(a_client_that_goes_before_its_answer),
        TEST(too_many_connections),
        TEST(a_client_that_does_not_read_its_answers),
        TEST(a_stream),
        TEST(a_listener_that_goes),
        TEST(a_listener_that_does_not_read),
        TEST(what_is_open_goes_with_the_server),
        TEST(the_listener_closes),
        TEST(over_tls),
        TEST(statuses_have_names),
        TEST(where_it_cannot_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
