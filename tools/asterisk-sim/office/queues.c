/* Queues: callers wait, one member at a time is rung for each. */
#include <stdio.h>
#include <stdlib.h>

#include "office/tell.h"

#define AFTER_NO_ANSWER (5 * SECONDS) /* a member is left in peace so long */

struct queue *queue_find(struct office *o, struct view name)
{
    for (size_t i = 0; i < COMPANY_QUEUES; i++)
        if (view_eq(view_cstr(o->queues[i].is->name), name))
            return &o->queues[i];
    return NULL;
}

struct member *queue_member(const struct queue *q, struct view interface)
{
    struct member *m;

    LIST_FOREACH(m, &q->members, of_queue)
    if (view_ieq(view_cstr(m->interface), interface))
        return m;
    return NULL;
}

unsigned queue_position(const struct leg *l)
{
    const struct leg *one;
    unsigned n = 1;

    STAILQ_FOREACH(one, &l->queue->callers, waits)
    {
        if (one == l)
            break;
        n++;
    }
    return n;
}

static int member_state(const struct member *m)
{
    if (m->agent)
        return m->agent->told;
    return m->person ? m->person->told : DEVICE_UNAVAILABLE;
}

void member_update(struct member *m)
{
    int state = member_state(m);

    if (state == m->status)
        return;
    m->status = state;
    tell_member(m->office, m, "QueueMemberStatus");
    if (state == DEVICE_IDLE)
        queue_wake(m->queue);
}

static bool is_available(const struct member *m, uint64_t now)
{
    return !m->paused && !m->busy && !m->rings && m->status == DEVICE_IDLE && m->free_us <= now;
}

static bool is_better(const struct member *m, const struct member *than)
{
    if (!than || m->penalty != than->penalty)
        return !than || m->penalty < than->penalty;
    return m->last_call_s < than->last_call_s ||
           (m->last_call_s == than->last_call_s && m->taken < than->taken);
}

/* NULL: nobody. *soon: when the first wrap-up is over. */
static struct member *choose(const struct queue *q, uint64_t now, uint64_t *soon)
{
    struct member *m, *best = NULL;

    LIST_FOREACH(m, &q->members, of_queue)
    {
        if (is_available(m, now) && is_better(m, best))
            best = m;
        if (m->free_us > now && m->free_us < *soon)
            *soon = m->free_us;
    }
    return best;
}

static void rings_too_long(void *leg)
{
    dial_failed(leg, "NOANSWER", 16);
}

static void ring(struct leg *caller, struct member *m)
{
    struct office *o = caller->office;
    struct leg *called;

    caller->served = m;
    caller->ringing_us = o->timers.now_us;
    if (m->agent) {
        agent_call(caller, m);
        return;
    }
    called = dial_ring(o, m->person, caller);
    if (!called) {
        caller->served = NULL;
        return;
    }
    m->rings = called;
    leg_connect(called, caller);
    leg_update(called);
    tell_agent_called(caller, called);
    if (!o->old)
        tell_dial_begin(caller, called, m->interface);
    leg_set_state(called, STATE_RINGING);
    leg_app(called, "AppQueue", "(Outgoing Line)");
    tell_connected(called);
    tell_dial_state(caller, called);
    leg_after(called, caller->queue->is->ring_s * SECONDS, rings_too_long);
    dial_plan_answer(called, caller->queue->is->ring_s);
}

static void turn(void *arg)
{
    struct queue *q = arg;
    struct leg *caller;
    uint64_t soon = UINT64_MAX, now;
    struct member *m;

    STAILQ_FOREACH(caller, &q->callers, waits)
    {
        if (caller->served)
            continue;
        now = caller->office->timers.now_us;
        m = choose(q, now, &soon);
        if (!m) {
            if (soon != UINT64_MAX)
                timer_start(&caller->office->timers, &q->turn, soon - now, turn, q);
            return;
        }
        ring(caller, m);
    }
}

void queue_wake(struct queue *q)
{
    if (q->n_callers > 0)
        timer_start(&q->office->timers, &q->turn, 0, turn, q);
}

static void waited_too_long(void *leg)
{
    struct leg *l = leg;

    queue_leave(l, true);
    leg_music(l, false);
    l->job = JOB_NONE;
    leg_set_variable(l, VIEW("QUEUESTATUS"), VIEW("TIMEOUT"));
    leg_place(l, "queue", "s", 5);
    leg_app(l, "Hangup", "%s", "");
    leg_done(l);
}

static void loses_patience(void *leg)
{
    leg_hang_up(leg, 16, true);
}

void queue_join(struct leg *l, struct queue *q)
{
    struct office *o = l->office;

    l->job = JOB_QUEUE;
    l->queue = q;
    l->waiting = true;
    l->served = NULL;
    l->joined_us = o->timers.now_us;
    STAILQ_INSERT_TAIL(&q->callers, l, waits);
    q->n_callers++;
    tell_queue_join(l);
    leg_music(l, true);
    leg_after(l, q->is->timeout_s * SECONDS, waited_too_long);
    if (!(l->person && l->person->guest) && office_chance(o, 25))
        timer_start(&o->timers, &l->will, office_span(o, 4 * SECONDS, 60 * SECONDS), loses_patience,
                    l);
    queue_wake(q);
}

/* Takes it out of the line; its position was. */
static unsigned take_out(struct leg *l)
{
    unsigned position = queue_position(l);

    STAILQ_REMOVE(&l->queue->callers, l, leg, waits);
    l->queue->n_callers--;
    l->waiting = false;
    return position;
}

static void release(struct member *m)
{
    m->rings = NULL;
    if (m->removed)
        free(m);
}

void queue_taken(struct leg *caller)
{
    unsigned position = take_out(caller);

    timer_stop(&caller->office->timers, &caller->step);
    timer_stop(&caller->office->timers, &caller->will);
    leg_music(caller, false);
    tell_queue_leave(caller, position);
    caller->queue->completed++;
    release(caller->served);
    caller->served = NULL;
    caller->queue = NULL;
}

void queue_leave(struct leg *l, bool abandon)
{
    struct member *m = l->served;
    struct queue *q = l->queue;
    struct leg *called = m ? m->rings : NULL;
    unsigned position;

    l->served = NULL;
    if (called) {
        release(m);
        dial_hang_up_called(called, "CANCEL", 16);
    }
    position = take_out(l);
    if (abandon) {
        q->abandoned++;
        tell_queue_abandon(l, position);
    }
    tell_queue_leave(l, position);
    l->queue = NULL;
    queue_wake(q);
}

void queue_unanswered(struct leg *called, const char *status, int cause)
{
    struct leg *caller = called->other;
    struct member *m = caller->served;

    tell_dial_end(caller, called, status);
    tell_agent_unanswered(caller, called);
    m->free_us = caller->office->timers.now_us + AFTER_NO_ANSWER;
    caller->served = NULL;
    release(m);
    called->other = NULL;
    called->job = JOB_NONE;
    leg_hang_up(called, cause ? cause : 16, false);
    queue_wake(caller->queue);
}

void queue_connected(struct leg *caller, struct leg *called)
{
    struct office *o = caller->office;
    struct queue *q = caller->queue;
    struct member *m = caller->served;
    unsigned position = take_out(caller);

    timer_stop(&o->timers, &caller->step);
    timer_stop(&o->timers, &caller->will);
    m->rings = NULL;
    m->busy = true;
    caller->connected_us = o->timers.now_us;
    caller->hold_s = (unsigned)((o->timers.now_us - caller->joined_us) / SECONDS);
    q->in_time += caller->hold_s <= 20;
    q->hold_s = (3 * q->hold_s + caller->hold_s) / 4;
    tell_dial_end(caller, called, "ANSWER");
    leg_connect(caller, called);
    tell_connected(caller);
    leg_music(caller, false);
    tell_queue_leave(caller, position);
    tell_agent_connect(caller, called);
    link_two(called, caller);
}

void queue_complete(struct leg *caller, struct leg *member, const char *reason)
{
    struct office *o = caller->office;
    struct member *m = caller->served;
    struct queue *q = caller->queue;

    q->completed++;
    q->talk_s =
        (3 * q->talk_s + (unsigned)((o->timers.now_us - caller->connected_us) / SECONDS)) / 4;
    tell_agent_complete(caller, member, reason);
    caller->served = NULL;
    caller->queue = NULL;
    m->busy = false;
    m->taken++;
    m->last_call_s = office_now_s(o);
    m->free_us = o->timers.now_us + q->is->wrapup_s * SECONDS;
    if (m->removed) {
        free(m);
        return;
    }
    tell_member(o, m, "QueueMemberStatus");
    queue_wake(q);
}

static void attach(struct office *o, struct member *m)
{
    struct view state = view_cstr(m->state_interface);

    if (view_starts(state, VIEW("Agent:")))
        m->agent = office_agent(o, view_of(state.ptr + 6, state.len - 6));
    m->person = m->agent ? m->agent->person : office_device(o, state);
    if (view_starts(state, VIEW("Agent/"))) {
        struct agent *a = office_agent(o, view_of(state.ptr + 6, state.len - 6));
        m->person = a ? a->person : NULL;
    }
    if (m->agent)
        LIST_INSERT_HEAD(&m->agent->memberships, m, of_state);
    else if (m->person)
        LIST_INSERT_HEAD(&m->person->memberships, m, of_state);
    m->status = member_state(m);
}

/* The phone behind "Local/1002@default/n". */
static void set_state_interface(struct office *o, struct member *m, struct view given)
{
    struct view rest = view_cstr(m->interface), number;
    struct person *p = NULL;

    if (given.len) {
        snprintf(m->state_interface, sizeof(m->state_interface), "%.*s", VIEW_ARG(given));
        return;
    }
    if (view_starts(rest, VIEW("Local/"))) {
        view_cut(&rest, '/');
        number = view_cut(&rest, '@');
        p = office_person(o, number);
    }
    snprintf(m->state_interface, sizeof(m->state_interface), "%.*s",
             VIEW_ARG(view_cstr(p ? p->device : m->interface)));
}

int queue_add(struct queue *q, struct view interface, struct view state_interface, struct view name,
              unsigned penalty, bool paused, bool dynamic)
{
    struct member *m;

    if (queue_member(q, interface))
        return -EEXIST;
    m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    m->office = q->office;
    m->queue = q;
    m->penalty = penalty;
    m->paused = paused;
    m->dynamic = dynamic;
    m->login_s = office_now_s(q->office);
    snprintf(m->interface, sizeof(m->interface), "%.*s", VIEW_ARG(interface));
    snprintf(m->name, sizeof(m->name), "%.*s", VIEW_ARG(name.len ? name : interface));
    set_state_interface(q->office, m, state_interface);
    LIST_INSERT_HEAD(&q->members, m, of_queue);
    attach(q->office, m);
    if (dynamic)
        tell_member(q->office, m, "QueueMemberAdded");
    queue_wake(q);
    return 0;
}

void queue_remove(struct member *m)
{
    LIST_REMOVE(m, of_queue);
    if (m->agent || m->person)
        LIST_REMOVE(m, of_state);
    tell_member(m->office, m, "QueueMemberRemoved");
    if (m->rings || m->busy)
        m->removed = true; /* who has it frees it */
    else
        free(m);
}

void queue_pause(struct member *m, bool on, struct view reason)
{
    m->paused = on;
    if (on)
        m->last_pause_s = office_now_s(m->office);
    snprintf(m->reason, sizeof(m->reason), "%.*s", VIEW_ARG(on ? reason : VIEW("")));
    tell_member(m->office, m, "QueueMemberPause");
    if (!on)
        queue_wake(m->queue);
}
