/* Agents: in their queues with their phone, or (pool) on a line that AgentLogin keeps open. */
#include <stdio.h>

#include "office/tell.h"
#include "say.h"

static int agent_state(const struct agent *a)
{
    if (!a->leg)
        return DEVICE_UNAVAILABLE;
    return a->leg->job == JOB_AGENT ? DEVICE_IDLE : DEVICE_IN_USE;
}

void agent_update(struct office *o, struct agent *a)
{
    int state = agent_state(a);
    char device[24];
    struct member *m;

    if (state == a->told)
        return;
    a->told = state;
    snprintf(device, sizeof(device), "Agent:%u", a->number);
    tell_device(o, device, state);
    LIST_FOREACH(m, &a->memberships, of_state) member_update(m);
}

static void wait_for_calls(struct leg *l)
{
    struct office *o = l->office;

    l->job = JOB_AGENT;
    link_enter(o->pool, l, NULL);
    leg_music(l, true);
    agent_update(o, l->agent);
}

void agent_log_in(struct leg *l, struct agent *a)
{
    struct office *o = l->office;

    if (a->leg) {
        leg_app(l, "Playback", "agent-alreadyon");
        leg_after(l, 2 * SECONDS, leg_done);
        return;
    }
    leg_place(l, l->context, l->exten, 3);
    leg_app(l, "AgentLogin", "%u,s", a->number);
    if (!o->pool)
        o->pool = link_new(o, "agent_hold", "holding_bridge", "AgentPool", "");
    if (!o->pool) {
        leg_after(l, 0, leg_done);
        return;
    }
    leg_set_state(l, STATE_UP);
    leg_connect(l, &(struct leg){0});
    a->leg = l;
    a->since_us = o->timers.now_us;
    l->agent = a;
    tell_agent_login(l, a);
    wait_for_calls(l);
}

void agent_line_ends(struct leg *l)
{
    struct agent *a = l->agent;

    if (!a)
        return;
    link_move_out(l);
    leg_music(l, false);
    l->agent = NULL;
    a->leg = NULL;
    a->talks_to = NULL;
    tell_agent_logoff(l, a);
    agent_update(l->office, a);
}

void agent_log_off(struct agent *a)
{
    if (a->leg)
        leg_hang_up(a->leg, 16, false);
}

void agent_talk_ends(struct leg *l)
{
    l->agent->talks_to = NULL;
    leg_connect(l, &(struct leg){0});
    wait_for_calls(l);
}

struct member *agent_membership(const struct agent *a)
{
    struct member *m = LIST_FIRST(&a->memberships);

    return m ? m : LIST_FIRST(&a->person->memberships);
}

void agent_comes(struct office *o, struct agent *a)
{
    struct person *p = a->person;
    char name[24], exten[16], interface[32];

    if (p->is.pool && !o->old) {
        snprintf(exten, sizeof(exten), "*31%u", a->number);
        if (p->n_legs == 0)
            dialplan_call(o, p, exten, "", "");
        return;
    }
    snprintf(name, sizeof(name), "Agent/%u", a->number);
    snprintf(interface, sizeof(interface), "Local/%s@default", p->is.number);
    queue_add(&o->queues[p->is.queue], view_cstr(interface), view_cstr(p->device), view_cstr(name),
              0, false, true);
}

void agent_goes(struct agent *a)
{
    struct member *m = agent_membership(a);

    if (a->leg)
        leg_hang_up(a->leg, 16, true);
    else if (m && m->dynamic)
        queue_remove(m);
}

void local_optimisation(const struct leg *one, const struct leg *two, const struct leg *source,
                        bool begin)
{
    struct office *o = one->office;
    struct buf *out;

    if (o->old)
        return;
    out = tell_begin(o, begin ? "LocalOptimizationBegin" : "LocalOptimizationEnd", "call");
    tell_leg(out, "LocalOne", one);
    tell_leg(out, "LocalTwo", two);
    if (begin) {
        tell_leg(out, "Source", source);
        say(out, "DestUniqueId", two->uniqueid);
    } else {
        say(out, "Success", "No");
    }
    say_number(out, "Id", o->optimization);
    o->optimization += !begin;
    tell_end(o);
}

static void up(struct leg *l)
{
    l->state = STATE_UP;
    l->answered_us = l->office->timers.now_us;
    tell_state(l);
}

/* The agent's line takes the place of the Local channel. */
static void take_place(struct leg *one, struct leg *line, struct leg *caller)
{
    struct leg *two = one->twin;
    struct link *talk = one->link;

    local_optimisation(one, two, line, true);
    link_move_out(line);
    link_move_out(one);
    link_enter(talk, line, one);
    local_optimisation(one, two, line, false);
    one->job = JOB_NONE;
    leg_hang_up(one, 16, false);
    traffic_talk(line, caller);
}

static void agent_answers(void *leg)
{
    struct leg *one = leg, *two = one->twin, *caller = one->other;
    struct agent *a = caller->served->agent;
    struct leg *line = a->leg;

    if (!line || line->job != JOB_AGENT || !two || !two->link) {
        dial_failed(one, "NOANSWER", 16);
        return;
    }
    timer_stop(&one->office->timers, &one->step);
    leg_connect(line, caller);
    leg_music(line, false);
    link_move_out(line);
    link_enter(two->link, line, NULL);
    line->job = JOB_TALKS;
    a->talks_to = caller;
    agent_update(one->office, a);
    leg_connect(two, line);
    up(two);
    snprintf(one->num, sizeof(one->num), "%s", line->num);
    snprintf(one->caller, sizeof(one->caller), "%s", line->caller);
    up(one);
    tell_caller_id(one);
    one->other = NULL;
    queue_connected(caller, one);
    take_place(one, line, caller);
}

static void no_agent(void *leg)
{
    dial_failed(leg, "NOANSWER", 16);
}

void agent_call(struct leg *caller, struct member *m)
{
    struct office *o = caller->office;
    struct leg *one, *two;
    struct link *k;
    char number[16];

    snprintf(number, sizeof(number), "%u", m->agent->number);
    if (!local_pair(o, number, "agents", caller, &one, &two)) {
        caller->served = NULL;
        return;
    }
    m->rings = one;
    one->job = JOB_RINGS;
    one->other = caller;
    leg_app(one, "AppQueue", "(Outgoing Line)");
    snprintf(two->num, sizeof(two->num), "%s", caller->num);
    snprintf(two->caller, sizeof(two->caller), "%s", caller->caller);
    tell_caller_id(two);
    tell_local(one, two);
    leg_connect(one, caller);
    leg_app(two, "AgentRequest", "%s", number);
    k = link_new(o, "basic", "simple_bridge", "<unknown>", "");
    if (k)
        link_enter(k, two, NULL);
    leg_set_state(one, STATE_RINGING);
    tell_agent_called(caller, one);
    tell_dial_begin(caller, one, m->interface);
    leg_after(one, caller->queue->is->ring_s * SECONDS, no_agent);
    timer_start(&o->timers, &one->will, office_span(o, 1 * SECONDS, 4 * SECONDS), agent_answers,
                one);
}
