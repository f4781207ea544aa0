/* The figures of a queue: who is there, available, talking; who waits, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/statistics.h"
#include "support/model_world.h"

#define say world_say

/* The figures of queue 1: logged in, available, talking, waiting, expected and longest wait. */
#define FIGURES(w, ...)                                                                            \
    do {                                                                                           \
        static const int64_t want_[] = {__VA_ARGS__};                                              \
        static const unsigned field_[] = {XOD(queues, logged_agents),                              \
                                          XOD(queues, available_agents),                           \
                                          XOD(queues, talking_agents),                             \
                                          XOD(queues, waiting_calls),                              \
                                          XOD(queues, ewt),                                        \
                                          XOD(queues, longest_wait)};                              \
        for (size_t i_ = 0; i_ < 6; i_++) {                                                        \
            int64_t is_ = xod_get(world_find(w, LIST_queues, "1"), field_[i_])->i;                 \
            if (is_ != want_[i_])                                                                  \
                fail_msg("%s is %lld, not %lld",                                                   \
                         schema_list(LIST_queues)->fields[field_[i_]].name, (long long)is_,        \
                         (long long)want_[i_]);                                                    \
        }                                                                                          \
    } while (0)

static int setup(void **state)
{
    struct model_world *w = world_new();

    *state = w;
    w->now = 1000;
    say(w, "Event: Newchannel|Channel: SIP/pstn-1|ChannelState: 4|Uniqueid: 1.1");
    say(w, "Event: Newchannel|Channel: SIP/pstn-2|ChannelState: 4|Uniqueid: 1.2");
    world_tick(w, 1);
    return 0;
}

static int teardown(void **state)
{
    world_destroy(*state);
    return 0;
}

static void member(struct model_world *w, const char *interface, const char *status, int paused)
{
    char text[256];

    snprintf(text, sizeof(text),
             "Event: QueueMemberStatus|Queue: support|Location: %s|Status: %s|Paused: %d",
             interface, status, paused);
    say(w, text);
}

static void members_count_by_their_device(void **state)
{
    struct model_world *w = *state;

    member(w, "SIP/alice", "1", 0);   /* available */
    member(w, "SIP/bob", "1", 1);     /* paused */
    member(w, "SIP/carol", "2", 0);   /* in use */
    member(w, "SIP/dave", "6", 0);    /* rings */
    member(w, "SIP/erin", "5", 0);    /* unavailable: not there */
    member(w, "SIP/nobody", "4", 0);  /* invalid: not there */
    member(w, "SIP/unknown", "0", 0); /* there, but its device is not known */
    FIGURES(w, 0, 0, 0, 0, 0, 0);     /* not before the tick */
    world_tick(w, 1);
    FIGURES(w, 5, 1, 2, 0, 0, 0);
    say(w, "Event: QueueMemberRemoved|Queue: support|Location: SIP/unknown");
    say(w, "Event: QueueMemberRemoved|Queue: support|Location: SIP/carol");
    world_tick(w, 1);
    FIGURES(w, 3, 1, 1, 0, 0, 0);
}

static void an_agent_is_there_while_logged_in(void **state)
{
    struct model_world *w = *state;

    xod_set_str(world_find(w, LIST_agents, "1"), XOD(agents, wrapuptime), VIEW("10"));
    member(w, "Agent/2001", "1", 0);
    world_tick(w, 1);
    FIGURES(w, 0, 0, 0, 0, 0, 0); /* whatever the device says */
    say(w, "Event: Agentlogin|Agent: 2001|Channel: SIP/alice-1");
    world_tick(w, 1);
    FIGURES(w, 1, 1, 0, 0, 0, 0);
    say(w, "Event: AgentConnect|Queue: sales|Member: Agent/2001|Uniqueid: 9.9"); /* of any queue */
    world_tick(w, 1);
    FIGURES(w, 1, 0, 1, 0, 0, 0);
    say(w, "Event: AgentComplete|Queue: sales|Member: Agent/2001|Uniqueid: 9.9");
    world_tick(w, 1);
    FIGURES(w, 1, 0, 0, 0, 0, 0); /* wrap-up */
    world_tick(w, 10);
    FIGURES(w, 1, 1, 0, 0, 0, 0);
    say(w, "Event: Agentlogoff|Agent: 2001|Logintime: 5");
    world_tick(w, 1);
    FIGURES(w, 0, 0, 0, 0, 0, 0);
}

static void waiting_is_counted_from_the_first(void **state)
{
    struct model_world *w = *state;

    w->now = 1999.99;
    say(w, "Event: Join|Channel: SIP/pstn-1|Queue: support|Position: 1|Uniqueid: 1.1");
    w->now = 2009.99;
    say(w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 2|Uniqueid: 1.2");
    world_tick(w, 1); /* 2011 */
    FIGURES(w, 0, 0, 0, 2, 0, 11);
    world_tick(w, 4); /* nothing happened: it is not computed at every tick */
    FIGURES(w, 0, 0, 0, 2, 0, 11);
    world_tick(w, 1);
    FIGURES(w, 0, 0, 0, 2, 0, 16);
    say(w, "Event: Leave|Channel: SIP/pstn-1|Queue: support|Uniqueid: 1.1");
    say(w, "Event: AgentConnect|Queue: support|Member: SIP/bob|Uniqueid: 1.1"); /* waited 16 */
    world_tick(w, 1);                                                           /* 2017.02 */
    FIGURES(w, 0, 0, 0, 1, 16, 7);
    say(w, "Event: Leave|Channel: SIP/pstn-2|Queue: support|Uniqueid: 1.2");
    say(w, "Event: AgentConnect|Queue: support|Member: SIP/bob|Uniqueid: 1.2"); /* waited 7 */
    world_tick(w, 1);
    FIGURES(w, 0, 0, 0, 0, 12, 0); /* (16.01 + 7.03) / 2 = 11.52 */
    assert_false(ipbx_model_wants_tick(w->d));
}

static void the_expected_wait_forgets_after_an_hour(void **state)
{
    struct model_world *w = *state;
    struct queue_event e = {QUEUE_LINK, VIEW("1"), 1000, 90};

    statistics_restore(w->d, &e);
    e = (struct queue_event){QUEUE_LINK, VIEW("1"), 3000, 30};
    statistics_restore(w->d, &e);
    e = (struct queue_event){QUEUE_LOST, VIEW("1"), 3001, 300}; /* was not answered */
    statistics_restore(w->d, &e);
    w->now = 4000;
    member(w, "SIP/alice", "1", 0);
    world_tick(w, 1);
    FIGURES(w, 1, 1, 0, 0, 60, 0);
    member(w, "SIP/alice", "2", 0);
    world_tick(w, 1000);
    FIGURES(w, 1, 0, 1, 0, 30, 0);
    member(w, "SIP/alice", "1", 0);
    world_tick(w, 2000);
    FIGURES(w, 1, 1, 0, 0, 0, 0);
}

/* ---- how often ---- */

static void count_changes(void *arg, const struct xod_change *c)
{
    if (xod_obj_list(c->obj) == LIST_queues && c->fields & XOD_BIT(queues, available_agents))
        ++*(int *)arg;
}

static void many_events_are_one_change(void **state)
{
    struct model_world *w = *state;
    int changes = 0;

    w->note = count_changes;
    w->note_arg = &changes;
    for (int i = 0; i < 100; i++)
        member(w, "SIP/alice", i % 2 ? "1" : "2", 0);
    assert_int_equal(changes, 0);
    world_tick(w, 1);
    assert_int_equal(changes, 1);
    world_tick(w, 1);
    assert_int_equal(changes, 1);
    assert_false(ipbx_model_wants_tick(w->d));
}

static void a_queue_that_is_gone_has_no_figures(void **state)
{
    struct model_world *w = *state;

    member(w, "SIP/alice", "1", 0);
    xod_del(world_find(w, LIST_queues, "1"));
    ipbx_model_relink(w->d);
    xod_commit(w->x, NULL, NULL);
    world_tick(w, 1);
    assert_false(ipbx_model_wants_tick(w->d));
}

#define OUT(event, more)                                                                           \
    "Event: " event "|Queue: support|Interface: Local/0612345678@out/n|MemberName: Home" more

static void a_member_outside_is_in_a_call_though_its_device_is_not(void **state)
{
    struct model_world *w = *state;

    say(w, OUT("QueueMemberStatus", "|Status: 1|Paused: 0|InCall: 1"));
    member(w, "SIP/bob", "1", 0);
    say(w, "Event: QueueMemberStatus|Queue: sales|Interface: Local/0612345678@out/n|Status: 1|"
           "Paused: 0|InCall: 0");
    world_tick(w, 1);
    FIGURES(w, 2, 1, 1, 0, 0, 0);
    assert_int_equal(xod_get(world_find(w, LIST_queues, "2"), XOD(queues, available_agents))->i, 1);
    say(w, OUT("QueueMemberStatus", "|Status: 1|Paused: 0|InCall: 0"));
    world_tick(w, 1);
    FIGURES(w, 2, 2, 0, 0, 0, 0);
}

static void what_answered_is_in_a_call_whatever_incall_says(void **state)
{
    struct model_world *w = *state;

    say(w, OUT("QueueMemberStatus", "|Status: 1|Paused: 0|InCall: 0"));
    say(w, OUT("AgentConnect", "|Channel: SIP/pstn-1|DestChannel: Local/0612345678@out-1;1"));
    say(w, OUT("QueueMemberStatus", "|Status: 1|Paused: 0|InCall: 0"));
    world_tick(w, 1);
    FIGURES(w, 1, 0, 1, 0, 0, 0);
    say(w, OUT("AgentComplete", "|Channel: SIP/pstn-1|DestChannel: Local/0612345678@out-1;1"));
    world_tick(w, 1);
    FIGURES(w, 1, 1, 0, 0, 0, 0);
    say(w, OUT("AgentConnect", "|Channel: SIP/pstn-1|DestChannel: Local/0612345678@out-1;1"));
    world_list(w, OUT("QueueMember", "|Status: 1|Paused: 0|InCall: 0")); /* its end was missed */
    world_tick(w, 1);
    FIGURES(w, 1, 1, 0, 0, 0, 0);
}

static void a_member_has_a_wrap_up_of_its_own(void **state)
{
    struct model_world *w = *state;

    say(w, OUT("QueueMemberAdded", "|Status: 1|Paused: 0|InCall: 0|Wrapuptime: 10"));
    say(w, OUT("AgentConnect", "|Channel: SIP/pstn-1|DestChannel: Local/0612345678@out-1;1"));
    say(w, OUT("AgentComplete", "|Channel: SIP/pstn-1|DestChannel: Local/0612345678@out-1;1"));
    world_tick(w, 1);
    FIGURES(w, 1, 0, 0, 0, 0, 0);
    world_tick(w, 5);
    FIGURES(w, 1, 0, 0, 0, 0, 0);
    world_tick(w, 5);
    world_tick(w, 1);
    FIGURES(w, 1, 1, 0, 0, 0, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(members_count_by_their_device),
        T(an_agent_is_there_while_logged_in),
        T(waiting_is_counted_from_the_first),
        T(the_expected_wait_forgets_after_an_hour),
        T(many_events_are_one_change),
        T(a_queue_that_is_gone_has_no_figures),
        T(a_member_outside_is_in_a_call_though_its_device_is_not),
        T(what_answered_is_in_a_call_whatever_incall_says),
        T(a_member_has_a_wrap_up_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
