/* Actions: from a tool through state and the gateway to an Asterisk, and the answers back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/gateway_world.h"
#include "xod/value.h"

/* A tool that asks state. */
struct tool {
    struct world *w;
    struct process p;
    struct bus_client *bus_client;
    int answers;
    enum bus_status status;
    struct buf said; /* the answer as JSON, with ' for " */
};

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct tool *t = arg;
    struct value v;
    struct buf json;

    t->answers++;
    t->status = status;
    buf_reset(&t->said);
    if (!body || value_from_msg(&v, body) < 0)
        return;
    buf_init(&json, 0);
    value_put_json(&json, &v);
    for (size_t i = 0; i < buf_len(&json); i++)
        buf_append_char(&t->said, buf_data(&json)[i] == '"' ? '\'' : buf_data(&json)[i]);
    value_clear(&v);
    buf_free(&json);
}

static int tool_setup(void **state)
{
    static const struct bus_client_handler handler = {NULL, NULL, NULL};
    struct tool *t = calloc(1, sizeof(*t));
    int err = 0;

    if (setup((void **)&t->w) < 0)
        return -1;
    buf_init(&t->said, 0);
    t->p = process_start(t->w->s.loop, "tool@test", "tool", NULL);
    t->bus_client =
        bus_client_new(t->p.bus, state_endpoint_request(t->w->s.s), "tool", &handler, t, &err);
    UNTIL(t->w->s.loop, bus_client_is_up(t->bus_client));
    *state = t;
    return err;
}

static int tool_teardown(void **state)
{
    struct tool *t = *state;

    bus_client_destroy(&t->bus_client);
    process_end(&t->p);
    teardown((void **)&t->w);
    buf_free(&t->said);
    free(t);
    return 0;
}

/* Asks for an action with headers "name=value|name=value"; `extra`: further pairs, packed. */
static void ask_more(struct tool *t, const char *action, const char *headers, size_t n_extra,
                     struct view extra)
{
    struct view rest = view_cstr(headers);
    struct buf pairs;
    size_t n = *headers ? 1 : 0;

    for (const char *p = headers; *p; p++)
        n += *p == '|';
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "action", view_cstr(action));
    msg_put_cstr(&pairs, "headers");
    msg_put_array(&pairs, n);
    while (rest.len) {
        struct view value = view_cut(&rest, '|');
        msg_put_array(&pairs, 2);
        msg_put_str(&pairs, view_cut(&value, '='));
        msg_put_str(&pairs, value);
    }
    buf_append_view(&pairs, extra);
    t->answers = 0;
    bus_ask(t->bus_client, METHOD_ami_action, 2 + n_extra, buf_view(&pairs), 10000, on_answer, t);
    buf_free(&pairs);
}

static void ask(struct tool *t, const char *action, const char *headers)
{
    ask_more(t, action, headers, 0, view_of(NULL, 0));
}

static void answered(struct tool *t, const char *part)
{
    UNTIL(t->w->s.loop, t->answers == 1);
    if (!strstr(buf_cstr(&t->said), part))
        fail_msg("%s is not in %s", part, buf_cstr(&t->said));
}

/* ---- matching and collecting ---- */

static void an_action_goes_out_and_its_answer_comes_back(void **state)
{
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;

    come_up(t->w, no_channels);
    ask(t, "Redirect", "Channel=SIP/a-1|Exten=1003|ActionID=mine");
    ast_expect(a, "Action: Redirect\r\nActionID: g-", "Channel: SIP/a-1\r\nExten: 1003\r\n");
    ast_answer(a, "Response: Success", "Message: Redirect successful\r\n");
    answered(t, "'response':'Success','message':'Redirect successful','action':'Redirect',"
                "'actionid':'g-");
    assert_int_equal(t->status, BUS_ok);
    ask(t, "Hangup", "Channel=SIP/none");
    ast_expect(a, "Action: Hangup\r\n", NULL);
    ast_answer(a, "Response: Error", "Message: No such channel\r\n");
    answered(t, "'response':'Error','message':'No such channel'");
    assert_int_equal(t->status, BUS_ok); /* Asterisk was asked, and answered */
}

static void a_list_is_collected_also_when_nobody_said_that_it_is_one(void **state)
{
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;

    come_up(t->w, no_channels);
    ask(t, "QueueStatus", "Queue=s");
    ast_expect(a, "Action: QueueStatus\r\n", NULL);
    ast_answer(a, "Response: Success", "Message: Queue status will follow\r\n");
    ast_answer(a, "Event: QueueParams", "Queue: s\r\n");
    ast_say(a, "Event: Cdr\r\n\r\n"); /* another's */
    ast_answer(a, "Event: QueueStatusComplete", "");
    answered(t, "'events':[[['Event','QueueParams'],['ActionID','g-");
    answered(t, "'message':'Queue status will follow'");
    answered(t, "'headers':[['Response','Success'],");
}

static void command_answers_with_lines_in_both_dialects(void **state)
{
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;
    char old[256];

    come_up(t->w, no_channels);
    ask(t, "Command", "Command=core show uptime");
    ast_expect(a, "Action: Command\r\n", "Command: core show uptime\r\n");
    snprintf(old, sizeof(old),
             "Response: Follows\r\nPrivilege: Command\r\nActionID: %s\r\n"
             "System uptime: 1\n\nLast: caf\351\n--END COMMAND--\r\n\r\n",
             a->action_id);
    ast_say(a, old);
    answered(t, "'output':['System uptime: 1','','Last: caf\xef\xbf\xbd']");
    ask(t, "Command", "Command=core show uptime");
    ast_expect(a, "Action: Command\r\n", NULL);
    ast_answer(a, "Response: Success",
               "Message: Command output follows\r\nOutput: System uptime: 1\r\nOutput: \r\n");
    answered(t, "'output':['System uptime: 1','']");
}

/* Queues of Asterisk up to 13: text alone, with empty lines in it. */
static void an_answer_without_a_response_ends_with_the_next(void **state)
{
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;

    come_up(t->w, no_channels);
    ask(t, "Queues", "");
    ast_expect(a, "Action: Queues\r\n", NULL);
    ast_say(a, "support has 0 calls (max unlimited)\r\n   Members: \r\n      SIP/bob\r\n\r\n");
    ast_say(a, "sales has 1 calls\r\n   No Members\r\n\r\n\r\n");
    ast_expect(a, "Action: Ping\r\n", NULL);
    ast_answer(a, "Response: Success", "Ping: Pong\r\n");
    answered(t, "'output':['support has 0 calls (max unlimited)','   Members: ','      SIP/bob',"
                "'sales has 1 calls','   No Members']");
    ask(t, "Queues", ""); /* a later one has no such action */
    ast_expect(a, "Action: Queues\r\n", NULL);
    ast_answer(a, "Response: Error", "Message: Invalid/unknown command: Queues.\r\n");
    answered(t, "'response':'Error'");
    ast_expect(a, "Action: Ping\r\n", NULL);
    ast_answer(a, "Response: Success", "");
}

/* ---- originate ---- */

static void on_tel(void *arg, const struct bus_msg *m)
{
    buf_append_view(arg, m->body);
}

static void an_originate_is_asynchronous_and_told_when_it_is_over(void **state)
{
    static const struct bus_sub_handler handler = {on_tel, NULL};
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;
    struct bus_sub *sub;
    struct buf body;
    char event[256];
    int err = 0;

    buf_init(&body, 0);
    sub = bus_sub_new(t->p.bus, state_endpoint_subscribe(t->w->s.s), &handler, &body, &err);
    bus_sub_add(sub, VIEW("tel/xivo/originate/response/"));
    come_up(t->w, no_channels);
    ask(t, "Originate", "Channel=SIP/alice|Async=false|Exten=1002");
    ast_expect(a, "Action: Originate\r\n", "Exten: 1002\r\nAsync: true\r\n");
    assert_null(strstr(a->action_id, "false"));
    ast_answer(a, "Response: Success", "Message: Originate successfully queued\r\n");
    answered(t, a->action_id);
    snprintf(
        event, sizeof(event),
        "Event: OriginateResponse\r\nActionID: %s\r\nResponse: Failure\r\nChannel: SIP/alice\r\n"
        "Reason: 5\r\nUniqueid: <unknown>\r\n\r\n",
        a->action_id);
    ast_say(a, event);
    UNTIL(t->w->s.loop, buf_len(&body) > 0);
    assert_true(view_find(buf_view(&body), view_cstr(a->action_id)) > 0);
    assert_true(view_find(buf_view(&body), VIEW("Failure")) > 0);
    bus_sub_destroy(&sub);
    buf_free(&body);
}

static void answers_worth_an_event_are_told(void **state)
{
    static const struct bus_sub_handler handler = {on_tel, NULL};
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;
    struct bus_sub *sub;
    struct buf body;
    int err = 0;

    buf_init(&body, 0);
    sub = bus_sub_new(t->p.bus, state_endpoint_subscribe(t->w->s.s), &handler, &body, &err);
    bus_sub_add(sub, VIEW("tel/xivo/channel/variable/"));
    bus_sub_add(sub, VIEW("tel/xivo/voicemail/waiting/"));
    come_up(t->w, no_channels);
    ask(t, "Getvar", "Channel=SIP/a-1|Variable=XIVO_ORIGACTIONID");
    ast_expect(a, "Action: Getvar\r\n", NULL);
    ast_answer(a, "Response: Success", "Variable: XIVO_ORIGACTIONID\r\nValue: o-17\r\n");
    UNTIL(t->w->s.loop, view_find(buf_view(&body), VIEW("SIP/a-1")) > 0);
    assert_true(view_find(buf_view(&body), VIEW("o-17")) > 0);
    ask(t, "MailboxCount", "Mailbox=1001@default");
    ast_expect(a, "Action: MailboxCount\r\n", NULL);
    ast_answer(a, "Response: Success",
               "Mailbox: 1001@default\r\nNewMessages: 2\r\nOldMessages: 1\r\n");
    UNTIL(t->w->s.loop, view_find(buf_view(&body), VIEW("1001@default")) > 0);
    bus_sub_destroy(&sub);
    buf_free(&body);
}

/* ---- what this Asterisk has ---- */

static void the_name_of_an_action_is_chosen_by_what_asterisk_has(void **state)
{
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;

    t->w->commands = "ConfbridgeMute: x\r\nMixMonitor: x\r\nPJSIPNotify: x\r\nSIPnotify: x\r\n";
    come_up(t->w, no_channels);
    ask(t, "conference.mute", "room=4001|usernum=1|channel=SIP/a-1");
    ast_expect(a, "Action: ConfbridgeMute\r\n", "Conference: 4001\r\nChannel: SIP/a-1\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'ConfbridgeMute'");
    ask(t, "record.start", "channel=SIP/a-1|file=cti-1");
    ast_expect(a, "Action: MixMonitor\r\n", "File: cti-1.wav\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'MixMonitor'");
    ask(t, "phone.notify", "peer=PJSIP/bob|variable=Event=talk|variable=X=y");
    ast_expect(a, "Action: PJSIPNotify\r\n",
               "Endpoint: bob\r\nVariable: Event=talk\r\nVariable: X=y\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'PJSIPNotify'");
    ask(t, "phone.notify", "peer=SIP/bob|variable=Event=talk");
    ast_expect(a, "Action: SIPnotify\r\n", "Channel: bob\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'SIPnotify'");
    ask(t, "agent.login", "agent=2001|exten=1001|context=default");
    answered(t, "this Asterisk has no such action");
    ask(t, "record.start", "channel=SIP/a-1"); /* no file */
    answered(t, "not all that it needs is given");
}

static void an_action_that_asterisk_lacks_is_done_by_another_of_its_kind(void **state)
{
    struct tool *t = *state;
    struct asterisk *a = &t->w->a;

    t->w->commands = "ConfbridgeMute: x\r\nMixMonitor: x\r\nStopMixMonitor: x\r\nPJSIPNotify: x\r\n"
                     "Redirect: x\r\n";
    come_up(t->w, no_channels);
    ask(t, "Monitor", "Channel=SIP/a-1|File=cti-1|Format=wav|Mix=1");
    ast_expect(a, "Action: MixMonitor\r\n", "Channel: SIP/a-1\r\nFile: cti-1.wav\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'MixMonitor'");
    ask(t, "StopMonitor", "Channel=SIP/a-1");
    ast_expect(a, "Action: StopMixMonitor\r\n", "Channel: SIP/a-1\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'StopMixMonitor'");
    ask(t, "SIPnotify", "Channel=SIP/bob|Variable=Event=talk");
    ast_expect(a, "Action: PJSIPNotify\r\n", "Endpoint: bob\r\nVariable: Event=talk\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'PJSIPNotify'");
    ask(t, "MeetmeMute", "Meetme=4001|Usernum=1"); /* no channel: Asterisk itself is to say no */
    ast_expect(a, "Action: MeetmeMute\r\n", "Meetme: 4001\r\n");
    ast_answer(a, "Response: Error", "Message: Invalid/unknown command\r\n");
    answered(t, "'response':'Error'");
    ask(t, "Redirect", "Exten=1");
    ast_expect(a, "Action: Redirect\r\n", "Exten: 1\r\n");
    ast_answer(a, "Response: Success", "");
    answered(t, "'action':'Redirect'");
}

/* ---- what is refused, late or lost ---- */

static void what_the_gateway_does_with_its_link_is_its_own(void **state)
{
    static const char *const own[] = {"Events", "filter", "Login", "Logoff", "Challenge"};
    struct tool *t = *state;
    char text[1024];

    come_up(t->w, no_channels);
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        ask(t, own[i], "EventMask=off");
        answered(t, "this action is the gateway's own");
    }
    run_for(t->w->s.loop, 20);
    assert_false(ast_take_action(&t->w->a, text, sizeof(text)));
}

static void what_would_break_out_of_its_line_is_refused(void **state)
{
    struct tool *t = *state;
    char text[1024];

    t->w->commands = "ConfbridgeMute: x\r\n";
    come_up(t->w, no_channels);
    ask(t, "Redirect", "Exten=1\r\n\r\nAction: Command\r\nCommand: stop now");
    UNTIL(t->w->s.loop, t->answers == 1);
    assert_int_equal(t->status, BUS_malformed);
    ask(t, "Redirect\r\nX: y", "");
    UNTIL(t->w->s.loop, t->answers == 1);
    assert_int_equal(t->status, BUS_malformed);
    ask(t, "conference.mute", "room=4001|channel=SIP/a\nB: c");
    UNTIL(t->w->s.loop, t->answers == 1);
    assert_int_equal(t->status, BUS_malformed);
    ask(t, "", "");
    UNTIL(t->w->s.loop, t->answers == 1);
    assert_int_equal(t->status, BUS_malformed);
    run_for(t->w->s.loop, 20);
    assert_false(ast_take_action(&t->w->a, text, sizeof(text))); /* not a byte went out */
}

static void an_action_that_is_not_answered_is_told_so(void **state)
{
    struct tool *t = *state;
    struct buf extra;

    come_up(t->w, no_channels);
    buf_init(&extra, 0);
    msg_put_pair_u64(&extra, "timeout_ms", 300);
    ask_more(t, "Redirect", "Exten=1", 1, buf_view(&extra));
    buf_free(&extra);
    ast_expect(&t->w->a, "Action: Redirect\r\n", NULL);
    UNTIL_MS(t->w->s.loop, t->answers == 1, 4500); /* without its own limit: 5 s */
    assert_int_equal(t->status, BUS_timeout);
    ast_answer(&t->w->a, "Response: Success", ""); /* late: nobody waits */
    ask(t, "Ping", "");
    ast_expect(&t->w->a, "Action: Ping\r\n", NULL);
    ast_answer(&t->w->a, "Response: Success", "Ping: Pong\r\n");
    answered(t, "'response':'Success'");
}

static void a_link_that_goes_down_ends_what_waits(void **state)
{
    struct tool *t = *state;

    ask(t, "Ping", ""); /* nobody has logged in yet */
    UNTIL(t->w->s.loop, t->answers == 1);
    assert_int_equal(t->status, BUS_noconn);
    come_up(t->w, no_channels);
    ask(t, "Redirect", "Exten=1");
    ast_expect(&t->w->a, "Action: Redirect\r\n", NULL);
    ast_hang_up(&t->w->a);
    UNTIL(t->w->s.loop, t->answers == 1);
    assert_int_equal(t->status, BUS_noconn);
}

static void an_ipbx_that_is_not_there_is_not_found(void **state)
{
    struct tool *t = *state;
    struct buf extra;

    come_up(t->w, no_channels);
    buf_init(&extra, 0);
    msg_put_pair(&extra, "ipbx", VIEW("nosuch"));
    ask_more(t, "Ping", "", 1, buf_view(&extra));
    UNTIL(t->w->s.loop, t->answers == 1);
    assert_int_equal(t->status, BUS_not_found);
    buf_free(&extra);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, tool_setup, tool_teardown)
    const struct CMUnitTest tests[] = {
        T(an_action_goes_out_and_its_answer_comes_back),
        T(a_list_is_collected_also_when_nobody_said_that_it_is_one),
        T(command_answers_with_lines_in_both_dialects),
        T(an_answer_without_a_response_ends_with_the_next),
        T(an_originate_is_asynchronous_and_told_when_it_is_over),
        T(answers_worth_an_event_are_told),
        T(the_name_of_an_action_is_chosen_by_what_asterisk_has),
        T(an_action_that_asterisk_lacks_is_done_by_another_of_its_kind),
        T(what_the_gateway_does_with_its_link_is_its_own),
        T(what_would_break_out_of_its_line_is_refused),
        T(an_action_that_is_not_answered_is_told_so),
        T(a_link_that_goes_down_ends_what_waits),
        T(an_ipbx_that_is_not_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
