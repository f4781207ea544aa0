#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/loop.h"

struct seen {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_task *task;
    struct loop_task *other;
    struct loop_fd *fd;
    struct loop_signal *sig;
    int fired;
    int tasks;
    int turns;
    uint64_t longest; /* us */
    int pipe[2];
};

static int setup(void **state)
{
    static struct seen s;

    s = (struct seen){.loop = loop_new()};
    assert_non_null(s.loop);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct seen *s = *state;

    loop_destroy(&s->loop);
    assert_null(s->loop);
    return 0;
}

static void count(void *arg)
{
    ((struct seen *)arg)->fired++;
}

static void count_and_stop(void *arg)
{
    struct seen *s = arg;

    s->fired++;
    loop_stop(s->loop);
}

static void on_turn(void *arg, uint64_t us)
{
    struct seen *s = arg;

    s->turns++;
    if (us > s->longest)
        s->longest = us;
}

static void be_slow(void *arg)
{
    struct seen *s = arg;

    for (uint64_t end = clock_mono_us() + 30000; clock_mono_us() < end;)
        ;
    if (++s->fired < 2)
        loop_task_post(s->task);
}

/* Waiting is no stall; what events and tasks take is, that of one turn together. */
static void test_turns_are_timed(void **state)
{
    struct seen *s = *state;

    loop_watch_turns(s->loop, on_turn, s);
    s->timer = loop_timer_new(s->loop, be_slow, s);
    s->task = loop_task_new(s->loop, be_slow, s);
    loop_once(s->loop, 50);
    assert_int_equal(s->turns, 0); /* nothing was done */
    loop_timer_start(s->timer, 10, false);
    for (int i = 0; i < 100 && s->turns == 0; i++)
        loop_once(s->loop, 100);
    assert_int_equal(s->turns, 1);
    assert_int_equal(s->fired, 2);
    assert_in_range(s->longest, 60000, 2000000);
    loop_watch_turns(s->loop, NULL, NULL);
    loop_timer_destroy(&s->timer);
    loop_task_destroy(&s->task);
}

static void test_timer(void **state)
{
    struct seen *s = *state;
    uint64_t before = clock_mono_us();

    s->timer = loop_timer_new(s->loop, count_and_stop, s);
    assert_false(loop_timer_running(s->timer));
    loop_timer_start(s->timer, 5000, false);
    loop_timer_start(s->timer, 20, false); /* anew */
    assert_true(loop_timer_running(s->timer));
    assert_int_equal(loop_run(s->loop), 0);
    assert_int_equal(s->fired, 1);
    assert_false(loop_timer_running(s->timer));
    assert_in_range(clock_mono_us() - before, 19000, 2000000);
    loop_timer_destroy(&s->timer);
    assert_null(s->timer);
}

static void third_time_destroy(void *arg)
{
    struct seen *s = arg;

    if (++s->fired == 3) {
        loop_timer_destroy(&s->timer);
        loop_stop(s->loop);
    }
}

static void test_repeating_timer_destroys_itself(void **state)
{
    struct seen *s = *state;

    s->timer = loop_timer_new(s->loop, third_time_destroy, s);
    loop_timer_start(s->timer, 1, true);
    assert_int_equal(loop_run(s->loop), 0);
    assert_int_equal(s->fired, 3);
    loop_once(s->loop, 5);
    assert_int_equal(s->fired, 3);
}

static void test_stopped_timer_is_silent(void **state)
{
    struct seen *s = *state;

    s->timer = loop_timer_new(s->loop, count, s);
    loop_timer_start(s->timer, 1, true);
    loop_timer_stop(s->timer);
    loop_once(s->loop, 10);
    assert_int_equal(s->fired, 0);
    loop_timer_destroy(&s->timer);
}

static void repost(void *arg)
{
    struct seen *s = arg;

    s->tasks++;
    loop_task_post(s->task);
}

static void read_one(void *arg)
{
    struct seen *s = arg;
    char c;

    assert_int_equal(read(s->pipe[0], &c, 1), 1);
    s->fired++;
    loop_task_post(s->other);
    loop_task_post(s->other); /* does nothing */
}

static void check_order(void *arg)
{
    struct seen *s = arg;

    assert_int_equal(s->fired, s->tasks + 1); /* once after each event */
    s->tasks++;
}

/* A descriptor that is always ready must not keep tasks from running, nor the other way round. */
static void test_task_runs_each_turn_under_load(void **state)
{
    struct seen *s = *state;

    assert_int_equal(pipe(s->pipe), 0);
    assert_int_equal(write(s->pipe[1], "0123456789", 10), 10);
    s->other = loop_task_new(s->loop, check_order, s);
    s->fd = loop_fd_new(s->loop, s->pipe[0], read_one, s);
    for (int i = 0; i < 10; i++)
        assert_int_equal(loop_once(s->loop, 0), 0);
    assert_int_equal(s->fired, 10);
    assert_int_equal(s->tasks, 10);
    loop_fd_destroy(&s->fd);
    loop_task_destroy(&s->other);
    close(s->pipe[0]);
    close(s->pipe[1]);
}

static void test_reposting_task_lets_events_in(void **state)
{
    struct seen *s = *state;

    s->task = loop_task_new(s->loop, repost, s);
    s->timer = loop_timer_new(s->loop, count_and_stop, s);
    loop_task_post(s->task);
    loop_timer_start(s->timer, 5, false);
    assert_int_equal(loop_run(s->loop), 0);
    assert_int_equal(s->fired, 1);
    assert_true(s->tasks > 1);
    loop_once(s->loop, 1000); /* a posted task: no waiting */
    loop_task_destroy(&s->task);
    loop_timer_destroy(&s->timer);
}

static void destroy_both(void *arg)
{
    struct seen *s = arg;

    s->tasks++;
    loop_task_destroy(&s->task);
    loop_task_destroy(&s->other);
}

static void test_tasks_destroy_each_other(void **state)
{
    struct seen *s = *state;

    s->task = loop_task_new(s->loop, destroy_both, s);
    s->other = loop_task_new(s->loop, destroy_both, s);
    loop_task_post(s->task);
    loop_task_post(s->other);
    loop_once(s->loop, 0);
    loop_once(s->loop, 0);
    assert_int_equal(s->tasks, 1);
}

static void destroy_fd(void *arg)
{
    struct seen *s = arg;

    s->fired++;
    loop_fd_destroy(&s->fd);
}

static void test_fd_destroys_itself(void **state)
{
    struct seen *s = *state;

    assert_int_equal(pipe(s->pipe), 0);
    assert_int_equal(write(s->pipe[1], "x", 1), 1);
    s->fd = loop_fd_new(s->loop, s->pipe[0], destroy_fd, s);
    loop_once(s->loop, 1000);
    loop_once(s->loop, 0);
    assert_int_equal(s->fired, 1);
    close(s->pipe[0]);
    close(s->pipe[1]);
}

static void test_signal(void **state)
{
    struct seen *s = *state;

    s->sig = loop_signal_new(s->loop, SIGUSR1, count_and_stop, s);
    assert_non_null(s->sig);
    raise(SIGUSR1);
    assert_int_equal(loop_run(s->loop), 0);
    assert_int_equal(s->fired, 1);
    loop_signal_destroy(&s->sig);
}

static void test_once_waits_no_longer_than_told(void **state)
{
    struct seen *s = *state;
    uint64_t before = clock_mono_us();

    assert_int_equal(loop_once(s->loop, 0), 0);
    assert_int_equal(loop_once(s->loop, 20), 0);
    assert_in_range(clock_mono_us() - before, 19000, 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_turns_are_timed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeating_timer_destroys_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stopped_timer_is_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_task_runs_each_turn_under_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reposting_task_lets_events_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tasks_destroy_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fd_destroys_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_once_waits_no_longer_than_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
