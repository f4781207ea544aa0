/* The command directory, as a gateway asks it of a whole state. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "base/array.h"
#include "support/directory_world.h"

struct gateway {
    struct process p;
    struct bus_client *bus_client;
    int ups, answers;
    enum bus_status status;
    char said[1024];
};

static void on_up(void *arg, const msgpack_object *body)
{
    ((struct gateway *)arg)->ups++;
}

static const struct bus_client_handler handler = {on_up, NULL, NULL};

static void on_reply(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct gateway *g = arg;

    g->answers++;
    g->status = status;
    if (body && msgpack_object_print_buffer(g->said, sizeof(g->said), *body) == 0)
        fail_msg("too long");
}

static void open_gateway(struct world *x, struct gateway *g)
{
    int err = 0;

    *g = (struct gateway){.p = process_start(x->w.loop, "gw", "gw", NULL)};
    g->bus_client =
        bus_client_new(g->p.bus, state_endpoint_request(x->w.s), "cti-gw", &handler, g, &err);
    UNTIL(x->w.loop, g->ups == 1);
}

static void close_gateway(struct gateway *g)
{
    bus_client_destroy(&g->bus_client);
    process_end(&g->p);
}

static void open_session(struct world *x, struct gateway *g, const char *user)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "ipbxid", VIEW("xivo"));
    msg_put_pair(&pairs, "userid", view_cstr(user));
    msg_put_pair(&pairs, "capaid", VIEW("client"));
    msg_put_pair(&pairs, "session", view_cstr(user));
    msg_put_pair(&pairs, "state", VIEW("available"));
    g->answers = 0;
    bus_ask(g->bus_client, METHOD_login_open, 5, buf_view(&pairs), 5000, on_reply, g);
    buf_free(&pairs);
    UNTIL(x->w.loop, g->answers == 1);
    assert_int_equal(g->status, BUS_ok);
}

/* `pattern` is a value as it is sent. */
static void send_pattern(struct gateway *g, const char *session, struct view pattern)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "session", view_cstr(session));
    msg_put_pair(&pairs, "class", VIEW("directory"));
    msg_put_cstr(&pairs, "message");
    msg_put_map(&pairs, pattern.len ? 1 : 0);
    if (pattern.len)
        msg_put_cstr(&pairs, "pattern");
    buf_append_view(&pairs, pattern);
    g->answers = 0;
    bus_ask(g->bus_client, METHOD_command, 3, buf_view(&pairs), 20000, on_reply, g);
    buf_free(&pairs);
}

static void send_command(struct gateway *g, const char *session, const char *pattern)
{
    struct buf value;

    buf_init(&value, 0);
    msg_put_cstr(&value, pattern);
    send_pattern(g, session, buf_view(&value));
    buf_free(&value);
}

static const char *command(struct world *x, struct gateway *g, const char *session,
                           const char *pattern)
{
    send_command(g, session, pattern);
    UNTIL(x->w.loop, g->answers == 1);
    assert_int_equal(g->status, BUS_ok);
    return g->said;
}

static void clients_ask_in_the_context_of_their_line(void **state)
{
    struct world *x = *state;
    struct gateway g;

    start(x, "");
    configure(x, "", ",\"inside\":{\"directories\":[\"csv\"],\"display\":\"from\"}");
    reload(x);
    open_gateway(x, &g);
    open_session(x, &g, "1");
    open_session(x, &g, "2");
    open_session(x, &g, "3"); /* without a line */
    assert_string_equal(
        command(x, &g, "1", "1002"),
        "{\"headers\"=>[\"Name\", \"Number\"], \"resultlist\"=>[\"Alice Martin;1002\"],"
        " \"status\"=>\"ok\"}");
    assert_string_equal(command(x, &g, "2", "fils"),
                        "{\"headers\"=>[\"Name\", \"From\"], \"resultlist\"=>["
                        "\"Durand  fils;csv\"], \"status\"=>\"ok\"}");
    assert_string_equal(command(x, &g, "3", "nobody"),
                        "{\"headers\"=>[\"Name\", \"Number\"], \"resultlist\"=>[], "
                        "\"status\"=>\"ok\"}");
    close_gateway(&g);
}

static void a_pattern_is_a_text_or_a_number(void **state)
{
    static const struct {
        struct view pattern; /* as msgpack has it; empty: not there */
        const char *answer;
    } cases[] = {{VIEW("\x80"), "\"reason\"=>\"pattern\""},         /* {} */
                 {VIEW("\x90"), "\"reason\"=>\"pattern\""},         /* [] */
                 {VIEW("\xc0"), "\"reason\"=>\"pattern\""},         /* null */
                 {VIEW("\xc2"), "\"reason\"=>\"pattern\""},         /* false */
                 {VIEW("\xcd\x03\xea"), "[\"Alice Martin;1002\"]"}, /* 1002 */
                 {VIEW("\xff"), "\"resultlist\"=>[]"},              /* -1 */
                 {VIEW("\xa0"), "[\"Alice Martin;1001\", "},        /* "" */
                 {VIEW(""), "[\"Alice Martin;1001\", "}};
    struct world *x = *state;
    struct gateway g;

    start(x, "");
    open_gateway(x, &g);
    open_session(x, &g, "1");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        send_pattern(&g, "1", cases[i].pattern);
        UNTIL(x->w.loop, g.answers == 1);
        assert_int_equal(g.status, BUS_ok);
        assert_non_null(strstr(g.said, cases[i].answer));
    }
    close_gateway(&g);
}

static void a_context_that_is_nowhere_is_said_so(void **state)
{
    struct world *x = *state;
    struct gateway g;

    start(x, "");
    json_object_object_del(config_section(x->w.cfg, "contexts"), "default");
    open_gateway(x, &g);
    open_session(x, &g, "1");
    assert_string_equal(command(x, &g, "1", "a"),
                        "{\"status\"=>\"ko\", \"reason\"=>\"undefined_context\"}");
    close_gateway(&g);
}

static void contexts_are_kept_apart_where_that_is_wanted(void **state)
{
    struct world *x = *state;
    struct gateway g;

    start(x, "\"parting_astid_context\":[\"context\"]");
    configure(x, "\"parting_astid_context\":[\"context\"]",
              ",\"inside\":{\"directories\":[\"internal\"],\"display\":\"from\"}");
    reload(x);
    open_gateway(x, &g);
    open_session(x, &g, "1");
    open_session(x, &g, "2");
    open_session(x, &g, "3");
    assert_non_null(
        strstr(command(x, &g, "1", ""), "[\"Alice Martin;1001\", \"Alice Martin;1002\"]"));
    assert_non_null(strstr(command(x, &g, "2", "rene"), " D up;Us\"]"));
    assert_non_null(strstr(command(x, &g, "2", "alice"), "\"resultlist\"=>[]"));
    assert_non_null(strstr(command(x, &g, "3", ""), "\"resultlist\"=>[]"));
    close_gateway(&g);
}

static void lines_of_other_contexts_are_not_shown(void **state)
{
    struct world *x = *state;
    struct gateway g;

    start(x, "\"parting_astid_context\":[\"context\"]");
    state_write(&x->w, "lines.json",
                "[{\"id\":\"11\",\"protocol\":\"sip\",\"name\":\"a\",\"number\":\"1001\","
                "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":1},"
                "{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"b\",\"number\":\"2002\","
                "\"context\":\"inside\",\"iduserfeatures\":\"1\",\"rules_order\":2},"
                "{\"id\":\"13\",\"protocol\":\"sip\",\"name\":\"r\",\"number\":\"1003\","
                "\"context\":\"default\",\"iduserfeatures\":\"2\",\"rules_order\":1}]");
    reload(x);
    open_gateway(x, &g);
    open_session(x, &g, "1");
    open_session(x, &g, "2");
    assert_non_null(
        strstr(command(x, &g, "1", "alice"), "[\"Alice Martin;1001\", \"Alice Martin;2002\"]"));
    assert_non_null(strstr(command(x, &g, "2", "alice"), "[\"Alice Martin;1001\"]"));
    close_gateway(&g);
}

static void who_asked_may_be_gone(void **state)
{
    struct world *x = *state;
    struct gateway g;

    start(x, "\"sockettimeout\":20");
    configure(x, "\"sockettimeout\":20",
              ",\"inside\":{\"directories\":[\"slow\"],\"display\":\"from\"}");
    reload(x);
    x->w.p.bus->gone_ms = 500;
    open_gateway(x, &g);
    open_session(x, &g, "2");
    send_command(&g, "2", "x");
    UNTIL(x->w.loop, web_page(&x->web, "/slow")->hits == 1);
    close_gateway(&g);
    UNTIL(x->w.loop, strstr(logged(x), "cti-gw gw is gone"));
    web_down(&x->web);
    UNTIL(x->w.loop, x->w.s->n_waiting == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clients_ask_in_the_context_of_their_line),
        TEST(a_pattern_is_a_text_or_a_number),
        TEST(a_context_that_is_nowhere_is_said_so),
        TEST(contexts_are_kept_apart_where_that_is_wanted),
        TEST(lines_of_other_contexts_are_not_shown),
        TEST(who_asked_may_be_gone),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
