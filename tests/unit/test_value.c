/* Values of fields: to and from JSON and msgpack, lists, truth, text. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/array.h"
#include "xod/value.h"

static struct value from_json_text(const char *text)
{
    struct json_object *o = json_tokener_parse(text);
    struct value v;

    assert_int_equal(value_from_json(&v, o), 0);
    json_object_put(o);
    return v;
}

static void assert_json(const struct value *v, const char *text)
{
    struct buf out;

    buf_init(&out, 0);
    value_put_json(&out, v);
    assert_string_equal(buf_cstr(&out), text);
    buf_free(&out);
}

static struct value through_msgpack(const struct value *v)
{
    struct value back;
    struct msg_doc doc;
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(msg_doc_init(&doc), 0);
    msg_put_map(&b, 1);
    msg_put_cstr(&b, "v");
    value_pack(&b, v);
    assert_int_equal(msg_parse(&doc, buf_view(&b)), 0);
    assert_int_equal(value_from_msg(&back, msg_get(&doc.root, "v")), 0);
    msg_doc_fini(&doc);
    buf_free(&b);
    return back;
}

static void json_and_msgpack_carry_every_value_unchanged(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "1.5",
        "-0.25",
        "\"\"",
        "\"caf\303\251 \\\" \\\\ \\n \\u0001\"",
        "[]",
        "[1,\"two\",null,[true]]",
        "{}",
        "{\"a\":{\"b\":[{}]},\"c\":\"d\"}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct value v = from_json_text(texts[i]);
        struct value back = through_msgpack(&v);
        struct value copy;
        assert_json(&v, texts[i]);
        assert_json(&back, texts[i]);
        assert_true(value_eq(&v, &back));
        assert_int_equal(value_copy(&copy, &v), 0);
        value_clear(&v);
        assert_json(&copy, texts[i]);
        value_clear(&copy);
        value_clear(&back);
        assert_int_equal(copy.type, V_NULL);
    }
}

static void a_string_may_hold_a_nul(void **state)
{
    struct value v = from_json_text("\"a\\u0000b\"");
    struct value back = through_msgpack(&v);

    assert_int_equal(back.len, 3);
    assert_true(value_eq(&v, &back));
    value_clear(&v);
    value_clear(&back);
}

static void what_json_cannot_say_is_null(void **state)
{
    struct value v = {.type = V_FLOAT, .f = INFINITY};

    assert_json(&v, "null");
    v.f = NAN;
    assert_json(&v, "null");
    assert_true(value_eq(&v, &v)); /* else it would be told at every event */
}

/* n lists around an empty one */
static char *nested(int n)
{
    char *text = calloc(2 * (size_t)n + 3, 1);

    memset(text, '[', (size_t)n + 1);
    memset(text + n + 1, ']', (size_t)n + 1);
    return text;
}

static void nesting_has_a_bound(void **state)
{
    char *text = nested(VALUE_MAX_DEPTH);
    struct json_object *o = json_tokener_parse(text);
    struct value v;

    assert_int_equal(value_from_json(&v, o), 0);
    value_clear(&v);
    json_object_put(o);
    free(text);
    text = nested(VALUE_MAX_DEPTH + 1);
    o = json_tokener_parse(text);
    assert_int_equal(value_from_json(&v, o), -E2BIG);
    assert_int_equal(v.type, V_NULL);
    json_object_put(o);
    free(text);
}

static void nesting_over_msgpack_has_the_same_bound(void **state)
{
    struct msg_doc doc;
    struct value v;
    struct buf b;

    buf_init(&b, 0);
    msg_doc_init(&doc);
    for (int depth = VALUE_MAX_DEPTH; depth <= VALUE_MAX_DEPTH + 1; depth++) {
        buf_reset(&b);
        buf_append_cstr(&b, "\x81\xa1v");
        for (int i = 0; i < depth; i++)
            buf_append_char(&b, (char)0x91);
        buf_append_char(&b, (char)0x90);
        assert_int_equal(msg_parse(&doc, buf_view(&b)), 0);
        assert_int_equal(value_from_msg(&v, msg_get(&doc.root, "v")),
                         depth > VALUE_MAX_DEPTH ? -E2BIG : 0);
        value_clear(&v);
    }
    msg_doc_fini(&doc);
    buf_free(&b);
}

static void a_map_with_keys_that_are_no_strings_is_refused(void **state)
{
    struct msg_doc doc;
    struct value v;

    msg_doc_init(&doc);
    assert_int_equal(msg_parse(&doc, VIEW("\x81\xa1v\x81\x01\x02")), 0);
    assert_int_equal(value_from_msg(&v, msg_get(&doc.root, "v")), -EBADMSG);
    assert_int_equal(v.type, V_NULL);
    msg_doc_fini(&doc);
}

static void a_number_beyond_int64_is_the_greatest_there_is(void **state)
{
    struct msg_doc doc;
    struct value v;

    msg_doc_init(&doc);
    assert_int_equal(msg_parse(&doc, VIEW("\x81\xa1v\xcf\xff\xff\xff\xff\xff\xff\xff\xff")), 0);
    assert_int_equal(value_from_msg(&v, msg_get(&doc.root, "v")), 0);
    assert_true(v.type == V_INT && v.i == INT64_MAX);
    msg_doc_fini(&doc);
}

static void values_differ_by_type_too(void **state)
{
    static const char *const texts[] = {"null",  "false",     "0",        "0.0", "\"\"",
                                        "\"0\"", "[]",        "{}",       "[0]", "[1]",
                                        "[0,1]", "{\"a\":0}", "{\"a\":1}"};
    size_t n = ARRAY_SIZE(texts);

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            struct value a = from_json_text(texts[i]);
            struct value b = from_json_text(texts[j]);
            assert_int_equal(value_eq(&a, &b), i == j);
            value_clear(&a);
            value_clear(&b);
        }
}

static void truth_is_what_clients_take_it_for(void **state)
{
    static const char *const no[] = {"null",  "false",     "0",  "0.0", "\"\"",
                                     "\"0\"", "\"False\"", "[]", "{}"};
    static const char *const yes[] = {"true",     "1",     "-1",  "0.5",      "\"1\"",
                                      "\"true\"", "\"x\"", "[0]", "{\"a\":0}"};

    for (size_t i = 0; i < 9; i++) {
        struct value a = from_json_text(no[i]);
        struct value b = from_json_text(yes[i]);
        assert_false(value_truth(&a));
        assert_true(value_truth(&b));
        value_clear(&a);
        value_clear(&b);
    }
}

static void scalars_have_a_text(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {{"\"x\"", "x"}, {"12", "12"},
                 {"true", "1"},  {"false", "0"},
                 {"1.5", "1.5"}, {"null", ""},
                 {"[1]", ""},    {"-9223372036854775808", "-9223372036854775808"}};
    char scratch[32];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct value v = from_json_text(cases[i].json);
        assert_true(view_eq(value_text(&v, scratch), view_cstr(cases[i].text)));
        value_clear(&v);
    }
}

static void a_list_of_ids_keeps_its_order(void **state)
{
    struct value v = {.type = V_NULL};

    value_list_add(&v, VIEW("b"));
    value_list_add(&v, VIEW("a"));
    value_list_add(&v, VIEW("c"));
    assert_json(&v, "[\"b\",\"a\",\"c\"]");
    assert_true(value_list_has(&v, VIEW("a")));
    assert_true(value_list_del(&v, VIEW("a")));
    assert_false(value_list_del(&v, VIEW("a")));
    assert_json(&v, "[\"b\",\"c\"]");
    value_list_del(&v, VIEW("b"));
    value_list_del(&v, VIEW("c"));
    assert_json(&v, "[]");
    value_clear(&v);
}

static void a_copy_is_as_it_was_copied(void **state)
{
    struct value v = from_json_text("{\"a\":[\"b\",\"c\"]}");
    struct value copy, one = {.type = V_NULL}, two;

    assert_int_equal(value_copy(&copy, &v), 0);
    assert_true(value_eq(&copy, &v));
    value_list_del(&v.items[1], VIEW("b"));
    value_set_str(&v.items[1].items[0], VIEW("d"));
    assert_json(&v, "{\"a\":[\"d\"]}");
    assert_json(&copy, "{\"a\":[\"b\",\"c\"]}");
    value_clear(&v);
    assert_json(&copy, "{\"a\":[\"b\",\"c\"]}");
    value_clear(&copy);

    assert_int_equal(value_set_str(&one, VIEW("text")), 0);
    assert_int_equal(value_copy(&two, &one), 0);
    assert_int_equal(value_set_str(&one, value_view(&one)), 0); /* of itself */
    assert_true(value_eq(&one, &two));
    value_clear(&one);
    assert_true(view_eq(value_view(&two), VIEW("text")));
    value_clear(&two);
}

static void setting_frees_what_was_there(void **state)
{
    struct value v = from_json_text("{\"a\":[\"b\"]}");

    assert_int_equal(value_set_str(&v, VIEW("x")), 0);
    value_set_int(&v, 1);
    assert_json(&v, "1");
    value_set_float(&v, 1.5);
    value_set_bool(&v, true);
    assert_json(&v, "true");
    assert_true(value_fits(&v, T_BOOL | T_NULL));
    assert_false(value_fits(&v, T_STR));
    assert_true(value_fits(&v, T_ANY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_and_msgpack_carry_every_value_unchanged),
        cmocka_unit_test(a_string_may_hold_a_nul),
        cmocka_unit_test(what_json_cannot_say_is_null),
        cmocka_unit_test(nesting_has_a_bound),
        cmocka_unit_test(nesting_over_msgpack_has_the_same_bound),
        cmocka_unit_test(a_map_with_keys_that_are_no_strings_is_refused),
        cmocka_unit_test(a_number_beyond_int64_is_the_greatest_there_is),
        cmocka_unit_test(values_differ_by_type_too),
        cmocka_unit_test(truth_is_what_clients_take_it_for),
        cmocka_unit_test(scalars_have_a_text),
        cmocka_unit_test(a_list_of_ids_keeps_its_order),
        cmocka_unit_test(a_copy_is_as_it_was_copied),
        cmocka_unit_test(setting_frees_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
