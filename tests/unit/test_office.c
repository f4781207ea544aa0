/* The simulated company (tools/asterisk-sim/office): whatever happens in it, what it tells agrees
 * with what it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "office/internal.h"

#define EPOCH 1800000000

struct day {
    struct world world;
    struct office *office;
    struct map *seen; /* names of events, of their own memory */
    uint64_t hash;    /* of everything told */
};

static void on_event(void *arg, struct view event, uint32_t classes)
{
    struct day *d = arg;
    struct view rest = event, line = view_cut(&rest, '\r');
    char *name = view_dup(view_of(line.ptr + 7, line.len - 7));

    d->hash = map_hash(d->hash, event);
    assert_non_null(name);
    if (map_get(d->seen, view_cstr(name)) || map_put(d->seen, view_cstr(name), name) < 0)
        free(name);
}

static void begin(struct day *d, const struct office_options *options)
{
    struct office_options from = *options;

    from.epoch_s = EPOCH;
    assert_int_equal(world_init(&d->world), 0);
    d->seen = map_new();
    d->hash = 0;
    d->world.sink = on_event;
    d->world.sink_arg = d;
    d->office = office_new(&from, &d->world);
    assert_non_null(d->office);
}

static void end(struct day *d)
{
    struct view key;
    void *name;
    size_t pos = 0;

    office_destroy(&d->office);
    assert_int_equal(d->world.model.n, 0); /* every channel was hung up */
    world_free(&d->world);
    while (map_next(d->seen, &pos, &key, &name)) {
        map_del(d->seen, key);
        free(name);
    }
    map_destroy(&d->seen);
}

static void assert_sound(const struct office *o)
{
    struct buf wrong;
    unsigned n;

    buf_init(&wrong, 0);
    n = office_check(o, &wrong);
    if (n > 0)
        fail_msg("after %llu calls: %s", (unsigned long long)o->calls, buf_cstr(&wrong));
    buf_free(&wrong);
}

/* So many calls, with a look at everything now and then; then nobody begins one any more, and in
 * the end every line is free. */
static void live_through(const struct office_options *options, uint64_t calls)
{
    struct day d;
    uint64_t looked = 0;

    begin(&d, options);
    while (d.office->calls < calls) {
        assert_true(office_next(d.office) != UINT64_MAX);
        office_run(d.office, office_next(d.office), 0);
        if (d.office->calls > looked + 50) {
            looked = d.office->calls;
            assert_sound(d.office);
        }
    }
    timer_stop(&d.office->timers, &d.office->arrival);
    timer_stop(&d.office->timers, &d.office->shift);
    timer_stop(&d.office->timers, &d.office->visit);
    office_run(d.office, d.office->timers.now_us + 3600 * SECONDS, 0);
    assert_sound(d.office);
    for (struct leg *l = LIST_FIRST(&d.office->legs); l; l = LIST_NEXT(l, all))
        if (l->job != JOB_AGENT)
            fail_msg("%s is left, job %d", l->name, (int)l->job);
    end(&d);
}

static void test_many_calls_of_several_seeds(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        live_through(
            &(struct office_options){
                .people = 30, .per_minute = 20, .seed = seed, .guests = "alice,bob"},
            10000);
}

static void test_many_calls_in_the_old_dialect(void **state)
{
    live_through(&(struct office_options){.people = 30, .per_minute = 20, .seed = 5, .old = true},
                 5000);
}

static void test_a_large_company(void **state)
{
    live_through(&(struct office_options){.people = 2000, .per_minute = 60000, .seed = 6}, 20000);
}

/* Whatever an Asterisk has calls for happens by itself in a day. */
static void test_a_day_has_everything(void **state)
{
    static const char *const expected[] = {"AgentCalled",
                                           "AgentComplete",
                                           "AgentConnect",
                                           "AgentLogin",
                                           "AgentLogoff",
                                           "AgentRingNoAnswer",
                                           "AttendedTransfer",
                                           "BlindTransfer",
                                           "BridgeMerge",
                                           "ConfbridgeEnd",
                                           "ConfbridgeJoin",
                                           "ConfbridgeLeave",
                                           "ConfbridgeStart",
                                           "ContactStatus",
                                           "PeerStatus",
                                           "DialBegin",
                                           "DialEnd",
                                           "Hold",
                                           "LocalBridge",
                                           "LocalOptimizationEnd",
                                           "MessageWaiting",
                                           "MusicOnHoldStart",
                                           "ParkedCall",
                                           "ParkedCallTimeOut",
                                           "QueueCallerAbandon",
                                           "QueueCallerJoin",
                                           "QueueCallerLeave",
                                           "QueueMemberAdded",
                                           "QueueMemberPause",
                                           "QueueMemberRemoved",
                                           "QueueMemberStatus",
                                           "UnParkedCall",
                                           "Unhold"};
    struct day d;

    begin(&d, &(struct office_options){.people = 30, .per_minute = 6, .seed = 1});
    while (d.office->calls < 3000)
        office_run(d.office, office_next(d.office), 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        if (!map_get(d.seen, view_cstr(expected[i])))
            fail_msg("no %s in %llu calls", expected[i], (unsigned long long)d.office->calls);
    end(&d);
}

static uint64_t hash_of_a_day(uint64_t seed)
{
    struct day d;
    uint64_t hash;

    begin(&d, &(struct office_options){.people = 30, .per_minute = 20, .seed = seed});
    office_run(d.office, 3600 * SECONDS, 0);
    hash = d.hash;
    end(&d);
    return hash;
}

static void test_the_same_seed_makes_the_same_day(void **state)
{
    uint64_t first = hash_of_a_day(7);

    assert_true(first == hash_of_a_day(7));
    assert_true(first != hash_of_a_day(8));
}

static bool do_action(void *arg, const struct ami_block *b)
{
    struct day *d = arg;
    struct buf out;
    const struct ask a = {.w = &d->world, .b = b, .id = ami_get(b, "ActionID"), .out = &out};
    const struct action *row = office_action(d->office, b->name);

    buf_init(&out, 0);
    assert_non_null(row);
    row->fn(&a);
    assert_true(view_starts(buf_view(&out), VIEW("Response: ")));
    buf_free(&out);
    return true;
}

static void act(struct day *d, struct view text)
{
    struct ami_parser parser;

    ami_parser_init(&parser);
    assert_int_equal(ami_parse(&parser, text, do_action, d), text.len);
}

static const char *any_channel(struct day *d)
{
    size_t n = d->world.model.n;

    return n ? d->world.model.chans[office_random(d->office, n)]->field[CH_NAME] : "none";
}

static const char *any_exten(struct day *d)
{
    static const char *const extens[] = {
        "1001",   "1007",    "1002",    "3001", "3002", "4001",       "700",    "701",
        "*81002", "*971003", "*312009", "*25",  "*76",  "0142143000", "nobody", ""};

    return extens[office_random(d->office, sizeof(extens) / sizeof(*extens))];
}

/* Actions in any state of any channel, most of them senseless. */
static void any_action(struct day *d)
{
    static const char *const on_channel[] = {
        "Hangup",         "Atxfer",         "BlindTransfer", "CancelAtxfer", "Park",
        "Redirect",       "Monitor",        "StopMonitor",   "MixMonitor",   "Setvar",
        "ConfbridgeMute", "ConfbridgeKick", "Bridge",        "OfficeHangup", "PlayDTMF"};
    static const char *const on_phone[] = {
        "PJSIPNotify",  "QueueAdd",   "QueueRemove",    "QueuePause",      "Originate",
        "OfficeAnswer", "OfficeHold", "OfficeCall",     "AgentLogoff",     "DBPut",
        "DBDel",        "DBGetTree",  "ConfbridgeLock", "ConfbridgeUnlock"};
    uint64_t dice = office_random(d->office, 100), k = office_random(d->office, 1000);
    const struct person *p = &d->office->people[office_random(d->office, d->office->n_people)];
    struct buf text;

    buf_init(&text, 0);
    buf_printf(&text, "Action: %s\r\nActionID: x\r\n",
               dice < 60 ? on_channel[k % (sizeof(on_channel) / sizeof(*on_channel))]
                         : on_phone[k % (sizeof(on_phone) / sizeof(*on_phone))]);
    if (dice < 60)
        buf_printf(&text,
                   "Channel: %s\r\nChannel1: %s\r\nChannel2: %s\r\nConference: 4001\r\n"
                   "Digit: 1\r\n",
                   any_channel(d), any_channel(d), any_channel(d));
    else
        buf_printf(&text,
                   "Channel: %s\r\nEndpoint: %s\r\nFrom: %s\r\nInterface: %s\r\nAsync: true\r\n"
                   "Application: %s\r\nData: %s\r\nConference: 4001\r\n",
                   p->device, p->is.login, p->device, p->device, dice < 70 ? "ChanSpy" : "",
                   any_channel(d));
    buf_printf(&text,
               "Variable: %s\r\nExten: %s\r\nContext: default\r\nPriority: 1\r\nQueue: %s\r\n"
               "Paused: %d\r\nPenalty: 1\r\nAgent: 20%02d\r\nFamily: %s\r\nKey: %s\r\nVal: %d\r\n"
               "ExtraChannel: %s\r\n\r\n",
               dice % 2 ? "Event=talk" : "Event=hold", any_exten(d), dice % 3 ? "support" : "sales",
               (int)(dice % 2), (int)(1 + k % 12), dice % 2 ? "DND" : "CF", p->is.number,
               dice % 4 ? 0 : 1007, dice % 5 ? "" : any_channel(d));
    act(d, buf_view(&text));
    buf_free(&text);
}

static void test_actions_at_any_time(void **state)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct day d;

        begin(&d, &(struct office_options){
                      .people = 30, .per_minute = 30, .seed = seed, .guests = "alice"});
        for (unsigned i = 0; i < 4000; i++) {
            any_action(&d);
            assert_sound(d.office);
            office_run(d.office, d.office->timers.now_us + office_random(d.office, 2 * SECONDS), 0);
            assert_sound(d.office);
        }
        end(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_calls_of_several_seeds),
        cmocka_unit_test(test_many_calls_in_the_old_dialect),
        cmocka_unit_test(test_a_large_company),
        cmocka_unit_test(test_a_day_has_everything),
        cmocka_unit_test(test_the_same_seed_makes_the_same_day),
        cmocka_unit_test(test_actions_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
