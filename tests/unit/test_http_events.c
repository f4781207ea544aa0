/* Events that are made of the changes of xod, and the ring of the last ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "events/events.h"
#include "net/conn.h"
#include "ring.h"

struct world {
    struct xod *xod;
    struct xod_ipbx *ipbx;
    struct events *events;
    uint64_t epoch, seq;
    bool tell;
    char told[1024]; /* names since the last look, with blanks between them */
    struct event last;
    struct event_parties parties;
    struct event_id ids[64];
    size_t n_ids;
    int notes, gone;
};

static void on_event(void *arg, const struct event *e)
{
    struct world *w = arg;
    size_t n = strlen(w->told);

    snprintf(w->told + n, sizeof(w->told) - n, "%s%s", n ? " " : "", event_name(e->kind));
    w->last = *e;
    if (e->parties)
        w->parties = *e->parties;
    if (w->n_ids < ARRAY_SIZE(w->ids))
        w->ids[w->n_ids++] = e->id;
}

static void on_note(void *arg, const struct xod_obj *o, bool gone)
{
    struct world *w = arg;

    w->notes++;
    w->gone += gone;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->xod = xod_new();
    w->ipbx = xod_ipbx(w->xod, VIEW("xivo"), true);
    w->events = events_new(w->xod, on_event, w);
    w->epoch = 7;
    w->tell = true;
    *state = w;
    return w->events ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    xod_destroy(&w->xod);
    events_destroy(&w->events);
    free(w);
    return 0;
}

static void on_change(void *arg, const struct xod_change *c)
{
    struct world *w = arg;

    events_change(w->events, c, w->epoch, ++w->seq, 1000.5, w->tell);
}

/* What the changes so far lead to. */
static const char *told(struct world *w)
{
    static char text[1024];

    w->told[0] = '\0';
    xod_commit(w->xod, on_change, w);
    snprintf(text, sizeof(text), "%s", w->told);
    return text;
}

static struct xod_obj *add(struct world *w, enum xod_list list, const char *id)
{
    struct xod_obj *o = xod_add(w->ipbx, list, view_cstr(id));

    assert_non_null(o);
    return o;
}

#define SET(o, list, field, text) xod_set_str((o), XOD(list, field), view_cstr(text))
#define JOIN(call, name) xod_list_add((call), XOD(calls, participants), VIEW(name))
#define LEAVE(call, name) xod_list_del((call), XOD(calls, participants), VIEW(name))

static void answer_at(struct xod_obj *call, double when)
{
    xod_set_float(call, XOD(calls, answered_at), when);
    SET(call, calls, state, "up");
}

/* ---- calls ---- */

static struct xod_obj *ringing_call(struct world *w)
{
    struct xod_obj *call = add(w, LIST_calls, "1.1");

    JOIN(call, "SIP/a-1");
    assert_string_equal(told(w), "call.started");
    SET(call, calls, called_number, "1002");
    SET(call, calls, caller_number, "1001");
    JOIN(call, "SIP/b-2");
    assert_string_equal(told(w), "call.ringing");
    return call;
}

static void a_call_that_is_answered(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = ringing_call(w);

    SET(call, calls, caller_name, "Alice");
    assert_string_equal(told(w), "");
    answer_at(call, 2000.25);
    assert_string_equal(told(w), "call.answered");
    assert_true(w->last.answered && w->last.obj == call && w->last.time == 1000.5);
    xod_set_bool(call, XOD(calls, on_hold), true);
    assert_string_equal(told(w), "call.held");
    xod_set_bool(call, XOD(calls, on_hold), false);
    assert_string_equal(told(w), "call.resumed");
    xod_set_bool(call, XOD(calls, recorded), true);
    assert_string_equal(told(w), "");
    xod_del(call);
    assert_string_equal(told(w), "call.ended");
    assert_true(w->last.answered);
    assert_string_equal(w->parties.caller_name, "Alice");
    assert_string_equal(w->parties.called_number, "1002");
}

static void a_call_that_nobody_answers(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = ringing_call(w);

    xod_del(call);
    assert_string_equal(told(w), "call.missed call.ended");
    assert_false(w->last.answered);
}

/* A number that is not there, a busy line: nobody was called. */
static void a_call_that_reaches_nobody(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = add(w, LIST_calls, "1.1");

    JOIN(call, "SIP/a-1");
    answer_at(call, 5); /* by an announcement */
    assert_string_equal(told(w), "call.started");
    xod_del(call);
    assert_string_equal(told(w), "call.ended");
    assert_null(w->last.parties);
}

/* The caller's channel goes first: the call itself says nothing of it any more. */
static void the_caller_hangs_up_first(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = ringing_call(w);

    LEAVE(call, "SIP/a-1");
    SET(call, calls, caller_number, "1002");
    xod_set_null(call, XOD(calls, called_number));
    assert_string_equal(told(w), "");
    xod_del(call);
    assert_string_equal(told(w), "call.missed call.ended");
    assert_string_equal(w->parties.caller_number, "1001");
    assert_string_equal(w->parties.called_number, "1002");
}

/* The own phone rings and is picked up before the other one is called. */
static void click_to_dial(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = add(w, LIST_calls, "1.1");

    JOIN(call, "SIP/a-1");
    assert_string_equal(told(w), "call.started");
    answer_at(call, 10.5); /* alone */
    assert_string_equal(told(w), "");
    JOIN(call, "SIP/b-2");
    SET(call, calls, state, "ringing");
    assert_string_equal(told(w), "call.ringing"); /* not answered yet */
    answer_at(call, 12.5);
    assert_string_equal(told(w), "call.answered");
    xod_del(call);
    assert_string_equal(told(w), "call.ended");
}

static void a_call_with_a_queue(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = add(w, LIST_calls, "1.1");
    struct xod_obj *c = add(w, LIST_channels, "SIP/a-1");

    JOIN(call, "SIP/a-1");
    SET(call, calls, state, "queued");
    xod_set_float(c, XOD(channels, waiting_since), 1);
    assert_string_equal(told(w), "queue.caller.joined call.started");
    JOIN(call, "SIP/b-2");
    SET(call, calls, state, "ringing");
    assert_string_equal(told(w), "call.ringing");
    LEAVE(call, "SIP/b-2"); /* this agent does not pick up */
    SET(call, calls, state, "queued");
    assert_string_equal(told(w), "");
    JOIN(call, "SIP/c-3");
    SET(call, calls, state, "ringing");
    assert_string_equal(told(w), "call.ringing");
    xod_set_null(c, XOD(channels, waiting_since));
    answer_at(call, 9);
    assert_string_equal(told(w), "queue.caller.left call.answered");
}

static void one_who_gives_up_waiting(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = add(w, LIST_calls, "1.1");
    struct xod_obj *c = add(w, LIST_channels, "SIP/a-1");

    JOIN(call, "SIP/a-1");
    SET(call, calls, state, "queued");
    xod_set_float(c, XOD(channels, waiting_since), 1);
    told(w);
    xod_set_null(c, XOD(channels, waiting_since));
    SET(c, channels, commstatus, "hangup");
    assert_string_equal(told(w), "queue.caller.abandoned");
    xod_del(call);
    xod_del(c);
    assert_string_equal(told(w), "call.missed call.ended");
    c = add(w, LIST_channels, "SIP/a-2");
    xod_set_float(c, XOD(channels, waiting_since), 1);
    assert_string_equal(told(w), "queue.caller.joined");
    xod_del(c);
    assert_string_equal(told(w), "queue.caller.abandoned");
}

static void a_transfer(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = ringing_call(w);

    answer_at(call, 5);
    assert_string_equal(told(w), "call.answered");
    LEAVE(call, "SIP/b-2"); /* one alone in between */
    assert_string_equal(told(w), "");
    JOIN(call, "SIP/c-3");
    assert_string_equal(told(w), "call.transferred");
    xod_list_del(call, XOD(calls, participants), VIEW("SIP/a-1")); /* the same in another order */
    xod_list_add(call, XOD(calls, participants), VIEW("SIP/a-1"));
    assert_string_equal(told(w), "");
    LEAVE(call, "SIP/c-3");
    JOIN(call, "SIP/d-4"); /* at once */
    SET(call, calls, state, "ringing");
    xod_set_null(call, XOD(calls, answered_at));
    assert_string_equal(told(w), "call.ringing");
    answer_at(call, 9);
    assert_string_equal(told(w), "call.transferred");
    xod_del(call);
    assert_string_equal(told(w), "call.ended");
}

/* ---- others ---- */

static void agents_and_members(void **state)
{
    struct world *w = *state;
    struct xod_obj *a = add(w, LIST_agents, "1");
    struct xod_obj *m = add(w, LIST_queuemembers, "q/a");

    SET(a, agents, availability, "logged_out");
    SET(m, queuemembers, paused, "0");
    assert_string_equal(told(w), "");
    SET(a, agents, availability, "available");
    assert_string_equal(told(w), "agent.login");
    SET(a, agents, availability, "unavailable");
    SET(m, queuemembers, paused, "1");
    assert_string_equal(told(w), "agent.pause");
    SET(m, queuemembers, paused, "0");
    SET(a, agents, availability, "logged_out");
    assert_string_equal(told(w), "agent.unpause agent.logout");
    SET(a, agents, availability, "available");
    told(w);
    xod_del(a);
    xod_del(m);
    assert_string_equal(told(w), "agent.logout");
}

static void mailboxes_and_users(void **state)
{
    struct world *w = *state;
    struct xod_obj *box = add(w, LIST_voicemails, "1");
    struct xod_obj *u = add(w, LIST_users, "1");

    xod_set_int(box, XOD(voicemails, newcount), 3);
    SET(u, users, availstate, "available");
    assert_string_equal(told(w), ""); /* what is there at first is nothing new */
    xod_set_int(box, XOD(voicemails, newcount), 4);
    assert_string_equal(told(w), "voicemail.new");
    xod_set_int(box, XOD(voicemails, newcount), 0);
    SET(u, users, availstate, "away");
    assert_string_equal(told(w), "presence.changed");
    SET(u, users, fullname, "Alice");
    assert_string_equal(told(w), "");
    xod_del(box);
    xod_del(u);
    assert_string_equal(told(w), "");
}

static void links(void **state)
{
    struct world *w = *state;
    struct xod_obj *i = add(w, LIST_ipbx, "xivo");

    SET(i, ipbx, link, "down");
    assert_string_equal(told(w), "");
    SET(i, ipbx, link, "syncing");
    assert_string_equal(told(w), "");
    SET(i, ipbx, link, "up");
    assert_string_equal(told(w), "link.up");
    SET(i, ipbx, link, "syncing"); /* it lists everything again */
    assert_string_equal(told(w), "");
    SET(i, ipbx, link, "up");
    assert_string_equal(told(w), "");
    SET(i, ipbx, link, "down");
    assert_string_equal(told(w), "link.down");
}

/* ---- ids ---- */

static void ids_only_grow(void **state)
{
    struct world *w = *state;
    struct event_id before = {0};

    ringing_call(w);
    w->seq = 1; /* a snapshot brings numbers that were there before */
    answer_at(xod_find(w->ipbx, LIST_calls, VIEW("1.1")), 5);
    told(w);
    xod_del(xod_find(w->ipbx, LIST_calls, VIEW("1.1")));
    told(w);
    assert_true(w->n_ids > 3);
    for (size_t i = 0; i < w->n_ids; i++) {
        assert_true(event_id_cmp(&before, &w->ids[i]) < 0);
        before = w->ids[i];
    }
    before = events_next_id(w->events);
    assert_true(event_id_cmp(&w->ids[w->n_ids - 1], &before) < 0);
    w->epoch = 8; /* another state */
    w->seq = 0;
    w->n_ids = 0;
    ringing_call(w);
    assert_int_equal(w->ids[0].epoch, 8);
    assert_int_equal(w->ids[0].seq, 1);
    assert_int_equal(w->ids[0].n, 1);
}

static void ids_as_text(void **state)
{
    static const char *const bad[] = {"",        "1",     "1.2",  "1.2.",           ".2.3",
                                      "1.2.3.4", "1.2.x", "1..3", "1.2.4294967296", "-1.2.3",
                                      " 1.2.3",  "1.2.3 "};
    const struct event_id id = {UINT64_MAX, UINT64_MAX, UINT32_MAX};
    struct event_id back;
    char text[EVENT_ID_TEXT];

    event_id_print(&id, text);
    assert_int_equal(event_id_parse(view_cstr(text), &back), 0);
    assert_memory_equal(&back.epoch, &id.epoch, sizeof(id.epoch));
    assert_int_equal(event_id_cmp(&id, &back), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (event_id_parse(view_cstr(bad[i]), &back) != -EINVAL)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(event_id_cmp(&(struct event_id){1, 2, 3}, &(struct event_id){1, 2, 4}), -1);
    assert_int_equal(event_id_cmp(&(struct event_id){1, 3, 0}, &(struct event_id){1, 2, 4}), 1);
}

static void patterns(void **state)
{
    assert_true(event_fits(VIEW("call.*"), VIEW("call.started")));
    assert_true(event_fits(VIEW("agent.*, call.ended"), VIEW("call.ended")));
    assert_true(event_fits(VIEW("*"), VIEW("link.up")));
    assert_false(event_fits(VIEW("call"), VIEW("call.ended")));
    assert_false(event_fits(VIEW("call.ended.x"), VIEW("call.ended")));
    assert_false(event_fits(VIEW(""), VIEW("call.ended")));
    assert_false(event_fits(VIEW(",,"), VIEW("call.ended")));
    assert_false(event_fits(VIEW("call.*x"), VIEW("call.ended")));
    for (int i = 0; i < EVENT_KINDS; i++)
        assert_true(*event_name((enum event_kind)i) && *event_doc((enum event_kind)i));
}

/* ---- notes ---- */

/* As a restart does it: what was noted is put in, and what is different since then is told. */
static const char *after_restart(struct world *w, struct xod_obj *o,
                                 void (*change)(struct xod_obj *))
{
    struct xod *other = xod_new();
    struct xod_ipbx *ipbx = xod_ipbx(other, VIEW("xivo"), true);
    struct world again = {.xod = other, .ipbx = ipbx, .epoch = 9, .tell = true};
    struct xod_obj *copy = xod_add(ipbx, xod_obj_list(o), xod_obj_id(o));
    static char text[1024];
    struct buf note;

    again.events = events_new(other, on_event, &again);
    buf_init(&note, 0);
    events_put_note(&note, o);
    for (unsigned f = 0; f < schema_list(xod_obj_list(o))->n_fields; f++) {
        struct value v = {.type = V_NULL};
        assert_int_equal(value_copy(&v, xod_get(o, f)), 0);
        xod_set(copy, f, &v);
    }
    change(copy);
    assert_int_equal(events_set_note(copy, buf_view(&note)), 0);
    events_change(again.events, &(struct xod_change){XOD_UPDATE, copy, ~(uint64_t)0}, 9, 1, 5,
                  true);
    snprintf(text, sizeof(text), "%s", again.told);
    xod_commit(other, NULL, NULL);
    xod_destroy(&other);
    events_destroy(&again.events);
    buf_free(&note);
    return text;
}

static void nothing(struct xod_obj *o)
{
}

static void is_answered(struct xod_obj *o)
{
    answer_at(o, 77);
}

static void is_called(struct xod_obj *o)
{
    JOIN(o, "SIP/b-2");
    SET(o, calls, state, "ringing");
}

static void is_gone_away(struct xod_obj *o)
{
    SET(o, users, availstate, "out of the house");
}

static void notes_live_through_a_restart(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = ringing_call(w);
    struct xod_obj *own, *u;
    bool answered, sought;
    struct buf note;

    assert_string_equal(after_restart(w, call, nothing), "");
    assert_string_equal(after_restart(w, call, is_answered), "call.answered");
    buf_init(&note, 0);
    events_put_note(&note, call);
    assert_true(events_read_call(buf_view(&note), &answered, &sought));
    assert_true(sought && !answered);
    answer_at(call, 5);
    told(w);
    assert_string_equal(after_restart(w, call, nothing), "");
    buf_reset(&note);
    events_put_note(&note, call);
    assert_true(events_read_call(buf_view(&note), &answered, &sought));
    assert_true(answered);
    buf_free(&note);
    /* click to dial: since when one was alone is kept to the last digit */
    own = add(w, LIST_calls, "2.1");
    JOIN(own, "SIP/a-9");
    answer_at(own, 1764490267.0 + 1.0 / 3.0);
    told(w);
    assert_string_equal(after_restart(w, own, is_called), "call.ringing");
    u = add(w, LIST_users, "1");
    SET(u, users, availstate, "at lunch, back soon");
    told(w);
    assert_string_equal(after_restart(w, u, nothing), "");
    assert_string_equal(after_restart(w, u, is_gone_away), "presence.changed");
}

static void notes_that_are_nonsense(void **state)
{
    static const char *const bad[] = {"", "x", "1 2 3", "1 0 0 0 x 1 1 0 0 0 0 ", "\n\n"};
    struct world *w = *state;
    struct xod_obj *call = ringing_call(w);
    bool answered, sought;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(events_set_note(call, view_cstr(bad[i])), -EINVAL);
        assert_false(events_read_call(view_cstr(bad[i]), &answered, &sought));
    }
    answer_at(call, 5);
    assert_string_equal(told(w), "call.answered"); /* what was known before is still known */
}

static void who_watches_is_told_of_notes(void **state)
{
    struct world *w = *state;
    struct xod_obj *call, *phone;

    events_watch(w->events, on_note, w);
    call = ringing_call(w);
    assert_int_equal(w->notes, 2);
    SET(call, calls, state, "ringing"); /* the same */
    xod_set_bool(call, XOD(calls, recorded), true);
    phone = add(w, LIST_phones, "11");
    told(w);
    assert_int_equal(w->notes, 2);
    answer_at(call, 5);
    told(w);
    assert_int_equal(w->notes, 3);
    xod_del(call);
    xod_del(phone);
    told(w);
    assert_int_equal(w->notes, 4);
    assert_int_equal(w->gone, 1);
    assert_true(events_follow(LIST_calls) && !events_follow(LIST_phones));
}

/* The first snapshot is how it is, and nothing that happens. */
static void what_is_not_to_be_told(void **state)
{
    struct world *w = *state;
    struct xod_obj *call = add(w, LIST_calls, "1.1");

    w->tell = false;
    JOIN(call, "SIP/a-1");
    JOIN(call, "SIP/b-2");
    answer_at(call, 5);
    assert_string_equal(told(w), "");
    w->tell = true;
    SET(call, calls, caller_name, "A");
    assert_string_equal(told(w), "");
    xod_del(call);
    assert_string_equal(told(w), "call.ended");
    assert_true(w->last.answered);
}

/* ---- the ring ---- */

static void put(struct ring *r, uint64_t epoch, uint64_t seq, size_t len)
{
    char *text = calloc(1, len + 1);
    struct ring_entry e = {.id = {epoch, seq, 1}};

    memset(text, 'x', len);
    e.text = shared_new(view_of(text, len));
    ring_add(r, &e);
    shared_unref(e.text);
    free(text);
}

static int behind(const struct ring *r, uint64_t epoch, uint64_t seq)
{
    struct event_id id = {epoch, seq, 1};
    uint64_t at;
    int n = 0;

    if (!ring_find(r, &id, &at))
        return -1;
    while (ring_next(r, &at))
        n++;
    assert_int_equal(at, ring_end(r));
    return n;
}

static void the_ring_keeps_the_last(void **state)
{
    struct ring *r = ring_new(4, 100);
    uint64_t at = 0;

    assert_int_equal(behind(r, 1, 1), -1); /* nothing is known of what came before */
    ring_start(r, &(struct event_id){1, 10, 0});
    assert_int_equal(behind(r, 1, 9), -1);
    assert_int_equal(behind(r, 1, 10), 0);
    for (uint64_t seq = 11; seq <= 14; seq++)
        put(r, 1, seq, 10);
    assert_int_equal(behind(r, 1, 10), 4);
    assert_int_equal(behind(r, 1, 12), 2);
    assert_int_equal(behind(r, 1, 14), 0);
    assert_int_equal(behind(r, 2, 12), -1); /* of another state */
    put(r, 1, 15, 10);                      /* 11 goes */
    assert_int_equal(behind(r, 1, 10), -1);
    assert_int_equal(behind(r, 1, 11), 4);
    put(r, 1, 16, 80); /* by bytes */
    assert_int_equal(behind(r, 1, 12), -1);
    assert_int_equal(behind(r, 1, 13), 3);
    put(r, 1, 17, 200); /* longer than all: alone */
    assert_int_equal(behind(r, 1, 16), 1);
    assert_int_equal(behind(r, 1, 15), -1);
    assert_int_equal(ring_next(r, &at)->id.seq, 17); /* a place that is gone goes on at the first */
    assert_null(ring_next(r, &at));
    put(r, 2, 1, 10); /* state was started anew */
    assert_int_equal(behind(r, 2, 1), 0);
    assert_int_equal(behind(r, 1, 17), 1);
    assert_int_equal(behind(r, 2, 0), -1);
    ring_start(r, &(struct event_id){2, 5, 0});
    assert_int_equal(behind(r, 2, 5), 0);
    assert_int_equal(behind(r, 2, 1), -1);
    ring_destroy(&r);
    ring_destroy(&r);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_that_is_answered),
        TEST(a_call_that_nobody_answers),
        TEST(a_call_that_reaches_nobody),
        TEST(the_caller_hangs_up_first),
        TEST(click_to_dial),
        TEST(a_call_with_a_queue),
        TEST(one_who_gives_up_waiting),
        TEST(a_transfer),
        TEST(agents_and_members),
        TEST(mailboxes_and_users),
        TEST(links),
        TEST(ids_only_grow),
        TEST(ids_as_text),
        TEST(patterns),
        TEST(notes_live_through_a_restart),
        TEST(notes_that_are_nonsense),
        TEST(who_watches_is_told_of_notes),
        TEST(what_is_not_to_be_told),
        cmocka_unit_test(the_ring_keeps_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
