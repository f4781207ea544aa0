/* What is wrong with the arguments of a command of the tool, and how its options are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/array.h"
#include "tool.h"

#define MAX_ARGS 8

static const struct command passwd = {.name = "passwd",
                                      .args = "LOGIN [--number NUMBER] [--clear]",
                                      .help = "--clear keeps it. Others: --profile ID, --tls-ca\n"
                                              "FILE, --stdin; --quiet"},
                            snapshot = {.name = "snapshot", .args = "[LIST [ID]]", .help = ""},
                            record = {.name = "record",
                                      .args = "[--pace real|xN] FILE [PREFIX...]",
                                      .help = ""},
                            tokens = {.name = "tokens",
                                      .args = "[USER] | --new USER | --revoke USER",
                                      .help = ""},
                            check = {.name = "check", .args = "", .help = ""};

/* Of words between blanks. */
static int split(char *text, char **argv)
{
    char *rest;
    int n = 0;

    for (char *word = strtok_r(text, " ", &rest); word && n < MAX_ARGS;
         word = strtok_r(NULL, " ", &rest))
        argv[n++] = word;
    return n;
}

static void test_faults(void **state)
{
    static const struct {
        const struct command *c;
        const char *args, *fault;
    } cases[] = {
        {&passwd, "", "LOGIN is missing"},
        {&passwd, "eve", ""},
        {&passwd, "eve extra", "\"extra\" is too much"},
        {&passwd, "eve --nosuch", "there is no option --nosuch"},
        {&passwd, "eve -x", "there is no option -x"},
        {&passwd, "eve --num 1", "there is no option --num"},
        {&passwd, "eve --number --stdin", "--number needs a value"},
        {&passwd, "eve --number", "--number needs a value"},
        {&passwd, "eve --number=--7", ""},
        {&passwd, "--number 1", "LOGIN is missing"},
        {&passwd, "eve --clear=yes", "--clear takes no value"},
        {&passwd, "eve --profile", "--profile needs a value"},
        {&passwd, "eve --tls-ca", "--tls-ca needs a value"},
        {&passwd, "eve --stdin --quiet", ""},
        {&snapshot, "a b", ""},
        {&snapshot, "a b c", "\"c\" is too much"},
        {&record, "", "FILE is missing"},
        {&record, "--pace x3", "FILE is missing"},
        {&record, "--pace x3 f a b c", ""},
        {&tokens, "a b", "\"b\" is too much"},
        {&tokens, "--revoke", "--revoke needs a value"},
        {&check, "extra", "\"extra\" is too much"},
    };
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[64];
        char *argv[MAX_ARGS];
        snprintf(text, sizeof(text), "%s", cases[i].args);
        buf_reset(&out);
        tool_put_fault(cases[i].c, split(text, argv), argv, &out);
        if (!view_eq(buf_view(&out), view_cstr(cases[i].fault)))
            fail_msg("%s %s: %.*s", cases[i].c->name, cases[i].args, VIEW_ARG(buf_view(&out)));
    }
    buf_free(&out);
}

static void test_options(void **state)
{
    char text[] = "--number 7 --number=--8 --number --clear";
    char *args[MAX_ARGS];
    char **argv = args;
    int argc = split(text, args);
    const char *value = NULL;

    assert_false(tool_option(&argc, &argv, "num", &value));
    assert_true(tool_option(&argc, &argv, "number", &value));
    assert_string_equal(value, "7");
    assert_true(tool_option(&argc, &argv, "number", &value));
    assert_string_equal(value, "--8");
    assert_false(tool_option(&argc, &argv, "number", &value));
    assert_int_equal(argc, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
