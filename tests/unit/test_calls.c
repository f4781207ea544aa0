/* Calls as objects: which channels belong together, and what the whole of them is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/model_world.h"

#define CALL(id, f) world_json(w, LIST_calls, id, XOD(calls, f))
#define SHOWS(id, f, want) assert_string_equal(CALL(id, f), want)
#define COUNT(n) assert_int_equal(xod_count(w->ipbx, LIST_calls), n)

/* Of Asterisk 12 and later; `call` is the Linkedid. */
#define NEW(c, id, call, state, num)                                                               \
    "Event: Newchannel|Channel: " c "|Uniqueid: " id "|Linkedid: " call "|ChannelState: " state    \
    "|CallerIDNum: " num "|CallerIDName: N" num "|Exten: "
#define STATE(c, call, n) "Event: Newstate|Channel: " c "|Linkedid: " call "|ChannelState: " n
#define DIAL(a, b) "Event: DialBegin|Channel: " a "|DestChannel: " b
#define LINK(a, b) "Event: Bridge|Bridgestate: Link|Channel1: " a "|Channel2: " b
#define UNLINK(a, b) "Event: Unlink|Channel1: " a "|Channel2: " b
#define HANGUP(c) "Event: Hangup|Channel: " c
#define ALICE "SIP/alice-1"
#define BOB "SIP/bob-2"

static void alice_calls_bob(struct model_world *w)
{
    world_say(w, NEW(ALICE, "100.1", "100.1", "4", "1001") "1002");
    world_say(w, NEW(BOB, "100.2", "100.1", "0", "1002"));
    world_say(w, DIAL(ALICE, BOB));
}

static void a_call_begins_is_answered_and_ends(void **state)
{
    struct model_world *w = *state;

    w->now = 1000;
    alice_calls_bob(w);
    COUNT(1);
    SHOWS("100.1", state, "'ringing'");
    SHOWS("100.1", direction, "'internal'");
    SHOWS("100.1", caller_name, "'N1001'");
    SHOWS("100.1", caller_number, "'1001'");
    SHOWS("100.1", called_name, "'N1002'");
    SHOWS("100.1", called_number, "'1002'");
    SHOWS("100.1", participants, "['SIP/alice-1','SIP/bob-2']");
    SHOWS("100.1", answered_at, "null");
    assert_int_equal(atoi(CALL("100.1", since)), 1000);
    w->now = 1010;
    world_say(w, LINK(ALICE, BOB));
    SHOWS("100.1", state, "'up'");
    assert_int_equal(atoi(CALL("100.1", answered_at)), 1010);
    w->now = 1020;
    world_say(w, "Event: Hold|Channel: " BOB "|Status: On");
    SHOWS("100.1", state, "'hold'");
    SHOWS("100.1", on_hold, "true");
    assert_int_equal(atoi(CALL("100.1", answered_at)), 1010);
    world_say(w, "Event: MonitorStart|Channel: " BOB);
    SHOWS("100.1", recorded, "true");
    world_say(w, HANGUP(BOB));
    SHOWS("100.1", participants, "['SIP/alice-1']");
    world_say(w, HANGUP(ALICE));
    COUNT(0);
}

static void what_is_dialled_is_called_until_more_is_known(void **state)
{
    struct model_world *w = *state;

    world_say(w, NEW(ALICE, "100.1", "100.1", "4", "1001") "*98");
    SHOWS("100.1", called_number, "'*98'");
    SHOWS("100.1", called_name, "null");
    world_say(w, STATE(ALICE, "100.1", "6"));
    SHOWS("100.1", state, "'up'"); /* with a mailbox */
}

static void calls_from_outside_and_to_it(void **state)
{
    struct model_world *w = *state;

    world_say(w, NEW("SIP/pstn-1", "100.1", "100.1", "4", "0612345678") "1002");
    SHOWS("100.1", direction, "'in'");
    world_say(w, NEW(BOB, "100.2", "100.1", "0", "1002"));
    world_say(w, DIAL("SIP/pstn-1", BOB));
    SHOWS("100.1", direction, "'in'");
    world_say(w, NEW("SIP/alice-3", "100.3", "100.3", "4", "1001") "0612");
    world_say(w, NEW("Local/0612@x-1;1", "100.4", "100.3", "0", "1001"));
    world_say(w, NEW("Local/0612@x-1;2", "100.5", "100.3", "4", "1001"));
    SHOWS("100.3", direction, "'internal'");
    SHOWS("100.3", participants, "['SIP/alice-3']"); /* half of a Local channel is nobody */
    world_say(w, NEW("SIP/pstn-6", "100.6", "100.3", "0", "0612"));
    SHOWS("100.3", direction, "'out'");
    SHOWS("100.3", participants, "['SIP/alice-3','SIP/pstn-6']");
    COUNT(2);
}

static void a_caller_of_a_queue_calls_the_queue_then_who_answers(void **state)
{
    struct model_world *w = *state;

    world_say(w, NEW(ALICE, "100.1", "100.1", "4", "1001") "3001");
    world_say(w, STATE(ALICE, "100.1", "6"));
    world_say(w, "Event: QueueCallerJoin|Channel: " ALICE "|Queue: support|Position: 1");
    SHOWS("100.1", state, "'queued'");
    SHOWS("100.1", queue, "'support'");
    SHOWS("100.1", called_name, "'support'");
    SHOWS("100.1", called_number, "'3001'");
    SHOWS("100.1", answered_at, "null");
    world_say(w, NEW(BOB, "100.2", "100.1", "0", "1002"));
    world_say(w, DIAL(ALICE, BOB));
    SHOWS("100.1", state, "'queued'");
    world_say(w, "Event: QueueCallerLeave|Channel: " ALICE "|Queue: support");
    world_say(w, LINK(ALICE, BOB));
    SHOWS("100.1", state, "'up'");
    SHOWS("100.1", queue, "'support'");
    SHOWS("100.1", called_number, "'1002'");
}

static void a_call_that_waits_in_a_bay_is_parked(void **state)
{
    struct model_world *w = *state;

    alice_calls_bob(w);
    world_say(w, LINK(ALICE, BOB));
    world_say(w, UNLINK(ALICE, BOB));
    world_say(w, "Event: ParkedCall|ParkeeChannel: " ALICE "|ParkeeLinkedid: 100.1|"
                 "Parkinglot: default|ParkingSpace: 701");
    world_say(w, HANGUP(BOB));
    SHOWS("100.1", state, "'parked'");
    SHOWS("100.1", parked, "true");
    SHOWS("100.1", called_number, "null"); /* not bob any more */
}

/* Before 12 nothing but the calls themselves tells what belongs together. */
static void without_linkedids_those_are_one_call_that_talk(void **state)
{
#define OLD(c, id, state) "Event: Newchannel|Channel: " c "|Uniqueid: " id "|ChannelState: " state
    struct model_world *w = *state;

    world_say(w, OLD(ALICE, "pbx-100.1", "4"));
    world_say(w, OLD("Local/2@x-1;1", "pbx-100.2", "0"));
    COUNT(1); /* who rings it is told next */
    world_say(w, OLD("Local/2@x-1;2", "pbx-100.3", "4"));
    COUNT(1);
    world_say(w, OLD(BOB, "pbx-100.4", "0"));
    COUNT(1);
    world_say(w, DIAL(ALICE, "Local/2@x-1;1"));
    world_say(w, DIAL("Local/2@x-1;2", BOB));
    COUNT(1);
    SHOWS("pbx-100.1", participants, "['SIP/alice-1','SIP/bob-2']");
    world_say(w, LINK("Local/2@x-1;1", ALICE));
    world_say(w, HANGUP(ALICE)); /* the call goes on by its name */
    SHOWS("pbx-100.1", participants, "['SIP/bob-2']");
    world_say(w, HANGUP("Local/2@x-1;1"));
    world_say(w, HANGUP("Local/2@x-1;2"));
    world_say(w, OLD("SIP/carol-9", "pbx-99.9", "4"));
    world_say(w, LINK("SIP/carol-9", BOB)); /* an older one takes it in */
    COUNT(1);
    SHOWS("pbx-99.9", participants, "['SIP/carol-9','SIP/bob-2']");
}

/* Before 12 they say later for whom they are made. */
static void what_a_queue_makes_to_call_a_member_is_no_call_of_its_own(void **state)
{
    struct model_world *w = *state;

    world_say(w, OLD("SIP/pstn-1", "100.1", "4"));
    world_say(w, "Event: Join|Channel: SIP/pstn-1|Queue: support|Position: 1|Count: 1");
    world_say(w, OLD("Local/1001@from-queue-1;1", "101.1", "0"));
    COUNT(1);
    world_say(w, OLD("Local/1001@from-queue-1;2", "101.2", "4"));
    COUNT(1);
    world_say(w, "Event: LocalBridge|Channel1: Local/1001@from-queue-1;1|"
                 "Channel2: Local/1001@from-queue-1;2");
    COUNT(1);
    world_say(w, "Event: AgentCalled|Queue: support|AgentCalled: Local/1001@from-queue/n|"
                 "ChannelCalling: SIP/pstn-1|DestinationChannel: Local/1001@from-queue-1;1");
    world_say(w, OLD("SIP/alice-2", "101.3", "0"));
    world_say(w, "Event: Dial|SubEvent: Begin|Channel: Local/1001@from-queue-1;2|"
                 "Destination: SIP/alice-2");
    COUNT(1);
    SHOWS("100.1", participants, "['SIP/pstn-1','SIP/alice-2']");
    world_say(w, OLD("Agent/2001", "102.1", "0"));
    world_say(w, "Event: Newstate|Channel: Agent/2001|ChannelState: 6");
    COUNT(1);
    world_say(w, "Event: AgentCalled|Queue: support|AgentCalled: Agent/2001|"
                 "ChannelCalling: SIP/pstn-1|DestinationChannel: Agent/2001");
    COUNT(1);
    SHOWS("100.1", participants, "['SIP/pstn-1','SIP/alice-2','Agent/2001']");
}

static void an_attended_transfer_makes_one_of_two_calls(void **state)
{
    struct model_world *w = *state;

    alice_calls_bob(w);
    world_say(w, LINK(ALICE, BOB));
    world_say(w, NEW("SIP/bob-3", "100.3", "100.3", "4", "1002") "1003");
    world_say(w, NEW("SIP/carol-4", "100.4", "100.3", "0", "1003"));
    world_say(w, DIAL("SIP/bob-3", "SIP/carol-4"));
    world_say(w, LINK("SIP/bob-3", "SIP/carol-4"));
    COUNT(2);
    world_say(w, UNLINK("SIP/bob-3", "SIP/carol-4"));
    world_say(w, UNLINK(ALICE, BOB));
    world_say(w, LINK(ALICE, "SIP/carol-4"));
    world_say(w, HANGUP(BOB));
    world_say(w, HANGUP("SIP/bob-3"));
    COUNT(1);
    SHOWS("100.1", participants, "['SIP/alice-1','SIP/carol-4']");
    SHOWS("100.1", called_number, "'1003'");
    /* Asterisk says so itself with the next event, whichever it is */
    world_say(w, NEW("SIP/dave-5", "100.5", "100.5", "4", "1004"));
    world_say(w, "Event: NewCallerid|Channel: SIP/dave-5|Linkedid: 100.1|CallerIDNum: 1004");
    SHOWS("100.1", participants, "['SIP/alice-1','SIP/carol-4','SIP/dave-5']");
}

/* As a 23 tells of it (24-originate, without CallerID): her phone rings, then who is called. */
static void who_is_called_by_a_click_is_shown_the_caller(void **state)
{
#define A "SIP/alice-28"
#define C "SIP/carol-29"
#define BLOCK(c, own, own_name, num, name)                                                         \
    "|Channel: " c "|Linkedid: 733.58|CallerIDNum: " own "|CallerIDName: " own_name                \
    "|ConnectedLineNum: " num "|ConnectedLineName: " name
#define ALICE_TO(num, name) BLOCK(A, "1001", "Alice", num, name)
#define CAROL_OF(num, name) BLOCK(C, "1003", "Carole", num, name)
    struct model_world *w = *state;

    world_say(
        w, "Event: Newchannel|Uniqueid: 733.58|ChannelState: 0" ALICE_TO("<unknown>", "<unknown>"));
    world_say(w, "Event: NewConnectedLine" ALICE_TO("1003", "<unknown>"));
    world_say(w, "Event: NewConnectedLine" ALICE_TO("1003", "Carole"));
    world_say(w, "Event: Newstate|ChannelState: 5" ALICE_TO("1003", "Carole"));
    world_say(w, "Event: DialBegin|DestChannel: " A);
    SHOWS("733.58", caller_name, "'Alice'");
    SHOWS("733.58", called_name, "'Carole'");
    SHOWS("733.58", called_number, "'1003'");
    world_say(w, "Event: Newstate|ChannelState: 6" ALICE_TO("1003", "Carole"));
    world_say(w, "Event: DialEnd|DestChannel: " A "|DialStatus: ANSWER");
    world_say(
        w, "Event: Newchannel|Uniqueid: 733.59|ChannelState: 0" CAROL_OF("<unknown>", "<unknown>"));
    world_say(w, "Event: NewConnectedLine" CAROL_OF("1001", "Alice"));
    world_say(w, "Event: DialBegin" ALICE_TO("1003", "Carole") "|DestChannel: " C);
    world_say(w, "Event: Newstate|ChannelState: 5" CAROL_OF("1001", "Alice"));
    SHOWS("733.58", state, "'ringing'");
    world_say(w, LINK(A, C));
    SHOWS("733.58", state, "'up'");
    SHOWS("733.58", direction, "'internal'");
    SHOWS("733.58", participants, "['SIP/alice-28','SIP/carol-29']");
    assert_string_equal(world_json(w, LIST_channels, A, XOD(channels, peerdisplay)),
                        "'Carole (1003)'");
    assert_string_equal(world_json(w, LIST_channels, C, XOD(channels, peerdisplay)),
                        "'Alice (1001)'");
}

struct story {
    struct buf text;
};

static void note_state(void *arg, const struct xod_change *c)
{
    struct story *s = arg;

    if (xod_obj_list(c->obj) != LIST_calls)
        return;
    if (c->op == XOD_DEL)
        buf_append_cstr(&s->text, "gone ");
    else if (c->fields & XOD_BIT(calls, state))
        buf_printf(&s->text, "%.*s ", VIEW_ARG(xod_get_str(c->obj, XOD(calls, state))));
}

/* Three calls: alice and bob, bob and carol, alice and bob. */
static void the_same_of_every_asterisk(void **state)
{
    static const char *const versions[] = {"1.8", "20"};
    struct story first = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct model_world *w = world_new();
        struct story s;
        buf_init(&s.text, 0);
        w->note = note_state;
        w->note_arg = &s;
        world_play(w, versions[i], "02-call-answered");
        assert_int_equal(xod_count(w->ipbx, LIST_calls), 0);
        if (!view_starts(buf_view(&s.text), VIEW("ringing up ")))
            fail_msg("%s: %s", versions[i], buf_cstr(&s.text));
        assert_true(view_find(buf_view(&s.text), VIEW("up gone ringing up gone ")) > 0);
        if (i)
            assert_string_equal(buf_cstr(&s.text), buf_cstr(&first.text));
        else
            first = s;
        if (i)
            buf_free(&s.text);
        world_destroy(w);
    }
    buf_free(&first.text);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(a_call_begins_is_answered_and_ends),
        T(what_is_dialled_is_called_until_more_is_known),
        T(calls_from_outside_and_to_it),
        T(a_caller_of_a_queue_calls_the_queue_then_who_answers),
        T(a_call_that_waits_in_a_bay_is_parked),
        T(without_linkedids_those_are_one_call_that_talk),
        T(what_a_queue_makes_to_call_a_member_is_no_call_of_its_own),
        T(an_attended_transfer_makes_one_of_two_calls),
        T(who_is_called_by_a_click_is_shown_the_caller),
        cmocka_unit_test(the_same_of_every_asterisk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
