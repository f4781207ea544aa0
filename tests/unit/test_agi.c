/* FastAGI lines: the recorded sessions of Asterisk 1.8 and 20, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "agi/agi.h"
#include "base/array.h"

#define ENV "agi_network: yes\nagi_network_script: presence\nagi_channel: SIP/pstn-00000000\n"

static struct view get(const char *text, const char *name, struct agi_env *env)
{
    size_t seen = 0;
    struct view in = view_cstr(text);

    assert_int_equal(agi_env_len(in, &seen), in.len);
    assert_int_equal(agi_env_read(env, in), 0);
    return agi_env_get(env, name);
}

static void assert_view(struct view v, const char *text)
{
    if (!view_eq(v, view_cstr(text)))
        fail_msg("\"%.*s\" is not \"%s\"", VIEW_ARG(v), text);
}

static void reads_an_environment(void **state)
{
    static struct agi_env env;

    assert_view(get(ENV "agi_accountcode: \nagi_calleridname: a: b\n\n", "calleridname", &env),
                "a: b");
    assert_view(agi_env_get(&env, "network_script"), "presence");
    assert_view(agi_env_get(&env, "accountcode"), "");
    assert_view(agi_env_get(&env, "nothing"), "");
    assert_int_equal(env.n_args, 0);
}

/* What AGI(url,arg one,deux été,,"quoted"?x=1) gives. */
static void reads_arguments(void **state)
{
    static struct agi_env env;

    get(ENV "agi_arg_1: arg one\nagi_arg_2: deux \xc3\xa9t\xc3\xa9\nagi_arg_3: \n"
            "agi_arg_4: quoted?x=1\n\n",
        "channel", &env);
    assert_int_equal(env.n_args, 4);
    assert_view(env.args[0], "arg one");
    assert_view(env.args[1], "deux \xc3\xa9t\xc3\xa9");
    assert_view(env.args[2], "");
    assert_view(env.args[3], "quoted?x=1");
}

static void takes_line_ends_of_both_kinds(void **state)
{
    static struct agi_env env;

    assert_view(get("agi_network: yes\r\nagi_channel: SIP/x\r\n\r\n", "channel", &env), "SIP/x");
}

static void waits_for_the_rest(void **state)
{
    static const char text[] = ENV "\n";
    size_t seen = 0;

    for (size_t n = 0; n < sizeof(text) - 1; n++)
        assert_int_equal(agi_env_len(view_of(text, n), &seen), 0);
    assert_int_equal(agi_env_len(view_of(text, sizeof(text) - 1), &seen), sizeof(text) - 1);
}

static void leaves_what_follows(void **state)
{
    static const char text[] = ENV "\nHANGUP\n";
    size_t seen = 0;

    assert_int_equal(agi_env_len(view_cstr(text), &seen), sizeof(text) - 1 - 7);
}

static int fault(const char *text)
{
    static struct agi_env env;
    size_t seen = 0;
    ssize_t n = agi_env_len(view_cstr(text), &seen);

    return n < 0 ? (int)n : agi_env_read(&env, view_of(text, (size_t)n));
}

static void refuses_what_is_none(void **state)
{
    assert_int_equal(fault("GET / HTTP/1.1\r\n\r\n"), -EBADMSG);
    assert_int_equal(fault("\n"), -EBADMSG);
    assert_int_equal(fault("x"), -EBADMSG);
    assert_int_equal(fault("agi_network yes\n\n"), -EBADMSG);
    assert_int_equal(fault("agi_network: yes\nother: x\n\n"), -EBADMSG);
    assert_int_equal(fault("agi_arg_129: x\n\n"), -EBADMSG);
    assert_int_equal(fault("agi_arg_0: x\n\n"),
                     0); /* not a number that counts: a name like others */
}

#define HEAD "agi_network: yes\nagi_request: agi://h/s\nagi_channel: SIP/a-1\nagi_callerid: 1001\n"
#define TAIL "agi_dnid: 1002\nagi_extension: 1002\nagi_accountcode: \nagi_arg_1: x\n\n"

static void assert_named(const char *text, const char *name)
{
    static struct agi_env env;
    struct view whole = view_cstr(text);
    size_t seen = 0, byte_by_byte = 0;

    assert_int_equal(agi_env_len(whole, &seen), whole.len);
    for (size_t n = 1; n < whole.len; n++)
        assert_int_equal(agi_env_len(view_of(text, n), &byte_by_byte), 0);
    assert_int_equal(agi_env_read(&env, whole), 0);
    assert_view(agi_env_get(&env, "calleridname"), name);
    assert_view(agi_env_get(&env, "channel"), "SIP/a-1");
    assert_view(agi_env_get(&env, "dnid"), "1002");
    assert_view(agi_env_get(&env, "extension"), "1002");
    assert_int_equal(env.n_args, 1);
    assert_view(env.args[0], "x");
}

/* A caller chooses his name. */
static void a_name_may_hold_line_ends(void **state)
{
    assert_named(HEAD "agi_calleridname: Bob\nthe builder\n" TAIL, "Bob\nthe builder");
    assert_named(HEAD "agi_calleridname: Bob\n\nGET /\n" TAIL, "Bob\n\nGET /");
    assert_named(HEAD "agi_calleridname: \nBob\n" TAIL, "\nBob");
    assert_named(HEAD "agi_calleridname: \n\n\n" TAIL, "\n\n");
    assert_named(HEAD "agi_calleridname: a\nagi_channel: SIP/x-9\nagi_extension: 0\nagi_dnid: 7\n"
                      "agi_arg_1: y\n" TAIL,
                 "a");
}

static void refuses_what_has_no_end(void **state)
{
    size_t seen = 0;
    char *text = malloc(AGI_MAX_ENV);

    assert_non_null(text);
    memset(text, 'x', AGI_MAX_ENV);
    memcpy(text, "agi_a: ", 7);
    assert_int_equal(agi_env_len(view_of(text, AGI_MAX_ENV - 1), &seen), 0);
    assert_int_equal(agi_env_len(view_of(text, AGI_MAX_ENV), &seen), -EBADMSG);
    free(text);
}

static void refuses_too_many_lines(void **state)
{
    struct buf b;

    buf_init(&b, 0);
    for (int i = 0; i <= AGI_MAX_VARS; i++)
        buf_printf(&b, "agi_v%d: x\n", i);
    buf_append_cstr(&b, "\n");
    assert_int_equal(fault(buf_cstr(&b)), -EBADMSG);
    buf_free(&b);
}

/* ---- commands ---- */

static void assert_set(const char *name, const char *value, const char *line)
{
    struct buf out;

    buf_init(&out, 0);
    assert_int_equal(agi_put_set(&out, view_cstr(name), view_cstr(value)), 0);
    assert_string_equal(buf_cstr(&out), line);
    buf_free(&out);
}

static void writes_variables(void **state)
{
    assert_set("XIVO_SRCTON", "0", "SET VARIABLE XIVO_SRCTON \"0\"\n");
    assert_set("CALLERID(name)", "Soci\xc3\xa9t\xc3\xa9",
               "SET VARIABLE CALLERID(name) \"Soci\xc3\xa9t\xc3\xa9\"\n");
    assert_set("P", "{\"a\": 2}", "SET VARIABLE P \"{\\\"a\\\": 2}\"\n");
    assert_set("P", "a\\b", "SET VARIABLE P \"a\\\\b\"\n");
    assert_set("P", "", "SET VARIABLE P \"\"\n");
}

static void lets_no_value_be_a_command(void **state)
{
    assert_set("P", "a\nHANGUP\r\n", "SET VARIABLE P \"a HANGUP  \"\n");
}

static void refuses_names(void **state)
{
    static const char *const names[] = {"", "A B", "A\nHANGUP", "A\"", "A\\", "A\x7f", "\t"};
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(agi_put_set(&out, view_cstr(names[i]), VIEW("x")), -EINVAL);
    assert_int_equal(buf_len(&out), 0);
    buf_free(&out);
}

static void refuses_what_asterisk_would_cut(void **state)
{
    struct buf out;
    char text[AGI_MAX_COMMAND];

    memset(text, 'x', sizeof(text));
    buf_init(&out, 0);
    /* SET VARIABLE P "..." and the line end */
    assert_int_equal(agi_put_set(&out, VIEW("P"), view_of(text, AGI_MAX_COMMAND - 18)), 0);
    assert_int_equal(buf_len(&out), AGI_MAX_COMMAND);
    assert_int_equal(agi_put_set(&out, VIEW("P"), view_of(text, AGI_MAX_COMMAND - 17)), -EMSGSIZE);
    assert_int_equal(buf_len(&out), AGI_MAX_COMMAND);
    buf_free(&out);
}

/* ---- answers ---- */

static enum agi_answer read_one(const char *line)
{
    struct agi_answers a = {0};

    return agi_answer_read(&a, view_cstr(line));
}

static void reads_answers(void **state)
{
    assert_int_equal(read_one("200 result=1 (a (b) c)"), AGI_DONE);
    assert_int_equal(read_one("200 result=-1 endpos=0"), AGI_DONE);
    assert_int_equal(read_one("HANGUP"), AGI_HANGUP);
    assert_int_equal(read_one("510 Invalid or unknown command"), AGI_UNKNOWN);
    assert_int_equal(read_one("511 Command Not Permitted on a dead channel or intercept routine"),
                     AGI_DEAD);
    assert_int_equal(read_one("520 Invalid command syntax.  Proper usage not available."),
                     AGI_USAGE);
    assert_int_equal(read_one(""), AGI_PART); /* no answer to anything */
    assert_int_equal(read_one("\r"), AGI_OTHER);
    assert_int_equal(read_one("2000"), AGI_OTHER);
}

/* As Asterisk 1.8 writes it: the last line of the usage has no end of its own. */
static void reads_a_usage_of_several_lines(void **state)
{
    struct agi_answers a = {0};

    assert_int_equal(
        agi_answer_read(&a, VIEW("520-Invalid command syntax.  Proper usage follows:")), AGI_PART);
    assert_int_equal(agi_answer_read(&a, VIEW(" Usage: SET VARIABLE <variablename> <value>")),
                     AGI_PART);
    assert_int_equal(agi_answer_read(&a, VIEW("200 of these520 End of proper usage.")), AGI_USAGE);
    assert_int_equal(agi_answer_read(&a, VIEW("200 result=1")), AGI_DONE);
}

/* ---- what was recorded ---- */

static void read_recorded(const char *path)
{
    static struct agi_env env;
    struct agi_answers answers = {0};
    struct buf b;
    struct view rest;
    size_t seen = 0;
    ssize_t len;

    buf_init(&b, 0);
    assert_int_equal(buf_read_file(&b, path), 0);
    len = agi_env_len(buf_view(&b), &seen);
    if (len <= 0 || agi_env_read(&env, view_of(buf_data(&b), (size_t)len)) < 0)
        fail_msg("%s: no environment", path);
    assert_view(agi_env_get(&env, "network"), "yes");
    assert_true(agi_env_get(&env, "channel").len > 0);
    assert_true(agi_env_get(&env, "uniqueid").len > 0);
    rest = view_of(buf_data(&b) + len, buf_len(&b) - (size_t)len);
    while (rest.len)
        if (agi_answer_read(&answers, view_cut(&rest, '\n')) == AGI_OTHER)
            fail_msg("%s: an answer is not known", path);
    if (answers.usage)
        fail_msg("%s: a usage has no end", path);
    buf_free(&b);
}

static void reads_what_was_recorded(void **state)
{
    glob_t found;

    assert_int_equal(glob(TEST_DATA "/fagi/*/*.agi-request", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 100);
    for (size_t i = 0; i < found.gl_pathc; i++)
        read_recorded(found.gl_pathv[i]);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_environment),
        cmocka_unit_test(reads_arguments),
        cmocka_unit_test(takes_line_ends_of_both_kinds),
        cmocka_unit_test(waits_for_the_rest),
        cmocka_unit_test(leaves_what_follows),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(a_name_may_hold_line_ends),
        cmocka_unit_test(refuses_what_has_no_end),
        cmocka_unit_test(refuses_too_many_lines),
        cmocka_unit_test(writes_variables),
        cmocka_unit_test(lets_no_value_be_a_command),
        cmocka_unit_test(refuses_names),
        cmocka_unit_test(refuses_what_asterisk_would_cut),
        cmocka_unit_test(reads_answers),
        cmocka_unit_test(reads_a_usage_of_several_lines),
        cmocka_unit_test(reads_what_was_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
