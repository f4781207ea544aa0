/* state as its gateways see it: logins, sessions, presence, and what a lost gateway means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/digest.h"
#include "core/context.h"
#include "sessions/sessions.h"
#include "support/whole_state.h"

#define WATCHING_GATEWAYS 3

struct gateway {
    struct world *w;
    struct process p;
    struct bus_client *bus_client;
    int ups, kicks, resyncs;
    char kicked[64];
};

struct world {
    struct state_world s;
    struct gateway gw[WATCHING_GATEWAYS];
    /* the last answer */
    int answers;
    enum bus_status status;
    char text[1024]; /* the field asked for, of the last answer */
    const char *field;
    uint64_t seq;
};

/* ---- gateways ---- */

static void on_up(void *arg, const msgpack_object *body)
{
    ((struct gateway *)arg)->ups++;
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct gateway *g = arg;

    if (method == METHOD_kick) {
        g->kicks++;
        snprintf(g->kicked, sizeof(g->kicked), "%.*s", VIEW_ARG(msg_get_str(body, "session")));
    }
    g->resyncs += method == METHOD_resync;
    bus_client_reply(g->bus_client, id, BUS_ok, view_of(NULL, 0));
}

static const struct bus_client_handler handler = {on_up, NULL, on_request};

static struct gateway *gateway(struct world *w, int n)
{
    struct gateway *g = &w->gw[n];
    char name[32];
    int err = 0;

    g->w = w;
    snprintf(name, sizeof(name), "gw%d", n);
    g->p = process_start(w->s.loop, name, name, NULL);
    g->bus_client =
        bus_client_new(g->p.bus, state_endpoint_request(w->s.s), "cti-gw", &handler, g, &err);
    UNTIL(w->s.loop, g->ups == 1);
    return g;
}

static void end_gateway(struct gateway *g)
{
    if (!g->bus_client)
        return;
    bus_client_destroy(&g->bus_client);
    process_end(&g->p);
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct world *w = arg;

    w->answers++;
    w->status = status;
    w->seq = msg_get_u64(body, "seq", 0);
    snprintf(w->text, sizeof(w->text), "%.*s", VIEW_ARG(msg_get_str(body, w->field)));
}

/* Asks with these pairs of strings (NULL at the end), waits for the answer. */
static enum bus_status ask(struct gateway *g, enum bus_method method, ...)
{
    struct world *w = g->w;
    const char *key;
    struct buf pairs;
    size_t n = 0;
    va_list ap;

    buf_init(&pairs, 0);
    va_start(ap, method);
    while ((key = va_arg(ap, const char *))) {
        msg_put_pair(&pairs, key, view_cstr(va_arg(ap, const char *)));
        n++;
    }
    va_end(ap);
    w->answers = 0;
    if (!w->field)
        w->field = "userid";
    assert_true(bus_ask(g->bus_client, method, n, buf_view(&pairs), 5000, on_answer, w) > 0);
    buf_free(&pairs);
    UNTIL(w->s.loop, w->answers == 1);
    return w->status;
}

static enum bus_status open_session(struct gateway *g, const char *session, const char *user,
                                    const char *presence)
{
    return ask(g, METHOD_login_open, "ipbxid", "xivo", "userid", user, "capaid", "client",
               "session", session, "state", presence, NULL);
}

static const char *presence(struct world *w, const char *user)
{
    return state_str(state_user(&w->s, user), XOD(users, availstate));
}

static const char *connection(struct world *w, const char *user)
{
    return state_str(state_user(&w->s, user), XOD(users, connection));
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    return state_setup(&w->s);
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < WATCHING_GATEWAYS; i++)
        end_gateway(&w->gw[i]);
    state_teardown(&w->s);
    free(w);
    return 0;
}

/* ---- passwords ---- */

static const char *sha1(const char *salt, const char *password)
{
    static char hex[DIGEST_HEX];

    assert_true(DIGEST_HEX_OF(EVP_sha1(), hex, view_cstr(salt), VIEW(":"), view_cstr(password)));
    return hex;
}

static enum bus_status check(struct gateway *g, const char *login, const char *salt,
                             const char *hash)
{
    return ask(g, METHOD_login_check, "userlogin", login, "sessionid", salt, "hashedpassword", hash,
               NULL);
}

static void a_login_begins_with_a_salt_of_its_own(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);
    char first[64];

    w->field = "sessionid";
    assert_int_equal(ask(g, METHOD_login_begin, "userlogin", "alice", NULL), BUS_ok);
    assert_int_equal(strlen(w->text), 10);
    snprintf(first, sizeof(first), "%.63s", w->text);
    ask(g, METHOD_login_begin, "userlogin", "nobody", NULL);
    assert_int_equal(strlen(w->text), 10);
    assert_string_not_equal(first, w->text);
}

static void the_hash_may_be_of_utf8_or_latin1(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);
    char upper[DIGEST_HEX];

    assert_int_equal(
        check(g, "alice", "0123456789", sha1("0123456789", "s\303\251sam\342\202\254")), BUS_ok);
    assert_string_equal(w->text, "1");
    assert_int_equal(check(g, "alice", "0123456789", sha1("0123456789", "s\351sam?")), BUS_ok);
    snprintf(upper, sizeof(upper), "%s", sha1("0123456789", "s\351sam?"));
    for (char *c = upper; *c; c++)
        if (*c >= 'a')
            *c -= 32;
    assert_int_equal(check(g, "alice", "0123456789", upper), BUS_ok);
    assert_int_equal(check(g, "alice", "0123456789", sha1("0123456789", "sesam")),
                     BUS_login_password);
}

static void who_may_not_come_in_learns_nothing(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);
    const char *salt = "0123456789";

    assert_int_equal(check(g, "nobody", salt, sha1(salt, "secret")), BUS_login_password);
    assert_int_equal(check(g, "nobody", salt, sha1(salt, "")), BUS_login_password);
    assert_int_equal(check(g, "", salt, sha1(salt, "")), BUS_login_password);
    assert_int_equal(check(g, "ALICE", salt, sha1(salt, "s\351sam?")), BUS_login_password);
    assert_int_equal(check(g, "carol", salt, sha1(salt, "secret")),
                     BUS_login_password);                                         /* disabled */
    assert_int_equal(check(g, "dave", salt, sha1(salt, "")), BUS_login_password); /* no password */
    assert_int_equal(check(g, "erin", salt, ""), BUS_login_password);
    assert_int_equal(check(g, "erin", salt, "x"), BUS_login_password);
    assert_int_equal(check(g, "erin", "short", sha1("short", "secret")), BUS_login_password);
    assert_int_equal(ask(g, METHOD_login_check, NULL), BUS_login_password);
    assert_int_equal(check(g, "bob", salt, sha1(salt, "secret")), BUS_capaid_undefined);
    assert_int_equal(check(g, "erin", salt, sha1(salt, "secret")), BUS_ok);
}

/* ---- sessions ---- */

static void the_profile_must_be_the_users_and_be_there(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);

    assert_int_equal(ask(g, METHOD_login_open, "ipbxid", "xivo", "userid", "1", "capaid", "bare",
                         "session", "s", NULL),
                     BUS_wrongprofile);
    assert_int_equal(ask(g, METHOD_login_open, "ipbxid", "xivo", "userid", "77", "capaid", "client",
                         "session", "s", NULL),
                     BUS_not_found);
    assert_int_equal(ask(g, METHOD_login_open, "ipbxid", "other", "userid", "1", "capaid", "client",
                         "session", "s", NULL),
                     BUS_not_found);
    xod_set_str(state_user(&w->s, "1"), XOD(users, profileclient), VIEW("gone"));
    assert_int_equal(ask(g, METHOD_login_open, "ipbxid", "xivo", "userid", "1", "capaid", "gone",
                         "session", "s", NULL),
                     BUS_unknownprofile);
    assert_string_equal(connection(w, "1"), "(none)");
    assert_int_equal(sessions_count(w->s.s->sessions), 0);
}

static void opening_tells_what_the_client_needs(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);

    w->field = "capas";
    assert_int_equal(open_session(g, "s1", "1", "away"), BUS_ok);
    assert_int_equal(w->seq, bus_pub_seq(w->s.s->pub, VIEW("xod")));
    assert_non_null(strstr(w->text, "\"regcommands\":[\"availstate\",\"dial\"]"));
    assert_non_null(strstr(w->text, "\"userstatus\":{\"disconnected\""));
    assert_non_null(strstr(w->text, "\"preferences\":{}"));
    w->field = "capaxlets";
    open_session(g, "s2", "1", "away");
    assert_string_equal(w->text, "[[\"dial\",\"dock\",\"1\"]]");
    w->field = "appliname";
    open_session(g, "s3", "1", "away");
    assert_string_equal(w->text, "Client");
}

static void a_user_is_present_as_long_as_one_session_is_open(void **state)
{
    struct world *w = *state;
    struct gateway *a = gateway(w, 0);
    struct gateway *b = gateway(w, 1);

    assert_string_equal(presence(w, "1"), "disconnected");
    open_session(a, "s1", "1", "away");
    assert_string_equal(connection(w, "1"), "yes");
    assert_string_equal(presence(w, "1"), "away");
    w->field = "presence";
    open_session(b, "s2", "1", "available"); /* a second one shares what is there */
    assert_string_equal(w->text, "away");
    assert_int_equal(sessions_count(w->s.s->sessions), 2);
    assert_int_equal(ask(a, METHOD_session_close, "session", "s1", NULL), BUS_ok);
    assert_string_equal(presence(w, "1"), "away");
    assert_int_equal(ask(a, METHOD_session_close, "session", "s1", NULL), BUS_not_found);
    assert_int_equal(ask(b, METHOD_session_close, "session", "s2", NULL), BUS_ok);
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_string_equal(connection(w, "1"), "(none)");
}

static void the_first_presence_is_one_of_the_profile(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);

    open_session(g, "s1", "1", "disconnected");
    assert_string_equal(presence(w, "1"), "available");
    ask(g, METHOD_session_close, "session", "s1", NULL);
    open_session(g, "s2", "1", "nonsense");
    assert_string_equal(presence(w, "1"), "available");
    ask(g, METHOD_login_open, "ipbxid", "xivo", "userid", "5", "capaid", "bare", "session", "s3",
        "state", "xyz", NULL);
    assert_string_equal(presence(w, "5"), "available"); /* a profile without presences */
}

static void a_session_belongs_to_one_user(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);
    char longname[100] = {0};

    open_session(g, "s1", "1", "away");
    assert_int_not_equal(ask(g, METHOD_login_open, "ipbxid", "xivo", "userid", "5", "capaid",
                             "bare", "session", "s1", NULL),
                         BUS_ok);
    assert_string_equal(connection(w, "5"), "(none)");
    memset(longname, 'x', 99);
    assert_int_not_equal(open_session(g, longname, "1", "away"), BUS_ok);
    assert_int_not_equal(open_session(g, "", "1", "away"), BUS_ok);
    assert_int_equal(sessions_count(w->s.s->sessions), 1);
    ask(g, METHOD_session_close, "session", "s1", NULL);
    assert_string_equal(presence(w, "1"), "disconnected");
}

static void the_last_one_wins_where_that_is_asked_for(void **state)
{
    struct world *w = *state;
    struct gateway *a = gateway(w, 0);
    struct gateway *b = gateway(w, 1);
    struct buf pairs;

    open_session(a, "s1", "1", "away");
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "ipbxid", VIEW("xivo"));
    msg_put_pair(&pairs, "userid", VIEW("1"));
    msg_put_pair(&pairs, "capaid", VIEW("client"));
    msg_put_pair(&pairs, "session", VIEW("s2"));
    msg_put_pair(&pairs, "state", VIEW("available"));
    msg_put_cstr(&pairs, "lastconnwins");
    msg_put_bool(&pairs, true);
    w->answers = 0;
    bus_ask(b->bus_client, METHOD_login_open, 6, buf_view(&pairs), 5000, on_answer, w);
    UNTIL(w->s.loop, a->kicks == 1 && w->answers == 1);
    assert_int_equal(w->status, BUS_ok);
    assert_string_equal(a->kicked, "s1");
    assert_int_equal(b->kicks, 0);
    assert_string_equal(presence(w, "1"), "available");
    buf_free(&pairs);
}

/* ---- presence ---- */

static enum bus_status command(struct gateway *g, const char *session, const char *class,
                               const char *to, const char *who)
{
    struct world *w = g->w;
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "session", view_cstr(session));
    msg_put_pair(&pairs, "class", view_cstr(class));
    msg_put_cstr(&pairs, "message");
    msg_put_map(&pairs, 2);
    msg_put_pair(&pairs, "availstate", view_cstr(to));
    msg_put_pair(&pairs, "userid", view_cstr(who));
    w->answers = 0;
    assert_true(bus_ask(g->bus_client, METHOD_command, 3, buf_view(&pairs), 5000, on_answer, w) >
                0);
    buf_free(&pairs);
    UNTIL(w->s.loop, w->answers == 1);
    return w->status;
}

static void presence_goes_where_the_profile_lets_it(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);

    open_session(g, "s1", "1", "available");
    assert_int_equal(command(g, "s1", "availstate", "away", ""), BUS_ok);
    assert_string_equal(presence(w, "1"), "away");
    assert_int_equal(command(g, "s1", "availstate", "busy", ""), BUS_unallowed);
    assert_int_equal(command(g, "s1", "availstate", "nonsense", ""), BUS_unallowed);
    assert_int_equal(command(g, "s1", "availstate", "", ""), BUS_unallowed);
    assert_int_equal(command(g, "s1", "availstate", "disconnected", ""), BUS_unallowed);
    assert_int_equal(command(g, "s1", "availstate", "away", "null/null"), BUS_ok);
    assert_int_equal(command(g, "s1", "availstate", "available", "1"), BUS_ok);
    assert_int_equal(command(g, "s1", "availstate", "away", "2"), BUS_unallowed); /* another's */
    assert_string_equal(presence(w, "1"), "available");
    assert_string_equal(presence(w, "2"), "disconnected");
}

static void a_command_needs_a_session_a_profile_and_a_file(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);

    assert_int_equal(command(g, "s1", "availstate", "away", ""), BUS_not_found);
    open_session(g, "s1", "1", "available");
    assert_int_equal(command(g, "s1", "dial", "", ""), BUS_unknown_method);
    assert_int_equal(command(g, "s1", "originate", "", ""), BUS_unallowed);
    ask(g, METHOD_login_open, "ipbxid", "xivo", "userid", "5", "capaid", "bare", "session", "s5",
        NULL);
    assert_int_equal(command(g, "s5", "availstate", "away", ""), BUS_unallowed);
    assert_int_equal(ask(g, METHOD_kick, NULL), BUS_unknown_method);
}

/* ---- lost gateways, restarts ---- */

static void the_sessions_of_a_lost_gateway_live_on_for_a_while(void **state)
{
    struct world *w = *state;
    struct gateway *a = gateway(w, 0);
    struct gateway *b = gateway(w, 1);

    w->s.p.bus->gone_ms = 1000;
    open_session(a, "s1", "1", "away");
    open_session(b, "s5", "1", "away");
    ask(b, METHOD_session_close, "session", "s5", NULL);
    end_gateway(a);
    UNTIL(w->s.loop, session_find(w->s.s->sessions, VIEW("s1"))->gateway == NULL);
    assert_string_equal(presence(w, "1"), "away");
    open_session(b, "s2", "1", "available"); /* its client is back through another */
    assert_string_equal(presence(w, "1"), "away");
    UNTIL(w->s.loop, sessions_count(w->s.s->sessions) == 1);
    assert_string_equal(presence(w, "1"), "away");
}

static void when_nobody_comes_back_the_user_is_gone(void **state)
{
    struct world *w = *state;
    struct gateway *a = gateway(w, 0);

    w->s.p.bus->gone_ms = 1000;
    open_session(a, "s1", "1", "away");
    end_gateway(a);
    UNTIL(w->s.loop, sessions_count(w->s.s->sessions) == 0);
    assert_string_equal(presence(w, "1"), "disconnected");
}

static void a_lost_client_may_come_back_for_a_while(void **state)
{
    struct world *w = *state;
    struct gateway *a = gateway(w, 0);
    struct gateway *b = gateway(w, 1);

    open_session(a, "s1", "1", "away");
    assert_int_equal(ask(a, METHOD_session_close, "session", "s1", "reason", "lost", NULL), BUS_ok);
    assert_int_equal(sessions_count(w->s.s->sessions), 1);
    assert_string_equal(connection(w, "1"), "yes");
    open_session(b, "s2", "1", "available");
    assert_string_equal(presence(w, "1"), "away");
    UNTIL(w->s.loop, sessions_count(w->s.s->sessions) == 1);
    assert_string_equal(presence(w, "1"), "away");
    assert_int_equal(ask(b, METHOD_session_close, "session", "s2", "reason", "lost", NULL), BUS_ok);
    UNTIL(w->s.loop, sessions_count(w->s.s->sessions) == 0);
    assert_string_equal(presence(w, "1"), "disconnected");
}

static enum bus_status renew(struct gateway *g, const char *session, const char *user,
                             const char *was)
{
    struct world *w = g->w;
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_cstr(&pairs, "sessions");
    msg_put_array(&pairs, 3);
    msg_put_nil(&pairs);
    for (int i = 0; i < 2; i++) { /* the second: of a user that is no more */
        msg_put_map(&pairs, 5);
        msg_put_pair(&pairs, "session", view_cstr(i ? "ghost" : session));
        msg_put_pair(&pairs, "userid", view_cstr(i ? "77" : user));
        msg_put_pair(&pairs, "ipbxid", VIEW("xivo"));
        msg_put_pair(&pairs, "capaid", VIEW("client"));
        msg_put_pair(&pairs, "presence", view_cstr(was));
    }
    w->answers = 0;
    bus_ask(g->bus_client, METHOD_session_renew, 1, buf_view(&pairs), 5000, on_answer, w);
    buf_free(&pairs);
    UNTIL(w->s.loop, w->answers == 1);
    return w->status;
}

static void sessions_are_told_again_to_a_restarted_state(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);
    char publish[64], subscribe[64], request[64];

    open_session(g, "s1", "1", "available");
    command(g, "s1", "availstate", "away", "");
    snprintf(publish, sizeof(publish), "%s", state_endpoint_publish(w->s.s));
    snprintf(subscribe, sizeof(subscribe), "%s", state_endpoint_subscribe(w->s.s));
    snprintf(request, sizeof(request), "%s", state_endpoint_request(w->s.s));
    state_stop(&w->s);
    while (state_start(&w->s, publish, subscribe, request) < 0) {
        state_stop(&w->s);
        loop_once(w->s.loop, 5);
    }
    assert_string_equal(presence(w, "1"), "away"); /* kept */
    UNTIL(w->s.loop, g->ups == 2);
    assert_int_equal(renew(g, "s1", "1", "away"), BUS_ok);
    assert_string_equal(presence(w, "1"), "away");
    assert_int_equal(sessions_count(w->s.s->sessions), 1);
    assert_int_equal(renew(g, "s1", "1", "available"), BUS_ok); /* again: presence stays */
    assert_string_equal(presence(w, "1"), "away");
    assert_int_equal(command(g, "s1", "availstate", "available", ""), BUS_ok);
    assert_int_equal(renew(g, "s2", "1", "away"), BUS_ok); /* what it does not name is over */
    assert_null(session_find(w->s.s->sessions, VIEW("s1")));
    ask(g, METHOD_session_close, "session", "s2", NULL);
    assert_string_equal(presence(w, "1"), "disconnected");
    assert_int_equal(ask(g, METHOD_session_renew, NULL), BUS_malformed);
}

/* ---- ami-gw ---- */

static const char *link_of(struct world *w)
{
    return state_str(xod_find(w->s.ipbx, LIST_ipbx, VIEW("xivo")), XOD(ipbx, link));
}

static enum bus_status announce(struct gateway *g, const char *ipbx, uint64_t login)
{
    struct world *w = g->w;
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "kind", VIEW("ami"));
    msg_put_pair(&pairs, "ipbx", view_cstr(ipbx));
    msg_put_pair_u64(&pairs, "login", login);
    w->answers = 0;
    bus_ask(g->bus_client, METHOD_worker_register, 3, buf_view(&pairs), 5000, on_answer, w);
    buf_free(&pairs);
    UNTIL(w->s.loop, w->answers == 1);
    return w->status;
}

static void each_login_of_ami_gw_is_listed_once(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);

    assert_string_equal(link_of(w), "down");
    assert_int_equal(announce(g, "nosuch", 1), BUS_not_found);
    assert_int_equal(announce(g, "xivo", 0), BUS_ok); /* not logged in yet */
    assert_string_equal(link_of(w), "down");
    assert_int_equal(announce(g, "xivo", 5), BUS_ok);
    assert_string_equal(link_of(w), "resync");
    announce(g, "xivo", 5);
    UNTIL(w->s.loop, g->resyncs == 1);
    announce(g, "xivo", 6);
    UNTIL(w->s.loop, g->resyncs == 2);
    announce(g, "xivo", 0);
    assert_string_equal(link_of(w), "down");
}

static void a_lost_ami_gw_means_a_lost_link(void **state)
{
    struct world *w = *state;
    struct gateway *g = gateway(w, 0);

    w->s.p.bus->gone_ms = 1000;
    announce(g, "xivo", 5);
    end_gateway(g);
    UNTIL(w->s.loop, strcmp(link_of(w), "down") == 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_login_begins_with_a_salt_of_its_own),
        T(the_hash_may_be_of_utf8_or_latin1),
        T(who_may_not_come_in_learns_nothing),
        T(the_profile_must_be_the_users_and_be_there),
        T(opening_tells_what_the_client_needs),
        T(a_user_is_present_as_long_as_one_session_is_open),
        T(the_first_presence_is_one_of_the_profile),
        T(a_session_belongs_to_one_user),
        T(the_last_one_wins_where_that_is_asked_for),
        T(presence_goes_where_the_profile_lets_it),
        T(a_command_needs_a_session_a_profile_and_a_file),
        T(the_sessions_of_a_lost_gateway_live_on_for_a_while),
        T(when_nobody_comes_back_the_user_is_gone),
        T(a_lost_client_may_come_back_for_a_while),
        T(sessions_are_told_again_to_a_restarted_state),
        T(each_login_of_ami_gw_is_listed_once),
        T(a_lost_ami_gw_means_a_lost_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
