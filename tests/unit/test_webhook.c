/* A webhook of the configuration: which events it wants, and what is sent. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "hooks/hook.h"
#include "hooks/template.h"

/* ---- the configuration ---- */

/* The hooks of ctibus.webhooks = `hooks`; what is wrong with them in *why. */
static int read_hooks(const char *hooks, struct hook_list *list, char why[1024])
{
    struct config_errors errors = {0};
    struct buf text, faults;
    struct config *cfg;
    int rc;

    buf_init(&text, 0);
    buf_init(&faults, 0);
    buf_printf(&text,
               "{\"ctibus\":{\"webhook_hosts\":[\"crm.lan\",\"127.0.0.1\"],\"webhooks\":%s}}",
               hooks);
    cfg = config_read_string("test", "/", buf_view(&text), NULL, &errors);
    assert_non_null(cfg);
    config_errors_free(&errors);
    rc = hooks_read(cfg, list, &faults);
    snprintf(why, 1024, "%.*s", VIEW_ARG(buf_view(&faults)));
    config_destroy(&cfg);
    buf_free(&text);
    buf_free(&faults);
    return rc;
}

static void how_it_is_read(void **state)
{
    struct hook_list l;
    char why[1024];

    assert_int_equal(read_hooks("{}", &l, why), 0);
    assert_int_equal(l.n, 0);
    hooks_free(&l);
    assert_int_equal(
        read_hooks("{\"a\":{\"url\":\"https://crm.example/x\"},"
                   "\"b\":{\"url\":\"http://crm.lan:8080/\",\"events\":\"call.ended,agent.*\","
                   "\"secret\":\"s\",\"template\":\"form\",\"ipbx\":\"xivo\"},"
                   "\"c\":{\"url\":\"https://x.example/\",\"template\":\"zammad\"},"
                   "\"d\":{\"url\":\"https://x.example/\",\"body\":\"{{id}}\","
                   "\"content_type\":\"text/plain; charset=utf-8\"}}",
                   &l, why),
        0);
    assert_string_equal(why, "");
    assert_int_equal(l.n, 4);
    assert_string_equal(l.list[0].events, "call.*");
    assert_string_equal(l.list[0].type, "application/json");
    assert_true(l.list[0].body == HOOK_JSON && !l.list[0].may_be_private && !l.list[0].secret);
    assert_true(l.list[1].body == HOOK_FORM && l.list[1].may_be_private);
    assert_string_equal(l.list[1].type, "application/x-www-form-urlencoded");
    assert_string_equal(l.list[1].secret, "s");
    assert_true(l.list[2].body == HOOK_ZAMMAD);
    assert_true(l.list[3].body == HOOK_TEXT);
    assert_string_equal(l.list[3].type, "text/plain; charset=utf-8");
    hooks_free(&l);
}

static void what_is_wrong_with_it(void **state)
{
    static const struct {
        const char *hook, *says;
    } all[] = {
        {"\"url\":\"\"", "a.url: is no https: URL"},
        {"\"url\":\"crm.lan\"", "a.url: is no https: URL"},
        {"\"url\":\"file:///etc/passwd\"", "a.url: is no https: URL"},
        {"\"url\":\"https://x.example/\\r\\nA: b\"", "a.url: is no https: URL"},
        {"\"url\":\"http://x.example/\"", "is not https: and its host"},
        {"\"url\":\"http://crm.lan@x.example/\"", "has a user in it"},
        {"\"url\":\"https://u:p@x.example/\"", "has a user in it"},
        {"\"url\":\"https://x.example/\",\"events\":\"call\"", "a.events: there is no event call"},
        {"\"url\":\"https://x.example/\",\"events\":\"call.*,nothing\"",
         "there is no event nothing"},
        {"\"url\":\"https://x.example/\",\"body\":\"a {{ b\"", "a.body: a {{ has no }} behind it"},
        {"\"url\":\"https://x.example/\",\"content_type\":\"text/plain\\r\\nX-Evil: 1\"",
         "a.content_type: "},
        {"\"url\":\"https://x.example/\",\"content_type\":\"a\\u0007\"", "a.content_type: "},
    };
    struct hook_list l;
    char why[1024], text[512];

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        snprintf(text, sizeof(text), "{\"a\":{%s}}", all[i].hook);
        if (read_hooks(text, &l, why) != -EINVAL || !strstr(why, all[i].says))
            fail_msg("%s: %s", all[i].hook, why);
        hooks_free(&l);
    }
    assert_int_equal(read_hooks("{\"a\\nb\":{\"url\":\"https://x.example/\"}}", &l, why), -EINVAL);
    assert_non_null(strstr(why, "the name of a webhook"));
    hooks_free(&l);
    assert_int_equal(read_hooks("{\"a b\":{\"url\":\"https://x.example/\"}}", &l, why), -EINVAL);
    hooks_free(&l);
}

static void a_content_type_is_not_too_long(void **state)
{
    struct hook_list l;
    struct buf text;
    char why[1024];

    buf_init(&text, 0);
    buf_append_cstr(&text, "{\"a\":{\"url\":\"https://x.example/\",\"content_type\":\"text/");
    for (int i = 0; i < 600; i++)
        buf_append_char(&text, 'x');
    buf_append_cstr(&text, "\"}}");
    assert_int_equal(read_hooks(buf_cstr(&text), &l, why), -EINVAL);
    assert_non_null(strstr(why, "content_type"));
    hooks_free(&l);
    buf_free(&text);
}

static void there_are_not_too_many(void **state)
{
    struct hook_list l;
    struct buf text;
    char why[1024];

    buf_init(&text, 0);
    for (int i = 0; i <= HOOKS_MAX; i++)
        buf_printf(&text, "%c\"h%d\":{\"url\":\"https://x.example/\"}", i ? ',' : '{', i);
    buf_append_char(&text, '}');
    assert_int_equal(read_hooks(buf_cstr(&text), &l, why), -EINVAL);
    assert_non_null(strstr(why, "more than 100"));
    hooks_free(&l);
    buf_free(&text);
}

/* ---- which ---- */

#define EVENT                                                                                      \
    "{\"id\":\"1.2.3\",\"event\":\"call.ringing\",\"time\":1.5,\"ipbx\":\"xivo\",\"call\":{"       \
    "\"id\":\"9.1\",\"caller_number\":\"0123\",\"caller_name\":\"A \\\"B\\\" & \\u00e9\\nC\","     \
    "\"called_number\":\"1002\",\"called_name\":null,\"direction\":\"in\",\"queue\":\"sales\","    \
    "\"recorded\":false,\"participants\":[\"SIP/a\",\"SIP/b\"],\"n\":7},\"answered\":false}"

static struct json_object *event(void)
{
    struct json_object *o = json_tokener_parse(EVENT);

    assert_non_null(o);
    return o;
}

static void filters(void **state)
{
    static const struct {
        const char *filter;
        bool wants;
    } all[] = {
        {"{}", true},
        {"{\"call.direction\":\"in\"}", true},
        {"{\"call.direction\":\"out\"}", false},
        {"{\"call.direction\":[\"out\",\"in\"]}", true},
        {"{\"call.direction\":[]}", false},
        {"{\"call.direction\":\"in\",\"call.queue\":\"sales\"}", true},
        {"{\"call.direction\":\"in\",\"call.queue\":\"support\"}", false},
        {"{\"call.n\":7}", true},
        {"{\"call.n\":\"7\"}", true},
        {"{\"call.recorded\":false}", true},
        {"{\"call.recorded\":true}", false},
        {"{\"call.nothing\":\"\"}", true},
        {"{\"call.nothing\":null}", true},
        {"{\"call.called_name\":null}", true},
        {"{\"call.id.x\":\"\"}", true}, /* there is nothing beneath a text */
        {"{\"call.id.x\":\"9.1\"}", false},
        {"{\"nothing.at.all\":\"x\"}", false},
        {"{\"..\":\"x\"}", false},
        {"{\"ipbx\":\"xivo\"}", true},
    };
    struct json_object *e = event();

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct hook h = {.events = (char *)"call.*", .filter = json_tokener_parse(all[i].filter)};
        if (hook_wants(&h, VIEW("call.ringing"), VIEW("xivo"), e) != all[i].wants)
            fail_msg("%s", all[i].filter);
        json_object_put(h.filter);
    }
    assert_false(hook_wants(&(struct hook){.events = (char *)"call.ended"}, VIEW("call.ringing"),
                            VIEW("xivo"), e));
    assert_false(hook_wants(&(struct hook){.events = (char *)"*", .ipbx = (char *)"other"},
                            VIEW("call.ringing"), VIEW("xivo"), e));
    assert_true(hook_wants(&(struct hook){.events = (char *)"*", .ipbx = (char *)"xivo"},
                           VIEW("call.ringing"), VIEW("xivo"), e));
    json_object_put(e);
}

/* ---- what ---- */

static const char *body_of(const struct hook *h, struct json_object *e)
{
    static char text[2048];
    struct buf out;
    bool sent;

    buf_init(&out, 0);
    sent = hook_put_body(h, e, &out);
    snprintf(text, sizeof(text), "%s", sent ? buf_cstr(&out) : "(not sent)");
    buf_free(&out);
    return text;
}

static void texts(void **state)
{
    static const struct {
        const char *type, *text, *sent;
    } all[] = {
        {"application/json", "{\"n\":\"{{call.caller_number}}\"}", "{\"n\":\"0123\"}"},
        {"application/json", "{{ call.n }}{{call.recorded}}{{nothing}}", "7false"},
        {"application/json", "\"{{call.caller_name}}\"", "\"A \\\"B\\\" & \xc3\xa9\\nC\""},
        {"Application/JSON; charset=utf-8", "\"{{call.caller_name}}\"",
         "\"A \\\"B\\\" & \xc3\xa9\\nC\""},
        {"application/vnd.x+json", "\"{{call.caller_name}}\"", "\"A \\\"B\\\" & \xc3\xa9\\nC\""},
        {"application/json", "\"{{call.participants}}\"",
         "\"[ \\\"SIP\\\\/a\\\", \\\"SIP\\\\/b\\\" ]\""},
        {"application/x-www-form-urlencoded", "a={{call.caller_name}}&b={{call.called_name}}",
         "a=A%20%22B%22%20%26%20%C3%A9%0AC&b="},
        {"application/X-WWW-Form-urlencoded", "a={{call.caller_name}}",
         "a=A%20%22B%22%20%26%20%C3%A9%0AC"},
        {"text/xml", "<n a='{{call.caller_name}}'/>", "<n a='A &#34;B&#34; &#38; \xc3\xa9\nC'/>"},
        {"text/plain", "{{call.caller_name}}", "A \"B\" & \xc3\xa9\nC"},
        {"text/plain", "no fields at all } }} {", "no fields at all } }} {"},
        {"text/plain", "{{call.id.deeper}}{{call..id}}|", "|"},
        {"text/plain", "{{{call.id}}}", "}"},
        {"text/plain", "{{call.id}}{{call.id}}", "9.19.1"},
    };
    struct json_object *e = event();

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct hook h = {
            .body = HOOK_TEXT, .type = (char *)all[i].type, .text = (char *)all[i].text};
        assert_string_equal(body_of(&h, e), all[i].sent);
    }
    json_object_put(e);
    assert_null(template_fault(VIEW("a {{b}} c {{d}}")));
    assert_null(template_fault(VIEW("}} {")));
    assert_non_null(template_fault(VIEW("{{b}} {{")));
    assert_non_null(template_fault(VIEW("{{b} }")));
}

static void as_json_and_as_a_form(void **state)
{
    struct json_object *e = event();
    struct json_object *sent = json_tokener_parse(body_of(&(struct hook){.body = HOOK_JSON}, e));

    assert_true(json_object_equal(sent, e));
    json_object_put(sent);
    assert_string_equal(
        body_of(&(struct hook){.body = HOOK_FORM}, e),
        "id=1.2.3&event=call.ringing&time=1.5&ipbx=xivo&call.id=9.1&call.caller_number=0123"
        "&call.caller_name=A%20%22B%22%20%26%20%C3%A9%0AC&call.called_number=1002"
        "&call.direction=in&call.queue=sales&call.recorded=false&call.n=7&answered=false");
    json_object_put(e);
}

static void in_the_words_of_zammad(void **state)
{
    const struct hook h = {.body = HOOK_ZAMMAD};
    struct json_object *e = event();
    struct json_object *call = json_object_object_get(e, "call");

    assert_string_equal(body_of(&h, e),
                        "{\"event\":\"newCall\",\"from\":\"0123\",\"to\":\"1002\","
                        "\"direction\":\"in\",\"callId\":\"9.1\",\"queue\":\"sales\"}");
    json_object_object_add(call, "called_name", json_object_new_string("Bob"));
    json_object_object_add(e, "event", json_object_new_string("call.answered"));
    assert_string_equal(body_of(&h, e),
                        "{\"event\":\"answer\",\"from\":\"0123\",\"to\":\"1002\","
                        "\"direction\":\"in\",\"callId\":\"9.1\",\"user\":[\"Bob\"],"
                        "\"answeringNumber\":\"1002\"}");
    json_object_object_add(e, "event", json_object_new_string("call.ended"));
    json_object_object_add(call, "caller_number", NULL);
    json_object_object_add(call, "direction", json_object_new_string("out"));
    assert_string_equal(body_of(&h, e),
                        "{\"event\":\"hangup\",\"from\":\"anonymous\",\"to\":\"1002\","
                        "\"direction\":\"out\",\"callId\":\"9.1\",\"cause\":\"cancel\"}");
    json_object_object_add(e, "answered", json_object_new_boolean(true));
    assert_non_null(strstr(body_of(&h, e), "\"cause\":\"normalClearing\""));
    json_object_object_add(e, "event", json_object_new_string("call.held"));
    assert_string_equal(body_of(&h, e), "(not sent)");
    json_object_put(e);
}

static void an_own_call_goes_out_by_its_caller(void **state)
{
    struct json_object *e = json_tokener_parse(
        "{\"event\":\"call.ringing\",\"call\":{\"id\":\"1\",\"caller_number\":\"1001\","
        "\"caller_name\":\"Alice\",\"called_name\":\"Customer\",\"direction\":\"out\"}}");

    assert_non_null(
        strstr(body_of(&(struct hook){.body = HOOK_ZAMMAD}, e), "\"user\":[\"Alice\"]"));
    json_object_put(e);
}

/* Against: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac s3cret */
static void the_signature(void **state)
{
    const struct hook h = {.secret = (char *)"s3cret"};
    struct buf out;

    buf_init(&out, 0);
    assert_int_equal(hook_sign(&h, 1700000000, VIEW("{\"a\":1}"), &out), 0);
    assert_string_equal(
        buf_cstr(&out),
        "t=1700000000,v1=1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_it_is_read),
        cmocka_unit_test(what_is_wrong_with_it),
        cmocka_unit_test(a_content_type_is_not_too_long),
        cmocka_unit_test(there_are_not_too_many),
        cmocka_unit_test(filters),
        cmocka_unit_test(texts),
        cmocka_unit_test(as_json_and_as_a_form),
        cmocka_unit_test(in_the_words_of_zammad),
        cmocka_unit_test(an_own_call_goes_out_by_its_caller),
        cmocka_unit_test(the_signature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
