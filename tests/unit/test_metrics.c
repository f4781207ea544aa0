#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "metrics/health.h"
#include "metrics/metrics.h"

static int setup(void **state)
{
    *state = metrics_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct metrics *m = *state;

    metrics_destroy(&m);
    return m ? -1 : 0;
}

static void assert_rendered(struct metrics *m, const char *expected)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(metrics_render(m, &b), 0);
    assert_string_equal(buf_len(&b) ? buf_cstr(&b) : "", expected);
    buf_free(&b);
}

static void test_empty(void **state)
{
    assert_rendered(*state, "");
}

static void test_counter_and_gauge(void **state)
{
    struct metrics *m = *state;
    struct metric *c = metrics_add(m, METRIC_COUNTER, "a_total", NULL, "things seen");
    struct metric *g = metrics_add(m, METRIC_GAUGE, "b", NULL, "now");

    metric_add(c, 1);
    metric_add(c, 2);
    metric_set(g, -1.5);
    assert_true(metric_get(c) == 3);
    assert_rendered(m, "# HELP a_total things seen\n# TYPE a_total counter\na_total 3\n"
                       "# HELP b now\n# TYPE b gauge\nb -1.5\n");
}

/* HELP and TYPE once a name, wherever in the order its metrics were added. */
static void test_labels(void **state)
{
    struct metrics *m = *state;
    const struct metric_label one[] = {{"kind", "x"}, {"path", "a\\b\"c\nd"}, {NULL, NULL}};
    const struct metric_label two[] = {{"kind", "y"}, {NULL, NULL}};

    metrics_add(m, METRIC_COUNTER, "n", one, "back\\slash\nnewline");
    metrics_add(m, METRIC_GAUGE, "other", NULL, "o");
    metrics_add(m, METRIC_COUNTER, "n", two, "ignored");
    assert_rendered(m, "# HELP n back\\\\slash\\nnewline\n# TYPE n counter\n"
                       "n{kind=\"x\",path=\"a\\\\b\\\"c\\nd\"} 0\nn{kind=\"y\"} 0\n"
                       "# HELP other o\n# TYPE other gauge\nother 0\n");
}

static void test_conflicts(void **state)
{
    struct metrics *m = *state;
    const struct metric_label l[] = {{"k", "v"}, {NULL, NULL}};

    assert_non_null(metrics_add(m, METRIC_COUNTER, "n", l, "h"));
    assert_null(metrics_add(m, METRIC_COUNTER, "n", l, "h"));
    assert_null(metrics_add(m, METRIC_GAUGE, "n", NULL, "h"));
    assert_non_null(metrics_add(m, METRIC_COUNTER, "n", NULL, "h"));
    assert_null(metrics_add(m, METRIC_HISTOGRAM, "h", NULL, "h"));
}

static double forty_two(void *arg)
{
    ++*(int *)arg;
    return 42;
}

static void test_callback_and_remove(void **state)
{
    struct metrics *m = *state;
    int calls = 0;
    struct metric *a = metrics_callback(m, METRIC_GAUGE, "g", NULL, "h", forty_two, &calls);
    const struct metric_label l[] = {{"k", "v"}, {NULL, NULL}};
    struct metric *b = metrics_add(m, METRIC_GAUGE, "g", l, "h");

    assert_rendered(m, "# HELP g h\n# TYPE g gauge\ng 42\ng{k=\"v\"} 0\n");
    assert_int_equal(calls, 1);
    metrics_remove(m, &b);
    assert_null(b);
    assert_non_null(metrics_add(m, METRIC_GAUGE, "g", l, "h"));
    metrics_remove(m, &a);
    assert_rendered(m, "# HELP g h\n# TYPE g gauge\ng{k=\"v\"} 0\n");
}

static void test_histogram(void **state)
{
    struct metrics *m = *state;
    const double bounds[] = {0.5, 1, 10};
    const struct metric_label l[] = {{"k", "v"}, {NULL, NULL}};
    struct metric *h = metrics_histogram(m, "t", l, "h", bounds, 3);

    metric_observe(h, 0.5); /* a bound is in its bucket */
    metric_observe(h, 0.75);
    metric_observe(h, 100);
    assert_rendered(m, "# HELP t h\n# TYPE t histogram\nt_bucket{k=\"v\",le=\"0.5\"} 1\n"
                       "t_bucket{k=\"v\",le=\"1\"} 2\nt_bucket{k=\"v\",le=\"10\"} 2\n"
                       "t_bucket{k=\"v\",le=\"+Inf\"} 3\nt_sum{k=\"v\"} 101.25\n"
                       "t_count{k=\"v\"} 3\n");
}

static void test_numbers(void **state)
{
    struct metrics *m = *state;
    struct metric *g = metrics_add(m, METRIC_GAUGE, "g", NULL, "h");

    metric_set(g, NAN);
    assert_rendered(m, "# HELP g h\n# TYPE g gauge\ng NaN\n");
    metric_set(g, INFINITY);
    assert_rendered(m, "# HELP g h\n# TYPE g gauge\ng +Inf\n");
    metric_set(g, 9007199254740991);
    assert_rendered(m, "# HELP g h\n# TYPE g gauge\ng 9.00719925474099e+15\n");
    metric_set(g, 1400000000123);
    assert_rendered(m, "# HELP g h\n# TYPE g gauge\ng 1400000000123\n");
}

/* --- health --- */

struct asker {
    char addr[32];
    struct buf body;
    int rc;
    atomic_bool done;
};

static void *ask(void *arg)
{
    struct asker *a = arg;

    a->rc = health_probe(a->addr, &a->body);
    a->done = true;
    return NULL;
}

/* Asks from another thread while the loop turns. */
static int probe(struct loop *loop, uint16_t port, struct buf *body)
{
    struct asker a = {.done = false};
    pthread_t thread;

    snprintf(a.addr, sizeof(a.addr), "127.0.0.1:%u", (unsigned)port);
    buf_init(&a.body, 0);
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    while (!a.done)
        loop_once(loop, 5);
    pthread_join(thread, NULL);
    *body = a.body;
    return a.rc;
}

static bool when_set(void *arg, struct buf *why)
{
    if (!*(bool *)arg)
        buf_append_cstr(why, "the \"bus\"");
    return *(bool *)arg;
}

static void test_readyz(void **state)
{
    struct loop *loop = loop_new();
    bool ready = false;
    int err;
    struct health *h = health_new(loop, "127.0.0.1:0", *state, when_set, &ready, &err);
    struct buf body;

    assert_non_null(h);
    assert_int_equal(err, 0);
    assert_int_equal(probe(loop, health_port(h), &body), -EAGAIN);
    assert_string_equal(buf_cstr(&body), "{\"ready\":false,\"missing\":\"the \\\"bus\\\"\"}\n");
    buf_free(&body);
    ready = true;
    assert_int_equal(probe(loop, health_port(h), &body), 0);
    assert_string_equal(buf_cstr(&body), "{\"ready\":true}\n");
    buf_free(&body);
    health_destroy(&h);
    assert_null(h);
    loop_destroy(&loop);
}

struct request {
    uint16_t port;
    const char *text;
    char answer[8192];
    atomic_bool done;
};

static void *send_request(void *arg)
{
    struct request *r = arg;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(r->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t have = 0;
    ssize_t n;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
        if (send(fd, r->text, strlen(r->text), MSG_NOSIGNAL) > 0)
            while ((n = read(fd, r->answer + have, sizeof(r->answer) - 1 - have)) > 0)
                have += (size_t)n;
    }
    r->answer[have] = '\0';
    close(fd);
    r->done = true;
    return NULL;
}

static const char *answer_to(struct loop *loop, struct health *h, const char *text)
{
    static struct request r;
    pthread_t thread;

    r = (struct request){.port = health_port(h), .text = text};
    assert_int_equal(pthread_create(&thread, NULL, send_request, &r), 0);
    while (!r.done)
        loop_once(loop, 5);
    pthread_join(thread, NULL);
    return r.answer;
}

/* What is no failure must not look like one to a balancer: it would cut off who is there. */
static void test_balancer(void **state)
{
    struct loop *loop = loop_new();
    bool ready = true;
    int err;
    struct health *h = health_new(loop, "127.0.0.1:0", *state, when_set, &ready, &err);
    const char *got;

    assert_non_null(h);
    assert_non_null(strstr(answer_to(loop, h, "GET /balancer HTTP/1.0\r\n\r\n"), " 200 "));
    ready = false;
    got = answer_to(loop, h, "GET /balancer HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(got, " 404 "));
    assert_non_null(strstr(got, "\"missing\":\"the \\\"bus\\\"\""));
    health_destroy(&h);
    loop_destroy(&loop);
}

static void test_pages(void **state)
{
    struct loop *loop = loop_new();
    int err;
    struct health *h = health_new(loop, "127.0.0.1:0", *state, NULL, NULL, &err);
    static char big[20000];
    const char *got;

    metrics_add(*state, METRIC_COUNTER, "ctibus_test_total", NULL, "h");
    got = answer_to(loop, h, "GET /metrics HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(got, " 200 "));
    assert_non_null(strstr(got, "version=0.0.4"));
    assert_non_null(strstr(got, "\nctibus_test_total 0\n"));
    assert_non_null(strstr(answer_to(loop, h, "GET /healthz HTTP/1.0\r\n\r\n"), " 200 "));
    assert_non_null(strstr(answer_to(loop, h, "GET /readyz HTTP/1.0\r\n\r\n"), " 200 "));
    assert_non_null(strstr(answer_to(loop, h, "GET /etc/passwd HTTP/1.0\r\n\r\n"), " 404 "));
    assert_null(
        strstr(answer_to(loop, h, "POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n"), " 200 "));
    memset(big, 'x', sizeof(big) - 1);
    memcpy(big, "GET /healthz HTTP/1.0\r\nX: ", 26);
    assert_null(strstr(answer_to(loop, h, big), " 200 "));
    health_destroy(&h);
    loop_destroy(&loop);
}

static void test_cannot_listen(void **state)
{
    struct loop *loop = loop_new();
    char addr[32];
    int err;
    struct health *h = health_new(loop, "127.0.0.1:0", *state, NULL, NULL, &err);

    snprintf(addr, sizeof(addr), "127.0.0.1:%u", (unsigned)health_port(h));
    assert_null(health_new(loop, addr, *state, NULL, NULL, &err));
    assert_int_equal(err, -EADDRINUSE);
    assert_null(health_new(loop, "nonsense", *state, NULL, NULL, &err));
    assert_int_equal(err, -EINVAL);
    health_destroy(&h);
    loop_destroy(&loop);
}

static void test_probe_of_nobody(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    uint64_t before = clock_mono_us();
    char addr[32];
    struct buf body;

    buf_init(&body, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(addr, sizeof(addr), "127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
    assert_int_equal(health_probe(addr, &body), -ECONNREFUSED);
    assert_int_equal(listen(fd, 1), 0); /* now somebody who never answers */
    assert_int_equal(health_probe(addr, &body), -ETIMEDOUT);
    assert_in_range(clock_mono_us() - before, 1900000, 3000000);
    assert_int_equal(health_probe("nonsense", &body), -EINVAL);
    close(fd);
    buf_free(&body);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_empty),         T(test_counter_and_gauge),
        T(test_labels),        T(test_conflicts),
        T(test_histogram),     T(test_callback_and_remove),
        T(test_numbers),       T(test_readyz),
        T(test_balancer),      T(test_pages),
        T(test_cannot_listen), T(test_probe_of_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
