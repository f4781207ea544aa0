/* Calls as real sites have them: drivers that tell the caller that it rings, several phones at a
 * time, recordings, lines that are numbers elsewhere, bridges of applications. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/model_world.h"

#define NEW(c, state) "Event: Newchannel|Channel: " c "|ChannelState: " state "|Uniqueid: " c
#define STATE(c, n) "Event: Newstate|Channel: " c "|ChannelState: " n
#define DIAL(a, b) "Event: DialBegin|Channel: " a "|DestChannel: " b
#define HANGUP(c) "Event: Hangup|Channel: " c

#define say world_say
#define SHOWS(channel, field, text)                                                                \
    assert_string_equal(world_json(w, LIST_channels, channel, XOD(channels, field)), text)

/* ---- who called ---- */

static void a_caller_that_is_told_to_ring_is_the_caller(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("DAHDI/25-1", "4"));
    say(w, NEW("DAHDI/27-1", "0"));
    say(w, DIAL("DAHDI/25-1", "DAHDI/27-1"));
    say(w, STATE("DAHDI/27-1", "5"));
    say(w, STATE("DAHDI/25-1", "5"));
    SHOWS("DAHDI/25-1", commstatus, "'calling'");
    SHOWS("DAHDI/25-1", direction, "'out'");
    SHOWS("DAHDI/27-1", commstatus, "'ringing'");
    SHOWS("DAHDI/27-1", direction, "'in'");
}

static void before_12_too(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("DAHDI/25-1", "4"));
    say(w, STATE("DAHDI/25-1", "5")); /* before the Dial */
    SHOWS("DAHDI/25-1", direction, "'out'");
    say(w, NEW("SIP/bob-2", "0"));
    say(w, "Event: Dial|SubEvent: Begin|Channel: DAHDI/25-1|Destination: SIP/bob-2");
    say(w, STATE("SIP/bob-2", "4")); /* a called one is not made a caller either */
    SHOWS("SIP/bob-2", direction, "'in'");
    SHOWS("SIP/bob-2", commstatus, "'ringing'");
}

static void a_phone_that_asterisk_calls_calls_on(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "0"));
    say(w, STATE("SIP/alice-1", "5"));
    SHOWS("SIP/alice-1", direction, "'in'");
    say(w, STATE("SIP/alice-1", "6"));
    say(w, NEW("SIP/bob-2", "0"));
    say(w, DIAL("SIP/alice-1", "SIP/bob-2"));
    SHOWS("SIP/alice-1", direction, "'out'");
    SHOWS("SIP/alice-1", commstatus, "'calling'");
}

/* ---- several at a time ---- */

#define BUSY(a, b) "Event: DialEnd|Channel: " a "|DestChannel: " b "|DialStatus: BUSY"

static void two_ring(struct model_world *w)
{
    say(w, NEW("SIP/alice-1", "4"));
    say(w, NEW("SIP/bob-2", "0") "|CallerIDNum: 1002");
    say(w, NEW("SIP/carol-3", "0") "|CallerIDNum: 1003");
    say(w, DIAL("SIP/alice-1", "SIP/bob-2"));
    say(w, DIAL("SIP/alice-1", "SIP/carol-3"));
}

static void who_still_rings_is_the_other_end(void **state)
{
    struct model_world *w = *state;

    two_ring(w);
    say(w, BUSY("SIP/alice-1", "SIP/carol-3"));
    SHOWS("SIP/alice-1", talkingto_id, "'SIP/bob-2'");
    SHOWS("SIP/alice-1", peer_number, "'1002'");
    SHOWS("SIP/carol-3", talkingto_id, "null");
    say(w, HANGUP("SIP/carol-3"));
    SHOWS("SIP/alice-1", talkingto_id, "'SIP/bob-2'");
    say(w, BUSY("SIP/alice-1", "SIP/bob-2"));
    SHOWS("SIP/alice-1", talkingto_id, "null");
}

static void also_where_only_the_hangup_tells(void **state)
{
    struct model_world *w = *state;

    two_ring(w);
    say(w, NEW("SIP/dave-4", "0") "|CallerIDNum: 1004");
    say(w, DIAL("SIP/alice-1", "SIP/dave-4"));
    say(w, HANGUP("SIP/dave-4"));
    say(w, HANGUP("SIP/bob-2"));
    SHOWS("SIP/alice-1", talkingto_id, "'SIP/carol-3'");
    SHOWS("SIP/alice-1", peer_number, "'1003'");
    say(w, HANGUP("SIP/carol-3"));
    SHOWS("SIP/alice-1", talkingto_id, "null");
}

/* ---- queues ---- */

#define LOCAL "Local/1001@from-queue-1"

static void who_waits_is_not_shown_the_member_that_rings_behind_a_local_channel(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/pstn-1", "6"));
    say(w, "Event: QueueCallerJoin|Channel: SIP/pstn-1|Queue: support|Position: 1|Count: 1");
    say(w, NEW(LOCAL ";1", "0"));
    say(w, NEW(LOCAL ";2", "4"));
    say(w, "Event: LocalBridge|LocalOneChannel: " LOCAL ";1|LocalTwoChannel: " LOCAL ";2");
    say(w, DIAL("SIP/pstn-1", LOCAL ";1"));
    say(w, NEW("SIP/alice-2", "0") "|CallerIDNum: 1001");
    say(w, DIAL(LOCAL ";2", "SIP/alice-2"));
    SHOWS("SIP/pstn-1", peer_number, "null");
    SHOWS("SIP/pstn-1", talkingto_kind, "'queue'");
    say(w, "Event: QueueCallerLeave|Channel: SIP/pstn-1|Queue: support|Position: 1|Count: 0");
    say(w, "Event: Bridge|Bridgestate: Link|Channel1: SIP/pstn-1|Channel2: " LOCAL ";1");
    say(w, "Event: Bridge|Bridgestate: Link|Channel1: " LOCAL ";2|Channel2: SIP/alice-2");
    SHOWS("SIP/pstn-1", peer_number, "'1001'");
}

/* ---- recordings ---- */

#define MIX(event, c) "Event: MixMonitor" event "|Channel: " c

static void what_is_recorded_twice_is_recorded_until_both_end(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "6"));
    say(w, NEW("SIP/bob-2", "6"));
    say(w, MIX("Start", "SIP/alice-1"));
    say(w, MIX("Start", "SIP/alice-1"));
    say(w, MIX("Start", "SIP/bob-2"));
    say(w, MIX("Stop", "SIP/alice-1"));
    SHOWS("SIP/alice-1", monitored, "true");
    say(w, MIX("Mute", "SIP/alice-1") "|State: 1|Direction: both");
    say(w, MIX("Stop", "SIP/bob-2"));
    SHOWS("SIP/bob-2", monitored, "false");
    say(w, MIX("Stop", "SIP/alice-1"));
    SHOWS("SIP/alice-1", monitored, "false");
    say(w, MIX("Stop", "SIP/alice-1")); /* nothing is left to stop */
    say(w, MIX("Start", "SIP/alice-1"));
    SHOWS("SIP/alice-1", monitored, "true");
}

static void a_monitor_and_a_mixmonitor_are_two_recordings(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "6"));
    say(w, "Event: MonitorStart|Channel: SIP/alice-1");
    say(w, MIX("Start", "SIP/alice-1"));
    say(w, "Event: MonitorStop|Channel: SIP/alice-1");
    SHOWS("SIP/alice-1", monitored, "true");
    say(w, "Event: Rename|Channel: SIP/alice-1|Newname: SIP/alice-9|Uniqueid: SIP/alice-1");
    say(w, MIX("Stop", "SIP/alice-9"));
    SHOWS("SIP/alice-9", monitored, "false");
}

/* ---- lines and trunks of uncommon names ---- */

static void set_identity(struct model_world *w, enum xod_list list, const char *id, unsigned field,
                         const char *identity)
{
    xod_set_str(world_find(w, list, id), field, view_cstr(identity));
    xod_commit(w->x, NULL, NULL);
}

#define OWNS(list, id, text)                                                                       \
    assert_string_equal(world_json(w, LIST_##list, id, XOD(list, channels)), text)

static void a_custom_line_owns_its_channels(void **state)
{
    struct model_world *w = *state;

    set_identity(w, LIST_phones, "14", XOD(phones, identity), "Local/0612345678@default/n");
    set_identity(w, LIST_phones, "15", XOD(phones, identity), "Local/0700000000@default/nj");
    say(w, NEW("Local/0612345678@default-0000001f;1", "0"));
    say(w, NEW("Local/0700000000@default-00000020;1", "0"));
    say(w, NEW("Local/0612345678@other-00000021;1", "0"));
    OWNS(phones, "14", "['Local/0612345678@default-0000001f;1']");
    OWNS(phones, "15", "['Local/0700000000@default-00000020;1']");
    ipbx_model_relink(w->d);
    OWNS(phones, "14", "['Local/0612345678@default-0000001f;1']");
    say(w, HANGUP("Local/0612345678@default-0000001f;1"));
    OWNS(phones, "14", "[]");
}

static void a_trunk_owns_the_calls_by_way_of_it(void **state)
{
    struct model_world *w = *state;

    set_identity(w, LIST_trunks, "1", XOD(trunks, identity), "DAHDI/i1");
    set_identity(w, LIST_phones, "14", XOD(phones, identity), "DAHDI/1");
    say(w, NEW("DAHDI/i1/0123456789-5", "0"));
    say(w, NEW("DAHDI/i1/418-555-6", "0"));
    say(w, NEW("DAHDI/i11/0123456789-7", "0"));
    say(w, NEW("DAHDI/1-1", "0"));
    OWNS(trunks, "1", "['DAHDI/i1/0123456789-5','DAHDI/i1/418-555-6']");
    OWNS(phones, "14", "['DAHDI/1-1']");
    ipbx_model_relink(w->d);
    OWNS(trunks, "1", "['DAHDI/i1/0123456789-5','DAHDI/i1/418-555-6']");
    set_identity(w, LIST_trunks, "1", XOD(trunks, identity), "DAHDI/i11");
    ipbx_model_relink(w->d);
    OWNS(trunks, "1", "['DAHDI/i11/0123456789-7']");
}

/* ---- rooms ---- */

static void who_is_in_a_room_calls_nobody(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "4"));
    say(w, NEW("SIP/bob-2", "4"));
    say(w, "Event: ConfbridgeJoin|Conference: 4001|Channel: SIP/alice-1");
    say(w, "Event: MeetmeJoin|Meetme: 4002|Usernum: 1|Channel: SIP/bob-2");
    SHOWS("SIP/alice-1", commstatus, "'ready'");
    SHOWS("SIP/bob-2", commstatus, "'ready'");
    say(w, NEW("SIP/carol-3", "4"));
    world_list(w, "Event: ConfbridgeList|Conference: 4001|Channel: SIP/carol-3|Admin: No");
    SHOWS("SIP/carol-3", commstatus, "'ready'");
}

/* ---- an Asterisk that has ended ---- */

#define PHONE(id) world_json(w, LIST_phones, id, XOD(phones, hintstatus))

static void an_asterisk_that_is_gone_has_no_calls(void **state)
{
    struct tel_out gone;
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "4"));
    say(w, NEW("SIP/bob-2", "6"));
    say(w, "Event: Bridge|Bridgestate: Link|Channel1: SIP/alice-1|Channel2: SIP/bob-2");
    say(w, "Event: ExtensionStatus|Exten: 1001|Context: default|Hint: SIP/alice|Status: 1");
    say(w, "Event: ExtensionStatus|Exten: 1002|Context: default|Hint: SIP/bob|Status: 8");
    say(w, "Event: ExtensionStatus|Exten: 1003|Context: default|Hint: SIP/carol|Status: 0");
    say(w, "Event: QueueMemberStatus|Queue: support|Location: SIP/bob|Status: 2|Paused: 0");
    world_mark(w, TEL_link_down, "");
    OWNS(phones, "11", "['SIP/alice-1']"); /* it may be back in a moment */
    assert_string_equal(PHONE("11"), "'1'");
    tel_out_init(&gone, TEL_link_gone);
    tel_out_put(&gone, TELF_reason, VIEW("Connection refused"));
    world_apply(w, &gone);
    OWNS(phones, "11", "[]");
    OWNS(phones, "12", "[]");
    assert_string_equal(PHONE("11"), "'0'");
    assert_string_equal(PHONE("12"), "'0'");
    assert_string_equal(PHONE("13"), "'0'");
    assert_string_equal(PHONE("14"), "'4'");
    assert_null(world_find(w, LIST_channels, "SIP/bob-2"));
    assert_string_equal(
        world_json(w, LIST_queuemembers, "SIP/bob,support", XOD(queuemembers, status)), "'1'");
}

/* ---- through Local channels ---- */

#define OLD_LINK(a, b) "Event: Bridge|Bridgestate: Link|Channel1: " a "|Channel2: " b

static void the_other_end_is_the_one_behind_local_channels(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "4") "|CallerIDNum: 1001|CallerIDName: Alice");
    say(w, NEW("Local/1002@a-1;1", "0") "|CallerIDNum: 600");
    say(w, NEW("Local/1002@a-1;2", "4"));
    say(w, NEW("Local/1002@b-2;1", "0"));
    say(w, NEW("Local/1002@b-2;2", "4"));
    say(w, NEW("SIP/bob-2", "0") "|CallerIDNum: 1002|CallerIDName: Bob");
    say(w, DIAL("SIP/alice-1", "Local/1002@a-1;1"));
    say(w, DIAL("Local/1002@a-1;2", "Local/1002@b-2;1"));
    say(w, DIAL("Local/1002@b-2;2", "SIP/bob-2"));
    SHOWS("SIP/bob-2", peer_number, "'1001'");
    say(w, OLD_LINK("SIP/alice-1", "Local/1002@a-1;1"));
    say(w, OLD_LINK("Local/1002@a-1;2", "Local/1002@b-2;1"));
    say(w, OLD_LINK("Local/1002@b-2;2", "SIP/bob-2"));
    SHOWS("SIP/alice-1", peerdisplay, "'Bob (1002)'");
    SHOWS("SIP/bob-2", peerdisplay, "'Alice (1001)'");
}

static void what_asterisk_says_of_the_other_end_counts(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "4") "|CallerIDNum: 1001");
    say(w, NEW("Local/1002@a-1;1", "0"));
    say(w, NEW("Local/1002@a-1;2", "4"));
    say(w, NEW("SIP/bob-2", "0") "|CallerIDNum: 1002");
    say(w, DIAL("SIP/alice-1", "Local/1002@a-1;1"));
    say(w, "Event: NewConnectedLine|Channel: SIP/alice-1|ConnectedLineNum: 700|"
           "ConnectedLineName: Sales");
    say(w, DIAL("Local/1002@a-1;2", "SIP/bob-2"));
    SHOWS("SIP/alice-1", peerdisplay, "'Sales (700)'");
    SHOWS("SIP/bob-2", peer_number, "'1001'");
}

/* ---- names that differ by case ---- */

static void add_phone(struct model_world *w, const char *id, const char *identity,
                      const char *number)
{
    struct xod_obj *phone = xod_add(w->ipbx, LIST_phones, view_cstr(id));

    xod_set_str(phone, XOD(phones, identity), view_cstr(identity));
    xod_set_str(phone, XOD(phones, number), view_cstr(number));
    xod_set_str(phone, XOD(phones, context), VIEW("default"));
}

#define PHONE_SHOWS(id, field, text)                                                               \
    assert_string_equal(world_json(w, LIST_phones, id, XOD(phones, field)), text)

static void two_endpoints_may_differ_by_case_only(void **state)
{
    struct model_world *w = *state;

    add_phone(w, "71", "PJSIP/Door", "7001");
    add_phone(w, "72", "PJSIP/door", "7002");
    say(w, "Event: DeviceStateChange|Device: PJSIP/Door|State: INUSE");
    PHONE_SHOWS("71", hintstatus, "'1'");
    PHONE_SHOWS("72", hintstatus, "'4'");
    say(w, "Event: ExtensionStatus|Exten: 7002|Context: default|Hint: PJSIP/door|Status: 8");
    PHONE_SHOWS("71", hintstatus, "'1'");
    PHONE_SHOWS("72", hintstatus, "'8'");
    say(w, "Event: PeerStatus|Peer: PJSIP/door|PeerStatus: Reachable");
    PHONE_SHOWS("71", reg, "''");
    PHONE_SHOWS("72", reg, "'Reachable'");
    say(w, NEW("PJSIP/door-1", "4"));
    PHONE_SHOWS("71", channels, "[]");
    PHONE_SHOWS("72", channels, "['PJSIP/door-1']");
    phone_relink(w->d);
    PHONE_SHOWS("71", channels, "[]");
    PHONE_SHOWS("72", channels, "['PJSIP/door-1']");
}

static void a_presence_is_that_of_the_phone_whose_hint_names_it(void **state)
{
    struct model_world *w = *state;

#define HINT "Hint: PJSIP/1001&Custom:DND1001,CustomPresence:1001|"
#define PRESENCE "Event: PresenceStateChange|Presentity: CustomPresence:1001|"
    add_phone(w, "71", "PJSIP/1001", "1001");
    add_phone(w, "72", "PJSIP/1002", "1002");
    say(w, PRESENCE "Status: away|Subtype: |Message: "); /* of no phone yet */
    PHONE_SHOWS("71", presence, "null");
    say(w, "Event: ExtensionStatus|Exten: 1001|Context: ext-local|" HINT "Status: 0");
    say(w, PRESENCE "Status: dnd|Subtype: lunch|Message: Back at 2");
    PHONE_SHOWS("71", presence, "'dnd'");
    PHONE_SHOWS("71", presence_subtype, "'lunch'");
    PHONE_SHOWS("71", presence_message, "'Back at 2'");
    PHONE_SHOWS("72", presence, "null");
    say(w, "Event: ExtensionStatus|Exten: 1001|Context: ext-local|" HINT "Status: 1");
    PHONE_SHOWS("71", presence, "'dnd'");
    say(w, PRESENCE "Status: not_set|Subtype: |Message: ");
    PHONE_SHOWS("71", presence, "null");
    PHONE_SHOWS("71", presence_message, "null");
    say(w, PRESENCE "Status: xa|Subtype: |Message: ");
    say(w, "Event: ExtensionStatus|Exten: 1001|Context: ext-local|Hint: PJSIP/1001|Status: 1");
    PHONE_SHOWS("71", presence, "null"); /* its hint names none any more */
    say(w, "Event: DeviceStateChange|Device: Custom:DND1001|State: BUSY");
    PHONE_SHOWS("71", presence, "null");
}

static void list(struct model_world *w, const char *kind, const char *lines)
{
    world_mark(w, TEL_resync_begin, kind);
    if (*lines)
        world_list(w, lines);
    world_mark(w, TEL_resync_end, kind);
}

#define EXTEN(number, hint, status)                                                                \
    "Event: ExtensionStatus|Exten: " number "|Context: ext-local|Hint: " hint "|Status: " status

static void a_hint_that_is_not_listed_any_more_is_gone(void **state)
{
    struct model_world *w = *state;

    add_phone(w, "71", "PJSIP/1001", "1001");
    add_phone(w, "72", "PJSIP/1002", "1002");
    add_phone(w, "73", "PJSIP/1003", "1003");
    say(w, EXTEN("1001", "PJSIP/1001,CustomPresence:1001", "8"));
    say(w, EXTEN("1002", "PJSIP/1002,CustomPresence:1002", "8"));
    say(w, "Event: DeviceStateChange|Device: PJSIP/1003|State: INUSE");
    say(w, PRESENCE "Status: dnd|Subtype: |Message: ");
    list(w, "hints",
         EXTEN("1003", "PJSIP/1003,CustomPresence:1003",
               "1") "||Event: DeviceStateChange|Device: PJSIP/1002|State: NOT_INUSE");
    PHONE_SHOWS("71", hintstatus, "'4'"); /* nothing tells its state */
    PHONE_SHOWS("71", hint, "null");
    PHONE_SHOWS("71", presence, "null");
    PHONE_SHOWS("71", presentity, "null");
    PHONE_SHOWS("72", hintstatus, "'0'"); /* its device */
    PHONE_SHOWS("72", presentity, "null");
    PHONE_SHOWS("73", hintstatus, "'1'");
    PHONE_SHOWS("73", presentity, "'CustomPresence:1003'");
    say(w, PRESENCE "Status: away|Subtype: |Message: ");
    PHONE_SHOWS("71", presence, "null");
}

/* Before 13 no device states are listed. */
static void a_device_without_a_hint_stays_as_it_was_told(void **state)
{
    struct model_world *w = *state;

    add_phone(w, "71", "PJSIP/1001", "1001");
    say(w, "Event: DeviceStateChange|Device: PJSIP/1001|State: INUSE");
    list(w, "hints", EXTEN("1002", "PJSIP/1002", "0"));
    PHONE_SHOWS("71", hintstatus, "'1'");
}

static void a_presence_that_is_not_listed_is_not_set(void **state)
{
    struct model_world *w = *state;

    add_phone(w, "71", "PJSIP/1001", "1001");
    add_phone(w, "72", "PJSIP/1002", "1002");
    say(w, EXTEN("1001", "PJSIP/1001,CustomPresence:1001", "0"));
    say(w, EXTEN("1002", "PJSIP/1002,CustomPresence:1002", "0"));
    say(w, PRESENCE "Status: dnd|Subtype: s|Message: m");
    list(w, "presences",
         "Event: PresenceStateChange|Presentity: CustomPresence:1001|Status: dnd|Subtype: "
         "s|Message: m");
    PHONE_SHOWS("71", presence, "'dnd'");
    list(w, "presences",
         "Event: PresenceStateChange|Presentity: CustomPresence:1002|Status: xa|Subtype: "
         "|Message: ");
    PHONE_SHOWS("71", presence, "null");
    PHONE_SHOWS("71", presence_subtype, "null");
    PHONE_SHOWS("71", presence_message, "null");
    PHONE_SHOWS("72", presence, "'xa'");
}

static void a_peer_that_is_not_listed_is_not_registered(void **state)
{
    struct model_world *w = *state;

    add_phone(w, "71", "PJSIP/1001", "1001");
    add_phone(w, "72", "SCCP/1002", "1002");
    say(w, "Event: PeerStatus|Peer: PJSIP/1001|PeerStatus: Reachable");
    say(w, "Event: PeerStatus|Peer: SCCP/1002|PeerStatus: Reachable");
    list(w, "peers", "");
    PHONE_SHOWS("71", reg, "''");
    PHONE_SHOWS("72", reg, "'Reachable'"); /* its driver lists no peers */
}

/* The first names are kept, each once, and how many there were; the next listing begins anew. */
static void peers_in_no_list_are_named(void **state)
{
    struct model_world *w = *state;
    const struct unlisted_peers *u = &w->d->unlisted;
    char event[96];

    add_phone(w, "71", "PJSIP/1001", "1001");
    world_mark(w, TEL_resync_begin, "peers");
    say(w, "Event: PeerStatus|Peer: PJSIP/1001|PeerStatus: Reachable");
    for (int i = 0; i < 50; i++) {
        snprintf(event, sizeof(event), "Event: PeerStatus|Peer: PJSIP/Door%d|PeerStatus: Reachable",
                 i % 25);
        say(w, event);
    }
    world_mark(w, TEL_resync_end, "peers");
    assert_int_equal(u->n, 25);
    assert_string_equal(u->names[0], "PJSIP/Door0");
    assert_string_equal(u->names[UNLISTED_NAMES - 1], "PJSIP/Door19");
    say(w, "Event: PeerStatus|Peer: PJSIP/later|PeerStatus: Reachable");
    assert_int_equal(u->n, 25);
    list(w, "peers", "");
    assert_int_equal(u->n, 0);
}

/* ---- parking ---- */

/* A REFER parks before the bridge says that the call has left it. */
static void a_parked_call_is_in_a_call_with_nobody(void **state)
{
    struct model_world *w = *state;

    say(w, NEW("SIP/alice-1", "6"));
    say(w, NEW("SIP/bob-2", "6"));
    say(w, OLD_LINK("SIP/alice-1", "SIP/bob-2"));
    say(w, "Event: ParkedCall|Exten: 701|Channel: SIP/alice-1|Parkinglot: default|Timeout: 45");
    SHOWS("SIP/alice-1", commstatus, "'ready'");
    SHOWS("SIP/bob-2", commstatus, "'ready'");
    SHOWS("SIP/bob-2", talkingto_id, "null");
    say(w, "Event: Unlink|Channel1: SIP/alice-1|Channel2: SIP/bob-2");
    SHOWS("SIP/alice-1", parked, "true");
    say(w, "Event: ParkedCallGiveUp|Exten: 701|Channel: SIP/alice-1|Parkinglot: default");
    SHOWS("SIP/alice-1", commstatus, "'ready'");
    SHOWS("SIP/alice-1", talkingto_id, "null");
}

/* ---- registrations of trunks ---- */

static void add_trunk(struct model_world *w, const char *id, const char *driver, const char *name,
                      const char *host)
{
    struct xod_obj *trunk = xod_add(w->ipbx, LIST_trunks, view_cstr(id));
    char identity[64];

    snprintf(identity, sizeof(identity), "%s/%s", driver, name);
    xod_set_str(trunk, XOD(trunks, identity), view_cstr(identity));
    xod_set_str(trunk, XOD(trunks, name), view_cstr(name));
    xod_set_str(trunk, XOD(trunks, host), view_cstr(host));
}

#define REG(id, text) assert_string_equal(world_json(w, LIST_trunks, id, XOD(trunks, reg)), text)

static void a_trunk_shows_its_registration(void **state)
{
    struct model_world *w = *state;

    add_trunk(w, "81", "PJSIP", "operator", "sip.operator.example");
    add_trunk(w, "82", "SIP", "lyon", "192.0.2.7");
    add_trunk(w, "83", "PJSIP", "v6", "2001:db8::5");
    say(w, "Event: Registry|ChannelType: PJSIP|Username: sip:33140@SIP.operator.example|"
           "Domain: sip:sip.operator.example:5061\\;transport=tls|Status: Registered");
    REG("81", "'Registered'");
    say(w, "Event: Registry|ChannelType: PJSIP|Username: sip:33140@sip.operator.example|"
           "Domain: sip:sip.operator.example|Status: Rejected|Cause: 403");
    REG("81", "'Rejected'");
    REG("82", "''");
    world_list(w,
               "Event: RegistryEntry|Host: 192.0.2.7|Port: 5060|Username: paris|State: Registered");
    REG("82", "'Registered'");
    world_list(
        w, "Event: OutboundRegistrationDetail|ObjectType: registration|ObjectName: v6-reg|"
           "ServerUri: sip:[2001:db8::5]:5060|ClientUri: sip:x@[2001:db8::5]|Status: Registered");
    REG("83", "'Registered'");
    say(w, "Event: Registry|ChannelType: IAX2|Username: paris|Domain: 192.0.2.7|Status: Timeout");
    REG("82", "'Registered'"); /* another driver's */
    say(w, "Event: Registry|ChannelType: SIP|Username: paris|Domain: |Status: Timeout");
    REG("82", "'Registered'");
}

static void a_registration_that_is_not_listed_is_none(void **state)
{
    struct model_world *w = *state;

    add_trunk(w, "81", "PJSIP", "v6", "2001:db8::5");
    add_trunk(w, "82", "SIP", "lyon", "192.0.2.7");
    say(w, "Event: Registry|ChannelType: SIP|Username: paris|Domain: 192.0.2.7|Status: Registered");
    list(w, "registrations",
         "Event: OutboundRegistrationDetail|ObjectType: registration|ObjectName: v6-reg|"
         "ServerUri: sip:[2001:db8::5]:5060|ClientUri: sip:x@[2001:db8::5]|Status: Registered");
    REG("81", "'Registered'");
    REG("82", "''");
}

static void accounts_at_one_operator_are_told_apart_by_name(void **state)
{
    struct model_world *w = *state;

    add_trunk(w, "81", "PJSIP", "sales", "sip.operator.example");
    add_trunk(w, "82", "PJSIP", "support", "sip.operator.example");
    say(w, "Event: Registry|ChannelType: PJSIP|Username: sip:support@sip.operator.example|"
           "Domain: sip:sip.operator.example|Status: Registered");
    REG("81", "''");
    REG("82", "'Registered'");
    say(w, "Event: Registry|ChannelType: PJSIP|Username: sip:other@sip.operator.example|"
           "Domain: sip:sip.operator.example|Status: Rejected");
    REG("81", "''");
    REG("82", "'Registered'");
}

/* Lists are written by hand; the one phone of that name is meant. */
static void a_list_may_write_a_name_in_other_case(void **state)
{
    struct model_world *w = *state;

    add_phone(w, "71", "SIP/Door", "7001");
    say(w, NEW("SIP/door-1", "4"));
    PHONE_SHOWS("71", channels, "['SIP/door-1']");
    add_phone(w, "72", "SIP/door", "7002"); /* by a reload */
    phone_relink(w->d);
    PHONE_SHOWS("71", channels, "[]");
    PHONE_SHOWS("72", channels, "['SIP/door-1']");
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_caller_that_is_told_to_ring_is_the_caller),
        T(before_12_too),
        T(a_phone_that_asterisk_calls_calls_on),
        T(who_still_rings_is_the_other_end),
        T(also_where_only_the_hangup_tells),
        T(who_waits_is_not_shown_the_member_that_rings_behind_a_local_channel),
        T(what_is_recorded_twice_is_recorded_until_both_end),
        T(a_monitor_and_a_mixmonitor_are_two_recordings),
        T(a_custom_line_owns_its_channels),
        T(a_trunk_owns_the_calls_by_way_of_it),
        T(who_is_in_a_room_calls_nobody),
        T(an_asterisk_that_is_gone_has_no_calls),
        T(the_other_end_is_the_one_behind_local_channels),
        T(what_asterisk_says_of_the_other_end_counts),
        T(two_endpoints_may_differ_by_case_only),
        T(a_list_may_write_a_name_in_other_case),
        T(a_parked_call_is_in_a_call_with_nobody),
        T(a_trunk_shows_its_registration),
        T(accounts_at_one_operator_are_told_apart_by_name),
        T(a_presence_is_that_of_the_phone_whose_hint_names_it),
        T(a_hint_that_is_not_listed_any_more_is_gone),
        T(a_device_without_a_hint_stays_as_it_was_told),
        T(a_presence_that_is_not_listed_is_not_set),
        T(a_peer_that_is_not_listed_is_not_registered),
        T(peers_in_no_list_are_named),
        T(a_registration_that_is_not_listed_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
