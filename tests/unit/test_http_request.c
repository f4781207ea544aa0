/* The head of an HTTP request, what is percent-encoded, and which route it is for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/buf.h"
#include "schema/api.h"
#include "server/request.h"

#define assert_view(v, text) assert_true(view_eq((v), VIEW(text)))

static int parse(const char *text, struct request_head *head)
{
    return request_parse(view_cstr(text), head);
}

/* ---- heads ---- */

static void a_whole_head(void **state)
{
    static const char text[] = "POST /v1/calls?as=x/1&b HTTP/1.1\r\n"
                               "host: ctibus.example\r\n"
                               "AUTHORIZATION:  Bearer x \r\n"
                               "Content-Length: 12\r\n"
                               "Content-Type: application/json\r\n"
                               "Idempotency-Key: k\r\n"
                               "Last-Event-ID: 1.2.3\r\n"
                               "X-Other: \t\xc3\xa9\r\n"
                               "Empty:\r\n"
                               "Expect: 100-Continue\r\n\r\nbody";
    struct request_head h;

    assert_int_equal(parse(text, &h), sizeof(text) - 1 - 4);
    assert_view(h.method, "POST");
    assert_view(h.path, "/v1/calls");
    assert_view(h.query, "as=x/1&b");
    assert_view(h.authorization, "Bearer x");
    assert_view(h.idempotency_key, "k");
    assert_view(h.last_event_id, "1.2.3");
    assert_view(h.content_type, "application/json");
    assert_int_equal(h.content_length, 12);
    assert_true(h.keep_alive && h.expects_go_ahead);
}

static void what_is_not_complete_is_waited_for(void **state)
{
    static const char text[] = "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
    struct request_head h;

    for (size_t n = 0; n < sizeof(text) - 1; n++)
        assert_int_equal(request_parse(view_of(text, n), &h), 0);
    assert_int_equal(parse(text, &h), sizeof(text) - 1);
    assert_view(h.path, "/");
    assert_int_equal(h.query.len, 0);
}

static void one_behind_the_other(void **state)
{
    static const char text[] =
        "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
    struct request_head h;
    int n = parse(text, &h);

    assert_view(h.path, "/a");
    assert_int_equal(n * 2, sizeof(text) - 1);
    assert_int_equal(parse(text + n, &h), n);
    assert_view(h.path, "/b");
}

static void which_connections_stay(void **state)
{
    static const struct {
        const char *version, *header;
        bool stays;
    } all[] = {
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: x, Close\r\n", false},
        {"1.1", "Connection: closed\r\n", true},
        {"1.0", "", false},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: keep-alive\r\nConnection: close\r\n", false},
    };
    struct request_head h;
    char text[200];

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        snprintf(text, sizeof(text), "GET / HTTP/%s\r\nHost: x\r\nExpect: 100-continue\r\n%s\r\n",
                 all[i].version, all[i].header);
        assert_true(parse(text, &h) > 0);
        assert_int_equal(h.keep_alive, all[i].stays);
        assert_int_equal(h.expects_go_ahead, all[i].version[2] == '1');
    }
    assert_true(parse("GET / HTTP/1.0\r\n\r\n", &h) > 0); /* without Host */
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } all[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},                       /* no Host */
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400}, /* two */
        {"\r\n\r\nGET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
        {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 505},
        {"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /\r\nHost: x\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /#x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /?a#x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /\t HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G\xc3\x84T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: x\n\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\x7f\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
        {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n",
         411},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1 1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nAuthorization:\r\nAuthorization: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nLast-Event-ID: a\r\nLast-Event-ID: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n", 400},
    };
    static const char nul[] = "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char in_header[] = "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n";
    struct request_head h;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (parse(all[i].text, &h) != -all[i].status)
            fail_msg("%d of %s", parse(all[i].text, &h), all[i].text);
    assert_int_equal(request_parse(view_of(nul, sizeof(nul) - 1), &h), -400);
    assert_int_equal(request_parse(view_of(in_header, sizeof(in_header) - 1), &h), -400);
    assert_true(parse("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n",
                      &h) > 0); /* the same twice says the same */
    assert_int_equal(h.content_length, 7);
}

static void lengths_are_bounded(void **state)
{
    struct request_head h;
    struct buf text;

    buf_init(&text, 0);
    buf_append_cstr(&text, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 1; i < REQUEST_MAX_HEADERS; i++)
        buf_append_cstr(&text, "A: b\r\n");
    buf_append_cstr(&text, "\r\n");
    assert_int_equal(request_parse(buf_view(&text), &h), buf_len(&text));
    text.end -= 2;
    buf_append_cstr(&text, "A: b\r\n\r\n");
    assert_int_equal(request_parse(buf_view(&text), &h), -431);

    buf_reset(&text);
    buf_append_cstr(&text, "GET / HTTP/1.1\r\nHost: ");
    while (buf_len(&text) < REQUEST_MAX_HEAD)
        buf_append_char(&text, 'x');
    assert_int_equal(request_parse(buf_view(&text), &h), 0);
    buf_append_cstr(&text, "\r\n\r\n");
    assert_true(request_parse(buf_view(&text), &h) > 0);
    text.end -= 4;
    buf_append_cstr(&text, "x");
    assert_int_equal(request_parse(buf_view(&text), &h), -431); /* before its end is seen */
    buf_append_cstr(&text, "\r\n\r\n");
    assert_int_equal(request_parse(buf_view(&text), &h), -431);
    buf_free(&text);
}

/* ---- percent-encoding ---- */

static void what_is_encoded(void **state)
{
    static const struct {
        const char *text, *plain; /* NULL: refused */
        bool plus;
    } all[] = {
        {"", "", false},        {"a%2Fb", "a/b", false},      {"a+b", "a+b", false},
        {"a+b", "a b", true},   {"%c3%A9", "\xc3\xa9", true}, {"%2", NULL, false},
        {"%", NULL, false},     {"%zz", NULL, false},         {"a%4", NULL, true},
        {"%00", NULL, false},   {"%0a", NULL, true},          {"%7f", NULL, false},
        {"%ff", NULL, false},   {"%c3", NULL, false},         {"\xff", NULL, false},
        {"%25", "%", false},    {"%ed%a0%80", NULL, false},   {"%c0%af", NULL, false},
        {"a%2bb", "a+b", true}, {"%20", " ", false},          {"%-1", NULL, false},
    };
    struct buf out;

    buf_init(&out, 100);
    assert_int_equal(request_decode(&out, VIEW(""), true), 0); /* into nothing */
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        int rc;
        buf_reset(&out);
        buf_append_cstr(&out, "\xff"); /* what was there before is not looked at */
        rc = request_decode(&out, view_cstr(all[i].text), all[i].plus);
        if ((rc == 0) != (all[i].plain != NULL))
            fail_msg("%d of %s", rc, all[i].text);
        if (rc == 0)
            assert_string_equal(buf_cstr(&out) + 1, all[i].plain);
        else
            assert_int_equal(rc, -EINVAL);
    }
    buf_free(&out);
    buf_init(&out, 2);
    assert_int_equal(request_decode(&out, VIEW("abcd"), false), -ENOMEM);
    buf_free(&out);
}

static void parameters(void **state)
{
    static const char query[] = "a=1&b&=x&&a=2&c=3=4&d=";
    struct view v;

    assert_true(request_param(VIEW(query), VIEW("a"), &v));
    assert_view(v, "1"); /* the first one counts */
    assert_true(request_param(VIEW(query), VIEW("b"), &v));
    assert_int_equal(v.len, 0);
    assert_true(request_param(VIEW(query), VIEW("c"), &v));
    assert_view(v, "3=4");
    assert_true(request_param(VIEW(query), VIEW("d"), &v));
    assert_int_equal(v.len, 0);
    assert_false(request_param(VIEW(query), VIEW("e"), &v));
    assert_false(request_param(VIEW(""), VIEW("a"), &v));
    assert_false(request_param(VIEW("A=1"), VIEW("a"), &v));
}

/* ---- routes ---- */

static void routes_are_found(void **state)
{
    static const struct {
        const char *method, *path;
        int route;
        const char *segments; /* with blanks between them */
    } all[] = {
        {"GET", "/v1", ROUTE_index, ""},
        {"GET", "/v1/me", ROUTE_me, ""},
        {"GET", "/v1/events", ROUTE_events, ""},
        {"GET", "/v1/users", ROUTE_list, "users"},
        {"GET", "/v1/calls", ROUTE_list, "calls"},
        {"POST", "/v1/calls", ROUTE_dial, ""},
        {"GET", "/v1/calls/xivo/1.5", ROUTE_object, "calls xivo 1.5"},
        {"GET", "/v1/chat", ROUTE_chat_history, ""},
        {"POST", "/v1/calls/x/y/hangup", ROUTE_hangup, "x y"},
        {"PUT", "/v1/queues/x/1/members/agent:x%2F2", ROUTE_member_change, "x 1 agent:x%2F2"},
        {"DELETE", "/v1/queues/x/1/members/m", ROUTE_member_remove, "x 1 m"},
        {"GET", "/v1/users/x/1/features", ROUTE_features_get, "x 1"},
        {"PUT", "/v1/users/x/1/features", ROUTE_features, "x 1"},
        {"PATCH", "/v1/users", -EOPNOTSUPP, ""},
        {"get", "/v1/users", -EOPNOTSUPP, ""},
        {"GET", "/v1/calls/x/y/hangup", -EOPNOTSUPP, ""},
        {"GET", "/", -ENOENT, ""},
        {"GET", "/v2", -ENOENT, ""},
        {"GET", "v1", -ENOENT, ""},
        {"GET", "/v1//users", -ENOENT, ""},
        {"GET", "/v1/users/x", -ENOENT, ""},
        {"GET", "/v1/users//1", -ENOENT, ""},
        {"GET", "//v1", -ENOENT, ""},
        {"GET", "/v1/users/x/1/2", -ENOENT, ""},
        {"POST", "/v1/calls/x/y/hangup/z", -ENOENT, ""},
        {"GET", "", -ENOENT, ""},
    };
    struct api_match m;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        int rc = api_match(view_cstr(all[i].method), view_cstr(all[i].path), &m);
        struct view rest = view_cstr(all[i].segments);
        if (rc != (all[i].route < 0 ? all[i].route : 0) ||
            (rc == 0 && (int)m.route != all[i].route))
            fail_msg("%d, route %d: %s %s", rc, m.route, all[i].method, all[i].path);
        for (size_t n = 0; rc == 0 && n < m.n; n++)
            assert_true(view_eq(m.segments[n], view_cut(&rest, ' ')));
        assert_int_equal(rest.len, 0);
    }
}

/* Each route is what its own method and path lead to. */
static void every_route_can_be_reached(void **state)
{
    const struct api_route_row *r;
    struct api_match m;

    for (size_t i = 0; (r = api_route(i)); i++) {
        assert_int_equal(api_match(view_cstr(r->method), view_cstr(r->path), &m), 0);
        assert_int_equal(m.route, i);
        assert_true(api_match(VIEW("BREW"), view_cstr(r->path), &m) == -EOPNOTSUPP);
    }
    assert_null(api_route(ROUTE_COUNT));
    assert_null(api_scope(SCOPE_COUNT));
    assert_int_equal(api_scope_find(VIEW("act_as")), SCOPE_act_as);
    assert_int_equal(api_scope_find(VIEW("any")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_head),
        cmocka_unit_test(what_is_not_complete_is_waited_for),
        cmocka_unit_test(one_behind_the_other),
        cmocka_unit_test(which_connections_stay),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(what_is_encoded),
        cmocka_unit_test(parameters),
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(every_route_can_be_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
