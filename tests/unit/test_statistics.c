/* What happened in queues: each call joins and ends once, in both dialects; and the sums of it. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "model/statistics.h"
#include "support/model_world.h"

#define say world_say

/* "QUEUE KIND" of all that was told, and the last of it. */
struct told {
    struct buf text;
    struct queue_event last;
};

struct test_world {
    struct model_world *w;
    struct told told;
};

static void on_queue(void *arg, struct ipbx_model *d, const struct queue_event *e)
{
    static const char *const names[] = {"join", "link", "lost", "left"};
    struct told *t = arg;

    (void)d;
    buf_printf(&t->text, "%.*s:%s ", VIEW_ARG(e->queue_id), names[e->kind]);
    t->last = *e;
}

static const struct ipbx_model_effects effects = {.queue = on_queue};

static struct test_world *new_world(void)
{
    struct test_world *t = calloc(1, sizeof(*t));

    t->w = world_new();
    buf_init(&t->told.text, 0);
    t->w->d->effects = &effects;
    t->w->d->effects_arg = &t->told;
    t->w->now = 1000;
    say(t->w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|Uniqueid: 1.1");
    say(t->w, "Event: Newchannel|Channel: SIP/pstn-2|ChannelState: 4|Uniqueid: 1.2");
    return t;
}

static void free_world(struct test_world *t)
{
    world_destroy(t->w);
    buf_free(&t->told.text);
    free(t);
}

static int setup(void **state)
{
    *state = new_world();
    return 0;
}

static int teardown(void **state)
{
    free_world(*state);
    return 0;
}

#define TOLD(t, what) assert_string_equal(buf_cstr(&(t)->told.text), what)
#define NEAR(a, b) assert_true(fabs((a) - (b)) < 0.001)

/* ---- stories ---- */

static void both_dialects_tell_the_same_story(void **state)
{
    static const struct {
        const char *name, *story;
    } captures[] = {
        {"11-queue-answered", "1:join 1:link 1:join 1:link "},
        {"14-agent", "3:join 3:link 3:join 3:link "},
        {"20-did-incoming", "1:join 1:link "},
        {"33-midcall-login.helper", "1:join 1:lost "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(captures); i++)
        for (int v = 0; v < 2; v++) {
            struct test_world *t = new_world();
            world_play(t->w, v ? "20" : "1.8", captures[i].name);
            world_tick(t->w, 3);
            TOLD(t, captures[i].story);
            free_world(t);
        }
}

static void the_wait_ends_when_the_call_leaves(void **state)
{
    struct test_world *t = *state;

    t->w->now = 1999.99;
    say(t->w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 1|Uniqueid: 1.2");
    NEAR(t->told.last.time, 2000);
    t->w->now = 2011.99;
    say(t->w, "Event: Leave|Channel: SIP/pstn-2|Queue: support|Uniqueid: 1.2");
    assert_true(ipbx_model_wants_tick(t->w->d));
    t->w->now = 2012.99;
    say(t->w, "Event: AgentConnect|Queue: support|Member: SIP/bob|Uniqueid: 1.2|Holdtime: 12");
    TOLD(t, "1:join 1:link ");
    NEAR(t->told.last.waited, 12);
    NEAR(t->told.last.time, 2013);
    world_tick(t->w, 3);
    say(t->w, "Event: Hangup|Channel: SIP/pstn-2|Uniqueid: 1.2");
    world_tick(t->w, 3);
    TOLD(t, "1:join 1:link ");
}

static void who_leaves_unanswered_has_left(void **state)
{
    struct test_world *t = *state;

    say(t->w,
        "Event: QueueCallerJoin|Channel: SIP/pstn-2|Queue: support|Position: 1|Uniqueid: 1.2");
    t->w->now += 7;
    say(t->w, "Event: QueueCallerLeave|Channel: SIP/pstn-2|Queue: support|Uniqueid: 1.2");
    world_tick(t->w, 1.9);
    TOLD(t, "1:join ");
    world_tick(t->w, 0.2);
    TOLD(t, "1:join 1:left ");
    NEAR(t->told.last.waited, 7.01);
    world_tick(t->w, 1);
    assert_false(ipbx_model_wants_tick(t->w->d));
}

static void who_comes_back_joins_again(void **state)
{
    struct test_world *t = *state;

    say(t->w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 1");
    say(t->w, "Event: Leave|Channel: SIP/pstn-2|Queue: support");
    say(t->w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 1");
    say(t->w, "Event: QueueCallerAbandon|Queue: support|Uniqueid: 1.2");
    say(t->w, "Event: Leave|Channel: SIP/pstn-2|Queue: support");
    say(t->w, "Event: Hangup|Channel: SIP/pstn-2|Uniqueid: 1.2");
    world_tick(t->w, 5);
    TOLD(t, "1:join 1:left 1:join 1:lost ");
}

static void a_hangup_without_a_word_is_lost_but_not_across_a_lost_link(void **state)
{
    struct test_world *t = *state;

    say(t->w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 1");
    say(t->w, "Event: Join|Channel: SIP/alice-1|Queue: support|Position: 2");
    say(t->w, "Event: Hangup|Channel: SIP/pstn-2|Uniqueid: 1.2");
    world_tick(t->w, 3);
    TOLD(t, "1:join 1:join 1:lost ");
    world_mark(t->w, TEL_resync_begin, "queues");
    world_mark(t->w, TEL_resync_end, "queues");
    world_tick(t->w, 3);
    TOLD(t, "1:join 1:join 1:lost 1:left ");
}

static void a_listing_tells_of_no_second_join(void **state)
{
    struct test_world *t = *state;

    say(t->w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 1");
    world_mark(t->w, TEL_resync_begin, "queues");
    world_list(t->w, "Event: QueueEntry|Queue: support|Position: 1|Channel: SIP/pstn-2|Wait: 1");
    world_list(t->w, "Event: QueueEntry|Queue: support|Position: 2|Channel: SIP/alice-1|Wait: 30");
    NEAR(t->told.last.time, t->w->now - 30);
    world_mark(t->w, TEL_resync_end, "queues");
    TOLD(t, "1:join 1:join ");
}

static void a_group_has_no_statistics(void **state)
{
    struct test_world *t = *state;

    say(t->w, "Event: Join|Channel: SIP/pstn-2|Queue: group|Position: 1");
    say(t->w, "Event: AgentConnect|Queue: group|Member: SIP/bob|Uniqueid: 1.2");
    say(t->w, "Event: Leave|Channel: SIP/pstn-2|Queue: group");
    world_tick(t->w, 3);
    TOLD(t, "");
}

static void a_masquerade_and_a_rename_go_on_with_the_story(void **state)
{
    struct test_world *t = *state;

    say(t->w, "Event: Newchannel|Channel: SIP/pstn-3|ChannelState: 4"); /* without a Uniqueid */
    say(t->w, "Event: Join|Channel: SIP/pstn-3|Queue: support|Position: 1");
    say(t->w, "Event: Rename|Channel: SIP/pstn-3|Newname: SIP/pstn-9");
    say(t->w, "Event: Join|Channel: SIP/pstn-2|Queue: support|Position: 2");
    say(t->w, "Event: Rename|Channel: SIP/pstn-2|Newname: SIP/alice-1|Uniqueid: 1.2");
    world_tick(t->w, 5);
    TOLD(t, "1:join 1:join ");
    say(t->w, "Event: Leave|Channel: SIP/pstn-9|Queue: support");
    say(t->w, "Event: QueueCallerAbandon|Queue: support|Uniqueid: 1.2");
    say(t->w, "Event: Hangup|Channel: SIP/alice-1|Uniqueid: 1.2");
    world_tick(t->w, 5);
    TOLD(t, "1:join 1:join 1:lost 1:left ");
}

/* ---- a time-out is no hang-up, though both are told as abandoned ---- */

#define ABANDON(c) "Event: QueueCallerAbandon|Channel: SIP/" c "|Queue: support|Uniqueid: " c
#define LEAVE(c) "Event: QueueCallerLeave|Channel: SIP/" c "|Queue: support|Uniqueid: " c
#define STATUS(c, text) "Event: VarSet|Channel: SIP/" c "|Variable: QUEUESTATUS|Value: " text
#define HANGUP(c) "Event: Hangup|Channel: SIP/" c "|Uniqueid: " c

static void joins(struct test_world *t, const char *c)
{
    char event[256];

    snprintf(event, sizeof(event), "Event: Newchannel|Channel: SIP/%s|Uniqueid: %s|ChannelState: 6",
             c, c);
    say(t->w, event);
    snprintf(event, sizeof(event),
             "Event: QueueCallerJoin|Channel: SIP/%s|Queue: support|Position: 1|Uniqueid: %s", c,
             c);
    say(t->w, event);
}

static void two_hang_up_and_one_times_out(void **state)
{
    struct test_world *t = *state;

    joins(t, "x-1");
    joins(t, "x-2");
    joins(t, "x-3");
    say(t->w, ABANDON("x-1"));
    say(t->w, LEAVE("x-1"));
    say(t->w, ABANDON("x-2"));
    say(t->w, LEAVE("x-2"));
    say(t->w, STATUS("x-2", "TIMEOUT"));
    TOLD(t, "1:join 1:join 1:join 1:left ");
    say(t->w, HANGUP("x-2")); /* the dialplan ends it at once */
    say(t->w, HANGUP("x-1"));
    say(t->w, "Event: HangupRequest|Channel: SIP/x-3|Uniqueid: x-3");
    say(t->w, ABANDON("x-3"));
    say(t->w, LEAVE("x-3"));
    say(t->w, HANGUP("x-3"));
    world_tick(t->w, 3);
    TOLD(t, "1:join 1:join 1:join 1:left 1:lost 1:lost ");
}

static void who_goes_on_has_not_hung_up(void **state)
{
    struct test_world *t = *state;

    joins(t, "x-1"); /* 1.8: the variable is not told */
    joins(t, "x-2");
    say(t->w, "Event: QueueCallerAbandon|Queue: support|Uniqueid: x-1");
    say(t->w, "Event: Leave|Channel: SIP/x-1|Queue: support|Uniqueid: x-1");
    world_tick(t->w, 3);
    TOLD(t, "1:join 1:join 1:left ");
    say(t->w, HANGUP("x-1"));
    say(t->w, LEAVE("x-2")); /* in the other order */
    say(t->w, ABANDON("x-2"));
    say(t->w, STATUS("x-2", "WITHDRAW"));
    say(t->w, HANGUP("x-2"));
    world_tick(t->w, 3);
    TOLD(t, "1:join 1:join 1:left 1:left ");
}

/* ---- after a restart ---- */

static void restore(struct test_world *t, enum queue_event_kind kind, double time, double waited)
{
    struct queue_event e = {kind, VIEW("1"), time, waited};

    assert_int_equal(statistics_restore(t->w->d, &e), 0);
}

static void who_waited_before_a_restart_joins_once_and_ends_once(void **state)
{
    struct test_world *t = *state;

    restore(t, QUEUE_JOIN, 900, 0);
    restore(t, QUEUE_JOIN, 950.25, 0);
    restore(t, QUEUE_LINK, 960, 60);
    restore(t, QUEUE_JOIN, 970, 0); /* went while nobody looked */
    t->w->now = 1000;
    world_mark(t->w, TEL_resync_begin, "queues");
    world_list(t->w, "Event: QueueEntry|Queue: support|Position: 1|Channel: SIP/pstn-2|Wait: 49");
    TOLD(t, "");
    world_mark(t->w, TEL_resync_end, "queues");
    TOLD(t, "1:left ");
    NEAR(t->told.last.waited, t->w->now - 970);
    t->w->now = 1009.99;
    say(t->w, "Event: QueueCallerAbandon|Queue: support|Uniqueid: 1.2");
    say(t->w, "Event: Leave|Channel: SIP/pstn-2|Queue: support");
    t->w->now = 1010.99;
    say(t->w, "Event: Hangup|Channel: SIP/pstn-2|Uniqueid: 1.2");
    TOLD(t, "1:left 1:lost ");
    NEAR(t->told.last.waited, 1010.01 - 950.25);
}

/* Somebody left, and another came, while nobody looked. */
static void who_came_after_a_restart_is_not_who_waited_before(void **state)
{
    struct test_world *t = *state;

    restore(t, QUEUE_JOIN, 900, 0);
    t->w->now = 1000;
    world_mark(t->w, TEL_resync_begin, "queues");
    world_list(t->w, "Event: QueueEntry|Queue: support|Position: 1|Channel: SIP/pstn-2|Wait: 95");
    TOLD(t, "1:join ");
    world_mark(t->w, TEL_resync_end, "queues");
    TOLD(t, "1:join 1:left ");
}

static void what_is_restored_is_checked(void **state)
{
    struct test_world *t = *state;
    struct queue_event bad_kind = {(enum queue_event_kind)4, VIEW("1"), 1, 0};
    struct queue_event bad_time = {QUEUE_JOIN, VIEW("1"), NAN, 0};
    struct queue_event good = {QUEUE_LEFT, VIEW("77"), 1, 0}; /* of no queue that is known */
    char id[16];
    int rc = 0;

    assert_int_equal(statistics_restore(t->w->d, &bad_kind), -EINVAL);
    assert_int_equal(statistics_restore(t->w->d, &bad_time), -EINVAL);
    assert_int_equal(statistics_restore(t->w->d, &good), 0);
    for (unsigned i = 0; i < STATISTICS_MAX_QUEUES; i++) {
        snprintf(id, sizeof(id), "q%u", i);
        good.queue_id = view_cstr(id);
        rc = statistics_restore(t->w->d, &good);
    }
    assert_int_equal(rc, -ENOBUFS);
}

/* ---- sums ---- */

static struct queue_window window(struct test_world *t, double now, double s, double xqos)
{
    struct queue_window out;

    statistics_window(t->w->d, VIEW("1"), now, s, xqos, &out);
    return out;
}

static void sums_are_those_of_the_window(void **state)
{
    struct test_world *t = *state;
    struct queue_window s;

    restore(t, QUEUE_JOIN, 1000, 0);
    restore(t, QUEUE_LINK, 1010, 10);
    restore(t, QUEUE_JOIN, 2000, 0);
    restore(t, QUEUE_JOIN, 2001, 0);
    restore(t, QUEUE_JOIN, 2002, 0);
    restore(t, QUEUE_JOIN, 2003, 0);
    restore(t, QUEUE_JOIN, 2004, 0);
    restore(t, QUEUE_LINK, 2005, 5);  /* of 2000 */
    restore(t, QUEUE_LINK, 2021, 20); /* of 2001 */
    restore(t, QUEUE_LOST, 2052, 50); /* of 2002 */
    restore(t, QUEUE_LEFT, 2063, 60); /* of 2003 */
    restore(t, QUEUE_LINK, 2064, 60); /* of 2004 */
    s = window(t, 2100, 600, 20);
    assert_int_equal(s.join, 5);
    assert_int_equal(s.link, 3);
    assert_int_equal(s.lost, 1);
    assert_int_equal(s.left, 1);
    NEAR(s.rate, 60);           /* 3 of the 5 that ended */
    NEAR(s.qos, 100.0 * 2 / 3); /* 5 and 20, not 60 */
    NEAR(s.holdtime_max, 60);
    NEAR(s.holdtime_avg, 85.0 / 3); /* 5, 20, 60 */
    s = window(t, 2100, 86400, 9);
    assert_int_equal(s.join, 6);
    assert_int_equal(s.link, 4);
    NEAR(s.rate, 100.0 * 4 / 6);
    NEAR(s.qos, 25);
    NEAR(s.holdtime_avg, 95.0 / 4);
    s = window(t, 2100, 36, 60); /* what happened at 2064 is just outside */
    assert_int_equal(s.join + s.link + s.lost + s.left, 0);
    assert_true(isnan(s.rate) && isnan(s.qos) && isnan(s.holdtime_max) && isnan(s.holdtime_avg));
    s = window(t, 2100, 48, 60); /* an end without an answer, then one with */
    assert_int_equal(s.lost, 0);
    NEAR(s.rate, 50);
    NEAR(s.qos, 100);
}

static void what_is_kept_is_bounded(void **state)
{
    struct test_world *t = *state;
    double time = 0;

    for (unsigned i = 0; i < STATISTICS_MAX_EVENTS + 1000; i++)
        restore(t, QUEUE_LOST, time += 0.1, 0);
    assert_int_equal(window(t, time, 86400, 60).lost, STATISTICS_MAX_EVENTS);
    restore(t, QUEUE_LOST, time += 86500, 0); /* all before are older than a day */
    assert_int_equal(window(t, time, 1e9, 60).lost, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_dialects_tell_the_same_story),
        T(the_wait_ends_when_the_call_leaves),
        T(who_leaves_unanswered_has_left),
        T(two_hang_up_and_one_times_out),
        T(who_goes_on_has_not_hung_up),
        T(who_comes_back_joins_again),
        T(a_hangup_without_a_word_is_lost_but_not_across_a_lost_link),
        T(a_listing_tells_of_no_second_join),
        T(a_group_has_no_statistics),
        T(a_masquerade_and_a_rename_go_on_with_the_story),
        T(who_waited_before_a_restart_joins_once_and_ends_once),
        T(who_came_after_a_restart_is_not_who_waited_before),
        T(what_is_restored_is_checked),
        T(sums_are_those_of_the_window),
        T(what_is_kept_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
