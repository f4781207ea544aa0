/* Writing actions: exact bytes, and nothing when a value would break out of its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "ami/ami.h"

static void test_good(void **state)
{
    struct ami_action a;
    struct buf b;

    buf_init(&b, 0);
    for (int i = 0; i < 2; i++) {
        ami_action_begin(&a, &b, VIEW("Login"));
        assert_int_equal(ami_action_header(&a, VIEW("ActionID"), VIEW("x-1")), 0);
        assert_int_equal(ami_action_header(&a, VIEW("Events"), view_of(NULL, 0)), 0);
        assert_int_equal(ami_action_end(&a), 0);
    }
    assert_string_equal(buf_cstr(&b), "Action: Login\r\nActionID: x-1\r\nEvents: \r\n\r\n"
                                      "Action: Login\r\nActionID: x-1\r\nEvents: \r\n\r\n");
    buf_free(&b);
}

static void check_bad(struct view name, struct view value)
{
    struct ami_action a;
    struct buf b;

    buf_init(&b, 0);
    buf_append_cstr(&b, "before");
    ami_action_begin(&a, &b, VIEW("Originate"));
    assert_int_equal(ami_action_header(&a, name, value), -EINVAL);
    assert_int_equal(ami_action_header(&a, VIEW("Fine"), VIEW("1")), 0);
    assert_int_equal(ami_action_end(&a), -EINVAL);
    assert_string_equal(buf_cstr(&b), "before");
    buf_free(&b);
}

static void test_bad(void **state)
{
    check_bad(VIEW("Exten"), VIEW("1\r\nApplication: System"));
    check_bad(VIEW("Exten"), VIEW("1\n"));
    check_bad(VIEW("Exten"), VIEW("1\r"));
    check_bad(VIEW("Exten"), view_of("1\0"
                                     "2",
                                     3));
    check_bad(VIEW("Ex\nten"), VIEW("1"));
    check_bad(VIEW("Ex:ten"), VIEW("1"));
    check_bad(VIEW("Ex ten"), VIEW("1"));
    check_bad(view_of(NULL, 0), VIEW("1"));
}

static void test_bad_action(void **state)
{
    struct ami_action a;
    struct buf b;

    buf_init(&b, 0);
    ami_action_begin(&a, &b, VIEW("Ping\r\nAction: Logoff"));
    assert_int_equal(ami_action_end(&a), -EINVAL);
    ami_action_begin(&a, &b, view_of(NULL, 0));
    assert_int_equal(ami_action_end(&a), -EINVAL);
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
}

static void test_full(void **state)
{
    struct ami_action a;
    struct buf b;

    buf_init(&b, 20);
    ami_action_begin(&a, &b, VIEW("Ping"));
    assert_int_equal(ami_action_header(&a, VIEW("ActionID"), VIEW("123456789")), -ENOBUFS);
    assert_int_equal(ami_action_end(&a), -ENOBUFS);
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_bad_action),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
