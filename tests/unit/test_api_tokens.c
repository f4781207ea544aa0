/* Tokens of the HTTP API, and what they may ask state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/context.h"
#include "sessions/api_tokens.h"
#include "support/state_peer.h"

struct world {
    struct state_world s;
    struct state_peer p;
    char token[64], id[32];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    assert_int_equal(state_setup(&w->s), 0);
    peer_start(&w->p, &w->s, "http@test");
    UNTIL(w->s.loop, state_user(&w->s, "5"));
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    peer_end(&w->p);
    state_teardown(&w->s);
    free(w);
    return 0;
}

/* A member of the last answer, as text. */
static const char *member(struct world *w, const char *key)
{
    struct json_object *o = json_tokener_parse(w->p.answer);
    static char text[2048];

    assert_non_null(o);
    snprintf(text, sizeof(text), "%s",
             json_object_get_string(json_object_object_get(o, key)) ?: "(none)");
    json_object_put(o);
    return text;
}

static enum bus_status create(struct world *w, const char *user, const char *scopes)
{
    char json[512];
    enum bus_status status;

    snprintf(json, sizeof(json),
             "{\"create\":true,\"user\":\"%s\",\"name\":\"crm\",\"scopes\":[%s]}", user, scopes);
    status = peer_ask(&w->p, METHOD_admin_api_tokens, json);
    if (status == BUS_ok) {
        snprintf(w->token, sizeof(w->token), "%.63s", member(w, "token"));
        snprintf(w->id, sizeof(w->id), "%.31s", member(w, "id"));
    }
    return status;
}

static enum bus_status open_token(struct world *w, const char *token)
{
    char json[512];

    snprintf(json, sizeof(json), "{\"token\":\"%s\"}", token);
    return peer_ask(&w->p, METHOD_api_open, json);
}

static void what_a_token_says(void **state)
{
    struct world *w = *state;

    assert_int_equal(create(w, "alice", "\"read\",\"calls\""), BUS_ok);
    assert_int_equal(strlen(w->token), API_TOKEN_TEXT - 1);
    assert_memory_equal(w->token, "ctb_", 4);
    assert_int_equal(strlen(w->id), API_TOKEN_ID);
    assert_null(strstr(w->token, w->id)); /* what is told of it tells nothing of its text */
    assert_int_equal(open_token(w, w->token), BUS_ok);
    assert_string_equal(member(w, "id"), w->id);
    assert_string_equal(member(w, "ipbxid"), "xivo");
    assert_string_equal(member(w, "userid"), "1");
    assert_string_equal(member(w, "login"), "alice");
    assert_string_equal(member(w, "scopes"), "[ \"read\", \"calls\" ]");
    assert_string_equal(member(w, "see"), "(none)");
    assert_string_equal(member(w, "read"), "false"); /* this profile does not permit getlist */
}

static void texts_that_are_no_token(void **state)
{
    struct world *w = *state;
    char other[64];

    assert_int_equal(create(w, "alice", "\"read\""), BUS_ok);
    snprintf(other, sizeof(other), "%s", w->token);
    other[20] = other[20] == 'a' ? 'b' : 'a';
    assert_int_equal(open_token(w, other), BUS_denied);
    assert_int_equal(open_token(w, ""), BUS_denied);
    other[46] = '\0';
    assert_int_equal(open_token(w, other), BUS_denied);
    assert_int_equal(open_token(w, w->id), BUS_denied);
    assert_int_equal(peer_ask(&w->p, METHOD_api_open, "{}"), BUS_denied);
    assert_int_equal(peer_ask(&w->p, METHOD_api_open, "{\"token\":[1]}"), BUS_denied);
}

static void for_whom_none_is_made(void **state)
{
    struct world *w = *state;

    assert_int_equal(create(w, "nobody", "\"read\""), BUS_not_found);
    assert_int_equal(create(w, "carol", "\"read\""), BUS_denied); /* she may not log in */
    assert_int_equal(create(w, "alice", ""), BUS_malformed);
    assert_int_equal(create(w, "alice", "\"everything\""), BUS_malformed);
    assert_int_equal(create(w, "alice", "\"read\",7"), BUS_malformed);
    assert_int_equal(
        peer_ask(&w->p, METHOD_admin_api_tokens,
                 "{\"create\":true,\"user\":\"alice\",\"scopes\":[\"read\"],\"days\":-1}"),
        BUS_malformed);
    assert_int_equal(
        peer_ask(&w->p, METHOD_admin_api_tokens,
                 "{\"create\":true,\"user\":\"alice\",\"scopes\":[\"read\"],\"days\":1e9}"),
        BUS_malformed);
    assert_int_equal(
        peer_ask(&w->p, METHOD_admin_api_tokens,
                 "{\"create\":true,\"user\":\"alice\",\"scopes\":[\"read\"],\"days\":\"30\"}"),
        BUS_malformed); /* not: without end */
    assert_int_equal(peer_ask(&w->p, METHOD_admin_api_tokens, "{\"create\":true}"), BUS_malformed);
    assert_int_equal(peer_ask(&w->p, METHOD_admin_api_tokens, "{}"), BUS_ok);
    assert_string_equal(w->p.answer, "{\"tokens\":[]}");
}

static void they_are_listed_and_revoked(void **state)
{
    struct world *w = *state;
    char first[64], json[128];

    create(w, "alice", "\"read\"");
    snprintf(first, sizeof(first), "%s", w->token);
    snprintf(json, sizeof(json), "{\"revoke\":\"%s\"}", w->id);
    create(w, "alice", "\"read\"");
    create(w, "erin", "\"calls\"");
    assert_int_equal(peer_ask(&w->p, METHOD_admin_api_tokens, "{\"user\":\"erin\"}"), BUS_ok);
    assert_non_null(strstr(w->p.answer, "\"login\":\"erin\""));
    assert_null(strstr(w->p.answer, "\"login\":\"alice\""));
    assert_null(strstr(w->p.answer, "ctb_"));
    assert_int_equal(peer_ask(&w->p, METHOD_admin_api_tokens, json), BUS_ok);
    assert_string_equal(w->p.answer, "{\"revoked\":1}");
    assert_int_equal(open_token(w, first), BUS_denied);
    assert_int_equal(peer_ask(&w->p, METHOD_admin_api_tokens, json), BUS_ok);
    assert_string_equal(w->p.answer, "{\"revoked\":0}");
    assert_int_equal(
        peer_ask(&w->p, METHOD_admin_api_tokens, "{\"user\":\"alice\",\"revoke\":true}"), BUS_ok);
    assert_string_equal(w->p.answer, "{\"revoked\":1}");
    assert_int_equal(open_token(w, w->token), BUS_ok); /* erin's stays */
}

static void they_end_with_their_time(void **state)
{
    struct world *w = *state;

    assert_int_equal(peer_ask(&w->p, METHOD_admin_api_tokens,
                              "{\"create\":true,\"user\":\"alice\",\"scopes\":[\"read\"],"
                              "\"days\":0.000001}"),
                     BUS_ok);
    snprintf(w->token, sizeof(w->token), "%.63s", member(w, "token"));
    run_for(w->s.loop, 120); /* a ten millionth of a day is 86 ms */
    assert_int_equal(open_token(w, w->token), BUS_denied);
    assert_int_equal(create(w, "alice", "\"read\""), BUS_ok);
    assert_int_equal(open_token(w, w->token), BUS_ok);
}

static void they_survive_a_restart(void **state)
{
    struct world *w = *state;
    char token[64], revoked[64], json[128];

    create(w, "alice", "\"read\",\"act_as\"");
    snprintf(token, sizeof(token), "%s", w->token);
    create(w, "alice", "\"read\"");
    snprintf(revoked, sizeof(revoked), "%s", w->token);
    snprintf(json, sizeof(json), "{\"revoke\":\"%s\"}", w->id);
    peer_ask(&w->p, METHOD_admin_api_tokens, json);
    peer_end(&w->p);
    state_stop(&w->s);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    peer_start(&w->p, &w->s, "http@test");
    UNTIL(w->s.loop, state_user(&w->s, "5"));
    assert_int_equal(open_token(w, token), BUS_ok);
    assert_string_equal(member(w, "scopes"), "[ \"read\", \"act_as\" ]");
    assert_int_equal(open_token(w, revoked), BUS_denied);
}

/* ---- commands ---- */

static enum bus_status command(struct world *w, const char *more)
{
    char json[512];

    snprintf(json, sizeof(json), "{\"id\":\"%s\",\"class\":\"availstate\",\"message\":%s}", w->id,
             more);
    return peer_ask(&w->p, METHOD_api_command, json);
}

static void commands_of_a_token(void **state)
{
    struct world *w = *state;

    create(w, "alice", "\"users\"");
    assert_int_equal(command(w, "{\"availstate\":\"away\"}"), BUS_ok);
    assert_int_equal(command(w, "{\"availstate\":\"away\"},\"as\":\"5\""), BUS_unallowed);
    assert_int_equal(command(w, "{\"availstate\":\"away\"},\"as\":\"1\""), BUS_ok); /* herself */
    create(w, "alice", "\"users\",\"act_as\"");
    assert_int_equal(command(w, "{\"availstate\":\"away\"},\"as\":\"99\""), BUS_unallowed);
    assert_true(command(w, "7") != BUS_ok);
    assert_true(command(w, "null") != BUS_ok);
    snprintf(w->id, sizeof(w->id), "nonsense");
    assert_int_equal(command(w, "{\"availstate\":\"away\"}"), BUS_denied);
}

static void commands_that_are_repeated(void **state)
{
    struct world *w = *state;
    char key[300];

    create(w, "alice", "\"users\"");
    assert_int_equal(command(w, "{\"availstate\":\"away\"},\"key\":\"k\""), BUS_ok);
    assert_int_equal(command(w, "{\"availstate\":\"away\"},\"key\":\"k\""), BUS_ok);
    assert_int_equal(command(w, "{\"availstate\":\"available\"},\"key\":\"k\""), BUS_malformed);
    memset(key, 'x', sizeof(key));
    snprintf(key, sizeof(key), "{\"availstate\":\"away\"},\"key\":\"%0*d\"", 201, 0);
    assert_int_equal(command(w, key), BUS_malformed);
    snprintf(key, sizeof(key), "{\"availstate\":\"away\"},\"key\":\"%0*d\"", 200, 0);
    assert_int_equal(command(w, key), BUS_ok);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_token_says),        TEST(texts_that_are_no_token),
        TEST(for_whom_none_is_made),    TEST(they_are_listed_and_revoked),
        TEST(they_end_with_their_time), TEST(they_survive_a_restart),
        TEST(commands_of_a_token),      TEST(commands_that_are_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
