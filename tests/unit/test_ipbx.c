/* ipbxcommands: the message in; the answer, the actions and the later line out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ipbx/originates.h"
#include "ipbx/transfers.h"

#define IPBX_CLASSES                                                                               \
    "[\"ipbxcommand\",\"answer\",\"hangup\",\"hold_switchboard\",\"resume_switchboard\","          \
    "\"direct_transfer\",\"attended_transfer\",\"complete_transfer\",\"cancel_transfer\","         \
    "\"attended_transfer_voicemail\",\"blind_transfer_voicemail\",\"invite_confroom\","            \
    "\"callcampaign\",\"call_form_result\",\"chitchat\",\"featuresput\"]"
#include "support/ipbx_world.h"

struct row {
    const char *class;   /* NULL: ipbxcommand */
    const char *message; /* without command id */
    const char *reply;   /* ipbxreply and error_string */
    const char *actions;
};

static void check(struct ipbx_world *w, const struct row *r)
{
    char want[256];
    bool sent = *r->actions;

    ipbx_forget(w);
    peer_command(&w->p, "s1", r->class ? r->class : "ipbxcommand", r->message);
    assert_int_equal(w->p.status, BUS_ok);
    snprintf(want, sizeof(want), "\"ipbxreply\":%s}", r->reply);
    if (!strstr(w->p.answer, want))
        fail_msg("%s: answered %s", r->message, w->p.answer);
    if (sent) {
        UNTIL(w->s.loop, strstr(w->lines, "\"response\":\"ok\""));
    }
    if (strcmp(w->p.actions, r->actions) != 0)
        fail_msg("%s:\n%s\nnot\n%s", r->message, w->p.actions, r->actions);
}

static void check_all(struct ipbx_world *w, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(w, &rows[i]);
}
#define CHECK(w, rows) check_all(w, rows, sizeof(rows) / sizeof(rows[0]))

/* alice talks to bob, and carol's call rings at her other phone. */
static void calls(struct ipbx_world *w)
{
    struct xod_obj *o;

    ipbx_channel(w, "SIP/alice-01", "11", "linked-caller", "PJSIP/bob-02");
    ipbx_channel(w, "PJSIP/bob-02", "21", "linked-called", "SIP/alice-01");
    ipbx_channel(w, "SCCP/1011-03", "12", "ringing", "SIP/trunk-04");
    ipbx_channel(w, "SIP/trunk-04", NULL, "calling", "SCCP/1011-03");
    o = ipbx_channel(w, "SIP/dave-05", "41", "linked-caller", NULL);
    xod_set_str(o, XOD(channels, context), VIEW("other"));
    state_commit(w->s.s, false);
}

/* ---- where calls go ---- */

static void check_dial(struct ipbx_world *w, const char *destination, const char *exten,
                       const char *context, const char *callerid)
{
    char message[256], want[1024];

    ipbx_forget(w);
    snprintf(message, sizeof(message),
             "{\"command\":\"dial\",\"commandid\":5,\"destination\":\"%s\"}", destination);
    assert_int_equal(peer_command(&w->p, "s1", "ipbxcommand", message), BUS_ok);
    assert_string_equal(w->p.answer, "{\"command\":\"dial\",\"ipbxreply\":\"ok\"}");
    UNTIL(w->s.loop, w->n_lines == 2);
    snprintf(want, sizeof(want),
             "Originate [[\"Channel\",\"SIP/alice\"],[\"Exten\",\"%s\"],[\"Context\",\"%s\"],"
             "[\"Priority\",\"1\"],[\"Timeout\",\"30000\"],[\"CallerID\",\"\\\"%s\\\" <%s>\"],"
             "[\"Variable\",\"XIVO_ORIGAPPLI=OrigDial\"],[\"Variable\",\"XIVO_ORIGACTIONID=ctibus-",
             exten, context, callerid, exten);
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

    check_dial(w, "1002", "1002", "default", "1002");
    check_dial(w, "+33 (6) 12-34.56", "+336123456", "default", "+336123456");
    check_dial(w, "*10#", "*10#", "default", "*10#");
    check_dial(w, "12\\r\\nAction= Logoff", "12ActionLogoff", "default", "12ActionLogoff");
    check_dial(w, "exten:xivo/1002", "1002", "default", "1002");
    check_dial(w, "user:xivo/2", "1002", "default", "Bob");
    check_dial(w, "phone:xivo/12", "1011", "default", "Alice A x");
    check_dial(w, "queue:xivo/1", "3001", "default", "Blue");
    check_dial(w, "group:xivo/1", "3100", "default", "all");
    check_dial(w, "meetme:xivo/1", "4001", "default", "Room");
    check_dial(w, "parking:xivo/1", "700", "default", "default");
    check_dial(w, "vm_consult:xivo/1", "*98", "default", "Alice");
    check_dial(w, "vm_consult:xivo/2", "*981002", "default", "Bob");
    check_dial(w, "user:special:myvoicemail", "*98", "default", "Alice");
    check_dial(w, "voicemail:xivo/1", "*98", "default", "Alice");
    check_dial(w, "voicemail:xivo/2", "*991002", "default", "Bob");
    check_dial(w, "user:special:me", "1001", "default", "Alice A x");
    xod_set_str(xod_find(w->s.site, LIST_agents, VIEW("8")), XOD(agents, phonenumber),
                VIEW("1005"));
    check_dial(w, "agent:xivo/8", "1005", "default", "B");
}

static void what_cannot_be_dialled(void **state)
{
    static const struct row rows[] = {
        {NULL, "{\"command\":\"dial\",\"destination\":\"\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"()\\n\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"12\\r\\nAction: Logoff\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:12ActionLogoff\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":[1]}",
         "\"destination\",\"error_string\":\"unreachable_extension:\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"user:xivo/3\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:userxivo3\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"user:xivo/99\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:userxivo99\"", ""},
        /* hidden is as if it were not there */
        {NULL, "{\"command\":\"dial\",\"destination\":\"user:xivo/4\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:userxivo4\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"queue:xivo/3\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:queuexivo3\"", ""},
        {NULL, "{\"command\":\"dial\",\"destination\":\"nosuch:xivo/3\"}",
         "\"destination\",\"error_string\":\"unreachable_extension:nosuchxivo3\"", ""},
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

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
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

#define REDIRECT(channel, exten)                                                                   \
    "Redirect [[\"Channel\",\"" channel "\"],[\"Exten\",\"" exten                                  \
    "\"],[\"Context\",\"default\"],[\"Priority\",\"1\"]]\n"
#define HANGUP(channel) "Hangup [[\"Channel\",\"" channel "\"]]\n"

static void transfers(void **state)
{
    static const struct row rows[] = {
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

    calls(*state);
    CHECK(*state, rows);
}

static void hangups(void **state)
{
    static const struct row rows[] = {
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
    calls(w);
    CHECK(w, rows);
}

static void refused_by_the_dialplan(void **state)
{
    static const struct row rows[] = {
        {NULL, "{\"command\":\"refuse\"}", "\"ok\"",
         "Redirect [[\"Channel\",\"SIP/trunk-04\"],[\"Exten\",\"BUSY\"],[\"Context\",\"ctibus\"],"
         "[\"Priority\",\"1\"]]\n"}};
    struct ipbx_world *w = *state;
    struct json_object *ours = config_section(w->s.cfg, "ctibus");
    struct json_object *dialplan = json_object_new_object();

    json_object_object_add(dialplan, "busy", json_object_new_string("BUSY@ctibus"));
    json_object_object_add(ours, "dialplan", dialplan);
    calls(w);
    CHECK(w, rows);
}

static void phones_and_mailboxes(void **state)
{
    static const struct row rows[] = {
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

static void participant(struct xod_obj *room, const char *channel, int64_t number)
{
    struct value who = {.type = V_MAP};
    struct value n;

    n = (struct value){.type = V_INT, .i = number};
    value_map_put(&who, VIEW("usernum"), &n);
    xod_map_put(room, XOD(meetmes, channels), view_cstr(channel), &who);
}

static void conferences(void **state)
{
#define IN_ROOM(action, more)                                                                      \
    action " [[\"room\",\"4001\"],[\"usernum\",\"1\"]," more                                       \
           "[\"channel\",\"SIP/alice-01\"],[\"application\",\"MeetMe\"]]\n"
    static const struct row rows[] = {
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"MeetmeMute\",\"functionargs\":[\"4001\",\"1\"]}",
         "\"ok\"", IN_ROOM("conference.mute", "")},
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"MeetmeUnmute\",\"functionargs\":[\"xivo/"
         "1\",\"1\"]}",
         "\"ok\"", IN_ROOM("conference.unmute", "")},
        {NULL, "{\"command\":\"meetme\",\"function\":\"MeetmeKick\",\"functionargs\":[4001,1]}",
         "\"ok\"", IN_ROOM("conference.kick", "")},
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"MeetmeAccept\","
         "\"functionargs\":[\"4001\",\"1\",\"2\"]}",
         "\"ok\"", IN_ROOM("conference.accept", "[\"adminnum\",\"2\"],")},
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"MeetmeTalk\","
         "\"functionargs\":[\"4001\",\"1\",\"2\"]}",
         "\"ok\"", IN_ROOM("conference.talk", "[\"adminnum\",\"2\"],")},
        {NULL, "{\"command\":\"meetme\",\"function\":\"MeetmePause\",\"functionargs\":[\"4001\"]}",
         "\"ok\"",
         "conference.pause [[\"room\",\"4001\"],[\"status\",\"on\"],"
         "[\"application\",\"MeetMe\"]]\n"},
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"record\",\"functionargs\":[\"4001\",\"stop\"]}",
         "\"ok\"", "conference.unrecord [[\"room\",\"4001\"],[\"application\",\"MeetMe\"]]\n"},
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"MeetmeMute\",\"functionargs\":[\"4001\",\"9\"]}",
         "\"functionargs\",\"error_string\":\"no_such_participant\"", ""},
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"MeetmeMute\",\"functionargs\":[\"4009\",\"1\"]}",
         "\"functionargs\",\"error_string\":\"no_such_room\"", ""},
        {NULL, "{\"command\":\"meetme\",\"function\":\"MeetmeDance\",\"functionargs\":[\"4001\"]}",
         "\"function\",\"error_string\":\"unknown_function\"", ""},
    };
    struct ipbx_world *w = *state;
    struct xod_obj *room = xod_find(w->s.site, LIST_meetmes, VIEW("1"));

    xod_set_str(room, XOD(meetmes, application), VIEW("MeetMe"));
    participant(room, "SIP/alice-01", 1);
    state_commit(w->s.s, false);
    CHECK(w, rows);
}

static void members(void **state)
{
#define PAUSE(queue, interface, on)                                                                \
    "QueuePause [[\"Queue\",\"" queue "\"],[\"Interface\",\"" interface "\"],[\"Paused\",\"" on    \
    "\"]]\n"
    static const struct row rows[] = {
        {NULL,
         "{\"command\":\"queuepause\",\"member\":\"agent:xivo/7\",\"queue\":\"queue:xivo/1\"}",
         "\"ok\"", PAUSE("blue", "Local/2001@agents", "true")},
        {NULL,
         "{\"command\":\"queueunpause\",\"member\":\"agent:special:me\",\"queue\":\"queue:xivo/"
         "1\"}",
         "\"ok\"", PAUSE("blue", "Local/2001@agents", "false")},
        {NULL, "{\"command\":\"queuepause\",\"queue\":\"queue:xivo/all\"}", "\"ok\"",
         PAUSE("blue", "Local/2001@agents", "true") PAUSE("red", "Local/2001@agents", "true")},
        {NULL,
         "{\"command\":\"queuepause\",\"member\":\"phone:xivo/21\",\"queue\":\"group:xivo/1\","
         "\"paused\":\"0\"}",
         "\"ok\"", PAUSE("all", "PJSIP/bob", "false")},
        {NULL, "{\"command\":\"queuepause_all\",\"member\":\"agent:xivo/7\"}", "\"ok\"",
         PAUSE("blue", "Local/2001@agents", "true") PAUSE("red", "Local/2001@agents", "true")},
        {NULL, "{\"command\":\"queueunpause_all\"}", "\"ok\"",
         PAUSE("blue", "Local/2001@agents", "false") PAUSE("red", "Local/2001@agents", "false")},
        {NULL, "{\"command\":\"queueadd\",\"member\":\"agent:xivo/8\",\"queue\":\"queue:xivo/2\"}",
         "\"ok\"",
         "QueueAdd [[\"Queue\",\"red\"],[\"Interface\",\"Agent/2002\"],[\"Paused\",\"false\"]]\n"},
        {NULL,
         "{\"command\":\"queueadd\",\"member\":\"phone:xivo/21\",\"queue\":\"queue:xivo/2\","
         "\"paused\":true,\"penalty\":3}",
         "\"ok\"",
         "QueueAdd [[\"Queue\",\"red\"],[\"Interface\",\"PJSIP/bob\"],[\"Penalty\",\"3\"],"
         "[\"Paused\",\"true\"]]\n"},
        {NULL,
         "{\"command\":\"queueremove\",\"member\":\"agent:xivo/7\",\"queue\":\"queue:xivo/2\"}",
         "\"ok\"", "QueueRemove [[\"Queue\",\"red\"],[\"Interface\",\"Local/2001@agents\"]]\n"},
        /* the membership of blue is static */
        {NULL, "{\"command\":\"queueremove_all\",\"member\":\"agent:xivo/7\"}", "\"ok\"",
         "QueueRemove [[\"Queue\",\"red\"],[\"Interface\",\"Local/2001@agents\"]]\n"},
        {NULL,
         "{\"command\":\"queuepause\",\"member\":\"agent:xivo/9\",\"queue\":\"queue:xivo/1\"}",
         "\"member\",\"error_string\":\"no_such_member\"", ""},
        {NULL,
         "{\"command\":\"queuepause\",\"member\":\"agent:xivo/7\",\"queue\":\"queue:xivo/3\"}",
         "\"queue\",\"error_string\":\"no_such_queue\"", ""},
        {NULL, "{\"command\":\"queuepause_all\",\"member\":\"agent:xivo/8\"}", "\"noaction\"", ""},
    };
    struct ipbx_world *w = *state;
    struct xod_obj *agent = xod_find(w->s.site, LIST_agents, VIEW("7"));

    for (int i = 0; i < 2; i++) {
        struct xod_obj *m = xod_add(w->s.site, LIST_queuemembers,
                                    i ? VIEW("Agent/2001,red") : VIEW("Agent/2001,blue"));
        xod_set_str(m, XOD(queuemembers, queue_name), i ? VIEW("red") : VIEW("blue"));
        xod_set_str(m, XOD(queuemembers, location), VIEW("Local/2001@agents"));
        xod_set_str(m, XOD(queuemembers, membership), i ? VIEW("dynamic") : VIEW("static"));
        xod_tie(agent, m);
    }
    state_commit(w->s.s, false);
    CHECK(w, rows);
}

static void agents(void **state)
{
    static const struct row rows[] = {
        {NULL, "{\"command\":\"agentlogin\",\"agentids\":\"xivo/8\",\"agentphonenumber\":\"1002\"}",
         "\"ok\"",
         "agent.login [[\"agent\",\"2002\"],[\"exten\",\"1002\"],[\"context\",\"default\"]]\n"},
        {NULL, "{\"command\":\"agentlogin\",\"agentids\":[\"agent:special:me\"]}", "\"ok\"",
         "agent.login [[\"agent\",\"2001\"],[\"exten\",\"1001\"],[\"context\",\"default\"]]\n"},
        {NULL, "{\"command\":\"agentlogin\",\"agentphonenumber\":\"99\"}",
         "\"agentphonenumber\",\"error_string\":\"agent_login_invalid_exten\"", ""},
        {NULL, "{\"command\":\"agentlogin\",\"agentids\":\"xivo/9\",\"agentphonenumber\":\"1002\"}",
         "\"agentids\",\"error_string\":\"no_such_agent\"", ""},
        {NULL, "{\"command\":\"agentlogin\",\"agentphonenumber\":\"1005\"}",
         "\"agentphonenumber\",\"error_string\":\"agent_login_exten_in_use\"", ""},
        {NULL, "{\"command\":\"agentlogout\"}", "\"ok\"", "agent.logoff [[\"agent\",\"2001\"]]\n"},
        {NULL, "{\"command\":\"agentlogout\",\"agentids\":[\"agent:xivo/7\",\"agent:xivo/8\"]}",
         "\"ok\"", "agent.logoff [[\"agent\",\"2001\"]]\nagent.logoff [[\"agent\",\"2002\"]]\n"},
    };
    struct ipbx_world *w = *state;
    struct xod_obj *other = xod_find(w->s.site, LIST_agents, VIEW("9"));

    /* one of another context may be at a phone of the same number */
    xod_set_str(other, XOD(agents, status), VIEW("AGENT_IDLE"));
    xod_set_str(other, XOD(agents, phonenumber), VIEW("1002"));
    other = xod_find(w->s.site, LIST_agents, VIEW("8"));
    xod_set_str(other, XOD(agents, status), VIEW("AGENT_IDLE"));
    xod_set_str(other, XOD(agents, phonenumber), VIEW("1005"));
    state_commit(w->s.s, false);
    CHECK(w, rows);
}

/* Where there is no AgentCallbackLogin the phone is rung, or the agent joins its queues. */
static void agents_log_in_otherwise(void **state)
{
    struct ipbx_world *w = *state;
    struct json_object *agents = config_get(w->s.cfg, "ctibus.agents");

    w->p.lacks = "agent.login";
    ipbx_forget(w);
    peer_command(&w->p, "s1", "ipbxcommand", "{\"command\":\"agentlogin\"}");
    UNTIL(w->s.loop, strstr(w->lines, "\"response\":\"ok\""));
    assert_string_equal(strchr(w->p.actions, '\n') + 1,
                        "Originate [[\"Channel\",\"SIP/alice\"],[\"Application\",\"AgentLogin\"],"
                        "[\"Data\",\"2001\"],[\"CallerID\",\"\\\"Agent login\\\" <2001>\"],"
                        "[\"Timeout\",\"30000\"]]\n");
    json_object_object_add(agents, "login", json_object_new_string("member"));
    ipbx_forget(w);
    peer_command(&w->p, "s1", "ipbxcommand",
                 "{\"command\":\"agentlogin\",\"agentphonenumber\":\"1002\"}");
    UNTIL(w->s.loop, strstr(w->lines, "\"response\":\"ok\""));
#define JOIN(queue)                                                                                \
    "QueueAdd [[\"Queue\",\"" queue "\"],[\"Interface\",\"Local/1002@default\"],"                  \
    "[\"MemberName\",\"Agent/2001\"],[\"StateInterface\",\"PJSIP/bob\"]]\n"
    assert_string_equal(strchr(w->p.actions, '\n') + 1, JOIN("blue") JOIN("red"));
    json_object_object_del(agents, "queues");
    ipbx_forget(w);
    peer_command(&w->p, "s1", "ipbxcommand", "{\"command\":\"agentlogin\"}");
    UNTIL(w->s.loop, strstr(w->lines, "\"response\":\"ko\",\"error_string\":\"no_queue\""));
}

static void listening(void **state)
{
    static const struct row rows[] = {
        {NULL, "{\"command\":\"listen\",\"subcommand\":\"start\",\"destination\":\"xivo/8\"}",
         "\"ok\"",
         "Originate [[\"Channel\",\"SIP/alice\"],[\"Application\",\"ChanSpy\"],"
         "[\"Data\",\"PJSIP/bob-02,q\"],[\"CallerID\",\"\\\"B\\\" <listen>\"],"
         "[\"Timeout\",\"30000\"]]\n"},
        {NULL, "{\"command\":\"listen\",\"subcommand\":\"stop\",\"destination\":\"xivo/8\"}",
         "\"ok\"", HANGUP("SIP/alice-09")},
        {NULL, "{\"command\":\"stoplisten\",\"destination\":\"xivo/8\"}", "\"ok\"",
         HANGUP("SIP/alice-09")},
        {NULL, "{\"command\":\"listen\",\"subcommand\":\"start\",\"destination\":\"xivo/9\"}",
         "\"destination\",\"error_string\":\"no_such_agent\"", ""},
        {NULL, "{\"command\":\"listen\",\"subcommand\":\"start\",\"destination\":\"xivo/7\"}",
         "\"destination\",\"error_string\":\"agent_not_logged\"", ""},
    };
    struct ipbx_world *w = *state;
    struct xod_obj *spy;

    xod_set_str(xod_find(w->s.site, LIST_agents, VIEW("8")), XOD(agents, phonenumber),
                VIEW("1002"));
    ipbx_channel(w, "PJSIP/bob-02", "21", "linked-called", NULL);
    spy = ipbx_channel(w, "SIP/alice-09", "11", "ready", NULL);
    xod_set_str(spy, XOD(channels, spying), VIEW("PJSIP/bob-02"));
    state_commit(w->s.s, false);
    check(w, &rows[0]);
    UNTIL(w->s.loop, w->n_lines == 2);
    assert_non_null(strstr(w->lines, "{\"class\":\"agentlisten\",\"ipbxid\":\"xivo\","
                                     "\"agentid\":\"8\",\"status\":\"started\"}"));
    CHECK(w, rows);
}

static void recordings(void **state)
{
    struct ipbx_world *w = *state;

    calls(w);
    ipbx_forget(w);
    peer_command(&w->p, "s1", "ipbxcommand",
                 "{\"command\":\"record\",\"subcommand\":\"start\","
                 "\"channel\":\"chan:xivo/SIP/alice-01\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_non_null(strstr(
        w->p.actions, "record.start [[\"channel\",\"SIP/alice-01\"],[\"file\",\"cti-monitor-20"));
    assert_non_null(strstr(w->p.actions, "-user-1\"]]\n"));
    ipbx_forget(w);
    peer_command(&w->p, "s1", "ipbxcommand", "{\"command\":\"record\",\"subcommand\":\"stop\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_string_equal(w->p.actions, "record.stop [[\"channel\",\"SIP/alice-01\"]]\n");
}

static void switchboard(void **state)
{
    static const struct row rows[] = {
        {"hold_switchboard", "{\"queue_name\":\"red\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "3002")},
        {"hold_switchboard", "{\"queue_name\":\"hidden\"}",
         "\"queue_name\",\"error_string\":\"no_such_queue\"", ""},
        {"resume_switchboard", "{\"unique_id\":\"SIP/trunk-04\"}",
         "\"unique_id\",\"error_string\":\"no_such_channel\"", ""},
        {"resume_switchboard", "{\"unique_id\":\"PJSIP/bob-02\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "1001")},
        {"answer", "{\"unique_id\":\"x\"}", "\"ok\"",
         "phone.notify [[\"peer\",\"SCCP/1011\"],[\"variable\",\"Event=talk\"]]\n"},
        {"hangup", "{}", "\"ok\"", HANGUP("SIP/alice-01")},
        {"direct_transfer", "{\"number\":\"1005\"}", "\"ok\"", REDIRECT("PJSIP/bob-02", "1005")},
        {"direct_transfer", "{\"number\":\"\"}",
         "\"number\",\"error_string\":\"unreachable_extension\"", ""},
        {"blind_transfer_voicemail", "{\"voicemail\":\"1002\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "*991002")},
        {"blind_transfer_voicemail", "{\"voicemail\":\"77\"}",
         "\"voicemail\",\"error_string\":\"no_such_mailbox\"", ""},
        {"attended_transfer", "{\"number\":1005}", "\"ok\"",
         "Atxfer [[\"Channel\",\"SIP/alice-01\"],[\"Exten\",\"1005\"],"
         "[\"Context\",\"default\"],[\"Priority\",\"1\"]]\n"},
        {"cancel_transfer", "{}", "\"ok\"", "transfer.cancel [[\"channel\",\"SIP/alice-01\"]]\n"},
        {"complete_transfer", "{}", "\"ok\"", HANGUP("SIP/alice-01")},
        {"invite_confroom", "{\"invitee\":\"user:xivo/2\"}",
         "\"command\",\"error_string\":\"not_in_a_room\"", ""},
        {"invite_confroom", "{\"invitee\":\"user:xivo/4\"}",
         "\"invitee\",\"error_string\":\"no_line\"", ""},
    };
    static const struct row invitation = {
        "invite_confroom", "{\"invitee\":\"user:xivo/2\"}", "\"ok\"",
        "Originate [[\"Channel\",\"PJSIP/bob\"],[\"Exten\",\"4001\"],[\"Context\",\"default\"],"
        "[\"Priority\",\"1\"],[\"Timeout\",\"30000\"],[\"CallerID\",\"\\\"Room\\\" <4001>\"]]\n"};
    struct ipbx_world *w = *state;

    calls(w);
    ipbx_channel(w, "Local/x-09", NULL, "calling", NULL);
    xod_set_str(xod_find(w->s.site, LIST_channels, VIEW("SIP/trunk-04")), XOD(channels, context),
                VIEW("other"));
    CHECK(w, rows);
    xod_tie(xod_find(w->s.site, LIST_channels, VIEW("SIP/alice-01")),
            xod_find(w->s.site, LIST_meetmes, VIEW("1")));
    check(w, &invitation);
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
    calls(w);
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
    ipbx_forget(w);
    peer_command(&client, "s2", "ipbxcommand", "{\"command\":\"dial\",\"destination\":\"1001\"}");
    UNTIL(w->s.loop, w->p.n_actions == 1);
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_non_null(strstr(w->lines, "\"response\":\"ko\",\"error_string\":\"timeout\""));
    peer_end(&client);
}

/* ---- calls that were asked for ---- */

static struct tel event(enum tel_event e)
{
    return (struct tel){.event = e, .time = 1000};
}

static void who_is_asked_answers(void **state)
{
#define ANSWERED                                                                                   \
    "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":"                                    \
    "\"current_call_attended_transfer_answered\",\"line\":\"SIP/alice\"}}\n"
    struct ipbx_world *w = *state;
    struct tel t = event(TEL_call_link);
    struct xod_obj *own;

    calls(w);
    peer_command(&w->p, "s1", "attended_transfer", "{\"number\":\"1005\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    ipbx_forget(w);
    transfers_event(w->s.s->transfers, &t); /* still talks to bob */
    own = xod_find(w->s.site, LIST_channels, VIEW("SIP/alice-01"));
    xod_set_str(own, XOD(channels, talkingto_id), VIEW("SIP/erin-10"));
    transfers_event(w->s.s->transfers, &t);
    transfers_event(w->s.s->transfers, &t); /* it is told once */
    /* only who is asked may be hung up to give it up */
    ipbx_channel(w, "SIP/erin-10", "51", "linked-called", "SIP/alice-01");
    peer_command(&w->p, "s1", "cancel_transfer", "{}");
    UNTIL(w->s.loop, strstr(w->lines, "cancel_transfer"));
    assert_non_null(strstr(w->p.actions, "transfer.cancel [[\"channel\",\"SIP/alice-01\"],"
                                         "[\"other\",\"SIP/erin-10\"]]\n"));
    assert_int_equal(w->n_lines, 2);
    assert_memory_equal(w->lines, ANSWERED, strlen(ANSWERED));
}

static void a_campaign(void **state)
{
    struct ipbx_world *w = *state;
    struct json_object *ours = config_section(w->s.cfg, "ctibus");

    peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"fetchlist\"]}");
    assert_string_equal(w->p.answer, "{\"payload\":{\"command\":\"fetchlist\",\"list\":[]}}");
    json_object_object_add(ours, "callcampaign", json_tokener_parse("[\"1002\",{\"number\":3}]"));
    peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"fetchlist\"]}");
    assert_string_equal(w->p.answer, "{\"payload\":{\"command\":\"fetchlist\","
                                     "\"list\":[\"1002\",{\"number\":3}]}}");
    peer_command(&w->p, "s1", "callcampaign",
                 "{\"commandid\":4,\"command\":[\"startcall\",\"10 02\"]}");
    assert_string_equal(w->p.answer,
                        "{\"payload\":{\"command\":\"callstarted\",\"number\":\"1002\"}}");
    UNTIL(w->s.loop, w->n_lines == 2);
    assert_non_null(strstr(w->p.actions, "[\"Exten\",\"1002\"]"));
    assert_non_null(strstr(w->lines, "\"replyid\":4,\"command\":\"dial\",\"response\":\"ok\""));
    peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"stopcall\",\"1002\"]}");
    assert_string_equal(w->p.answer,
                        "{\"payload\":{\"command\":\"callstopped\",\"number\":\"1002\"}}");
    assert_int_equal(peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"startcall\"]}"),
                     BUS_malformed);
    assert_int_equal(peer_command(&w->p, "s1", "callcampaign", "{\"command\":\"fetchlist\"}"),
                     BUS_malformed);
}

static void a_form_is_kept(void **state)
{
    struct ipbx_world *w = *state;

    assert_int_equal(peer_command(&w->p, "s1", "call_form_result",
                                  "{\"infos\":{\"buttonname\":\"saveandclose\","
                                  "\"variables\":{\"XIVOFORM_a\":\"'; DROP TABLE\"}}}"),
                     BUS_ok);
    assert_int_equal(peer_command(&w->p, "s1", "call_form_result", "{\"infos\":\"x\"}"),
                     BUS_malformed);
}

static void chat(void **state)
{
    struct ipbx_world *w = *state;

    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"xivo/2\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{\"warning_string\":\"not_connected\"}");
    assert_int_equal(peer_open(&w->p, "s2", "2", "available"), BUS_ok);
    assert_int_equal(peer_open(&w->p, "s4", "4", "available"), BUS_ok);
    ipbx_forget(w);
    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"xivo/2\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{}");
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_string_equal(w->lines, "cti/xivo/user/2/ {\"line\":{\"class\":\"chitchat\","
                                  "\"from\":\"xivo/1\",\"to\":\"xivo/2\",\"text\":\"hello\"}}\n");
    ipbx_forget(w);
    peer_command(&w->p, "s1", "chitchat", "{\"to\":[\"xivo\",2],\"text\":\"again\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_non_null(strstr(w->lines, "\"from\":\"xivo/1\",\"to\":\"xivo/2\",\"text\":\"again\""));
    /* dave is hidden: as if he were not there */
    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"xivo/4\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{\"warning_string\":\"not_connected\"}");
    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"other/2\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{\"warning_string\":\"not_connected\"}");
}

/* XiVO's devices for the lamps of function keys. */
static void lamps_follow_the_services(void **state)
{
#define LAMP(device, value)                                                                        \
    "Setvar {\"Variable\":\"DEVICE_STATE(Custom:" device ")\",\"Value\":\"" value "\"}\n"
    struct ipbx_world *w = *state;

    peer_command(&w->p, "s1", "featuresput", "{\"function\":\"enablednd\",\"value\":true}");
    assert_string_equal(w->p.answer, "{\"status\":\"OK\"}");
    assert_string_equal(w->p.actions, LAMP("*7351***225", "INUSE"));
    ipbx_forget(w);
    peer_command(&w->p, "s1", "featuresput",
                 "{\"function\":\"fwd\",\"value\":{\"enableunc\":true,\"destunc\":\"1002\"}}");
    assert_string_equal(w->p.actions,
                        LAMP("*7351***221", "INUSE") LAMP("*7351***221*1002", "INUSE"));
    ipbx_forget(w);
    peer_command(&w->p, "s1", "featuresput",
                 "{\"function\":\"fwd\",\"value\":{\"destunc\":\"*97\"}}");
    assert_string_equal(w->p.actions,
                        LAMP("*7351***221*1002", "NOT_INUSE") LAMP("*7351***221", "INUSE")
                            LAMP("*7351***221***297", "INUSE"));
}

static void put(struct tel *t, enum tel_field f, const char *text)
{
    tel_set_add(&t->set, f);
    t->str[f] = view_cstr(text);
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
    t = event(TEL_channel_new);
    put(&t, TELF_channel, "SIP/Alice-0007");
    originates_event(w->s.s->originates, w->s.site, &t);
    UNTIL(w->s.loop, w->p.n_actions == 1);
    assert_string_equal(w->p.actions, "Getvar {\"Channel\":\"SIP/Alice-0007\","
                                      "\"Variable\":\"XIVO_ORIGACTIONID\"}\n");
    t = event(TEL_channel_variable);
    put(&t, TELF_channel, "SIP/Alice-0007");
    put(&t, TELF_name, "XIVO_ORIGACTIONID");
    put(&t, TELF_value, id);
    originates_event(w->s.s->originates, w->s.site, &t);
    t = event(TEL_originate_response);
    put(&t, TELF_actionid, "act-1");
    tel_set_add(&t.set, TELF_reason_code);
    t.num[TELF_reason_code] = 5;
    originates_event(w->s.s->originates, w->s.site, &t);
    UNTIL(w->s.loop, w->n_lines == 2);
    assert_string_equal(w->lines,
                        "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":\"ipbxcommand\","
                        "\"replyid\":9,\"command\":\"originate\","
                        "\"autocall_channel\":\"SIP/Alice-0007\"}}\n"
                        "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":\"ipbxcommand\","
                        "\"replyid\":9,\"command\":\"originate\",\"originatereason\":5}}\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ipbx_setup, ipbx_teardown)
    const struct CMUnitTest tests[] = {
        T(dial_reaches_all_kinds_of_targets),
        T(what_cannot_be_dialled),
        T(originate_rings_the_source),
        T(transfers),
        T(hangups),
        T(refused_by_the_dialplan),
        T(phones_and_mailboxes),
        T(conferences),
        T(members),
        T(agents),
        T(agents_log_in_otherwise),
        T(listening),
        T(recordings),
        T(not_permitted),
        T(asterisk_refuses),
        T(the_link_is_down),
        T(no_answer_comes),
        T(what_became_of_a_call_is_told),
        T(switchboard),
        T(who_is_asked_answers),
        T(a_campaign),
        T(a_form_is_kept),
        T(chat),
        T(lamps_follow_the_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
