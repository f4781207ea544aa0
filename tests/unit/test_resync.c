/* Listing everything anew, against Asterisks that have all listings, some, or do not answer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "resync.h"
#include "support/asterisk.h"

struct world {
    struct loop *loop;
    struct metrics *metrics;
    struct ami_link *link;
    struct resync *resync;
    struct asterisk a;
    struct buf told, asked;
    int finished;
    bool complete;
};

static void on_up(void *arg, const char *banner)
{
}

static void on_down(void *arg, const char *reason)
{
    resync_abort(((struct world *)arg)->resync);
}

static void on_event(void *arg, const struct ami_block *b)
{
    buf_printf(&((struct world *)arg)->told, "live %.*s; ", VIEW_ARG(b->name));
}

static bool want(void *arg, struct view event)
{
    return true;
}

static const struct link_handler link_handler = {on_up, on_down, on_event, want, NULL, NULL};

static void on_mark(void *arg, enum tel_event ev, const char *kind)
{
    buf_printf(&((struct world *)arg)->told, "%s %s; ", ev == TEL_resync_begin ? "begin" : "end",
               kind);
}

/* The name that it is to be read as, and what it is about. */
static void on_item(void *arg, struct view name, const struct ami_block *b)
{
    static const char *const about[] = {"Channel",      "Exten", "Device", "Mailbox",
                                        "VoiceMailbox", "Queue", "Agent",  "ObjectName"};
    struct world *w = arg;

    buf_printf(&w->told, "%.*s", VIEW_ARG(name));
    for (size_t i = 0; i < ARRAY_SIZE(about); i++)
        if (ami_get(b, about[i]).len) {
            buf_printf(&w->told, " %.*s; ", VIEW_ARG(ami_get(b, about[i])));
            return;
        }
    buf_append_cstr(&w->told, "; ");
}

static void on_bridge(void *arg, const struct ami_block *b)
{
    buf_printf(&((struct world *)arg)->told, "bridge %.*s; ",
               VIEW_ARG(ami_get(b, "BridgeUniqueid")));
}

static void on_relist(void *arg)
{
    buf_append_cstr(&((struct world *)arg)->told, "relist; ");
}

static void on_finished(void *arg, bool complete)
{
    struct world *w = arg;

    w->finished++;
    w->complete = complete;
}

static const struct resync_handler resync_handler = {on_mark, on_item, on_bridge, on_relist,
                                                     on_finished};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct link_options opt = {.host = "127.0.0.1",
                               .username = "ctibus",
                               .password = "secret",
                               .instance = "t",
                               .timeout_ms = 2000};

    *state = w;
    w->loop = loop_new();
    w->metrics = metrics_new();
    buf_init(&w->told, 0);
    buf_init(&w->asked, 0);
    if (!ast_start(&w->a, w->loop))
        return -1;
    opt.port = w->a.port;
    w->link = link_new(w->loop, &opt, &link_handler, w, w->metrics, NULL);
    w->resync = resync_new(w->link, 0, &resync_handler, w, NULL);
    ast_log_in(&w->a);
    UNTIL(w->loop, link_is_up(w->link));
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    link_destroy(&w->link);
    resync_destroy(&w->resync);
    ast_end(&w->a);
    metrics_destroy(&w->metrics);
    buf_free(&w->told);
    buf_free(&w->asked);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

#define START "EventList: start\r\n"
#define END(event) "Event: " event "Complete|EventList: Complete|ListItems: 1"
#define OLD(message) "Message: " message " will follow\r\n"

static const struct hint_place two_hints[] = {{"1001", "default"}, {"1002", "default"}};

static const struct ast_reply new_asterisk[] = {
    {"BridgeList", START,
     "Event: BridgeListItem|BridgeUniqueid: x|BridgeType: base"
     "||" END("BridgeList")},
    {"CoreShowChannels", START,
     "Event: CoreShowChannel|Channel: SIP/a-1"
     "||" END("CoreShowChannels")},
    {"ExtensionStateList", START,
     "Event: ExtensionStatus|Exten: 1001|Status: 0"
     "||" END("ExtensionStateList")},
    {"DeviceStateList", START,
     "Event: DeviceStateChange|Device: SIP/a|State: INUSE"
     "||" END("DeviceStateList")},
    {"SIPpeers", START,
     "Event: PeerEntry|ObjectName: a"
     "||" END("Peerlist")},
    {"QueueStatus", START,
     "Event: QueueParams|Queue: s"
     "||"
     "Event: QueueMember|Queue: s"
     "||" END("QueueStatus")},
    {"Agents", START,
     "Event: Agents|Agent: 2001"
     "||" END("Agents")},
    {"ParkedCalls", START, END("ParkedCalls")},
    {"ConfbridgeListRooms", START,
     "Event: ConfbridgeListRooms|Conference: 4001"
     "||" END("ConfbridgeListRooms")},
    {"ConfbridgeList", START,
     "Event: ConfbridgeList|Conference: 4001|Channel: SIP/a-1"
     "||" END("ConfbridgeList")},
    {"VoicemailUsersList", START,
     "Event: VoicemailUserEntry|VoiceMailbox: 1001|VMContext: default|"
     "NewMessageCount: 0|OldMessageCount: 0"
     "||" END("VoicemailUserEntry")},
    {NULL, NULL, NULL}};

static void a_new_asterisk_lists_all(void **state)
{
    struct world *w = *state;

    resync_start(w->resync, two_hints, 2);
    AST_SERVE(&w->a, new_asterisk, &w->asked, w->finished == 1);
    assert_true(w->complete);
    assert_string_equal(
        buf_cstr(&w->asked),
        "BridgeList CoreShowChannels ExtensionStateList DeviceStateList PresenceStateList SIPpeers "
        "IAXpeers PJSIPShowEndpoints SIPshowregistry IAXregistry PJSIPShowRegistrationsOutbound "
        "QueueStatus Agents ParkedCalls MeetmeList "
        "ConfbridgeListRooms ConfbridgeList VoicemailUsersList ");
    assert_string_equal(
        buf_cstr(&w->told),
        "begin all; relist; begin channels; bridge x; CoreShowChannel SIP/a-1; end channels; "
        "begin hints; ExtensionStatus 1001; DeviceStateChange SIP/a; end hints; "
        "begin presences; begin peers; PeerEntry a; end peers; begin registrations; begin queues; "
        "QueueParams s; QueueMember s; "
        "end queues; begin agents; Agents 2001; end agents; begin parking; end parking; "
        "begin conferences; ConfbridgeList SIP/a-1; end conferences; "
        "begin voicemails; VoicemailUserEntry 1001; end voicemails; end all; ");
    assert_false(resync_running(w->resync));
}

/* 1.8: no EventList headers, an empty list of conferences is an Error, mailboxes without a count of
 * old messages, no list of hints. */
static const struct ast_reply old_asterisk[] = {
    {"CoreShowChannels", START, "Event: CoreShowChannelsComplete|EventList: Complete|ListItems: 0"},
    {"ExtensionState", "Exten: 1001\r\nContext: default\r\nHint: SIP/a\r\nStatus: 0\r\n", NULL},
    {"SIPpeers", START, END("Peerlist")},
    {"QueueStatus", OLD("Queue status"), "Event: QueueStatusComplete"},
    {"Agents", OLD("Agents"), "Event: AgentsComplete"},
    {"ParkedCalls", OLD("Parked calls"), "Event: ParkedCallsComplete|Total: 0"},
    {"MeetmeList", "Response: Error\r\nMessage: No active conferences.\r\n", NULL},
    {"VoicemailUsersList", OLD("Voicemail user list"),
     "Event: VoicemailUserEntry|VMContext: default|VoiceMailbox: 1001|"
     "NewMessageCount: 1"
     "||"
     "Event: VoicemailUserEntryComplete"},
    {"MailboxCount", "Mailbox: 1001@default\r\nNewMessages: 1\r\nOldMessages: 7\r\n", NULL},
    {NULL, NULL, NULL}};

static void an_old_asterisk_is_asked_one_by_one_where_it_cannot_list(void **state)
{
    struct world *w = *state;

    resync_start(w->resync, two_hints, 2);
    AST_SERVE(&w->a, old_asterisk, &w->asked, w->finished == 1);
    assert_true(w->complete);
    assert_non_null(strstr(buf_cstr(&w->asked), "ExtensionState ExtensionState DeviceStateList "));
    assert_non_null(strstr(buf_cstr(&w->asked), "VoicemailUsersList MailboxCount "));
    assert_string_equal(
        buf_cstr(&w->told),
        "begin all; relist; begin channels; end channels; begin hints; ExtensionStatus 1001; "
        "ExtensionStatus 1001; end hints; begin presences; begin peers; end peers; "
        "begin registrations; begin queues; end queues; "
        "begin agents; end agents; begin parking; end parking; begin conferences; "
        "end conferences; begin voicemails; VoicemailUserEntry 1001; "
        "MailboxCount 1001@default; end voicemails; end all; ");
}

/* What an Asterisk lacks or does not permit has no end, so that nothing is taken for gone. */
static void what_cannot_be_listed_has_no_end(void **state)
{
    static const struct ast_reply replies[] = {
        {"CoreShowChannels", START, END("CoreShowChannels")},
        {"QueueStatus", "Response: Error\r\nMessage: Permission denied\r\n", NULL},
        {"ConfbridgeListRooms", "Response: Error\r\nMessage: Permission denied\r\n", NULL},
        {"VoicemailUsersList", "Message: There are no voicemail users currently defined.\r\n",
         NULL},
        {NULL, NULL, NULL}};
    struct world *w = *state;

    resync_start(w->resync, NULL, 0);
    AST_SERVE(&w->a, replies, NULL, w->finished == 1);
    assert_true(w->complete);
    assert_string_equal(buf_cstr(&w->told),
                        "begin all; relist; begin channels; end channels; begin hints; end hints; "
                        "begin presences; begin peers; begin registrations; begin queues; begin "
                        "agents; begin parking; "
                        "begin conferences; begin voicemails; end voicemails; end all; ");
}

static void live_events_keep_their_place(void **state)
{
    struct world *w = *state;

    resync_start(w->resync, NULL, 0);
    ast_expect(&w->a, "Action: BridgeList\r\n", NULL);
    ast_answer(&w->a, "Response: Error", "Message: Invalid/unknown command\r\n");
    ast_expect(&w->a, "Action: CoreShowChannels\r\n", NULL);
    ast_answer(&w->a, "Response: Success", START);
    ast_answer(&w->a, "Event: CoreShowChannel", "Channel: SIP/a-1\r\n");
    ast_say(&w->a, "Event: Hangup\r\nChannel: SIP/b-2\r\n\r\n");
    ast_answer(&w->a, "Event: CoreShowChannel", "Channel: SIP/c-3\r\n");
    ast_answer(&w->a, "Event: CoreShowChannelsComplete", "EventList: Complete\r\n");
    UNTIL(w->loop, strstr(buf_cstr(&w->told), "end channels"));
    assert_non_null(strstr(buf_cstr(&w->told), "CoreShowChannel SIP/a-1; live Hangup; "
                                               "CoreShowChannel SIP/c-3; end channels"));
}

static void a_link_lost_in_a_listing_leaves_it_incomplete(void **state)
{
    struct world *w = *state;

    resync_start(w->resync, NULL, 0);
    ast_expect(&w->a, "Action: BridgeList\r\n", NULL);
    ast_answer(&w->a, "Response: Success", START);
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->finished == 1);
    assert_false(w->complete);
    assert_null(strstr(buf_cstr(&w->told), "end"));
    assert_false(resync_running(w->resync));
}

/* A resync that begins anew has nothing to do with the answers to the last one. */
static void a_second_start_forgets_the_first(void **state)
{
    struct world *w = *state;

    resync_start(w->resync, two_hints, 2);
    ast_expect(&w->a, "Action: BridgeList\r\n", NULL);
    resync_start(w->resync, NULL, 0);
    ast_answer(&w->a, "Response: Success", START); /* of the first */
    ast_answer(&w->a, "Event: BridgeListComplete", "EventList: Complete\r\n");
    AST_SERVE(&w->a, new_asterisk, &w->asked, w->finished == 1);
    assert_true(view_starts(buf_view(&w->asked), VIEW("BridgeList CoreShowChannels ")));
}

static void many_hints_are_asked_a_hundred_at_a_time(void **state)
{
    static const struct ast_reply replies[] = {
        {"ExtensionState", "Exten: 1\r\nContext: c\r\nHint: SIP/a\r\nStatus: 0\r\n", NULL},
        {NULL, NULL, NULL}};
    struct world *w = *state;
    struct hint_place hints[250];
    unsigned n = 0;

    for (int i = 0; i < 250; i++)
        hints[i] = (struct hint_place){i == 7 ? "4\r\nAction: Evil" : "1", "c"};
    resync_start(w->resync, hints, 250);
    AST_SERVE(&w->a, replies, &w->asked, w->finished == 1);
    for (const char *p = buf_cstr(&w->asked); (p = strstr(p, "ExtensionState ")); p++)
        n++;
    assert_int_equal(n, 249); /* one cannot be written */
    assert_null(strstr(buf_cstr(&w->asked), "Evil"));
    assert_true(w->complete);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_new_asterisk_lists_all),
        T(an_old_asterisk_is_asked_one_by_one_where_it_cannot_list),
        T(what_cannot_be_listed_has_no_end),
        T(live_events_keep_their_place),
        T(a_link_lost_in_a_listing_leaves_it_incomplete),
        T(a_second_start_forgets_the_first),
        T(many_hints_are_asked_a_hundred_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
