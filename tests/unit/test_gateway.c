/* A gateway between an Asterisk that is played here and a real state: what clients would see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/gateway_world.h"

static void start_call(struct world *w)
{
    ast_say(&w->a, "Event: Newchannel\r\nChannel: SIP/alice-1\r\nChannelState: 4\r\n\r\n"
                   "Event: Newchannel\r\nChannel: SIP/bob-2\r\nChannelState: 5\r\n\r\n"
                   "Event: Bridge\r\nBridgestate: Link\r\nChannel1: SIP/alice-1\r\n"
                   "Channel2: SIP/bob-2\r\n\r\n");
    UNTIL(w->s.loop, strcmp(commstatus(w, "SIP/bob-2"), "linked-called") == 0);
}

static void everything_is_listed_when_both_sides_are_there(void **state)
{
    static const char *const channels =
        "Event: CoreShowChannel|Channel: SIP/alice-1|ChannelState: 6|BridgedChannel: SIP/bob-2||"
        "Event: CoreShowChannel|Channel: SIP/bob-2|ChannelState: 6|BridgedChannel: SIP/alice-1||";
    struct world *w = *state;

    assert_string_equal(link_of(w), "down");
    come_up(w, channels);
    assert_non_null(channel(w, "SIP/alice-1"));
    UNTIL(w->s.loop, view_starts(view_cstr(commstatus(w, "SIP/bob-2")), VIEW("linked")));
    assert_string_equal(
        state_str(xod_find(w->s.ipbx, LIST_phones, VIEW("12")), XOD(phones, hintstatus)), "1");
    assert_true(gateway_is_ready(w->g, NULL));
}

static void a_cut_link_leaves_no_ghosts_behind(void **state)
{
    static const char *const channels =
        "Event: CoreShowChannel|Channel: SIP/bob-2|ChannelState: 6||";
    struct world *w = *state;

    come_up(w, no_channels);
    start_call(w);
    ast_hang_up(&w->a);
    UNTIL(w->s.loop, strcmp(link_of(w), "down") == 0);
    assert_non_null(channel(w, "SIP/alice-1")); /* the last known stays until it is known better */
    assert_false(gateway_is_ready(w->g, NULL));
    come_up(w, channels);
    assert_null(channel(w, "SIP/alice-1"));
    assert_string_equal(commstatus(w, "SIP/bob-2"), "ready");
}

static void a_restarted_state_asks_for_everything(void **state)
{
    static const char *const channels =
        "Event: CoreShowChannel|Channel: SIP/alice-1|ChannelState: 6||";
    struct world *w = *state;
    char publish[64], subscribe[64], request[64];

    come_up(w, no_channels);
    snprintf(publish, sizeof(publish), "%s", state_endpoint_publish(w->s.s));
    snprintf(subscribe, sizeof(subscribe), "%s", state_endpoint_subscribe(w->s.s));
    snprintf(request, sizeof(request), "%s", state_endpoint_request(w->s.s));
    state_stop(&w->s);
    while (state_start(&w->s, publish, subscribe, request) < 0) {
        state_stop(&w->s);
        loop_once(w->s.loop, 5);
    }
    list_all(w, channels);
    assert_non_null(channel(w, "SIP/alice-1"));
    assert_int_equal(w->a.connections, 1); /* Asterisk noticed nothing */
}

static int setup_impatient(void **state)
{
    return setup_with(state, 1000, 100);
}

static void a_listing_that_is_not_answered_is_tried_again(void **state)
{
    struct world *w = *state;

    ast_log_in(&w->a);
    ast_expect(&w->a, "Action: Events\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "");
    ast_expect(&w->a, "Action: ListCommands\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "Ping: Keepalive.\r\n");
    ast_expect(&w->a, "Action: BridgeList\r\n", NULL);
    ast_answer(&w->a, "Response: Error", "Message: Invalid/unknown command\r\n");
    ast_expect(&w->a, "Action: CoreShowChannels\r\n", NULL); /* that list never comes */
    ast_expect(&w->a, "Action: BridgeList\r\n", NULL);
    assert_string_equal(link_of(w), "resync");
    ast_answer(&w->a, "Response: Error", "Message: Invalid/unknown command\r\n");
    list_all(w, no_channels); /* with the hints of before */
    assert_int_equal(metric(w, "ctibus_ami_resyncs_total"), 2);
    assert_int_equal(w->a.connections, 1); /* it was not taken for dead */
    assert_non_null(strstr(buf_cstr(&w->asked), "ExtensionState ExtensionState "));
}

/* ---- reloads and restarts ---- */

static bool asked_again(struct world *w, const char *what)
{
    static const struct ast_reply none[] = {{NULL, NULL, NULL}};
    char text[4096];

    if (ast_take_action(&w->a, text, sizeof(text)))
        ast_serve_one(&w->a, none, &w->asked, text);
    return strstr(buf_cstr(&w->asked), what) != NULL;
}

static void a_reload_is_followed_by_one_listing(void **state)
{
    struct world *w = *state;

    come_up(w, no_channels);
    buf_reset(&w->asked);
    for (int i = 0; i < 20; i++)
        ast_say(&w->a, "Event: Reload\r\nModule: x\r\n\r\n"
                       "Event: ChannelReload\r\nChannelType: SIP\r\n\r\n");
    UNTIL(w->s.loop, asked_again(w, "VoicemailUsersList"));
    run_for(w->s.loop, 1500);
    assert_int_equal(metric(w, "ctibus_ami_resyncs_total"), 2);
}

static void a_booting_asterisk_is_listed_again_once_it_is_up(void **state)
{
    struct world *w = *state;

    come_up(w, no_channels);
    buf_reset(&w->asked);
    ast_say(&w->a, "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n");
    UNTIL(w->s.loop, asked_again(w, "VoicemailUsersList"));
    assert_non_null(strstr(buf_cstr(&w->asked), "ListCommands")); /* modules may have come */
}

static void on_down(void *arg, const struct bus_msg *m)
{
    struct buf *why = arg;

    if (view_eq(m->topic, VIEW("tel/xivo/link/down/")))
        buf_append_view(why, m->body);
}

static void an_asterisk_that_stops_says_so(void **state)
{
    static const struct bus_sub_handler handler = {on_down, NULL};
    struct world *w = *state;
    struct bus_sub *sub;
    struct buf why;
    int err = 0;

    buf_init(&why, 0);
    sub = bus_sub_new(w->p.bus, state_endpoint_subscribe(w->s.s), &handler, &why, &err);
    bus_sub_add(sub, VIEW("tel/xivo/link/"));
    come_up(w, no_channels);
    start_call(w);
    ast_say(&w->a, "Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: True\r\n\r\n");
    run_for(w->s.loop, 20);
    ast_hang_up(&w->a);
    UNTIL(w->s.loop, buf_len(&why) > 0);
    assert_true(view_find(buf_view(&why), VIEW("Asterisk has stopped")) >= 0);
    come_up(w, no_channels);
    assert_null(channel(w, "SIP/alice-1"));
    bus_sub_destroy(&sub);
    buf_free(&why);
}

/* The end of an old call that a feature digit interrupts is told when nothing more comes. */
static void what_is_held_back_is_told_after_a_lull(void **state)
{
    struct world *w = *state;

    come_up(w, no_channels);
    start_call(w);
    ast_say(&w->a, "Event: Unlink\r\nChannel1: SIP/alice-1\r\nChannel2: SIP/bob-2\r\n\r\n");
    UNTIL(w->s.loop, strcmp(commstatus(w, "SIP/bob-2"), "ready") == 0);
}

static void events_without_a_row_are_counted(void **state)
{
    struct world *w = *state;

    come_up(w, no_channels);
    ast_say(&w->a, "Event: Unheard\r\nOf: it\r\n\r\nEvent: Newexten\r\nApplication: Set\r\n\r\n");
    UNTIL(w->s.loop, metric(w, "ctibus_ami_untranslated_total") == 2);
}

/* ---- raw events ---- */

struct raw {
    int got;
    struct buf body;
};

static void on_raw(void *arg, const struct bus_msg *m)
{
    struct raw *r = arg;

    assert_true(view_eq(m->topic, VIEW("ami/xivo/VarSet/")));
    buf_reset(&r->body);
    buf_append_view(&r->body, m->body);
    r->got++;
}

/* 1.8: no filters, so the mask is changed on the one link. */
static void raw_events_flow_only_while_somebody_listens(void **state)
{
    static const struct bus_sub_handler handler = {on_raw, NULL};
    struct world *w = *state;
    struct bus_sub *sub;
    struct raw raw = {.got = 0};
    struct msg_doc doc;
    int err = 0;

    come_up(w, no_channels);
    buf_init(&raw.body, 0);
    sub = bus_sub_new(w->p.bus, state_endpoint_subscribe(w->s.s), &handler, &raw, &err);
    bus_sub_add(sub, VIEW("ami/xivo/"));
    ast_expect(&w->a, "Action: Events\r\n", "EventMask: on\r\n");
    ast_answer(&w->a, "Response: Success", "");
    ast_say(&w->a, "Event: VarSet\r\nVariable: A\r\nValue: caf\351\r\nvariable: B\r\n\r\n");
    UNTIL(w->s.loop, raw.got == 1);
    msg_doc_init(&doc);
    assert_int_equal(msg_parse(&doc, buf_view(&raw.body)), 0);
    assert_true(view_eq(msg_get_str(&doc.root, "Value"), VIEW("caf\xef\xbf\xbd")));
    assert_int_equal(msg_get(&doc.root, "Variable")->type, MSGPACK_OBJECT_ARRAY);
    assert_int_equal(msg_get(&doc.root, "Variable")->via.array.size, 2);
    msg_doc_fini(&doc);
    bus_sub_destroy(&sub);
    ast_expect(&w->a, "Action: Events\r\n", "EventMask: system,call,agent,user,originate\r\n");
    buf_free(&raw.body);
}

#define DROPPED "EventMask: system,call,agent,user,originate,dialplan\r\n"

/* Filters hold the flood back; raw events then come over a link of their own. */
static void filters_stay_in_force_beside_a_listener(void **state)
{
    static const struct bus_sub_handler handler = {on_raw, NULL};
    static const struct ast_reply any[] = {{"Challenge", "Challenge: 1\r\n", NULL},
                                           {"Login", "Message: Authentication accepted\r\n", NULL},
                                           {NULL, NULL, NULL}};
    struct world *w = *state;
    struct raw raw = {.got = 0};
    struct bus_sub *sub;
    struct asterisk tap;
    int err = 0;

    w->commands = "Ping: x\r\nFilter: Dynamically add filters.\r\n";
    come_up(w, no_channels);
    assert_non_null(strstr(buf_cstr(&w->asked), "Filter Filter "));
    AST_SERVE(&w->a, any, &w->asked, strstr(buf_cstr(&w->asked), "Events") != NULL);
    buf_init(&raw.body, 0);
    sub = bus_sub_new(w->p.bus, state_endpoint_subscribe(w->s.s), &handler, &raw, &err);
    bus_sub_add(sub, VIEW("ami/xivo/"));
    tap = w->a; /* the same listener; the gateway's link stays as it is */
    tap.conn = -1;
    buf_init(&tap.in, 0);
    ast_log_in(&tap);
    ast_say(&tap, "Event: VarSet\r\nVariable: A\r\nValue: x\r\n\r\n");
    ast_say(&w->a, "Event: Newchannel\r\nChannel: SIP/alice-1\r\nChannelState: 4\r\n\r\n");
    UNTIL(w->s.loop, raw.got == 1 && channel(w, "SIP/alice-1"));
    assert_string_equal(link_of(w), "up");
    bus_sub_destroy(&sub);
    UNTIL(w->s.loop, ast_closed(&tap)); /* nobody listens any more */
    ast_hang_up(&tap);
    buf_free(&tap.in);
    buf_free(&raw.body);
}

static void a_refused_filter_leaves_the_mask_narrow(void **state)
{
    static const struct ast_reply replies[] = {
        {"Filter", "Response: Error\r\nMessage: Filter could not be added\r\n", NULL},
        {NULL, NULL, NULL}};
    struct world *w = *state;
    char text[1024];

    w->commands = "Filter: Dynamically add filters.\r\n";
    ast_log_in(&w->a);
    ast_expect(&w->a, "Action: Events\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "");
    ast_expect(&w->a, "Action: ListCommands\r\n", NULL);
    ast_answer(&w->a, "Response: Success", w->commands);
    AST_SERVE(&w->a, replies, &w->asked, strstr(buf_cstr(&w->asked), "VoicemailUsersList") != NULL);
    run_for(w->s.loop, 50);
    while (ast_take_action(&w->a, text, sizeof(text)))
        assert_null(strstr(text, DROPPED));
    assert_null(strstr(buf_cstr(&w->asked), "Events"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(everything_is_listed_when_both_sides_are_there),
        T(a_cut_link_leaves_no_ghosts_behind),
        T(a_restarted_state_asks_for_everything),
        cmocka_unit_test_setup_teardown(a_listing_that_is_not_answered_is_tried_again,
                                        setup_impatient, teardown),
        T(a_reload_is_followed_by_one_listing),
        T(a_booting_asterisk_is_listed_again_once_it_is_up),
        T(an_asterisk_that_stops_says_so),
        T(what_is_held_back_is_told_after_a_lull),
        T(events_without_a_row_are_counted),
        T(raw_events_flow_only_while_somebody_listens),
        T(filters_stay_in_force_beside_a_listener),
        T(a_refused_filter_leaves_the_mask_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
