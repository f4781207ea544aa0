/* The table of messages in docs/cti-protocol.md is made from the descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "registry.h"
#include "support/doc_table.h"

static void the_documented_messages_are_those_registered(void **state)
{
    struct buf table;

    buf_init(&table, 0);
    assert_int_equal(registry_markdown(&cti_messages, &table), 0);
    doc_table_check(TEST_SOURCE_DIR "/docs/cti-protocol.md", "<!-- messages: begin -->\n",
                    "<!-- messages: end -->\n", buf_view(&table));
    buf_free(&table);
}

static void each_message_says_what_comes_of_it(void **state)
{
    for (size_t i = 0; i < cti_messages.n; i++)
        if (!cti_messages.rows[i].doc || !*cti_messages.rows[i].doc)
            fail_msg("%s has no sentence", cti_messages.rows[i].class);
}

/* ctibus.deny takes their names away: one that is no message would deny nothing. */
static void each_open_class_is_a_message(void **state)
{
    const char *class;

    for (size_t i = 0; (class = config_open_class(i)); i++) {
        bool login = true;
        assert_true(config_class_is_open(view_cstr(class)));
        if (!registry_knows(&cti_messages, view_cstr(class), &login) || login)
            fail_msg("%s is no message", class);
    }
    for (size_t i = 0; i < cti_messages.n; i++)
        if (config_class_is_open(view_cstr(cti_messages.rows[i].class)))
            assert_true(cti_messages.rows[i].permission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_messages_are_those_registered),
        cmocka_unit_test(each_message_says_what_comes_of_it),
        cmocka_unit_test(each_open_class_is_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
