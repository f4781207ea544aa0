/* Sessions over restarts of state: who comes back, who does not, and lists that come late. */
#include <arpa/inet.h>
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
#include "support/webserver.h"

#define SITE(name, users)                                                                          \
    "\"" name "\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\",\"username\":\"u\","           \
    "\"password\":\"p\"},\"urllists\":{\"urllist_users\":[\"" users "\"]}}"
#define CONFIG(sites)                                                                              \
    "{\"main\":{},\"ipbxes\":{" sites "},\"profiles\":{\"client\":{\"name\":\"Client\","           \
    "\"regcommands\":\"all\",\"userstatus\":\"std\"}},\"regcommands\":{\"all\":[\"availstate\"]}," \
    "\"userstatus\":{\"std\":{\"disconnected\":{\"actions\":{\"enablednd\":\"true\"}},"            \
    "\"available\":{},\"away\":{}}}}"
#define USER(id, enabled)                                                                          \
    "{\"id\":\"" id "\",\"enableclient\":" enabled ",\"profileclient\":\"client\"}"
#define ALICE USER("1", "1")
#define BOB USER("2", "1")

#define LONG 60000 /* a grace time that does not end in a test */

struct world {
    struct state_world s;
    struct state_peer a, b;
    struct webserver web;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    assert_int_equal(state_make_folder(&w->s), 0);
    w->s.loop = loop_new();
    w->s.lists_retry_ms = 20;
    w->s.grace_ms = LONG;
    w->web.loop = w->s.loop;
    return 0;
}

static void configure(struct world *w, const char *config, const char *users)
{
    struct config *old = w->s.cfg;

    state_write(&w->s, "ctibus.json", config);
    state_write(&w->s, "users.json", users);
    w->s.cfg = state_config(&w->s);
    if (w->s.s)
        w->s.s->cfg = w->s.cfg; /* not read before the restart */
    config_destroy(&old);
}

static void start_with(struct world *w, const char *config, const char *users)
{
    configure(w, config, users);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    peer_start(&w->a, &w->s, "a");
}

static void start(struct world *w)
{
    start_with(w, CONFIG(SITE("xivo", "file:users.json")), "[" ALICE "," BOB "]");
}

static int teardown(void **state)
{
    struct world *w = *state;

    peer_end(&w->a);
    peer_end(&w->b);
    if (w->web.http) {
        state_stop(&w->s);
        web_down(&w->web);
    }
    state_teardown(&w->s);
    free(w);
    return 0;
}

static void restart(struct world *w, uint32_t grace_ms)
{
    int ups = w->a.ups;

    w->s.grace_ms = grace_ms;
    state_restart(&w->s);
    UNTIL(w->s.loop, w->a.ups > ups);
}

static void list(struct world *w, const char *users)
{
    state_write(&w->s, "users.json", users);
    state_reload(w->s.s, w->s.cfg);
}

static int rows(struct world *w, const char *sql)
{
    sqlite3_stmt *st;
    sqlite3 *db;
    char path[128];
    int n;

    if (state_on_server()) {
        PGconn *shell = postgres_shell(state_uri, &state_server);
        n = (int)postgres_number(shell, sql);
        PQfinish(shell);
        return n;
    }
    snprintf(path, sizeof(path), "%s/ctibus.db", w->s.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

#define KEPT "SELECT count(*) FROM session"

static enum bus_status renew(struct state_peer *p, const char *session, const char *user,
                             const char *presence)
{
    char json[256];

    snprintf(json, sizeof(json),
             "{\"sessions\":[{\"session\":\"%s\",\"userid\":\"%s\",\"ipbxid\":\"xivo\","
             "\"capaid\":\"client\",\"presence\":\"%s\"}]}",
             session, user, presence);
    return peer_ask(p, METHOD_session_renew, json);
}

static struct session *session(struct world *w, const char *id)
{
    return session_find(w->s.s->sessions, view_cstr(id));
}

static size_t count(struct world *w)
{
    return sessions_count(w->s.s->sessions);
}

static const char *presence(struct world *w, const char *user)
{
    return state_str(state_user(&w->s, user), XOD(users, availstate));
}

static const char *connection(struct world *w, const char *user)
{
    return state_str(state_user(&w->s, user), XOD(users, connection));
}

static bool dnd(struct world *w, const char *user)
{
    return value_truth(xod_get(state_user(&w->s, user), XOD(users, enablednd)));
}

/* ---- over a restart ---- */

static void sessions_are_there_at_once_after_a_restart(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    restart(w, LONG);
    assert_int_equal(count(w), 1);
    assert_null(session(w, "s")->gateway);
    assert_string_equal(presence(w, "1"), "away");
    assert_string_equal(connection(w, "1"), "yes");
    assert_string_equal(presence(w, "2"), "disconnected");
    assert_string_equal(connection(w, "2"), "(none)");
    assert_int_equal(renew(&w->a, "s", "1", "available"), BUS_ok);
    assert_non_null(session(w, "s")->gateway);
    assert_string_equal(presence(w, "1"), "away"); /* state knows better */
    assert_int_equal(peer_presence(&w->a, "s", "available"), BUS_ok);
    restart(w, LONG);
    assert_string_equal(presence(w, "1"), "available");
    assert_int_equal(peer_close(&w->a, "s"), BUS_ok); /* not renewed, but its gateway says so */
    assert_string_equal(presence(w, "1"), "disconnected");
    restart(w, LONG);
    assert_int_equal(count(w), 0);
    assert_string_equal(presence(w, "1"), "disconnected");
}

static void who_does_not_come_back_is_gone_after_the_grace_time(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    peer_open(&w->a, "t", "2", "available");
    w->s.grace_ms = 300;
    state_restart(&w->s);
    assert_int_equal(count(w), 2);
    UNTIL(w->s.loop, count(w) == 0);
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_string_equal(connection(w, "1"), "(none)");
    UNTIL(w->s.loop, dnd(w, "1") && dnd(w, "2")); /* what is done at the last logout */
    UNTIL(w->s.loop, rows(w, KEPT) == 0);
    assert_int_equal(rows(w, "SELECT count(*) FROM presence WHERE availstate = 'disconnected'"), 2);
}

static void without_a_grace_time_a_lost_client_is_gone_at_once(void **state)
{
    struct world *w = *state;

    w->s.no_grace = true;
    start(w);
    peer_open(&w->a, "s", "1", "away");
    peer_open(&w->a, "t", "2", "away");
    assert_int_equal(
        peer_ask(&w->a, METHOD_session_close, "{\"session\":\"s\",\"reason\":\"lost\"}"), BUS_ok);
    assert_int_equal(count(w), 1);
    assert_null(session(w, "s"));
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_string_equal(presence(w, "2"), "away");
}

static void a_renewed_session_does_not_run_out(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    peer_open(&w->a, "t", "2", "away");
    restart(w, 3500);
    assert_int_equal(renew(&w->a, "s", "1", "away"), BUS_ok);
    UNTIL(w->s.loop, count(w) == 1);
    assert_non_null(session(w, "s"));
    assert_string_equal(presence(w, "1"), "away");
    assert_string_equal(presence(w, "2"), "disconnected");
}

static void two_sessions_of_a_user_are_both_counted(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    peer_open(&w->a, "t", "1", "available");
    restart(w, LONG);
    assert_int_equal(count(w), 2);
    assert_int_equal(renew(&w->a, "t", "1", "away"), BUS_ok);
    assert_int_equal(peer_close(&w->a, "t"), BUS_ok);
    assert_string_equal(presence(w, "1"), "away");
    assert_string_equal(connection(w, "1"), "yes");
    assert_false(dnd(w, "1"));
    assert_int_equal(peer_close(&w->a, "s"), BUS_ok);
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_string_equal(connection(w, "1"), "(none)");
    UNTIL(w->s.loop, dnd(w, "1"));
}

/* A session that the disk had no room for when it began comes by its gateway's word, and is from
 * then on as any other. */
static void a_session_that_was_not_kept_is_told_and_kept(void **state)
{
    struct world *w = *state;

    start(w);
    assert_int_equal(renew(&w->a, "s", "1", "away"), BUS_ok);
    assert_string_equal(presence(w, "1"), "away");
    UNTIL(w->s.loop, rows(w, KEPT) == 1);
    restart(w, LONG);
    assert_string_equal(connection(w, "1"), "yes");
    assert_string_equal(presence(w, "1"), "away");
}

/* ---- users and IPBXes that changed meanwhile ---- */

static void who_may_no_longer_log_in_does_not_come_back(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    configure(w, CONFIG(SITE("xivo", "file:users.json")), "[" USER("1", "0") "," BOB "]");
    restart(w, LONG);
    assert_int_equal(count(w), 0);
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_int_equal(renew(&w->a, "s", "1", "away"), BUS_ok);
    assert_int_equal(w->a.kicks, 1);
    assert_string_equal(w->a.kicked, "s");
    assert_int_equal(count(w), 0);
    assert_string_equal(connection(w, "1"), "(none)");
    UNTIL(w->s.loop, rows(w, KEPT) == 0);
}

static void who_is_no_longer_named_does_not_come_back(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    configure(w, CONFIG(SITE("xivo", "file:users.json")), "[" BOB "]");
    restart(w, LONG);
    assert_int_equal(count(w), 0);
    assert_int_equal(renew(&w->a, "s", "1", "away"), BUS_ok);
    assert_int_equal(w->a.kicks, 1);
    UNTIL(w->s.loop, rows(w, KEPT) == 0);
}

static void a_reload_throws_out_whom_it_does_not_let_in(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    peer_open(&w->a, "t", "1", "away");
    peer_open(&w->a, "u", "2", "away");
    list(w, "[" USER("1", "0") "]");
    assert_int_equal(count(w), 0);
    UNTIL(w->s.loop, w->a.kicks == 3);
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_string_equal(connection(w, "1"), "(none)");
    list(w, "[" ALICE "]");
    assert_int_equal(peer_open(&w->a, "s", "1", "away"), BUS_ok);
    assert_int_equal(peer_close(&w->a, "s"), BUS_ok);
    assert_string_equal(presence(w, "1"), "disconnected"); /* it was the only one */
}

static void sessions_of_a_site_that_is_no_more_are_forgotten(void **state)
{
    struct world *w = *state;

    start_with(w, CONFIG(SITE("xivo", "file:users.json") "," SITE("old", "file:users.json")),
               "[" ALICE "]");
    peer_open(&w->a, "s", "1", "away");
    assert_int_equal(peer_ask(&w->a, METHOD_login_open,
                              "{\"ipbxid\":\"old\",\"userid\":\"1\",\"capaid\":\"client\","
                              "\"session\":\"o\",\"state\":\"available\"}"),
                     BUS_ok);
    assert_int_equal(rows(w, KEPT), 2);
    configure(w, CONFIG(SITE("xivo", "file:users.json")), "[" ALICE "]");
    restart(w, LONG);
    assert_int_equal(count(w), 1);
    assert_string_equal(presence(w, "1"), "away"); /* that of her IPBX */
    UNTIL(w->s.loop, rows(w, KEPT) == 1);
    assert_int_equal(peer_ask(&w->a, METHOD_session_renew,
                              "{\"sessions\":[{\"session\":\"o\",\"userid\":\"1\","
                              "\"ipbxid\":\"old\",\"capaid\":\"client\"}]}"),
                     BUS_ok);
    assert_string_equal(w->a.kicked, "o");
    assert_int_equal(count(w), 1);
}

/* A list that somebody is just writing, or wrote wrongly. */
static void a_list_that_cannot_be_read_throws_nobody_out(void **state)
{
    struct world *w = *state;

    start(w);
    peer_open(&w->a, "s", "1", "away");
    configure(w, CONFIG(SITE("xivo", "file:users.json")), "[" ALICE ",");
    restart(w, LONG);
    assert_int_equal(xod_count(w->s.ipbx, LIST_users), 0);
    assert_int_equal(renew(&w->a, "s", "1", "away"), BUS_ok);
    assert_int_equal(w->a.kicks, 0);
    list(w, "[" ALICE "]");
    assert_int_equal(count(w), 1);
    assert_string_equal(presence(w, "1"), "away");
    list(w, "[" ALICE ",");
    assert_int_equal(count(w), 1);
    assert_string_equal(presence(w, "1"), "away");
    list(w, "[]");
    assert_int_equal(count(w), 0);
    UNTIL(w->s.loop, w->a.kicks == 1);
}

/* ---- ids that clash ---- */

static void an_id_is_of_one_user_and_of_the_gateway_that_last_named_it(void **state)
{
    struct world *w = *state;

    start(w);
    peer_start(&w->b, &w->s, "b");
    assert_int_equal(peer_open(&w->a, "s", "1", "away"), BUS_ok);
    assert_int_not_equal(peer_open(&w->b, "s", "2", "away"), BUS_ok);
    assert_string_equal(connection(w, "2"), "(none)");
    assert_int_equal(renew(&w->b, "s", "2", "away"), BUS_ok);
    assert_int_equal(w->b.kicks, 1);
    assert_int_equal(w->a.kicks, 0);
    assert_string_equal(session(w, "s")->user_id, "1");
    assert_int_equal(renew(&w->b, "s", "1", "available"), BUS_ok); /* its client went over to b */
    assert_int_equal(w->b.kicks, 1);
    assert_int_equal(renew(&w->a, "t", "2", "away"), BUS_ok); /* a has it no longer */
    assert_int_equal(count(w), 2);
    assert_string_equal(presence(w, "1"), "away");
    assert_int_equal(peer_close(&w->b, "s"), BUS_ok);
    assert_string_equal(presence(w, "1"), "disconnected");
    UNTIL(w->s.loop, rows(w, KEPT) == 1);
}

/* ---- a list that comes late ---- */

/* A state whose users come by HTTP and are there, with a session s of user 1 in `away`; and a
 * restart after which the list cannot be had. */
static void lose_the_list(struct world *w, uint32_t grace_ms)
{
    char config[1024];
    struct page *p;

    web_up(&w->web);
    p = web_page(&w->web, "/users");
    p->body = "[" ALICE "," BOB "]";
    snprintf(config, sizeof(config), CONFIG(SITE("xivo", "http://127.0.0.1:%u/users")),
             w->web.port);
    start_with(w, config, "[]");
    UNTIL(w->s.loop, xod_count(w->s.ipbx, LIST_users) == 2);
    assert_int_equal(peer_open(&w->a, "s", "1", "away"), BUS_ok);
    p->status = 503;
    w->a.ups = 0;
    w->s.grace_ms = grace_ms;
    state_restart(&w->s);
    assert_int_equal(xod_count(w->s.ipbx, LIST_users), 0);
    assert_int_equal(count(w), 1);
    UNTIL(w->s.loop, w->a.ups > 0);
}

static void the_list_comes(struct world *w, const char *users)
{
    web_page(&w->web, "/users")->body = users;
    web_page(&w->web, "/users")->status = 200;
}

static void nobody_is_thrown_out_before_the_list_is_there(void **state)
{
    struct world *w = *state;

    lose_the_list(w, LONG);
    assert_int_equal(renew(&w->a, "s", "1", "available"), BUS_ok);
    assert_int_equal(w->a.kicks, 0);
    assert_int_equal(count(w), 1);
    assert_int_equal(peer_presence(&w->a, "s", "away"), BUS_not_found); /* for now */
    state_reload(w->s.s, w->s.cfg);
    assert_int_equal(count(w), 1);
    the_list_comes(w, "[" ALICE "," BOB "]");
    UNTIL(w->s.loop, xod_count(w->s.ipbx, LIST_users) == 2);
    assert_int_equal(w->a.kicks, 0);
    assert_string_equal(connection(w, "1"), "yes");
    assert_string_equal(presence(w, "1"), "away"); /* state knows better */
    assert_string_equal(connection(w, "2"), "(none)");
    assert_int_equal(peer_close(&w->a, "s"), BUS_ok);
    assert_string_equal(presence(w, "1"), "disconnected");
}

static void a_presence_that_nobody_told_is_the_one_that_was_kept(void **state)
{
    struct world *w = *state;

    lose_the_list(w, LONG);
    the_list_comes(w, "[" ALICE "]");
    UNTIL(w->s.loop, xod_count(w->s.ipbx, LIST_users) == 1);
    assert_string_equal(connection(w, "1"), "yes");
    assert_string_equal(presence(w, "1"), "away");
    assert_int_equal(renew(&w->a, "s", "1", "available"), BUS_ok);
    assert_string_equal(presence(w, "1"), "away");
}

static void who_is_not_in_the_list_when_it_comes_is_out(void **state)
{
    struct world *w = *state;

    lose_the_list(w, LONG);
    assert_int_equal(renew(&w->a, "s", "1", "away"), BUS_ok);
    the_list_comes(w, "[" BOB "]");
    UNTIL(w->s.loop, count(w) == 0);
    UNTIL(w->s.loop, w->a.kicks == 1);
    assert_string_equal(w->a.kicked, "s");
    UNTIL(w->s.loop, rows(w, KEPT) == 0);
}

static void who_may_not_log_in_when_the_list_comes_is_out(void **state)
{
    struct world *w = *state;

    lose_the_list(w, LONG);
    assert_int_equal(renew(&w->a, "s", "1", "away"), BUS_ok);
    the_list_comes(w, "[" USER("1", "0") "]");
    UNTIL(w->s.loop, count(w) == 0);
    UNTIL(w->s.loop, w->a.kicks == 1);
    assert_string_equal(connection(w, "1"), "(none)");
    assert_string_equal(presence(w, "1"), "disconnected");
}

static void a_session_may_run_out_or_end_before_the_list_is_there(void **state)
{
    struct world *w = *state;

    lose_the_list(w, 300);
    UNTIL(w->s.loop, count(w) == 0);
    assert_int_equal(renew(&w->a, "t", "2", "away"), BUS_ok); /* it may be anybody's */
    assert_int_equal(count(w), 1);
    assert_int_equal(peer_close(&w->a, "t"), BUS_ok);
    the_list_comes(w, "[" ALICE "," BOB "]");
    UNTIL(w->s.loop, xod_count(w->s.ipbx, LIST_users) == 2);
    assert_string_equal(connection(w, "1"), "(none)");
    assert_string_equal(connection(w, "2"), "(none)");
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_int_equal(peer_open(&w->a, "s", "1", "available"), BUS_ok);
    assert_string_equal(presence(w, "1"), "available");
    assert_int_equal(peer_close(&w->a, "s"), BUS_ok);
    assert_string_equal(presence(w, "1"), "disconnected");
}

static const char *address_of(struct world *w, const char *id)
{
    return session_find(w->s.s->sessions, view_cstr(id))->address;
}

static void open_from(struct world *w, const char *address)
{
    char json[256];

    snprintf(json, sizeof(json),
             "{\"ipbxid\":\"xivo\",\"userid\":\"1\",\"capaid\":\"client\",\"session\":\"s\","
             "\"state\":\"available\",\"address\":%s}",
             address);
    assert_int_equal(peer_ask(&w->a, METHOD_login_open, json), BUS_ok);
}

static void the_address_of_a_client_is_one_or_nothing(void **state)
{
    static const char *const none[] = {"\"\"",          "\"somewhere:1\"", "\"127.0.0.1\"",
                                       "\"1.2.3.4:x\"", "\"[::1]\"",       "7"};
    struct world *w = *state;

    start(w);
    open_from(w, "\"127.0.0.1:4711\"");
    assert_string_equal(address_of(w, "s"), "127.0.0.1:4711");
    open_from(w, "\"[::ffff:10.0.0.1]:4711\"");
    assert_string_equal(address_of(w, "s"), "10.0.0.1:4711");
    open_from(w, "\"[2001:DB8::1]:65535\"");
    assert_string_equal(address_of(w, "s"), "[2001:db8::1]:65535");
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        open_from(w, none[i]);
        assert_string_equal(address_of(w, "s"), "");
    }
}

static void sessions_are_kicked_by_user_and_by_address(void **state)
{
    struct world *w = *state;
    struct netaddr address;

    start(w);
    open_from(w, "\"127.0.0.1:4711\"");
    assert_int_equal(peer_open(&w->a, "t", "1", "available"), BUS_ok);
    assert_int_equal(peer_open(&w->a, "u", "2", "available"), BUS_ok);
    assert_int_equal(netaddr_parse(VIEW("127.0.0.1"), &address), 0);
    assert_int_equal(sessions_kick_address(w->s.s->sessions, &address, 4712), 0);
    assert_int_equal(sessions_kick_address(w->s.s->sessions, &address, 4711), 1);
    UNTIL(w->s.loop, w->a.kicks == 1);
    assert_string_equal(w->a.kicked, "s");
    assert_int_equal(sessions_kick_user(w->s.s->sessions, state_user(&w->s, "2")), 1);
    UNTIL(w->s.loop, w->a.kicks == 2);
    assert_string_equal(w->a.kicked, "u");
    w->s.p.bus->gone_ms = 1000;
    peer_end(&w->a); /* whose gateway is lost ends at once */
    UNTIL(w->s.loop, !session_find(w->s.s->sessions, VIEW("t"))->gateway);
    assert_int_equal(sessions_kick_user(w->s.s->sessions, state_user(&w->s, "1")), 2);
    assert_null(session_find(w->s.s->sessions, VIEW("t")));
    state_commit(w->s.s, false);
    assert_string_equal(presence(w, "1"), "disconnected");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sessions_are_there_at_once_after_a_restart),
        T(who_does_not_come_back_is_gone_after_the_grace_time),
        T(without_a_grace_time_a_lost_client_is_gone_at_once),
        T(a_renewed_session_does_not_run_out),
        T(two_sessions_of_a_user_are_both_counted),
        T(a_session_that_was_not_kept_is_told_and_kept),
        T(who_may_no_longer_log_in_does_not_come_back),
        T(who_is_no_longer_named_does_not_come_back),
        T(a_reload_throws_out_whom_it_does_not_let_in),
        T(sessions_of_a_site_that_is_no_more_are_forgotten),
        T(a_list_that_cannot_be_read_throws_nobody_out),
        T(an_id_is_of_one_user_and_of_the_gateway_that_last_named_it),
        T(nobody_is_thrown_out_before_the_list_is_there),
        T(a_presence_that_nobody_told_is_the_one_that_was_kept),
        T(who_is_not_in_the_list_when_it_comes_is_out),
        T(who_may_not_log_in_when_the_list_comes_is_out),
        T(a_session_may_run_out_or_end_before_the_list_is_there),
        T(the_address_of_a_client_is_one_or_nothing),
        T(sessions_are_kicked_by_user_and_by_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
