/* docs/http-api.md says what the tables of the HTTP API say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schema/api.h"
#include "support/doc_table.h"

#define PAGE TEST_SOURCE_DIR "/docs/http-api.md"

static void check(void (*put)(struct buf *out), const char *begin, const char *end)
{
    struct buf tables;

    buf_init(&tables, 0);
    put(&tables);
    assert_false(tables.failed);
    doc_table_check(PAGE, begin, end, buf_view(&tables));
    buf_free(&tables);
}

/* UPDATE_DOCS=1 writes the tables anew. */
static void the_page_has_each_route_and_each_event(void **state)
{
    check(api_markdown, "<!-- api begin -->\n", "<!-- api end -->\n");
    check(api_events_markdown, "<!-- events begin -->\n", "<!-- events end -->\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_each_route_and_each_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
