/* Budgets: rate and burst, each user's own, and that the idle are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/budgets.h"

#define S ((uint64_t)1000000)
#define NOW (1000 * S)
#define ALICE VIEW("xivo/1")

static int setup(void **state)
{
    *state = budgets_new(2);
    budgets_set(*state, 0, 10, 50);
    return 0;
}

static int teardown(void **state)
{
    budgets_destroy((struct budgets **)state);
    return 0;
}

static unsigned taken(struct budgets *b, struct view who, unsigned tries, uint64_t now)
{
    unsigned n = 0;

    for (unsigned i = 0; i < tries; i++)
        n += budgets_take(b, who, 0, 1, now);
    return n;
}

static void at_once_the_burst_and_then_the_rate(void **state)
{
    struct budgets *b = *state;

    assert_int_equal(taken(b, ALICE, 1000, NOW), 50);
    assert_int_equal(taken(b, ALICE, 1000, NOW), 0);
    assert_int_equal(taken(b, ALICE, 1000, NOW + S / 2), 5);
    assert_int_equal(taken(b, ALICE, 1000, NOW + 3 * S / 2), 10);
    assert_int_equal(taken(b, ALICE, 1000, NOW + 3600 * S), 50);
    assert_int_equal(taken(b, ALICE, 1, NOW), 0); /* a clock that went back gives nothing */
}

static void each_has_its_own(void **state)
{
    struct budgets *b = *state;

    assert_int_equal(taken(b, ALICE, 1000, NOW), 50);
    assert_int_equal(taken(b, VIEW("xivo/2"), 1000, NOW), 50);
    assert_int_equal(taken(b, view_of("xivo/1\0", 7), 1000, NOW), 50);
}

static void no_rate_is_no_limit(void **state)
{
    struct budgets *b = *state;

    for (int i = 0; i < 100000; i++)
        assert_true(budgets_take(b, ALICE, 1, 1e9, NOW));
    assert_true(budgets_has(b, ALICE, 1, NOW));
    assert_int_equal(budgets_count(b), 0);
}

static void more_than_the_burst_is_paid_for_afterwards(void **state)
{
    struct budgets *b = *state;

    assert_true(budgets_take(b, ALICE, 0, 200, NOW));
    assert_false(budgets_take(b, ALICE, 0, 1, NOW + 14 * S));
    assert_true(budgets_take(b, ALICE, 0, 1, NOW + 16 * S));
    assert_false(budgets_take(b, ALICE, 0, 200, NOW + 17 * S));
    assert_true(budgets_take(b, ALICE, 0, 200, NOW + 30 * S));
}

static void what_is_charged_is_owed(void **state)
{
    struct budgets *b = *state;

    assert_true(budgets_has(b, ALICE, 0, NOW));
    budgets_charge(b, ALICE, 0, 100, NOW);
    assert_false(budgets_has(b, ALICE, 0, NOW + 4 * S));
    assert_true(budgets_has(b, ALICE, 0, NOW + 6 * S));
}

static void the_idle_are_forgotten(void **state)
{
    struct budgets *b = *state;
    char who[32];

    for (int i = 0; i < 10000; i++) {
        snprintf(who, sizeof(who), "xivo/%d", i);
        budgets_take(b, view_cstr(who), 0, 1, NOW);
    }
    assert_int_equal(budgets_count(b), 10000);
    budgets_take(b, ALICE, 0, 1, NOW + 20 * S);
    assert_int_equal(budgets_count(b), 1);
}

static void it_is_told_once_a_minute(void **state)
{
    struct budgets *b = *state;

    assert_true(budgets_tell(b, ALICE, NOW));
    assert_false(budgets_tell(b, ALICE, NOW + 59 * S));
    assert_true(budgets_tell(b, VIEW("xivo/2"), NOW + 59 * S));
    assert_true(budgets_tell(b, ALICE, NOW + 61 * S));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(at_once_the_burst_and_then_the_rate),
        T(each_has_its_own),
        T(no_rate_is_no_limit),
        T(more_than_the_burst_is_paid_for_afterwards),
        T(what_is_charged_is_owed),
        T(the_idle_are_forgotten),
        T(it_is_told_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
