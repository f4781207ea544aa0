/* Lines, tables, and what web interfaces may say: the parts of the consoles without sockets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "console/columns.h"
#include "console/info/info.h"
#include "console/text.h"
#include "console/webi/command.h"
#include "core/list_names.h"

static void assert_text(struct view in, const char *want)
{
    struct buf out;

    buf_init(&out, 0);
    assert_int_equal(text_put(&out, in), 0);
    assert_string_equal(buf_len(&out) ? buf_cstr(&out) : "", want);
    buf_free(&out);
}

static void no_text_drives_a_terminal(void **state)
{
    assert_text(VIEW("Zoë Ñandú 日本\tx"), "Zoë Ñandú 日本\tx");
    assert_text(VIEW("a\033[2Jb\r\nc\0d\177"), "a?[2Jb??c?d?");
    assert_text(VIEW("\302\233"
                     "31m\302\240x\302"),
                "?31m\302\240x\357\277\275");
    assert_text(VIEW("\377\376"), "\357\277\275\357\277\275");
    assert_text(view_of(NULL, 0), "");
}

static void a_width_is_counted_in_characters(void **state)
{
    assert_int_equal(text_width(VIEW("Zoë")), 3);
    assert_int_equal(text_width(VIEW("")), 0);
}

/* The lines of a text, joined with |, the rest behind a /. */
static void assert_lines(struct view in, bool spelled, const char *want)
{
    struct view line;
    struct buf out;

    buf_init(&out, 0);
    while (text_cut_line(&in, spelled, &line))
        buf_printf(&out, "%.*s|", VIEW_ARG(line));
    buf_printf(&out, "/%.*s", VIEW_ARG(in));
    assert_string_equal(buf_cstr(&out), want);
    buf_free(&out);
}

static void lines_end_with_a_line_feed_or_spelled(void **state)
{
    assert_lines(VIEW("a\r\n b \nc"), false, "a|b|/c");
    assert_lines(VIEW("a\\nb\n"), false, "a\\nb|/");
    assert_lines(VIEW("a\\nb\nc\\n\\nd\\"), true, "a|b|c||/d\\");
    assert_lines(VIEW("\\"), true, "/\\");
    assert_lines(VIEW(""), true, "/");
}

static void tables_are_as_wide_as_what_is_in_them(void **state)
{
    static const char *const titles[] = {"A", "NAME", "C", NULL};
    struct columns c;
    struct buf out;

    buf_init(&out, 0);
    columns_begin(&c, titles);
    columns_put(&c, VIEW("1"));
    columns_put(&c, VIEW("Zoë"));
    columns_put(&c, VIEW("x"));
    columns_printf(&c, "%d", 22222);
    columns_put(&c, VIEW(""));
    columns_put(&c, VIEW("two\nlines"));
    columns_put(&c, VIEW("half a row")); /* is not shown */
    assert_true(columns_end(&c, &out));
    assert_string_equal(buf_cstr(&out), "A      NAME  C\n"
                                        "1      Zoë   x\n"
                                        "22222  -     two?lines\n");
    buf_free(&out);
}

static void a_table_has_an_end(void **state)
{
    static const char *const titles[] = {"A", NULL};
    char *big = malloc(1 << 20);
    struct columns c;
    struct buf out;

    memset(big, 'x', 1 << 20);
    buf_init(&out, 0);
    columns_begin(&c, titles);
    for (int i = 0; i < 6; i++)
        columns_put(&c, view_of(big, 1 << 20));
    assert_false(columns_end(&c, &out));
    assert_int_equal(buf_len(&out), 2 + 3 * ((1 << 20) + 1));
    buf_free(&out);
    free(big);
}

static const char *split(const char *line, int want)
{
    static char text[512];
    struct info_words w;

    assert_int_equal(info_split(view_cstr(line), &w), want);
    *text = '\0';
    for (size_t i = 0; want == 0 && i < w.n; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "<%.*s>", VIEW_ARG(w.word[i]));
    return text;
}

static void words_have_blanks_between_them(void **state)
{
    char many[300] = "";
    struct info_words w;

    assert_string_equal(split("  kick \t alice ", 0), "<kick><alice>");
    assert_string_equal(split("a \"b c\" \"\" d\"e", 0), "<a><b c><><d\"e>");
    assert_string_equal(split("", 0), "");
    split("a \"b c", -EINVAL);
    for (int i = 0; i < INFO_MAX_WORDS; i++)
        strcat(many, "x ");
    split(many, 0);
    strcat(many, "x");
    split(many, -E2BIG);
    assert_int_equal(info_split(VIEW("ami x Command core  show"), &w), 0);
    assert_true(view_eq(w.rest[3], VIEW("core  show")));
}

static void each_command_of_the_console_can_be_used(void **state)
{
    const struct info_command *c;
    size_t n = 0;

    for (; (c = info_command(n)); n++) {
        assert_ptr_equal(info_find(view_cstr(c->name)), c); /* no name stands twice */
        assert_true(strlen(c->doc) > 5);
        assert_non_null(c->fn);
        assert_true(c->min <= c->max && c->max < INFO_MAX_WORDS);
        assert_int_equal(c->max > 0, *c->args != '\0');
    }
    assert_true(n > 25);
    assert_null(info_find(VIEW("")));
    assert_null(info_find(VIEW("Help")));
}

static void signals_of_web_interfaces(void **state)
{
    static const struct {
        const char *line;
        enum webi_kind kind;
        const char *key;
    } rows[] = {
        {"xivo[userlist,update]", WEBI_LIST, "urllist_users"},
        {"xivo[devicelist,update]", WEBI_LIST, "urllist_lines"},
        {"xivo[linelist,update]", WEBI_LIST, "urllist_lines"},
        {"xivo[phonelist,update]", WEBI_LIST, "urllist_lines"},
        {"xivo[trunklist,update]", WEBI_LIST, "urllist_trunks"},
        {"xivo[agentlist,update]", WEBI_LIST, "urllist_agents"},
        {"xivo[queuelist,update]", WEBI_LIST, "urllist_queues"},
        {"xivo[grouplist,update]", WEBI_LIST, "urllist_groups"},
        {"xivo[meetmelist,update]", WEBI_LIST, "urllist_meetmes"},
        {"xivo[voicemaillist,update]", WEBI_LIST, "urllist_voicemails"},
        {"xivo[incalllist,update]", WEBI_LIST, "urllist_incalls"},
        {"xivo[phonebooklist,update]", WEBI_LIST, "urllist_phonebook"},
        {"xivo[queuemember,update]", WEBI_MEMBERS, NULL},
        {"xivo[cticonfig,update]", WEBI_RELOAD, NULL},
        {"xivo[daemon,reload]", WEBI_RELOAD, NULL},
        {"core show version", WEBI_CLI, NULL},
        {"sip show peer alice load", WEBI_CLI, NULL},
        {"sip show peer a.l_i-c+e@x load", WEBI_CLI, NULL},
        /* and what is none */
        {"", WEBI_UNKNOWN, NULL},
        {"xivo[", WEBI_UNKNOWN, NULL},
        {"xivo[]", WEBI_UNKNOWN, NULL},
        {"xivo[,]", WEBI_UNKNOWN, NULL},
        {"xivo[list,update]", WEBI_UNKNOWN, NULL},
        {"xivo[userlist,delete]", WEBI_UNKNOWN, NULL},
        {"xivo[userlist,update", WEBI_UNKNOWN, NULL},
        {"xivo[userlist,update,1]", WEBI_UNKNOWN, NULL},
        {"xivo[daemon,update]", WEBI_UNKNOWN, NULL},
        {"xivo[cticonfig,reload]", WEBI_UNKNOWN, NULL},
        {"xivo[nonelist,update]", WEBI_UNKNOWN, NULL},
        {"Core show version", WEBI_UNKNOWN, NULL},
        {"core show version ", WEBI_UNKNOWN, NULL},
        {"core show version; core stop now", WEBI_UNKNOWN, NULL},
        {"core stop now", WEBI_UNKNOWN, NULL},
        {"module reload app_system.so", WEBI_UNKNOWN, NULL},
        {"module load app_queue.so", WEBI_UNKNOWN, NULL},
        {"sip show peer  load", WEBI_UNKNOWN, NULL},
        {"sip show peer load", WEBI_UNKNOWN, NULL},
        {"sip show peer a b load", WEBI_UNKNOWN, NULL},
        {"sip show peer a\" load", WEBI_UNKNOWN, NULL},
        {"sip show peer X load now", WEBI_UNKNOWN, NULL},
        {"sip show peer "
         "12345678901234567890123456789012345678901234567890123456789012345678901234567890x load",
         WEBI_UNKNOWN, NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct webi_command c = webi_read(view_cstr(rows[i].line));
        if (c.kind != rows[i].kind || (rows[i].key && strcmp(c.key, rows[i].key) != 0))
            fail_msg("%s: kind %d key %s", rows[i].line, c.kind, c.key ? c.key : "(none)");
    }
}

static void each_allowed_command_is_taken(void **state)
{
    const char *command;
    size_t n = 0;

    for (; (command = webi_allowed(n)); n++)
        assert_int_equal(webi_read(view_cstr(command)).kind, WEBI_CLI);
    assert_true(n > 15);
}

static void lists_have_several_names(void **state)
{
    assert_string_equal(list_name_key(VIEW("user")), "urllist_users");
    assert_string_equal(list_name_key(VIEW("users")), "urllist_users");
    assert_string_equal(list_name_key(VIEW("urllist_users")), "urllist_users");
    assert_null(list_name_key(VIEW("")));
    assert_null(list_name_key(VIEW("use")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_text_drives_a_terminal),
        cmocka_unit_test(a_width_is_counted_in_characters),
        cmocka_unit_test(lines_end_with_a_line_feed_or_spelled),
        cmocka_unit_test(tables_are_as_wide_as_what_is_in_them),
        cmocka_unit_test(a_table_has_an_end),
        cmocka_unit_test(words_have_blanks_between_them),
        cmocka_unit_test(each_command_of_the_console_can_be_used),
        cmocka_unit_test(signals_of_web_interfaces),
        cmocka_unit_test(each_allowed_command_is_taken),
        cmocka_unit_test(lists_have_several_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
