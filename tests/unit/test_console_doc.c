/* docs/console.md has the commands of the console as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "console/info/info.h"
#include "console/webi/command.h"
#include "support/doc_table.h"

#define DOC TEST_SOURCE_DIR "/docs/console.md"

/* A | in a cell would end it. */
static void put_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

static void the_commands_of_the_console(void **state)
{
    const struct info_command *c;
    struct buf table;

    buf_init(&table, 0);
    buf_append_cstr(&table, "| command | does |\n|---|---|\n");
    for (size_t n = 0; (c = info_command(n)); n++) {
        buf_printf(&table, "| `%s%s", c->name, *c->args ? " " : "");
        put_cell(&table, c->args);
        buf_append_cstr(&table, "` | ");
        put_cell(&table, c->doc);
        buf_append_cstr(&table, " |\n");
    }
    doc_table_check(DOC, "<!-- commands begin -->\n", "<!-- commands end -->\n", buf_view(&table));
    buf_free(&table);
}

static void the_commands_that_web_interfaces_may_have_run(void **state)
{
    const char *command;
    struct buf list;

    buf_init(&list, 0);
    for (size_t n = 0; (command = webi_allowed(n)); n++)
        buf_printf(&list, "    %s\n", command);
    doc_table_check(DOC, "<!-- allowed begin -->\n", "<!-- allowed end -->\n", buf_view(&list));
    buf_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_commands_of_the_console),
        cmocka_unit_test(the_commands_that_web_interfaces_may_have_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
