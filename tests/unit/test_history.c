/* history by pages: whose calls, in which order, and how the database finds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#define IPBX_CLASSES "[\"history\",\"getagentsstats\"]"
#include "base/clock.h"
#include "commands/history_sql.h"
#include "database/db.h"
#include "support/ipbx_world.h"
#include "json/json.h"

static int setup(void **state)
{
    struct ipbx_world *w;
    struct json_object *client;

    ipbx_setup(state);
    w = *state;
    client = json_member(config_section(w->s.cfg, "profiles"), VIEW("client"));
    json_object_object_add(client, "history", json_tokener_parse("[\"group\",\"queue\"]"));
    return 0;
}

static void put(struct ipbx_world *w, const char *user, int mode, double start, const char *number,
                const char *name, const char *queue, const char *by, const char *call)
{
    db_write(w->s.s->db,
             "INSERT INTO call_log (site, user, mode, start, duration, name, number, call, queue,"
             " answered_by, recorded) VALUES ('xivo', ?, ?, ?, 61, ?, ?, ?, ?, ?, 1)",
             "sifsssss", view_cstr(user), (int64_t)mode, start, view_cstr(name), view_cstr(number),
             view_cstr(call), view_cstr(queue), view_cstr(by));
}

/* Ids of the calls of an answer, one after another, then a bar and the cursor. */
static const char *ask(struct ipbx_world *w, const char *message)
{
    static char out[1024];
    struct json_object *o;
    struct json_object *calls;
    struct view next;

    assert_int_equal(peer_command(&w->p, "s1", "history", message), BUS_ok);
    o = json_tokener_parse(w->p.answer);
    calls = json_get(o, "calls");
    assert_non_null(calls);
    out[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(calls); i++) {
        struct view id = json_get_view(json_object_array_get_idx(calls, i), "id");
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s ", VIEW_ARG(id));
    }
    next = json_get_view(o, "next");
    snprintf(out + strlen(out), sizeof(out) - strlen(out), "|%.*s", VIEW_ARG(next));
    json_object_put(o);
    return out;
}

static void a_row_has_all_that_is_known_of_a_call(void **state)
{
    struct ipbx_world *w = *state;

    put(w, "1", 1, 1000.5, "1002", "Bob", "blue", "Alice", "1.1");
    put(w, "1", 3, 900, "1003", "", "", "Bob", "1.0");
    assert_int_equal(peer_command(&w->p, "s1", "history", "{\"limit\":10,\"size\":10}"), BUS_ok);
    assert_string_equal(w->p.answer,
                        "{\"calls\":[{\"id\":\"1.1\",\"when\":1000.5,\"duration\":61,"
                        "\"direction\":\"answered\",\"number\":\"1002\",\"name\":\"Bob\","
                        "\"queue\":\"blue\",\"answered_by\":\"Alice\",\"elsewhere\":false,"
                        "\"recording\":true,\"user\":\"1\"},"
                        "{\"id\":\"1.0\",\"when\":900.0,\"duration\":61,"
                        "\"direction\":\"answered\",\"number\":\"1003\",\"name\":null,"
                        "\"queue\":null,\"answered_by\":\"Bob\",\"elsewhere\":true,"
                        "\"recording\":true,\"user\":\"1\"}],\"next\":null}");
    /* the first form has its own rows still, and nothing that others answered */
    assert_int_equal(peer_command(&w->p, "s1", "history", "{\"size\":10}"), BUS_ok);
    assert_non_null(strstr(w->p.answer, "\"history\":[{\"calldate\""));
    assert_null(strstr(w->p.answer, "1003"));
}

static void pages_follow_each_other(void **state)
{
    struct ipbx_world *w = *state;
    char message[128];
    const char *page;

    for (int i = 1; i <= 5; i++) {
        char id[16];
        snprintf(id, sizeof(id), "c%d", i);
        put(w, "1", 0, i < 4 ? 1000 : 2000, "1", "", "", "", id); /* some at the same instant */
    }
    put(w, "2", 0, 1500, "1", "", "", "", "bobs");
    page = ask(w, "{\"limit\":2}");
    assert_true(view_starts(view_cstr(page), VIEW("c5 c4 |")));
    snprintf(message, sizeof(message), "{\"limit\":2,\"cursor\":\"%s\"}", strchr(page, '|') + 1);
    page = ask(w, message);
    assert_true(view_starts(view_cstr(page), VIEW("c3 c2 |")));
    snprintf(message, sizeof(message), "{\"limit\":2,\"cursor\":\"%s\"}", strchr(page, '|') + 1);
    assert_string_equal(ask(w, message), "c1 |");
    assert_string_equal(ask(w, "{\"limit\":5}"), "c5 c4 c3 c2 c1 |");
    assert_string_equal(ask(w, "{\"from\":1500}"), "c5 c4 |");
    assert_string_equal(ask(w, "{\"to\":1500,\"limit\":9}"), "c3 c2 c1 |");
}

static void what_is_looked_for(void **state)
{
    struct ipbx_world *w = *state;

    put(w, "1", 0, 1, "0612345678", "Noël", "", "", "sent");
    put(w, "1", 1, 2, "1002", "Bob", "", "", "answered");
    put(w, "1", 2, 3, "1003", "Carol", "", "", "missed");
    put(w, "1", 3, 4, "1004", "Dave", "", "Bob", "elsewhere");
    assert_string_equal(ask(w, "{\"limit\":9,\"direction\":\"sent\"}"), "sent |");
    assert_string_equal(ask(w, "{\"limit\":9,\"direction\":\"missed\"}"), "missed |");
    assert_string_equal(ask(w, "{\"limit\":9,\"direction\":\"answered\"}"), "elsewhere answered |");
    assert_string_equal(ask(w, "{\"text\":\"NOEL\"}"), "sent |");
    assert_string_equal(ask(w, "{\"text\":\"100\"}"), "elsewhere missed answered |");
    assert_string_equal(ask(w, "{\"text\":\"%\"}"), "|");
}

static void whose_calls_the_profile_permits(void **state)
{
    struct ipbx_world *w = *state;
    struct json_object *client = json_member(config_section(w->s.cfg, "profiles"), VIEW("client"));
    struct xod_obj *group = xod_find(w->s.ipbx, LIST_groups, VIEW("1"));

    put(w, "1", 0, 1, "1002", "Bob", "", "", "1.1");
    put(w, "2", 1, 2, "1001", "Alice", "", "", "1.1"); /* the same call */
    put(w, "2", 1, 3, "1005", "Erin", "", "", "1.2");
    put(w, "5", 0, 3, "1002", "Bob", "", "", "1.2");
    put(w, "4", 1, 4, "1005", "Erin", "", "", "1.4"); /* dave is in no group of hers */
    put(w, "", 1, 5, "06", "", "blue", "Bob", "1.5");
    put(w, "", 2, 6, "06", "", "hidden", "", "1.6"); /* she does not see that queue */
    for (int i = 0; i < 2; i++) {
        static const char *const phones[] = {"11", "21"};
        xod_list_add(group, XOD(groups, phonemembers), view_cstr(phones[i]));
        xod_list_add(xod_find(w->s.ipbx, LIST_phones, view_cstr(phones[i])), XOD(phones, groups),
                     VIEW("1"));
    }
    state_commit(w->s.s, false);
    assert_string_equal(ask(w, "{\"scope\":\"own\"}"), "1.1 |");
    assert_string_equal(ask(w, "{\"scope\":\"group\"}"), "1.2 1.1 |");
    assert_string_equal(ask(w, "{\"scope\":\"queue\"}"), "1.5 |");
    assert_int_equal(peer_command(&w->p, "s1", "history", "{\"scope\":\"all\"}"), BUS_malformed);
    json_object_object_del(client, "history");
    assert_int_equal(peer_command(&w->p, "s1", "history", "{\"scope\":\"group\"}"), BUS_unallowed);
    assert_int_equal(peer_command(&w->p, "s1", "history", "{\"scope\":\"queue\"}"), BUS_unallowed);
    assert_string_equal(ask(w, "{\"scope\":\"own\"}"), "1.1 |");
}

static void nonsense_is_refused(void **state)
{
    static const char *const messages[] = {
        "{\"cursor\":\"x\"}",
        "{\"cursor\":\"1_\"}",
        "{\"cursor\":\"nan_1\"}",
        "{\"cursor\":\"1_1_1\"}",
        "{\"limit\":9,\"direction\":\"up\"}",
        "{\"cursor\":\"1 OR 1=1_1\"}",
        "{\"scope\":\"own' OR 1\"}",
    };
    struct ipbx_world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
        assert_int_equal(peer_command(&w->p, "s1", "history", messages[i]), BUS_malformed);
    assert_string_equal(ask(w, "{\"limit\":-1}"), "|");
    assert_string_equal(ask(w, "{\"limit\":9223372036854775807}"), "|");
    assert_string_equal(ask(w, "{\"from\":\"x\",\"to\":{}}"), "|");
}

/* A page of a million rows is read like one of ten: backwards along an index, nothing is sorted. */
static void pages_are_read_along_an_index(void **state)
{
    static const struct {
        const char *sql, *index;
    } queries[] = {
        {HISTORY_OWN, "USING INDEX call_log_user (site=? AND user=? AND start>? AND start<?)"},
        {HISTORY_QUEUE, "USING INDEX call_log_user (site=? AND user=? AND start>? AND start<?)"},
        {HISTORY_GROUP, "USING INDEX call_log_site (site=? AND start>? AND start<?)"}};
    struct ipbx_world *w = *state;
    char path[128], plan[2048];
    sqlite3 *sql;

    if (state_on_server())
        skip();
    snprintf(path, sizeof(path), "%s/ctibus.db", w->s.dir);
    assert_int_equal(sqlite3_open_v2(path, &sql, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        char text[2048];
        sqlite3_stmt *st;
        plan[0] = '\0';
        snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", queries[i].sql);
        assert_int_equal(sqlite3_prepare_v2(sql, text, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW)
            snprintf(plan + strlen(plan), sizeof(plan) - strlen(plan), "%s\n",
                     (const char *)sqlite3_column_text(st, 3));
        sqlite3_finalize(st);
        if (!strstr(plan, queries[i].index) || strstr(plan, "TEMP B-TREE"))
            fail_msg("%s", plan);
        if (strstr(queries[i].sql, "NOT EXISTS") &&
            !strstr(plan, "USING INDEX call_log_call (site=? AND call=?"))
            fail_msg("%s", plan);
    }
    sqlite3_close(sql);
}

#define AGENTS(message)                                                                            \
    assert_int_equal(peer_command(&w->p, "s1", "getagentsstats", message), BUS_ok)

static void agents_have_their_calls_and_talk_time(void **state)
{
    struct ipbx_world *w = *state;
    double now = clock_wall();
    char message[64];

    put(w, "1", 1, now - 3600, "1", "", "blue", "Alice", "1.1");
    put(w, "1", 1, now - 3500, "1", "", "blue", "Alice", "1.2");
    put(w, "1", 1, now - 3000, "1", "", "", "Alice", "1.3");
    put(w, "1", 0, now - 2900, "1", "", "", "Bob", "1.4");
    put(w, "1", 2, now - 2000, "1", "", "blue", "", "1.5");    /* missed */
    put(w, "1", 3, now - 2000, "1", "", "blue", "Bob", "1.6"); /* taken by another */
    put(w, "2", 1, now - 2000, "1", "", "blue", "Bob", "1.6"); /* is no agent */
    put(w, "1", 1, now - 200000, "1", "", "blue", "Alice", "1.0");
    AGENTS("{}");
    assert_string_equal(w->p.answer, "{\"agents\":[{\"id\":\"7\",\"calls\":2,\"talked\":122,"
                                     "\"other_calls\":2,\"other_talked\":122}]}");
    snprintf(message, sizeof(message), "{\"from\":%.0f}", now - 2950);
    AGENTS(message);
    assert_string_equal(w->p.answer, "{\"agents\":[{\"id\":\"7\",\"calls\":0,\"talked\":0,"
                                     "\"other_calls\":1,\"other_talked\":61}]}");
    AGENTS("{\"from\":1}"); /* not so long ago */
    assert_non_null(strstr(w->p.answer, "\"calls\":2"));
    snprintf(message, sizeof(message), "{\"from\":%.0f}", now + 10);
    AGENTS(message);
    assert_string_equal(w->p.answer, "{\"agents\":[]}");
}

/* In a context that the user does not see. */
static void agents_that_are_not_seen_have_none(void **state)
{
    struct ipbx_world *w = *state;
    struct xod_obj *dave = xod_find(w->s.ipbx, LIST_users, VIEW("4"));

    xod_relate(dave, xod_find(w->s.ipbx, LIST_agents, VIEW("9")));
    state_commit(w->s.s, false);
    put(w, "4", 1, clock_wall() - 60, "1", "", "blue", "Dave", "1.1");
    AGENTS("{}");
    assert_string_equal(w->p.answer, "{\"agents\":[]}");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, ipbx_teardown)
    const struct CMUnitTest tests[] = {
        T(a_row_has_all_that_is_known_of_a_call),
        T(pages_follow_each_other),
        T(what_is_looked_for),
        T(whose_calls_the_profile_permits),
        T(nonsense_is_refused),
        T(pages_are_read_along_an_index),
        T(agents_have_their_calls_and_talk_time),
        T(agents_that_are_not_seen_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
