#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "log/log.h"
#include "json/json.h"

struct catcher {
    int fds[2];
    char text[65536];
};

static int setup(void **state)
{
    static struct catcher c;

    assert_int_equal(pipe2(c.fds, O_NONBLOCK), 0);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    struct catcher *c = *state;

    close(c->fds[0]);
    close(c->fds[1]);
    return 0;
}

static char *caught(struct catcher *c, struct log *log)
{
    size_t have = 0;
    ssize_t n;

    assert_true(log_flush(log, 10000));
    while ((n = read(c->fds[0], c->text + have, sizeof(c->text) - 1 - have)) > 0)
        have += (size_t)n;
    c->text[have] = '\0';
    return c->text;
}

static unsigned lines_in(const char *s)
{
    unsigned n = 0;

    for (; *s; s++)
        n += *s == '\n';
    return n;
}

static void test_text_line(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "ctibus-test", LOG_INFO, false);
    char *line;

    log_info(log, "listening name=%s port=%d", "x", 5);
    line = caught(c, log);
    assert_int_equal(line[4], '-');
    assert_string_equal(line + 26, "Z info    ctibus-test: listening name=x port=5\n");
    assert_int_equal(log_lines_total(log, LOG_INFO), 1);
    log_destroy(&log);
    assert_null(log);
}

static void test_levels(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_WARNING, false);
    struct log *none = NULL;
    enum log_level level;

    log_notice(log, "not this");
    log_warning(log, "this");
    log_set_level(log, LOG_DEBUG);
    log_debug(log, "this, too");
    log_error(none, "silent");
    assert_int_equal(lines_in(caught(c, log)), 2);
    assert_int_equal(log_level_parse(VIEW("notice"), &level), 0);
    assert_int_equal(level, LOG_NOTICE);
    assert_int_equal(log_level_parse(VIEW("loud"), &level), -EINVAL);
    assert_int_equal(log_level_parse(VIEW(""), &level), -EINVAL);
    log_destroy(&log);
}

/* No value can make a line of its own, nor command a terminal. */
static void test_escapes(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_INFO, false);
    const char *line;

    log_info(log, "%s",
             "a\nb\r\t\x1b[31m\x7f \xc3\xa9 \xff \xc2\x85 \xe2\x80\xa8 \xed\xa0\x80 \xf0\x9f");
    line = strstr(caught(c, log), "t: ");
    assert_string_equal(line, "t: a\\x0ab\\x0d\\x09\\x1b[31m\\x7f \xc3\xa9 \\xff \\xc2\\x85 "
                              "\\xe2\\x80\\xa8 \\xed\\xa0\\x80 \\xf0\\x9f\n");
    log_destroy(&log);
}

static void test_json_line(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "ctibus-test", LOG_INFO, true);
    struct json_parser p;
    struct json_object *obj;

    log_warning(log, "%s", "a \"quoted\" \\ \n \x01 \xff \xc3\xa9");
    assert_int_equal(json_parser_init(&p), 0);
    assert_int_equal(json_parse(&p, view_cstr(caught(c, log)), &obj), 0);
    assert_true(view_eq(json_get_view(obj, "level"), VIEW("warning")));
    assert_true(view_eq(json_get_view(obj, "service"), VIEW("ctibus-test")));
    assert_true(view_eq(json_get_view(obj, "message"),
                        VIEW("a \"quoted\" \\ \n \x01 \xef\xbf\xbd \xc3\xa9")));
    assert_int_equal(json_get_view(obj, "time").len, 27);
    json_object_put(obj);
    json_parser_fini(&p);
    log_destroy(&log);
}

static void test_long_message(void **state)
{
    struct catcher *c = *state;
    char *message = malloc(100001);

    memset(message, '\n', 100000); /* each takes six in JSON */
    message[100000] = '\0';
    for (int json = 0; json < 2; json++) {
        struct log *log = log_new(c->fds[1], "t", LOG_INFO, json);
        char *line;
        size_t n;
        log_info(log, "%s", message);
        line = caught(c, log);
        n = strlen(line);
        assert_in_range(n, 2000, 4096);
        assert_int_equal(lines_in(line), 1);
        assert_non_null(strstr(line, json ? "...\"}\n" : "...\n"));
        log_destroy(&log);
    }
    free(message);
}

static void one_place(struct log *log, int i)
{
    log_info(log, "line %d", i);
}

static uint64_t the_second(void)
{
    return clock_mono_us() / 1000000u;
}

static void wait_for_the_next_second(void)
{
    for (uint64_t now = the_second(); the_second() == now;)
        usleep(1000);
}

/* A thousand lines within one second; how many were left out. */
static unsigned left_out_of_a_thousand(struct catcher *c, struct log *log)
{
    uint64_t second, before;

    do { /* again when the machine took longer */
        wait_for_the_next_second();
        one_place(log, -1); /* says what was left out of the last try */
        caught(c, log);
        before = log_suppressed_total(log);
        second = the_second();
        for (int i = 1; i < 1000; i++)
            one_place(log, i);
    } while (the_second() != second);
    return (unsigned)(log_suppressed_total(log) - before);
}

static void test_rate_limit(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_INFO, false);
    const char *text;

    assert_int_equal(left_out_of_a_thousand(c, log), 1000 - LOG_BURST);
    assert_int_equal(lines_in(caught(c, log)), LOG_BURST - 1);
    log_info(log, "another place");
    assert_int_equal(lines_in(caught(c, log)), 1);
    wait_for_the_next_second();
    one_place(log, 1000);
    text = caught(c, log);
    assert_int_equal(lines_in(text), 2);
    assert_non_null(strstr(text, "left out 980"));
    assert_non_null(strstr(text, "line 1000\n"));
    log_destroy(&log);
}

static void test_errno_is_kept(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_INFO, false);

    errno = ENOENT;
    log_info(log, "cannot open it: %m");
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(caught(c, log), "it: No such file"));
    log_destroy(&log);
}

/* --- a reader who does not read --- */

/* A pipe in which nothing more fits. */
static size_t fill(struct catcher *c)
{
    static const char dots[4096];
    size_t n = 0;
    ssize_t some;

    while ((some = write(c->fds[1], dots, sizeof(dots))) > 0)
        n += (size_t)some;
    assert_int_equal(fcntl(c->fds[1], F_SETFL, 0), 0); /* as stderr usually is */
    return n;
}

/* Lines of some 200 bytes, each as from a place of its own. */
static void many(struct log *log, int from, int to)
{
    char pad[150];

    memset(pad, 'x', sizeof(pad));
    for (int i = from; i < to; i++) {
        struct log_site site = {0};
        log_write(log, &site, LOG_INFO, "line %d %.*s", i, (int)sizeof(pad), pad);
    }
}

static void skip_dots(struct catcher *c, size_t n)
{
    char dots[4096];

    while (n > 0) {
        ssize_t some = read(c->fds[0], dots, n < sizeof(dots) ? n : sizeof(dots));
        assert_true(some > 0);
        n -= (size_t)some;
    }
}

static void test_nobody_reads(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_INFO, false);
    size_t dots = fill(c);
    uint64_t before = clock_mono_us();
    char wanted[64];
    const char *at;
    uint64_t lost;

    assert_int_equal(log_set_room(log, 1), 0); /* becomes LOG_ROOM_MIN */
    many(log, 0, 1000);
    assert_in_range(clock_mono_us() - before, 0, 2000000);
    assert_false(log_flush(log, 10));
    lost = log_dropped_total(log);
    assert_in_range(lost, 1000 - LOG_ROOM_MIN / 150, 999);
    assert_int_equal(log_lines_total(log, LOG_INFO), 1000);

    skip_dots(c, dots);
    at = caught(c, log);
    for (unsigned i = 0; i < 1000 - lost; i++) { /* in their order, without a gap */
        snprintf(wanted, sizeof(wanted), "line %u x", i);
        at = strstr(at, wanted);
        assert_non_null(at);
    }
    snprintf(wanted, sizeof(wanted), " warning t: %u lines of the log are lost", (unsigned)lost);
    assert_true(strchr(at, '\n') < strstr(at, wanted));
    assert_int_equal(lines_in(c->text), 1000 - lost + 1);

    many(log, 1000, 1020); /* all is well again */
    assert_int_equal(lines_in(caught(c, log)), 20);
    assert_int_equal(log_dropped_total(log), lost);
    log_destroy(&log);
}

static void test_the_end_does_not_wait_for_long(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_INFO, false);
    size_t dots = fill(c);
    uint64_t before = clock_mono_us();

    many(log, 0, 10);
    log_destroy(&log);
    assert_in_range(clock_mono_us() - before, 900000, 4000000);
    skip_dots(c, dots); /* its thread comes back, and ends */
}

static void test_the_last_lines_are_written(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_INFO, false);
    ssize_t n;

    many(log, 0, 100);
    log_destroy(&log);
    n = read(c->fds[0], c->text, sizeof(c->text) - 1);
    assert_true(n > 0);
    c->text[n] = '\0';
    assert_int_equal(lines_in(c->text), 100);
}

static void test_nobody_is_there(void **state)
{
    struct catcher *c = *state;
    struct log *log = log_new(c->fds[1], "t", LOG_INFO, false);

    signal(SIGPIPE, SIG_DFL); /* the thread takes no signals */
    close(c->fds[0]);
    many(log, 0, 5);
    assert_true(log_flush(log, 10000));
    assert_int_equal(log_dropped_total(log), 5);
    log_destroy(&log);
    assert_int_equal(pipe2(c->fds, O_NONBLOCK), 0);
}

/* The same for what is said before there is a log. */
static void test_print(void **state)
{
    struct catcher *c = *state;
    uint64_t before = clock_mono_us();
    char text[20001];
    size_t dots;
    size_t have = 0;

    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_print(c->fds[1], 0, "%s%d\n", text, 5);
    for (ssize_t n; (n = read(c->fds[0], c->text + have, sizeof(c->text) - have)) > 0;)
        have += (size_t)n;
    assert_int_equal(have, 20002);
    assert_memory_equal(c->text + 19998, "yy5\n", 4);

    dots = fill(c);
    log_print(c->fds[1], before + 300000, "nobody reads %d\n", 1);
    assert_in_range(clock_mono_us() - before, 290000, 2000000);
    skip_dots(c, dots);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_text_line),
        T(test_levels),
        T(test_escapes),
        T(test_json_line),
        T(test_long_message),
        T(test_rate_limit),
        T(test_errno_is_kept),
        T(test_nobody_reads),
        T(test_the_end_does_not_wait_for_long),
        T(test_the_last_lines_are_written),
        T(test_nobody_is_there),
        T(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
