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

static double forty_two(void *arg)
{
    ++*(int *)arg;
    return 42;
}

/* What stands before the samples of a metric. */
static void put_head(struct buf *out, enum metric_id id, const char *kind)
{
    const struct metric_def *def = metric_def(id);

    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", def->name, def->meaning, def->name, kind);
}

static void test_counter_and_gauge(void **state)
{
    struct metrics *m = *state;
    struct metric *g = metrics_add(m, METRIC_fagi_open, NULL);
    struct metric *c = metrics_add(m, METRIC_state_events, NULL);
    struct buf b;

    metric_add(c, 1);
    metric_add(c, 2);
    metric_set(g, -1.5);
    assert_true(metric_get(c) == 3);
    buf_init(&b, 0);
    put_head(&b, METRIC_state_events, "counter"); /* in the order of the table */
    buf_append_cstr(&b, "ctibus_state_events_total 3\n");
    put_head(&b, METRIC_fagi_open, "gauge");
    buf_append_cstr(&b, "ctibus_fagi_open -1.5\n");
    assert_rendered(m, buf_cstr(&b));
    buf_free(&b);
}

/* HELP and TYPE once a name, wherever in the order its metrics were added. */
static void test_labels(void **state)
{
    struct metrics *m = *state;
    struct buf b;

    metrics_add(m, METRIC_build_info, METRIC_VALUES("a\\b\"c\nd", "state"));
    metrics_add(m, METRIC_fagi_open, NULL);
    metrics_add(m, METRIC_build_info, METRIC_VALUES("2", "state"));
    buf_init(&b, 0);
    put_head(&b, METRIC_build_info, "gauge");
    buf_append_cstr(&b, "ctibus_build_info{version=\"a\\\\b\\\"c\\nd\",service=\"state\"} 0\n"
                        "ctibus_build_info{version=\"2\",service=\"state\"} 0\n");
    put_head(&b, METRIC_fagi_open, "gauge");
    buf_append_cstr(&b, "ctibus_fagi_open 0\n");
    assert_rendered(m, buf_cstr(&b));
    buf_free(&b);
}

static void test_conflicts(void **state)
{
    struct metrics *m = *state;
    int calls = 0;

    assert_non_null(metrics_add(m, METRIC_log_lines, METRIC_VALUES("error")));
    assert_null(metrics_add(m, METRIC_log_lines, METRIC_VALUES("error")));
    assert_non_null(metrics_add(m, METRIC_log_lines, METRIC_VALUES("debug")));
    assert_null(metrics_add(m, METRIC_log_lines, NULL));
    assert_null(metrics_add(m, METRIC_log_lines, METRIC_VALUES("info", "too many")));
    assert_null(metrics_add(m, METRIC_build_info, METRIC_VALUES("too few")));
    assert_null(metrics_add(m, METRIC_fagi_open, METRIC_VALUES("none wanted")));
    assert_non_null(metrics_add(m, METRIC_fagi_open, NULL));
    assert_null(metrics_add(m, METRIC_fagi_open, NULL));
    assert_null(metrics_callback(m, METRIC_fagi_seconds, NULL, forty_two, &calls));
}

static void test_rows(void **state)
{
    struct metric *a = NULL, *b = NULL;
    const struct metrics_row rows[] = {{&a, METRIC_ami_up}, {&b, METRIC_ami_skipped}};

    assert_int_equal(metrics_add_rows(*state, rows, 2), 0);
    assert_true(a && b && a->id == METRIC_ami_up && b->id == METRIC_ami_skipped);
    assert_int_equal(metrics_add_rows(*state, rows, 2), -ENOMEM);
}

static void test_callback_and_remove(void **state)
{
    struct metrics *m = *state;
    int calls = 0;
    struct metric *a =
        metrics_callback(m, METRIC_log_lines, METRIC_VALUES("error"), forty_two, &calls);
    struct metric *b = metrics_add(m, METRIC_log_lines, METRIC_VALUES("info"));
    struct buf text;

    buf_init(&text, 0);
    put_head(&text, METRIC_log_lines, "counter");
    buf_append_cstr(&text, "ctibus_log_lines_total{level=\"error\"} 42\n"
                           "ctibus_log_lines_total{level=\"info\"} 0\n");
    assert_rendered(m, buf_cstr(&text));
    assert_int_equal(calls, 1);
    metrics_remove(m, &b);
    assert_null(b);
    b = metrics_add(m, METRIC_log_lines, METRIC_VALUES("info"));
    assert_non_null(b);
    metrics_remove(m, &a);
    buf_reset(&text);
    put_head(&text, METRIC_log_lines, "counter");
    buf_append_cstr(&text, "ctibus_log_lines_total{level=\"info\"} 0\n");
    assert_rendered(m, buf_cstr(&text));
    metrics_remove(m, &b);
    assert_rendered(m, "");
    buf_free(&text);
}

static void test_histogram(void **state)
{
    struct metric *h = metrics_add(*state, METRIC_fagi_seconds, NULL);
    struct buf b;

    metric_observe(h, 0.5); /* a bound is in its bucket */
    metric_observe(h, 0.75);
    metric_observe(h, 100);
    buf_init(&b, 0);
    assert_int_equal(metrics_render(*state, &b), 0);
    assert_non_null(
        strstr(buf_cstr(&b), " histogram\nctibus_fagi_seconds_bucket{le=\"0.001\"} 0\n"));
    assert_non_null(strstr(buf_cstr(&b), "ctibus_fagi_seconds_bucket{le=\"0.2\"} 0\n"
                                         "ctibus_fagi_seconds_bucket{le=\"0.5\"} 1\n"
                                         "ctibus_fagi_seconds_bucket{le=\"1\"} 2\n"
                                         "ctibus_fagi_seconds_bucket{le=\"2\"} 2\n"
                                         "ctibus_fagi_seconds_bucket{le=\"+Inf\"} 3\n"
                                         "ctibus_fagi_seconds_sum 101.25\n"
                                         "ctibus_fagi_seconds_count 3\n"));
    buf_free(&b);
}

static void assert_number(struct metrics *m, const char *expected)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(metrics_render(m, &b), 0);
    assert_non_null(strstr(buf_cstr(&b), expected));
    buf_free(&b);
}

static void test_numbers(void **state)
{
    struct metrics *m = *state;
    struct metric *g = metrics_add(m, METRIC_fagi_open, NULL);

    metric_set(g, NAN);
    assert_number(m, "\nctibus_fagi_open NaN\n");
    metric_set(g, INFINITY);
    assert_number(m, "\nctibus_fagi_open +Inf\n");
    metric_set(g, 9007199254740991);
    assert_number(m, "\nctibus_fagi_open 9.00719925474099e+15\n");
    metric_set(g, 1400000000123);
    assert_number(m, "\nctibus_fagi_open 1400000000123\n");
}

/* --- health --- */

struct requester {
    char addr[32];
    struct buf body;
    int rc;
    atomic_bool done;
};

static void *ask(void *arg)
{
    struct requester *a = arg;

    a->rc = health_probe(a->addr, &a->body);
    a->done = true;
    return NULL;
}

/* Asks from another thread while the loop turns. */
static int probe(struct loop *loop, uint16_t port, struct buf *body)
{
    struct requester a = {.done = false};
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

    metrics_add(*state, METRIC_state_events, NULL);
    got = answer_to(loop, h, "GET /metrics HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(got, " 200 "));
    assert_non_null(strstr(got, "version=0.0.4"));
    assert_non_null(strstr(got, "\nctibus_state_events_total 0\n"));
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
    assert_in_range(clock_mono_us() - before, 1900000, 15000000);
    assert_int_equal(health_probe("nonsense", &body), -EINVAL);
    close(fd);
    buf_free(&body);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_empty),
        T(test_counter_and_gauge),
        T(test_labels),
        T(test_conflicts),
        T(test_histogram),
        T(test_rows),
        T(test_callback_and_remove),
        T(test_numbers),
        T(test_readyz),
        T(test_balancer),
        T(test_pages),
        T(test_cannot_listen),
        T(test_probe_of_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
