/* Requests that are repeated with a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "commands/repeats.h"

static enum repeat_kind look(struct repeats *r, const char *owner, const char *key,
                             const char *request, double now, struct repeat **one)
{
    return repeats_look(r, view_cstr(owner), view_cstr(key), view_cstr(request), now, one);
}

static void the_second_gets_the_answer_of_the_first(void **state)
{
    struct repeats *r = repeats_new();
    struct repeat *one, *again;
    struct view body;

    assert_int_equal(look(r, "t1", "k", "dial 1", 10, &one), REPEAT_FIRST);
    assert_int_equal(look(r, "t1", "k", "dial 1", 11, &again), REPEAT_UNDER_WAY);
    assert_int_equal(look(r, "t1", "k", "dial 2", 11, &again), REPEAT_OTHER);
    repeat_done(one, BUS_unallowed, VIEW("no"));
    assert_int_equal(look(r, "t1", "k", "dial 1", 12, &again), REPEAT_DONE);
    assert_ptr_equal(one, again);
    assert_int_equal(repeat_status(again, &body), BUS_unallowed);
    assert_true(view_eq(body, VIEW("no")));
    assert_int_equal(look(r, "t1", "k", "dial 2", 12, &again), REPEAT_OTHER);
    assert_int_equal(look(r, "t2", "k", "dial 1", 12, &again), REPEAT_FIRST); /* another owner */
    repeat_forget(r, again);
    assert_int_equal(look(r, "t2", "k", "dial 1", 12, &again), REPEAT_FIRST);
    assert_int_equal(look(r, "t1", "K", "dial 1", 12, &again), REPEAT_FIRST);
    repeats_destroy(&r);
    assert_null(r);
}

static void for_an_hour(void **state)
{
    struct repeats *r = repeats_new();
    struct repeat *one;

    assert_int_equal(look(r, "t", "k", "x", 1000, &one), REPEAT_FIRST);
    repeat_done(one, BUS_ok, VIEW(""));
    assert_int_equal(look(r, "t", "k", "x", 1000 + REPEATS_S, &one), REPEAT_DONE);
    assert_int_equal(look(r, "t", "k", "x", 1000 + REPEATS_S + 1, &one), REPEAT_FIRST);
    /* one that is still under way is never carried out twice */
    assert_int_equal(look(r, "t", "k", "x", 1000 + 3 * REPEATS_S, &one), REPEAT_UNDER_WAY);
    repeats_destroy(&r);
}

static void the_oldest_go_first(void **state)
{
    struct repeats *r = repeats_new();
    struct repeat *one;
    char key[32];

    for (int i = 0; i < REPEATS_MAX + 10; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(look(r, "t", key, "x", 1000, &one), REPEAT_FIRST);
        if (i != 3)
            repeat_done(one, BUS_ok, VIEW(""));
    }
    assert_int_equal(look(r, "t", "k3", "x", 1000, &one), REPEAT_UNDER_WAY); /* it stays */
    assert_int_equal(look(r, "t", "k50", "x", 1000, &one), REPEAT_DONE);
    assert_int_equal(look(r, "t", "k0", "x", 1000, &one), REPEAT_FIRST);
    repeats_destroy(&r);
}

static void none_is_left_while_all_are_under_way(void **state)
{
    struct repeats *r = repeats_new();
    struct repeat *one, *first = NULL;
    char key[32];

    for (int i = 0; i < REPEATS_MAX; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(look(r, "t", key, "x", 1000, &one), REPEAT_FIRST);
        first = first ? first : one;
    }
    assert_int_equal(look(r, "t", "more", "x", 1000, &one), REPEAT_NO_MEMORY);
    repeat_done(first, BUS_ok, VIEW(""));
    assert_int_equal(look(r, "t", "more", "x", 1000, &one), REPEAT_FIRST);
    repeats_destroy(&r);
}

static void a_long_answer_is_kept_without_its_fields(void **state)
{
    struct repeats *r = repeats_new();
    char *text = calloc(1, 100000);
    struct repeat *one;
    struct view body;

    look(r, "t", "k", "x", 10, &one);
    repeat_done(one, BUS_ok, view_of(text, 100000));
    assert_int_equal(look(r, "t", "k", "x", 10, &one), REPEAT_DONE);
    assert_int_equal(repeat_status(one, &body), BUS_ok);
    assert_int_equal(body.len, 0);
    free(text);
    repeats_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_gets_the_answer_of_the_first),
        cmocka_unit_test(for_an_hour),
        cmocka_unit_test(the_oldest_go_first),
        cmocka_unit_test(none_is_left_while_all_are_under_way),
        cmocka_unit_test(a_long_answer_is_kept_without_its_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
