/* The schema's tables agree with themselves and with docs/bus.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/schema.h"
#include "support/doc_table.h"

#define DOC TEST_SOURCE_DIR "/docs/bus.md"
#define BEGIN "<!-- schema begin -->\n"
#define END "<!-- schema end -->\n"

static void each_list_and_field_is_found_by_its_name(void **state)
{
    for (int l = 0; l < LIST_COUNT; l++) {
        const struct schema_list *s = schema_list((enum xod_list)l);
        assert_int_equal(schema_list_find(s->vname), l); /* also: no name stands twice */
        assert_int_equal(strlen(s->name), s->vname.len);
        assert_in_range(s->n_fields, 1, 63);
        for (unsigned f = 0; f < s->n_fields; f++) {
            assert_int_equal(schema_field_find((enum xod_list)l, s->fields[f].vname), f);
            assert_true(s->fields[f].types & T_NULL);
            assert_true(*s->fields[f].doc != '\0');
        }
    }
    assert_int_equal(schema_list_find(VIEW("nothing")), -1);
    assert_int_equal(schema_field_find(LIST_users, VIEW("nothing")), -1);
}

static void initial_values_have_an_allowed_type(void **state)
{
    static const unsigned type_of[] = {T_NULL, T_BOOL, T_INT, T_STR, T_LIST, T_MAP};

    for (int l = 0; l < LIST_COUNT; l++)
        for (unsigned f = 0; f < schema_list((enum xod_list)l)->n_fields; f++) {
            const struct schema_field *field = &schema_list((enum xod_list)l)->fields[f];
            assert_true(field->types & type_of[field->init]);
            assert_int_equal(field->init == INIT_STR_, field->init_str != NULL);
        }
}

static void put_initial_value(struct buf *line, const struct schema_list *list,
                              const struct schema_field *field)
{
    static const char *const words[] = {"null", "false", "0", NULL, "[]", "{}"};

    buf_reset(line);
    buf_printf(line, "\n%s.%s ", list->name, field->name);
    if (field->init == INIT_STR_)
        buf_printf(line, "\"%s\"\n", field->init_str);
    else
        buf_printf(line, "%s\n", words[field->init]);
}

/* A brief snapshot leaves out what has its initial value, so that gateways of another version take
 * the value that they know. The file has a line for each field: one of a new field is added to it,
 * and no other is changed. */
static void initial_values_are_those_of_all_versions(void **state)
{
    struct buf known, line;

    buf_init(&known, 0);
    buf_init(&line, 0);
    buf_append_cstr(&known, "\n");
    assert_int_equal(buf_read_file(&known, TEST_SOURCE_DIR "/tests/data/initial_values.txt"), 0);
    for (int l = 0; l < LIST_COUNT; l++)
        for (unsigned f = 0; f < schema_list((enum xod_list)l)->n_fields; f++) {
            const struct schema_list *list = schema_list((enum xod_list)l);
            put_initial_value(&line, list, &list->fields[f]);
            if (view_find(buf_view(&known), buf_view(&line)) < 0)
                fail_msg("tests/data/initial_values.txt has no line %.*s",
                         VIEW_ARG(buf_view(&line)));
        }
    buf_free(&known);
    buf_free(&line);
}

static void masks_say_what_the_fields_say(void **state)
{
    for (int n = 0; n < LIST_COUNT; n++) {
        enum xod_list l = (enum xod_list)n;
        for (unsigned f = 0; f < schema_list(l)->n_fields; f++) {
            const struct schema_field *field = &schema_list(l)->fields[f];
            uint64_t bit = (uint64_t)1 << f;
            assert_int_equal(!!(schema_plane_mask(l, PLANE_STATUS) & bit),
                             field->plane == PLANE_STATUS);
            assert_int_equal(!!(schema_plane_mask(l, PLANE_CONFIG) & bit),
                             field->plane == PLANE_CONFIG);
            assert_int_equal(!!(schema_client_mask(l) & bit), !!(field->flags & F_CLIENT));
            assert_int_equal(!!(schema_stats_mask(l) & bit), !!(field->flags & F_STATS));
        }
    }
    assert_true(schema_client_mask(LIST_users) & XOD_BIT(users, availstate));
    assert_false(schema_client_mask(LIST_channels) & XOD_BIT(channels, connected));
    assert_int_equal(__builtin_popcountll(schema_stats_mask(LIST_queues)), 6);
}

static void secrets_are_in_no_list(void **state)
{
    for (int l = 0; l < LIST_COUNT; l++)
        for (unsigned f = 0; f < schema_list((enum xod_list)l)->n_fields; f++)
            assert_null(strstr(schema_list((enum xod_list)l)->fields[f].name, "passw"));
}

static void each_event_is_found_by_its_topic(void **state)
{
    for (int e = 0; e < TEL_EVENT_COUNT; e++) {
        struct view topic = schema_tel_topic((enum tel_event)e);
        assert_int_equal(schema_tel_find(topic), e);
        assert_int_equal(topic.ptr[topic.len - 1], '/');
    }
    assert_true(view_eq(schema_tel_topic(TEL_channel_new), VIEW("channel/new/")));
    assert_int_equal(schema_tel_find(VIEW("channel/new")), -1);
    for (int f = 0; f < TEL_FIELD_COUNT; f++) {
        uint8_t type = schema_tel_field_type((enum tel_field)f);
        /* also: a name has one type */
        assert_int_equal(schema_tel_field_find(schema_tel_field_name((enum tel_field)f)), f);
        assert_true(type == T_STR || type == T_INT || type == T_FLOAT || type == T_BOOL ||
                    type == T_MAP);
    }
    assert_int_equal(schema_tel_field_find(VIEW("nothing")), -1);
}

static void methods_and_outcomes_never_share_a_name(void **state)
{
    for (int m = 0; m < METHOD_COUNT; m++) {
        struct view name = schema_method_name((enum bus_method)m);
        assert_int_equal(schema_method_find(name), m);
        assert_int_equal(schema_status_find(name), -1); /* an envelope tells them apart by it */
    }
    for (int s = 0; s < BUS_STATUS_COUNT; s++)
        assert_int_equal(schema_status_find(schema_status_name((enum bus_status)s)), s);
    assert_int_equal(schema_method_find(VIEW("")), -1);
}

/* UPDATE_DOCS=1 writes the tables anew. */
static void the_documented_tables_are_those_of_the_schema(void **state)
{
    struct buf tables;

    buf_init(&tables, 0);
    assert_int_equal(schema_markdown(&tables), 0);
    doc_table_check(TEST_SOURCE_DIR "/docs/bus.md", BEGIN, END, buf_view(&tables));
    buf_free(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_list_and_field_is_found_by_its_name),
        cmocka_unit_test(initial_values_have_an_allowed_type),
        cmocka_unit_test(initial_values_are_those_of_all_versions),
        cmocka_unit_test(masks_say_what_the_fields_say),
        cmocka_unit_test(secrets_are_in_no_list),
        cmocka_unit_test(each_event_is_found_by_its_topic),
        cmocka_unit_test(methods_and_outcomes_never_share_a_name),
        cmocka_unit_test(the_documented_tables_are_those_of_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
