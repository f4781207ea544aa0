/* Messages are found in a table by their class and conditions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/buf.h"
#include "registry.h"
#include "json/json.h"

static int pinged, enabled;

static void on_ping(struct client *c, struct request *rq)
{
    pinged++;
}

static void on_enable(struct client *c, struct request *rq)
{
    enabled++;
}

static const char *const needs[] = {"text", "to", NULL};
static const struct condition when[] = {
    {"function", "fwd"}, {"value.enablebusy", "true"}, {NULL, NULL}};
static const struct cti_message rows[] = {
    {.class = "test_ping", .required = needs, .permission = true, .handle = on_ping},
    {.class = "test_put", .conditions = when, .handle = on_enable},
    /* A second row of the same class: both are called. */
    {.class = "test_put", .handle = on_ping},
};
static const struct registry messages = {rows, ARRAY_SIZE(rows)};

static int dispatch(const char *text)
{
    struct json_parser p;
    struct request rq = {0};
    const struct cti_message *m;
    size_t pos = 0;
    int n = 0;

    assert_int_equal(json_parser_init(&p), 0);
    assert_int_equal(json_parse(&p, view_cstr(text), &rq.body), 0);
    rq.class = json_get_view(rq.body, "class");
    for (; (m = registry_match(&messages, &rq, &pos)); n++)
        m->handle(NULL, &rq);
    json_object_put(rq.body);
    json_parser_fini(&p);
    return n;
}

static void test_a_new_message_is_found(void **state)
{
    bool login = true;

    assert_true(registry_knows(&messages, VIEW("test_ping"), &login));
    assert_false(login);
    pinged = 0;
    assert_int_equal(dispatch("{\"class\":\"test_ping\",\"text\":\"x\"}"), 1);
    assert_int_equal(pinged, 1);
    assert_int_equal(dispatch("{\"class\":\"no_such\"}"), 0);
}

static void test_a_name_is_compared_with_its_length(void **state)
{
    /* In a block of its own, so that a sanitizer sees a read behind either end. */
    static const char *const names[] = {"test_ping\0AAAA", "test_pin\0AAAAA", "\0test_ping123"};
    bool login;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *heap = malloc(14);
        memcpy(heap, names[i], 14);
        for (size_t len = 10; len <= 14; len++)
            assert_false(registry_knows(&messages, view_of(heap, len), &login));
        free(heap);
    }
    assert_false(registry_knows(&messages, VIEW(""), &login));
    assert_false(registry_knows(&messages, VIEW("test_pin"), &login));
    assert_false(registry_knows(&messages, VIEW("test_pings"), &login));
}

static void test_conditions_one_level_down(void **state)
{
    enabled = pinged = 0;
    assert_int_equal(
        dispatch("{\"class\":\"test_put\",\"function\":\"fwd\",\"value\":{\"enablebusy\":true}}"),
        2);
    assert_int_equal(enabled, 1);
    assert_int_equal(
        dispatch("{\"class\":\"test_put\",\"function\":\"fwd\",\"value\":{\"enablebusy\":false}}"),
        1);
    assert_int_equal(dispatch("{\"class\":\"test_put\",\"function\":\"fwd\",\"value\":7}"), 1);
    assert_int_equal(dispatch("{\"class\":\"test_put\"}"), 1);
    assert_int_equal(enabled, 1);
    assert_int_equal(pinged, 4);
}

static void test_missing_fields_are_named(void **state)
{
    static const struct cti_message m = {.required = needs};
    struct json_object *body = json_object_new_object();
    struct buf missing;

    buf_init(&missing, 256);
    assert_false(registry_complete(&m, body, &missing));
    assert_true(view_eq(buf_view(&missing), VIEW("text,to")));
    buf_reset(&missing);
    json_object_object_add(body, "text", NULL); /* there, and null */
    assert_false(registry_complete(&m, body, &missing));
    assert_true(view_eq(buf_view(&missing), VIEW("to")));
    json_object_object_add(body, "to", json_object_new_string(""));
    buf_reset(&missing);
    assert_true(registry_complete(&m, body, &missing));
    json_object_put(body);
    buf_free(&missing);
}

static void test_every_message_of_the_service_is_there(void **state)
{
    static const char *const classes[] = {"login_id",  "login_pass",  "login_capas", "logout",
                                          "keepalive", "getipbxlist", "getlist",     "availstate"};
    bool login;

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        assert_true(registry_knows(&cti_messages, view_cstr(classes[i]), &login));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_message_is_found),
        cmocka_unit_test(test_a_name_is_compared_with_its_length),
        cmocka_unit_test(test_conditions_one_level_down),
        cmocka_unit_test(test_missing_fields_are_named),
        cmocka_unit_test(test_every_message_of_the_service_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
