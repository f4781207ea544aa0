/* A listener when descriptors run out: who gets the last ones, who waits, and what it costs. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "log/log.h"
#include "net/conn.h"
#include "support/bus.h"

#define LIMIT 128
#define KEPT (LIMIT / 8) /* descriptors that are for the process itself */
#define FIRST_KEPT (LIMIT - KEPT)
#define FIRST_KEPT_VITAL (LIMIT - KEPT / 2)
#define ASIDE 4 /* of a vital listener */
#define CLIENTS 8

struct world {
    struct rlimit before;
    struct loop *loop;
    struct log *log;
    int log_fd[2];
    char text[4096];
    struct listener *ls;
    int client[CLIENTS];
    int got[CLIENTS]; /* descriptors of those that were accepted */
    int n_got;
    int filled[LIMIT];
    int released;   /* how often one was asked for */
    int to_release; /* the descriptor that is then closed; -1: none */
};

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct world *w = arg;

    w->got[w->n_got++] = fd;
}

static bool release(void *arg)
{
    struct world *w = arg;

    w->released++;
    if (w->to_release < 0)
        return false;
    close(w->to_release);
    w->filled[w->to_release] = 0;
    w->to_release = -1;
    return true;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rlimit limit;
    int err = 0;

    *state = w;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &w->before), 0);
    limit = w->before;
    limit.rlim_cur = LIMIT;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(pipe2(w->log_fd, O_NONBLOCK | O_CLOEXEC), 0);
    w->log = log_new(w->log_fd[1], "test", LOG_INFO, false);
    w->loop = loop_new();
    loop_set_log(w->loop, w->log);
    w->ls = listener_new(w->loop, "127.0.0.1:0", on_accept, w, &err);
    assert_non_null(w->ls);
    w->to_release = -1;
    for (int i = 0; i < CLIENTS; i++) {
        w->client[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(w->client[i] >= 0);
    }
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < LIMIT; i++)
        if (w->filled[i])
            close(i);
    for (int i = 0; i < w->n_got; i++)
        close(w->got[i]);
    for (int i = 0; i < CLIENTS; i++)
        close(w->client[i]);
    listener_destroy(&w->ls);
    loop_destroy(&w->loop);
    log_destroy(&w->log);
    close(w->log_fd[0]);
    close(w->log_fd[1]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &w->before), 0);
    free(w);
    return 0;
}

/* Takes descriptors until `next` is the lowest that is free. */
static void fill_up_to(struct world *w, int next)
{
    for (;;) {
        int fd = fcntl(w->log_fd[0], F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return; /* none is free: `next` is the limit */
        if (fd >= next) {
            close(fd);
            return;
        }
        w->filled[fd] = 1;
    }
}

static void free_one(struct world *w, int fd)
{
    assert_true(w->filled[fd]);
    close(fd);
    w->filled[fd] = 0;
}

static void connect_one(struct world *w, int i)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(listener_port(w->ls))};

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(w->client[i], (struct sockaddr *)&at, sizeof(at)), 0);
}

static bool is_closed(const struct world *w, int i)
{
    char byte;
    ssize_t n = recv(w->client[i], &byte, 1, MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static unsigned refused(const struct world *w)
{
    return (unsigned)loop_counts(w->loop)->no_descriptor;
}

/* How often this has been logged. */
static int told(struct world *w)
{
    size_t at = strlen(w->text);
    ssize_t n;
    int lines = 0;

    assert_true(log_flush(w->log, 10000));
    n = read(w->log_fd[0], w->text + at, sizeof(w->text) - 1 - at);
    if (n > 0)
        w->text[at + (size_t)n] = '\0';
    for (const char *p = w->text; (p = strstr(p, "too few file descriptors")); p++)
        lines++;
    return lines;
}

/* How often the loop turns in that time, in which nothing is to happen. */
static int turns(struct world *w, unsigned ms)
{
    uint64_t end = clock_mono_us() + (uint64_t)ms * 1000;
    int n = 0;

    for (; clock_mono_us() < end; n++)
        loop_once(w->loop, 5);
    return n;
}

/* ---- */

static void the_last_ones_are_for_the_process_itself(void **state)
{
    struct world *w = *state;

    fill_up_to(w, FIRST_KEPT - 1);
    connect_one(w, 0);
    UNTIL(w->loop, w->n_got == 1);
    assert_int_equal(w->got[0], FIRST_KEPT - 1);
    assert_int_equal(refused(w), 0);
    assert_int_equal(told(w), 0);
    connect_one(w, 1);
    UNTIL(w->loop, is_closed(w, 1));
    assert_int_equal(w->n_got, 1);
    assert_int_equal(refused(w), 1);
    assert_int_equal(told(w), 1);
    connect_one(w, 2); /* after a pause, and nothing is logged again so soon */
    UNTIL(w->loop, is_closed(w, 2));
    assert_int_equal(refused(w), 2);
    assert_int_equal(told(w), 1);
    free_one(w, FIRST_KEPT - 2);
    connect_one(w, 3);
    UNTIL(w->loop, w->n_got == 2);
    assert_int_equal(w->got[1], FIRST_KEPT - 2);
    assert_false(is_closed(w, 0) || is_closed(w, 3));
}

static void who_finds_none_waits_and_costs_nothing(void **state)
{
    struct world *w = *state;

    fill_up_to(w, LIMIT);
    connect_one(w, 0);
    UNTIL(w->loop, told(w) == 1);
    assert_true(turns(w, 350) < 140); /* of 5 ms each, and three pauses */
    assert_int_equal(w->n_got, 0);
    assert_false(is_closed(w, 0));
    assert_int_equal(told(w), 1);
    free_one(w, 50);
    UNTIL(w->loop, w->n_got == 1);
    assert_int_equal(w->got[0], 50);
}

static void a_vital_listener_has_more_of_them(void **state)
{
    struct world *w = *state;

    listener_set_vital(w->ls, release);
    fill_up_to(w, FIRST_KEPT_VITAL - 1);
    connect_one(w, 0);
    UNTIL(w->loop, w->n_got == 1);
    assert_int_equal(w->got[0], FIRST_KEPT_VITAL - 1);
    assert_int_equal(w->released, 0);
    connect_one(w, 1); /* the first of the last: another is asked for, and it is served */
    UNTIL(w->loop, w->n_got == 2);
    assert_int_equal(w->got[1], FIRST_KEPT_VITAL);
    assert_int_equal(w->released, 1);
    assert_int_equal(refused(w), 0);
    assert_int_equal(told(w), 0);
}

static void a_vital_listener_has_some_set_aside_and_then_takes_from_others(void **state)
{
    struct world *w = *state;

    listener_set_vital(w->ls, release);
    fill_up_to(w, LIMIT);
    for (int i = 0; i < ASIDE; i++) {
        connect_one(w, i);
        UNTIL(w->loop, w->n_got == i + 1);
    }
    turns(w, 20); /* nobody else waits: nothing is taken from others for that */
    assert_int_equal(told(w), 0);
    assert_int_equal(w->released, 0);
    w->to_release = 60;
    connect_one(w, ASIDE);
    UNTIL(w->loop, w->n_got == ASIDE + 1);
    assert_int_equal(w->got[ASIDE], 60);
    assert_int_equal(w->released, 1);
    connect_one(w, ASIDE + 1); /* there is nothing more to take */
    UNTIL(w->loop, told(w) == 1);
    assert_int_equal(w->n_got, ASIDE + 1);
    assert_true(turns(w, 350) < 140);
    free_one(w, 61);
    UNTIL(w->loop, w->n_got == ASIDE + 2);

    for (int fd = 62; fd < 62 + ASIDE; fd++) /* set aside anew */
        free_one(w, fd);
    listener_restock(w->ls);
    assert_int_equal(fcntl(w->log_fd[0], F_DUPFD_CLOEXEC, 0), -1);
    connect_one(w, ASIDE + 2);
    UNTIL(w->loop, w->n_got == ASIDE + 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_last_ones_are_for_the_process_itself),
        T(who_finds_none_waits_and_costs_nothing),
        T(a_vital_listener_has_more_of_them),
        T(a_vital_listener_has_some_set_aside_and_then_takes_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
