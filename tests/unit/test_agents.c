/* Agents: when they are available, in a call of a queue, in another call, in wrap-up. The
 * invariants are checked after every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/model_world.h"

#define say world_say
#define SHOWS(id, field, text)                                                                     \
    assert_string_equal(world_json(w, LIST_agents, id, XOD(agents, field)), text)

static double since(struct model_world *w)
{
    return xod_get(world_find(w, LIST_agents, "1"), XOD(agents, availability_since))->f;
}

static void set_wrapup(struct model_world *w, const char *seconds)
{
    xod_set_str(world_find(w, LIST_agents, "1"), XOD(agents, wrapuptime), view_cstr(seconds));
}

/* Alice logs in as agent 2001 and is a member of two queues. */
static void log_in(struct model_world *w)
{
    say(w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|Uniqueid: 1.1");
    say(w, "Event: QueueMemberStatus|Queue: agentq|Location: Agent/2001|Status: 1|Paused: 0");
    say(w, "Event: QueueMemberStatus|Queue: support|Location: Agent/2001|Status: 1|Paused: 0");
    say(w, "Event: Agentlogin|Agent: 2001|Channel: SIP/alice-1|Uniqueid: 1.1");
}

/* ---- as recorded ---- */

struct path {
    char text[1024];
};

static void note_path(void *arg, const struct xod_change *c)
{
    struct path *p = arg;
    size_t len = strlen(p->text);

    if (xod_obj_list(c->obj) == LIST_agents && view_eq(xod_obj_id(c->obj), VIEW("1")) &&
        c->fields & XOD_BIT(agents, availability))
        snprintf(p->text + len, sizeof(p->text) - len, "%s ",
                 xod_get_str(c->obj, XOD(agents, availability)).ptr);
}

static void both_dialects_tell_the_same_of_an_agent(void **state)
{
    static const char *const versions[] = {"1.8", "20"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct model_world *w = world_new();
        struct path p = {""};
        w->note = note_path;
        w->note_arg = &p;
        set_wrapup(w, "0");
        world_play(w, versions[i], "14-agent");
        assert_string_equal(p.text, "available unavailable available unavailable available "
                                    "logged_out ");
        world_destroy(w);
    }
}

/* ---- logged in by being a member (no agents of the Asterisk's own) ---- */

#define CALLBACK(event, queue)                                                                     \
    "Event: " event "|Queue: " queue "|Interface: Local/id-2001@agentcallback"                     \
    "|MemberName: Agent/2001|StateInterface: SIP/alice|Membership: dynamic|Status: 1|Paused: 0"

static void a_membership_is_a_login(void **state)
{
    struct model_world *w = *state;

    SHOWS("1", availability, "'logged_out'");
    say(w, CALLBACK("QueueMemberAdded", "support"));
    SHOWS("1", status, "'AGENT_IDLE'");
    SHOWS("1", availability, "'available'");
    SHOWS("1", phonenumber, "'1001'");
    say(w, CALLBACK("QueueMemberAdded", "agentq"));
    say(w, CALLBACK("QueueMemberRemoved", "support"));
    SHOWS("1", availability, "'available'");
    say(w, CALLBACK("QueueMemberRemoved", "agentq"));
    SHOWS("1", status, "'AGENT_LOGGEDOFF'");
    SHOWS("1", availability, "'logged_out'");
    SHOWS("1", phonenumber, "null");
}

static void a_call_on_that_phone_makes_the_agent_busy(void **state)
{
    struct model_world *w = *state;

    say(w, CALLBACK("QueueMemberAdded", "support"));
    say(w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|Uniqueid: 1.1");
    say(w, "Event: Newchannel|Channel: SIP/bob-1|ChannelState: 5|Uniqueid: 1.2");
    say(w, "Event: Dial|SubEvent: Begin|Channel: SIP/alice-1|Destination: SIP/bob-1|UniqueID: "
           "1.1|DestUniqueID: 1.2");
    say(w, "Event: Bridge|Bridgestate: Link|Bridgetype: core|Channel1: SIP/alice-1|Channel2: "
           "SIP/bob-1|Uniqueid1: 1.1|Uniqueid2: 1.2");
    SHOWS("1", availability, "'on_call_nonacd_outgoing_internal'");
    say(w, "Event: Hangup|Channel: SIP/alice-1|Uniqueid: 1.1|Cause: 16");
    SHOWS("1", availability, "'available'");
}

static void calls_of_such_a_member_are_the_agents(void **state)
{
    struct model_world *w = *state;

    say(w, CALLBACK("QueueMemberAdded", "support"));
    say(w, "Event: AgentConnect|Queue: support|Member: Local/id-2001@agentcallback|MemberName: "
           "Alice Martin|Uniqueid: 1.2");
    SHOWS("1", on_call_acd, "true");
    say(w, "Event: AgentComplete|Queue: support|Member: Local/id-2001@agentcallback|MemberName: "
           "Alice Martin|Uniqueid: 1.2|Reason: caller");
    SHOWS("1", on_call_acd, "false");
    SHOWS("1", status, "'AGENT_IDLE'");
}

static void a_login_of_the_asterisks_own_comes_first(void **state)
{
    struct model_world *w = *state;

    log_in(w);
    say(w, "Event: QueueMemberAdded|Queue: support|Interface: Local/x@y|MemberName: Agent/2001|"
           "StateInterface: SIP/bob|Status: 1|Paused: 0");
    SHOWS("1", channel, "'SIP/alice-1'");
    say(w, "Event: Agentlogoff|Agent: 2001|Logintime: 5|Uniqueid: 1.1");
    SHOWS("1", phonenumber, "'1002'"); /* still a member, at Bob's phone */
    say(w, "Event: Agents|Agent: 2001|Status: AGENT_LOGGEDOFF");
    SHOWS("1", phonenumber, "'1002'");
}

/* FreePBX and its like: members are Local channels, their state is a hint's or a device's. */
static void members_behind_local_channels_are_phones(void **state)
{
    static const struct {
        const char *interface, *state;
    } members[] = {{"Local/1001@from-queue/n", "hint:1001@ext-local"},
                   {"Local/1001@from-queue/n", "SIP/alice"},
                   {"Local/1001@from-queue/n", "hint:1001@default"},
                   {"Local/1001@default/n", ""},
                   {"Local/1001@from-queue", "SIP/nobody"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        struct model_world *w = world_new();
        char event[512];
        const struct value *queues;
        snprintf(event, sizeof(event),
                 "Event: QueueMemberAdded|Queue: support|Interface: %s|MemberName: Alice|"
                 "StateInterface: %s|Status: 1|Paused: 0",
                 members[i].interface, members[i].state);
        say(w, event);
        queues = xod_get(world_find(w, LIST_phones, "11"), XOD(phones, queues));
        assert_int_equal(queues->len, 1);
        assert_true(queues->type == V_LIST);
        world_destroy(w);
    }
}

/* ---- wrap-up ---- */

static void connect_and_complete(struct model_world *w)
{
    say(w, "Event: AgentConnect|Queue: agentq|Member: Agent/2001|Uniqueid: 1.2");
    SHOWS("1", on_call_acd, "true");
    SHOWS("1", availability, "'unavailable'");
    say(w, "Event: AgentComplete|Queue: agentq|Member: Agent/2001|Uniqueid: 1.2|Reason: caller");
}

static void wrapup_lasts_as_long_as_the_agent_has_it(void **state)
{
    struct model_world *w = *state;
    double complete, unavailable;

    set_wrapup(w, "10");
    log_in(w);
    SHOWS("1", availability, "'available'");
    connect_and_complete(w);
    complete = w->now;
    unavailable = since(w);
    assert_true(unavailable < complete); /* the wrap-up goes on being unavailable */
    SHOWS("1", on_wrapup, "true");
    SHOWS("1", on_call_acd, "false");
    SHOWS("1", status, "'AGENT_IDLE'");
    assert_true(ipbx_model_wants_tick(w->d));
    world_tick(w, 9.9);
    SHOWS("1", on_wrapup, "true");
    assert_true(since(w) == unavailable);
    world_tick(w, 0.2);
    SHOWS("1", on_wrapup, "false");
    SHOWS("1", availability, "'available'");
    assert_true(since(w) == w->now);
    world_tick(w, 1);
    assert_false(ipbx_model_wants_tick(w->d));
}

static void without_a_wrapup_time_there_is_none(void **state)
{
    static const char *const none[] = {"", "0", "much", "-5"};
    struct model_world *w = *state;

    log_in(w);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        set_wrapup(w, none[i]);
        connect_and_complete(w);
        SHOWS("1", on_wrapup, "false");
        SHOWS("1", availability, "'available'");
    }
}

static void the_next_call_or_logging_off_ends_a_wrapup(void **state)
{
    struct model_world *w = *state;

    set_wrapup(w, "30");
    log_in(w);
    connect_and_complete(w);
    say(w, "Event: AgentConnect|Queue: agentq|Member: Agent/2001|Uniqueid: 1.3");
    SHOWS("1", on_wrapup, "false");
    SHOWS("1", on_call_acd, "true");
    say(w, "Event: AgentComplete|Queue: agentq|Member: Agent/2001|Uniqueid: 1.3");
    say(w, "Event: Agentlogoff|Agent: 2001|Logintime: 5");
    SHOWS("1", on_wrapup, "false");
    SHOWS("1", availability, "'logged_out'");
    world_tick(w, 31);
    SHOWS("1", availability, "'logged_out'");
    world_tick(w, 1);
    assert_false(ipbx_model_wants_tick(w->d));
}

static void the_wrapups_of_several_end_each_in_time(void **state)
{
    struct model_world *w = *state;

    set_wrapup(w, "10");
    xod_set_str(world_find(w, LIST_agents, "2"), XOD(agents, wrapuptime), VIEW("20"));
    log_in(w);
    say(w, "Event: Agentlogin|Agent: 2002|Channel: SIP/bob-9");
    say(w, "Event: AgentComplete|Queue: agentq|Member: Agent/2002|Uniqueid: 1.9");
    connect_and_complete(w);
    world_tick(w, 11);
    SHOWS("1", availability, "'available'");
    SHOWS("2", availability, "'unavailable'");
    world_tick(w, 10);
    SHOWS("2", availability, "'available'");
}

/* ---- pause ---- */

static void paused_in_all_queues_is_unavailable(void **state)
{
    struct model_world *w = *state;

    log_in(w);
    say(w, "Event: QueueMemberPaused|Queue: agentq|Location: Agent/2001|Paused: 1");
    SHOWS("1", availability, "'available'");
    say(w, "Event: QueueMemberPaused|Queue: support|Location: Agent/2001|Paused: 1");
    SHOWS("1", availability, "'unavailable'");
    assert_true(since(w) == w->now);
    say(w, "Event: QueueMemberRemoved|Queue: support|Location: Agent/2001");
    SHOWS("1", availability, "'unavailable'");
    say(w, "Event: QueueMemberRemoved|Queue: agentq|Location: Agent/2001");
    SHOWS("1", availability, "'available'"); /* paused in nothing */
}

/* ---- calls that are of no queue ---- */

static void link_up(struct model_world *w, const char *from, const char *to)
{
    char text[512];

    snprintf(text, sizeof(text),
             "Event: Newchannel|Channel: %s|ChannelState: 4|Uniqueid: %s|"
             "|Event: Newchannel|Channel: %s|ChannelState: 5|Uniqueid: %s|"
             "|Event: Dial|SubEvent: Begin|Channel: %s|Destination: %s|"
             "|Event: Bridge|Bridgestate: Link|Channel1: %s|Channel2: %s",
             from, from, to, to, from, to, from, to);
    say(w, text);
}

static void the_agents_own_calls_are_told_by_direction_and_peer(void **state)
{
    static const struct {
        const char *from, *to, *availability;
    } calls[] = {
        {"SIP/alice-5", "SIP/bob-6", "'on_call_nonacd_outgoing_internal'"},
        {"SIP/bob-7", "SIP/alice-8", "'on_call_nonacd_incoming_internal'"},
        {"SIP/alice-9", "SIP/pstn-10", "'on_call_nonacd_outgoing_external'"},
        {"SIP/pstn-11", "SIP/alice-12", "'on_call_nonacd_incoming_external'"},
        {"SIP/stranger-13", "SIP/alice-14", "'on_call_nonacd_incoming_external'"},
    };
    struct model_world *w = *state;
    char text[128];

    log_in(w);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        link_up(w, calls[i].from, calls[i].to);
        SHOWS("1", availability, calls[i].availability);
        SHOWS("1", on_call_nonacd, "true");
        snprintf(text, sizeof(text), "Event: Hangup|Channel: %s||Event: Hangup|Channel: %s",
                 calls[i].from, calls[i].to);
        say(w, text);
        SHOWS("1", availability, "'available'");
        SHOWS("1", on_call_nonacd, "false");
    }
}

static void a_phone_behind_a_local_channel_is_internal(void **state)
{
    struct model_world *w = *state;

    log_in(w);
    say(w, "Event: Newchannel|Channel: Local/1002@default-1;1|ChannelState: 0|Uniqueid: 2.1");
    say(w, "Event: Newchannel|Channel: Local/1002@default-1;2|ChannelState: 4|Uniqueid: 2.2");
    link_up(w, "SIP/alice-5", "Local/1002@default-1;1");
    SHOWS("1", availability, "'on_call_nonacd_outgoing_external'"); /* nobody there yet */
    link_up(w, "Local/1002@default-1;2", "SIP/bob-6");
    SHOWS("1", availability, "'on_call_nonacd_outgoing_internal'");
}

static void what_a_queue_made_ring_is_no_call_of_the_agents_own(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: Agentcallbacklogin|Agent: 2001|Loginchan: 1001@default");
    SHOWS("1", phonenumber, "'1001'");
    say(w, "Event: Newchannel|Channel: SIP/pstn-2|ChannelState: 4|Uniqueid: 1.2");
    say(w, "Event: Join|Channel: SIP/pstn-2|Queue: agentq|Position: 1|Uniqueid: 1.2");
    say(w, "Event: Newchannel|Channel: Local/1001@default-1;1|ChannelState: 0|Uniqueid: 2.1");
    say(w, "Event: Newchannel|Channel: Local/1001@default-1;2|ChannelState: 4|Uniqueid: 2.2");
    say(w, "Event: AgentCalled|Queue: agentq|AgentCalled: Agent/2001|ChannelCalling: SIP/pstn-2|"
           "DestinationChannel: Local/1001@default-1;1");
    link_up(w, "Local/1001@default-1;2", "SIP/alice-5");
    SHOWS("1", availability, "'available'");
    say(w, "Event: Leave|Channel: SIP/pstn-2|Queue: agentq|Uniqueid: 1.2");
    say(w, "Event: AgentConnect|Queue: agentq|Member: Agent/2001|Uniqueid: 1.2");
    SHOWS("1", availability, "'unavailable'");
    say(w, "Event: AgentComplete|Queue: agentq|Member: Agent/2001|Uniqueid: 1.2");
    SHOWS("1", availability, "'available'"); /* though it has not hung up yet */
    SHOWS("1", on_call_nonacd, "false");
}

static void lists_read_anew_keep_where_an_agent_is(void **state)
{
    struct model_world *w = *state;

    log_in(w);
    ipbx_model_relink(w->d);
    xod_commit(w->x, NULL, NULL);
    link_up(w, "SIP/alice-5", "SIP/bob-6");
    SHOWS("1", availability, "'on_call_nonacd_outgoing_internal'");
    xod_del(world_find(w, LIST_phones, "11"));
    ipbx_model_relink(w->d);
    xod_commit(w->x, NULL, NULL);
    SHOWS("1", availability, "'available'");
    check_site(w->ipbx);
}

/* ---- listings ---- */

static void list_agent(struct model_world *w, const char *status, long last_call)
{
    char text[256];

    world_mark(w, TEL_resync_begin, "queues");
    snprintf(text, sizeof(text),
             "Event: QueueMember|Queue: agentq|Name: Agent/2001|Location: Agent/2001|Status: 1|"
             "Paused: 0|CallsTaken: 1|LastCall: %ld",
             last_call);
    world_list(w, text);
    world_mark(w, TEL_resync_end, "queues");
    snprintf(text, sizeof(text),
             "Event: Agents|Agent: 2001|Name: Alice|Status: %s|LoggedInChan: SIP/alice-1|"
             "LoggedInTime: 1",
             status);
    world_list(w, text);
}

static void a_listing_tells_what_events_would_have(void **state)
{
    struct model_world *w = *state;

    w->now = 1000;
    set_wrapup(w, "30");
    say(w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|Uniqueid: 1.1");
    list_agent(w, "AGENT_ONCALL", 900);
    SHOWS("1", on_call_acd, "true");
    SHOWS("1", availability, "'unavailable'");
    w->now = 1100; /* the end of the call was missed, it was 10 seconds ago */
    list_agent(w, "AGENT_IDLE", 1090);
    SHOWS("1", on_wrapup, "true");
    SHOWS("1", wrapup_until, "1120.0");
    list_agent(w, "AGENT_IDLE", 1090);
    SHOWS("1", wrapup_until, "1120.0");
    world_tick(w, 25);
    SHOWS("1", availability, "'available'");
    list_agent(w, "AGENT_IDLE", 1090);
    SHOWS("1", availability, "'available'");
    list_agent(w, "AGENT_IDLE", 99999); /* a clock that is ahead */
    SHOWS("1", on_wrapup, "true");
    world_tick(w, 31);
    SHOWS("1", on_wrapup, "false");
    world_list(w, "Event: Agents|Agent: 2001|Name: Alice|Status: AGENT_LOGGEDOFF");
    SHOWS("1", availability, "'logged_out'");
}

/* Why, and since when, as the Asterisk says or as it was seen; a reason told empty is none. */
static void pauses_have_a_reason_and_a_time(void **state)
{
#define PAUSE(more) "Event: QueueMemberPause|Queue: support|Interface: SIP/carol|" more
#define MEMBER(f) world_json(w, LIST_queuemembers, "SIP/carol,support", XOD(queuemembers, f))
    struct model_world *w = *state;

    world_say(w, "Event: QueueMemberAdded|Queue: support|Interface: SIP/carol|Membership: dynamic|"
                 "Paused: 0|LastPause: 0|LoginTime: 1000");
    assert_string_equal(MEMBER(login_time), "1000.0");
    assert_string_equal(MEMBER(paused_since), "null");
    world_say(w, PAUSE("Paused: 1|LastPause: 1010|PausedReason: lunch"));
    assert_string_equal(MEMBER(reason), "'lunch'");
    assert_string_equal(MEMBER(paused_since), "1010.0");
    world_say(w, PAUSE("Paused: 1"));
    assert_string_equal(MEMBER(reason), "'lunch'");
    world_say(w, PAUSE("Paused: 1|PausedReason: "));
    assert_string_equal(MEMBER(reason), "null");
    world_say(w, PAUSE("Paused: 0"));
    assert_string_equal(MEMBER(paused_since), "null");
    w->now = 2000;
    world_say(w, PAUSE("Paused: 1|PausedReason: tea")); /* before 18 */
    w->now = 3000;
    world_say(w, PAUSE("Paused: 1"));
    assert_int_equal(atoi(MEMBER(paused_since)), 2000);
}

/* Its Asterisk was started then; nobody logged in. */
static void static_members_have_no_login(void **state)
{
    struct model_world *w = *state;

    world_say(w, "Event: QueueMemberStatus|Queue: support|Interface: SIP/carol|Membership: static|"
                 "Paused: 0|LoginTime: 1000");
    assert_string_equal(MEMBER(login_time), "null");
    w->now = 2000;
    world_say(w, "Event: QueueMemberAdded|Queue: sales|Location: SIP/bob|Membership: dynamic|"
                 "Paused: 0");
    assert_int_equal(
        atoi(world_json(w, LIST_queuemembers, "SIP/bob,sales", XOD(queuemembers, login_time))),
        2000);
}

/* ---- of a membership, with wrap-up; on the phone with nobody in particular ---- */

static void log_in_as_member(struct model_world *w, const char *wrapup)
{
    char event[256];

    snprintf(event, sizeof(event),
             "Event: QueueMemberAdded|Queue: support|Interface: Local/2001@agents|"
             "MemberName: Agent/2001|StateInterface: SIP/alice|Status: 1|Paused: 0|Wrapuptime: %s",
             wrapup);
    say(w, event);
}

static void the_wrap_up_of_a_membership_is_the_agents(void **state)
{
    struct model_world *w = *state;

    set_wrapup(w, "0");
    log_in_as_member(w, "15");
    SHOWS("1", availability, "'available'");
    say(w, "Event: AgentConnect|Queue: support|Interface: Local/2001@agents|"
           "MemberName: Agent/2001|DestChannel: Local/2001@agents-1;1");
    say(w, "Event: AgentComplete|Queue: support|Interface: Local/2001@agents|"
           "MemberName: Agent/2001|DestChannel: Local/2001@agents-1;1");
    SHOWS("1", on_wrapup, "true");
    SHOWS("1", availability, "'unavailable'");
    world_tick(w, 14);
    SHOWS("1", on_wrapup, "true");
    world_tick(w, 2);
    SHOWS("1", on_wrapup, "false");
    SHOWS("1", availability, "'available'");
}

static void who_is_in_a_room_is_on_the_phone(void **state)
{
    struct model_world *w = *state;

    log_in_as_member(w, "0");
    say(w, "Event: Newchannel|Channel: SIP/alice-5|ChannelState: 4|Uniqueid: 5.5");
    SHOWS("1", availability, "'available'"); /* it dials */
    say(w, "Event: Newstate|Channel: SIP/alice-5|ChannelState: 6");
    say(w, "Event: ConfbridgeJoin|Conference: 4001|Channel: SIP/alice-5|Admin: No");
    SHOWS("1", availability, "'on_call_nonacd_outgoing_internal'");
    say(w, "Event: Hangup|Channel: SIP/alice-5");
    SHOWS("1", availability, "'available'");
    say(w, "Event: Newchannel|Channel: SIP/alice-6|ChannelState: 6|Uniqueid: 6.6");
    say(w, "Event: MeetmeJoin|Meetme: 4002|Usernum: 1|Channel: SIP/alice-6");
    SHOWS("1", on_call_nonacd, "true");
}

#define STASIS(event, c)                                                                           \
    "Event: Bridge" event "|BridgeUniqueid: s|BridgeType: stasis|BridgeTechnology: softmix|"       \
    "Channel: " c

static void who_is_in_an_applications_bridge_is_on_the_phone(void **state)
{
    struct model_world *w = *state;

    log_in_as_member(w, "0");
    say(w, "Event: Newchannel|Channel: SIP/alice-5|ChannelState: 4|Uniqueid: 5.5");
    say(w, "Event: Newchannel|Channel: SIP/bob-6|ChannelState: 6|Uniqueid: 6.6");
    say(w, "Event: Newchannel|Channel: SIP/carol-7|ChannelState: 6|Uniqueid: 7.7");
    say(w, "Event: Newstate|Channel: SIP/alice-5|ChannelState: 6");
    say(w, STASIS("Enter", "SIP/alice-5"));
    SHOWS("1", on_call_nonacd, "true");
    say(w, STASIS("Enter", "SIP/bob-6"));
    SHOWS("1", availability, "'on_call_nonacd_outgoing_internal'");
    say(w, STASIS("Enter", "SIP/carol-7"));
    SHOWS("1", on_call_nonacd, "true");
    say(w, "Event: Hangup|Channel: SIP/alice-5");
    SHOWS("1", availability, "'available'");
}

/* *97, *25...: nobody outside is called. The one who hung up first does not turn a call round. */
static void a_mailbox_is_internal_and_a_call_stays_what_it_was_to_its_end(void **state)
{
    struct model_world *w = *state;

    log_in_as_member(w, "0");
    say(w, "Event: Newchannel|Channel: SIP/alice-5|ChannelState: 4|Uniqueid: 5.5|Exten: *97");
    say(w, "Event: Newstate|Channel: SIP/alice-5|ChannelState: 6");
    SHOWS("1", availability, "'on_call_nonacd_outgoing_internal'");
    say(w, "Event: Hangup|Channel: SIP/alice-5");
    link_up(w, "SIP/pstn-7", "SIP/alice-8");
    say(w, "Event: Newstate|Channel: SIP/alice-8|ChannelState: 6");
    SHOWS("1", availability, "'on_call_nonacd_incoming_external'");
    say(w, "Event: Unlink|Channel1: SIP/pstn-7|Channel2: SIP/alice-8");
    SHOWS("1", availability, "'on_call_nonacd_incoming_external'");
    say(w, "Event: Hangup|Channel: SIP/pstn-7");
    SHOWS("1", availability, "'on_call_nonacd_incoming_external'");
    say(w, "Event: Hangup|Channel: SIP/alice-8");
    SHOWS("1", availability, "'available'");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_dialects_tell_the_same_of_an_agent),
        T(a_membership_is_a_login),
        T(a_call_on_that_phone_makes_the_agent_busy),
        T(calls_of_such_a_member_are_the_agents),
        T(a_login_of_the_asterisks_own_comes_first),
        cmocka_unit_test(members_behind_local_channels_are_phones),
        T(wrapup_lasts_as_long_as_the_agent_has_it),
        T(without_a_wrapup_time_there_is_none),
        T(the_next_call_or_logging_off_ends_a_wrapup),
        T(the_wrapups_of_several_end_each_in_time),
        T(paused_in_all_queues_is_unavailable),
        T(pauses_have_a_reason_and_a_time),
        T(static_members_have_no_login),
        T(the_agents_own_calls_are_told_by_direction_and_peer),
        T(a_phone_behind_a_local_channel_is_internal),
        T(what_a_queue_made_ring_is_no_call_of_the_agents_own),
        T(lists_read_anew_keep_where_an_agent_is),
        T(a_listing_tells_what_events_would_have),
        T(the_wrap_up_of_a_membership_is_the_agents),
        T(who_is_in_a_room_is_on_the_phone),
        T(who_is_in_an_applications_bridge_is_on_the_phone),
        T(a_mailbox_is_internal_and_a_call_stays_what_it_was_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
