/* The bounds of the AMI reader, and that all it says is the same whatever the split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "ami/ami.h"
#include "base/clock.h"
#include "base/map.h"

struct sum {
    struct ami_parser p;
    uint64_t hash;
    unsigned blocks;
};

static void mix(struct sum *s, struct view v)
{
    s->hash = map_hash(s->hash + v.len, v);
}

static bool add(void *arg, const struct ami_block *b)
{
    struct sum *s = arg;

    s->hash += b->kind;
    mix(s, b->name);
    for (unsigned i = 0; i < b->n; i++) {
        mix(s, b->headers[i].name);
        mix(s, b->headers[i].value);
    }
    mix(s, b->text);
    mix(s, b->raw);
    s->blocks++;
    return true;
}

static struct sum *sum_new(void)
{
    struct sum *s = malloc(sizeof(*s));

    assert_non_null(s);
    ami_parser_init(&s->p);
    s->hash = s->blocks = 0;
    return s;
}

static size_t step(struct sum *s, struct view in, size_t done, size_t shown)
{
    done += ami_parse(&s->p, view_of(in.ptr + done, shown - done), add, s);
    assert_true(done <= shown && shown - done < AMI_MAX_BLOCK);
    return done;
}

static struct sum *sum_whole(struct view in)
{
    struct sum *s = sum_new();

    step(s, in, 0, in.len);
    return s;
}

static void same(const struct sum *a, const struct sum *b)
{
    assert_int_equal(a->blocks, b->blocks);
    assert_true(a->hash == b->hash);
    assert_memory_equal(&a->p.counts, &b->p.counts, sizeof(a->p.counts));
}

static void check_two_pieces(struct view in, const struct sum *whole, size_t split)
{
    struct sum *s = sum_new();

    step(s, in, step(s, in, 0, split), in.len);
    same(whole, s);
    free(s);
}

/* Pieces of 1 to `most` bytes, by a small generator so that a failure comes again. */
static void check_pieces(struct view in, const struct sum *whole, uint32_t seed, size_t most)
{
    struct sum *s = sum_new();
    size_t done = 0;

    for (size_t shown = 0; shown < in.len;) {
        seed = seed * 1664525u + 1013904223u;
        shown += 1 + (seed >> 8) % most;
        if (shown > in.len)
            shown = in.len;
        done = step(s, in, done, shown);
    }
    same(whole, s);
    free(s);
}

static void check_splits(struct view in)
{
    struct sum *whole = sum_whole(in);

    if (in.len <= 3000)
        for (size_t i = 0; i <= in.len; i++)
            check_two_pieces(in, whole, i);
    if (in.len <= 300000)
        check_pieces(in, whole, 1, 1);
    for (uint32_t seed = 2; seed < 5; seed++) {
        check_pieces(in, whole, seed, 7);
        check_pieces(in, whole, seed, 1500);
        check_pieces(in, whole, seed, 70000);
    }
    free(whole);
}

static void load(const char *path, struct buf *out)
{
    gzFile f = gzopen(path, "rb");
    int n;

    assert_non_null(f);
    do {
        char *p = buf_reserve(out, 65536);
        assert_non_null(p);
        n = gzread(f, p, 65536);
        assert_true(n >= 0);
        buf_commit(out, (size_t)n);
        if (buf_len(out) > 4000000) /* the first MBs of a burst are enough */
            break;
    } while (n > 0);
    gzclose(f);
}

static bool is_capture(const char *name)
{
    size_t n = strlen(name);

    return (n > 4 && strcmp(name + n - 4, ".ami") == 0) ||
           (n > 5 && strcmp(name + n - 5, ".sent") == 0) ||
           (n > 7 && strcmp(name + n - 7, ".ami.gz") == 0);
}

static unsigned check_folder(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    unsigned files = 0;

    assert_non_null(d);
    while ((e = readdir(d))) {
        struct buf all;
        char path[4096];
        if (!is_capture(e->d_name))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        buf_init(&all, 0);
        load(path, &all);
        check_splits(buf_view(&all));
        buf_free(&all);
        files++;
    }
    closedir(d);
    return files;
}

static void test_captures(void **state)
{
    assert_true(check_folder(TEST_DATA "/ami/1.8") > 60);
    assert_true(check_folder(TEST_DATA "/ami/20") > 60);
}

/* A block of exactly n bytes with its last line end, then its empty line, then a good one. */
static void big_block(struct buf *b, const char *head, size_t n, const char *tail)
{
    buf_append_cstr(b, head);
    buf_append_cstr(b, "X: ");
    while (buf_len(b) < n - 2)
        buf_append_char(b, 'y');
    buf_append_cstr(b, "\r\n");
    buf_append_cstr(b, tail);
    buf_append_cstr(b, "Event: Good\r\n\r\n");
}

static void check_near_bound(struct buf *b)
{
    struct sum *whole = sum_whole(buf_view(b));
    size_t len = buf_len(b);

    for (size_t i = len - 80; i <= len; i++)
        check_two_pieces(buf_view(b), whole, i);
    for (size_t i = AMI_MAX_BLOCK - 40; i < AMI_MAX_BLOCK + 40 && i <= len; i++)
        check_two_pieces(buf_view(b), whole, i);
    check_pieces(buf_view(b), whole, 1, 1);
    free(whole);
}

static void check_big(const char *head, size_t n, const char *tail, unsigned skipped,
                      unsigned trimmed)
{
    struct buf b;
    struct sum *s;

    buf_init(&b, 0);
    big_block(&b, head, n, tail);
    s = sum_whole(buf_view(&b));
    assert_int_equal(s->blocks, 2 - skipped);
    assert_int_equal(s->p.counts.skipped, skipped);
    assert_int_equal(s->p.counts.trimmed, trimmed);
    check_near_bound(&b);
    buf_free(&b);
    free(s);
}

static void test_oversize(void **state)
{
    /* The empty line counts, so that the reader never has to keep more than the bound. */
    check_big("Event: A\r\n", AMI_MAX_BLOCK - 2, "\r\n", 0, 0);
    check_big("Event: A\r\n", AMI_MAX_BLOCK - 1, "\r\n", 0, 1);
    check_big("Event: A\r\n", AMI_MAX_BLOCK, "\r\n", 0, 1);
    check_big("Event: A\r\n", AMI_MAX_BLOCK + 1, "\r\n", 0, 1);
    check_big("Event: A\r\n", AMI_MAX_BLOCK + 100, "Z: 1\r\n\r\n", 0, 1);
    check_big("Event: A\r\n", 3 * AMI_MAX_BLOCK, "Z: 1\r\n\r\n", 0, 1);
    check_big("Event: A\r\n", 3 * AMI_MAX_BLOCK, "", 0, 1); /* torn: the next begins at once */
    check_big("noise\r\n", AMI_MAX_BLOCK + 1, "\r\n", 1, 0);
    check_big("", 3 * AMI_MAX_BLOCK, "\r\n", 1, 0);
    check_big("", 3 * AMI_MAX_BLOCK, "Event: Hidden\r\nZ: 1\r\n\r\n", 1, 0);
    check_big("noise\r\n", AMI_MAX_BLOCK + 1, "Event: Hidden\r\n\r\n", 1, 0);
}

static void test_oversize_command(void **state)
{
    /* Its empty lines do not end it, its mark does; a lost mark does not lose what follows. */
    check_big("Response: Follows\r\n", 2 * AMI_MAX_BLOCK, "\nEve\n--END COMMAND--\r\n\r\n", 1, 0);
    check_big("Response: Follows\r\n", 2 * AMI_MAX_BLOCK, "\nEve\n\r\n", 1, 0);
}

static void many_headers(struct buf *b, unsigned n)
{
    buf_append_cstr(b, "Event: Many\r\n");
    for (unsigned i = 1; i < n; i++)
        buf_printf(b, "H%u: %u\r\n", i, i);
    buf_append_cstr(b, "\r\nEvent: Good\r\n\r\n");
}

static void test_headers_bound(void **state)
{
    for (unsigned n = AMI_MAX_HEADERS - 1; n < AMI_MAX_HEADERS + 3; n++) {
        unsigned over = n > AMI_MAX_HEADERS;
        struct buf b;
        struct sum *s;
        buf_init(&b, 0);
        many_headers(&b, n);
        s = sum_whole(buf_view(&b));
        assert_int_equal(s->blocks, 2);
        assert_int_equal(s->p.counts.trimmed, over);
        assert_int_equal(s->p.counts.lost_lines, over ? n - AMI_MAX_HEADERS : 0);
        check_pieces(buf_view(&b), s, 1, 1);
        buf_free(&b);
        free(s);
    }
}

/* ---- what is told of a block over a bound ---- */

struct told {
    struct ami_parser p;
    char text[8192];
};

static bool write_down(void *arg, const struct ami_block *b)
{
    struct told *t = arg;
    size_t n = strlen(t->text);

    n += (size_t)snprintf(t->text + n, sizeof(t->text) - n, "%.*s[", VIEW_ARG(b->name));
    for (unsigned i = 0; i < b->n; i++)
        n += (size_t)snprintf(t->text + n, sizeof(t->text) - n, "%.*s=%.*s ",
                              VIEW_ARG(b->headers[i].name), VIEW_ARG(b->headers[i].value));
    snprintf(t->text + n, sizeof(t->text) - n, "] ");
    return true;
}

static void assert_told(struct buf *in, const char *expected, uint64_t lost)
{
    struct told *t = calloc(1, sizeof(*t));
    struct sum *whole = sum_whole(buf_view(in));

    ami_parser_init(&t->p);
    ami_parse(&t->p, buf_view(in), write_down, t);
    assert_string_equal(t->text, expected);
    assert_int_equal(t->p.counts.lost_lines, lost);
    for (uint32_t seed = 2; seed < 5; seed++) {
        check_pieces(buf_view(in), whole, seed, 7);
        check_pieces(buf_view(in), whole, seed, 70000);
    }
    free(whole);
    free(t);
    buf_free(in);
}

static void put_long(struct buf *b, const char *name, size_t n)
{
    buf_append_cstr(b, name);
    while (n-- > 0)
        buf_append_char(b, 'v');
    buf_append_cstr(b, "\r\n");
}

/* A hangup of which only the variables are too long, wherever they stand, is a hangup. */
static void test_what_is_left_of_a_large_block(void **state)
{
    static const char *const hangup = "Hangup[Event=Hangup Channel=SIP/a-1 Uniqueid=1.2 Cause=16 ] "
                                      "Good[Event=Good ] ";
    struct buf b;

    buf_init(&b, 0);
    buf_append_cstr(&b, "Event: Hangup\r\nChannel: SIP/a-1\r\nUniqueid: 1.2\r\n");
    put_long(&b, "ChanVariable(SIP/a-1): x=", 70000);
    buf_append_cstr(&b, "Cause: 16\r\n\r\nEvent: Good\r\n\r\n");
    assert_told(&b, hangup, 0);

    buf_append_cstr(&b, "Event: Hangup\r\n");
    for (int i = 0; i < 600; i++)
        put_long(&b, "ChanVariable: x=", 200);
    buf_append_cstr(&b,
                    "Channel: SIP/a-1\r\nUniqueid: 1.2\r\nCause: 16\r\n\r\nEvent: Good\r\n\r\n");
    assert_told(&b, hangup, 0);

    buf_append_cstr(&b, "Event: Hangup\r\nChannel: SIP/a-1\r\n");
    for (int i = 0; i < 600; i++)
        buf_append_cstr(&b, "ChanVariable: a=b\r\n");
    buf_append_cstr(&b, "Uniqueid: 1.2\r\nCause: 16\r\nEvent: Good\r\n\r\n"); /* torn */
    assert_told(&b, hangup, 0);

    buf_append_cstr(&b, "Event: UserEvent\r\n");
    put_long(&b, "Data: ", 66000);
    buf_append_cstr(&b, "Event: mine\r\nChannel: SIP/a-1\r\n\r\n");
    assert_told(&b, "UserEvent[Event=UserEvent Event=mine Channel=SIP/a-1 ] ", 1);

    buf_append_cstr(&b, "Response: Success\r\nActionID: 7\r\n");
    for (int i = 0; i < 40; i++)
        put_long(&b, "Output: ", 4000);
    buf_append_cstr(&b, "Message: end\r\n\r\nEvent: Good\r\n\r\n");
    struct sum *s = sum_whole(buf_view(&b));
    assert_int_equal(s->blocks, 2); /* answered, with what fits */
    assert_int_equal(s->p.counts.trimmed, 1);
    assert_int_equal(s->p.counts.lost_lines, 0);
    free(s);
    buf_free(&b);
}

/* Of a block over a bound, with three lines of n bytes and one of `last`: how many are lost. */
static uint64_t lost_of_trimmed(size_t n, size_t last)
{
    uint64_t lost;
    struct sum *s;
    struct buf b;

    buf_init(&b, 0);
    buf_append_cstr(&b, "Event: Hangup\r\n");
    put_long(&b, "ChanVariable: x=", 70000);
    for (int i = 0; i < 3; i++)
        put_long(&b, "A: ", n - 3);
    put_long(&b, "B: ", last - 3);
    buf_append_cstr(&b, "\r\n");
    s = sum_whole(buf_view(&b));
    assert_int_equal(s->blocks, 1);
    assert_int_equal(s->p.counts.trimmed, 1);
    lost = s->p.counts.lost_lines;
    free(s);
    buf_free(&b);
    return lost;
}

static void test_what_is_kept_is_bounded(void **state)
{
    /* each line with its end, and that of the event */
    const size_t room = AMI_TRIMMED_BLOCK - 14 - (size_t)3 * (AMI_TRIMMED_LINE + 1);

    assert_int_equal(lost_of_trimmed(AMI_TRIMMED_LINE, room - 1), 0);
    assert_int_equal(lost_of_trimmed(AMI_TRIMMED_LINE, room), 1);
    assert_int_equal(lost_of_trimmed(AMI_TRIMMED_LINE + 1, 100), 3);
}

/* The largest block a byte at a time: each byte once, or this would take minutes. */
static void test_trickle(void **state)
{
    uint64_t t0 = clock_mono_us();

    for (int i = 0; i < 20; i++) {
        struct buf b;
        struct sum *s;
        buf_init(&b, 0);
        big_block(&b, "Event: A\r\n", AMI_MAX_BLOCK - 2, "\r\n");
        s = sum_whole(buf_view(&b));
        check_pieces(buf_view(&b), s, 1, 1);
        free(s);
        buf_free(&b);
    }
    assert_true(clock_mono_us() - t0 < 30000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captures),
        cmocka_unit_test(test_oversize),
        cmocka_unit_test(test_oversize_command),
        cmocka_unit_test(test_headers_bound),
        cmocka_unit_test(test_what_is_left_of_a_large_block),
        cmocka_unit_test(test_what_is_kept_is_bounded),
        cmocka_unit_test(test_trickle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
