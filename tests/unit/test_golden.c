/* Captures -> the stream of canonical events, as it stands in tests/data/golden/. UPDATE_GOLDEN=1
 * writes the files anew: then read the difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/capture.h"
#include "support/telline.h"

static const char *const names[] = {"02-call-answered", "03-noanswer-cancel", "05-hold",
                                    "06-redirect-blind", "08-atxfer-ami"};
static const char *const versions[] = {"1.8", "20"};

struct stream {
    struct translator *t;
    struct buf out;
};

static void emit(void *arg, const struct tel_out *t)
{
    tel_line(&((struct stream *)arg)->out, t);
}

/* What belongs to a listing has the ActionID of who asked for it. */
static bool on_block(void *arg, const struct ami_block *b)
{
    if (b->kind == AMI_EVENT && !ami_get(b, "ActionID").ptr)
        translator_event(((struct stream *)arg)->t, b->name, b, false);
    return true;
}

static void translate(struct buf *out, const char *version, const char *name, size_t piece)
{
    struct stream s;
    struct buf bytes;
    char path[128];

    snprintf(path, sizeof(path), "%s/%s.ami", version, name);
    capture_load(&bytes, path);
    buf_init(&s.out, 0);
    s.t = translator_new(emit, &s);
    capture_blocks(buf_view(&bytes), piece, on_block, &s);
    translator_destroy(&s.t);
    buf_free(&bytes);
    *out = s.out;
}

static void compare(const char *version, const char *name)
{
    char path[512];
    struct buf got, want;
    char piece[4096];
    size_t n;
    FILE *f;

    translate(&got, version, name, 0);
    snprintf(path, sizeof(path), "%s/golden/%s/%s.tel", TEST_DATA, version, name);
    f = fopen(path, getenv("UPDATE_GOLDEN") ? "w+" : "r");
    assert_non_null(f);
    if (getenv("UPDATE_GOLDEN")) {
        fwrite(buf_data(&got), 1, buf_len(&got), f);
        rewind(f);
    }
    buf_init(&want, 0);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_append(&want, piece, n);
    fclose(f);
    assert_string_equal(buf_cstr(&got), buf_cstr(&want));
    buf_free(&got);
    buf_free(&want);
}

static void captures_tell_the_story_that_was_read_and_found_true(void **state)
{
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            compare(versions[v], names[i]);
}

static void the_split_of_the_input_makes_no_difference(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 100, 1460, 65536};

    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            struct buf whole, split;
            translate(&whole, versions[v], names[i], 0);
            for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
                translate(&split, versions[v], names[i], pieces[p]);
                assert_true(view_eq(buf_view(&whole), buf_view(&split)));
                buf_free(&split);
            }
            buf_free(&whole);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_tell_the_story_that_was_read_and_found_true),
        cmocka_unit_test(the_split_of_the_input_makes_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
