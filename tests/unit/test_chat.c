/* Chat that is kept: for whom, how long, and who is told of it when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define IPBX_CLASSES "[\"chitchat\",\"chat_history\"]"
#include "core/audit.h"
#include "support/ipbx_world.h"
#include "json/json.h"

static void keep_days(struct ipbx_world *w, int days)
{
    struct json_object *retention = json_object_new_object();

    json_object_object_add(retention, "chat_days", json_object_new_int(days));
    json_object_object_add(config_get(w->s.cfg, "ctibus"), "retention", retention);
}

static void say(struct ipbx_world *w, const char *session, const char *to, const char *text,
                const char *answer)
{
    char message[256];

    snprintf(message, sizeof(message), "{\"to\":\"%s\",\"text\":\"%s\"}", to, text);
    assert_int_equal(peer_command(&w->p, session, "chitchat", message), BUS_ok);
    assert_string_equal(w->p.answer, answer);
}

#define ASK(session, message)                                                                      \
    assert_int_equal(peer_command(&w->p, session, "chat_history", message), BUS_ok)
#define KEPT "{\"kept\":true}"
#define ABSENT "{\"warning_string\":\"not_connected\"}"

static void nothing_is_kept_unless_the_configuration_says_so(void **state)
{
    struct ipbx_world *w = *state;

    say(w, "s1", "xivo/2", "hello", ABSENT);
    assert_int_equal(peer_open(&w->p, "s2", "2", "available"), BUS_ok);
    say(w, "s1", "xivo/2", "hello", "{}");
    ASK("s1", "{\"with\":\"xivo/2\"}");
    assert_string_equal(w->p.answer, "{\"messages\":[],\"next\":null}");
}

static void who_comes_back_is_told_once(void **state)
{
    struct ipbx_world *w = *state;

    keep_days(w, 30);
    say(w, "s1", "xivo/2", "one", KEPT);
    say(w, "s1", "xivo/2", "two", KEPT);
    say(w, "s1", "xivo/4", "hidden", ABSENT); /* she does not see dave */
    assert_int_equal(peer_open(&w->p, "s2", "2", "available"), BUS_ok);
    ipbx_forget(w);
    ASK("s2", "{}");
    assert_string_equal(w->p.answer, "{\"missed\":2}");
    UNTIL(w->s.loop, w->n_lines == 2);
    assert_non_null(strstr(w->lines, "cti/xivo/user/2/ {\"session\":\"s2\",\"line\":{\"class\":"
                                     "\"chitchat\",\"from\":\"xivo/1\",\"to\":\"xivo/2\","
                                     "\"text\":\"one\",\"when\":"));
    assert_true(strstr(w->lines, "\"text\":\"two\"") > strstr(w->lines, "\"text\":\"one\""));
    ipbx_forget(w);
    ASK("s2", "{}");
    assert_string_equal(w->p.answer, "{\"missed\":0}");
}

/* The texts of an answer, one after another, then a bar and the cursor. */
static const char *texts(struct ipbx_world *w)
{
    static char out[512];
    struct json_object *o = json_tokener_parse(w->p.answer);
    struct json_object *all = json_get(o, "messages");
    struct view next = json_get_view(o, "next");

    out[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *m = json_object_array_get_idx(all, i);
        struct view from = json_get_view(m, "from");
        struct view text = json_get_view(m, "text");
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s:%.*s ", VIEW_ARG(from),
                 VIEW_ARG(text));
    }
    snprintf(out + strlen(out), sizeof(out) - strlen(out), "|%.*s", VIEW_ARG(next));
    json_object_put(o);
    return out;
}

static void a_conversation_is_read_backwards(void **state)
{
    struct ipbx_world *w = *state;
    char message[128];

    keep_days(w, 30);
    assert_int_equal(peer_open(&w->p, "s2", "2", "available"), BUS_ok);
    say(w, "s1", "xivo/2", "a", "{}");
    say(w, "s2", "xivo/1", "b", "{}");
    say(w, "s1", "xivo/2", "c", "{}");
    say(w, "s1", "xivo/5", "erin", KEPT);
    ASK("s1", "{\"with\":\"xivo/2\",\"limit\":2}");
    assert_true(view_starts(view_cstr(texts(w)), VIEW("xivo/1:c xivo/2:b |")));
    snprintf(message, sizeof(message), "{\"with\":\"xivo/2\",\"cursor\":\"%s\"}",
             strchr(texts(w), '|') + 1);
    ASK("s1", message);
    assert_string_equal(texts(w), "xivo/1:a |");
    ASK("s2", "{\"with\":\"user:xivo/1\"}");
    assert_string_equal(texts(w), "xivo/1:c xivo/2:b xivo/1:a |");
    ASK("s2", "{\"with\":\"xivo/5\"}"); /* what others wrote to each other is theirs */
    assert_string_equal(texts(w), "|");
    assert_int_equal(peer_command(&w->p, "s1", "chat_history", "{\"with\":\"xivo/4\"}"),
                     BUS_malformed);
    assert_int_equal(
        peer_command(&w->p, "s1", "chat_history", "{\"with\":\"xivo/2\",\"cursor\":\"1;x\"}"),
        BUS_malformed);
}

/* erin's profile has no chat_history: nothing waits for her. */
static void the_profile_permits_it(void **state)
{
    struct ipbx_world *w = *state;
    struct json_object *regs = config_section(w->s.cfg, "regcommands");

    keep_days(w, 30);
    json_object_object_add(regs, "bare", json_tokener_parse("[\"chitchat\"]"));
    json_object_object_add(json_member(config_section(w->s.cfg, "profiles"), VIEW("bare")),
                           "regcommands", json_object_new_string("bare"));
    say(w, "s1", "xivo/5", "hello", ABSENT);
    say(w, "s1", "xivo/2", "hello", KEPT);
}

static void what_is_too_old_goes(void **state)
{
    struct ipbx_world *w = *state;

    keep_days(w, 30);
    say(w, "s1", "xivo/2", "a", KEPT);
    ctilog_expire(w->s.s, 1e9);
    ASK("s1", "{\"with\":\"xivo/2\"}");
    assert_string_equal(texts(w), "xivo/1:a |");
    keep_days(w, 0); /* what was kept before is not, from now on */
    ctilog_expire(w->s.s, 1e11);
    ASK("s1", "{\"with\":\"xivo/2\"}");
    assert_string_equal(texts(w), "|");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ipbx_setup, ipbx_teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_is_kept_unless_the_configuration_says_so),
        T(who_comes_back_is_told_once),
        T(a_conversation_is_read_backwards),
        T(the_profile_permits_it),
        T(what_is_too_old_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
