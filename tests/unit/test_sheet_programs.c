/* Sheets that wait for programs on the bus: their bounds, and what is taken from an answer. What
 * programs do wrong is in tests/system/test_sheet_programs.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sheets/call.h"
#include "sheets/programs.h"
#include "sheets/trigger.h"
#include "support/sheets_world.h"

#define TRUNK                                                                                      \
    "Event: Newchannel|Channel: SIP/pstn-1|Uniqueid: 100.1|ChannelState: 4|CallerIDNum: "          \
    "0142|CallerIDName: Zola|Exten: 0123456700|Context: from-extern||"                             \
    "Event: Newchannel|Channel: SIP/bob-2|Uniqueid: 100.2|ChannelState: 0||"
#define RINGS                                                                                      \
    "Event: Dial|SubEvent: Begin|Channel: SIP/pstn-1|Destination: SIP/bob-2|UniqueID: "            \
    "100.1|DestUniqueID: 100.2||"
#define TALKS                                                                                      \
    "Event: Bridge|Bridgestate: Link|Channel1: SIP/pstn-1|Channel2: SIP/bob-2|Uniqueid1: "         \
    "100.1|Uniqueid2: 100.2||"
#define ENDS                                                                                       \
    "Event: Hangup|Channel: SIP/bob-2|Uniqueid: 100.2|Cause: 16||"                                 \
    "Event: Hangup|Channel: SIP/pstn-1|Uniqueid: 100.1|Cause: 16||"

#define REGISTER "{\"kind\":\"sheet\",\"deadline_ms\":4000}"

/* Sheets of the event dial that ask a program, so many, and one of the event link that does not. */
static void begin(struct sheets_world *w, const char *format, int n)
{
    struct buf sheets;

    buf_init(&sheets, 0);
    buf_printf(&sheets,
               "{'displays':{'ask':{'sheet_info':{'10':['','','none','%s']}},"
               "'plain':{'sheet_info':{'10':['','','','{xivo-where}']}}},"
               "'events':{'link':{'display':'plain'},'dial':[",
               format);
    for (int i = 0; i < n; i++)
        buf_printf(&sheets, "%s{'display':'ask'}", i ? "," : "");
    buf_append_cstr(&sheets, "]}}");
    sheets_configure(w, buf_cstr(&sheets), "", "");
    buf_free(&sheets);
    sheets_start(w);
    sheets_login(w, "2");
    assert_int_equal(peer_ask(&w->p, METHOD_worker_register, REGISTER), BUS_ok);
}

static void sheets_that_wait_are_bounded_and_gone_with_state(void **state)
{
    struct sheets_world *w = *state;
    struct programs *p;

    begin(w, "{program-x}", PROGRAMS_MAX_SHEETS);
    p = w->s.s->sheets->programs;
    sheets_say(w, TRUNK RINGS);
    UNTIL(w->s.loop, w->p.asked == PROGRAMS_MAX_SHEETS);
    assert_said(w, "");
    assert_int_equal(p->waiting, PROGRAMS_MAX_SHEETS);
    sheets_say(w, TALKS); /* one more */
    assert_said(w, "2 link\n");
    assert_int_equal((int)metric_get(p->unanswered), 0);
    sheets_say(w, ENDS);
    state_stop(&w->s);
}

static void who_is_asked_nothing_waits_for_nothing(void **state)
{
    struct sheets_world *w = *state;

    begin(w, "{xivo-calleridname}", 1);
    sheets_say(w, TRUNK RINGS TALKS);
    assert_said(w, "2 Zola\n2 link\n");
    assert_int_equal(w->p.asked, 0);
    assert_int_equal(w->s.s->sheets->programs->waiting, 0);
}

static void sheets_of_a_channel_keep_their_order(void **state)
{
    struct sheets_world *w = *state;

    begin(w, "{program-a} {program-b} {program-c}", 1);
    w->p.knows = "{\"fields\":{\"a\":\"x\",\"b\":null,\"c\":[1]}}";
    sheets_say(w, TRUNK RINGS TALKS);
    UNTIL(w->s.loop, w->p.asked == 1 && !w->s.s->sheets->programs->waiting);
    assert_said(w, "2 x  \n2 link\n");
    assert_int_equal((int)metric_get(w->s.s->sheets->programs->unanswered), 0);
}

/* What is too long, or too much, is left out; the rest of the answer counts. */
static void what_a_program_says_is_bounded(void **state)
{
    struct sheets_world *w = *state;
    struct buf answer;

    begin(w, "{program-ok}{program-long}", 1);
    buf_init(&answer, 0);
    buf_append_cstr(&answer, "{\"fields\":{\"ok\":1.5,\"long\":\"");
    for (int i = 0; i <= CALL_MAX_VALUE; i++)
        buf_append_char(&answer, 'x');
    buf_append_cstr(&answer, "\"");
    for (int i = 0; i < 2 * CALL_MAX_VARIABLES; i++)
        buf_printf(&answer, ",\"v%d\":true", i);
    buf_append_cstr(&answer, "}}");
    w->p.knows = buf_cstr(&answer);
    sheets_say(w, TRUNK RINGS);
    UNTIL(w->s.loop, w->p.asked == 1 && !w->s.s->sheets->programs->waiting);
    assert_said(w, "2 1.5\n");
    buf_free(&answer);
}

static void what_is_no_answer_is_counted(void **state)
{
    struct sheets_world *w = *state;

    begin(w, "{program-a}", 1);
    w->p.knows = "{\"a\":\"x\"}";
    sheets_say(w, TRUNK RINGS);
    UNTIL(w->s.loop, w->p.asked == 1 && !w->s.s->sheets->programs->waiting);
    assert_said(w, "2 none\n");
    assert_int_equal((int)metric_get(w->s.s->sheets->programs->unanswered), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sheets_setup, sheets_teardown)
    const struct CMUnitTest tests[] = {
        TEST(sheets_that_wait_are_bounded_and_gone_with_state),
        TEST(who_is_asked_nothing_waits_for_nothing),
        TEST(sheets_of_a_channel_keep_their_order),
        TEST(what_a_program_says_is_bounded),
        TEST(what_is_no_answer_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
