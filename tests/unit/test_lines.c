/* Lines as real sites configure them: hints of several devices, drivers that tell little, endpoints
 * with several contacts, devices and channels of uncommon names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/model_world.h"

#define HINT XOD(phones, hintstatus)
#define say world_say

static const char *hint(struct model_world *w, const char *phone)
{
    return world_json(w, LIST_phones, phone, HINT);
}

static void set_line(struct model_world *w, const char *phone, const char *identity)
{
    struct xod_obj *o = world_find(w, LIST_phones, phone);

    xod_set_str(o, XOD(phones, identity), view_cstr(identity));
    xod_set_str(o, XOD(phones, context), VIEW("from-internal"));
    xod_commit(w->x, NULL, NULL);
}

/* Phones 11 and 12 are PJSIP/1001 and PJSIP/1002 in from-internal, as FreePBX has them. */
static int setup(void **state)
{
    struct model_world *w = world_new();

    set_line(w, "11", "PJSIP/1001");
    set_line(w, "12", "PJSIP/1002");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_destroy(*state);
    return 0;
}

/* ---- hints of several devices ---- */

#define EXT(exten, context, hint, status)                                                          \
    "Event: ExtensionStatus|Exten: " exten "|Context: " context "|Hint: " hint "|Status: " status
#define DEVICE(device, state) "Event: DeviceStateChange|Device: " device "|State: " state
#define DND1 "PJSIP/1001&Custom:DND1001,CustomPresence:1001"
#define DND2 "Custom:DND1002&PJSIP/1002"

static void a_combined_hint_wins_over_the_device(void **state)
{
    struct model_world *w = *state;

    say(w, EXT("1001", "ext-local", DND1, "1"));
    say(w, EXT("1002", "ext-local", DND2, "0"));
    assert_string_equal(hint(w, "11"), "'1'");
    assert_string_equal(hint(w, "12"), "'0'");
    say(w, DEVICE("PJSIP/1001", "NOT_INUSE"));
    say(w, DEVICE("PJSIP/1002", "RINGING"));
    assert_string_equal(hint(w, "11"), "'1'");
    assert_string_equal(hint(w, "12"), "'0'");
    say(w, EXT("1001", "ext-local", DND1, "0"));
    say(w, EXT("1002", "ext-local", DND2, "8"));
    assert_string_equal(hint(w, "11"), "'0'");
    assert_string_equal(hint(w, "12"), "'8'");
    say(w, EXT("600", "ext-group", "PJSIP/1001&PJSIP/1002", "1")); /* a lamp of both */
    assert_string_equal(hint(w, "11"), "'0'");
    say(w, EXT("1001", "ext-local", "PJSIP/1001&PJSIP/901001&Custom:DND1001", "16"));
    assert_string_equal(hint(w, "11"), "'16'"); /* also its soft phone's */
}

static void after_a_login_too(void **state)
{
    struct model_world *w = *state;

    say(w, EXT("1001", "ext-local", DND1, "0"));
    world_mark(w, TEL_resync_begin, "hints");
    world_list(w, EXT("1001", "ext-local", DND1, "1"));
    world_list(w, DEVICE("PJSIP/1001", "NOT_INUSE"));
    world_list(w, DEVICE("PJSIP/1002", "INUSE")); /* it has no hint */
    world_mark(w, TEL_resync_end, "hints");
    assert_string_equal(hint(w, "11"), "'1'");
    assert_string_equal(hint(w, "12"), "'1'");
    world_mark(w, TEL_resync_begin, "hints"); /* the hint is no longer there */
    world_list(w, DEVICE("PJSIP/1001", "NOT_INUSE"));
    world_mark(w, TEL_resync_end, "hints");
    assert_string_equal(hint(w, "11"), "'0'");
}

static void of_several_hints_the_best_one_counts(void **state)
{
    struct model_world *w = *state;

    say(w, EXT("*471001", "ext-findmefollow", "PJSIP/1001", "8"));
    assert_string_equal(hint(w, "11"), "'8'");
    say(w, EXT("1001", "ext-local", DND1, "1"));
    say(w, EXT("*471001", "ext-findmefollow", "PJSIP/1001", "0"));
    assert_string_equal(hint(w, "11"), "'1'");
    say(w, EXT("1001", "from-internal", "PJSIP/1001", "2")); /* in two contexts */
    say(w, EXT("1001", "ext-local", DND1, "0"));
    assert_string_equal(hint(w, "11"), "'2'");
}

static void without_its_hint_the_device_counts(void **state)
{
    struct model_world *w = *state;

    say(w, EXT("1001", "ext-local", DND1, "1"));
    say(w, "Event: ExtensionStatus|Exten: 1001|Context: ext-local|Hint: |Status: -2");
    assert_string_equal(hint(w, "11"), "'-2'");
    say(w, DEVICE("PJSIP/1001", "NOT_INUSE"));
    assert_string_equal(hint(w, "11"), "'0'");
    say(w, EXT("1001", "ext-local", DND1, "1")); /* -2 was not final */
    say(w, DEVICE("PJSIP/1001", "NOT_INUSE"));
    assert_string_equal(hint(w, "11"), "'1'");
}

/* ---- drivers ---- */

static void unknown_is_idle(void **state)
{
    struct model_world *w = *state;

    set_line(w, "13", "DAHDI/1");
    set_line(w, "14", "Motif/google/bob");
    say(w, DEVICE("DAHDI/1", "INUSE"));
    say(w, DEVICE("Motif/google/bob", "INUSE"));
    assert_string_equal(hint(w, "13"), "'1'");
    assert_string_equal(hint(w, "14"), "'1'");
    say(w, DEVICE("DAHDI/1", "UNKNOWN"));
    world_list(w, DEVICE("Motif/google/bob", "UNKNOWN"));
    assert_string_equal(hint(w, "13"), "'0'");
    assert_string_equal(hint(w, "14"), "'0'");
}

static void any_technology_has_device_states(void **state)
{
    static const char *const names[] = {"Skinny/1003@desk", "USTM/1003@00:11", "Dongle/gsm0",
                                        "MGCP/aaln/1@gw",   "SCCP/1003",       "Vpb/1-1"};
    struct model_world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char event[128];
        set_line(w, "13", names[i]);
        snprintf(event, sizeof(event), DEVICE("%s", "RINGING"), names[i]);
        say(w, event);
        assert_string_equal(hint(w, "13"), "'8'");
        snprintf(event, sizeof(event), DEVICE("%s", "NOT_INUSE"), names[i]);
        say(w, event);
        assert_string_equal(hint(w, "13"), "'0'");
    }
}

/* ---- contacts ---- */

static const char *reg(struct model_world *w, const char *phone)
{
    return world_json(w, LIST_phones, phone, XOD(phones, reg));
}

#define CONTACT(name, uri, status)                                                                 \
    "Event: ContactStatus|URI: sip:" uri "|ContactStatus: " status "|AOR: " name                   \
    "|EndpointName: " name
#define ENDPOINT(name, contacts, state)                                                            \
    "Event: EndpointList|ObjectType: endpoint|ObjectName: " name "|Aor: " name                     \
    "|Contacts: " contacts "|DeviceState: " state

static void an_endpoint_is_as_good_as_its_best_contact(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: PeerStatus|Peer: PJSIP/1001|PeerStatus: Reachable");
    say(w, CONTACT("1001", "1001@192.0.2.2:5060", "Reachable"));
    say(w, CONTACT("1001", "1001@192.0.2.1:5060", "Unreachable"));
    assert_string_equal(reg(w, "11"), "'Reachable'");
    say(w, CONTACT("1001", "1001@192.0.2.1:5060", "Removed"));
    assert_string_equal(reg(w, "11"), "'Reachable'");
    say(w, CONTACT("1001", "1001@192.0.2.2:5060", "Unreachable"));
    assert_string_equal(reg(w, "11"), "'Unreachable'");
    say(w, CONTACT("1001", "1001@192.0.2.2:5060", "Updated")); /* registers still */
    assert_string_equal(reg(w, "11"), "'Unreachable'");
    say(w, CONTACT("1001", "1001@192.0.2.2:5060", "Removed"));
    assert_string_equal(reg(w, "11"), "'Unregistered'");
    say(w, CONTACT("1001", "1001@192.0.2.3:5060", "NonQualified"));
    assert_string_equal(reg(w, "11"), "'Reachable'");
}

static void listings_use_the_same_words(void **state)
{
    struct model_world *w = *state;

    world_list(w, ENDPOINT("1001", "1001/sip:1001@192.0.2.1:5060,1001/sip:1001@192.0.2.2:5060,",
                           "Not in use"));
    world_list(w, ENDPOINT("1002", "1002/sip:1002@192.0.2.1:5060,", "Unavailable"));
    assert_string_equal(reg(w, "11"), "'Reachable'");
    assert_string_equal(reg(w, "12"), "'Unreachable'");
    say(w, CONTACT("1001", "1001@192.0.2.2:5060", "Removed"));
    assert_string_equal(reg(w, "11"), "'Reachable'");
    say(w, CONTACT("1002", "1002@192.0.2.1:5060", "Removed"));
    assert_string_equal(reg(w, "12"), "'Unregistered'");
    say(w, "Event: PeerStatus|Peer: PJSIP/1001|PeerStatus: Unreachable");
    assert_string_equal(reg(w, "11"), "'Unreachable'");
    say(w, CONTACT("1001", "1001@192.0.2.1:5060", "Removed"));
    world_list(w, ENDPOINT("1001", "", "Unavailable"));
    assert_string_equal(reg(w, "11"), "'Unregistered'");
}

static void a_line_of_sccp_is_attached_to_telephones(void **state)
{
    struct model_world *w = *state;

    set_line(w, "13", "SCCP/1001");
    say(w, "Event: PeerStatus|ChannelType: SCCP|ChannelObjectType: DeviceLine|"
           "PeerStatus: ATTACHED|SCCPDevice: SEP001122334455|SCCPLine: 1001|SCCPLineName: Alice");
    assert_string_equal(reg(w, "13"), "'Registered'");
    say(w, "Event: PeerStatus|PeerStatus: ATTACHED|SCCPDevice: SEP00AA|SCCPLine: 1001");
    say(w, "Event: PeerStatus|PeerStatus: DETACHED|SCCPDevice: SEP001122334455|SCCPLine: 1001");
    assert_string_equal(reg(w, "13"), "'Registered'");
    say(w, "Event: PeerStatus|PeerStatus: DETACHED|SCCPDevice: SEP00AA|SCCPLine: 1001");
    assert_string_equal(reg(w, "13"), "'Unregistered'");
    say(w, "Event: PeerStatus|PeerStatus: REGISTERED|SCCPDevice: SEP00AA"); /* no line */
    assert_string_equal(reg(w, "13"), "'Unregistered'");
    assert_string_equal(reg(w, "11"), "''");
}

static const char *waiting(struct model_world *w, const char *box)
{
    return world_json(w, LIST_voicemails, box, XOD(voicemails, waiting));
}

static void a_mailbox_without_a_context_is_in_default(void **state)
{
    struct model_world *w = *state;

    say(w, "Event: MessageWaiting|Mailbox: 1001|Waiting: 1|New: 2|Old: 1");
    assert_string_equal(waiting(w, "11"), "true");
    assert_string_equal(world_json(w, LIST_voicemails, "11", XOD(voicemails, newcount)), "2");
    say(w, "Event: MessageWaiting|Mailbox: 1001@other|Waiting: 0|New: 0|Old: 1");
    assert_string_equal(waiting(w, "11"), "true");
    say(w, "Event: MessageWaiting|Mailbox: 1001@default|Waiting: 0|New: 0|Old: 3");
    assert_string_equal(waiting(w, "11"), "false");
    assert_string_equal(waiting(w, "12"), "false");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_combined_hint_wins_over_the_device),
        T(after_a_login_too),
        T(of_several_hints_the_best_one_counts),
        T(without_its_hint_the_device_counts),
        T(unknown_is_idle),
        T(any_technology_has_device_states),
        T(an_endpoint_is_as_good_as_its_best_contact),
        T(listings_use_the_same_words),
        T(a_line_of_sccp_is_attached_to_telephones),
        T(a_mailbox_without_a_context_is_in_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
