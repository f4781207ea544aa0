/* ipbxcommands on conferences, queue members and agents, and on listening and recording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/ipbx_rows.h"

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
    static const struct ipbx_row rows[] = {
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
         "{\"command\":\"meetme\",\"function\":\"record\",\"functionargs\":[\"xivo/"
         "1\",\"1\",\"stop\"]}",
         "\"ok\"", "conference.unrecord [[\"room\",\"4001\"],[\"application\",\"MeetMe\"]]\n"},
        {NULL,
         "{\"command\":\"meetme\",\"function\":\"record\",\"functionargs\":[\"xivo/"
         "1\",\"1\",\"2\",\"stop\"]}",
         "\"ok\"", "conference.unrecord [[\"room\",\"4001\"],[\"application\",\"MeetMe\"]]\n"},
        {NULL, "{\"command\":\"meetme\",\"function\":\"record\",\"functionargs\":[\"4001\",\"1\"]}",
         "\"functionargs\",\"error_string\":\"start_or_stop\"", ""},
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
    struct xod_obj *room = xod_find(w->s.ipbx, LIST_meetmes, VIEW("1"));

    xod_set_str(room, XOD(meetmes, application), VIEW("MeetMe"));
    participant(room, "SIP/alice-01", 1);
    state_commit(w->s.s, false);
    CHECK(w, rows);
}

/* Both ways to ask for it; the name of the file has the time in it. */
static void recordings_of_conferences(void **state)
{
    static const char *const ways[] = {"[\"xivo/1\",\"1\",\"start\"]",
                                       "[\"xivo/1\",\"1\",\"2\",\"start\"]", "[\"4001\",\"start\"]",
                                       "[\"4001\"]"};
    struct ipbx_world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        char message[160];
        ipbx_forget(w);
        snprintf(message, sizeof(message),
                 "{\"command\":\"meetme\",\"function\":\"record\",\"functionargs\":%s}", ways[i]);
        peer_command(&w->p, "s1", "ipbxcommand", message);
        assert_non_null(strstr(w->p.answer, "\"ipbxreply\":\"ok\""));
        UNTIL(w->s.loop, strstr(w->p.actions, "conference.record"));
    }
}

static void members(void **state)
{
#define PAUSE(queue, interface, on)                                                                \
    "QueuePause [[\"Queue\",\"" queue "\"],[\"Interface\",\"" interface "\"],[\"Paused\",\"" on    \
    "\"]]\n"
    static const struct ipbx_row rows[] = {
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
    struct xod_obj *agent = xod_find(w->s.ipbx, LIST_agents, VIEW("7"));

    for (int i = 0; i < 2; i++) {
        struct xod_obj *m = xod_add(w->s.ipbx, LIST_queuemembers,
                                    i ? VIEW("Agent/2001,red") : VIEW("Agent/2001,blue"));
        xod_set_str(m, XOD(queuemembers, queue_name), i ? VIEW("red") : VIEW("blue"));
        xod_set_str(m, XOD(queuemembers, location), VIEW("Local/2001@agents"));
        xod_set_str(m, XOD(queuemembers, membership), i ? VIEW("dynamic") : VIEW("static"));
        xod_relate(agent, m);
    }
    state_commit(w->s.s, false);
    CHECK(w, rows);
}

static void agents(void **state)
{
    static const struct ipbx_row rows[] = {
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
    struct xod_obj *other = xod_find(w->s.ipbx, LIST_agents, VIEW("9"));

    /* one of another context may be at a phone of the same number */
    xod_set_str(other, XOD(agents, status), VIEW("AGENT_IDLE"));
    xod_set_str(other, XOD(agents, phonenumber), VIEW("1002"));
    other = xod_find(w->s.ipbx, LIST_agents, VIEW("8"));
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
                        "[\"Data\",\"2001\"],[\"Variable\",\"CONNECTEDLINE(name,i)=Agent login\"],"
                        "[\"Variable\",\"CONNECTEDLINE(num)=2001\"],"
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
    static const struct ipbx_row rows[] = {
        {NULL, "{\"command\":\"listen\",\"subcommand\":\"start\",\"destination\":\"xivo/8\"}",
         "\"ok\"",
         "Originate [[\"Channel\",\"SIP/alice\"],[\"Application\",\"ChanSpy\"],"
         "[\"Data\",\"PJSIP/bob-02,q\"],[\"Variable\",\"CONNECTEDLINE(name,i)=B\"],"
         "[\"Variable\",\"CONNECTEDLINE(num)=2002\"],"
         "[\"Timeout\",\"30000\"]]\n"},
        {NULL, "{\"command\":\"whisper\",\"subcommand\":\"start\",\"destination\":\"xivo/8\"}",
         "\"ok\"",
         "Originate [[\"Channel\",\"SIP/alice\"],[\"Application\",\"ChanSpy\"],"
         "[\"Data\",\"PJSIP/bob-02,qw\"],[\"Variable\",\"CONNECTEDLINE(name,i)=B\"],"
         "[\"Variable\",\"CONNECTEDLINE(num)=2002\"],"
         "[\"Timeout\",\"30000\"]]\n"},
        {NULL, "{\"command\":\"barge\",\"subcommand\":\"start\",\"destination\":\"xivo/8\"}",
         "\"ok\"",
         "Originate [[\"Channel\",\"SIP/alice\"],[\"Application\",\"ChanSpy\"],"
         "[\"Data\",\"PJSIP/bob-02,qB\"],[\"Variable\",\"CONNECTEDLINE(name,i)=B\"],"
         "[\"Variable\",\"CONNECTEDLINE(num)=2002\"],"
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

    xod_set_str(xod_find(w->s.ipbx, LIST_agents, VIEW("8")), XOD(agents, phonenumber),
                VIEW("1002"));
    ipbx_channel(w, "PJSIP/bob-02", "21", "linked-called", NULL);
    spy = ipbx_channel(w, "SIP/alice-09", "11", "ready", NULL);
    xod_set_str(spy, XOD(channels, spying), VIEW("PJSIP/bob-02"));
    state_commit(w->s.s, false);
    ipbx_check(w, &rows[0]);
    UNTIL(w->s.loop, w->n_lines == 2);
    assert_non_null(strstr(w->lines, "{\"class\":\"agentlisten\",\"ipbxid\":\"xivo\","
                                     "\"agentid\":\"8\",\"status\":\"started\"}"));
    CHECK(w, rows);
}

static void recordings(void **state)
{
    struct ipbx_world *w = *state;

    ipbx_calls(w);
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ipbx_setup, ipbx_teardown)
    const struct CMUnitTest tests[] = {
        T(conferences), T(recordings_of_conferences), T(members),
        T(agents),      T(agents_log_in_otherwise),   T(listening),
        T(recordings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
