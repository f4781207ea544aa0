/* What an Asterisk is found to have: from the listings of recorded ones, and from the ways in which
 * other sites name their phones, queues and rooms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "discover/discover.h"
#include "support/capture.h"
#include "json/json.h"

struct world {
    struct discovery *d;
    struct json_object *lists;
    struct buf text;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->d = discovery_new(AMI_CHARSET_UTF8);
    buf_init(&w->text, 0);
    *state = w;
    return w->d ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    discovery_destroy(&w->d);
    json_object_put(w->lists);
    buf_free(&w->text);
    free(w);
    return 0;
}

static bool take(void *arg, const struct ami_block *b)
{
    discovery_take(arg, b);
    return true;
}

static void listing(struct world *w, const char *version)
{
    struct buf bytes;
    char path[128];

    snprintf(path, sizeof(path), "%s/01-login-listing.ami", version);
    capture_load(&bytes, path);
    capture_blocks(buf_view(&bytes), 0, take, w->d);
    buf_free(&bytes);
}

static void says(struct world *w, const char *lines)
{
    capture_lines(lines, take, w->d);
}

/* The items of a list, each as the values of these fields with a blank between, and a comma between
 * items. */
static const char *list(struct world *w, const char *name, const char *fields)
{
    struct json_object *items;

    json_object_put(w->lists);
    w->lists = discovery_lists(w->d);
    items = json_get(w->lists, name);
    buf_reset(&w->text);
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct view rest = view_cstr(fields);
        buf_append_cstr(&w->text, i ? ", " : "");
        for (size_t n = 0; rest.len; n++) {
            struct json_object *v =
                json_member(json_object_array_get_idx(items, i), view_cut(&rest, ' '));
            buf_append_cstr(&w->text, n ? " " : "");
            buf_append_cstr(&w->text, v ? json_object_get_string(v) : "-");
        }
    }
    return buf_cstr(&w->text);
}

#define LIST(name, fields, text) assert_string_equal(list(w, name, fields), text)

static void a_recorded_20(void **state)
{
    struct world *w = *state;

    listing(w, "20");
    LIST("lines", "id number context iduserfeatures",
         "sip-alice 1001 default 1001@default, sip-bob 1002 default 1002@default, "
         "sip-carol 1003 default 1003@default, sip-dave 1004 default 1004@default, "
         "sip-erin 1005 default 1005@default");
    LIST("users", "id firstname lastname voicemailid email",
         "1001@default Alice Martin 1001@default alice@example.org, "
         "1002@default Bob Tremblay 1002@default bob@example.org, "
         "1003@default Carole Lef\303\250vre 1003@default carole@example.org, "
         "1004@default 1004 - - -, 1005@default 1005 - - -");
    LIST("trunks", "id host", "iax-frank -, iax-iaxloop 127.0.0.1, sip-pstn 127.0.0.1");
    LIST("queues", "id displayname", "agentq agentq, empty empty, sales sales, support support");
    LIST("agents", "id firstname lastname", "2001 Alice Agent, 2002 Bob Agent");
    LIST("voicemails", "uniqueid mailbox context fullname",
         "1001@default 1001 default Alice Martin, 1002@default 1002 default Bob Tremblay, "
         "1003@default 1003 default Carole Lef\303\250vre");
    LIST("parkinglot", "id extension context positions",
         "default 700 parkedcalls 20, second - - 10");
}

/* Its hints are of ext-local; alice's is the other phone with number 1001. */
static void a_recorded_23_with_phones_of_freepbx(void **state)
{
    struct world *w = *state;

    listing(w, "23");
    LIST("lines", "id number iduserfeatures",
         "pjsip-1001 1001 1001@ext-local, pjsip-1002 1002 1002@ext-local, "
         "pjsip-1003 1003 1003@ext-local, pjsip-alice 1001 1001@default, "
         "pjsip-bob 1002 1002@default, pjsip-dave 1004 1004@default, "
         "pjsip-erin 1005 1005@default");
    LIST("queues", "id number", "400 400, agentq -, calls -, empty -, sales -, support -");
}

static void a_recorded_1_8(void **state)
{
    struct world *w = *state;

    listing(w, "1.8");
    LIST("lines", "id number", "sip-alice 1001"); /* the only one that was asked about */
    LIST("parkinglot", "id extension", "default 700");
}

#define ENDPOINT(name) "Event: EndpointList|ObjectName: " name "||"
#define HINT(exten, hint)                                                                          \
    "Event: ExtensionStatus|Exten: " exten "|Context: hints|Hint: " hint "|Status: 0||"

static void of_several_hints_the_one_with_the_fewest_devices_counts(void **state)
{
    struct world *w = *state;

    says(w,
         ENDPOINT("alice") ENDPOINT("bob") ENDPOINT("alice-mobile") ENDPOINT("90")
             HINT("600", "PJSIP/alice&PJSIP/bob")
                 HINT("1001", "PJSIP/alice&PJSIP/alice-mobile&Custom:DND1001,CustomPresence:1001")
                     HINT("1002", "PJSIP/bob") HINT("12", "PJSIP/bob") HINT("*78", "PJSIP/90")
                         HINT("90", "PJSIP/90") HINT("9", "PJSIP/90"));
    /* alice has no hint of her own, and bob two: of two alike the shorter number */
    LIST("lines", "id number rules_order",
         "pjsip-90 90 1, pjsip-alice 600 1, pjsip-alice-mobile 1001 2, pjsip-bob 12 1");
    /* but for the number that the device itself has */
    says(w, "Event: EndpointDetail|ObjectName: alice|Callerid: \"Alice\" <1001>||"
            "Event: EndpointDetail|ObjectName: bob|Callerid: |Mailboxes: 1002@default||");
    LIST("lines", "id number rules_order",
         "pjsip-90 90 1, pjsip-alice 1001 1, pjsip-alice-mobile 1001 2, pjsip-bob 1002 1");
}

static void a_driver_may_be_written_in_any_case(void **state)
{
    struct world *w = *state;

    says(w, ENDPOINT("alice") HINT("1001", "pjsip/alice") HINT("1002", "dahdi/1")
                HINT("1003", "DAHDI/1"));
    LIST("lines", "id number", "dahdi-1 1002, pjsip-alice 1001");
}

static void phones_of_other_drivers_are_in_hints(void **state)
{
    struct world *w = *state;

    says(w, HINT("1001", "DAHDI/1") HINT("1002", "SCCP/1002") HINT("70", "park:701@parkedcalls")
                HINT("71", "Local/1001@default") HINT("72", "Custom:DND1001")
                    HINT("73", "PJSIP/gone"));
    LIST("lines", "id protocol name number", "dahdi-1 dahdi 1 1001, sccp-1002 sccp 1002 1002");
}

static void without_a_hint_caller_id_mailbox_or_name_tell_the_number(void **state)
{
    struct world *w = *state;

    says(w, "Event: EndpointDetail|ObjectName: abcdef12|Context: internal|Mailboxes: |"
            "Callerid: \"Alice Martin\" <1001>||"
            "Event: EndpointDetail|ObjectName: box|Context: internal|Mailboxes: 1002@default|"
            "Callerid: <unknown>||"
            "Event: EndpointDetail|ObjectName: 1003|Context: internal|Callerid: ||"
            "Event: EndpointDetail|ObjectName: operator|Context: from-pstn|"
            "Callerid: \"Us\" <+33123456789>||"
            "Event: EndpointDetail|ObjectName: anonymous|Context: from-pstn|Callerid: ||");
    LIST("lines", "id number context",
         "pjsip-1003 1003 internal, pjsip-abcdef12 1001 internal, pjsip-box 1002 internal");
    LIST("users", "id firstname lastname",
         "1001@internal Alice Martin, 1002@internal 1002 -, 1003@internal 1003 -");
    LIST("trunks", "id context", "pjsip-operator from-pstn");
}

static void what_registers_elsewhere_is_a_trunk(void **state)
{
    struct world *w = *state;

    says(w, ENDPOINT("1234") ENDPOINT("1001")
                ENDPOINT("v6") "Event: OutboundRegistrationDetail|ObjectName: reg-1|Endpoint: 1234|"
                               "ServerUri: sip:sip.operator.example:5061\\;transport=tls||"
                               "Event: OutboundRegistrationDetail|ObjectName: v6|"
                               "ServerUri: sip:[2001:db8::5]:5060||"
                               "Event: PeerEntry|Channeltype: SIP|ObjectName: 2000|IPaddress: "
                               "192.0.2.1|Dynamic: no||"
                               "Event: RegistryEntry|Host: 192.0.2.1|Username: us||");
    LIST("trunks", "id host",
         "pjsip-1234 sip.operator.example, pjsip-v6 2001:db8::5, sip-2000 192.0.2.1");
    LIST("lines", "id", "pjsip-1001");
}

/* chan_iax2 calls its event as chan_sip does; 2000 of SIP has the name of the user of its account.
 */
static void what_registers_over_iax2_is_a_trunk(void **state)
{
    struct world *w = *state;

    says(w, "Event: PeerEntry|Channeltype: IAX2|ObjectName: 3000|IPaddress: 192.0.2.7|Dynamic: no||"
            "Event: PeerEntry|Channeltype: IAX|ObjectName: 2000/us|IPaddress: -none-|Dynamic: yes||"
            "Event: PeerEntry|Channeltype: IAX2|ObjectName: 3001|IPaddress: -none-|Dynamic: yes||"
            "Event: PeerEntry|Channeltype: IAX2|ObjectName: 3002|IPaddress: 2001:db8::5|"
            "Dynamic: no||"
            "Event: PeerEntry|Channeltype: SIP|ObjectName: 2000|IPaddress: -none-|Dynamic: yes||"
            "Event: RegistryEntry|Host: 192.0.2.7:4569|DNSmanager: N|Username: them|"
            "Perceived: 198.51.100.1:4569|Refresh: 60|State: Registered||"
            "Event: RegistryEntry|Host: 203.0.113.9:4569|DNSmanager: Y|Username: 2000|"
            "Perceived: <Unregistered>|Refresh: 60|State: Request Sent||"
            "Event: RegistryEntry|Host: [2001:db8::5]:4569|DNSmanager: N|Username: six|"
            "Perceived: <Unregistered>|Refresh: 60|State: Timeout||");
    LIST("trunks", "id host", "iax-2000 203.0.113.9, iax-3000 192.0.2.7, iax-3002 2001:db8::5");
    LIST("lines", "id", "iax-3001, sip-2000");
}

static void freepbx_keeps_names_in_its_database(void **state)
{
    struct world *w = *state;

    says(w,
         ENDPOINT("1001") "Event: DBGetTreeResponse|Key: /AMPUSER/1001/cidname|Val: Anne Dupont||"
                          "Event: DBGetTreeResponse|Key: /AMPUSER/1001/cidnum|Val: 1001||"
                          "Event: DBGetTreeResponse|Key: /DND/1001|Val: YES||"
                          "Event: VoicemailUserEntry|VMContext: default|VoiceMailbox: 1001|"
                          "Fullname: A. Dupont||");
    LIST("users", "firstname lastname voicemailid", "Anne Dupont 1001@default");
}

#define PLAN(exten, app, data)                                                                     \
    "Event: ListDialplan|Context: internal|Extension: " exten "|Priority: 1|Application: " app     \
    "|AppData: " data "||"

static void the_dialplan_says_the_numbers_of_queues_rooms_and_lots(void **state)
{
    struct world *w = *state;

    says(w,
         PLAN("3001", "Queue", "support,tT,,,60") PLAN("0123456789", "Queue", "support")
             PLAN("_4XXX", "ConfBridge", "${EXTEN}") PLAN("4001", "ConfBridge", "4001,admin")
                 PLAN("4002", "MeetMe", "${MEETME_ROOMNUM},d") PLAN("700", "Park", "")
                     PLAN("3009", "Queue", "not-there")
                         PLAN("1001", "Dial", "PJSIP/alice") "Event: QueueParams|Queue: support||"
                                                             "Event: QueueParams|Queue: 400||");
    LIST("queues", "id number context", "400 400 -, support 3001 internal");
    LIST("meetmes", "id confno context", "4001 4001 internal, 4002 4002 internal");
    LIST("parkinglot", "id extension", "default 700");
}

/* By its hints, its phones, or the members of its queues, whatever of them may be seen. */
static void freepbx_is_known(void **state)
{
    static const struct {
        const char *lines;
        bool is;
    } rows[] = {
        {ENDPOINT("1001"), false},
        {HINT("1001", "PJSIP/1001"), false},
        {"Event: EndpointDetail|ObjectName: 1001|Context: from-internal||", true},
        {"Event: EndpointDetail|ObjectName: 1001|Context: from-inside||", false},
        {"Event: ExtensionStatus|Exten: 1001|Context: ext-local|Hint: SIP/1001|Status: 0||", true},
        {"Event: QueueMember|Queue: 400|Name: A|Location: Local/1001@from-queue/n||", true},
        {"Event: QueueMember|Queue: 400|Name: A|Location: Local/201@internal/n||", false},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        discovery_destroy(&w->d);
        w->d = discovery_new(AMI_CHARSET_UTF8);
        says(w, rows[i].lines);
        assert_int_equal(discovery_is_freepbx(w->d), rows[i].is);
    }
    assert_string_equal(discovery_manager(false)->place, "manager.conf");
    assert_non_null(strstr(discovery_manager(true)->place, "Asterisk Manager Users"));
}

static void agents_may_be_members_only(void **state)
{
    struct world *w = *state;

    says(w, "Event: QueueMember|Queue: q|Name: Agent/2001|Location: Local/2001@agents/n||"
            "Event: QueueMember|Queue: q|Name: Bob|Location: Agent/2002||"
            "Event: QueueMember|Queue: q|Name: Carole|Location: PJSIP/1003||");
    LIST("agents", "id firstname", "2001 2001, 2002 2002");
}

static void what_comes_in_another_order_gives_the_same(void **state)
{
    struct world *w = *state;
    struct world other = {.d = discovery_new(AMI_CHARSET_UTF8)};
    char *first;

    buf_init(&other.text, 0);
    says(w,
         HINT("1001", "PJSIP/alice") ENDPOINT("bob") ENDPOINT("alice") HINT("1002", "PJSIP/bob"));
    says(&other,
         HINT("1002", "PJSIP/bob") ENDPOINT("alice") HINT("1001", "PJSIP/alice") ENDPOINT("bob"));
    first = strdup(list(w, "lines", "id number"));
    assert_string_equal(first, list(&other, "lines", "id number"));
    free(first);
    discovery_destroy(&other.d);
    json_object_put(other.lists);
    buf_free(&other.text);
}

static void hostile_texts_are_bounded_and_become_utf8(void **state)
{
    struct world *w = *state;
    char lines[8192];

    snprintf(lines, sizeof(lines), "Event: EndpointList|ObjectName: %0300d||" ENDPOINT(""), 0);
    says(w, lines);
    snprintf(lines, sizeof(lines),
             "Event: VoicemailUserEntry|VMContext: x|VoiceMailbox: 1|Fullname: \303||"
             "Event: VoicemailUserEntry|VMContext: x|VoiceMailbox: 2|Fullname: %02000d||",
             0);
    says(w, lines);
    LIST("lines", "id", "");
    LIST("voicemails", "uniqueid fullname", "1@x \357\277\275, 2@x -");
}

/* ---- what is asked ---- */

/* Sends what is next, answered in this way; how many actions. */
static size_t walk(struct discovery *d, bool good, const char *message)
{
    struct discovery_ask ask;
    size_t n = 0;

    for (; discovery_next(d, &ask); n++)
        discovery_answered(d, ask.step, good, view_cstr(message));
    return n;
}

static void each_device_is_asked_about(void **state)
{
    struct world *w = *state;
    struct discovery_ask ask;
    size_t lists = 0;
    size_t steps[32];

    while (discovery_next(w->d, &ask))
        steps[lists++] = ask.step;
    assert_true(lists > 10);
    says(w, ENDPOINT("1001") "Event: PeerEntry|Channeltype: SIP|ObjectName: 1002|Dynamic: yes||"
                             "Event: PeerEntry|Channeltype: IAX|ObjectName: x/y|Dynamic: yes||");
    for (size_t i = 0; i < lists; i++) {
        assert_false(discovery_next(w->d, &ask));
        discovery_answered(w->d, steps[i], true, view_of(NULL, 0));
    }
    assert_int_equal(discovery_total(w->d), lists + 3);
    assert_true(discovery_next(w->d, &ask));
    assert_true(view_eq(ask.action, VIEW("PJSIPShowEndpoint")) && ask.is_list);
    assert_true(view_eq(ask.value, VIEW("1001")));
    assert_true(discovery_next(w->d, &ask));
    assert_true(view_eq(ask.action, VIEW("SIPshowpeer")) && !ask.is_list);
    assert_false(discovery_next(w->d, &ask));
}

static void what_is_not_permitted_is_told_with_its_remedy(void **state)
{
    struct world *w = *state;
    struct discovery_refusal r;

    walk(w->d, false, "Permission denied");
    assert_true(discovery_refusal(w->d, 0, &r));
    assert_string_equal(r.action, "PJSIPShowEndpoints");
    assert_string_equal(r.permission, "system");
    assert_string_equal(r.missing, "the PJSIP endpoints");
    assert_false(discovery_lacks(w->d, "PJSIPShowEndpoints"));
}

static void what_this_asterisk_lacks_is_no_refusal(void **state)
{
    struct world *w = *state;
    struct discovery_refusal r;

    walk(w->d, false, "Invalid/unknown command: SIPpeers. Use Action: ListCommands");
    assert_false(discovery_refusal(w->d, 0, &r));
    assert_true(discovery_lacks(w->d, "SIPpeers"));
    assert_false(discovery_lacks(w->d, "CoreShowChannels"));
}

/* One that is not permitted is not tried thousands of times. */
static void a_refused_question_is_not_repeated(void **state)
{
    struct world *w = *state;
    struct discovery_refusal r;
    size_t n = 0;

    says(w, ENDPOINT("1") ENDPOINT("2") ENDPOINT("3") ENDPOINT("4"));
    walk(w->d, true, "");
    discovery_destroy(&w->d);
    w->d = discovery_new(AMI_CHARSET_UTF8);
    says(w, ENDPOINT("1") ENDPOINT("2") ENDPOINT("3") ENDPOINT("4"));
    for (struct discovery_ask ask; discovery_next(w->d, &ask);) {
        bool question = view_eq(ask.action, VIEW("PJSIPShowEndpoint"));
        n += question;
        discovery_answered(w->d, ask.step, !question, VIEW("Permission denied"));
    }
    assert_int_equal(n, 1);
    assert_true(discovery_refusal(w->d, 0, &r));
    assert_int_equal(discovery_done(w->d), discovery_total(w->d));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_recorded_20),
        T(a_recorded_23_with_phones_of_freepbx),
        T(a_recorded_1_8),
        T(of_several_hints_the_one_with_the_fewest_devices_counts),
        T(a_driver_may_be_written_in_any_case),
        T(phones_of_other_drivers_are_in_hints),
        T(without_a_hint_caller_id_mailbox_or_name_tell_the_number),
        T(what_registers_elsewhere_is_a_trunk),
        T(what_registers_over_iax2_is_a_trunk),
        T(freepbx_keeps_names_in_its_database),
        T(the_dialplan_says_the_numbers_of_queues_rooms_and_lots),
        T(agents_may_be_members_only),
        T(freepbx_is_known),
        T(what_comes_in_another_order_gives_the_same),
        T(hostile_texts_are_bounded_and_become_utf8),
        T(each_device_is_asked_about),
        T(what_is_not_permitted_is_told_with_its_remedy),
        T(what_this_asterisk_lacks_is_no_refusal),
        T(a_refused_question_is_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
