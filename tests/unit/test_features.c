/* The services that users change themselves: asked for, kept, and a list that says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/array.h"
#include "core/context.h"
#include "sessions/sessions.h"
#include "support/state_peer.h"

#define CONFIG                                                                                     \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"                        \
    "\"urllist_users\":[\"file:users.json\"],\"urllist_lines\":[\"file:lines.json\"]}}},"          \
    "\"profiles\":{\"client\":{\"name\":\"Client\",\"regcommands\":\"all\"}},"                     \
    "\"regcommands\":{\"all\":[\"featuresget\",\"featuresput\"]}}"
#define ALICE(dnd, more)                                                                           \
    "{\"id\":\"1\",\"enableclient\":1,\"profileclient\":\"client\",\"enablednd\":" dnd             \
    ",\"destunc\":\"1000\"" more "}"
#define BOB "{\"id\":\"2\",\"enableclient\":1,\"profileclient\":\"client\"}"
#define USERS "[" ALICE("\"0\"", "") "," BOB "]"

struct world {
    struct state_world s;
    struct state_peer p;
    sqlite3 *other; /* another connection to the database: an operator, a backup */
    PGconn *shell;  /* the same to a server */
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    assert_int_equal(state_make_folder(&w->s), 0);
    state_write(&w->s, "ctibus.json", CONFIG);
    state_write(&w->s, "users.json", USERS);
    state_write(&w->s, "lines.json", "[]");
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    peer_start(&w->p, &w->s, "gw");
    assert_int_equal(peer_open(&w->p, "s", "1", "available"), BUS_ok);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    sqlite3_close(w->other);
    PQfinish(w->shell);
    peer_end(&w->p);
    state_teardown(&w->s);
    free(w);
    return 0;
}

/* ---- what is asked and looked at ---- */

static const char *put(struct world *w, const char *function, const char *value)
{
    char json[512];

    snprintf(json, sizeof(json), "{\"function\":\"%s\",\"value\":%s}", function, value);
    assert_int_equal(peer_command(&w->p, "s", "featuresput", json), BUS_ok);
    return w->p.answer;
}

#define OK "{\"status\":\"OK\"}"
#define SAME "{\"status\":\"OK\",\"warning_string\":\"no changes\"}"
#define KO(what) "{\"status\":\"KO\",\"error_string\":\"" what "\"}"

static const char *field(struct world *w, const char *user, unsigned f)
{
    static char text[128];
    char scratch[32];

    snprintf(text, sizeof(text), "%.*s",
             VIEW_ARG(value_text(xod_get(state_user(&w->s, user), f), scratch)));
    return text;
}

static bool on(struct world *w, unsigned f)
{
    return value_truth(xod_get(state_user(&w->s, "1"), f));
}

#define DND XOD(users, enablednd)
#define UNC XOD(users, enableunc)
#define DESTUNC XOD(users, destunc)

/* The list of users says this from now on. */
static void list(struct world *w, const char *users)
{
    state_write(&w->s, "users.json", users);
    state_reload(w->s.s, w->s.cfg);
}

static void restart(struct world *w)
{
    int ups = w->p.ups;

    state_restart(&w->s);
    UNTIL(w->s.loop, w->p.ups > ups);
    assert_int_equal(peer_open(&w->p, "s", "1", "available"), BUS_ok);
}

/* The second text: the same for PostgreSQL; NULL: no other. */
static void sql(struct world *w, const char *statement, const char *on_server)
{
    char path[128];

    if (state_on_server()) {
        if (!w->shell)
            w->shell = postgres_shell(state_uri, &state_server);
        postgres_do(w->shell, on_server ? on_server : statement);
        return;
    }
    snprintf(path, sizeof(path), "%s/ctibus.db", w->s.dir);
    if (!w->other) {
        assert_int_equal(sqlite3_open(path, &w->other), SQLITE_OK);
        sqlite3_busy_timeout(w->other, 10000);
    }
    assert_int_equal(sqlite3_exec(w->other, statement, NULL, NULL, NULL), SQLITE_OK);
}

static int kept(struct world *w)
{
    sqlite3_stmt *st;
    int n;

    sql(w, "SELECT 1", NULL); /* opens it */
    if (state_on_server())
        return (int)postgres_number(w->shell, "SELECT count(*) FROM service");
    assert_int_equal(sqlite3_prepare_v2(w->other, "SELECT count(*) FROM service", -1, &st, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return n;
}

/* ---- asking ---- */

static void all_services_are_read(void **state)
{
    struct world *w = *state;

    assert_int_equal(peer_command(&w->p, "s", "featuresget", "{}"), BUS_ok);
    assert_string_equal(w->p.answer,
                        "{\"userfeatures\":{\"enablednd\":\"0\",\"incallfilter\":null,"
                        "\"enablevoicemail\":null,\"callrecord\":null,\"enableunc\":null,"
                        "\"destunc\":\"1000\",\"enablebusy\":null,\"destbusy\":null,"
                        "\"enablerna\":null,\"destrna\":null}}");
    put(w, "enablednd", "true");
    put(w, "fwd", "{\"destunc\":1002}");
    assert_int_equal(peer_command(&w->p, "s", "featuresget", "{\"userid\":\"xivo/1\"}"), BUS_ok);
    assert_non_null(strstr(w->p.answer, "\"enablednd\":true,"));
    assert_non_null(strstr(w->p.answer, "\"destunc\":\"1002\","));
    assert_int_equal(peer_command(&w->p, "s", "featuresget", "{\"userid\":\"2\"}"), BUS_unallowed);
    assert_int_equal(peer_command(&w->p, "s", "featuresget", "{\"userid\":\"other/1\"}"),
                     BUS_unallowed);
}

static void flags_go_on_and_off(void **state)
{
    static const struct {
        const char *function;
        unsigned field;
    } all[] = {{"enablednd", XOD(users, enablednd)},
               {"incallfilter", XOD(users, incallfilter)},
               {"enablevoicemail", XOD(users, enablevoicemail)},
               {"callrecord", XOD(users, callrecord)},
               {"enablerecording", XOD(users, callrecord)}};
    static const char *const yes[] = {"true", "1", "\"1\"", "\"true\"", "\"True\""};
    static const char *const no[] = {"false", "0", "\"0\"", "\"false\"", "\"FALSE\""};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        for (size_t j = 0; j < 5; j++) {
            assert_string_equal(put(w, all[i].function, no[j]), SAME);
            assert_string_equal(put(w, all[i].function, yes[j]), OK);
            assert_true(on(w, all[i].field));
            assert_string_equal(put(w, all[i].function, yes[4 - j]), SAME);
            assert_string_equal(put(w, all[i].function, no[4 - j]), OK);
            assert_false(on(w, all[i].field));
        }
}

static void forwards_are_set_together(void **state)
{
    struct world *w = *state;

    assert_string_equal(put(w, "fwd", "{\"enableunc\":true,\"destunc\":\"06 12.34\"}"), OK);
    assert_true(on(w, UNC));
    assert_string_equal(field(w, "1", DESTUNC), "061234"); /* as it is dialled */
    assert_string_equal(put(w, "fwd", "{\"destunc\":\"061234\",\"enableunc\":\"1\"}"), SAME);
    assert_string_equal(put(w, "fwd", "{\"enableunc\":false,\"destunc\":\"061234\"}"), OK);
    assert_false(on(w, UNC));
    assert_string_equal(put(w, "fwd",
                            "{\"enablebusy\":1,\"destbusy\":\"*98#\",\"enablerna\":1,"
                            "\"destrna\":\"+33x\",\"enableunc\":0,\"destunc\":\"\"}"),
                        OK);
    assert_true(on(w, XOD(users, enablebusy)));
    assert_true(on(w, XOD(users, enablerna)));
    assert_string_equal(field(w, "1", XOD(users, destbusy)), "*98#");
    assert_string_equal(field(w, "1", XOD(users, destrna)), "+33x");
    assert_string_equal(field(w, "1", DESTUNC), "");
}

static void what_is_wrong_is_said_and_nothing_done(void **state)
{
    static const char number[] = "123456789012345678901234567890123456789012345678901234567890"
                                 "123456789012345678901234567890";
    struct world *w = *state;
    char json[256];

    assert_string_equal(put(w, "enablednd", "\"maybe\""), KO("value"));
    assert_string_equal(put(w, "enablednd", "2"), KO("value"));
    assert_string_equal(put(w, "enablednd", "null"), KO("value"));
    assert_string_equal(put(w, "enablednd", "{\"a\":1}"), KO("value"));
    assert_string_equal(put(w, "nosuch", "true"), KO("function"));
    assert_string_equal(put(w, "destunc", "\"1\""), KO("function"));
    assert_string_equal(put(w, "", "true"), KO("function"));
    assert_string_equal(put(w, "fwd", "true"), KO("value"));
    assert_string_equal(put(w, "fwd", "{}"), KO("value"));
    assert_string_equal(put(w, "fwd", "{\"enablednd\":true}"), KO("value"));
    assert_string_equal(put(w, "fwd", "{\"destrna\":\"5\",\"enablerna\":\"x\"}"), KO("enablerna"));
    assert_string_equal(put(w, "fwd", "{\"enableunc\":1,\"destunc\":[1]}"), KO("destunc"));
    assert_string_equal(put(w, "fwd", "{\"destunc\":{\"a\":1}}"), KO("destunc"));
    snprintf(json, sizeof(json), "{\"enableunc\":1,\"destunc\":\"%s\"}", number);
    assert_string_equal(put(w, "fwd", json), KO("destunc")); /* half of it would be another's */
    assert_int_equal(peer_command(&w->p, "s", "featuresput",
                                  "{\"function\":\"enablednd\",\"value\":1,\"userid\":\"2\"}"),
                     BUS_unallowed);
    assert_string_equal(field(w, "1", DND), "0");
    assert_string_equal(field(w, "1", DESTUNC), "1000");
    assert_string_equal(field(w, "1", XOD(users, destrna)), "");
    assert_false(on(w, UNC));
    assert_int_equal(kept(w), 0);
}

/* Calls would be forwarded to nobody. */
static void a_forward_to_nowhere_is_refused(void **state)
{
    struct world *w = *state;

    assert_string_equal(put(w, "fwd", "{\"enableunc\":1,\"destunc\":\"\"}"), KO("destination"));
    assert_string_equal(put(w, "fwd", "{\"enableunc\":1,\"destunc\":null}"), KO("destination"));
    assert_string_equal(put(w, "fwd", "{\"enableunc\":1,\"destunc\":\" - \"}"), KO("destination"));
    assert_string_equal(put(w, "fwd", "{\"enablerna\":1}"), KO("destination"));
    assert_false(on(w, UNC));
    assert_string_equal(field(w, "1", DESTUNC), "1000");
    assert_string_equal(put(w, "fwd", "{\"enableunc\":1}"), OK); /* to what it had */
    assert_string_equal(put(w, "fwd", "{\"destunc\":\"\"}"), KO("destination"));
    assert_string_equal(put(w, "fwd", "{\"enablebusy\":1,\"destbusy\":\"1\",\"enablerna\":1}"),
                        KO("destination"));
    assert_false(on(w, XOD(users, enablebusy))); /* not the good half either */
    assert_string_equal(put(w, "enablednd", "true"), OK);
    assert_string_equal(put(w, "fwd", "{\"enableunc\":0,\"destunc\":\"\"}"), OK);
    assert_string_equal(field(w, "1", DESTUNC), "");
}

/* ---- keeping ---- */

static void choices_outlive_a_restart(void **state)
{
    struct world *w = *state;

    put(w, "enablednd", "true");
    put(w, "fwd", "{\"enableunc\":true,\"destunc\":\"1002\"}");
    for (int i = 0; i < 2; i++) {
        restart(w);
        assert_true(on(w, DND));
        assert_true(on(w, UNC));
        assert_string_equal(field(w, "1", DESTUNC), "1002");
        assert_string_equal(put(w, "enablednd", "true"), SAME);
    }
    assert_string_equal(put(w, "enablednd", "false"), OK);
    restart(w);
    assert_false(on(w, DND));
    assert_true(on(w, UNC));
    assert_string_equal(field(w, "2", DND), "");
}

static void a_list_that_says_the_same_changes_nothing(void **state)
{
    struct world *w = *state;

    put(w, "enablednd", "true");
    list(w, "[" ALICE("0", ",\"firstname\":\"A\"") "]"); /* 0 for "0" */
    assert_true(on(w, DND));
    list(w, "[" ALICE("false", "") "]");
    assert_true(on(w, DND));
    restart(w);
    assert_true(on(w, DND));
}

static void a_list_that_says_something_else_wins_for_good(void **state)
{
    struct world *w = *state;

    put(w, "enablednd", "true");
    put(w, "fwd", "{\"destunc\":\"1002\"}");
    list(w, "[" ALICE("1", "") "]"); /* it says what was chosen, but says it anew */
    assert_true(on(w, DND));
    list(w, "[" ALICE("0", "") "]");
    assert_false(on(w, DND));
    assert_string_equal(field(w, "1", DESTUNC), "1002"); /* of which it says what it said */
    restart(w);
    assert_false(on(w, DND));
    assert_string_equal(field(w, "1", DESTUNC), "1002");
    assert_int_equal(kept(w), 1);
}

static void a_list_that_changed_while_state_was_down_wins(void **state)
{
    struct world *w = *state;

    put(w, "fwd", "{\"destunc\":\"1002\"}");
    state_write(&w->s, "users.json",
                "[{\"id\":\"1\",\"enableclient\":1,\"profileclient\":\"client\","
                "\"destunc\":\"1003\"}]");
    restart(w);
    assert_string_equal(field(w, "1", DESTUNC), "1003");
    UNTIL(w->s.loop, kept(w) == 0);
}

/* ---- while it is being kept ---- */

#define HELD "BEGIN; LOCK TABLE service IN SHARE MODE"

static void hold_the_disk(struct world *w)
{
    sql(w, "BEGIN IMMEDIATE", HELD);
}

static void send_dnd(struct world *w)
{
    w->p.answers = 0;
    peer_send(&w->p, METHOD_command,
              "{\"session\":\"s\",\"class\":\"featuresput\","
              "\"message\":{\"function\":\"enablednd\",\"value\":true}}");
    UNTIL(w->s.loop, w->s.s->n_waiting == 1);
    assert_false(on(w, DND)); /* shown when it is kept */
}

static void a_user_may_vanish_meanwhile(void **state)
{
    struct world *w = *state;

    hold_the_disk(w);
    send_dnd(w);
    list(w, "[" BOB "]");
    assert_null(state_user(&w->s, "1"));
    sql(w, "COMMIT", NULL);
    UNTIL(w->s.loop, w->p.answers == 1);
    assert_string_equal(w->p.answer, OK);
    assert_null(state_user(&w->s, "1"));
    list(w, USERS);
    assert_true(on(w, DND)); /* the list says what it said: the choice stands */
}

static void a_list_may_say_something_else_meanwhile(void **state)
{
    struct world *w = *state;

    hold_the_disk(w);
    send_dnd(w);
    list(w, "[" ALICE("1", "") "]");
    sql(w, "COMMIT", NULL);
    UNTIL(w->s.loop, w->p.answers == 1);
    UNTIL(w->s.loop, kept(w) == 0);
    assert_true(on(w, DND));
    list(w, "[" ALICE("0", "") "]");
    assert_false(on(w, DND));
}

static void what_is_on_its_way_is_not_what_is_asked_for(void **state)
{
    struct world *w = *state;

    hold_the_disk(w);
    send_dnd(w);
    peer_send(&w->p, METHOD_command,
              "{\"session\":\"s\",\"class\":\"featuresput\","
              "\"message\":{\"function\":\"enablednd\",\"value\":false}}");
    UNTIL(w->s.loop, w->s.s->n_waiting == 2 || w->p.answers == 1);
    assert_int_equal(w->p.answers, 0); /* that it is off is no reason to do nothing */
    sql(w, "COMMIT", NULL);
    UNTIL(w->s.loop, w->p.answers == 2);
    assert_false(on(w, DND));
    assert_string_equal(put(w, "enablednd", "false"), SAME);
    restart(w);
    assert_false(on(w, DND));
}

static void the_gateway_may_go_meanwhile(void **state)
{
    struct world *w = *state;

    w->s.p.bus->gone_ms = 500;
    hold_the_disk(w);
    send_dnd(w);
    peer_end(&w->p);
    UNTIL(w->s.loop, session_find(w->s.s->sessions, VIEW("s"))->gateway == NULL);
    sql(w, "COMMIT", NULL);
    UNTIL(w->s.loop, on(w, DND));
    UNTIL(w->s.loop, w->s.s->n_waiting == 0);
}

/* ---- a disk that fails ---- */

static void what_cannot_be_kept_is_not_done(void **state)
{
    struct world *w = *state;

    sql(w,
        "CREATE TRIGGER full BEFORE INSERT ON service WHEN new.field = 'destunc'"
        " BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'disk full'; END $$;"
        "CREATE TRIGGER full_ BEFORE INSERT ON service FOR EACH ROW"
        " WHEN (NEW.field = 'destunc') EXECUTE FUNCTION f()");
    assert_string_equal(put(w, "fwd", "{\"enableunc\":1,\"destunc\":\"1002\"}"), KO("database"));
    assert_false(on(w, UNC));
    assert_string_equal(field(w, "1", DESTUNC), "1000");
    assert_int_equal(kept(w), 0); /* not the half of it either */
    assert_string_equal(put(w, "enablednd", "1"), OK);
    sql(w, "DROP TRIGGER full", "DROP TRIGGER full_ ON service");
    assert_string_equal(put(w, "fwd", "{\"enableunc\":1,\"destunc\":\"1002\"}"), OK);
    assert_string_equal(field(w, "1", DESTUNC), "1002");
}

static void a_database_that_is_held_too_long_keeps_nothing(void **state)
{
    struct world *w = *state;

    put(w, "enablednd", "true");
    sql(w, "BEGIN EXCLUSIVE", HELD);
    assert_string_equal(put(w, "enablednd", "false"), KO("database"));
    assert_true(on(w, DND));
    sql(w, "COMMIT", NULL);
    assert_string_equal(put(w, "enablednd", "false"), OK);
    assert_false(on(w, DND));
    restart(w);
    assert_false(on(w, DND));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(all_services_are_read),
        T(flags_go_on_and_off),
        T(forwards_are_set_together),
        T(what_is_wrong_is_said_and_nothing_done),
        T(a_forward_to_nowhere_is_refused),
        T(choices_outlive_a_restart),
        T(a_list_that_says_the_same_changes_nothing),
        T(a_list_that_says_something_else_wins_for_good),
        T(a_list_that_changed_while_state_was_down_wins),
        T(a_user_may_vanish_meanwhile),
        T(a_list_may_say_something_else_meanwhile),
        T(what_is_on_its_way_is_not_what_is_asked_for),
        T(the_gateway_may_go_meanwhile),
        T(what_cannot_be_kept_is_not_done),
        T(a_database_that_is_held_too_long_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
