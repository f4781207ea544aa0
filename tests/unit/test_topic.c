/* Topics: segments, escapes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "bus/topic.h"

static void assert_segment(struct view segment, const char *written)
{
    struct buf out;
    struct view rest;

    buf_init(&out, 0);
    topic_put(&out, segment);
    assert_string_equal(buf_cstr(&out), written);
    rest = view_cstr(written);
    buf_reset(&out);
    assert_int_equal(topic_next(&rest, &out), 0);
    assert_true(view_eq(buf_view(&out), segment));
    assert_int_equal(rest.len, 0);
    buf_free(&out);
}

static void a_segment_is_written_and_read_again(void **state)
{
    assert_segment(VIEW("xivo"), "xivo/");
    assert_segment(VIEW(""), "/");
    assert_segment(VIEW("SIP/1001-00000a"), "SIP%2F1001-00000a/");
    assert_segment(VIEW("100% a\tb\n"), "100%25%20a%09b%0A/");
    assert_segment(VIEW("caf\303\251\x7f"), "caf\303\251\x7f/");
    assert_segment(VIEW("a\0b"), "a%00b/");
    assert_segment(VIEW("%2F"), "%252F/");
}

static void segments_are_cut_off_one_by_one(void **state)
{
    struct view rest = VIEW("tel/a%2fb/channel/new/");
    struct buf out;

    buf_init(&out, 0);
    assert_int_equal(topic_next(&rest, NULL), 0);
    assert_int_equal(topic_next(&rest, &out), 0);
    assert_string_equal(buf_cstr(&out), "a/b");
    assert_true(view_eq(rest, VIEW("channel/new/")));
    buf_free(&out);
}

static void what_is_no_topic_is_refused(void **state)
{
    static const char *const bad[] = {"", "a", "%/", "%2/", "%g0/", "%0g/", "a%", "%2"};
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct view rest = view_cstr(bad[i]);
        assert_int_equal(topic_next(&rest, &out), -EINVAL);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_written_and_read_again),
        cmocka_unit_test(segments_are_cut_off_one_by_one),
        cmocka_unit_test(what_is_no_topic_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
