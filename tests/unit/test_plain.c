/* What the tool prints of texts from elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "tool.h"

#define BAD "\xef\xbf\xbd"

static void test_control_characters(void **state)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"", ""},
        {"Zo\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x93\x9e", "Zo\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x93\x9e"},
        {"\x1b[31mred\a", BAD "[31mred" BAD},
        {"a\r\nb\tc\x7f", "a" BAD BAD "b" BAD "c" BAD},
        {"\xc2\x9b"
         "31m",
         BAD "31m"}, /* CSI in one character */
        {"latin \xe9\x9b", "latin " BAD},
    };
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        buf_reset(&out);
        tool_put_plain(&out, view_cstr(cases[i].text));
        assert_true(view_eq(buf_view(&out), view_cstr(cases[i].plain)));
    }
    buf_reset(&out);
    tool_put_plain(&out, VIEW("a\0b"));
    assert_true(view_eq(buf_view(&out), VIEW("a" BAD "b")));
    buf_free(&out);
}

static void test_a_line(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    tool_say(to, "%-6s|%d|%s", "x", 7, "a\nb\x1b");
    fclose(to);
    assert_string_equal(text, "x     |7|a" BAD "b" BAD "\n");
    free(text);
}

static void test_words_of_a_command(void **state)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"/etc/ctibus/ctibus.json", "/etc/ctibus/ctibus.json"},
        {"my site/x", "'my site/x'"},
        {"it's", "'it'\\''s'"},
        {"$HOME", "'$HOME'"},
        {"", "''"},
    };
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        buf_reset(&out);
        tool_put_word(&out, cases[i].text);
        assert_string_equal(buf_cstr(&out), cases[i].word);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_a_line),
        cmocka_unit_test(test_words_of_a_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
