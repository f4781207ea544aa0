/* What sends webhooks, against a receiver in the test. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "hooks/sender.h"
#include "support/bus.h"
#include "support/tlsfront.h"
#include "support/webserver.h"

struct world {
    struct loop *loop;
    struct sender *sender;
    struct webserver web;
    struct listener *raw; /* answers with `says`, or nothing, and hears */
    struct conn_class conns;
    struct conn *conn;
    const char *says;
    char heard[2048];
    int done;
    long status;
    char why[512];
    char url[128];
};

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct world *w = owner;

    snprintf(w->heard, sizeof(w->heard), "%.*s", VIEW_ARG(in));
    if (w->says && view_find(in, VIEW("the body")) >= 0) {
        conn_send(c, view_cstr(w->says));
        conn_finish(c);
    }
    return w->says ? in.len : 0;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    ((struct world *)owner)->conn = NULL;
}

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct world *w = arg;

    conn_close(&w->conn);
    w->conn = conn_new(&w->conns, fd, w);
}

static int setup(void **state)
{
    static const struct conn_handler handler = {on_data, on_closed, NULL};
    struct world *w = calloc(1, sizeof(*w));
    int err;

    w->loop = loop_new();
    w->web.loop = w->loop;
    web_up(&w->web);
    web_page(&w->web, "/");
    web_page(&w->web, "/to");
    conn_class_init(&w->conns, w->loop, &handler, 100000, 1 << 20);
    w->raw = listener_new(w->loop, "127.0.0.1:0", on_accept, w, &err);
    w->sender = sender_new(w->loop, NULL);
    *state = w;
    return w->raw && w->sender ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    sender_destroy(&w->sender);
    web_down(&w->web);
    listener_destroy(&w->raw);
    conn_close(&w->conn);
    conn_class_fini(&w->conns);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

static void on_done(void *arg, long status, const char *why)
{
    struct world *w = arg;

    w->done++;
    w->status = status;
    snprintf(w->why, sizeof(w->why), "%s", why);
}

static const char *const headers[] = {"Content-Type: text/plain", "Ctibus-Event: call.ended",
                                      "Expect:", NULL};

static bool begin(struct world *w, const char *url, bool may_be_private)
{
    const struct sending_request rq = {
        .url = url, .body = VIEW("the body"), .headers = headers, .may_be_private = may_be_private};

    w->done = 0;
    w->status = -1;
    return sender_send(w->sender, &rq, on_done, w);
}

/* The status. */
static long post(struct world *w, const char *url)
{
    assert_true(begin(w, url, true));
    assert_int_equal(w->done, 0); /* later */
    UNTIL(w->loop, w->done == 1);
    return w->status;
}

static const char *url_of(struct world *w, uint16_t port, const char *path)
{
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u%s", port, path);
    return w->url;
}

/* ---- answers ---- */

static void statuses(void **state)
{
    static const int all[] = {200, 201, 204, 400, 404, 429, 500, 503};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        web_page(&w->web, "/x")->status = all[i];
        assert_int_equal(post(w, url_of(w, w->web.port, "/x?a=b")), all[i]);
        assert_string_equal(w->why, "");
    }
    assert_int_equal(web_page(&w->web, "/x")->hits, ARRAY_SIZE(all));
    assert_string_equal(w->web.query, "a=b");
}

static void what_is_sent(void **state)
{
    struct world *w = *state;

    w->says = "HTTP/1.1 204 No Content\r\n\r\n";
    assert_int_equal(post(w, url_of(w, listener_port(w->raw), "/p/q?x=y")), 204);
    assert_ptr_equal(strstr(w->heard, "POST /p/q?x=y HTTP/1.1\r\n"), w->heard);
    assert_non_null(strstr(w->heard, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(w->heard, "\r\nCtibus-Event: call.ended\r\n"));
    assert_non_null(strstr(w->heard, "\r\nContent-Length: 8\r\n"));
    assert_non_null(strstr(w->heard, "\r\nUser-Agent: ctibus/"));
    assert_null(strstr(w->heard, "Expect"));
    assert_non_null(strstr(w->heard, "\r\n\r\nthe body"));
}

static void no_redirect_is_followed(void **state)
{
    struct world *w = *state;

    web_page(&w->web, "/from")->location = "/to";
    assert_int_equal(post(w, url_of(w, w->web.port, "/from")), 302);
    assert_int_equal(web_page(&w->web, "/to")->hits, 0);
}

/* Only the status counts: what comes behind it may be as long as it likes, but is not read on. */
static void answers_that_are_too_long(void **state)
{
    struct world *w = *state;
    struct buf body;

    buf_init(&body, 0);
    buf_append_cstr(&body, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    while (buf_len(&body) < 300000)
        buf_append_cstr(&body,
                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    w->says = buf_cstr(&body);
    assert_int_equal(post(w, url_of(w, listener_port(w->raw), "/")), 200);
    buf_free(&body);
    buf_init(&body, 0);
    buf_append_cstr(&body, "HTTP/1.1 200 OK\r\n");
    while (buf_len(&body) < 900000)
        buf_append_cstr(&body,
                        "A: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
    w->says = buf_cstr(&body);
    assert_int_equal(post(w, url_of(w, listener_port(w->raw), "/")), 0); /* no end of headers */
    assert_true(*w->why);
    buf_free(&body);
}

static void answers_that_are_none(void **state)
{
    static const char *const all[] = {"", "nonsense\r\n\r\n", "HTTP/1.1 2", "HTTP/1.1 abc\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        w->says = all[i];
        assert_int_equal(post(w, url_of(w, listener_port(w->raw), "/")), 0);
        assert_true(*w->why);
    }
}

/* ---- where it connects to ---- */

static void private_addresses(void **state)
{
    static const char *const all[] = {
        "http://127.0.0.1:%u/",
        "http://127.1:%u/",
        "http://[::1]:%u/",
        "http://localhost:%u/",
        "http://2130706433:%u/",
        "http://0x7f000001:%u/",
        "http://[::ffff:127.0.0.1]:%u/",
        "http://0.0.0.0:%u/",
        "http://10.1.2.3:%u/",
        "http://169.254.169.254:%u/",
        "http://[fe80::1]:%u/",
        "http://[64:ff9b::7f00:1]:%u/",
        "http://[fd00::1]:%u/",
        "http://[2002:7f00:1::]:%u/",
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        char url[128];
        snprintf(url, sizeof(url), all[i], w->web.port);
        assert_true(begin(w, url, false));
        UNTIL(w->loop, w->done == 1);
        if (w->status != 0 || !strstr(w->why, "ctibus.webhook_hosts"))
            fail_msg("%s: %ld %s", url, w->status, w->why);
    }
    assert_int_equal(web_page(&w->web, "/")->hits, 0);
    assert_int_equal(post(w, url_of(w, w->web.port, "/")), 200); /* where it may be */
}

/* A connection that was made for one who may is not lent to one who may not. */
static void a_connection_is_not_lent(void **state)
{
    struct world *w = *state;

    assert_int_equal(post(w, url_of(w, w->web.port, "/")), 200);
    assert_true(begin(w, url_of(w, w->web.port, "/"), false));
    UNTIL(w->loop, w->done == 1);
    assert_int_equal(w->status, 0);
    assert_int_equal(web_page(&w->web, "/")->hits, 1);
}

static void nobody_listens(void **state)
{
    struct world *w = *state;
    uint16_t port = w->web.port;

    web_down(&w->web);
    assert_int_equal(post(w, url_of(w, port, "/")), 0);
    assert_true(*w->why);
}

static void nothing_of_the_environment_is_used(void **state)
{
    struct world *w = *state;

    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    assert_int_equal(post(w, url_of(w, w->web.port, "/")), 200);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void many_at_a_time(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 100; i++) {
        int before = w->done;
        assert_true(begin(w, url_of(w, w->web.port, "/"), true));
        w->done = before;
    }
    UNTIL(w->loop, w->done == 100);
    assert_string_equal(w->why, "");
    assert_int_equal(web_page(&w->web, "/")->hits, 100);
}

static void one_that_is_under_way_at_the_end(void **state)
{
    struct world *w = *state;

    assert_true(begin(w, url_of(w, listener_port(w->raw), "/"), true));
    UNTIL(w->loop, w->conn && *w->heard);
    sender_destroy(&w->sender);
    run_for(w->loop, 20);
    assert_int_equal(w->done, 0);
}

/* ---- TLS ---- */

static void certificates_are_verified(void **state)
{
    struct world *w = *state;
    struct tlsfront front = {.listener = NULL};
    struct certs certs;
    char url[64];

    certs_make(&certs);
    tlsfront_start(&front, w->loop, w->web.port, &certs, "good");
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", tlsfront_port(&front));
    assert_int_equal(post(w, url), 0); /* of a CA that the system does not know */
    assert_non_null(strstr(w->why, "certificate"));
    sender_destroy(&w->sender);
    w->sender = sender_new(w->loop, certs_path(&certs, "ca.pem"));
    assert_int_equal(post(w, url), 200);
    tlsfront_end(&front);
    tlsfront_start(&front, w->loop, w->web.port, &certs, "other");
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", tlsfront_port(&front));
    assert_int_equal(post(w, url), 0); /* another name */
    tlsfront_end(&front);
    certs_remove(&certs);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statuses),
        TEST(what_is_sent),
        TEST(no_redirect_is_followed),
        TEST(answers_that_are_too_long),
        TEST(answers_that_are_none),
        TEST(private_addresses),
        TEST(a_connection_is_not_lent),
        TEST(nobody_listens),
        TEST(nothing_of_the_environment_is_used),
        TEST(many_at_a_time),
        TEST(one_that_is_under_way_at_the_end),
        TEST(certificates_are_verified),
    };
    int rc;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return rc;
}
