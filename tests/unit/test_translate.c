/* AMI events of both dialects -> canonical events: values, and what takes more than one event, as
 * the calls of two that are made of bridges. test_rows_*.c have each row of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "bridges.h"
#include "support/capture.h"
#include "support/telline.h"

struct world {
    struct translator *t;
    struct buf out; /* lines, with ' for " */
    bool resync;
};

static void emit(void *arg, const struct tel_out *t)
{
    struct world *w = arg;
    size_t before = buf_len(&w->out);

    tel_line(&w->out, t);
    for (size_t i = before; i < buf_len(&w->out); i++)
        if (w->out.mem[w->out.start + i] == '"')
            w->out.mem[w->out.start + i] = '\'';
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    buf_init(&w->out, 0);
    w->t = translator_new(emit, w);
    *state = w;
    return w->t ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    translator_destroy(&w->t);
    buf_free(&w->out);
    free(w);
    return 0;
}

static bool translate(void *arg, const struct ami_block *b)
{
    struct world *w = arg;

    translator_event(w->t, b->name, b, w->resync);
    translator_flush(w->t);
    return true;
}

/* What comes of these lines ("|" ends a line). */
static const char *said(struct world *w, const char *lines)
{
    buf_reset(&w->out);
    capture_lines(lines, translate, w);
    return buf_cstr(&w->out);
}

#define assert_said(w, lines, text) assert_string_equal(said(w, lines), text)

/* ---- values ---- */

static void unknown_values_are_left_out(void **state)
{
    static const char *const words[] = {"", "<unknown>", "<Unknown>", "<null>", "(null)"};
    struct world *w = *state;
    char block[128];

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        snprintf(block, sizeof(block), "Event: Newstate|Channel: SIP/a-1|CallerIDNum: %s",
                 words[i]);
        assert_said(w, block, "channel/state {'channel':'SIP/a-1'}\n");
    }
    assert_said(w, "Event: Newstate|Channel: SIP/a-1|CallerIDName: <b>", /* a name all the same */
                "channel/state {'channel':'SIP/a-1','callerid_name':'<b>'}\n");
    assert_said(w, "Event: Newstate|Channel: SIP/a-1|ChannelState: up",
                "channel/state {'channel':'SIP/a-1'}\n");
}

static void header_names_are_compared_without_case(void **state)
{
    struct world *w = *state;

    assert_said(w, "Event: Newstate|CHANNEL: SIP/a-1|UniqueID: 1.1|callerIDnum: 5",
                "channel/state {'channel':'SIP/a-1','uniqueid':'1.1','callerid_num':'5'}\n");
}

static void bytes_that_are_not_utf8_are_mended(void **state)
{
    struct world *w = *state;

    assert_said(w, "Event: Newstate|Channel: SIP/a-1|CallerIDName: No\xebl",
                "channel/state {'channel':'SIP/a-1','callerid_name':'No\xef\xbf\xbdl'}\n");
}

static void an_event_without_a_row_is_nothing(void **state)
{
    struct world *w = *state;

    assert_said(w, "Event: VarSet|Channel: SIP/a-1|Variable: x|Value: y", "");
    assert_said(w, "Event: Dial|SubEvent: Middle|Channel: SIP/a-1", "");
    assert_said(w, "Event: Bridge|Channel1: SIP/a-1|Channel2: SIP/b-2", "");
    assert_said(w, "Event: BridgeLeave|BridgeUniqueid: x|BridgeType: basic|Channel: SIP/a-1", "");
    assert_said(w, "Event: BridgeDestroy|BridgeUniqueid: x|BridgeType: basic", "");
}

static void a_listing_is_marked(void **state)
{
    struct world *w = *state;

    w->resync = true;
    assert_said(w, "Event: CoreShowChannel|Channel: SIP/a-1|Extension: 12",
                "channel/new {'channel':'SIP/a-1','exten':'12','resync':true}\n");
}

static void device_states_become_the_numbers_of_hints(void **state)
{
    static const struct {
        const char *word, *number;
    } states[] = {{"NOT_INUSE", "0"}, {"INUSE", "1"},       {"BUSY", "2"},
                  {"INVALID", "4"},   {"UNAVAILABLE", "4"}, {"RINGING", "8"},
                  {"RINGINUSE", "9"}, {"ONHOLD", "16"},     {"UNKNOWN", "0"}};
    struct world *w = *state;
    char block[128], line[128];

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        snprintf(block, sizeof(block), "Event: DeviceStateChange|Device: PJSIP/bob|State: %s",
                 states[i].word);
        snprintf(line, sizeof(line), "device/hint {'status':'%s','hint':'PJSIP/bob'}\n",
                 states[i].number);
        assert_said(w, block, line);
    }
    assert_said(w, "Event: DeviceStateChange|Device: PJSIP/bob|State: ASLEEP", "");
    assert_said(w, "Event: DeviceStateChange|Device: Custom:SIP/bob|State: INUSE",
                "device/custom {'status':'1','hint':'Custom:SIP/bob'}\n"); /* nobody's phone */
    assert_said(w, "Event: DeviceStateChange|Device: SIP|State: INUSE", "");
    assert_said(w, "Event: DeviceStateChange|Device: Queue:x_pause|State: INUSE", "");
    assert_said(w, "Event: DeviceStateChange|Device: Local/1@default|State: INUSE", "");
}

static void the_address_is_that_of_the_contact_that_answers(void **state)
{
    struct world *w = *state;

    said(w, "Event: ContactStatus|URI: sip:d@192.0.2.1:5060|ContactStatus: Reachable|"
            "EndpointName: door");
    assert_said(w,
                "Event: ContactStatus|URI: sip:d@192.0.2.2:5060;ob|ContactStatus: Created|"
                "EndpointName: door",
                "device/registration {'status':'Reachable','peer':'PJSIP/door',"
                "'address':'192.0.2.2:5060'}\n");
    assert_said(w,
                "Event: ContactStatus|URI: sip:d@192.0.2.2:5060;ob|ContactStatus: Unreachable|"
                "EndpointName: door",
                "device/registration {'status':'Reachable','peer':'PJSIP/door',"
                "'address':'192.0.2.1:5060'}\n");
    assert_said(w, "Event: PeerStatus|Peer: PJSIP/door|PeerStatus: Reachable",
                "device/registration {'status':'Reachable','peer':'PJSIP/door',"
                "'address':'192.0.2.1:5060'}\n");
    assert_said(w,
                "Event: ContactStatus|URI: sip:d@192.0.2.1:5060|ContactStatus: Removed|"
                "EndpointName: door",
                "device/registration {'status':'Unreachable','peer':'PJSIP/door',"
                "'address':'192.0.2.2:5060'}\n");
    translator_reset(w->t); /* what was known is listed anew */
    assert_said(w, "Event: PeerStatus|Peer: PJSIP/door|PeerStatus: Reachable",
                "device/registration {'status':'Reachable','peer':'PJSIP/door'}\n");
}

static void of_a_masquerade_only_the_swap_is_told(void **state)
{
    struct world *w = *state;

    assert_said(w, "Event: Rename|Channel: SIP/a-1|Newname: SIP/a-1<MASQ>|Uniqueid: 1.1", "");
    assert_said(w, "Event: Rename|Channel: Transfered/SIP/a-1|Newname: SIP/a-1|Uniqueid: 1.2",
                "channel/rename {'uniqueid':'1.2','old':'Transfered/SIP/a-1','new':'SIP/a-1'}\n");
    assert_said(w,
                "Event: Rename|Channel: SIP/a-1<MASQ>|Newname: Transfered/SIP/a-1<ZOMBIE>|"
                "Uniqueid: 1.1",
                "");
}

static void a_channel_that_takes_its_peers_place_talks_to_nobody(void **state)
{
    struct world *w = *state;

    said(w, "Event: Link|Channel1: SIP/a-1|Channel2: SIP/b-2");
    assert_said(w, "Event: Rename|Channel: SIP/a-1|Newname: SIP/b-2",
                "channel/rename {'old':'SIP/a-1','new':'SIP/b-2'}\n");
    assert_said(w, "Event: MusicOnHold|Channel: SIP/b-2|State: Start", "");
}

/* ---- bridges ---- */

#define LINKED(a, b) "call/link {'channel':'" a "','other':'" b "'}\n"
#define UNLINKED(a, b) "call/unlink {'channel':'" a "','other':'" b "'}\n"
#define ENTERS(c, n) "bridge/enter {'channel':'" c "','bridge':'x','count':" n "}\n"
#define LEAVES(c, n) "bridge/leave {'channel':'" c "','bridge':'x','count':" n "}\n"
#define ENTER(type, c) "Event: BridgeEnter|BridgeUniqueid: x|BridgeType: " type "|Channel: " c
#define LEAVE(type, c) "Event: BridgeLeave|BridgeUniqueid: x|BridgeType: " type "|Channel: " c
#define DESTROY(type) "Event: BridgeDestroy|BridgeUniqueid: x|BridgeType: " type

static void two_in_a_plain_bridge_talk_to_each_other(void **state)
{
    struct world *w = *state;

    assert_said(w, ENTER("basic", "b"), ""); /* the called one, as a rule */
    assert_said(w, ENTER("basic", "a"), LINKED("a", "b"));
    assert_said(w, ENTER("basic", "a"), "");
    assert_said(w, LEAVE("basic", "b"), UNLINKED("b", "a")); /* who left first */
    assert_said(w, LEAVE("basic", "b"), "");
    assert_said(w, LEAVE("basic", "a"), "");
    assert_said(w, DESTROY("basic"), "");
    assert_said(w, DESTROY("basic"), ""); /* 13 says it twice */
}

static void a_third_makes_it_a_conference_until_it_leaves(void **state)
{
    struct world *w = *state;

    said(w, ENTER("basic", "b"));
    said(w, ENTER("basic", "a"));
    assert_said(w, ENTER("basic", "c"), UNLINKED("a", "b") ENTERS("c", "3"));
    assert_said(w, LEAVE("basic", "b"), LEAVES("b", "2") LINKED("c", "a"));
    assert_said(w, LEAVE("basic", "a"), UNLINKED("a", "c"));
}

/* Applications that use ARI hold all their calls in such bridges. */
static void two_in_an_applications_bridge_talk_to_each_other(void **state)
{
    struct world *w = *state;

    assert_said(w, ENTER("stasis", "b") "|BridgeTechnology: simple_bridge", "");
    assert_said(w, ENTER("stasis", "a") "|BridgeTechnology: simple_bridge", LINKED("a", "b"));
    assert_said(w, ENTER("stasis", "c") "|BridgeTechnology: softmix",
                UNLINKED("a", "b") ENTERS("c", "3"));
    assert_said(w, LEAVE("stasis", "c") "|BridgeTechnology: softmix",
                LEAVES("c", "2") LINKED("a", "b"));
    assert_said(w, DESTROY("stasis"), UNLINKED("b", "a"));
}

static void two_who_wait_in_one_do_not(void **state)
{
    struct world *w = *state;

    assert_said(w, ENTER("stasis", "a") "|BridgeTechnology: holding_bridge", ENTERS("a", "1"));
    assert_said(w, ENTER("stasis", "b") "|BridgeTechnology: holding_bridge", ENTERS("b", "2"));
    assert_said(w, LEAVE("stasis", "a"), LEAVES("a", "1"));
}

static bool list_bridge(void *arg, const struct ami_block *b)
{
    translator_bridge(((struct world *)arg)->t, b);
    return true;
}

static void a_listing_tells_of_them_too(void **state)
{
    struct world *w = *state;

    capture_lines("Event: BridgeListItem|BridgeUniqueid: s|BridgeType: stasis|"
                  "BridgeTechnology: simple_bridge||"
                  "Event: BridgeListItem|BridgeUniqueid: h|BridgeType: stasis|"
                  "BridgeTechnology: holding_bridge",
                  list_bridge, w);
    said(w, "Event: CoreShowChannel|Channel: b|BridgeId: s");
    assert_said(w, "Event: CoreShowChannel|Channel: a|BridgeId: s",
                "channel/new {'channel':'a'}\n" LINKED("a", "b"));
    said(w, "Event: CoreShowChannel|Channel: c|BridgeId: h");
    assert_said(w, "Event: CoreShowChannel|Channel: d|BridgeId: h",
                "channel/new {'channel':'d'}\n"
                "bridge/enter {'channel':'d','bridge':'h','count':2}\n");
}

static void other_bridges_are_told_as_bridges(void **state)
{
    struct world *w = *state;

    assert_said(w, ENTER("base", "a"), ENTERS("a", "1"));
    assert_said(w, ENTER("base", "b"), ENTERS("b", "2"));
    assert_said(w, LEAVE("base", "a"), LEAVES("a", "1"));
    assert_said(w, LEAVE("base", "nobody"), "");
    assert_said(w, DESTROY("base"), /* nobody told that b left */
                "bridge/leave {'channel':'b','bridge':'x','count':0}\n"
                "bridge/destroy {'bridge':'x'}\n");
}

static void a_call_whose_bridge_is_gone_is_over(void **state)
{
    struct world *w = *state;

    said(w, ENTER("basic", "b"));
    said(w, ENTER("basic", "a"));
    assert_said(w, DESTROY("basic"), UNLINKED("b", "a"));
}

#define OLD_LINK(a, b) "Event: Bridge|Bridgestate: Link|Channel1: " a "|Channel2: " b
#define OLD_UNLINK(a, b) "Event: Unlink|Channel1: " a "|Channel2: " b
#define MUSIC(c, state) "Event: MusicOnHold|State: " state "|Channel: " c

static void music_after_a_call_is_of_nobodys_doing(void **state)
{
    struct world *w = *state;

    said(w, OLD_LINK("a", "Agent/2001"));
    said(w, OLD_UNLINK("a", "Agent/2001"));
    said(w, OLD_LINK("c", "Agent/2001")); /* the agent's next call */
    assert_said(w, MUSIC("a", "Start"), "");
    assert_said(w, MUSIC("a", "Stop"), "");
    assert_said(w, MUSIC("c", "Start"), "channel/hold {'channel':'Agent/2001'}\n");
    assert_said(w, MUSIC("c", "Start"), "");
    assert_said(w, MUSIC("c", "Stop"), "channel/unhold {'channel':'Agent/2001'}\n");
    said(w, "Event: Hangup|Channel: Agent/2001");
    assert_said(w, MUSIC("c", "Start"), "");
}

static void a_listing_tells_pairs_of_both_dialects(void **state)
{
    struct world *w = *state;

    translator_relist(w->t);
    assert_said(w, "Event: CoreShowChannel|Channel: a|BridgeId: x",
                "channel/new {'channel':'a'}\n");
    assert_said(w, "Event: CoreShowChannel|Channel: b|BridgeId: x",
                "channel/new {'channel':'b'}\n" LINKED("b", "a"));
    assert_said(w, LEAVE("basic", "a"), UNLINKED("a", "b"));
    assert_said(
        w, "Event: CoreShowChannel|Channel: c|UniqueID: 1|BridgedChannel: d|BridgedUniqueID: 2",
        "channel/new {'channel':'c','uniqueid':'1'}\n"
        "call/link {'channel':'c','uniqueid':'1','other':'d','other_uniqueid':'2'}\n");
}

static bool note_bridge(void *arg, const struct ami_block *b)
{
    translator_bridge(((struct world *)arg)->t, b);
    return true;
}

static void a_listing_of_bridges_says_what_is_no_call(void **state)
{
    struct world *w = *state;

    capture_blocks(VIEW("Event: BridgeListItem\r\nBridgeUniqueid: x\r\nBridgeType: base\r\n\r\n"),
                   0, note_bridge, w);
    said(w, "Event: CoreShowChannel|Channel: a|BridgeId: x");
    assert_said(
        w, "Event: CoreShowChannel|Channel: b|BridgeId: x",
        "channel/new {'channel':'b'}\nbridge/enter {'channel':'b','bridge':'x','count':2}\n");
}

static void a_lost_link_forgets_the_bridges(void **state)
{
    struct world *w = *state;

    said(w, ENTER("basic", "b"));
    translator_reset(w->t);
    assert_said(w, ENTER("basic", "a"), "");
    assert_said(w, LEAVE("basic", "b"), "");
}

static void a_bridge_may_hold_more_than_are_remembered(void **state)
{
    struct world *w = *state;
    char block[128], line[128];

    for (int i = 1; i <= 40; i++) {
        snprintf(block, sizeof(block), ENTER("base", "%d"), i);
        snprintf(line, sizeof(line), ENTERS("%d", "%d"), i, i);
        assert_said(w, block, line);
    }
    for (int i = 1; i <= 40; i++) { /* in the order of their coming */
        snprintf(block, sizeof(block), LEAVE("base", "%d"), i);
        snprintf(line, sizeof(line), LEAVES("%d", "%d"), i, 40 - i);
        assert_said(w, block, line);
    }
    assert_said(w, LEAVE("base", "41"), "");
    assert_said(w, ENTER("base", "x"), ENTERS("x", "1"));
}

static void headers_of_user_events_are_spelled_as_the_dialplan_means_them(void **state)
{
    struct world *w = *state;

    assert_said(w, "Event: UserEvent|UserEvent: F|Status: 1| Value: 1003|A: 1|a: 2|A: 3",
                "user/event {'name':'F','headers':{'Status':'1','Value':'1003','A':['1','3'],"
                "'a':'2'}}\n");
    assert_said(w, "Event: UserEvent|UserEvent: F", "user/event {'name':'F','headers':{}}\n");
    assert_said(w, "Event: UserEvent|UserEvent: F|Uniqueid: 1.1|A: 1",
                "user/event {'uniqueid':'1.1','name':'F','headers':{'A':'1'}}\n"); /* 1.8's own */
    assert_said(w, "Event: UserEvent|Uniqueid: 1.1|UserEvent: F|Uniqueid: mine",
                "user/event {'uniqueid':'1.1','name':'F','headers':{'Uniqueid':'mine'}}\n");
}

/* A whole channel's names come escaped of an Asterisk 20, of a 1.8 as they are. */
static void quotes_in_names_lose_their_backslashes(void **state)
{
    struct world *w = *state;

    assert_said(w,
                "Event: NewCallerid|Channel: SIP/a-1|Linkedid: 1|"
                "CallerIDName: Pierre \\\"Pete\\\" O\\'Neil \\\\o\\n?",
                "channel/callerid {'channel':'SIP/a-1','linkedid':'1',"
                "'callerid_name':'Pierre \\'Pete\\' O'Neil \\\\o ?'}\n");
    assert_said(w, "Event: NewCallerid|Channel: SIP/a-1|CallerIDName: SITE\\bob",
                "channel/callerid {'channel':'SIP/a-1','callerid_name':'SITE\\\\bob'}\n");
    assert_said(w, "Event: NewCallerid|Channel: SIP/a-1|Linkedid: 1|CallerIDName: \"a\" \\d\\",
                "channel/callerid {'channel':'SIP/a-1','linkedid':'1',"
                "'callerid_name':'\\'a\\' \\\\d\\\\'}\n");
    assert_said(w,
                "Event: VarSet|Channel: SIP/a-1|Linkedid: 1|Variable: XIVO_PRESENCE|"
                "Value: {\\\"away\\\": 1}",
                "channel/variable {'channel':'SIP/a-1','name':'XIVO_PRESENCE',"
                "'value':'{\\'away\\': 1}'}\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(unknown_values_are_left_out),
        T(header_names_are_compared_without_case),
        T(bytes_that_are_not_utf8_are_mended),
        T(an_event_without_a_row_is_nothing),
        T(headers_of_user_events_are_spelled_as_the_dialplan_means_them),
        T(quotes_in_names_lose_their_backslashes),
        T(a_listing_is_marked),
        T(device_states_become_the_numbers_of_hints),
        T(the_address_is_that_of_the_contact_that_answers),
        T(of_a_masquerade_only_the_swap_is_told),
        T(a_channel_that_takes_its_peers_place_talks_to_nobody),
        T(two_in_a_plain_bridge_talk_to_each_other),
        T(a_third_makes_it_a_conference_until_it_leaves),
        T(two_in_an_applications_bridge_talk_to_each_other),
        T(two_who_wait_in_one_do_not),
        T(a_listing_tells_of_them_too),
        T(other_bridges_are_told_as_bridges),
        T(a_call_whose_bridge_is_gone_is_over),
        T(music_after_a_call_is_of_nobodys_doing),
        T(a_listing_tells_pairs_of_both_dialects),
        T(a_listing_of_bridges_says_what_is_no_call),
        T(a_lost_link_forgets_the_bridges),
        T(a_bridge_may_hold_more_than_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
