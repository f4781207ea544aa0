/* The simulated company (tools/asterisk-sim/office): whatever happens in it, what it tells agrees
 * with what it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "office/internal.h"

struct day {
    struct world world;
    struct office *office;
};

static void begin(struct day *d, const struct office_options *options)
{
    assert_int_equal(world_init(&d->world), 0);
    d->office = office_new(options, &d->world);
    assert_non_null(d->office);
}

static void end(struct day *d)
{
    office_destroy(&d->office);
    world_free(&d->world);
}

static void assert_sound(const struct office *o)
{
    struct buf wrong;
    unsigned n;

    buf_init(&wrong, 0);
    n = office_check(o, &wrong);
    if (n > 0)
        fail_msg("after %llu calls: %s", (unsigned long long)o->calls, buf_cstr(&wrong));
    buf_free(&wrong);
}

/* So many calls, with a look at everything now and then; then nobody begins one any more, and in
 * the end every line is free. */
static void live_through(const struct office_options *options, uint64_t calls)
{
    struct day d;
    uint64_t looked = 0;

    begin(&d, options);
    while (d.office->calls < calls) {
        assert_true(office_next(d.office) != UINT64_MAX);
        office_run(d.office, office_next(d.office), 0);
        if (d.office->calls > looked + 50) {
            looked = d.office->calls;
            assert_sound(d.office);
        }
    }
    timer_stop(&d.office->timers, &d.office->arrival);
    timer_stop(&d.office->timers, &d.office->shift);
    office_run(d.office, d.office->timers.now_us + 3600 * SECONDS, 0);
    assert_sound(d.office);
    for (struct leg *l = LIST_FIRST(&d.office->legs); l; l = LIST_NEXT(l, all))
        if (l->job != JOB_AGENT)
            fail_msg("%s is left, job %d", l->name, (int)l->job);
    end(&d);
}

static void test_many_calls_of_several_seeds(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        live_through(
            &(struct office_options){
                .people = 30, .per_minute = 20, .seed = seed, .guests = "alice,bob"},
            10000);
}

static void test_many_calls_in_the_old_dialect(void **state)
{
    live_through(&(struct office_options){.people = 30, .per_minute = 20, .seed = 5, .old = true},
                 5000);
}

static void test_a_large_company(void **state)
{
    live_through(&(struct office_options){.people = 2000, .per_minute = 60000, .seed = 6}, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_calls_of_several_seeds),
        cmocka_unit_test(test_many_calls_in_the_old_dialect),
        cmocka_unit_test(test_a_large_company),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
