/* Dial(): a phone rings for a leg, and is answered or not. */
#include <stdio.h>

#include "office/tell.h"

#define BUSY_AFTER (120 * MS)

static void time_out(void *arg)
{
    struct leg *caller = arg;

    dial_failed(caller->other, "NOANSWER", 16);
}

static void answers_busy(void *arg)
{
    dial_failed(arg, "BUSY", 17);
}

static void device_of(const struct office *o, const struct person *p, char out[96])
{
    snprintf(out, 96, "%s", p ? p->device : "");
    if (!p)
        snprintf(out, 96, "%s/%s", o->tech, COMPANY_TRUNK);
}

struct leg *dial_ring(struct office *o, struct person *p, struct leg *caller)
{
    char device[96];
    struct leg *called;

    device_of(o, p, device);
    called = leg_new(o, p, device, "default", "s", caller);
    if (!called)
        return NULL;
    called->job = JOB_RINGS;
    called->other = caller;
    return called;
}

static void begin(struct leg *caller, struct leg *called, const char *dialled)
{
    leg_connect(called, caller);
    leg_app(called, "AppDial", "(Outgoing Line)");
    tell_connected(called);
    leg_update(called);
    tell_dial_begin(caller, called, dialled);
    if (strcmp(caller->conn_num, called->num) != 0) {
        leg_connect(caller, called);
        tell_connected(caller);
    }
    if (caller->twin)
        local_connects(caller, called);
    leg_set_state(called, STATE_RINGING);
    if (caller->twin)
        local_rings(caller, called);
    tell_dial_state(caller, called);
}

static bool is_busy(const struct leg *called)
{
    const struct person *p = called->person;

    return p && p->n_legs > (p->guest ? 5U : 1U) && called->office->pace > 0;
}

void dial(struct leg *caller, struct person *p, const char *outside, unsigned seconds)
{
    struct office *o = caller->office;
    char dialled[96];
    struct leg *called;

    device_of(o, p, dialled);
    if (!p)
        snprintf(dialled, sizeof(dialled), "%s/%s@%s", o->tech, outside, COMPANY_TRUNK);
    leg_app(caller, "Dial", "%s,%u,tTkKhHxXwW", dialled, seconds);
    if (p && p->offline) { /* no channel can be made */
        leg_connect(caller, &(struct leg){0});
        leg_app(caller, "Goto", "CHANUNAVAIL,1");
        leg_place(caller, "user", "CHANUNAVAIL", 2);
        mailbox_speak(caller, p, "u");
        return;
    }
    called = dial_ring(o, p, caller);
    if (!called) {
        leg_after(caller, 0, leg_done);
        return;
    }
    if (!p)
        snprintf(called->num, sizeof(called->num), "%s", outside);
    caller->job = JOB_DIALS;
    caller->other = called;
    begin(caller, called, strchr(dialled, '/') + 1);
    leg_after(caller, seconds * SECONDS, time_out);
    if (is_busy(called))
        leg_after(called, BUSY_AFTER, answers_busy);
    else
        dial_plan_answer(called, seconds);
}

/* The dialplan of the caller goes on behind Dial(). */
static void goes_on(struct leg *caller, const char *status)
{
    struct person *p = office_person(caller->office, view_cstr(caller->conn_num));
    bool busy = strcmp(status, "BUSY") == 0;

    timer_stop(&caller->office->timers, &caller->step);
    caller->job = JOB_NONE;
    caller->other = NULL;
    if (caller->ending)
        return;
    if (p && *(busy ? p->busy : p->no_answer) && caller->hops++ < 5) {
        dialplan_go(caller, "default", busy ? p->busy : p->no_answer);
        return;
    }
    leg_place(caller, caller->context, caller->exten, 12);
    if (!p) {
        leg_after(caller, 0, leg_done);
        return;
    }
    leg_app(caller, "Goto", "%s,1", status);
    leg_place(caller, "user", status, 2);
    mailbox_speak(caller, p, busy ? "b" : "u");
}

void dial_gone(struct leg *caller, struct leg *called, const char *status)
{
    tell_dial_end(caller, called, status);
    goes_on(caller, status);
}

void dial_hang_up_called(struct leg *called, const char *status, int cause)
{
    struct leg *caller = called->other;

    called->other = NULL;
    called->job = JOB_NONE;
    tell_dial_end(caller, called, status);
    leg_hang_up(called, cause, false);
}

void dial_failed(struct leg *called, const char *status, int cause)
{
    struct leg *caller = called->other;

    if (caller->job == JOB_QUEUE) {
        queue_unanswered(called, status, cause);
        return;
    }
    dial_hang_up_called(called, status, cause);
    goes_on(caller, status);
}

void dial_answer(void *leg)
{
    struct leg *called = leg, *caller = called->other;

    if (called->job != JOB_RINGS || called->ending)
        return;
    timer_stop(&called->office->timers, &called->will);
    timer_stop(&called->office->timers, &called->step);
    called->job = JOB_TALKS;
    if (called->originate) {
        originate_answered(called);
        return;
    }
    called->other = NULL;
    leg_set_state(called, STATE_UP);
    leg_update(called);
    if (caller->job == JOB_QUEUE) {
        queue_connected(caller, called);
        return;
    }
    timer_stop(&called->office->timers, &caller->step);
    caller->other = NULL;
    leg_place(called, called->context, "", 1);
    tell_dial_end(caller, called, "ANSWER");
    leg_set_state(caller, STATE_UP);
    link_two(called, caller);
}

void dial_plan_answer(struct leg *called, unsigned ring_seconds)
{
    struct office *o = called->office;
    uint64_t in;

    if (called->person && called->person->guest) {
        in = o->answer_s * SECONDS;
    } else if (office_chance(o, called->person ? 86 : 92)) {
        in = office_span(o, 1500 * MS, 8 * SECONDS);
    } else {
        return;
    }
    if (in < ring_seconds * SECONDS)
        timer_start(&o->timers, &called->will, in, dial_answer, called);
}

/* Pickup: the picker gets the call that rings, whose phone stops. */
void dial_pick_up(struct leg *picker, struct leg *ringing)
{
    struct leg *caller = ringing->other;
    struct office *o = picker->office;
    struct buf *out;

    leg_set_state(picker, STATE_UP);
    snprintf(picker->linkedid, sizeof(picker->linkedid), "%s", caller->linkedid);
    leg_connect(picker, caller);
    tell_connected(picker);
    tell_dial_end(caller, picker, "ANSWER");
    if (!o->old) {
        out = tell_begin(o, "Pickup", "call");
        tell_leg(out, "", picker);
        tell_leg(out, "Target", ringing);
        tell_end(o);
    }
    ringing->other = NULL;
    ringing->job = JOB_NONE;
    leg_hang_up(ringing, 26, false);
    if (caller->job == JOB_QUEUE) {
        queue_taken(caller);
    } else {
        timer_stop(&o->timers, &caller->step);
        caller->other = NULL;
    }
    leg_connect(caller, picker);
    tell_connected(caller);
    leg_set_state(caller, STATE_UP);
    link_two(picker, caller);
}
