/* Queues, members, agents, conferences, parking and mailboxes: what events of either dialect make
 * of them, and what a listing says is gone. The invariants are checked after every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/model_world.h"

#define say world_say
#define SHOWS(list, id, field, text)                                                               \
    assert_string_equal(world_json(w, LIST_##list, id, XOD(list, field)), text)

static void two_channels(struct model_world *w)
{
    say(w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|Uniqueid: 1.1");
    say(w, "Event: Newchannel|Channel: SIP/pstn-2|ChannelState: 4|Uniqueid: 1.2");
}

/* ---- who waits ---- */

static void callers_wait_in_order(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: support|Position: 1|Count: 1|Uniqueid: 1.1");
    say(w, "Event: QueueCallerJoin|Channel: SIP/pstn-2|Queue: support|Position: 1|Count: 2");
    SHOWS(queues, "1", incalls, "['SIP/pstn-2','SIP/alice-1']");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "'queue'");
    SHOWS(channels, "SIP/alice-1", talkingto_id, "'1'");
    say(w, "Event: QueueCallerLeave|Channel: SIP/pstn-2|Queue: support|Position: 1|Count: 1");
    SHOWS(queues, "1", incalls, "['SIP/alice-1']");
    SHOWS(channels, "SIP/pstn-2", talkingto_kind, "null");
    say(w, "Event: Hangup|Channel: SIP/alice-1"); /* without a word of the queue */
    SHOWS(queues, "1", incalls, "[]");
}

static void a_group_is_a_queue_of_another_list(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: group|Position: 1");
    SHOWS(groups, "1", incalls, "['SIP/alice-1']");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "'group'");
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: nosuch|Position: 1");
    say(w, "Event: Leave|Channel: SIP/alice-1|Queue: group");
    SHOWS(groups, "1", incalls, "[]");
}

static void a_queue_that_rings_several_keeps_its_caller(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: QueueCallerJoin|Channel: SIP/alice-1|Queue: support|Position: 1");
    say(w, "Event: Newchannel|Channel: SIP/bob-3|ChannelState: 0");
    say(w, "Event: Newchannel|Channel: SIP/carol-4|ChannelState: 0");
    say(w, "Event: DialBegin|Channel: SIP/alice-1|DestChannel: SIP/bob-3");
    say(w, "Event: DialBegin|Channel: SIP/alice-1|DestChannel: SIP/carol-4");
    SHOWS(channels, "SIP/bob-3", commstatus, "'ringing'");
    SHOWS(channels, "SIP/carol-4", talkingto_id, "'SIP/alice-1'");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "'queue'");
    say(w, "Event: DialEnd|Channel: SIP/alice-1|DestChannel: SIP/bob-3|DialStatus: CANCEL");
    say(w, "Event: Hangup|Channel: SIP/bob-3");
    say(w, "Event: DialEnd|Channel: SIP/alice-1|DestChannel: SIP/carol-4|DialStatus: ANSWER");
    say(w, "Event: QueueCallerLeave|Channel: SIP/alice-1|Queue: support");
    say(w, "Event: BridgeEnter|BridgeUniqueid: b|BridgeType: basic|Channel: SIP/carol-4");
    say(w, "Event: BridgeEnter|BridgeUniqueid: b|BridgeType: basic|Channel: SIP/alice-1");
    SHOWS(channels, "SIP/alice-1", commstatus, "'linked-caller'");
    SHOWS(channels, "SIP/carol-4", commstatus, "'linked-called'");
}

static void old_queues_tell_of_ringing_in_their_own_way(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: support|Position: 1");
    say(w, "Event: Newchannel|Channel: SIP/bob-3|ChannelState: 0");
    say(w, "Event: AgentCalled|Queue: support|AgentCalled: SIP/bob|ChannelCalling: SIP/alice-1|"
           "DestinationChannel: SIP/bob-3");
    SHOWS(channels, "SIP/bob-3", commstatus, "'ringing'");
    SHOWS(channels, "SIP/bob-3", talkingto_id, "'SIP/alice-1'");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "'queue'");
}

static double since(struct model_world *w, const char *channel)
{
    const struct value *v =
        xod_get(world_find(w, LIST_channels, channel), XOD(channels, waiting_since));

    return v->type == V_FLOAT ? v->f : -1;
}

static void it_is_known_since_when_a_caller_waits(void **state)
{
    struct model_world *w = *state;
    double joined;

    two_channels(w);
    assert_true(since(w, "SIP/pstn-2") == -1);
    say(w, "Event: QueueCallerJoin|Channel: SIP/pstn-2|Queue: support|Position: 1");
    joined = since(w, "SIP/pstn-2");
    assert_true(joined > 0);
    world_list(w, "Event: QueueEntry|Queue: support|Position: 1|Channel: SIP/pstn-2|Wait: 5");
    assert_true(since(w, "SIP/pstn-2") == joined); /* no news */
    world_list(w, "Event: QueueEntry|Queue: support|Position: 2|Channel: SIP/alice-1|Wait: 30");
    assert_true(since(w, "SIP/alice-1") < w->now - 29);
    say(w, "Event: Rename|Channel: SIP/pstn-2|Newname: SIP/pstn-9|Uniqueid: 1.2");
    assert_true(since(w, "SIP/pstn-9") == joined);
    say(w, "Event: QueueCallerLeave|Channel: SIP/pstn-9|Queue: support");
    assert_true(since(w, "SIP/pstn-9") == -1);
}

static void a_masquerade_keeps_the_place_in_the_queue(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 1");
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: support|Position: 2");
    say(w, "Event: Rename|Channel: SIP/pstn-2|Newname: SIP/pstn-9|Uniqueid: 1.2");
    SHOWS(queues, "1", incalls, "['SIP/pstn-9','SIP/alice-1']");
    SHOWS(channels, "SIP/pstn-9", talkingto_kind, "'queue'");
}

static void a_masquerade_onto_a_channel_that_is_up_shows_the_queue(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 1");
    say(w, "Event: Rename|Channel: SIP/pstn-2|Newname: SIP/alice-1|Uniqueid: 1.2");
    SHOWS(queues, "1", incalls, "['SIP/alice-1']");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "'queue'");
    SHOWS(channels, "SIP/alice-1", talkingto_id, "'1'");
}

static void leaving_a_queue_is_not_leaving_another(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: support|Position: 1");
    say(w, "Event: Leave|Channel: SIP/alice-1|Queue: sales");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "'queue'");
    SHOWS(queues, "1", incalls, "['SIP/alice-1']");
}

/* ---- members ---- */

static void members_come_change_and_go(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: QueueMemberAdded|Queue: support|Location: SIP/carol|MemberName: C|Membership: "
           "dynamic|Penalty: 1|CallsTaken: 0|LastCall: 0|Status: 1|Paused: 0");
    SHOWS(queues, "1", phonemembers, "['13']");
    SHOWS(phones, "13", queues, "['1']");
    SHOWS(queuemembers, "SIP/carol,support", membership, "'dynamic'");
    say(w, "Event: QueueMemberPaused|Queue: support|Location: SIP/carol|Paused: 1|Reason: lunch");
    SHOWS(queuemembers, "SIP/carol,support", paused, "'1'");
    SHOWS(queuemembers, "SIP/carol,support", reason, "'lunch'");
    say(w, "Event: QueueMemberPause|Queue: support|Interface: SIP/carol|Paused: 0|PausedReason: ");
    SHOWS(queuemembers, "SIP/carol,support", paused, "'0'");
    SHOWS(queuemembers, "SIP/carol,support", reason, "null");
    say(w, "Event: QueueMemberPenalty|Queue: support|Location: SIP/carol|Penalty: 5");
    SHOWS(queuemembers, "SIP/carol,support", penalty, "'5'");
    SHOWS(queuemembers, "SIP/carol,support", status, "'1'");
    say(w, "Event: QueueMemberRemoved|Queue: support|Location: SIP/carol|MemberName: C");
    SHOWS(queues, "1", phonemembers, "[]");
    SHOWS(phones, "13", queues, "[]");
    assert_null(world_find(w, LIST_queuemembers, "SIP/carol,support"));
}

static void a_phone_is_a_member_until_its_last_interface_is_none(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: QueueMemberAdded|Queue: support|Location: SIP/alice|Status: 1");
    say(w, "Event: QueueMemberAdded|Queue: support|Location: Local/1001@default/n|Status: 1");
    SHOWS(queues, "1", phonemembers, "['11']");
    say(w, "Event: QueueMemberRemoved|Queue: support|Location: SIP/alice");
    SHOWS(queues, "1", phonemembers, "['11']");
    SHOWS(phones, "11", queues, "['1']");
    say(w, "Event: QueueMemberRemoved|Queue: support|Location: Local/1001@default/n");
    SHOWS(queues, "1", phonemembers, "[]");
    SHOWS(phones, "11", queues, "[]");
}

static void an_agent_has_one_name_in_all_versions(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: QueueMemberStatus|Queue: agentq|Location: Agent/2001|Status: 1|Paused: 0");
    say(w, "Event: QueueMemberStatus|Queue: agentq|Interface: Local/2002@agents|MemberName: "
           "Agent/2002|StateInterface: Agent:2002|Status: 1|Paused: 0");
    SHOWS(queues, "3", agentmembers, "['1','2']");
    SHOWS(agents, "2", queues, "['3']");
    SHOWS(queuemembers, "Agent/2002,agentq", interface, "'Agent/2002'");
    SHOWS(queuemembers, "Agent/2002,agentq", location, "'Local/2002@agents'");
}

static void members_of_groups_trunks_and_strangers(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: QueueMemberStatus|Queue: group|Interface: Local/1002@default/n|Status: 1");
    SHOWS(groups, "1", phonemembers, "['12']");
    SHOWS(phones, "12", groups, "['1']");
    say(w, "Event: QueueMemberStatus|Queue: support|Interface: SIP/pstn|Status: 1");
    SHOWS(trunks, "1", queues, "['1']");
    say(w, "Event: QueueMemberStatus|Queue: nosuch|Interface: SIP/nobody|Status: 1");
    assert_non_null(world_find(w, LIST_queuemembers, "SIP/nobody,nosuch"));
    say(w, "Event: QueueMemberStatus|Queue: support|Status: 1"); /* nobody */
    assert_int_equal(xod_count(w->ipbx, LIST_queuemembers), 3);
}

static void lists_read_anew_tie_the_members_anew(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: QueueMemberStatus|Queue: support|Interface: SIP/bob|Status: 1");
    say(w, "Event: QueueMemberStatus|Queue: new|Interface: SIP/bob|Status: 1");
    xod_del(world_find(w, LIST_queues, "1"));
    world_add(w, LIST_queues, "9", XOD(queues, name), "new");
    ipbx_model_relink(w->d);
    xod_commit(w->x, NULL, NULL);
    check_site(w->ipbx);
    SHOWS(phones, "12", queues, "['9']");
    SHOWS(queues, "9", phonemembers, "['12']");
}

/* ---- agents ---- */

static void an_agent_logs_in_talks_and_leaves(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    SHOWS(agents, "1", status, "'undefined'");
    say(w, "Event: Agentlogin|Agent: 2001|Channel: SIP/alice-1|Uniqueid: 1.1");
    SHOWS(agents, "1", status, "'AGENT_IDLE'");
    SHOWS(agents, "1", phonenumber, "'1001'");
    SHOWS(channels, "SIP/alice-1", agent, "true");
    say(w, "Event: AgentConnect|Queue: agentq|Uniqueid: 1.2|Channel: Agent/2001|Member: Agent/2001|"
           "Holdtime: 1|BridgedChannel: 1.3");
    SHOWS(agents, "1", status, "'AGENT_ONCALL'");
    say(w,
        "Event: AgentComplete|Queue: agentq|Channel: SIP/pstn-2|DestChannel: Local/2001@agents-1;1|"
        "Interface: Local/2001@agents|MemberName: Agent/2001|TalkTime: 3|Reason: caller");
    SHOWS(agents, "1", status, "'AGENT_IDLE'");
    say(w, "Event: AgentLogoff|Agent: 2001|Logintime: 10");
    SHOWS(agents, "1", status, "'AGENT_LOGGEDOFF'");
    SHOWS(agents, "1", channel, "null");
    SHOWS(agents, "1", availability, "'logged_out'");
    SHOWS(channels, "SIP/alice-1", agent, "false");
    say(w, "Event: AgentComplete|Queue: agentq|Channel: Agent/2001|Member: Agent/2001|TalkTime: 3");
    SHOWS(agents, "1", status, "'AGENT_LOGGEDOFF'");
}

static void a_callback_login_names_the_phone(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: Agentcallbacklogin|Agent: 2002|Loginchan: 1003@default|Uniqueid: 1.1");
    SHOWS(agents, "2", phonenumber, "'1003'");
    SHOWS(agents, "2", status, "'AGENT_IDLE'");
    say(w, "Event: Agentcallbacklogoff|Agent: 2002|Loginchan: 1003@default|Logintime: 9");
    SHOWS(agents, "2", phonenumber, "null");
}

static void agents_are_listed(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    world_list(w,
               "Event: Agents|Agent: 2001|Name: A|Status: AGENT_ONCALL|LoggedInChan: SIP/alice-1|"
               "TalkingTo: 1002|TalkingToChan: SIP/bob-2|ActionID: x");
    world_list(w, "Event: Agents|Agent: 2002|Name: B|Status: AGENT_LOGGEDOFF|LoggedInChan: n/a|"
                  "TalkingTo: n/a|TalkingToChan: n/a|ActionID: x");
    SHOWS(agents, "1", status, "'AGENT_ONCALL'");
    SHOWS(agents, "1", channel, "'SIP/alice-1'");
    SHOWS(agents, "2", status, "'AGENT_LOGGEDOFF'");
}

/* The channel Agent/2001 of an Asterisk 1.8 is made anew for each call, under the same name. */
static void the_hangup_of_an_agents_last_call_does_not_end_the_next(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: Newchannel|Channel: Agent/2001|ChannelState: 5|Uniqueid: 1.1");
    say(w, "Event: Newchannel|Channel: Agent/2001|ChannelState: 5|Uniqueid: 1.2");
    say(w, "Event: Hangup|Channel: Agent/2001|Uniqueid: 1.1|Cause: 16");
    SHOWS(channels, "Agent/2001", uniqueid, "'1.2'");
    say(w, "Event: Hangup|Channel: Agent/2001|Uniqueid: 1.2|Cause: 16");
    assert_null(world_find(w, LIST_channels, "Agent/2001"));
}

/* ---- conferences ---- */

static void people_come_to_a_conference_and_go(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: MeetmeJoin|Channel: SIP/alice-1|Meetme: 4001|Usernum: 2|PseudoChan: DAHDI/p-1|"
           "Admin: Yes|NoAuthed: Yes");
    SHOWS(meetmes, "1", channels,
          "{'SIP/alice-1':{'usernum':2,'isadmin':true,'ismuted':false,'isauthed':false}}");
    SHOWS(meetmes, "1", pseudochan, "'DAHDI/p-1'");
    SHOWS(channels, "SIP/alice-1", meetme_usernum, "2");
    SHOWS(channels, "SIP/alice-1", talkingto_id, "'4001'");
    SHOWS(channels, "SIP/alice-1", meetme_isauthed, "false");
    say(w, "Event: MeetmeNoAuthed|Meetme: 4001|Usernum: 2|Status: off");
    say(w, "Event: MeetmeMute|Channel: SIP/alice-1|Meetme: 4001|Usernum: 2|Status: on");
    SHOWS(meetmes, "1", channels,
          "{'SIP/alice-1':{'usernum':2,'isadmin':true,'ismuted':true,'isauthed':true}}");
    SHOWS(channels, "SIP/alice-1", meetme_ismuted, "true");
    SHOWS(channels, "SIP/alice-1", meetme_isauthed, "true");
    say(w, "Event: MeetmePause|Meetme: 4001|Status: on");
    SHOWS(meetmes, "1", paused, "true");
    say(w, "Event: MeetmeLeave|Channel: SIP/alice-1|Meetme: 4001|Usernum: 2|Duration: 10");
    SHOWS(meetmes, "1", channels, "{}");
    SHOWS(channels, "SIP/alice-1", meetme_ismeetme, "false");
    SHOWS(channels, "SIP/alice-1", meetme_ismuted, "false");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "null");
    say(w, "Event: MeetmeEnd|Meetme: 4001");
    SHOWS(meetmes, "1", paused, "false");
    SHOWS(meetmes, "1", pseudochan, "null");
}

static void confbridge_has_no_numbers_so_they_are_given(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: ConfbridgeJoin|Conference: 4001|Channel: SIP/alice-1|Admin: No|Muted: No");
    say(w, "Event: ConfbridgeJoin|Conference: 4001|Channel: SIP/pstn-2|Admin: No|Muted: No");
    SHOWS(channels, "SIP/pstn-2", meetme_usernum, "2");
    say(w, "Event: ConfbridgeMute|Conference: 4001|Channel: SIP/alice-1|Admin: No");
    SHOWS(meetmes, "1", channels,
          "{'SIP/alice-1':{'usernum':1,'isadmin':false,'ismuted':true,'isauthed':true},"
          "'SIP/pstn-2':{'usernum':2,'isadmin':false,'ismuted':false,'isauthed':true}}");
    say(w, "Event: ConfbridgeUnmute|Conference: 4001|Channel: SIP/alice-1|Admin: No");
    say(w, "Event: Hangup|Channel: SIP/alice-1");
    say(w, "Event: ConfbridgeEnd|Conference: 4001");
    SHOWS(meetmes, "1", channels, "{}");
    SHOWS(channels, "SIP/pstn-2", meetme_ismeetme, "false");
    say(w, "Event: ConfbridgeJoin|Conference: 9999|Channel: SIP/pstn-2|Admin: No"); /* not ours */
    SHOWS(channels, "SIP/pstn-2", talkingto_id, "'9999'");
    say(w, "Event: ConfbridgeLeave|Conference: 9999|Channel: SIP/pstn-2");
    SHOWS(channels, "SIP/pstn-2", meetme_ismeetme, "false");
}

static void a_channel_is_in_one_room(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: MeetmeJoin|Channel: SIP/alice-1|Usernum: 1");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "null");
    say(w, "Event: MeetmeJoin|Channel: SIP/alice-1|Meetme: 4001|Usernum: 1");
    say(w, "Event: MeetmeJoin|Channel: SIP/alice-1|Meetme: 4002|Usernum: 2");
    SHOWS(meetmes, "1", channels, "{}");
    say(w, "Event: MeetmeLeave|Channel: SIP/alice-1|Meetme: 4001|Usernum: 1");
    SHOWS(channels, "SIP/alice-1", talkingto_id, "'4002'");
    say(w, "Event: MeetmeLeave|Channel: SIP/alice-1|Meetme: 4002|Usernum: 2");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "null");
}

static void who_comes_into_a_room_is_in_no_call(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: Bridge|Bridgestate: Link|Channel1: SIP/alice-1|Channel2: SIP/pstn-2");
    say(w, "Event: MeetmeJoin|Channel: SIP/alice-1|Meetme: 4001|Usernum: 1");
    SHOWS(channels, "SIP/pstn-2", talkingto_kind, "null");
    SHOWS(channels, "SIP/pstn-2", commstatus, "'ready'");
    say(w, "Event: MeetmeLeave|Channel: SIP/alice-1|Meetme: 4001|Usernum: 1");
    SHOWS(channels, "SIP/alice-1", commstatus, "'ready'");
    SHOWS(channels, "SIP/alice-1", meetme_ismeetme, "false");
}

/* ---- parking ---- */

static void a_parked_call_comes_back(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: ParkedCall|Exten: 701|Channel: SIP/alice-1|Parkinglot: default|From: "
           "SIP/bob-00000044|Timeout: 30|CallerIDNum: 1001|CallerIDName: Alice");
    SHOWS(channels, "SIP/alice-1", parked, "true");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "'parking'");
    SHOWS(channels, "SIP/alice-1", talkingto_id, "'701'");
    SHOWS(channels, "SIP/alice-1", peerdisplay, "'Parking (701)'");
    assert_non_null(strstr(world_json(w, LIST_parkinglots, "1", XOD(parkinglots, bays)),
                           "{'701':{'parker':'SIP/bob','parked':'SIP/alice-1','exten':'701',"
                           "'cid_name':'Alice','cid_num':'1001'"));
    say(w, "Event: ParkedCallTimeOut|Exten: 701|Channel: SIP/alice-1|Parkinglot: default");
    SHOWS(parkinglots, "1", bays, "{}");
    SHOWS(channels, "SIP/alice-1", parked, "false");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "null");
    SHOWS(channels, "SIP/alice-1", peerdisplay, "null");
    say(w, "Event: ParkedCall|ParkeeChannel: SIP/pstn-2|ParkerDialString: SIP/bob|Parkinglot: "
           "default|ParkingSpace: 702|ParkingTimeout: 30|ParkingDuration: 0");
    say(w, "Event: UnParkedCall|ParkeeChannel: SIP/pstn-2|Parkinglot: other|ParkingSpace: 799");
    SHOWS(parkinglots, "1", bays, "{}"); /* it is not there any more, whatever they say */
    SHOWS(channels, "SIP/pstn-2", parked, "false");
    say(w, "Event: ParkedCall|ParkeeChannel: SIP/pstn-2|Parkinglot: default|ParkingSpace: 702");
    say(w, "Event: Hangup|Channel: SIP/pstn-2");
    SHOWS(parkinglots, "1", bays, "{}");
}

/* What one channel was doing goes on under the name of another that was parked itself. */
static void a_masquerade_of_a_parked_call_takes_its_bay(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: ParkedCall|Channel: SIP/pstn-2|Parkinglot: default|Exten: 701|Timeout: 9");
    say(w, "Event: Rename|Channel: SIP/pstn-2|Newname: SIP/alice-1|Uniqueid: 1.2");
    SHOWS(channels, "SIP/alice-1", parked, "true");
    assert_non_null(strstr(world_json(w, LIST_parkinglots, "1", XOD(parkinglots, bays)),
                           "'parked':'SIP/alice-1'"));
    say(w, "Event: Newchannel|Channel: SIP/bob-3|ChannelState: 4|Uniqueid: 1.3");
    say(w, "Event: ParkedCall|Channel: SIP/bob-3|Parkinglot: default|Exten: 702|Timeout: 9");
    say(w, "Event: Newchannel|Channel: SIP/pstn-4|ChannelState: 4|Uniqueid: 1.4");
    say(w, "Event: Rename|Channel: SIP/pstn-4|Newname: SIP/bob-3|Uniqueid: 1.4");
    SHOWS(channels, "SIP/bob-3", parked, "false");
    assert_null(strstr(world_json(w, LIST_parkinglots, "1", XOD(parkinglots, bays)), "'702'"));
    say(w, "Event: Hangup|Channel: SIP/alice-1");
    SHOWS(parkinglots, "1", bays, "{}");
}

static void a_bay_holds_one_and_a_channel_is_in_one(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: ParkedCall|Channel: SIP/alice-1|Parkinglot: default|Exten: 701|Timeout: 9");
    say(w, "Event: ParkedCall|Channel: SIP/alice-1|Parkinglot: default|Exten: 702|Timeout: 9");
    say(w, "Event: ParkedCall|Channel: SIP/pstn-2|Parkinglot: default|Exten: 702|Timeout: 9");
    SHOWS(channels, "SIP/alice-1", parked, "false");
    SHOWS(channels, "SIP/pstn-2", parked, "true");
    say(w, "Event: Hangup|Channel: SIP/alice-1");
    say(w, "Event: Hangup|Channel: SIP/pstn-2");
    SHOWS(parkinglots, "1", bays, "{}");
}

static void a_name_ends_at_a_nul(void **state)
{
    struct model_world *w = *state;
    struct tel_out o;

    two_channels(w);
    for (int i = 0; i < 2; i++) {
        tel_out_init(&o, TEL_parking_parked);
        tel_out_put(&o, TELF_channel, VIEW("SIP/alice-1"));
        tel_out_put(&o, TELF_lot, VIEW("default"));
        tel_out_put(&o, TELF_space, i ? VIEW("702") : VIEW("701\0x"));
        world_apply(w, &o);
    }
    say(w, "Event: Hangup|Channel: SIP/alice-1");
    SHOWS(parkinglots, "1", bays, "{}");
}

static void a_rename_moves_the_bay_along(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: ParkedCall|ParkeeChannel: SIP/pstn-2|Parkinglot: default|ParkingSpace: 702");
    say(w, "Event: Rename|Channel: SIP/pstn-2|Newname: SIP/pstn-3|Uniqueid: 1.2");
    assert_non_null(strstr(world_json(w, LIST_parkinglots, "1", XOD(parkinglots, bays)),
                           "'parked':'SIP/pstn-3'"));
    say(w,
        "Event: UnParkedCall|ParkeeChannel: SIP/pstn-3|RetrieverChannel: SIP/alice-1|Parkinglot: "
        "default|ParkingSpace: 702");
    SHOWS(parkinglots, "1", bays, "{}");
    SHOWS(channels, "SIP/pstn-3", parked, "false");
}

/* ---- mailboxes ---- */

static void messages_are_counted(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: MessageWaiting|Mailbox: 1003@default|Waiting: 1|New: 2|Old: 1");
    SHOWS(voicemails, "13", newcount, "2");
    SHOWS(voicemails, "13", old, "1");
    SHOWS(voicemails, "13", waiting, "true");
    say(w, "Event: MessageWaiting|Mailbox: 1003@default|Waiting: 0");
    SHOWS(voicemails, "13", newcount, "0");
    SHOWS(voicemails, "13", waiting, "false");
    world_list(w, "ActionID: x|Event: VoicemailUserEntry|VMContext: default|VoiceMailbox: 1003|"
                  "NewMessageCount: 4");
    SHOWS(voicemails, "13", newcount, "4");
    SHOWS(voicemails, "13", waiting, "true");
    say(w, "Event: MessageWaiting|Mailbox: 9@nowhere|Waiting: 1|New: 2|Old: 1");
}

/* ---- channels: recording, spying, variables ---- */

static void recording_and_spying_are_shown(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: MixMonitorStart|Channel: SIP/alice-1");
    SHOWS(channels, "SIP/alice-1", monitored, "true");
    say(w, "Event: MonitorStop|Channel: SIP/alice-1");
    SHOWS(channels, "SIP/alice-1", monitored, "false");
    say(w, "Event: ChanSpyStart|SpyerChannel: SIP/pstn-2|SpyeeChannel: SIP/alice-1");
    SHOWS(channels, "SIP/alice-1", spy, "true");
    say(w, "Event: ChanSpyStop|SpyeeChannel: SIP/alice-1"); /* as 1.8 tells it */
    SHOWS(channels, "SIP/alice-1", spy, "false");
    say(w, "Event: ChanSpyStart|SpyerChannel: SIP/pstn-2|SpyeeChannel: SIP/alice-1");
    say(w, "Event: ChanSpyStop|SpyerChannel: SIP/pstn-2"); /* as 13 does */
    SHOWS(channels, "SIP/alice-1", spy, "false");
    say(w, "Event: VarSet|Channel: SIP/alice-1|Variable: XIVO_ORIGACTIONID|Value: o-17");
    SHOWS(channels, "SIP/alice-1", autocall, "'o-17'");
}

/* ---- listings ---- */

static void a_listing_of_queues_ends_members_and_callers(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: QueueMemberStatus|Queue: support|Interface: SIP/bob|Status: 1");
    say(w, "Event: QueueMemberStatus|Queue: sales|Interface: SIP/bob|Status: 1");
    say(w, "Event: QueueCallerJoin|Channel: SIP/alice-1|Queue: support|Position: 1");
    say(w, "Event: QueueCallerJoin|Channel: SIP/pstn-2|Queue: support|Position: 2");
    world_mark(w, TEL_resync_begin, "queues");
    world_list(w, "Event: QueueParams|Queue: support|Calls: 1");
    world_list(w,
               "Event: QueueMember|Queue: support|Name: B|Location: SIP/bob|Status: 2|Paused: 0");
    world_list(w, "Event: QueueEntry|Queue: support|Position: 1|Channel: SIP/pstn-2|Wait: 5");
    say(w, "Event: QueueMemberAdded|Queue: sales|Interface: SIP/carol|Status: 1"); /* meanwhile */
    world_mark(w, TEL_resync_end, "queues");
    SHOWS(queues, "1", incalls, "['SIP/pstn-2']");
    SHOWS(channels, "SIP/alice-1", talkingto_kind, "null");
    SHOWS(phones, "12", queues, "['1']");
    SHOWS(queues, "2", phonemembers, "['13']");
    SHOWS(queuemembers, "SIP/bob,support", status, "'2'");
    assert_true(w->d->synthetic);
}

static void listings_of_rooms_and_lots_end_what_they_do_not_name(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: ConfbridgeJoin|Conference: 4001|Channel: SIP/alice-1|Admin: No");
    say(w, "Event: ConfbridgeJoin|Conference: 4001|Channel: SIP/pstn-2|Admin: No");
    world_mark(w, TEL_resync_begin, "conferences");
    world_list(w,
               "Event: ConfbridgeList|Conference: 4001|Admin: No|Muted: Yes|Channel: SIP/pstn-2");
    world_mark(w, TEL_resync_end, "conferences");
    SHOWS(meetmes, "1", channels,
          "{'SIP/pstn-2':{'usernum':2,'isadmin':false,'ismuted':true,'isauthed':true}}");
    SHOWS(channels, "SIP/alice-1", meetme_ismeetme, "false");
    say(w, "Event: ConfbridgeLeave|Conference: 4001|Channel: SIP/pstn-2");

    say(w, "Event: ParkedCall|ParkeeChannel: SIP/alice-1|Parkinglot: default|ParkingSpace: 701");
    say(w, "Event: ParkedCall|ParkeeChannel: SIP/pstn-2|Parkinglot: default|ParkingSpace: 702");
    world_mark(w, TEL_resync_begin, "parking");
    world_list(w, "Event: ParkedCall|ParkeeChannel: SIP/pstn-2|Parkinglot: default|ParkingSpace: "
                  "702|ParkingDuration: 9");
    world_mark(w, TEL_resync_end, "parking");
    SHOWS(channels, "SIP/alice-1", parked, "false");
    SHOWS(channels, "SIP/pstn-2", parked, "true");
}

static void listings_end_also_what_is_in_no_configured_room_or_lot(void **state)
{
    struct model_world *w = *state;

    two_channels(w);
    say(w, "Event: ConfbridgeJoin|Conference: ad-hoc|Channel: SIP/alice-1|Admin: No");
    say(w, "Event: ConfbridgeJoin|Conference: ad-hoc|Channel: SIP/pstn-2|Admin: No");
    world_mark(w, TEL_resync_begin, "conferences");
    world_list(w, "Event: ConfbridgeList|Conference: ad-hoc|Admin: No|Channel: SIP/pstn-2");
    world_mark(w, TEL_resync_end, "conferences");
    SHOWS(channels, "SIP/alice-1", meetme_ismeetme, "false");
    SHOWS(channels, "SIP/pstn-2", meetme_ismeetme, "true");

    say(w, "Event: ParkedCall|ParkeeChannel: SIP/alice-1|Parkinglot: x|ParkingSpace: 1");
    say(w, "Event: ParkedCall|ParkeeChannel: SIP/pstn-2|Parkinglot: x|ParkingSpace: 2");
    world_mark(w, TEL_resync_begin, "parking");
    world_list(w, "Event: ParkedCall|ParkeeChannel: SIP/pstn-2|Parkinglot: x|ParkingSpace: 2");
    world_mark(w, TEL_resync_end, "parking");
    SHOWS(channels, "SIP/alice-1", parked, "false");
    SHOWS(channels, "SIP/pstn-2", parked, "true");
}

static void a_listing_without_an_end_ends_nothing(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: QueueMemberStatus|Queue: support|Interface: SIP/bob|Status: 1");
    world_mark(w, TEL_resync_begin, "queues"); /* and Asterisk does not answer */
    world_mark(w, TEL_resync_begin, "agents");
    world_mark(w, TEL_resync_end, "agents");
    world_mark(w, TEL_resync_end, "queues"); /* an end without its beginning */
    assert_non_null(world_find(w, LIST_queuemembers, "SIP/bob,support"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(callers_wait_in_order),
        T(a_group_is_a_queue_of_another_list),
        T(a_queue_that_rings_several_keeps_its_caller),
        T(old_queues_tell_of_ringing_in_their_own_way),
        T(it_is_known_since_when_a_caller_waits),
        T(a_masquerade_keeps_the_place_in_the_queue),
        T(a_masquerade_onto_a_channel_that_is_up_shows_the_queue),
        T(leaving_a_queue_is_not_leaving_another),
        T(members_come_change_and_go),
        T(a_phone_is_a_member_until_its_last_interface_is_none),
        T(an_agent_has_one_name_in_all_versions),
        T(members_of_groups_trunks_and_strangers),
        T(lists_read_anew_tie_the_members_anew),
        T(an_agent_logs_in_talks_and_leaves),
        T(a_callback_login_names_the_phone),
        T(agents_are_listed),
        T(the_hangup_of_an_agents_last_call_does_not_end_the_next),
        T(people_come_to_a_conference_and_go),
        T(a_channel_is_in_one_room),
        T(who_comes_into_a_room_is_in_no_call),
        T(confbridge_has_no_numbers_so_they_are_given),
        T(a_parked_call_comes_back),
        T(a_masquerade_of_a_parked_call_takes_its_bay),
        T(a_bay_holds_one_and_a_channel_is_in_one),
        T(a_name_ends_at_a_nul),
        T(a_rename_moves_the_bay_along),
        T(messages_are_counted),
        T(recording_and_spying_are_shown),
        T(a_listing_of_queues_ends_members_and_callers),
        T(listings_of_rooms_and_lots_end_what_they_do_not_name),
        T(listings_end_also_what_is_in_no_configured_room_or_lot),
        T(a_listing_without_an_end_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
