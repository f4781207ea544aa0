/* The filters, as Asterisk 11 (basic regular expressions) and later ones (extended) read them, on
 * what real Asterisks tell: nothing with a row is held back but what is not of use. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "filter.h"
#include "support/capture.h"
#include "translate.h"

#define MAX_FILTERS 16

struct filters {
    regex_t re[MAX_FILTERS];
    size_t n;
    struct translator *t;
    size_t told;
    unsigned passed, held_back;
};

static void compile(struct filters *f, int flags)
{
    const char *pattern;

    for (f->n = 0; (pattern = filter_pattern(f->n)); f->n++) {
        assert_int_equal(pattern[0], '!');
        assert_int_equal(regcomp(&f->re[f->n], pattern + 1, flags | REG_NOSUB), 0);
    }
    assert_true(f->n > 0);
}

static bool is_held_back(struct filters *f, const char *text)
{
    for (size_t i = 0; i < f->n; i++)
        if (regexec(&f->re[i], text, 0, NULL, 0) == 0)
            return true;
    return false;
}

static void release(struct filters *f)
{
    for (size_t i = 0; i < f->n; i++)
        regfree(&f->re[i]);
}

static void on_tel(void *arg, const struct tel_out *t)
{
    ((struct filters *)arg)->told++;
}

/* What is held back has no row, or is a variable that no originate has set. */
static bool look(void *arg, const struct ami_block *b)
{
    struct filters *f = arg;
    char *text = view_dup(b->raw);
    bool held = b->kind == AMI_EVENT && is_held_back(f, text);
    bool variable = view_starts(ami_get(b, "Variable"), VIEW("XIVO_ORIG"));

    f->told = 0;
    if (b->kind == AMI_EVENT && !ami_get(b, "ActionID").ptr) {
        translator_event(f->t, b->name, b, false);
        translator_flush(f->t);
    }
    if (held && (variable || (f->told && !ami_is_event(b, "VarSet"))))
        fail_msg("held back: %s", text);
    if (!held && (ami_is_event(b, "VarSet") || ami_is_event(b, "Newexten")) && f->told == 0)
        fail_msg("let through for nothing: %s", text);
    f->held_back += held;
    f->passed += !held;
    free(text);
    return true;
}

static void check(const char *capture, int flags)
{
    struct filters f = {.n = 0};
    struct buf bytes;

    compile(&f, flags);
    f.t = translator_new(on_tel, &f);
    capture_load(&bytes, capture);
    capture_blocks(buf_view(&bytes), 0, look, &f);
    assert_true(f.held_back > f.passed / 3);
    buf_free(&bytes);
    translator_destroy(&f.t);
    release(&f);
}

static void the_flood_is_held_back_and_nothing_else(void **state)
{
    static const char *const captures[] = {
        "20/02-call-answered.ami", "20/21-originate.ami",  "20/30-chanvars-timestamps.ami",
        "20/20-did-incoming.ami",  "1.8/21-originate.ami", "1.8/30-chanvars-timestamps.ami"};

    for (size_t i = 0; i < ARRAY_SIZE(captures); i++) {
        check(captures[i], 0);
        check(captures[i], REG_EXTENDED);
    }
}

/* channelvars of manager.conf put lines of that kind into every event. */
static void variables_of_channels_are_no_variables_that_are_set(void **state)
{
    static const char event[] =
        "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: SIP/a-1\r\n"
        "ChanVariable: XIVO_USERID=1\r\nChanVariable: FOO=\r\nVariable: XIVO_ORIGACTIONID\r\n"
        "Value: o-1\r\n";
    struct filters f = {.n = 0};

    compile(&f, REG_EXTENDED);
    assert_false(is_held_back(&f, event));
    assert_true(is_held_back(&f, "Event: VarSet\r\nVariable: FOO\r\nValue: 1\r\n"));
    assert_false(is_held_back(&f, "Event: VarSet\r\nVariable: QUEUESTATUS\r\nValue: TIMEOUT\r\n"));
    assert_true(is_held_back(&f, "Event: VarSet\r\nVariable: QUEUESTRATEGY\r\nValue: x\r\n"));
    assert_false(is_held_back(&f, "Event: AgentCalled\r\nVariable: FOO=1\r\n"));
    release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_flood_is_held_back_and_nothing_else),
        cmocka_unit_test(variables_of_channels_are_no_variables_that_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
