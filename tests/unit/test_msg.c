/* msgpack bodies: what is written, and what is refused before anything is allocated for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "msg/msg.h"

#define CHECK(bytes) msg_check(VIEW(bytes))

static void every_kind_of_value_is_taken(void **state)
{
    static const struct view good[] = {
        VIEW("\xc0"),
        VIEW("\xc2"),
        VIEW("\xc3"),
        VIEW("\x00"),
        VIEW("\x7f"),
        VIEW("\xff"),
        VIEW("\xcc\xff"),
        VIEW("\xcd\xff\xff"),
        VIEW("\xce\xff\xff\xff\xff"),
        VIEW("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
        VIEW("\xd0\x80"),
        VIEW("\xd1\x80\0"),
        VIEW("\xd2\x80\0\0\0"),
        VIEW("\xd3\x80\0\0\0\0\0\0\0"),
        VIEW("\xca\0\0\0\0"),
        VIEW("\xcb\0\0\0\0\0\0\0\0"),
        VIEW("\xa0"),
        VIEW("\xa3"
             "abc"),
        VIEW("\xd9\x01"
             "a"),
        VIEW("\xda\0\x01"
             "a"),
        VIEW("\xdb\0\0\0\x01"
             "a"),
        VIEW("\xc4\x01\xff"),
        VIEW("\xc5\0\x01\xff"),
        VIEW("\xc6\0\0\0\x01\xff"),
        VIEW("\x90"),
        VIEW("\x92\x01\x02"),
        VIEW("\xdc\0\x01\x01"),
        VIEW("\xdd\0\0\0\x01\x01"),
        VIEW("\x80"),
        VIEW("\x81\xa1k\x01"),
        VIEW("\xde\0\x01\xa1k\x01"),
        VIEW("\xdf\0\0\0\x01\xa1k\x01"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_int_equal(msg_check(good[i]), 0);
        for (size_t n = 0; n < good[i].len; n++) /* cut anywhere */
            assert_int_equal(msg_check(view_of(good[i].ptr, n)), -EBADMSG);
    }
}

static void lying_sizes_are_refused(void **state)
{
    assert_int_equal(CHECK("\xdd\xff\xff\xff\xff"), -EBADMSG); /* an array of 4 G */
    assert_int_equal(CHECK("\xdf\xff\xff\xff\xff"), -EBADMSG); /* whose doubled size overflows */
    assert_int_equal(CHECK("\xdf\x80\0\0\0"), -EBADMSG);
    assert_int_equal(CHECK("\xdd\0\x10\0\0"), -EBADMSG);
    assert_int_equal(CHECK("\xdb\xff\xff\xff\xff"), -EBADMSG);
    assert_int_equal(CHECK("\xc6\xff\xff\xff\xff"), -EBADMSG);
    assert_int_equal(CHECK("\xdc\xff\xff"), -EBADMSG);
    assert_int_equal(CHECK("\x9f\xdd\xff\xff\xff\xff"), -EBADMSG);
    assert_int_equal(CHECK("\x82\xa1k\x01"), -EBADMSG);
}

static void what_is_not_exactly_one_value_is_refused(void **state)
{
    assert_int_equal(CHECK(""), -EBADMSG);
    assert_int_equal(msg_check(view_of(NULL, 0)), -EBADMSG);
    assert_int_equal(CHECK("\x80\x80"), -EBADMSG);
    assert_int_equal(CHECK("\x91\x01\x02"), -EBADMSG);
}

static void extensions_and_the_unused_byte_are_refused(void **state)
{
    for (int head = 0; head < 256; head++) {
        char bytes[40] = {(char)head, 1};
        bool bad = head == 0xc1 || (head >= 0xc7 && head <= 0xc9) || (head >= 0xd4 && head <= 0xd8);
        for (size_t n = 1; bad && n < sizeof(bytes); n++)
            assert_int_equal(msg_check(view_of(bytes, n)), -EBADMSG);
    }
}

static void strings_must_be_utf8(void **state)
{
    assert_int_equal(CHECK("\xa2\303\251"), 0);
    assert_int_equal(CHECK("\xa1\351"), -EBADMSG);
    assert_int_equal(CHECK("\xa2\xc0\x80"), -EBADMSG);
    assert_int_equal(CHECK("\xa3\xed\xa0\x80"), -EBADMSG);
    assert_int_equal(CHECK("\x81\xa1\xff\x01"), -EBADMSG);
}

static void depth_has_a_bound(void **state)
{
    char bytes[64];

    memset(bytes, 0x91, sizeof(bytes));
    bytes[MSG_MAX_DEPTH] = 0x01;
    assert_int_equal(msg_check(view_of(bytes, MSG_MAX_DEPTH + 1)), 0);
    bytes[MSG_MAX_DEPTH] = (char)0x91;
    bytes[MSG_MAX_DEPTH + 1] = 0x01;
    assert_int_equal(msg_check(view_of(bytes, MSG_MAX_DEPTH + 2)), -EBADMSG);
}

static void the_number_of_values_has_a_bound(void **state)
{
    size_t n = MSG_MAX_ITEMS + 6;
    char *bytes = calloc(1, n);

    memcpy(bytes, "\xdd\0\x1e\x84\x7f", 5); /* 1,999,999 and the array itself */
    assert_int_equal(msg_check(view_of(bytes, 5 + 1999999)), 0);
    bytes[4] = (char)0x80;
    assert_int_equal(msg_check(view_of(bytes, 5 + 2000000)), -EBADMSG);
    free(bytes);
}

static void a_body_is_a_map(void **state)
{
    struct msg_doc d;

    assert_int_equal(msg_doc_init(&d), 0);
    assert_int_equal(msg_parse(&d, VIEW("\x81\xa1k\x01")), 0);
    assert_int_equal(d.root.type, MSGPACK_OBJECT_MAP);
    assert_int_equal(msg_parse(&d, VIEW("\x91\x01")), -EBADMSG);
    assert_int_equal(d.root.type, MSGPACK_OBJECT_NIL);
    assert_int_equal(msg_parse(&d, VIEW("\xdf\xff\xff\xff\xff")), -EBADMSG);
    assert_int_equal(msg_parse(&d, VIEW("\x80")), 0);
    msg_doc_fini(&d);
}

static void what_is_written_is_read_again(void **state)
{
    struct msg_doc d;
    struct buf b;
    size_t mark;

    buf_init(&b, 0);
    msg_doc_init(&d);
    mark = msg_map_begin(&b);
    msg_put_pair(&b, "str", VIEW("caf\303\251"));
    msg_put_pair_u64(&b, "big", UINT64_MAX);
    msg_put_cstr(&b, "neg");
    msg_put_i64(&b, INT64_MIN);
    msg_put_cstr(&b, "dbl");
    msg_put_double(&b, 1.5);
    msg_put_cstr(&b, "yes");
    msg_put_bool(&b, true);
    msg_put_cstr(&b, "nil");
    msg_put_nil(&b);
    msg_put_cstr(&b, "empty");
    msg_put_str(&b, view_of(NULL, 0));
    msg_map_end(&b, mark, 7);
    assert_false(b.failed);
    assert_int_equal(msg_parse(&d, buf_view(&b)), 0);
    assert_true(view_eq(msg_get_str(&d.root, "str"), VIEW("caf\303\251")));
    assert_true(msg_get_u64(&d.root, "big", 0) == UINT64_MAX);
    assert_int_equal(msg_get_i64(&d.root, "big", -7), -7); /* does not fit */
    assert_true(msg_get_i64(&d.root, "neg", 0) == INT64_MIN);
    assert_int_equal(msg_get_u64(&d.root, "neg", 7), 7);
    assert_true(msg_get_double(&d.root, "dbl", 0) == 1.5);
    assert_true(msg_get_bool(&d.root, "yes", false));
    assert_int_equal(msg_get(&d.root, "nil")->type, MSGPACK_OBJECT_NIL);
    assert_int_equal(msg_get_str(&d.root, "empty").len, 0);
    assert_null(msg_get(&d.root, "none"));
    assert_int_equal(msg_get_str(&d.root, "big").len, 0);
    assert_int_equal(msg_get_i64(NULL, "x", 3), 3);
    msg_doc_fini(&d);
    buf_free(&b);
}

static void a_full_buffer_is_told_once_at_the_end(void **state)
{
    struct buf b;

    buf_init(&b, 8);
    msg_put_map(&b, 1);
    msg_put_pair(&b, "key", VIEW("much too long for it"));
    assert_true(b.failed);
    buf_free(&b);
}

static void elements_follow_their_key(void **state)
{
    struct buf out, elements;

    buf_init(&out, 0);
    buf_init(&elements, 4);
    msg_put_i64(&elements, 1);
    msg_put_i64(&elements, 2);
    msg_put_map(&out, 1);
    msg_put_elements(&out, "k", 2, &elements);
    assert_true(view_eq(buf_view(&out), VIEW("\x81\xa1k\x92\x01\x02")));
    assert_false(out.failed);
    msg_put_cstr(&elements, "too long");
    msg_put_elements(&out, "k", 3, &elements);
    assert_true(out.failed);
    buf_free(&elements);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_taken),
        cmocka_unit_test(lying_sizes_are_refused),
        cmocka_unit_test(what_is_not_exactly_one_value_is_refused),
        cmocka_unit_test(extensions_and_the_unused_byte_are_refused),
        cmocka_unit_test(strings_must_be_utf8),
        cmocka_unit_test(depth_has_a_bound),
        cmocka_unit_test(the_number_of_values_has_a_bound),
        cmocka_unit_test(a_body_is_a_map),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_full_buffer_is_told_once_at_the_end),
        cmocka_unit_test(elements_follow_their_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
