/* Who has actions under way: one leaves places for others, all clients together for the gateway. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "requesters.h"

static void one_leaves_places_for_others(void **state)
{
    struct requesters *a = requesters_new();
    struct requester *of_one[REQUESTERS_OF_ONE];
    struct requester *other, *none;

    for (int i = 0; i < REQUESTERS_OF_ONE; i++)
        assert_int_equal(requester_begin(a, VIEW("1"), &of_one[i]), 0);
    assert_int_equal(requester_begin(a, VIEW("1"), &none), -EBUSY);
    assert_null(none);
    assert_int_equal(requester_begin(a, VIEW("2"), &other), 0);
    requester_done(a, of_one[0]);
    assert_int_equal(requester_begin(a, VIEW("1"), &of_one[0]), 0);
    for (int i = 0; i < REQUESTERS_OF_ONE; i++)
        requester_done(a, of_one[i]);
    requester_done(a, other);
    requesters_destroy(&a);
}

static void all_leave_places_for_the_gateway(void **state)
{
    struct requesters *a = requesters_new();
    static struct requester *all[REQUESTERS_OF_ALL];
    struct requester *none;
    char name[16];

    for (int i = 0; i < REQUESTERS_OF_ALL; i++) {
        snprintf(name, sizeof(name), "%d", i % 100);
        assert_int_equal(requester_begin(a, view_cstr(name), &all[i]), 0);
    }
    assert_int_equal(requester_begin(a, VIEW("another"), &none), -EBUSY);
    for (int i = 0; i < 100000; i++) { /* of state itself, which names nobody */
        assert_int_equal(requester_begin(a, view_of(NULL, 0), &none), 0);
        requester_done(a, none);
    }
    for (int i = 0; i < REQUESTERS_OF_ALL; i++)
        requester_done(a, all[i]);
    assert_int_equal(requester_begin(a, VIEW("another"), &none), 0);
    requester_done(a, none);
    requesters_destroy(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_leaves_places_for_others),
        cmocka_unit_test(all_leave_places_for_the_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
