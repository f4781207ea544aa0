/* The log of calls: what recorded calls leave in it, in both dialects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/model_world.h"

struct log_world {
    struct model_world *w;
    struct buf said;
    double talked; /* of the last entry */
};

static void on_call(void *arg, struct ipbx_model *d, const struct call_entry *e)
{
    static const char *const modes[] = {"sent", "answered", "missed", "elsewhere"};
    struct log_world *l = arg;

    assert_true(e->start > 0 && e->duration >= 0);
    assert_true(e->mode != CALL_MISSED || e->duration == 0);
    l->talked = e->duration;
    if (e->user_id.len)
        buf_append_view(&l->said, e->user_id);
    else
        buf_printf(&l->said, "queue %.*s", VIEW_ARG(e->queue));
    buf_printf(&l->said, " %s %.*s %.*s%s", modes[e->mode], VIEW_ARG(e->number), VIEW_ARG(e->name),
               e->duration > 0 ? " talked" : "");
    if (e->mode == CALL_ELSEWHERE || e->user_id.len == 0)
        buf_printf(&l->said, " by %.*s", VIEW_ARG(e->answered_by));
    buf_append_cstr(&l->said, "\n");
}

static const struct ipbx_model_effects effects = {on_call, NULL};

static int setup(void **state)
{
    static const char *const people[] = {"alice", "bob", "carol", "dave", "erin"};
    struct log_world *l = calloc(1, sizeof(*l));

    l->w = world_new();
    l->w->now = 1000;
    buf_init(&l->said, 0);
    l->w->d->effects = &effects;
    l->w->d->effects_arg = l;
    for (size_t i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof(id), "1%zu", i + 1);
        world_add(l->w, LIST_users, people[i], XOD(users, fullname), people[i]);
        xod_set_str(world_find(l->w, LIST_phones, id), XOD(phones, iduserfeatures),
                    view_cstr(people[i]));
    }
    xod_commit(l->w->x, NULL, NULL);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct log_world *l = *state;

    world_destroy(l->w);
    buf_free(&l->said);
    free(l);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The dialects tell the ends of a call in different orders. */
static const char *sorted(struct buf *said)
{
    static char out[4096];
    struct view rest = buf_view(said);
    char *lines[64] = {NULL};
    size_t n = 0;

    while (rest.len && n < 64)
        lines[n++] = view_dup(view_cut(&rest, '\n'));
    qsort(lines, n, sizeof(lines[0]), by_text);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s\n", lines[i]);
        free(lines[i]);
    }
    return out;
}

static void check(struct log_world *l, const char *expected)
{
    assert_string_equal(sorted(&l->said), expected);
    buf_reset(&l->said);
}

static void both(void **state, const char *scenario, const char *expected)
{
    static const char *const versions[] = {"1.8", "20"};

    for (size_t i = 0; i < 2; i++) {
        struct log_world *l = *state;
        world_play(l->w, versions[i], scenario);
        print_message("%s %s\n", versions[i], scenario);
        check(l, expected);
        teardown(state);
        setup(state);
    }
}

static void a_call_is_sent_and_answered(void **state)
{
    both(state, "02-call-answered",
         "alice sent 1002 Bob Tremblay talked\n"
         "bob answered 1001 Alice Martin talked\n"
         "bob sent 1003 Carole Lefèvre talked\n"
         "carol answered 1002 Bob Tremblay talked\n");
}

/* The driver of the caller's phone says that it rings while the other one does. */
static void a_caller_that_is_told_to_ring_has_missed_nothing(void **state)
{
    struct log_world *l = *state;

    world_say(l->w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|Uniqueid: 1.1|"
                    "CallerIDNum: 1001|Exten: 1002");
    world_say(l->w, "Event: Newchannel|Channel: SIP/bob-2|ChannelState: 0|Uniqueid: 1.2|"
                    "CallerIDNum: 1002");
    world_say(l->w, "Event: DialBegin|Channel: SIP/alice-1|DestChannel: SIP/bob-2");
    world_say(l->w, "Event: Newstate|Channel: SIP/alice-1|ChannelState: 5");
    world_say(l->w, "Event: Newstate|Channel: SIP/bob-2|ChannelState: 5");
    world_say(l->w, "Event: Hangup|Channel: SIP/bob-2|Cause: 16");
    world_say(l->w, "Event: Hangup|Channel: SIP/alice-1|Cause: 16");
    check(l, "alice sent 1002 \n"
             "bob missed 1001 \n");
}

static void a_call_nobody_answers_is_missed(void **state)
{
    both(state, "03-noanswer-cancel",
         "alice sent 1002 Bob Tremblay\n"
         "alice sent 1002 Bob Tremblay\n"
         "bob missed 1001 Alice Martin\n"
         "bob missed 1001 Alice Martin\n");
}

static void a_blind_transfer(void **state)
{
    both(state, "06-redirect-blind",
         "alice sent 1002 Bob Tremblay talked\n"
         "alice sent 1002 Bob Tremblay talked\n"
         "bob answered 1001 Alice Martin talked\n"
         "bob answered 1001 Alice Martin talked\n"
         "carol answered 1001 Alice Martin talked\n");
}

static void a_call_from_outside(void **state)
{
    both(state, "20-did-incoming",
         "alice answered 0601020304 Société Générale 0601020304 talked\n"
         "alice sent 0142000000  talked\n"
         "bob answered +33612345678 Société Générale +33612345678 talked\n"
         "bob answered 0033142143001 Pierre \"Pete\" O'Neil talked\n"
         "bob answered 0142143000 Société Générale talked\n"
         "carol answered anonymous Anonymous talked\n"
         "queue support answered 0033142143001 Pierre \"Pete\" O'Neil talked by bob\n");
}

static void a_click_to_dial(void **state)
{
    both(state, "21-originate",
         "alice sent 1002 Bob Tremblay talked\n"
         "alice sent 1002 Bob Tremblay talked\n"
         "bob answered 1001 Alice Martin talked\n"
         "bob answered 1002 Bob Tremblay talked\n");
}

static void a_queue_rings(void **state)
{
    both(state, "11-queue-answered",
         "alice sent 3001 Bob Tremblay talked\n"
         "bob answered 1001 Alice Martin talked\n"
         "bob answered 1003 Carole Lefèvre talked\n"
         "carol sent 3001 Bob Tremblay talked\n"
         "queue support answered 1001 alice talked by bob\n"
         "queue support answered 1003 carol talked by bob\n");
}

/* 1.8 gives the agent's channel the number of the queue and no name. */
static void calls_of_agents_are_those_of_the_phone_they_logged_in_from(void **state)
{
    static const struct {
        const char *version, *carol;
    } dialects[] = {{"1.8", "carol sent 3003  talked\n"},
                    {"20", "carol sent 3003 Alice Martin talked\n"}};

    for (size_t i = 0; i < 2; i++) {
        struct log_world *l = *state;
        char expected[1024];
        snprintf(expected, sizeof(expected),
                 "alice answered 1003 Carole Lefèvre talked\n"
                 "alice answered 1003 Carole Lefèvre talked\n"
                 "alice sent *312001 \nbob sent *312002 \n%s%s"
                 "queue agentq answered 1003 carol talked by alice\n"
                 "queue agentq answered 1003 carol talked by alice\n",
                 dialects[i].carol, dialects[i].carol);
        world_play(l->w, dialects[i].version, "14-agent");
        check(l, expected);
        teardown(state);
        setup(state);
    }
}

/* One ring of bob's phone by the queue that alice waits in, with nobody there. */
static void ring_out(struct log_world *l, int i)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "Event: Newchannel|Channel: SIP/bob-%d|ChannelState: 0|CallerIDNum: 1002|"
             "CallerIDName: Bob Tremblay|Context: default|Uniqueid: 1.%d|Linkedid: 1.68||"
             "Event: DialBegin|Channel: SIP/alice-1|Uniqueid: 1.68|DestChannel: SIP/bob-%d|"
             "DestUniqueid: 1.%d||Event: Newstate|Channel: SIP/bob-%d|ChannelState: 5|"
             "Uniqueid: 1.%d||",
             i, i, i, i, i, i);
    world_say(l->w, text);
    snprintf(text, sizeof(text),
             "Event: DialEnd|Channel: SIP/alice-1|Uniqueid: 1.68|DestChannel: SIP/bob-%d|"
             "DestUniqueid: 1.%d|DialStatus: NOANSWER||Event: Hangup|Channel: SIP/bob-%d|"
             "Uniqueid: 1.%d|Cause: 16||",
             i, i, i, i);
    world_say(l->w, text);
}

static void a_caller_is_missed_once_however_often_the_queue_rings(void **state)
{
    struct log_world *l = *state;

    world_say(l->w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 6|CallerIDNum: 1001|"
                    "CallerIDName: Alice Martin|Context: default|Exten: 3001|Uniqueid: 1.68||"
                    "Event: QueueCallerJoin|Channel: SIP/alice-1|Uniqueid: 1.68|Queue: support|"
                    "Position: 1|Count: 1||");
    for (int i = 100; i < 130; i++)
        ring_out(l, i);
    assert_int_equal(buf_len(&l->said), 0); /* it is not over */
    world_say(l->w, "Event: Hangup|Channel: SIP/alice-1|Uniqueid: 1.68|Cause: 16||");
    check(l, "alice sent 3001 \nbob missed 1001 Alice Martin\n"
             "queue support missed 1001 alice by \n");
}

/* The listing of a call that was up before us: who called is told by who was there first. */
static void a_call_from_before_is_not_turned_round(void **state)
{
    struct log_world *l = *state;

    l->w->now = 5000;
    world_mark(l->w, TEL_resync_begin, "channels");
    world_list(l->w, "Event: CoreShowChannel|Channel: SIP/bob-1|Uniqueid: 4900.8|ChannelState: 6|"
                     "CallerIDNum: 1002|CallerIDName: Bob Tremblay|Context: default|Exten: 1002|"
                     "BridgeId: b1||"
                     "Event: CoreShowChannel|Channel: SIP/alice-1|Uniqueid: 4900.7|"
                     "ChannelState: 6|CallerIDNum: 1001|CallerIDName: Alice Martin|"
                     "Context: default|Exten: 1002|BridgeId: b1||");
    world_say(l->w, "Event: BridgeEnter|BridgeUniqueid: b1|BridgeType: basic|BridgeNumChannels: 1|"
                    "Channel: SIP/bob-1|Uniqueid: 4900.8||"
                    "Event: BridgeEnter|BridgeUniqueid: b1|BridgeType: basic|BridgeNumChannels: 2|"
                    "Channel: SIP/alice-1|Uniqueid: 4900.7||");
    world_mark(l->w, TEL_resync_end, "channels");
    assert_string_equal(world_json(l->w, LIST_channels, "SIP/alice-1", XOD(channels, commstatus)),
                        "'linked-caller'");
    assert_string_equal(world_json(l->w, LIST_channels, "SIP/bob-1", XOD(channels, direction)),
                        "'in'");
    world_say(l->w, "Event: Hangup|Channel: SIP/alice-1|Uniqueid: 4900.7|Cause: 16||"
                    "Event: Hangup|Channel: SIP/bob-1|Uniqueid: 4900.8|Cause: 16||");
    assert_true(l->talked > 100); /* since it was made */
    check(l, "alice sent 1002 Bob Tremblay talked\nbob answered 1001 Alice Martin talked\n");
}

/* alice's phone calls bob's, whose ends. */
static void ring_and_end(struct log_world *l, const char *cause)
{
    char text[512];

    world_say(l->w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|CallerIDNum: 1001|"
                    "CallerIDName: Alice Martin|Context: default|Exten: 1002|Uniqueid: 1.1||"
                    "Event: Newchannel|Channel: SIP/bob-2|ChannelState: 5|CallerIDNum: 1002|"
                    "Context: default|Uniqueid: 1.2||"
                    "Event: DialBegin|Channel: SIP/alice-1|Uniqueid: 1.1|DestChannel: SIP/bob-2|"
                    "DestUniqueid: 1.2||");
    snprintf(text, sizeof(text),
             "Event: Hangup|Channel: SIP/bob-2|Uniqueid: 1.2|Cause: %s||"
             "Event: Hangup|Channel: SIP/alice-1|Uniqueid: 1.1|Cause: 16||",
             cause);
    world_say(l->w, text);
}

static void a_call_that_another_phone_answers_is_not_missed(void **state)
{
    struct log_world *l = *state;

    ring_and_end(l, "26");
    check(l, "alice sent 1002 \nbob elsewhere 1001 Alice Martin by \n");
    ring_and_end(l, "16");
    check(l, "alice sent 1002 \nbob missed 1001 Alice Martin\n");
}

/* Nobody knows when it ended; it lasted at least until the link was lost. */
static void a_call_that_ends_unseen_lasts_until_the_link_was_lost(void **state)
{
    struct log_world *l = *state;

    world_say(l->w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 6|CallerIDNum: 1001|"
                    "CallerIDName: Alice Martin|Context: default|Exten: 1002|Uniqueid: 1.1||"
                    "Event: Newchannel|Channel: SIP/bob-2|ChannelState: 6|CallerIDNum: 1002|"
                    "CallerIDName: Bob Tremblay|Context: default|Uniqueid: 1.2||"
                    "Event: Bridge|Bridgestate: Link|Channel1: SIP/alice-1|Channel2: SIP/bob-2||");
    world_tick(l->w, 100);
    ipbx_model_link_down(l->w->d, l->w->now);
    l->w->now += 500;
    ipbx_model_link_up(l->w->d, VIEW("Asterisk"), l->w->now);
    world_mark(l->w, TEL_resync_begin, "channels");
    world_mark(l->w, TEL_resync_end, "channels");
    assert_in_range((int)l->talked, 99, 101);
    check(l, "alice sent 1002 Bob Tremblay talked\nbob answered 1001 Alice Martin talked\n");
}

/* ---- one call, many legs ---- */

#define RING(c, id, num)                                                                           \
    "Event: Newchannel|Channel: " c "|ChannelState: 5|Uniqueid: " id "|Linkedid: 1.1|"             \
    "CallerIDNum: " num "||Event: DialBegin|Channel: SIP/alice-1|DestChannel: " c "||"
#define END(c, cause) "Event: Hangup|Channel: " c "|Cause: " cause "||"
#define TALK(c) "Event: Bridge|Bridgestate: Link|Channel1: SIP/alice-1|Channel2: " c "||"

static void alice_dials(struct log_world *l)
{
    world_say(l->w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|CallerIDNum: 1001|"
                    "CallerIDName: Alice Martin|Exten: 1002|Uniqueid: 1.1|Linkedid: 1.1||");
}

/* A queue tries again; or the first phone is busy, and the other is answered. */
static void who_answers_at_last_has_missed_nothing(void **state)
{
    struct log_world *l = *state;

    alice_dials(l);
    world_say(l->w, RING("SIP/bob-2", "1.2", "1002") END("SIP/bob-2", "16"));
    world_say(l->w, RING("SIP/bob-3", "1.3", "1002") END("SIP/bob-3", "17"));
    l->w->now += 5;
    world_say(l->w, RING("SIP/bob-4", "1.4", "1002") TALK("SIP/bob-4"));
    l->w->now += 10;
    world_say(l->w, END("SIP/bob-4", "16") END("SIP/alice-1", "16"));
    assert_in_range((int)l->talked, 9, 11);
    check(l, "alice sent 1002  talked\nbob answered 1001 Alice Martin talked\n");
}

/* Picked up by a colleague, or one phone of several: anybody who answered while it rang. */
static void what_a_colleague_answers_is_not_missed(void **state)
{
    struct log_world *l = *state;

    alice_dials(l);
    world_say(l->w, RING("SIP/bob-2", "1.2", "1002") RING("SIP/dave-5", "1.5", "1004"));
    l->w->now += 5;
    world_say(l->w, END("SIP/dave-5", "16")); /* dave does not wait for the end of it */
    l->w->now += 5;
    world_say(l->w, RING("SIP/carol-3", "1.3", "1003") TALK("SIP/carol-3"));
    world_say(l->w, END("SIP/bob-2", "16"));
    l->w->now += 5;
    world_say(l->w, END("SIP/carol-3", "16") END("SIP/alice-1", "16"));
    check(l, "alice sent 1002  talked\n"
             "bob elsewhere 1001 Alice Martin by carol\n"
             "carol answered 1001 Alice Martin talked\n"
             "dave missed 1001 Alice Martin\n");
}

/* Asterisk ends the leg that rang before it connects who took it, and need not say why. */
static void what_is_picked_up_is_not_missed(void **state)
{
    struct log_world *l = *state;

    alice_dials(l);
    world_say(l->w, RING("SIP/bob-2", "1.2", "1002"));
    l->w->now += 5;
    world_say(l->w, "Event: Newchannel|Channel: SIP/carol-3|ChannelState: 4|Uniqueid: 1.3|"
                    "Linkedid: 1.3|CallerIDNum: 1003|Exten: *8||" END("SIP/bob-2", "0")
                        TALK("SIP/carol-3"));
    world_say(l->w, END("SIP/carol-3", "16") END("SIP/alice-1", "16"));
    check(l, "alice sent 1002  talked\n"
             "bob elsewhere 1001 Alice Martin by carol\n"
             "carol answered 1001 Alice Martin talked\n");
}

/* Nobody answered there; that the call went on to another and was answered is another matter. */
static void what_goes_on_after_no_answer_is_missed(void **state)
{
    struct log_world *l = *state;

    alice_dials(l);
    world_say(l->w, RING("SIP/bob-2", "1.2", "1002") END("SIP/bob-2", "16"));
    world_say(l->w, RING("SIP/carol-3", "1.3", "1003"));
    l->w->now += 5;
    world_say(l->w, TALK("SIP/carol-3") END("SIP/carol-3", "16") END("SIP/alice-1", "16"));
    check(l, "alice sent 1002  talked\n"
             "bob missed 1001 Alice Martin\n"
             "carol answered 1001 Alice Martin talked\n");
}

/* An agent who stays on the line: each call is one by itself, and over when the caller is gone,
 * though Asterisk gives them all the Linkedid of the login. */
static void calls_of_a_waiting_agent_are_calls_of_their_own(void **state)
{
#define CALLER(c, id)                                                                              \
    "Event: Newchannel|Channel: " c "|ChannelState: 6|Uniqueid: " id "|Linkedid: " id              \
    "|CallerIDNum: 1001|CallerIDName: Alice Martin|Exten: 3003||"
#define SERVE(c)                                                                                   \
    "Event: Bridge|Bridgestate: Link|Channel1: " c "|Channel2: SIP/bob-1||"                        \
    "Event: NewConnectedLine|Channel: " c "|Linkedid: 1.1|ConnectedLineNum: 1002|"                 \
    "ConnectedLineName: Bob||"
/* First by way of a Local channel, for an instant. */
#define SERVE_FIRST                                                                                \
    "Event: Newchannel|Channel: Local/2001@a-1;2|ChannelState: 6|Uniqueid: 1.4|Linkedid: 1.2||"    \
    "Event: Bridge|Bridgestate: Link|Channel1: Local/2001@a-1;2|Channel2: SIP/bob-1||"             \
    "Event: Unlink|Channel1: Local/2001@a-1;2|Channel2: SIP/bob-1||" END("Local/2001@a-1;2", "16")
#define SERVED(c) "Event: Unlink|Channel1: " c "|Channel2: SIP/bob-1||" END(c, "16")
    struct log_world *l = *state;

    world_say(l->w, "Event: Newchannel|Channel: SIP/bob-1|ChannelState: 4|Uniqueid: 1.1|"
                    "Linkedid: 1.1|CallerIDNum: 1002|Exten: 3005||"
                    "Event: Newstate|Channel: SIP/bob-1|ChannelState: 6|Linkedid: 1.1||"
                    "Event: AgentLogin|Agent: 2001|Channel: SIP/bob-1|Linkedid: 1.1||");
    assert_int_equal(xod_count(l->w->ipbx, LIST_calls), 0); /* waiting is no call */
    for (int i = 0; i < 2; i++) {
        world_say(l->w, CALLER("SIP/alice-2", "1.2") SERVE_FIRST SERVE("SIP/alice-2"));
        assert_int_equal(xod_count(l->w->ipbx, LIST_calls), 1);
        assert_string_equal(world_json(l->w, LIST_calls, "1.2", XOD(calls, participants)),
                            "['SIP/alice-2','SIP/bob-1']");
        l->w->now += 10;
        world_say(l->w, SERVED("SIP/alice-2"));
        assert_int_equal(xod_count(l->w->ipbx, LIST_calls), 0);
        assert_in_range((int)l->talked, 9, 11);
        check(l, "alice sent 3003  talked\nbob answered 1001 Alice Martin talked\n");
    }
    world_say(l->w, END("SIP/bob-1", "16"));
    check(l, "bob sent 3005 \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_sent_and_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_caller_that_is_told_to_ring_has_missed_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_call_nobody_answers_is_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_blind_transfer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_from_outside, setup, teardown),
        cmocka_unit_test_setup_teardown(a_click_to_dial, setup, teardown),
        cmocka_unit_test_setup_teardown(a_queue_rings, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_of_agents_are_those_of_the_phone_they_logged_in_from,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_caller_is_missed_once_however_often_the_queue_rings,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_that_another_phone_answers_is_not_missed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_answers_at_last_has_missed_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_colleague_answers_is_not_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_picked_up_is_not_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_goes_on_after_no_answer_is_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_of_a_waiting_agent_are_calls_of_their_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_call_that_ends_unseen_lasts_until_the_link_was_lost,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_from_before_is_not_turned_round, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
