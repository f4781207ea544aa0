/* What people do by themselves. */
#include <math.h>
#include <stdio.h>

#include "office/tell.h"

static const char *const reasons[] = {"Lunch", "Break", "Meeting", "Training", "Pause café"};

static struct person *anyone(struct office *o)
{
    return o->n_free ? o->free_people[office_random(o, o->n_free)] : NULL;
}

static struct person *someone(struct office *o, const struct person *but)
{
    struct person *p = anyone(o);

    if (office_chance(o, 4))
        p = &o->people[office_random(o, o->n_people)];
    return p == but ? NULL : p;
}

static void from_outside(struct office *o, const char *did)
{
    const struct company_outsider *who;
    uint64_t i = office_random(o, company_n_outsiders + company_n_strangers);

    if (i >= company_n_outsiders || !company_outsiders[i].calls_from) {
        dialplan_call(o, NULL, did, company_strangers[i % company_n_strangers], "");
        return;
    }
    who = &company_outsiders[i];
    dialplan_call(o, NULL, did, who->calls_from, office_chance(o, 30) ? who->name : "");
}

static bool inside(struct office *o)
{
    struct person *from = anyone(o), *to = from ? someone(o, from) : NULL;

    if (!to)
        return false;
    dialplan_call(o, from, to->is.number, "", "");
    return true;
}

static bool from_inside(struct office *o, const char *exten)
{
    struct person *from = anyone(o);

    if (!from)
        return false;
    dialplan_call(o, from, exten, "", "");
    return true;
}

static bool outside(struct office *o)
{
    return from_inside(o, company_outsiders[office_random(o, company_n_outsiders)].phone);
}

static bool begin_call(struct office *o)
{
    uint64_t dice = office_random(o, 100);
    struct person *to;

    if (dice < 28)
        return inside(o);
    if (dice < 52) {
        to = someone(o, NULL);
        if (to)
            from_outside(o, to->is.did);
        return to != NULL;
    }
    if (dice < 76) {
        from_outside(o, company_queues[office_random(o, COMPANY_QUEUES)].did);
        return true;
    }
    if (dice < 92)
        return outside(o);
    if (dice < 97)
        return from_inside(o, COMPANY_ROOM);
    return from_inside(o, "*98");
}

static void arrive(void *arg);

static void next_arrival(struct office *o)
{
    double u = ((double)office_random(o, 1U << 30) + 1) / (1U << 30);

    timer_start(&o->timers, &o->arrival, (uint64_t)(-log(u) / o->per_us), arrive, o);
}

static void arrive(void *arg)
{
    struct office *o = arg;

    next_arrival(o);
    if (!begin_call(o))
        o->refused++;
}

static void pause_or_return(struct office *o, struct member *m)
{
    const char *reason = reasons[office_random(o, sizeof(reasons) / sizeof(*reasons))];

    queue_pause(m, !m->paused, view_cstr(reason));
}

/* Who plays a phone at a panel is called every few minutes, however many calls there are. */
static void call_guest(void *arg)
{
    struct office *o = arg;
    struct person *p = o->guests[office_random(o, o->n_guests)], *from = anyone(o);

    timer_start(&o->timers, &o->visit, 45 * SECONDS + office_random(o, 60 * SECONDS), call_guest,
                o);
    if (p->n_legs > 0)
        return;
    if (from && office_chance(o, 40))
        dialplan_call(o, from, p->is.number, "", "");
    else
        from_outside(o, p->is.did);
}

static void somebody_leaves(struct office *o)
{
    struct person *p = anyone(o);

    if (p)
        phone_goes(p);
}

/* One agent after the other goes for a break, comes back, goes home, comes to work. */
static void shift(void *arg)
{
    struct office *o = arg;
    struct agent *a;
    struct member *m;

    timer_start(&o->timers, &o->shift, office_span(o, 10 * SECONDS, 60 * SECONDS), shift, o);
    if (office_chance(o, 20) || o->n_agents == 0) {
        somebody_leaves(o);
        return;
    }
    a = &o->agents[office_random(o, o->n_agents)];
    m = agent_membership(a);
    if (a->person->guest || a->person->offline)
        return;
    if (!m || (m->agent && !a->leg))
        agent_comes(o, a);
    else if (m->paused || office_chance(o, 70))
        pause_or_return(o, m);
    else if (!m->busy && !m->rings)
        agent_goes(a);
}

/* How long a call takes shrinks when the company has too few people for so many. */
static double pace_of(const struct office *o)
{
    double busy = o->per_us * 80e6 * 1.6; /* people in calls at any time */
    double bearable = o->n_people * 0.4;

    return busy > bearable ? bearable / busy : 1;
}

void traffic_start(struct office *o)
{
    o->pace = 1;
    if (o->per_us <= 0)
        return;
    o->pace = pace_of(o);
    next_arrival(o);
    somebody_leaves(o);
    if (o->n_guests > 0)
        timer_start(&o->timers, &o->visit, 20 * SECONDS, call_guest, o);
    timer_start(&o->timers, &o->shift, office_span(o, 10 * SECONDS, 60 * SECONDS), shift, o);
}

static bool is_guest(const struct leg *l)
{
    return l->person && l->person->guest;
}

static void plan(struct leg *l, uint64_t in, void (*fn)(void *leg))
{
    timer_start(&l->office->timers, &l->will, in, fn, l);
}

static void says_goodbye(void *leg)
{
    leg_hang_up(leg, 16, true);
}

static void goes_on(struct leg *l);

static void off_hold(void *leg)
{
    leg_hold(leg, false);
    goes_on(leg);
}

static void goes_on(struct leg *l)
{
    plan(l, office_span(l->office, 5 * SECONDS, 40 * SECONDS), says_goodbye);
}

static void asked(void *leg)
{
    struct leg *l = leg;

    if (l->job == JOB_CONSULT && l->local->state != STATE_UP && office_chance(l->office, 30)) {
        transfer_cancel(l);
        return;
    }
    leg_hang_up(l, 16, true);
}

static void put_through(struct leg *l, bool ask)
{
    struct person *to = anyone(l->office);

    if (!to) {
        says_goodbye(l);
    } else if (!ask) {
        transfer_blind(l, to->is.number, "default");
    } else if (transfer_ask(l, to->is.number, "default") == 0 && l->job == JOB_CONSULT) {
        plan(l, office_span(l->office, 6 * SECONDS, 20 * SECONDS), asked);
    }
}

static void fetches(void *arg)
{
    struct leg *parked = arg;
    struct person *p = anyone(parked->office);
    char exten[8];

    if (!p)
        return;
    snprintf(exten, sizeof(exten), "%u", parked->space);
    dialplan_call(parked->office, p, exten, "", "");
}

static void parks(struct leg *l)
{
    struct leg *peer = link_peer(l);

    leg_free_of_job(peer);
    if (parking_park(peer, view_cstr(l->person->device), 45 * SECONDS) == 0 &&
        office_chance(l->office, 80))
        plan(peer, office_span(l->office, 5 * SECONDS, 40 * SECONDS), fetches);
}

/* In the middle of a talk. */
static void does_something(void *leg)
{
    struct leg *l = leg, *peer = link_peer(l);
    uint64_t dice = office_random(l->office, 100);

    if (!peer || l->job != JOB_TALKS || !l->person || peer->twin || l->agent) {
        says_goodbye(l);
    } else if (dice < 45) {
        leg_hold(l, true);
        plan(l, office_span(l->office, 4 * SECONDS, 20 * SECONDS), off_hold);
    } else if (dice < 65 || peer->hops > 3) {
        put_through(l, false);
    } else if (dice < 85) {
        put_through(l, true);
    } else {
        parks(l);
    }
}

void traffic_talk(struct leg *a, struct leg *b)
{
    struct office *o = a->office;
    struct leg *l = is_guest(a) || (!a->person && b->person && !is_guest(b)) ? b : a;

    if (a->twin || b->twin)
        return;
    timer_stop(&o->timers, &a->will);
    timer_stop(&o->timers, &b->will);
    if (is_guest(a) || is_guest(b))
        plan(l, 60 * SECONDS + office_random(o, 120) * SECONDS, says_goodbye);
    else if (office_chance(o, 30))
        plan(l, office_span(o, 5 * SECONDS, 40 * SECONDS), does_something);
    else
        plan(office_chance(o, 50) ? a : b, office_span(o, 10 * SECONDS, 120 * SECONDS),
             says_goodbye);
}
