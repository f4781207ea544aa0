/* ipbxcommands on calls, phones and mailboxes: the message in; the answer, the actions and the
 * later line out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "calls/originates.h"
#include "core/context.h"
#include "federation/peers.h"
#include "support/ipbx_rows.h"
#include "json/json.h"

/* ---- where calls go ---- */

#define ALICE "Alice \\\\\\\"A\\\\\\\" <x>" /* escaped for the header, then for JSON */

static void check_dial(struct ipbx_world *w, const char *destination, const char *exten,
                       const char *context, const char *name)
{
    char message[256], want[1024], shown[256] = "";

    ipbx_forget(w);
    if (name)
        snprintf(shown, sizeof(shown), "[\"Variable\",\"CONNECTEDLINE(name,i)=%s\"],", name);
    snprintf(message, sizeof(message),
             "{\"command\":\"dial\",\"commandid\":5,\"destination\":\"%s\"}", destination);
    assert_int_equal(peer_command(&w->p, "s1", "ipbxcommand", message), BUS_ok);
    assert_string_equal(w->p.answer, "{\"command\":\"dial\",\"ipbxreply\":\"ok\"}");
    UNTIL(w->s.loop, w->n_lines == 2);
    snprintf(want, sizeof(want),
             "Originate [[\"Channel\",\"SIP/alice\"],[\"Exten\",\"%s\"],[\"Context\",\"%s\"],"
             "[\"Priority\",\"1\"],[\"Timeout\",\"30000\"],%s"
             "[\"Variable\",\"CONNECTEDLINE(num)=%s\"],"
             "[\"Variable\",\"XIVO_ORIGAPPLI=OrigDial\"],[\"Variable\",\"XIVO_ORIGACTIONID=ctibus-",
             exten, context, shown, exten);
    if (strncmp(w->p.actions, want, strlen(want)) != 0)
        fail_msg("%s: %s\nnot %s", destination, w->p.actions, want);
    snprintf(want, sizeof(want),
             "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":\"ipbxcommand\","
             "\"replyid\":5,\"command\":\"dial\",\"response\":\"ok\"}}\n"
             "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":\"dial_success\","
             "\"exten\":\"%s\"}}\n",
             exten);
    assert_string_equal(w->lines, want);
}

static void dial_reaches_all_kinds_of_targets(void **state)
{
    struct ipbx_world *w = *state;

    check_dial(w, "1002", "1002", "default", NULL);
    check_dial(w, "+33 (6) 12-34.56", "+336123456", "default", NULL);
    check_dial(w, "*10#", "*10#", "default", NULL);
    check_dial(w, "12\\r\\nAction= Logoff", "12ActionLogoff", "default", NULL);
    check_dial(w, "exten:xivo/1002", "1002", "default", NULL);
    check_dial(w, "user:xivo/2", "1002", "default", "Bob");
    check_dial(w, "phone:xivo/12", "1011", "default", ALICE);
    check_dial(w, "queue:xivo/1", "3001", "default", "Blue");
    check_dial(w, "group:xivo/1", "3100", "default", "all");
    check_dial(w, "meetme:xivo/1", "4001", "default", "Room");
    check_dial(w, "parking:xivo/1", "700", "default", "default");
    check_dial(w, "vm_consult:xivo/1", "*98", "default", "Alice");
    check_dial(w, "vm_consult:xivo/2", "*981002", "default", "Bob");
    check_dial(w, "user:special:myvoicemail", "*98", "default", "Alice");
    check_dial(w, "voicemail:xivo/1", "*98", "default", "Alice");
    check_dial(w, "voicemail:xivo/2", "*991002", "default", "Bob");
    check_dial(w, "user:special:me", "1001", "default", ALICE);
    xod_set_str(xod_find(w->s.ipbx, LIST_agents, VIEW("8")), XOD(agents, phonenumber),
                VIEW("1005"));
    check_dial(w, "agent:xivo/8", "1005", "default", "B");
}

/* A name may hold what ends a value of the header, or the header. */
static void names_do_not_break_the_header(void **state)
{
    struct ipbx_world *w = *state;

    xod_set_str(xod_find(w->s.ipbx, LIST_users, VIEW("2")), XOD(users, fullname),
                VIEW("Bob, X=1 (a\"\\) [b\r\nAction: Logoff"));
    state_commit(w->s.s, false);
    check_dial(w, "user:xivo/2", "1002", "default",
               "Bob\\\\, X=1 \\\\(a\\\\\\\"\\\\\\\\\\\\) \\\\[bAction: Logoff");
}

/* A line that is a number elsewhere: who is called there is shown who dials. */
static void what_is_no_phone_shows_the_user(void **state)
{
    static const char *const lines[] = {"Local/0612345678@default/n", "DAHDI/g1/0612345678"};
    struct ipbx_world *w = *state;
    char want[256];

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        xod_set_str(xod_find(w->s.ipbx, LIST_phones, VIEW("21")), XOD(phones, identity),
                    view_cstr(lines[i]));
        state_commit(w->s.s, false);
        ipbx_forget(w);
        peer_command(&w->p, "s1", "ipbxcommand",
                     "{\"command\":\"originate\",\"source\":\"user:xivo/2\","
                     "\"destination\":\"exten:xivo/1005\"}");
        UNTIL(w->s.loop, w->n_lines == 1);
        snprintf(want, sizeof(want), "Originate [[\"Channel\",\"%s\"],[\"Exten\",\"1005\"]",
                 lines[i]);
        assert_int_equal(strncmp(w->p.actions, want, strlen(want)), 0);
        assert_non_null(strstr(w->p.actions, "[\"CallerID\",\"\\\"Alice A x\\\" <1001>\"],"
                                             "[\"Variable\",\"XIVO_ORIGAPPLI=OrigDial\"]"));
    }
}

/* Its number, from the context of the phone here: the dialplan of the other site is not ours. */
static void what_another_site_has_is_dialled_from_here(void **state)
{
    struct ipbx_world *w = *state;
    struct xod_obj *o = xod_add(peers_site(w->s.s->peers, VIEW("lyon")), LIST_queues, VIEW("7"));

    /* seen, since a phone of hers has that context, too */
    xod_set_str(xod_find(w->s.ipbx, LIST_phones, VIEW("12")), XOD(phones, context), VIEW("there"));
    xod_set_str(o, XOD(queues, number), VIEW("83001"));
    xod_set_str(o, XOD(queues, context), VIEW("there"));
    xod_set_str(o, XOD(queues, displayname), VIEW("Lyon"));
    state_commit(w->s.s, false);
    check_dial(w, "queue:lyon/7", "83001", "default", "Lyon");
}

static void what_cannot_be_dialled(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL, "{\"command\":\"dial\",\"destination\":\"\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"()\\n\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"12\\r\\nAction: Logoff\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:12ActionLogoff\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":[1]}",
         "\"destination\",\"error_string\":\"unreachable_extension:\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"user:xivo/3\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:user:xivo/3\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"user:xivo/99\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:user:xivo/99\"", ""},
        /* hidden is as if it were not there */
        {NULL, "{\"command\":\"dial\",\"destination\":\"user:xivo/4\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:user:xivo/4\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"queue:xivo/3\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:queue:xivo/3\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"nosuch:xivo/3\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:nosuch:xivo/3\"", ""},
        {NULL, "{\"command\":\"originate\",\"source\":\"user:xivo/3\",\"destination\":\"1\"}",
         "\"source\",\"error_string\":\"no_line\"", ""},
        {NULL, "{\"command\":\"originate\",\"source\":\"user:xivo/4\",\"destination\":\"1\"}",
         "\"source\",\"error_string\":\"no_line\"", ""},
        /* nor by its number */
        {NULL, "{\"command\":\"originate\",\"source\":\"1004\",\"destination\":\"1\"}",
         "\"source\",\"error_string\":\"no_line\"", ""},
        {NULL, "{\"command\":\"agentlogin\",\"agentphonenumber\":\"1004\"}",
         "\"agentphonenumber\",\"error_string\":\"agent_login_invalid_exten\"", ""},
        {NULL, "{\"command\":\"sipnotify\",\"channel\":\"exten:1004\",\"variables\":\"a=b\"}",
         "\"channel\",\"error_string\":\"no_such_phone\"", ""},
    };

    CHECK(*state, rows);
}

static void originate_rings_the_source(void **state)
{
    static const char *const sources[][2] = {{"user:xivo/2", "PJSIP/bob"},
                                             {"user:special:me", "SIP/alice"},
                                             {"phone:xivo/12", "SCCP/1011"},
                                             {"exten:xivo/1002", "PJSIP/bob"},
                                             {"1002", "PJSIP/bob"}};
    struct ipbx_world *w = *state;
    char message[256], want[64];

    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        ipbx_forget(w);
        snprintf(message, sizeof(message),
                 "{\"command\":\"originate\",\"source\":\"%s\",\"destination\":\"exten:xivo/9\"}",
                 sources[i][0]);
        peer_command(&w->p, "s1", "ipbxcommand", message);
        UNTIL(w->s.loop, w->n_lines == 1);
        snprintf(want, sizeof(want), "Originate [[\"Channel\",\"%s\"],[\"Exten\",\"9\"]",
                 sources[i][1]);
        assert_int_equal(strncmp(w->p.actions, want, strlen(want)), 0);
    }
}

/* ---- calls that are there ---- */

static void transfers(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL,
         "{\"command\":\"transfer\",\"source\":\"chan:xivo/PJSIP/bob-02\","
         "\"destination\":\"exten:xivo/1005\"}",
         "\"ok\"", REDIRECT("PJSIP/bob-02", "1005")},
        {NULL, "{\"command\":\"transfer\",\"destination\":\"1005\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "1005")},
        {NULL,
         "{\"command\":\"transfer\",\"source\":\"chan:xivo/SIP/alice-01\","
         "\"destination\":\"voicemail:xivo/1\"}",
         "\"ok\"", REDIRECT("PJSIP/bob-02", "*991001")},
        {NULL,
         "{\"command\":\"transfer\",\"source\":\"chan:xivo/SIP/dave-05\",\"destination\":\"1\"}",
         "\"source\",\"error_string\":\"no_such_channel\"", ""},
        /* numbers as people write them */
        {NULL, "{\"command\":\"transfer\",\"destination\":\"sip:1005@example.net\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "1005")},
        {NULL, "{\"command\":\"transfer\",\"destination\":\"tel:+49-89-123456;ext=2\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "+4989123456")},
        {NULL, "{\"command\":\"transfer\",\"destination\":\"exten:xivo/418-555-1234 x12\"}",
         "\"ok\"", REDIRECT("PJSIP/bob-02", "4185551234")},
        /* the clients of 2015 name the user, too */
        {NULL,
         "{\"command\":\"transfer\",\"source\":\"chan:xivo/2:PJSIP/bob-02\","
         "\"destination\":\"exten:xivo/1005\"}",
         "\"ok\"", REDIRECT("PJSIP/bob-02", "1005")},
        {NULL,
         "{\"command\":\"transfer\",\"source\":\"chan:xivo/3:SCCP/1011-03\","
         "\"destination\":\"user:special:me\"}",
         "\"ok\"", REDIRECT("SIP/trunk-04", "1001")},
        {NULL,
         "{\"command\":\"transfer\",\"source\":\"chan:xivo/2:SIP/dave-05\","
         "\"destination\":\"1\"}",
         "\"source\",\"error_string\":\"no_such_channel\"", ""},
        {NULL, "{\"command\":\"intercept\",\"tointercept\":\"chan:xivo/3:SCCP/1011-03\"}", "\"ok\"",
         REDIRECT("SIP/trunk-04", "1001")},
        {NULL, "{\"command\":\"transfer\",\"source\":\"chan:other/SIP/x\",\"destination\":\"1\"}",
         "\"source\",\"error_string\":\"no_such_channel\"", ""},
        {NULL, "{\"command\":\"transfer\",\"destination\":\"user:xivo/4\"}",
         "\"destination\",\"error_string\":\"unreachable_extension\"", ""},
        {NULL,
         "{\"command\":\"atxfer\",\"source\":\"chan:xivo/SIP/alice-01\","
         "\"destination\":\"exten:xivo/1005\"}",
         "\"ok\"",
         "Atxfer [[\"Channel\",\"SIP/alice-01\"],[\"Exten\",\"1005\"],"
         "[\"Context\",\"default\"],[\"Priority\",\"1\"]]\n"},
        {NULL, "{\"command\":\"transfercancel\",\"channelids\":\"chan:xivo/SIP/alice-01\"}",
         "\"ok\"", "transfer.cancel [[\"channel\",\"SIP/alice-01\"]]\n"},
        {NULL, "{\"command\":\"transfercancel\"}", "\"ok\"",
         "transfer.cancel [[\"channel\",\"SIP/alice-01\"]]\n"},
        /* of a phone that rings the caller is taken */
        {NULL,
         "{\"command\":\"intercept\",\"tointercept\":\"chan:xivo/SCCP/1011-03\","
         "\"catcher\":\"user:xivo/2\"}",
         "\"ok\"", REDIRECT("SIP/trunk-04", "1002")},
        {NULL, "{\"command\":\"intercept\",\"tointercept\":\"chan:xivo/PJSIP/bob-02\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "1001")},
        {NULL,
         "{\"command\":\"intercept\",\"tointercept\":\"chan:xivo/PJSIP/bob-02\","
         "\"catcher\":\"user:xivo/3\"}",
         "\"catcher\",\"error_string\":\"no_line\"", ""},
        {NULL,
         "{\"command\":\"parking\",\"source\":\"chan:xivo/PJSIP/bob-02\","
         "\"destination\":\"parking:xivo/2\"}",
         "\"ok\"",
         "call.park [[\"channel\",\"PJSIP/bob-02\"],[\"parker\",\"SIP/alice-01\"],"
         "[\"lot\",\"lot2\"]]\n"},
        {NULL, "{\"command\":\"parking\",\"source\":\"chan:xivo/SIP/alice-01\"}", "\"ok\"",
         "call.park [[\"channel\",\"PJSIP/bob-02\"],[\"parker\",\"SIP/alice-01\"]]\n"},
        {NULL,
         "{\"command\":\"parking\",\"source\":\"chan:xivo/SIP/alice-01\","
         "\"destination\":\"parking:xivo/9\"}",
         "\"destination\",\"error_string\":\"no_such_parkinglot\"", ""},
    };

    ipbx_calls(*state);
    CHECK(*state, rows);
}

static void dial_rules_replace_how_numbers_begin(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL, "{\"command\":\"transfer\",\"destination\":\"+49 (0)89 123456\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "089123456")},
        {NULL, "{\"command\":\"transfer\",\"destination\":\"tel:+33-1-23-45-67-89\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "0033123456789")},
        {NULL, "{\"command\":\"transfer\",\"destination\":\"1005\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "1005")},
    };
    struct ipbx_world *w = *state;

    ipbx_calls(w);
    json_object_object_add(config_section(w->s.cfg, "ctibus"), "dialplan",
                           json_tokener_parse("{\"rules\":[\"+=00\",\"+49=0\",\"broken\"]}"));
    CHECK(w, rows);
}

/* Whose calls the profile hides are as if they were not there; who talks to her is there. */
static void calls_that_the_profile_hides(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL,
         "{\"command\":\"transfer\",\"source\":\"chan:xivo/PJSIP/bob-02\","
         "\"destination\":\"exten:xivo/1005\"}",
         "\"ok\"", REDIRECT("PJSIP/bob-02", "1005")},
        {NULL, "{\"command\":\"intercept\",\"tointercept\":\"chan:xivo/SIP/erin-06\"}",
         "\"tointercept\",\"error_string\":\"no_such_channel\"", ""},
    };
    struct ipbx_world *w = *state;

    ipbx_calls(w);
    ipbx_channel(w, "SIP/erin-06", "51", "ringing", "SIP/trunk-04");
    json_object_object_add(json_member(config_section(w->s.cfg, "profiles"), VIEW("client")), "see",
                           json_tokener_parse("{\"calls\":\"own\"}"));
    CHECK(w, rows);
}

static void hangups(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL, "{\"command\":\"hangup\",\"channelids\":\"chan:xivo/PJSIP/bob-02\"}", "\"ok\"",
         HANGUP("PJSIP/bob-02")},
        {NULL,
         "{\"command\":\"hangup\",\"channelids\":[\"chan:xivo/PJSIP/bob-02\",\"SIP/alice-01\"]}",
         "\"ok\"", HANGUP("PJSIP/bob-02") HANGUP("SIP/alice-01")},
        /* nothing at all is done when one of them is wrong */
        {NULL, "{\"command\":\"hangup\",\"channelids\":[\"SIP/alice-01\",\"SIP/dave-05\"]}",
         "\"channelids\",\"error_string\":\"no_such_channel\"", ""},
        {NULL, "{\"command\":\"hangup\",\"channelids\":\"/.*/\"}",
         "\"channelids\",\"error_string\":\"no_such_channel\"", ""},
        {NULL, "{\"command\":\"hangup\",\"channelids\":[]}",
         "\"channelids\",\"error_string\":\"missing\"", ""},
        {NULL, "{\"command\":\"hangupme\"}", "\"ok\"",
         HANGUP("SIP/alice-01") HANGUP("SCCP/1011-03")},
        {NULL, "{\"command\":\"cancel\"}", "\"ok\"", HANGUP("SCCP/1011-03")},
        {NULL, "{\"command\":\"refuse\",\"channelids\":\"chan:xivo/SCCP/1011-03\"}", "\"ok\"",
         "Hangup [[\"Channel\",\"SCCP/1011-03\"],[\"Cause\",\"17\"]]\n"},
        {NULL, "{\"command\":\"answer\"}", "\"ok\"",
         "phone.notify [[\"peer\",\"SCCP/1011\"],[\"variable\",\"Event=talk\"]]\n"},
        {NULL, "{\"command\":\"answer\",\"uniqueid\":\"SCCP/1011-03\"}", "\"ok\"",
         "phone.notify [[\"peer\",\"SCCP/1011\"],[\"variable\",\"Event=talk\"]]\n"},
        {NULL, "{\"command\":\"answer\",\"unique_id\":\"SIP/alice-01\"}",
         "\"uniqueid\",\"error_string\":\"no_such_channel\"", ""},
        {NULL, "{\"command\":\"answer\",\"phoneids\":[\"phone:xivo/11\"]}", "\"ok\"",
         "phone.notify [[\"peer\",\"SIP/alice\"],[\"variable\",\"Event=talk\"]]\n"},
        {NULL, "{\"command\":\"answer\",\"phoneids\":\"phone:xivo/21\"}",
         "\"phoneids\",\"error_string\":\"not_your_phone\"", ""},
    };
    struct ipbx_world *w = *state;

    ipbx_forget(w);
    assert_int_equal(peer_command(&w->p, "s1", "ipbxcommand", "{\"command\":\"hangupme\"}"),
                     BUS_ok);
    assert_string_equal(w->p.answer, "{\"command\":\"hangupme\",\"ipbxreply\":\"noaction\"}");
    ipbx_calls(w);
    CHECK(w, rows);
}

/* Of two calls the one that is heard is meant, whichever began first. */
static void the_current_call_is_not_the_one_on_hold(void **state)
{
    static const struct ipbx_row rows[] = {{NULL,
                                            "{\"command\":\"transfer\",\"destination\":\"1005\"}",
                                            "\"ok\"", REDIRECT("SIP/trunk-07", "1005")}};
    struct ipbx_world *w = *state;

    for (int i = 0; i < 2; i++) {
        ipbx_channel(w, i ? "SIP/alice-06" : "SIP/alice-01", "11", "linked-caller",
                     i ? "SIP/trunk-07" : "PJSIP/bob-02");
        ipbx_channel(w, i ? "SIP/trunk-07" : "PJSIP/bob-02", NULL, "linked-called",
                     i ? "SIP/alice-06" : "SIP/alice-01");
    }
    xod_set_bool(xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/alice-01")), XOD(channels, holded),
                 true);
    state_commit(w->s.s, false);
    CHECK(w, rows);
    xod_set_bool(xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/alice-06")), XOD(channels, holded),
                 true);
    xod_set_bool(xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/alice-01")), XOD(channels, holded),
                 false);
    state_commit(w->s.s, false);
    ipbx_check(w, &(struct ipbx_row){NULL, "{\"command\":\"transfer\",\"destination\":\"1005\"}",
                                     "\"ok\"", REDIRECT("PJSIP/bob-02", "1005")});
}

static void refused_by_the_dialplan(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL, "{\"command\":\"refuse\"}", "\"ok\"",
         "Redirect [[\"Channel\",\"SIP/trunk-04\"],[\"Exten\",\"BUSY\"],[\"Context\",\"ctibus\"],"
         "[\"Priority\",\"1\"]]\n"}};
    struct ipbx_world *w = *state;
    struct json_object *ours = config_section(w->s.cfg, "ctibus");
    struct json_object *dialplan = json_object_new_object();

    json_object_object_add(dialplan, "busy", json_object_new_string("BUSY@ctibus"));
    json_object_object_add(ours, "dialplan", dialplan);
    ipbx_calls(w);
    CHECK(w, rows);
}

static void phones_and_mailboxes(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL,
         "{\"command\":\"sipnotify\",\"channel\":\"SIP/alice\",\"variables\":{\"Event\":\"x\"}}",
         "\"ok\"", "phone.notify [[\"peer\",\"SIP/alice\"],[\"variable\",\"Event=x\"]]\n"},
        {NULL,
         "{\"command\":\"sipnotify\",\"channel\":\"phone:xivo/"
         "21\",\"variables\":[\"a=b\",\"c=d\"]}",
         "\"ok\"",
         "phone.notify [[\"peer\",\"PJSIP/bob\"],[\"variable\",\"a=b\"],[\"variable\",\"c=d\"]]\n"},
        {NULL, "{\"command\":\"sipnotify\",\"channel\":\"user:special:me\",\"variables\":\"a=b\"}",
         "\"ok\"", "phone.notify [[\"peer\",\"SIP/alice\"],[\"variable\",\"a=b\"]]\n"},
        {NULL, "{\"command\":\"sipnotify\",\"channel\":\"SIP/dave\",\"variables\":\"a=b\"}",
         "\"channel\",\"error_string\":\"no_such_phone\"", ""},
        {NULL, "{\"command\":\"sipnotify\",\"channel\":\"SIP/alice\",\"variables\":[]}",
         "\"variables\",\"error_string\":\"missing\"", ""},
        {NULL, "{\"command\":\"mailboxcount\",\"mailbox\":\"1002\",\"context\":\"default\"}",
         "\"ok\"", "MailboxCount [[\"Mailbox\",\"1002@default\"]]\n"},
        {NULL, "{\"command\":\"mailboxcount\",\"mailbox\":1001}", "\"ok\"",
         "MailboxCount [[\"Mailbox\",\"1001@default\"]]\n"},
        {NULL, "{\"command\":\"mailboxcount\",\"mailbox\":\"77\",\"context\":\"default\"}",
         "\"mailbox\",\"error_string\":\"no_such_mailbox\"", ""},
    };

    CHECK(*state, rows);
}

/* ---- what comes of it ---- */

static void not_permitted(void **state)
{
    struct ipbx_world *w = *state;

    assert_int_equal(peer_ask(&w->p, METHOD_login_open,
                              "{\"ipbxid\":\"xivo\",\"userid\":\"5\",\"capaid\":\"bare\","
                              "\"session\":\"s5\",\"state\":\"available\"}"),
                     BUS_ok);
    assert_int_equal(
        peer_command(&w->p, "s5", "ipbxcommand", "{\"command\":\"dial\",\"destination\":\"1002\"}"),
        BUS_unallowed);
    assert_int_equal(peer_command(&w->p, "s5", "ipbxcommand", "{\"command\":\"hangupme\"}"),
                     BUS_ok);
    assert_int_equal(w->p.n_actions, 0);
}

static void asterisk_refuses(void **state)
{
    struct ipbx_world *w = *state;

    w->p.response = "Error";
    ipbx_calls(w);
    ipbx_forget(w);
    peer_command(&w->p, "s1", "ipbxcommand",
                 "{\"command\":\"hangup\",\"commandid\":\"q7\",\"channelids\":\"SIP/alice-01\"}");
    assert_string_equal(w->p.answer, "{\"command\":\"hangup\",\"ipbxreply\":\"ok\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_string_equal(w->lines, "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":"
                                  "\"ipbxcommand\",\"replyid\":\"q7\",\"command\":\"hangup\","
                                  "\"response\":\"ko\",\"error_string\":\"so it is\"}}\n");
}

static void the_link_is_down(void **state)
{
    struct ipbx_world *w = *state;

    peer_login(&w->p, 0);
    ipbx_forget(w);
    peer_command(&w->p, "s1", "ipbxcommand", "{\"command\":\"dial\",\"destination\":\"1002\"}");
    assert_string_equal(
        w->p.answer, "{\"command\":\"dial\",\"ipbxreply\":\"noconn\",\"error_string\":\"noconn\"}");
    assert_int_equal(w->p.n_actions, 0);
}

/* The gateway goes away between the action and its answer. */
static void no_answer_comes(void **state)
{
    struct ipbx_world *w = *state;
    struct state_peer client = {0};

    peer_start(&client, &w->s, "other");
    assert_int_equal(peer_open(&client, "s2", "2", "available"), BUS_ok);
    w->p.response = NULL;
    w->s.s->action_timeout_ms = 200;
    ipbx_forget(w);
    peer_command(&client, "s2", "ipbxcommand", "{\"command\":\"dial\",\"destination\":\"1001\"}");
    UNTIL(w->s.loop, w->p.n_actions == 1);
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_non_null(strstr(w->lines, "\"response\":\"ko\",\"error_string\":\"timeout\""));
    peer_end(&client);
}

static void what_became_of_a_call_is_told(void **state)
{
    struct ipbx_world *w = *state;
    struct tel t;
    char id[64] = "";

    peer_command(&w->p, "s1", "ipbxcommand",
                 "{\"command\":\"originate\",\"commandid\":9,\"source\":\"user:special:me\","
                 "\"destination\":\"1002\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    sscanf(strstr(w->p.actions, "XIVO_ORIGACTIONID="), "XIVO_ORIGACTIONID=%63[^\"]", id);
    ipbx_forget(w);
    t = ipbx_event(TEL_channel_new);
    ipbx_put(&t, TELF_channel, "SIP/Alice-0007");
    originates_event(w->s.s->originates, w->s.ipbx, &t);
    UNTIL(w->s.loop, w->p.n_actions == 1);
    assert_string_equal(w->p.actions, "Getvar [[\"Channel\",\"SIP/Alice-0007\"],"
                                      "[\"Variable\",\"XIVO_ORIGACTIONID\"]]\n");
    t = ipbx_event(TEL_channel_variable);
    ipbx_put(&t, TELF_channel, "SIP/Alice-0007");
    ipbx_put(&t, TELF_name, "XIVO_ORIGACTIONID");
    ipbx_put(&t, TELF_value, id);
    originates_event(w->s.s->originates, w->s.ipbx, &t);
    originates_event(w->s.s->originates, w->s.ipbx, &t); /* set, and asked for: told once */
    t = ipbx_event(TEL_originate_response);
    ipbx_put(&t, TELF_actionid, "act-1");
    tel_set_add(&t.set, TELF_reason_code);
    t.num[TELF_reason_code] = 5;
    originates_event(w->s.s->originates, w->s.ipbx, &t);
    UNTIL(w->s.loop, w->n_lines == 2);
    assert_string_equal(w->lines,
                        "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":\"ipbxcommand\","
                        "\"replyid\":9,\"command\":\"originate\","
                        "\"autocall_channel\":\"SIP/Alice-0007\"}}\n"
                        "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":\"ipbxcommand\","
                        "\"replyid\":9,\"command\":\"originate\",\"originatereason\":5}}\n");
}

/* What a user of a peer asks for: of a number only what a number may hold. */
static void another_site_intercepts(void **state)
{
    static const struct {
        const char *number, *exten; /* NULL: refused */
    } rows[] = {
        {"2001", "2001"},     {"+33 6 12", "+33612"},
        {"*10#", "*10#"},     {"20,1)h@other\\r\\nAction: Logoff", "201"},
        {"h", NULL},          {"", NULL},
        {"hangup-now", NULL}, {"${SHELL(id)}", NULL},
    };
    struct ipbx_world *w = *state;
    char text[256];

    ipbx_calls(w);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ipbx_forget(w);
        snprintf(text, sizeof(text),
                 "{\"site\":\"lyon\",\"user\":\"1\",\"ipbx\":\"xivo\",\"command\":\"intercept\","
                 "\"channel\":\"SCCP/1011-03\",\"number\":\"%s\"}",
                 rows[i].number);
        assert_int_equal(peer_ask(&w->p, METHOD_peer_command, text), BUS_ok);
        if (rows[i].exten)
            snprintf(text, sizeof(text),
                     "Redirect [[\"Channel\",\"SIP/trunk-04\"],[\"Exten\",\"%s\"],[\"Context\","
                     "\"default\"],[\"Priority\",\"1\"]]\n",
                     rows[i].exten);
        assert_string_equal(w->p.actions, rows[i].exten ? text : "");
        if (!rows[i].exten)
            assert_non_null(strstr(w->p.answer, "no_number"));
    }
}

#define DIGIT(channel, digit) "PlayDTMF [[\"Channel\",\"" channel "\"],[\"Digit\",\"" digit "\"]]\n"

static void keys_go_to_the_other_end(void **state)
{
    static const struct ipbx_row rows[] = {
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"1*1#D\"}", "\"ok\"",
         DIGIT("PJSIP/bob-02", "1") DIGIT("PJSIP/bob-02", "*") DIGIT("PJSIP/bob-02", "1")
             DIGIT("PJSIP/bob-02", "#") DIGIT("PJSIP/bob-02", "D")},
        {NULL, "{\"command\":\"dtmf\",\"digits\":7,\"channel\":\"chan:xivo/SIP/alice-01\"}",
         "\"ok\"", DIGIT("PJSIP/bob-02", "7")},
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"\"}",
         "\"digits\",\"error_string\":\"no_digits\"", ""},
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"12a\"}",
         "\"digits\",\"error_string\":\"no_digits\"", ""},
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"1\\r\\nAction: Logoff\"}",
         "\"digits\",\"error_string\":\"no_digits\"", ""},
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"1\\u0000\"}",
         "\"digits\",\"error_string\":\"no_digits\"", ""},
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"123456789012345678901234567890123\"}",
         "\"digits\",\"error_string\":\"no_digits\"", ""},
        /* somebody else's call, one that rings, none */
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"1\",\"channel\":\"chan:xivo/PJSIP/bob-02\"}",
         "\"channel\",\"error_string\":\"no_such_channel\"", ""},
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"1\",\"channel\":\"chan:xivo/SCCP/1011-03\"}",
         "\"channel\",\"error_string\":\"not_in_call\"", ""},
        {NULL, "{\"command\":\"dtmf\",\"digits\":\"1\",\"channel\":\"chan:xivo/none\"}",
         "\"channel\",\"error_string\":\"no_such_channel\"", ""},
    };

    ipbx_calls(*state);
    CHECK(*state, rows);
}

/* An application: the own phone would hear them, unless the Asterisk takes Receive. */
static void keys_in_an_application_need_an_asterisk_that_takes_them(void **state)
{
    static const struct ipbx_row refused = {NULL, "{\"command\":\"dtmf\",\"digits\":\"1\"}",
                                            "\"channel\",\"error_string\":\"dtmf_needs_peer\"", ""};
    static const struct ipbx_row sent = {
        NULL, "{\"command\":\"dtmf\",\"digits\":\"1\"}", "\"ok\"",
        "PlayDTMF [[\"Channel\",\"SIP/alice-01\"],[\"Digit\",\"1\"],[\"Receive\",\"true\"]]\n"};
    struct ipbx_world *w = *state;
    struct xod_obj *ipbx = xod_find(w->s.ipbx, LIST_ipbx, VIEW("xivo"));

    ipbx_channel(w, "SIP/alice-01", "11", "ready", NULL);
    xod_set_str(ipbx, XOD(ipbx, banner), VIEW("Asterisk Call Manager/5.0.4"));
    ipbx_check(w, &refused);
    xod_set_str(ipbx, XOD(ipbx, banner), VIEW("Asterisk Call Manager/9.0.0"));
    ipbx_check(w, &sent);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ipbx_setup, ipbx_teardown)
    const struct CMUnitTest tests[] = {
        T(dial_reaches_all_kinds_of_targets),
        T(names_do_not_break_the_header),
        T(what_is_no_phone_shows_the_user),
        T(what_another_site_has_is_dialled_from_here),
        T(what_cannot_be_dialled),
        T(originate_rings_the_source),
        T(transfers),
        T(dial_rules_replace_how_numbers_begin),
        T(calls_that_the_profile_hides),
        T(hangups),
        T(the_current_call_is_not_the_one_on_hold),
        T(refused_by_the_dialplan),
        T(keys_go_to_the_other_end),
        T(keys_in_an_application_need_an_asterisk_that_takes_them),
        T(phones_and_mailboxes),
        T(not_permitted),
        T(asterisk_refuses),
        T(the_link_is_down),
        T(no_answer_comes),
        T(what_became_of_a_call_is_told),
        T(another_site_intercepts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
