/* Captures -> the stream of canonical events, as it stands in tests/data/golden/. UPDATE_GOLDEN=1
 * writes the files anew: then read the difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/capture.h"
#include "support/golden.h"
#include "support/telline.h"

/* Every capture of both versions with events, but the burst. Events of listings are marked. */
static const char *const names[] = {"01-login-listing",
                                    "02-call-answered",
                                    "03-noanswer-cancel",
                                    "05-hold",
                                    "06-redirect-blind",
                                    "08-atxfer-ami",
                                    "11-queue-answered",
                                    "13-queue-members",
                                    "14-agent",
                                    "15-conference",
                                    "16-parking",
                                    "17-voicemail-mwi",
                                    "18-monitor",
                                    "19-userevents-features",
                                    "20-did-incoming",
                                    "21-originate",
                                    "22-fastagi",
                                    "24-nonascii",
                                    "25-errors",
                                    "26-bad-login.mask",
                                    "27-permission-denied",
                                    "28-hints-presence",
                                    "29-eventfilter",
                                    "29-eventfilter.black",
                                    "30-chanvars-timestamps",
                                    "33-midcall-login",
                                    "33-midcall-login.helper",
                                    "34-reload",
                                    "36-xivo2012-perms",
                                    "38-fastagi-pipeline",
                                    "39-hold-moh-iax"};
static const char *const versions[] = {"1.8", "20"};

struct stream {
    struct translator *t;
    struct buf out;
};

static void emit(void *arg, const struct tel_out *t)
{
    tel_line(&((struct stream *)arg)->out, t);
}

/* What belongs to a listing has the ActionID of who asked for it; so have some events. */
static bool on_block(void *arg, const struct ami_block *b)
{
    bool own = view_eq(b->name, VIEW("OriginateResponse")) || view_eq(b->name, VIEW("UserEvent"));

    if (b->kind == AMI_EVENT)
        translator_event(((struct stream *)arg)->t, b->name, b, ami_get(b, "ActionID").ptr && !own);
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
    translator_flush(s.t);
    translator_destroy(&s.t);
    buf_free(&bytes);
    *out = s.out;
}

static void compare(const char *version, const char *name)
{
    struct buf got;
    char path[128];

    translate(&got, version, name, 0);
    snprintf(path, sizeof(path), "%s/%s.tel", version, name);
    golden_compare(path, &got);
    buf_free(&got);
}

static void captures_tell_the_story_that_was_read_and_found_true(void **state)
{
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            compare(versions[v], names[i]);
}

static void the_split_of_the_input_makes_no_difference(void **state)
{
    static const size_t pieces[] = {1, 7, 1460};

    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            struct buf whole, split;
            translate(&whole, versions[v], names[i], 0);
            for (size_t p = 0; p < ARRAY_SIZE(pieces); p++) {
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
