#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypt_text.h"
#include "base/dialled.h"
#include "base/digest.h"
#include "base/hostport.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/uri.h"
#include "base/utf8.h"

static void assert_view(struct view v, const char *expected)
{
    assert_int_equal(v.len, strlen(expected));
    assert_true(view_eq(v, view_cstr(expected)));
}

static void test_view_compare(void **state)
{
    assert_true(view_eq(VIEW(""), view_of(NULL, 0)));
    assert_true(view_eq(VIEW("a\0b"), VIEW("a\0b")));
    assert_false(view_eq(VIEW("a"), VIEW("ab")));
    assert_true(view_ieq(VIEW("SIP/Ab-1"), VIEW("sip/aB-1")));
    assert_false(view_ieq(VIEW("["), VIEW("{"))); /* not letters, though they differ by 0x20 */
    assert_false(view_ieq(VIEW("a"), VIEW("ab")));
    assert_true(view_cmp(VIEW("a"), VIEW("b")) < 0);
    assert_true(view_cmp(VIEW("ab"), VIEW("a")) > 0);
    assert_true(view_cmp(VIEW("\x80"), VIEW("a")) > 0);
    assert_int_equal(view_cmp(view_of(NULL, 0), VIEW("")), 0);
    assert_true(view_starts(VIEW("abc"), VIEW("ab")));
    assert_true(view_starts(VIEW(""), view_of(NULL, 0)));
    assert_false(view_starts(VIEW("a"), VIEW("ab")));
    assert_int_equal(view_cstr(NULL).len, 0);
}

static void test_view_find_and_trim(void **state)
{
    assert_int_equal(view_find(VIEW("hello"), VIEW("lo")), 3);
    assert_int_equal(view_find(VIEW("hello"), VIEW("ll ")), -1);
    assert_int_equal(view_find(VIEW("hello"), VIEW("")), 0);
    assert_int_equal(view_find(VIEW(""), VIEW("x")), -1);
    assert_view(view_trim(VIEW(" \t a b \t")), "a b");
    assert_view(view_trim(VIEW(" \t ")), "");
    assert_view(view_trim(VIEW("")), "");
    assert_view(view_trim(VIEW("\na\n")), "\na\n");
}

static void test_view_cut(void **state)
{
    struct view rest = VIEW("a,,b");
    struct view none = view_of(NULL, 0);

    assert_view(view_cut(&rest, ','), "a");
    assert_view(view_cut(&rest, ','), "");
    assert_view(view_cut(&rest, ','), "b");
    assert_int_equal(rest.len, 0);
    assert_view(view_cut(&rest, ','), "");
    assert_view(view_cut(&none, ','), "");
    rest = VIEW("a,");
    assert_view(view_cut(&rest, ','), "a");
    assert_view(rest, "");
}

static void test_view_numbers(void **state)
{
    int64_t i;
    uint64_t u;

    assert_int_equal(view_to_i64(VIEW("-9223372036854775808"), &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(view_to_i64(VIEW("9223372036854775807"), &i), 0);
    assert_true(i == INT64_MAX);
    assert_int_equal(view_to_i64(VIEW("9223372036854775808"), &i), -ERANGE);
    assert_int_equal(view_to_i64(VIEW("-9223372036854775809"), &i), -ERANGE);
    assert_int_equal(view_to_u64(VIEW("18446744073709551615"), &u), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(view_to_u64(VIEW("18446744073709551616"), &u), -ERANGE);
    assert_int_equal(view_to_u64(VIEW("-1"), &u), -EINVAL);
    for (const char *const *bad =
             (const char *const[]){"", "-", "+1", " 1", "1 ", "1a", "0x1", NULL};
         *bad; bad++)
        assert_int_equal(view_to_i64(view_cstr(*bad), &i), -EINVAL);
    assert_int_equal(view_to_i64(VIEW("-0"), &i), 0);
    assert_int_equal(i, 0);
}

static void test_view_dup(void **state)
{
    char *s = view_dup(VIEW("ab"));
    char *empty = view_dup(view_of(NULL, 0));

    assert_string_equal(s, "ab");
    assert_string_equal(empty, "");
    free(s);
    free(empty);
}

static void test_buf_append_and_consume(void **state)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(buf_view(&b).len, 0);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf_printf(&b, "%d,", i), 0);
    assert_int_equal(buf_len(&b), 48890);
    buf_consume(&b, 2);
    assert_true(view_starts(buf_view(&b), VIEW("1,2,3,")));
    buf_consume(&b, buf_len(&b) - 5);
    assert_string_equal(buf_cstr(&b), "9999,");
    buf_consume(&b, 5);
    assert_int_equal(buf_len(&b), 0);
    assert_string_equal(buf_cstr(&b), "");
    buf_free(&b);
    assert_int_equal(buf_append_char(&b, 'x'), 0); /* usable again */
    buf_free(&b);
}

static void test_buf_bound(void **state)
{
    volatile size_t huge = SIZE_MAX; /* so that the compiler does not see it */
    struct buf b;

    buf_init(&b, 4);
    assert_int_equal(buf_append_cstr(&b, "abc"), 0);
    assert_int_equal(buf_append_cstr(&b, "de"), -ENOBUFS);
    assert_true(b.failed);
    assert_string_equal(buf_cstr(&b), "abc");
    assert_null(buf_reserve(&b, 2));
    assert_int_equal(buf_append(&b, "x", huge), -ENOBUFS);
    buf_reset(&b);
    assert_false(b.failed);
    assert_int_equal(buf_append_cstr(&b, "defg"), 0);
    assert_string_equal(buf_cstr(&b), "defg");
    assert_int_equal(buf_append_char(&b, 'h'), -ENOBUFS);
    buf_consume(&b, 1);
    assert_int_equal(buf_append_char(&b, 'h'), 0); /* the bound is on what is in it */
    assert_string_equal(buf_cstr(&b), "efgh");
    buf_free(&b);
}

/* A queue that is never quite empty must not grow for ever. */
static void test_buf_slides(void **state)
{
    struct buf b;

    buf_init(&b, 0);
    buf_append_cstr(&b, "0123456789");
    for (int i = 0; i < 100000; i++) {
        buf_append_cstr(&b, "0123456789");
        buf_consume(&b, 10);
    }
    assert_string_equal(buf_cstr(&b), "0123456789");
    assert_true(b.cap <= 1024);
    buf_free(&b);
}

static void test_buf_reserve(void **state)
{
    struct buf b;
    char *scratch;

    buf_init(&b, 0);
    scratch = buf_reserve(&b, 1000);
    memset(scratch, 'x', 1000);
    buf_commit(&b, 500);
    assert_int_equal(buf_len(&b), 500);
    buf_free(&b);
}

static void test_buf_long_printf(void **state)
{
    struct buf b;

    buf_init(&b, 2000);
    assert_int_equal(buf_printf(&b, "%1500d", 7), 0);
    assert_int_equal(buf_len(&b), 1500);
    assert_int_equal(buf_data(&b)[1499], '7');
    assert_true(buf_printf(&b, "%1500d", 7) < 0);
    assert_int_equal(buf_len(&b), 1500);
    buf_free(&b);
}

#define ENTRIES 20000
static void test_map(void **state)
{
    static char keys[ENTRIES][12];
    struct map *m = map_new();
    size_t pos = 0;
    size_t seen = 0;
    struct view key;
    void *value;

    for (size_t i = 0; i < ENTRIES; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key%zu", i);
        assert_int_equal(map_put(m, view_cstr(keys[i]), keys[i]), 0);
    }
    assert_int_equal(map_count(m), ENTRIES);
    for (size_t i = 0; i < ENTRIES; i += 2)
        assert_ptr_equal(map_del(m, view_cstr(keys[i])), keys[i]);
    assert_null(map_del(m, view_cstr(keys[0])));
    for (size_t i = 0; i < ENTRIES; i++)
        assert_ptr_equal(map_get(m, view_cstr(keys[i])), i % 2 ? keys[i] : NULL);
    while (map_next(m, &pos, &key, &value)) {
        assert_true(view_eq(key, view_cstr(value)));
        map_del(m, key); /* the one just given may go */
        seen++;
    }
    assert_int_equal(seen, ENTRIES / 2);
    assert_int_equal(map_count(m), 0);
    map_destroy(&m);
    assert_null(m);
}

/* Tombs must neither fill the map nor hide what lies behind them. */
static void test_map_churn(void **state)
{
    struct map *m = map_new();
    char keys[16][16];

    for (int i = 0; i < 200000; i++) {
        char *key = keys[i % 16];
        if (i >= 16)
            assert_ptr_equal(map_del(m, view_cstr(key)), key);
        snprintf(key, sizeof(keys[0]), "%d", i);
        assert_int_equal(map_put(m, view_cstr(key), key), 0);
    }
    assert_int_equal(map_count(m), 16);
    map_destroy(&m);
}

static void test_map_replace(void **state)
{
    struct map *m = map_new();
    char one[] = "k";
    char two[] = "k";

    assert_int_equal(map_put(m, view_cstr(one), one), 0);
    assert_int_equal(map_put(m, view_cstr(two), two), 0);
    one[0] = 'x'; /* the old key is not looked at any more */
    assert_ptr_equal(map_get(m, VIEW("k")), two);
    assert_int_equal(map_count(m), 1);
    assert_int_equal(map_put(m, VIEW(""), two), 0);
    assert_ptr_equal(map_get(m, view_of(NULL, 0)), two);
    map_destroy(&m);
}

static void assert_mended(struct view in, const char *expected)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(utf8_mend(&b, in), 0);
    assert_string_equal(buf_len(&b) ? buf_cstr(&b) : "", expected);
    assert_true(utf8_valid(buf_view(&b)));
    assert_int_equal(utf8_valid(in), view_eq(in, buf_view(&b)));
    buf_free(&b);
}

#define R "\xef\xbf\xbd"
static void test_utf8_good(void **state)
{
    static const char *const good[] = {"",
                                       "plain ASCII of more than eight bytes",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "12345678\xc3\xa9"};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_mended(view_cstr(good[i]), good[i]);
    assert_true(utf8_valid(VIEW("a\0b")));
}

/* U+FFFD for each maximal bad part: chapter 3.9 of Unicode, tables 3-8 to 3-11 among them. */
static void test_utf8_maximal_parts(void **state)
{
    assert_mended(VIEW("\x80"), R);
    assert_mended(VIEW("\xbf\x80"), R R);
    assert_mended(VIEW("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"), R R R R R R R R "A");
    assert_mended(VIEW("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"), R R R R R R R R "A");
    assert_mended(VIEW("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"), R R R R R "A" R R "B");
    assert_mended(VIEW("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), R R R R "A");
    assert_mended(VIEW("\xc1\x81"), R R);
    assert_mended(VIEW("\xf5\x80\x80\x80"), R R R R);
    assert_mended(VIEW("\xfe\xff"), R R);
    assert_mended(VIEW("\xc3"), R);              /* cut off after 1 of 2, */
    assert_mended(VIEW("\xe2\x82"), R);          /* 2 of 3, */
    assert_mended(VIEW("\xf0\x9f\x98"), R);      /* 3 of 4 */
    assert_mended(VIEW("\xf0\x9f\x98x"), R "x"); /* and followed by something else */
    assert_mended(VIEW("\xe2\x82\xc3\xa9"), R "\xc3\xa9");
    assert_mended(VIEW("\xe0\x9f\xbf"), R R R); /* overlong */
    assert_mended(VIEW("\xf0\x8f\xbf\xbf"), R R R R);
    assert_mended(VIEW("1234567\xff"
                       "12345678\xff"),
                  "1234567" R "12345678" R);
}

static void test_utf8_any_two_bytes(void **state)
{
    for (unsigned i = 0; i < 0x10000; i++) {
        char two[2] = {(char)(i >> 8), (char)i};
        struct buf b;
        buf_init(&b, 0);
        assert_int_equal(utf8_mend(&b, view_of(two, 2)), 0);
        assert_true(utf8_valid(buf_view(&b)));
        buf_free(&b);
    }
}

static void test_utf8_full_buffer(void **state)
{
    struct buf b;

    buf_init(&b, 4);
    assert_true(utf8_mend(&b, VIEW("\xff\xff")) < 0);
    buf_free(&b);
    buf_init(&b, 3);
    assert_true(utf8_from_latin1(&b, VIEW("\xe9\xe9")) < 0);
    buf_free(&b);
}

static void test_utf8_cut(void **state)
{
    assert_view(utf8_cut(VIEW("abc"), 3), "abc");
    assert_view(utf8_cut(VIEW("abc"), 2), "ab");
    assert_view(utf8_cut(VIEW("a\u00e9b"), 3), "a\u00e9");
    assert_view(utf8_cut(VIEW("a\u00e9b"), 2), "a");
    assert_view(utf8_cut(VIEW("\U0001f600"), 3), "");
    assert_view(utf8_cut(VIEW("\x80\x80\x80"), 2), "");
    assert_view(utf8_cut(view_of(NULL, 0), 2), "");
}

static void test_uri_put_escaped(void **state)
{
    struct buf b;

    buf_init(&b, 0);
    uri_put_escaped(&b, VIEW("aZ0-._~ /?&=%+\u00e9\0x"));
    assert_view(buf_view(&b), "aZ0-._~%20%2F%3F%26%3D%25%2B%C3%A9%00x");
    buf_free(&b);
}

static void test_latin1(void **state)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(utf8_from_latin1(&b, VIEW("Andr\xe9 \x80\xff")), 0);
    assert_string_equal(buf_cstr(&b), "Andr\xc3\xa9 \xc2\x80\xc3\xbf");
    buf_free(&b);
}

static void note_destroyed(void *value)
{
    ++*(int *)value;
}

static void test_map_destroys_its_values(void **state)
{
    int a = 0;
    int b = 0;
    struct map *m = map_new();

    map_put(m, VIEW("a"), &a);
    map_put(m, VIEW("b"), &b);
    map_destroy_with(&m, note_destroyed);
    assert_null(m);
    assert_int_equal(a, 1);
    assert_int_equal(b, 1);
    map_destroy_with(&m, note_destroyed); /* there is none */
    assert_int_equal(a, 1);
}

static void test_rng(void **state)
{
    char a[65];
    char b[65];
    unsigned seen[256] = {0};
    char empty[1] = {'x'};

    rng_alnum(a, 64);
    rng_alnum(b, 64);
    assert_int_equal(strlen(a), 64);
    assert_string_not_equal(a, b);
    for (int round = 0; round < 200; round++) {
        rng_alnum(a, 64);
        for (int i = 0; i < 64; i++) {
            assert_true(isalnum((unsigned char)a[i]));
            seen[(unsigned char)a[i]]++;
        }
    }
    for (const char *p = "AZaz09"; *p; p++)
        assert_in_range(seen[(unsigned char)*p], 100, 350); /* about 206 each */
    rng_alnum(empty, 0);
    assert_int_equal(empty[0], '\0');
    assert_true(rng_u64() != rng_u64());
}

static void test_backoff_doubles_to_its_most_and_then_jitters(void **state)
{
    static const uint32_t ms[] = {500, 1000, 2000, 4000, 8000, 16000};

    for (unsigned n = 0; n < ARRAY_SIZE(ms); n++) {
        assert_int_equal(backoff_ms(500, 30000, n, 0), ms[n]);
        assert_int_equal(backoff_ms(500, 30000, n, UINT64_MAX), ms[n]);
    }
    for (unsigned n = ARRAY_SIZE(ms); n < 1000; n++)
        for (uint64_t r = 0; r < 100000; r += 7919)
            assert_in_range(backoff_ms(500, 30000, n, r), 22500, 30000);
    assert_int_equal(backoff_ms(500, 30000, 6, 0), 30000);
    assert_int_equal(backoff_ms(500, 30000, UINT32_MAX, 0), 30000);
    assert_int_not_equal(backoff_ms(500, 30000, 6, 1), backoff_ms(500, 30000, 6, 2));
    assert_int_equal(backoff_ms(500, 30000, 6, 7500), 22500);
}

static void test_backoff_at_its_limits(void **state)
{
    assert_int_equal(backoff_ms(1000, 1000, 0, 0), 1000);
    assert_int_equal(backoff_ms(5000, 1000, 0, 0), 1000);
    assert_int_equal(backoff_ms(1, UINT32_MAX, 31, 0), UINT32_C(1) << 31);
    assert_int_equal(backoff_ms(1, UINT32_MAX, 32, 0), UINT32_MAX);
    assert_int_equal(backoff_ms(UINT32_MAX, UINT32_MAX, 31, 0), UINT32_MAX);
    assert_int_equal(backoff_ms(1, 1, 3, UINT64_MAX), 1);
}

static void test_clock_once_in(void **state)
{
    uint64_t last = 0;

    assert_true(clock_once_in(&last, 60000000));
    assert_true(last > 0);
    assert_false(clock_once_in(&last, 60000000));
    assert_true(clock_once_in(&last, 0));
    last = clock_mono_us() - 60000000;
    assert_true(clock_once_in(&last, 60000000));
    assert_false(clock_once_in(&last, 60000000));
}

static void test_clock(void **state)
{
    uint64_t a = clock_mono_us();

    assert_true(clock_mono_us() >= a);
    assert_true(clock_wall() > 1.7e9);
}

static void assert_host(const char *addr, const char *host, unsigned port)
{
    struct view h;
    uint16_t p;

    assert_int_equal(hostport_split(view_cstr(addr), &h, &p), 0);
    assert_view(h, host);
    assert_int_equal(p, port);
}

static void test_hostport(void **state)
{
    struct view h;
    uint16_t p;

    assert_host("127.0.0.1:5003", "127.0.0.1", 5003);
    assert_host("[::1]:0", "::1", 0);
    assert_host("*:65535", "", 65535);
    assert_host(":80", "", 80);
    assert_host("state.example:1", "state.example", 1);
    for (const char *const *bad =
             (const char *const[]){"", ":", "a", "a:", "a:b", "a:65536", "a:-1", "::1:80", "[::1]",
                                   "[::1]80", "[]:80", "a b:80", "http://a:80", "[::1:80", NULL};
         *bad; bad++)
        assert_int_equal(hostport_split(view_cstr(*bad), &h, &p), -EINVAL);
}

static void test_dialled_as_people_write(void **state)
{
    static const struct {
        const char *written, *number;
    } cases[] = {
        {"+49 (0)89 123456", "+4989123456"},
        {"0049 (0) 89 123456", "004989123456"},
        {"+44 (0)20 7946 0958", "+442079460958"},
        {"(0)89 123456", "089123456"}, /* no country: it is dialled */
        {"418-555-1234 x12", "4185551234"},
        {"418-555-1234x12", "4185551234"},
        {"(418) 555-1234 ext. 12", "4185551234"},
        {"1002 poste 5", "1002"},
        {"01 23 45 67 89 (office)", "0123456789"},
        {"1002 (office)", "1002"},
        {"01 23 45 67 89 home", "0123456789"},
        {"01 23 45 67 89 / 06 12 34 56 78", "0123456789"},
        {"tel:+33-1-23-45-67-89;ext=5", "+33123456789"},
        {"sip:1002@example.net;user=phone", "1002"},
        {"SIPS:1002@example.net", "1002"},
        {"1-800-FLOWERS", "1800FLOWERS"},
        {"*98", "*98"},
        {"vm1002", "vm1002"},
        {"*21*0612345678#", "*21*0612345678#"},
        {"+33 1 23 45 67 89", "+33123456789"},
    };
    char out[64];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        dialled(view_cstr(cases[i].written), out, sizeof(out));
        assert_string_equal(out, cases[i].number);
    }
    assert_true(dialled_digits(VIEW("+49 (0)89 123456 Fax 2"), out, sizeof(out)));
    assert_string_equal(out, "+4989123456");
}

static void test_dialled(void **state)
{
    char out[8];

    assert_true(dialled(VIEW("+3 (6)-12"), out, sizeof(out)));
    assert_string_equal(out, "+3612");
    assert_true(dialled(VIEW("*a#\r\n:;Z"), out, sizeof(out)));
    assert_string_equal(out, "*a#Z");
    assert_true(dialled(VIEW("1234567"), out, sizeof(out)));
    assert_false(dialled(VIEW("12345678"), out, sizeof(out)));
    assert_string_equal(out, "");
    assert_false(dialled(VIEW("() -"), out, sizeof(out)));
    assert_false(dialled(VIEW(""), out, sizeof(out)));
    assert_string_equal(out, "");
    assert_true(dialled_digits(VIEW("Fax: +3*12#"), out, sizeof(out)));
    assert_string_equal(out, "+3*12#");
    assert_false(dialled_digits(VIEW("fax"), out, sizeof(out)));
}

static void control_characters_of_both_ranges(void **state)
{
    static const struct view none[] = {
        {"", 0}, {" zo\xc3\xa9~", 6}, {"\xc2\xa0\xc3\x80", 4}, {"\xc2", 1}};
    static const struct view some[] = {{"bob\0N", 5},   {"\t", 1},         {"a\x7f", 2},
                                       {"\xc2\x80", 2}, {"x\xc2\x9fy", 4}, {"\x1f", 1}};

    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        assert_false(utf8_has_control(none[i]));
    for (size_t i = 0; i < ARRAY_SIZE(some); i++)
        assert_true(utf8_has_control(some[i]));
    assert_int_equal(utf8_control_at(VIEW("a\tb"), 1), 1);
    assert_int_equal(utf8_control_at(VIEW("a\xc2\x85"), 1), 2);
    assert_int_equal(utf8_control_at(VIEW("a\xc2\x85"), 0), 0);
}

static void test_utf8_length(void **state)
{
    assert_int_equal(utf8_length(VIEW("ab")), 1);
    assert_int_equal(utf8_length(VIEW("\u00e9b")), 2);
    assert_int_equal(utf8_length(VIEW("\u20ac")), 3);
    assert_int_equal(utf8_length(VIEW("\U0001f600")), 4);
    assert_int_equal(utf8_length(VIEW("\xe2\x82")), 0);
    assert_int_equal(utf8_length(VIEW("\xed\xa0\x80")), 0);
    assert_int_equal(utf8_length(view_of(NULL, 0)), 0);
}

static void digests_in_hexadecimal(void **state)
{
    char out[DIGEST_HEX];

    /* RFC 3174, RFC 1321, FIPS 180-2 */
    assert_true(DIGEST_HEX_OF(EVP_sha1(), out, VIEW("a"), VIEW("bc")));
    assert_string_equal(out, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_true(DIGEST_HEX_OF(EVP_md5(), out, VIEW("")));
    assert_string_equal(out, "d41d8cd98f00b204e9800998ecf8427e");
    assert_true(DIGEST_HEX_OF(EVP_sha256(), out, VIEW("abc")));
    assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hashes_of_passwords(void **state)
{
    static const char *const hashes[] = {
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$5$salt$Gcm6FsVtF/Qa77ZKD.iwsJlCVPY0XSMgLJL0Hnww/c1",
        "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
        "$y$j9T$abcdefgh$abcdefghijklmnopqrstuvwxyz0123456789ABCDEF/",
    };
    static const char *const others[] = {"",
                                         "$",
                                         "$$",
                                         "secret",
                                         "$money",
                                         "$6$abc",
                                         "$6$salt$tooshort",
                                         "$1$5f4dcc3b",
                                         "$$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
                                         "x$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
                                         "$1$saltsalt$qjXMvbEw8oaL CzflDtaK/",
                                         "5f4dcc3b5aa765d61d8327deb882cf99"};

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
        assert_true(crypt_text_is_hash(view_cstr(hashes[i])));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(crypt_text_is_hash(view_cstr(others[i])));
}

static void names_that_nearly_agree(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {{"", "", 0},
                 {"sip", "sip", 0},
                 {"", "sip", 3},
                 {"sip", "", 3},
                 {"sip", "sup", 1},
                 {"sip", "sp", 1},
                 {"sp", "sip", 1},
                 {"psip", "spip", 1},
                 {"fristname", "firstname", 1},
                 {"pasword", "password", 1},
                 {"abcd", "badc", 2},
                 {"sip", "iax", 3}};
    char longer[65];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(view_distance(view_cstr(cases[i].a), view_cstr(cases[i].b)),
                         cases[i].distance);
        assert_int_equal(view_distance(view_cstr(cases[i].b), view_cstr(cases[i].a)),
                         cases[i].distance);
    }
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(view_distance(view_of(longer, 63), view_of(longer, 63)), 0);
    assert_int_equal(view_distance(view_of(longer, 64), view_of(longer, 64)), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_of_passwords),
        cmocka_unit_test(names_that_nearly_agree),
        cmocka_unit_test(test_view_compare),
        cmocka_unit_test(test_dialled),
        cmocka_unit_test(test_dialled_as_people_write),
        cmocka_unit_test(test_view_find_and_trim),
        cmocka_unit_test(test_view_cut),
        cmocka_unit_test(test_view_numbers),
        cmocka_unit_test(test_view_dup),
        cmocka_unit_test(test_buf_append_and_consume),
        cmocka_unit_test(test_buf_bound),
        cmocka_unit_test(test_buf_slides),
        cmocka_unit_test(test_buf_reserve),
        cmocka_unit_test(test_buf_long_printf),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_churn),
        cmocka_unit_test(test_map_replace),
        cmocka_unit_test(control_characters_of_both_ranges),
        cmocka_unit_test(test_utf8_good),
        cmocka_unit_test(test_utf8_maximal_parts),
        cmocka_unit_test(test_utf8_any_two_bytes),
        cmocka_unit_test(test_utf8_full_buffer),
        cmocka_unit_test(test_utf8_length),
        cmocka_unit_test(test_utf8_cut),
        cmocka_unit_test(test_uri_put_escaped),
        cmocka_unit_test(test_latin1),
        cmocka_unit_test(test_map_destroys_its_values),
        cmocka_unit_test(test_rng),
        cmocka_unit_test(test_backoff_doubles_to_its_most_and_then_jitters),
        cmocka_unit_test(test_backoff_at_its_limits),
        cmocka_unit_test(test_clock_once_in),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_hostport),
        cmocka_unit_test(digests_in_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
