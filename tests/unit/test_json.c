#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/array.h"
#include "json/flat.h"
#include "json/json.h"

static int parse_view(struct view text, struct buf *out)
{
    struct json_parser p;
    struct json_object *obj;
    int rc;

    assert_int_equal(json_parser_init(&p), 0);
    rc = json_parse(&p, text, &obj);
    if (rc == 0 && out)
        json_put_object(out, obj);
    json_object_put(obj);
    json_parser_fini(&p);
    return rc;
}

static int parse(const char *text)
{
    return parse_view(view_cstr(text), NULL);
}

static void assert_round_trip(const char *text, const char *expected)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(parse_view(view_cstr(text), &b), 0);
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
}

static void test_good(void **state)
{
    assert_round_trip("{}", "{}");
    assert_round_trip(" \r\n\t{ \"a\" : [ 1 , true,null ,\"x\"] }\n\n",
                      "{\"a\":[1,true,null,\"x\"]}");
    assert_round_trip("12", "12");
    assert_round_trip("null", "null");
    assert_round_trip("-1.5e3", "-1500.0");
    assert_round_trip("{\"a\":1,\"a\":2}", "{\"a\":2}");
    assert_round_trip("\"\\u00e9\\n\\\"\\\\\\/\\u0001\"", "\"\xc3\xa9\\n\\\"\\\\/\\u0001\"");
    assert_round_trip("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"");
    assert_round_trip("\"\\ud800\"", "\"\xef\xbf\xbd\""); /* half a pair */
    assert_round_trip("\"NaN 'quoted' 1. Infinity\"", "\"NaN 'quoted' 1. Infinity\"");
}

static void test_members(void **state)
{
    char longest[300], key[32];
    clock_t start;
    struct json_object *o = json_object_new_object();

    memset(longest, 'k', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    json_object_object_add(o, "abc", json_object_new_int(1));
    json_object_object_add(o, "", json_object_new_int(2));
    json_object_object_add(o, longest, json_object_new_int(3));
    json_object_object_add(o, longest + 44, json_object_new_int(4)); /* 255 bytes */
    json_object_object_add(o, longest + 43, json_object_new_int(5));
    assert_int_equal(json_object_get_int(json_member(o, view_of("abcd", 3))), 1);
    assert_int_equal(json_object_get_int(json_member(o, view_of(NULL, 0))), 2);
    assert_int_equal(json_object_get_int(json_member(o, view_cstr(longest))), 3);
    assert_int_equal(json_object_get_int(json_member(o, view_cstr(longest + 44))), 4);
    assert_int_equal(json_object_get_int(json_member(o, view_cstr(longest + 43))), 5);
    assert_null(json_member(o, VIEW("abcd")));
    assert_null(json_member(o, VIEW("ab")));
    assert_null(json_member(o, view_of("abc\0d", 5)));
    assert_null(json_member(o, view_cstr(longest + 1)));
    assert_null(json_member(NULL, VIEW("abc")));
    assert_null(json_member(json_member(o, VIEW("abc")), VIEW("abc")));
    json_object_put(o);

    /* among many as among few */
    o = json_object_new_object();
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof(key), "number %d", i);
        json_object_object_add(o, key, json_object_new_int(i));
    }
    start = clock();
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof(key), "number %d", i);
        assert_int_equal(json_object_get_int(json_member(o, view_cstr(key))), i);
    }
    assert_true(clock() - start < 4 * CLOCKS_PER_SEC); /* to compare each took minutes */
    json_object_put(o);
}

static void test_bad(void **state)
{
    static const char *const bad[] = {
        "",        " ",       "{",           "}",         "[1,]",        "{\"a\":1,}", "{\"a\" 1}",
        "{\"a\":", "{a:1}",   "{'a':1}",     "['a']",     "tru",         "True",       "nUll",
        "NaN",     "[NaN]",   "[Infinity]",  "-Infinity", "[-Infinity]", "01",         "+1",
        ".5",      "1.",      "[1.]",        "[1.e3]",    "1.5.2",       "-",          "[-]",
        "[1 2]",   "{} {}",   "{} x",        "// c\n{}",  "/* c */ {}",  "\"a\nb\"",   "\"\\x\"",
        "\"a",     "\"\\u12", "\"\\u12g4\"", "\"a\tb\"",  "\x01{}",      "{}\x1f",     "[\"a\",]"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse(bad[i]) != -EINVAL)
            fail_msg("taken or misnamed: %s -> %d", bad[i], parse(bad[i]));
}

/* What json-c takes, in one version or another, when it is not strict. */
static void test_nearly_json(void **state)
{
    static const char *const bad[] = {
        "-01", "00",     "[1,\n ]",  "{\"a\":1 ,\t}", "1e",      "1e+",     "[123e-]",
        "nan", "[-inf]", "INFINITY", "TRUE",          "[1/**/]", "[tru e]", "[true1]",
        "1-",  ",",      "[,1]",     "[1,,2]",        "- 1",     "0x1",     "[1\xc3\xa9]"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse(bad[i]) != -EINVAL)
            fail_msg("taken or misnamed: %s -> %d", bad[i], parse(bad[i]));
}

static void test_nul_bytes(void **state)
{
    assert_int_equal(parse_view(VIEW("{}\0"), NULL), -EINVAL);
    assert_int_equal(parse_view(VIEW("{}\0garbage"), NULL), -EINVAL);
    assert_int_equal(parse_view(VIEW("\"a\0b\""), NULL), -EINVAL);
    assert_int_equal(parse_view(VIEW("\0"), NULL), -EINVAL);
}

/* json-c would cut the key, and take {"class\u0000": ...} for a class. */
static void test_nul_escapes(void **state)
{
    static const char *const bad[] = {"\"\\u0000\"",
                                      "\"a\\u0000b\"",
                                      "\"\\\\\\u0000\"",
                                      "{\"\\u0000\":1}",
                                      "{\"class\\u0000\":\"x\"}",
                                      "{\"a\":{\"b\":[\"\\u0000\"]}}",
                                      "[\"\\\"\\u0000\"]",
                                      "{\"a\":\"\\ud800\\u0000\"}"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse(bad[i]) != -EINVAL)
            fail_msg("taken: %s -> %d", bad[i], parse(bad[i]));
    assert_round_trip("\"\\\\u0000\"", "\"\\\\u0000\""); /* a backslash and letters */
    assert_round_trip("\"u0000\"", "\"u0000\"");
}

static void assert_duplicate(const char *text, const char *expected)
{
    struct view key = {0};

    assert_int_equal(parse(text), 0);
    assert_int_equal(json_find_duplicate(view_cstr(text), &key), expected ? 1 : 0);
    if (expected)
        assert_true(view_eq(key, view_cstr(expected)));
}

static void test_duplicate_keys(void **state)
{
    assert_duplicate("{}", NULL);
    assert_duplicate("[]", NULL);
    assert_duplicate("\"a\"", NULL);
    assert_duplicate("{\"a\":\"b\",\"b\":\"a\",\"c\":[\"a\",\"a\"]}", NULL);
    assert_duplicate("[{\"a\":1},{\"a\":1}]", NULL);
    assert_duplicate("{\"a\":{\"a\":{\"a\":1}}}", NULL);
    assert_duplicate("{\"a\":{\"b\":1} , \"a\" \n:2}", "a");
    assert_duplicate("[1,{\"x\":{\"a\\\"b\":1,\"c\":\"}{\",\"a\\\"b\":1}}]", "a\\\"b");
    assert_duplicate("{\"\":1,\"\":2}", "");
}

static void test_bad_utf8(void **state)
{
    assert_int_equal(parse("\"\xff\""), -EILSEQ);
    assert_int_equal(parse("\"\xc0\x80\""), -EILSEQ);         /* overlong */
    assert_int_equal(parse("\"\xed\xa0\x80\""), -EILSEQ);     /* surrogate */
    assert_int_equal(parse("\"\xf4\x90\x80\x80\""), -EILSEQ); /* over U+10FFFF */
    assert_int_equal(parse("\"\xe2\x82\""), -EILSEQ);         /* cut off */
    assert_int_equal(parse("{\"\xc3\xa9\":1}"), 0);
}

static void test_deep(void **state)
{
    size_t n = 100000;
    char *text = malloc(2 * n + 1);

    memset(text, '[', n);
    memset(text + n, ']', n);
    assert_int_equal(parse_view(view_of(text, 2 * n), NULL), -E2BIG);
    assert_int_equal(parse_view(view_of(text, n), NULL), -E2BIG);
    /* json-c counts the innermost value as a level, too */
    assert_int_equal(parse_view(view_of(text + n - (JSON_DEPTH - 1), 2 * (JSON_DEPTH - 1)), NULL),
                     0);
    assert_int_equal(parse_view(view_of(text + n - JSON_DEPTH - 1, 2 * (JSON_DEPTH + 1)), NULL),
                     -E2BIG);
    free(text);
    text = malloc(5 * n + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(text + 5 * i, "{\"a\":", 5);
    assert_int_equal(parse_view(view_of(text, 5 * n), NULL), -E2BIG);
    free(text);
}

static void test_huge_numbers(void **state)
{
    assert_round_trip("9223372036854775807", "9223372036854775807");
    assert_round_trip("-9223372036854775808", "-9223372036854775808");
    assert_round_trip("123456789012345678901234567890", "9223372036854775807");
    assert_round_trip("-123456789012345678901234567890", "-9223372036854775808");
    assert_round_trip("[1e999]", "[null]");
    assert_round_trip("[1e999,\"Infinity\"]", "[null,\"Infinity\"]");
    assert_round_trip("1e-999", "0.0");
    assert_round_trip("[-0,0,10,-1.5E+2,0.25e0]", "[0,0,10,-150.0,0.25]");
}

static void test_parser_after_error(void **state)
{
    struct json_parser p;
    struct json_object *obj;

    assert_int_equal(json_parser_init(&p), 0);
    assert_int_equal(json_parse(&p, VIEW("{\"a\":[1,"), &obj), -EINVAL);
    assert_null(obj);
    assert_int_equal(json_parse(&p, VIEW("{\"a\":x}"), &obj), -EINVAL);
    assert_int_equal(p.offset, 5);
    assert_int_equal(json_parse(&p, VIEW("{\"a\":2}"), &obj), 0);
    assert_int_equal(json_get_i64(obj, "a", 0), 2);
    json_object_put(obj);
    json_parser_fini(&p);
}

static void test_getters(void **state)
{
    struct json_parser p;
    struct json_object *o;

    assert_int_equal(json_parser_init(&p), 0);
    assert_int_equal(json_parse(&p,
                                VIEW("{\"s\":\"text\",\"n\":-5,\"id\":\"42\",\"t\":true,\"z\":0,"
                                     "\"null\":null,\"o\":{\"k\":1},\"d\":1.5}"),
                                &o),
                     0);
    assert_true(view_eq(json_get_view(o, "s"), VIEW("text")));
    assert_int_equal(json_get_view(o, "n").len, 0);
    assert_int_equal(json_get_view(o, "none").len, 0);
    assert_int_equal(json_get_i64(o, "n", 7), -5);
    assert_int_equal(json_get_i64(o, "id", 7), 42);
    assert_int_equal(json_get_i64(o, "s", 7), 7);
    assert_int_equal(json_get_i64(o, "d", 7), 7);
    assert_true(json_get_bool(o, "t", false));
    assert_false(json_get_bool(o, "z", true));
    assert_true(json_get_bool(o, "s", true));
    assert_null(json_get(o, "null"));
    assert_int_equal(json_get_i64(json_get_object(o, "o"), "k", 0), 1);
    assert_null(json_get_object(o, "s"));
    assert_int_equal(json_get_i64(NULL, "x", 3), 3);
    assert_int_equal(json_get_i64(json_get(o, "s"), "x", 3), 3);
    json_object_put(o);
    json_parser_fini(&p);
}

static void assert_string(struct view in, const char *expected)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(json_put_string(&b, in), 0);
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
}

static void test_put_string(void **state)
{
    assert_string(VIEW(""), "\"\"");
    assert_string(view_of(NULL, 0), "\"\"");
    assert_string(VIEW("plain"), "\"plain\"");
    assert_string(VIEW("\"\\/\b\f\n\r\t\x01\x1f\x7f"),
                  "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    assert_string(VIEW("a\0b"), "\"a\\u0000b\"");
    assert_string(VIEW("Andr\xc3\xa9"), "\"Andr\xc3\xa9\"");
    assert_string(VIEW("Andr\xe9\n"), "\"Andr\xef\xbf\xbd\\n\"");
}

static void assert_double(double d, const char *expected)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(json_put_double(&b, d), 0);
    assert_string_equal(buf_cstr(&b), expected);
    if (isfinite(d))
        assert_true(strtod(buf_cstr(&b), NULL) == d);
    buf_free(&b);
}

static void test_put_double(void **state)
{
    assert_double(0, "0.0");
    assert_double(0.1, "0.1");
    assert_double(1.0 / 3, "0.3333333333333333");
    assert_double(5, "5.0");
    assert_double(-1e300, "-1e+300");
    assert_double(5e-324, "4.94065645841247e-324");
    assert_double(1234567890.123456, "1234567890.123456");
    assert_double(0.1 + 0.2, "0.30000000000000004");
    assert_double(NAN, "null");
    assert_double(-INFINITY, "null");
}

static void assert_time(double t, const char *expected)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(json_put_time(&b, t), 0);
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
}

static void test_put_time_and_i64(void **state)
{
    struct buf b;

    assert_time(1400000000.5, "1400000000.500000");
    assert_time(1400000000.000001, "1400000000.000001");
    assert_time(0, "0.000000");
    assert_time(0.9999999, "1.000000");
    assert_time(NAN, "null");
    assert_time(-1.5, "-1.5");
    buf_init(&b, 0);
    json_put_i64(&b, INT64_MIN);
    json_put_i64(&b, 0);
    json_put_i64(&b, INT64_MAX);
    assert_string_equal(buf_cstr(&b), "-922337203685477580809223372036854775807");
    buf_free(&b);
}

static void test_put_in_a_full_buffer(void **state)
{
    struct buf b;

    buf_init(&b, 4);
    assert_true(json_put_string(&b, VIEW("much too long")) < 0);
    assert_true(b.failed);
    buf_free(&b);
}

static void test_flat(void **state)
{
    struct json_flat_member m[4];
    struct view text = VIEW("{\"class\":\"getlist\", \"tid\": -12,\"on\":true,\"no\":null}");
    const struct json_flat_member *tid;

    assert_int_equal(json_flat(text, m, 4), 4);
    assert_true(view_eq(m[0].key, VIEW("class")) && view_eq(m[0].value, VIEW("getlist")));
    assert_int_equal(m[0].type, JSON_FLAT_STRING);
    tid = json_flat_get(m, 4, VIEW("tid"));
    assert_non_null(tid);
    assert_int_equal(tid->type, JSON_FLAT_INT);
    assert_true(view_eq(tid->value, VIEW("-12")));
    assert_int_equal(m[3].type, JSON_FLAT_WORD);
    assert_null(json_flat_get(m, 4, VIEW("ti")));
    assert_int_equal(json_flat(text, m, 3), -1);
    assert_int_equal(json_flat(VIEW("{\"a\":0}"), m, 4), 1);
    assert_int_equal(json_flat(VIEW("{\"a\":\"\"}"), m, 4), 1);
}

/* Other JSON, and none: that is for json_parse to say. */
static void test_not_flat(void **state)
{
    static const char *const others[] = {
        "",
        "{}",
        "{",
        "{\"a\":1",
        "{\"a\":1}x",
        "{\"a\":1} ",
        " {\"a\":1}",
        "{\"a\":1,}",
        "{\"a\":}",
        "{\"a\":01}",
        "{\"a\":-0}",
        "{\"a\":-}",
        "{\"a\":1.5}",
        "{\"a\":1e3}",
        "{\"a\":1234567890123456789}",
        "{\"a\":\"b}",
        "{\"a\":\"b\\n\"}",
        "{\"a\":\"b/c\"}",
        "{\"a\":\"\xc3\xa9\"}",
        "{\"a\":\"\x01\"}",
        "{\"a\":[]}",
        "{\"a\":{}}",
        "{\"a\":tru}",
        "{\"a\":True}",
        "{\"a\":1,\"a\":2}",
        "{a:1}",
        "{\"a\" :1}",
        "[1]",
    };
    struct json_flat_member m[4];

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(json_flat(view_cstr(others[i]), m, 4), -1);
    assert_int_equal(json_flat(view_of("{\"a\":\"\0\"}", 9), m, 4), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_not_flat),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nearly_json),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_nul_escapes),
        cmocka_unit_test(test_duplicate_keys),
        cmocka_unit_test(test_bad_utf8),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_huge_numbers),
        cmocka_unit_test(test_parser_after_error),
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_put_string),
        cmocka_unit_test(test_put_double),
        cmocka_unit_test(test_put_time_and_i64),
        cmocka_unit_test(test_put_in_a_full_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
