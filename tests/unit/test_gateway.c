/* A gateway between an Asterisk that is played here and a real state: what clients would see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway.h"
#include "support/asterisk.h"
#include "support/whole_state.h"

struct world {
    struct state_world s;
    struct asterisk a;
    struct process p;
    struct gateway *g;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct gateway_options opt = {.ipbx = "xivo"};
    int err = 0;

    *state = w;
    if (state_setup(&w->s) < 0 || !ast_start(&w->a, w->s.loop))
        return -1;
    opt.publish = state_endpoint_publish(w->s.s);
    opt.request = state_endpoint_request(w->s.s);
    opt.link = (struct link_options){.host = "127.0.0.1",
                                     .port = w->a.port,
                                     .username = "u",
                                     .password = "secret",
                                     .instance = "g",
                                     .timeout_ms = 2000};
    w->p = process_start(w->s.loop, "ami-gw:xivo@test", "ami-gw-xivo", NULL);
    w->g = gateway_new(w->s.loop, w->p.bus, &opt, w->p.metrics, NULL, &err);
    return err;
}

static int teardown(void **state)
{
    struct world *w = *state;

    gateway_destroy(&w->g);
    process_end(&w->p);
    ast_end(&w->a);
    state_teardown(&w->s);
    free(w);
    return 0;
}

static const char *link_of(struct world *w)
{
    return state_str(xod_find(w->s.site, LIST_ipbx, VIEW("xivo")), XOD(ipbx, link));
}

static struct xod_obj *channel(struct world *w, const char *name)
{
    return xod_find(w->s.site, LIST_channels, view_cstr(name));
}

static const char *commstatus(struct world *w, const char *name)
{
    return state_str(channel(w, name), XOD(channels, commstatus));
}

/* Answers the listings of a resync; channels: the events of the list of channels. */
static void list_all(struct world *w, const char *const *channels)
{
    ast_expect(&w->a, "Action: BridgeList\r\n", NULL);
    ast_answer(&w->a, "Response: Error", "Message: Invalid/unknown command\r\n");
    ast_expect(&w->a, "Action: CoreShowChannels\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "EventList: start\r\n");
    for (; *channels; channels++)
        ast_answer(&w->a, "Event: CoreShowChannel", *channels);
    ast_answer(&w->a, "Event: CoreShowChannelsComplete", "EventList: Complete\r\n");
    ast_expect(&w->a, "Action: ExtensionStateList\r\n", NULL);
    ast_answer(&w->a, "Response: Error", "Message: Invalid/unknown command\r\n");
    for (int i = 0; i < 2; i++) { /* the two phones of the configuration */
        ast_expect(&w->a, "Action: ExtensionState\r\n", "Context: default\r\n");
        ast_answer(&w->a, "Response: Success",
                   "Exten: 1001\r\nContext: default\r\nHint: SIP/alice\r\nStatus: 1\r\n");
    }
}

static const char *const no_channels[] = {NULL};

/* Logs in; raw events are not asked for. */
static void come_up(struct world *w, const char *const *channels)
{
    ast_log_in(&w->a);
    ast_expect(&w->a, "Action: Events\r\n", "EventMask: system,call,agent,user,originate\r\n");
    ast_answer(&w->a, "Response: Success", "Events: On\r\n");
    list_all(w, channels);
    UNTIL(w->s.loop, strcmp(link_of(w), "up") == 0);
}

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
    static const char *const channels[] = {
        "Channel: SIP/alice-1\r\nChannelState: 6\r\nBridgedChannel: SIP/bob-2\r\n",
        "Channel: SIP/bob-2\r\nChannelState: 6\r\nBridgedChannel: SIP/alice-1\r\n", NULL};
    struct world *w = *state;

    assert_string_equal(link_of(w), "down");
    come_up(w, channels);
    assert_non_null(channel(w, "SIP/alice-1"));
    UNTIL(w->s.loop, view_starts(view_cstr(commstatus(w, "SIP/bob-2")), VIEW("linked")));
    assert_string_equal(
        state_str(xod_find(w->s.site, LIST_phones, VIEW("12")), XOD(phones, hintstatus)), "1");
    assert_true(gateway_is_ready(w->g, NULL));
}

static void a_cut_link_leaves_no_ghosts_behind(void **state)
{
    static const char *const channels[] = {"Channel: SIP/bob-2\r\nChannelState: 6\r\n", NULL};
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
    static const char *const channels[] = {"Channel: SIP/alice-1\r\nChannelState: 6\r\n", NULL};
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
    UNTIL(w->s.loop, strcmp(link_of(w), "up") == 0);
    assert_non_null(channel(w, "SIP/alice-1"));
    assert_int_equal(w->a.connections, 1); /* Asterisk noticed nothing */
}

static void a_listing_that_is_not_answered_is_tried_again(void **state)
{
    struct world *w = *state;

    ast_log_in(&w->a);
    ast_expect(&w->a, "Action: Events\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "");
    ast_expect(&w->a, "Action: BridgeList\r\n", NULL);
    ast_answer(&w->a, "Response: Error", "");
    ast_expect(&w->a, "Action: CoreShowChannels\r\n", NULL);
    for (int i = 0; i < 8; i++) { /* alive, but that list never comes */
        ast_say(&w->a, "Event: Reload\r\n\r\n");
        run_for(w->s.loop, 1500);
    }
    assert_string_equal(link_of(w), "resync");
    list_all(w, no_channels); /* with the hints of before */
    UNTIL(w->s.loop, strcmp(link_of(w), "up") == 0);
}

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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(everything_is_listed_when_both_sides_are_there),
        T(a_cut_link_leaves_no_ghosts_behind),
        T(a_restarted_state_asks_for_everything),
        T(a_listing_that_is_not_answered_is_tried_again),
        T(raw_events_flow_only_while_somebody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
