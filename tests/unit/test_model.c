/* The domain on real captures: after every event the store is consistent, at the end nothing is
 * left over, and both dialects tell of the same calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/model_world.h"

#define COMM XOD(channels, commstatus)
#define PEER XOD(channels, talkingto_id)

static const char *const people[] = {"alice", "bob", "carol", "dave", "erin"};

struct world {
    struct model_world *s;
    struct buf
        seen; /* what was told of the channels of one phone: "calling linked-caller gone..." */
    const char *watched;
};

static void note(void *arg, const struct xod_change *c)
{
    struct world *w = arg;

    if (xod_obj_list(c->obj) != LIST_channels || !w->watched ||
        !view_starts(xod_obj_id(c->obj), view_cstr(w->watched)))
        return;
    if (c->op == XOD_DEL)
        buf_append_cstr(&w->seen, "gone ");
    else if (c->fields & XOD_BIT(channels, commstatus))
        buf_printf(&w->seen, "%s ", xod_get(c->obj, COMM)->s);
}

static void play(struct world *w, const char *version, const char *name)
{
    world_play(w->s, version, name);
}

static void say(struct world *w, const char *lines)
{
    world_say(w->s, lines);
}

static void say_kind(struct world *w, enum tel_event ev, const char *kind)
{
    world_mark(w->s, ev, kind);
}

/* ---- set-up ---- */

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    buf_init(&w->seen, 0);
    w->s = world_new();
    w->s->note = note;
    w->s->note_arg = w;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    world_destroy(w->s);
    buf_free(&w->seen);
    free(w);
    return 0;
}

static struct xod_obj *channel(struct world *w, const char *name)
{
    return xod_find(w->s->ipbx, LIST_channels, view_cstr(name));
}

static const char *field(struct world *w, const char *name, unsigned f)
{
    struct xod_obj *c = channel(w, name);

    assert_non_null(c);
    return xod_get(c, f)->type == V_STR ? xod_get(c, f)->s : "(null)";
}

static const char *hint(struct world *w, const char *phone)
{
    return xod_get(xod_find(w->s->ipbx, LIST_phones, view_cstr(phone)), XOD(phones, hintstatus))->s;
}

/* What is told of one phone's channels in a capture. */
static char *sequence(struct world *w, const char *version, const char *name, const char *identity)
{
    buf_reset(&w->seen);
    w->watched = identity;
    play(w, version, name);
    w->watched = NULL;
    return view_dup(buf_view(&w->seen));
}

/* ---- whole captures ---- */

static const char *const whole[] = {
    "02-call-answered",  "03-noanswer-cancel", "05-hold",          "06-redirect-blind",
    "08-atxfer-ami",     "11-queue-answered",  "13-queue-members", "15-conference",
    "16-parking",        "17-voicemail-mwi",   "18-monitor",       "19-userevents-features",
    "20-did-incoming",   "21-originate",       "22-fastagi",       "24-nonascii",
    "28-hints-presence", "39-hold-moh-iax"};

static void at_the_end_of_a_capture_nothing_is_left_over(void **state)
{
    struct world *w = *state;

    for (int v = 0; v < 2; v++)
        for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
            struct xod_obj *c;
            size_t pos = 0;
            play(w, v ? "20" : "1.8", whole[i]);
            c = xod_next(w->s->ipbx, LIST_channels, &pos);
            if (c)
                fail_msg("%s %s: %s is left", v ? "20" : "1.8", whole[i], xod_obj_id(c).ptr);
            translator_reset(w->s->t);
        }
}

static void captures_that_begin_or_end_in_a_call_leave_the_store_consistent(void **state)
{
    static const char *const others[] = {"01-login-listing", "14-agent", "33-midcall-login",
                                         "33-midcall-login.helper", "34-reload"};
    struct world *w = *state;

    for (int v = 0; v < 2; v++)
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
            play(w, v ? "20" : "1.8", others[i]);
}

struct last_hint {
    const char *identity;
    char status[16];
};

static bool note_hint(void *arg, const struct ami_block *b)
{
    struct last_hint *h = arg;
    struct view status = ami_get(b, "Status");

    if (ami_is_event(b, "ExtensionStatus") && !ami_get(b, "ActionID").ptr &&
        view_eq(ami_get(b, "Hint"), view_cstr(h->identity)))
        snprintf(h->status, sizeof(h->status), "%.*s", VIEW_ARG(status));
    return true;
}

static void hints_end_as_the_capture_says(void **state)
{
    struct world *w = *state;

    for (int v = 0; v < 2; v++)
        for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
            struct last_hint h = {"SIP/alice", ""};
            struct buf bytes;
            char path[128];
            snprintf(path, sizeof(path), "%s/%s.ami", v ? "20" : "1.8", whole[i]);
            capture_load(&bytes, path);
            capture_blocks(buf_view(&bytes), 0, note_hint, &h);
            buf_free(&bytes);
            play(w, v ? "20" : "1.8", whole[i]);
            if (*h.status)
                assert_string_equal(hint(w, "11"), h.status);
        }
}

static void both_dialects_tell_the_same_of_a_call(void **state)
{
    static const char *const captures[] = {"02-call-answered", "03-noanswer-cancel"};
    struct world *w = *state;

    for (size_t i = 0; i < 2; i++)
        for (int p = 0; p < 3; p++) {
            char identity[32];
            char *old, *new;
            snprintf(identity, sizeof(identity), "SIP/%s-", people[p]);
            old = sequence(w, "1.8", captures[i], identity);
            new = sequence(w, "20", captures[i], identity);
            assert_true(strlen(old) > 0 || p == 2);
            assert_string_equal(old, new);
            free(old);
            free(new);
        }
}

static void the_two_ends_of_an_answered_call(void **state)
{
    struct world *w = *state;
    char *s = sequence(w, "20", "02-call-answered", "SIP/alice-");

    assert_true(view_starts(view_cstr(s), VIEW("ready calling linked-caller ready gone ")));
    free(s);
    s = sequence(w, "20", "02-call-answered", "SIP/carol-");
    assert_string_equal(s, "ready ringing linked-called ready gone ");
    free(s);
}

/* ---- calls ---- */

#define NEW(c, state) "Event: Newchannel|Channel: " c "|ChannelState: " state "|Uniqueid: " c
#define STATE(c, n) "Event: Newstate|Channel: " c "|ChannelState: " n
#define DIAL(a, b) "Event: DialBegin|Channel: " a "|DestChannel: " b
#define LINK(a, b) "Event: Bridge|Bridgestate: Link|Channel1: " a "|Channel2: " b
#define UNLINK(a, b) "Event: Unlink|Channel1: " a "|Channel2: " b
#define HANGUP(c) "Event: Hangup|Channel: " c

static void a_call_of_two(struct world *w)
{
    say(w, NEW("SIP/alice-1", "4") "|CallerIDNum: 1001|CallerIDName: Alice");
    say(w, NEW("SIP/bob-2", "0") "|CallerIDNum: 1002");
    say(w, DIAL("SIP/alice-1", "SIP/bob-2"));
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
}

static void each_knows_the_other(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    assert_string_equal(field(w, "SIP/alice-1", PEER), "SIP/bob-2");
    assert_string_equal(field(w, "SIP/bob-2", PEER), "SIP/alice-1");
    assert_string_equal(field(w, "SIP/bob-2", XOD(channels, peerdisplay)), "Alice (1001)");
    assert_string_equal(field(w, "SIP/bob-2", XOD(channels, context)), "default");
    say(w, UNLINK("SIP/alice-1", "SIP/bob-2"));
    assert_string_equal(field(w, "SIP/alice-1", COMM), "ready");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "(null)");
}

static void when_one_of_many_callees_answers_nobody_talks_to_ghosts(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/alice-1", "4"));
    say(w, NEW("SIP/bob-2", "0"));
    say(w, NEW("SIP/carol-3", "0"));
    say(w, DIAL("SIP/alice-1", "SIP/bob-2"));
    say(w, DIAL("SIP/alice-1", "SIP/carol-3"));
    assert_string_equal(field(w, "SIP/bob-2", COMM), "ringing");
    say(w, HANGUP("SIP/alice-1")); /* both ring on for a moment */
    assert_string_equal(field(w, "SIP/bob-2", PEER), "(null)");
    assert_string_equal(field(w, "SIP/carol-3", PEER), "(null)");
}

/* ---- who is shown ---- */

#define NAME XOD(channels, peer_name)
#define NUMBER XOD(channels, peer_number)
#define SHOWN XOD(channels, peerdisplay)
#define CONNECTED(c, num, name)                                                                    \
    "Event: NewConnectedLine|Channel: " c "|ConnectedLineNum: " num "|ConnectedLineName: " name    \
    "|Linkedid: 1.1"

static void names_and_numbers_are_told_apart(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    assert_string_equal(field(w, "SIP/bob-2", NAME), "Alice");
    assert_string_equal(field(w, "SIP/bob-2", NUMBER), "1001");
    assert_string_equal(field(w, "SIP/alice-1", XOD(channels, thisdisplay)), "Alice (1001)");
    assert_string_equal(field(w, "SIP/alice-1", NUMBER), "1002");
    assert_string_equal(field(w, "SIP/alice-1", SHOWN), "1002"); /* the name is not known */
    say(w, CONNECTED("SIP/alice-1", "1002", "Bob"));
    assert_string_equal(field(w, "SIP/alice-1", SHOWN), "Bob (1002)");
}

/* An empty header clears, a missing one leaves. */
static void what_is_told_empty_is_gone(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/alice-1", "4") "|CallerIDNum: 1001|CallerIDName: Alice");
    say(w, CONNECTED("SIP/alice-1", "1002", "Bob"));
    say(w, "Event: NewConnectedLine|Channel: SIP/alice-1|ConnectedLineNum: 1002");
    assert_string_equal(field(w, "SIP/alice-1", NAME), "Bob");
    say(w, CONNECTED("SIP/alice-1", "1002", "<unknown>"));
    assert_string_equal(field(w, "SIP/alice-1", NAME), "(null)");
    assert_string_equal(field(w, "SIP/alice-1", SHOWN), "1002");
    say(w, CONNECTED("SIP/alice-1", "", ""));
    assert_string_equal(field(w, "SIP/alice-1", SHOWN), "(null)");
    say(w, "Event: NewCallerid|Channel: SIP/alice-1|CallerIDNum: 1001|CallerIDName: ");
    assert_string_equal(field(w, "SIP/alice-1", XOD(channels, callerid_name)), "(null)");
    assert_string_equal(field(w, "SIP/alice-1", XOD(channels, thisdisplay)), "1001");
    say(w, CONNECTED("SIP/alice-1", "1003", "Carol"));
    say(w, "Event: Newstate|Channel: SIP/alice-1|ChannelState: 6|ConnectedLineNum: 1004");
    assert_string_equal(field(w, "SIP/alice-1", SHOWN), "1004"); /* that is not Carol */
}

/* A mailbox, music, a room: nobody is at the other end, whatever the connected line says still. */
static void who_was_talked_to_before_a_transfer_is_not_shown(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    say(w, STATE("SIP/alice-1", "6"));
    say(w, CONNECTED("SIP/alice-1", "1002", "Bob"));
    say(w, UNLINK("SIP/alice-1", "SIP/bob-2"));
    say(w, "Event: Newstate|Channel: SIP/alice-1|ChannelState: 6|ConnectedLineNum: 1002|"
           "ConnectedLineName: Bob");
    assert_string_equal(field(w, "SIP/alice-1", SHOWN), "(null)");
    assert_string_equal(field(w, "SIP/alice-1", NAME), "(null)");
    assert_string_equal(field(w, "SIP/alice-1", NUMBER), "(null)");
    say(w, LINK("SIP/alice-1", "SIP/bob-2")); /* the same again, as a feature code does */
    assert_string_equal(field(w, "SIP/alice-1", SHOWN), "Bob (1002)");
}

#define QUEUE XOD(channels, queue)

static void add_queue(struct world *w)
{
    xod_set_str(xod_add(w->s->ipbx, LIST_queues, VIEW("9")), XOD(queues, name), VIEW("q"));
}

static void the_queue_of_a_call_is_shown_at_both_ends(void **state)
{
    struct world *w = *state;

    add_queue(w);
    say(w, NEW("SIP/alice-1", "4"));
    say(w, NEW("Local/1@x-2;1", "0"));
    say(w, NEW("Local/1@x-2;2", "4"));
    say(w, NEW("SIP/bob-3", "0"));
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: q|Position: 1");
    assert_string_equal(field(w, "SIP/alice-1", QUEUE), "q");
    say(w, DIAL("SIP/alice-1", "Local/1@x-2;1"));
    say(w, DIAL("Local/1@x-2;2", "SIP/bob-3"));
    assert_string_equal(field(w, "SIP/bob-3", QUEUE), "q");
    say(w, "Event: Leave|Channel: SIP/alice-1|Queue: q");
    say(w, LINK("SIP/alice-1", "SIP/bob-3"));
    assert_string_equal(field(w, "SIP/alice-1", QUEUE), "q");
    assert_string_equal(field(w, "SIP/bob-3", QUEUE), "q");
    say(w, UNLINK("SIP/alice-1", "SIP/bob-3"));
    assert_string_equal(field(w, "SIP/alice-1", QUEUE), "(null)"); /* to a mailbox */
    say(w, NEW("SIP/carol-4", "6"));
    say(w, LINK("SIP/alice-1", "SIP/carol-4")); /* somebody it was transferred to */
    assert_string_equal(field(w, "SIP/alice-1", QUEUE), "(null)");
    assert_string_equal(field(w, "SIP/carol-4", QUEUE), "(null)");
}

static void a_call_that_leaves_a_queue_unanswered_is_none_of_it(void **state)
{
    struct world *w = *state;

    add_queue(w);
    say(w, NEW("SIP/alice-1", "4"));
    say(w, NEW("SIP/bob-3", "0"));
    say(w, "Event: Join|Channel: SIP/alice-1|Queue: q|Position: 1");
    say(w, "Event: Leave|Channel: SIP/alice-1|Queue: q");
    assert_string_equal(field(w, "SIP/alice-1", QUEUE), "(null)");
    say(w, DIAL("SIP/alice-1", "SIP/bob-3"));
    assert_string_equal(field(w, "SIP/bob-3", QUEUE), "(null)");
    assert_string_equal(field(w, "SIP/alice-1", QUEUE), "(null)");
}

static void a_failed_dial_is_forgotten(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/alice-1", "4"));
    say(w, NEW("SIP/bob-2", "0"));
    say(w, DIAL("SIP/alice-1", "SIP/bob-2"));
    say(w, "Event: DialEnd|Channel: SIP/alice-1|DestChannel: SIP/bob-2|DialStatus: BUSY");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "(null)");
    assert_string_equal(field(w, "SIP/bob-2", PEER), "(null)");
}

static void an_originate_rings_a_phone_without_a_caller(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/bob-2", "0"));
    say(w, "Event: DialBegin|DestChannel: SIP/bob-2");
    assert_string_equal(field(w, "SIP/bob-2", XOD(channels, direction)), "in");
    assert_string_equal(field(w, "SIP/bob-2", COMM), "ready");
    say(w, "Event: Newstate|Channel: SIP/bob-2|ChannelState: 5");
    assert_string_equal(field(w, "SIP/bob-2", COMM), "ringing");
    assert_string_equal(field(w, "SIP/bob-2", PEER), "(null)");
}

/* A mailbox, music, a room, ChanSpy, AgentLogin: no other end will come. */
static void an_originated_call_that_is_answered_rings_no_longer(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/bob-2", "0"));
    say(w, "Event: DialBegin|DestChannel: SIP/bob-2");
    say(w, STATE("SIP/bob-2", "5"));
    say(w, STATE("SIP/bob-2", "6"));
    assert_string_equal(field(w, "SIP/bob-2", COMM), "ready");
    say(w, NEW("SIP/carol-3", "0"));
    say(w, DIAL("SIP/bob-2", "SIP/carol-3"));
    assert_string_equal(field(w, "SIP/bob-2", COMM), "calling"); /* it goes on to a phone */
    say(w, HANGUP("SIP/carol-3"));
    assert_string_equal(field(w, "SIP/bob-2", COMM), "ready"); /* and to the mailbox after it */
}

static void what_tells_of_the_answer_of_an_originate(void **state)
{
    static const char *const answers[] = {
        "Event: Newstate|Channel: SIP/bob-2|ChannelState: 6",
        "Event: DialEnd|DestChannel: SIP/bob-2|DialStatus: ANSWER",
        "Event: OriginateResponse|Response: Success|Channel: SIP/bob-2|Reason: 4",
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        say(w, NEW("SIP/bob-2", "5"));
        say(w, "Event: OriginateResponse|Response: Failure|Channel: SIP/bob-2|Reason: 3");
        assert_string_equal(field(w, "SIP/bob-2", COMM), "ringing");
        say(w, answers[i]);
        assert_string_equal(field(w, "SIP/bob-2", COMM), "ready");
        assert_string_equal(field(w, "SIP/bob-2", XOD(channels, state)), "Up");
        say(w, HANGUP("SIP/bob-2"));
    }
}

static void who_dials_an_application_calls_no_longer_when_it_answers(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/alice-1", "4"));
    say(w, STATE("SIP/alice-1", "6"));
    assert_string_equal(field(w, "SIP/alice-1", COMM), "ready");
}

/* Answered by the dialplan first: it still waits for one of the two. */
static void a_caller_whom_somebody_rings_for_calls(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/alice-1", "4"));
    say(w, STATE("SIP/alice-1", "6"));
    say(w, NEW("SIP/bob-2", "0"));
    say(w, NEW("SIP/carol-3", "0"));
    say(w, DIAL("SIP/alice-1", "SIP/bob-2"));
    say(w, DIAL("SIP/alice-1", "SIP/carol-3"));
    say(w, "Event: DialEnd|Channel: SIP/alice-1|DestChannel: SIP/carol-3|DialStatus: BUSY");
    assert_string_equal(field(w, "SIP/alice-1", COMM), "calling");
}

static void a_masquerade_moves_the_call_and_keeps_the_phone(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    say(w, "Event: Newstate|Channel: SIP/bob-2|ChannelState: 6");
    say(w, NEW("SIP/carol-3", "6"));
    say(w, NEW("Local/3@x;1", "0"));
    say(w, LINK("SIP/carol-3", "Local/3@x;1"));
    /* Local;1 lives on as bob's channel: bob's old leg to alice is gone with it */
    say(w, "Event: Rename|Channel: SIP/bob-2|Newname: SIP/bob-2<MASQ>|Uniqueid: SIP/bob-2");
    say(w, "Event: Rename|Channel: Local/3@x;1|Newname: SIP/bob-2|Uniqueid: Local/3@x;1");
    say(w,
        "Event: Rename|Channel: SIP/bob-2<MASQ>|Newname: Local/3@x;1<ZOMBIE>|Uniqueid: SIP/bob-2");
    assert_null(channel(w, "Local/3@x;1"));
    assert_string_equal(field(w, "SIP/bob-2", XOD(channels, uniqueid)), "Local/3@x;1");
    assert_string_equal(field(w, "SIP/bob-2", PEER), "SIP/carol-3");
    assert_string_equal(field(w, "SIP/bob-2", XOD(channels, state)), "Up"); /* the device's */
    assert_string_equal(field(w, "SIP/carol-3", PEER), "SIP/bob-2");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "(null)");
    say(w, HANGUP("Local/3@x;1<ZOMBIE>"));
    assert_int_equal(xod_count(w->s->ipbx, LIST_channels), 3);
}

/* carol picks up what rings at bob: in 1.8 and 11 her channel is masqueraded into his place. */
static void who_picks_up_takes_the_place_of_who_was_rung(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/alice-1", "4") "|CallerIDNum: 1001|CallerIDName: Alice");
    say(w, NEW("SIP/bob-2", "0") "|CallerIDNum: 1002");
    say(w, "Event: Dial|SubEvent: Begin|Channel: SIP/alice-1|Destination: SIP/bob-2");
    say(w, "Event: Newstate|Channel: SIP/bob-2|ChannelState: 5");
    say(w, NEW("SIP/carol-3", "4") "|CallerIDNum: 1003|CallerIDName: Carol");
    say(w, "Event: Newstate|Channel: SIP/carol-3|ChannelState: 6");
    say(w, "Event: Masquerade|Clone: SIP/carol-3|Original: SIP/bob-2");
    say(w, "Event: Rename|Channel: SIP/carol-3|Newname: SIP/carol-3<MASQ>|Uniqueid: SIP/carol-3");
    say(w, "Event: Rename|Channel: SIP/bob-2|Newname: SIP/carol-3|Uniqueid: SIP/bob-2");
    say(w, "Event: Rename|Channel: SIP/carol-3<MASQ>|Newname: SIP/bob-2<ZOMBIE>|Uniqueid: "
           "SIP/carol-3");
    say(w, "Event: Hangup|Channel: SIP/bob-2<ZOMBIE>|Uniqueid: SIP/carol-3");
    assert_null(channel(w, "SIP/bob-2"));
    assert_string_equal(field(w, "SIP/carol-3", XOD(channels, direction)), "in");
    assert_string_equal(field(w, "SIP/carol-3", PEER), "SIP/alice-1");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "SIP/carol-3");
    say(w, LINK("SIP/alice-1", "SIP/carol-3"));
    assert_string_equal(field(w, "SIP/alice-1", COMM), "linked-caller");
    assert_string_equal(field(w, "SIP/carol-3", COMM), "linked-called");
    say(w, HANGUP("SIP/carol-3"));
    say(w, "Event: Dial|SubEvent: End|Channel: SIP/alice-1|DialStatus: ANSWER");
    say(w, HANGUP("SIP/alice-1"));
    assert_int_equal(xod_count(w->s->ipbx, LIST_channels), 0);
}

/* 11 lists a zombie of a parked channel for as long as the call lives. */
static void makeshift_channels_and_zombies_are_not_shown(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    say(w, "Event: CoreShowChannel|Channel: Parked/Local/5006@default-1;1<ZOMBIE>|ChannelState: 0");
    say(w, "Event: CoreShowChannel|Channel: SIP/dave-9<ZOMBIE>|ChannelState: 0");
    say(w, NEW("AsyncGoto/SIP/bob-2", "6"));
    assert_int_equal(xod_count(w->s->ipbx, LIST_channels), 2);
    say(w, "Event: Rename|Channel: AsyncGoto/SIP/bob-2|Newname: SIP/bob-2|Uniqueid: 9.9");
    assert_string_equal(field(w, "SIP/bob-2", COMM), "ready"); /* it goes on somewhere else */
    assert_string_equal(field(w, "SIP/bob-2", XOD(channels, uniqueid)), "9.9");
    assert_string_equal(field(w, "SIP/alice-1", COMM), "ready");
}

static void a_plain_rename_takes_everything_along(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    say(w, "Event: Rename|Channel: SIP/bob-2|Newname: SIP/carol-2|Uniqueid: SIP/bob-2");
    assert_null(channel(w, "SIP/bob-2"));
    assert_string_equal(field(w, "SIP/carol-2", COMM), "linked-called");
    assert_string_equal(field(w, "SIP/carol-2", PEER), "SIP/alice-1");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "SIP/carol-2");
}

/* ---- hints ---- */

static void a_hint_of_several_devices_is_of_its_extension(void **state)
{
    struct world *w = *state;

    say(w,
        "Event: ExtensionStatus|Exten: 1001|Context: default|Hint: SIP/alice&SIP/alice2|Status: 8");
    assert_string_equal(hint(w, "11"), "8");
    say(w,
        "Event: ExtensionStatus|Exten: 1001|Context: other|Hint: SIP/alice&SIP/alice2|Status: 1");
    assert_string_equal(hint(w, "11"), "8");
    say(w,
        "Event: ExtensionStatus|Exten: 777|Context: x|Hint: sip/ALICE,CustomPresence:a|Status: 16");
    assert_string_equal(hint(w, "11"), "16");
    say(w, "Event: PeerStatus|Peer: SIP/alice|PeerStatus: Registered|Address: 192.0.2.1:5060");
    assert_string_equal(xod_get(xod_find(w->s->ipbx, LIST_phones, VIEW("11")), XOD(phones, reg))->s,
                        "Registered");
}

/* ---- resync ---- */

/* After a restart of Asterisk names begin again; uniqueids do not. */
static void a_name_used_again_is_another_channel(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    say(w, "Event: CoreShowChannel|Channel: SIP/alice-1|UniqueID: SIP/alice-1|ChannelState: 6");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "SIP/bob-2");
    say(w, "Event: CoreShowChannel|Channel: SIP/alice-1|UniqueID: 200.1|ChannelState: 5");
    assert_string_equal(field(w, "SIP/alice-1", XOD(channels, uniqueid)), "200.1");
    assert_string_equal(field(w, "SIP/alice-1", XOD(channels, direction)), "in");
    assert_string_equal(field(w, "SIP/alice-1", COMM), "ringing");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "(null)");
    assert_string_equal(field(w, "SIP/bob-2", PEER), "(null)");
}

static void a_listing_ends_what_it_does_not_name(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    say(w, NEW("SIP/carol-3", "6"));
    say(w, NEW("SIP/dave-4", "6"));
    say(w, LINK("SIP/carol-3", "SIP/dave-4"));
    say_kind(w, TEL_resync_begin, "all");
    say_kind(w, TEL_resync_begin, "channels");
    say(w, "Event: CoreShowChannel|Channel: SIP/carol-3|ChannelState: 6");
    say(w,
        "Event: CoreShowChannel|Channel: SIP/dave-4|ChannelState: 6|BridgedChannel: SIP/carol-3");
    say(w, NEW("SIP/erin-5", "4")); /* begins meanwhile */
    assert_non_null(channel(w, "SIP/alice-1"));
    say_kind(w, TEL_resync_end, "channels");
    assert_true(w->s->d->synthetic);
    assert_null(channel(w, "SIP/alice-1"));
    assert_null(channel(w, "SIP/bob-2"));
    assert_non_null(channel(w, "SIP/erin-5"));
    assert_string_equal(field(w, "SIP/carol-3", PEER), "SIP/dave-4");
    say_kind(w, TEL_resync_end, "all");
    assert_true(w->s->d->resynced);
}

static void a_listing_ends_calls_that_are_over(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    say_kind(w, TEL_resync_begin, "channels");
    say(w, "Event: CoreShowChannel|Channel: SIP/alice-1|ChannelState: 6");
    say(w, "Event: CoreShowChannel|Channel: SIP/bob-2|ChannelState: 6");
    say_kind(w, TEL_resync_end, "channels");
    assert_string_equal(field(w, "SIP/alice-1", COMM), "ready");
    assert_string_equal(field(w, "SIP/bob-2", PEER), "(null)");
}

static void a_listing_does_not_turn_a_call_round(void **state)
{
    struct world *w = *state;
    double since;

    a_call_of_two(w);
    assert_string_equal(field(w, "SIP/alice-1", COMM), "linked-caller");
    since = xod_get(channel(w, "SIP/alice-1"), XOD(channels, timestamp))->f;
    w->s->now += 60;
    say_kind(w, TEL_resync_begin, "channels");
    say(w, "Event: CoreShowChannel|Channel: SIP/bob-2|ChannelState: 6");
    say(w, "Event: CoreShowChannel|Channel: SIP/alice-1|ChannelState: 6|BridgedChannel: SIP/bob-2");
    say_kind(w, TEL_resync_end, "channels");
    assert_string_equal(field(w, "SIP/alice-1", COMM), "linked-caller");
    assert_string_equal(field(w, "SIP/bob-2", COMM), "linked-called");
    assert_true(xod_get(channel(w, "SIP/alice-1"), XOD(channels, timestamp))->f == since);
}

/* Asterisk before 12 tells a connected line to nobody when one of a group answers. */
static void who_answers_for_a_group_is_shown(void **state)
{
    struct world *w = *state;

    say(w, "Event: Newchannel|Channel: SIP/alice-1|ChannelState: 4|CallerIDNum: 1001|"
           "CallerIDName: Alice");
    say(w, "Event: Newchannel|Channel: SIP/bob-2|ChannelState: 0");
    say(w, "Event: Newchannel|Channel: SIP/carol-3|ChannelState: 0");
    say(w, "Event: NewCallerid|Channel: SIP/bob-2|CallerIDNum: 1002|CallerIDName: Bob");
    say(w, "Event: NewCallerid|Channel: SIP/carol-3|CallerIDNum: 1003|CallerIDName: Carol");
    say(w, DIAL("SIP/alice-1", "SIP/bob-2"));
    say(w, DIAL("SIP/alice-1", "SIP/carol-3"));
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    assert_string_equal(field(w, "SIP/alice-1", XOD(channels, peerdisplay)), "Bob (1002)");
    assert_string_equal(field(w, "SIP/bob-2", XOD(channels, peerdisplay)), "Alice (1001)");
}

/* A link that is told before the end of the one it follows. */
static void who_talks_to_another_leaves_the_first(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++) {
        a_call_of_two(w);
        say(w, NEW("SIP/carol-3", "6"));
        say(w, i ? LINK("SIP/bob-2", "SIP/carol-3") : LINK("SIP/carol-3", "SIP/bob-2"));
        assert_string_equal(field(w, "SIP/alice-1", COMM), "ready");
        assert_string_equal(field(w, "SIP/alice-1", PEER), "(null)");
        assert_string_equal(field(w, "SIP/bob-2", PEER), "SIP/carol-3");
        assert_string_equal(field(w, "SIP/carol-3", PEER), "SIP/bob-2");
        say(w, HANGUP("SIP/alice-1") "||" HANGUP("SIP/bob-2") "||" HANGUP("SIP/carol-3"));
    }
}

/* alice's call rings two phones: one of them may go into another call. */
static void who_was_rung_beside_others_takes_nobody_along(void **state)
{
    struct world *w = *state;

    say(w, NEW("SIP/alice-1", "4") "||" NEW("SIP/bob-2", "0") "||" NEW("SIP/carol-3", "0") "||" NEW(
               "SIP/dave-4", "6"));
    say(w, DIAL("SIP/alice-1", "SIP/bob-2") "||" DIAL("SIP/alice-1", "SIP/carol-3"));
    assert_string_equal(field(w, "SIP/alice-1", PEER), "SIP/carol-3");
    say(w, LINK("SIP/dave-4", "SIP/bob-2"));
    assert_string_equal(field(w, "SIP/alice-1", COMM), "calling");
    assert_string_equal(field(w, "SIP/alice-1", PEER), "SIP/carol-3");
    assert_string_equal(field(w, "SIP/carol-3", COMM), "ringing");
}

static void a_listing_cut_short_ends_nothing(void **state)
{
    struct world *w = *state;
    struct xod_obj *ipbx;

    ipbx_model_link_up(w->s->d, VIEW("Asterisk"), 1);
    xod_commit(w->s->x, NULL, NULL);
    ipbx = xod_find(w->s->ipbx, LIST_ipbx, VIEW("xivo"));
    a_call_of_two(w);
    say_kind(w, TEL_resync_begin, "channels");
    assert_string_equal(xod_get(ipbx, XOD(ipbx, link))->s, "resync");
    ipbx_model_link_down(w->s->d, 2);
    say_kind(w, TEL_resync_end, "channels");
    assert_non_null(channel(w, "SIP/alice-1"));
    assert_string_equal(xod_get(ipbx, XOD(ipbx, link))->s, "down");
    assert_true(xod_get(ipbx, XOD(ipbx, since))->f == 2);
    ipbx_model_link_up(w->s->d, VIEW("Asterisk"), 3);
    say_kind(w, TEL_resync_begin, "channels");
    say_kind(w, TEL_resync_end, "channels");
    say_kind(w, TEL_resync_end, "all");
    assert_null(channel(w, "SIP/alice-1"));
    assert_string_equal(xod_get(ipbx, XOD(ipbx, link))->s, "up");
}

static void events_without_their_fields_do_nothing(void **state)
{
    struct world *w = *state;

    a_call_of_two(w);
    for (int e = 0; e < TEL_EVENT_COUNT; e++) {
        struct tel_out o;
        tel_out_init(&o, (enum tel_event)e);
        if (e != TEL_link_down && e != TEL_link_up)
            world_apply(w->s, &o);
    }
    assert_int_equal(xod_count(w->s->ipbx, LIST_channels), 2);
    assert_string_equal(field(w, "SIP/alice-1", COMM), "linked-caller");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(at_the_end_of_a_capture_nothing_is_left_over),
        T(captures_that_begin_or_end_in_a_call_leave_the_store_consistent),
        T(hints_end_as_the_capture_says),
        T(both_dialects_tell_the_same_of_a_call),
        T(the_two_ends_of_an_answered_call),
        T(each_knows_the_other),
        T(when_one_of_many_callees_answers_nobody_talks_to_ghosts),
        T(names_and_numbers_are_told_apart),
        T(what_is_told_empty_is_gone),
        T(who_was_talked_to_before_a_transfer_is_not_shown),
        T(the_queue_of_a_call_is_shown_at_both_ends),
        T(a_call_that_leaves_a_queue_unanswered_is_none_of_it),
        T(a_failed_dial_is_forgotten),
        T(an_originate_rings_a_phone_without_a_caller),
        T(an_originated_call_that_is_answered_rings_no_longer),
        T(what_tells_of_the_answer_of_an_originate),
        T(who_dials_an_application_calls_no_longer_when_it_answers),
        T(a_caller_whom_somebody_rings_for_calls),
        T(a_masquerade_moves_the_call_and_keeps_the_phone),
        T(who_picks_up_takes_the_place_of_who_was_rung),
        T(makeshift_channels_and_zombies_are_not_shown),
        T(a_plain_rename_takes_everything_along),
        T(a_hint_of_several_devices_is_of_its_extension),
        T(a_name_used_again_is_another_channel),
        T(a_listing_ends_what_it_does_not_name),
        T(a_listing_ends_calls_that_are_over),
        T(a_listing_does_not_turn_a_call_round),
        T(who_answers_for_a_group_is_shown),
        T(who_talks_to_another_leaves_the_first),
        T(who_was_rung_beside_others_takes_nobody_along),
        T(a_listing_cut_short_ends_nothing),
        T(events_without_their_fields_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
