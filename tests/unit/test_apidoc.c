/* The schemas: docs/schemas/ is what the tables say, and the tables agree with themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apidoc/internal.h"
#include "schema/api.h"
#include "support/doc_table.h"
#include "json/json.h"

#define FOLDER TEST_SOURCE_DIR "/docs/schemas/"

/* UPDATE_DOCS=1 writes them anew. */
static void the_documents_are_as_the_tables_say(void **state)
{
    size_t n;
    const struct apidoc_format *formats = apidoc_formats(&n);

    assert_true(n > 1);
    for (size_t i = 0; i < n; i++) {
        char path[512];
        struct buf text;
        buf_init(&text, 0);
        assert_int_equal(apidoc_put(&text, &formats[i]), 0);
        snprintf(path, sizeof(path), FOLDER "%s", formats[i].file);
        doc_file_check(path, buf_view(&text));
        buf_free(&text);
    }
}

static void a_format_is_found_by_its_name(void **state)
{
    assert_non_null(apidoc_format(VIEW("jsonschema")));
    assert_non_null(apidoc_format(VIEW("asyncapi")));
    assert_non_null(apidoc_format(VIEW("openapi")));
    assert_null(apidoc_format(VIEW("json")));
    assert_null(apidoc_format(VIEW("")));
}

/* ---- references ---- */

/* What "#/a/b" is in a document; NULL: nothing. */
static struct json_object *at(struct json_object *document, const char *ref)
{
    struct view rest = view_cstr(ref);
    char name[256];

    assert_true(view_eq(view_cut(&rest, '/'), VIEW("#")));
    while (rest.len && document) {
        struct view part = view_cut(&rest, '/');
        snprintf(name, sizeof(name), "%.*s", VIEW_ARG(part));
        document = json_get(document, name);
    }
    return document;
}

struct documents {
    struct json_object *here, *schema;
    size_t n;
};

static void follow(struct documents *d, struct json_object *value)
{
    if (json_object_is_type(value, json_type_array))
        for (size_t i = 0; i < json_object_array_length(value); i++)
            follow(d, json_object_array_get_idx(value, i));
    if (!json_object_is_type(value, json_type_object))
        return;
    json_object_object_foreach(value, name, member)
    {
        const char *ref = strcmp(name, "$ref") == 0 ? json_object_get_string(member) : NULL;
        struct json_object *where = ref && ref[0] != '#' ? d->schema : d->here;
        if (ref && strncmp(ref, APIDOC_SCHEMA, strlen(APIDOC_SCHEMA)) == 0)
            ref += strlen(APIDOC_SCHEMA);
        if (ref && !at(where, ref))
            fail_msg("%s is not there", ref);
        d->n += ref != NULL;
        follow(d, member);
    }
}

static void what_is_referred_to_is_there(void **state)
{
    struct json_object *schema = apidoc_jsonschema();
    struct json_object *asyncapi = apidoc_asyncapi();
    struct json_object *openapi = apidoc_openapi();
    struct documents d = {schema, schema, 0};

    follow(&d, schema);
    assert_true(d.n > 100);
    d = (struct documents){asyncapi, schema, 0};
    follow(&d, asyncapi);
    assert_true(d.n > 400);
    d = (struct documents){openapi, NULL, 0}; /* it stands alone */
    follow(&d, openapi);
    assert_true(d.n > 200);
    json_object_put(schema);
    json_object_put(asyncapi);
    json_object_put(openapi);
}

/* ---- the HTTP API ---- */

static struct json_object *operation(struct json_object *openapi, const char *path,
                                     const char *method)
{
    return json_get(json_get(json_get(openapi, "paths"), path), method);
}

static void each_route_has_an_operation(void **state)
{
    struct json_object *openapi = apidoc_openapi();
    const struct api_route_row *r;
    char method[16];

    for (size_t i = 0; (r = api_route(i)); i++) {
        snprintf(method, sizeof(method), "%s", r->method);
        for (char *c = method; *c; c++)
            *c = (char)(*c | 0x20);
        if (strstr(r->path, "{list}"))
            continue;
        if (!operation(openapi, r->path, method))
            fail_msg("%s %s is not there", r->method, r->path);
    }
    for (int l = 0; l < LIST_COUNT; l++) {
        char path[128];
        snprintf(path, sizeof(path), "/v1/%s", schema_list((enum xod_list)l)->name);
        assert_non_null(operation(openapi, path, "get"));
        snprintf(path, sizeof(path), "/v1/%s/{ipbx}/{id}", schema_list((enum xod_list)l)->name);
        assert_non_null(operation(openapi, path, "get"));
    }
    for (int e = 0; e < EVENT_KINDS; e++)
        assert_non_null(json_get(json_get(openapi, "webhooks"), event_name((enum event_kind)e)));
    json_object_put(openapi);
}

/* ---- the tables ---- */

static void each_type_is_one(void **state)
{
    static const char *const wrong[] = {"",   "string", "[str", "str]",
                                        "[]", "#",      "?",    "[[[[[[str]]]]]]"};
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    for (size_t i = 0; i < n; i++) {
        struct json_object *type = rows[i].type ? apidoc_wire_type(rows[i].type) : NULL;
        if (rows[i].type && !type)
            fail_msg("%s: \"%s\" is no type", rows[i].name, rows[i].type);
        assert_true(*rows[i].doc != '\0');
        json_object_put(type);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_null(apidoc_wire_type(wrong[i]));
}

static bool has_body(enum wire_kind kind, const char *name)
{
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    for (size_t i = 0; i < n; i++)
        if (!rows[i].type && rows[i].kind == kind && strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

static void each_method_has_a_request_and_a_reply(void **state)
{
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    for (int m = 0; m < METHOD_COUNT; m++) {
        const char *name = schema_method_name((enum bus_method)m).ptr;
        if (!has_body(WIRE_REQUEST, name) || !has_body(WIRE_REPLY, name))
            fail_msg("%s has no body", name);
    }
    for (size_t i = 0; i < n; i++)
        if (rows[i].kind == WIRE_REQUEST || rows[i].kind == WIRE_REPLY)
            assert_true(schema_method_find(view_cstr(rows[i].name)) >= 0);
}

static void no_body_has_a_field_twice(void **state)
{
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    for (size_t i = 0; i < n; i++)
        for (size_t a = 1; !rows[i].type && a <= wire_fields(&rows[i]); a++)
            for (size_t b = 1; b < a; b++)
                if (strcmp(rows[i + a].name, rows[i + b].name) == 0)
                    fail_msg("%s has %s twice", rows[i].name, rows[i + a].name);
}

/* A message that is answered has the line that it is answered with; getlist is made from the lists.
 */
static void each_message_has_a_line_that_answers_it(void **state)
{
    size_t n;
    const struct client_message *m = client_messages(&n);

    for (size_t i = 0; i < n; i++) {
        const char *class = m[i].answer ? m[i].answer : m[i].class;
        if (strcmp(class, "get_relations") == 0)
            class = "relations";
        if (strcmp(class, "getlist") != 0 && !has_body(WIRE_LINE, class))
            fail_msg("%s has no line", class);
    }
}

static void each_field_of_a_message_has_a_type(void **state)
{
    size_t n;
    const struct client_message *m = client_messages(&n);

    for (size_t i = 0; i < n; i++) {
        for (const char *const *f = m[i].needs; f && *f; f++)
            if (!client_field(*f, strlen(*f)))
                fail_msg("%s: the field %s has no type", m[i].class, *f);
        for (const char *const *f = m[i].may; f && *f; f++)
            if (!client_field(*f, strcspn(*f, ":")) && !strchr(*f, ':'))
                fail_msg("%s: the field %s has no type", m[i].class, *f);
    }
    assert_null(client_field("nothing", 7));
}

/* The names of fields stand in one text: each must be one. */
static void events_have_fields_that_there_are(void **state)
{
    for (int e = 0; e < TEL_EVENT_COUNT; e++) {
        struct view rest = schema_tel_fields((enum tel_event)e);
        assert_true(rest.len > 0);
        while (rest.len) {
            struct view name = view_cut(&rest, ' ');
            int f = schema_tel_field_find(name);
            if (f < 0)
                fail_msg("there is no field %.*s", VIEW_ARG(name));
            assert_true(schema_tel_may_have((enum tel_event)e, (enum tel_field)f));
        }
    }
    assert_true(schema_tel_may_have(TEL_channel_new, TELF_resync));
    assert_false(schema_tel_may_have(TEL_channel_new, TELF_queue));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documents_are_as_the_tables_say),
        cmocka_unit_test(a_format_is_found_by_its_name),
        cmocka_unit_test(what_is_referred_to_is_there),
        cmocka_unit_test(each_route_has_an_operation),
        cmocka_unit_test(each_type_is_one),
        cmocka_unit_test(each_method_has_a_request_and_a_reply),
        cmocka_unit_test(no_body_has_a_field_twice),
        cmocka_unit_test(each_message_has_a_line_that_answers_it),
        cmocka_unit_test(each_field_of_a_message_has_a_type),
        cmocka_unit_test(events_have_fields_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
