/* A leg: a channel, from its Newchannel to its Hangup, and the states of phones that follow. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "office/tell.h"

int person_state(const struct person *p)
{
    bool rings = false, used = false, holds = false;
    const struct leg *l;

    LIST_FOREACH(l, &p->legs, of_person)
    {
        bool dialled = l->job == JOB_RINGS;
        rings |= dialled;
        used |= !dialled;
        holds |= l->holds;
    }
    if (holds)
        return DEVICE_ON_HOLD;
    if (rings)
        return used ? DEVICE_RINGING_IN_USE : DEVICE_RINGING;
    if (used)
        return DEVICE_IN_USE;
    return p->offline ? DEVICE_UNAVAILABLE : DEVICE_IDLE;
}

/* Takes it in or out of those whom a call may begin with. */
static void set_free(struct office *o, struct person *p, bool free_now)
{
    struct person *last;

    if (free_now == (p->free_at > 0))
        return;
    if (free_now) {
        o->free_people[o->n_free++] = p;
        p->free_at = o->n_free;
        return;
    }
    last = o->free_people[--o->n_free];
    o->free_people[p->free_at - 1] = last;
    last->free_at = p->free_at;
    p->free_at = 0;
}

void person_update(struct person *p)
{
    struct office *o = p->office;
    int state = person_state(p);
    struct member *m;

    set_free(o, p, state == DEVICE_IDLE && !p->guest);
    if (state == p->told)
        return;
    p->told = state;
    tell_person(o, p);
    LIST_FOREACH(m, &p->memberships, of_state) member_update(m);
}

void leg_update(const struct leg *l)
{
    if (l->person)
        person_update(l->person);
}

static void forget_variables(struct leg *l)
{
    while (!SLIST_EMPTY(&l->variables)) {
        struct variable *v = SLIST_FIRST(&l->variables);
        SLIST_REMOVE_HEAD(&l->variables, all);
        free(v->value);
        free(v);
    }
}

const char *leg_variable(const struct leg *l, struct view name)
{
    const struct variable *v;

    SLIST_FOREACH(v, &l->variables, all)
    if (view_eq(view_cstr(v->name), name))
        return v->value;
    return NULL;
}

void leg_set_variable(struct leg *l, struct view name, struct view value)
{
    char *copy = view_dup(value);
    struct variable *v;

    SLIST_FOREACH(v, &l->variables, all)
    if (view_eq(view_cstr(v->name), name))
        break;
    if (!v && copy) {
        v = calloc(1, sizeof(*v) + name.len + 1);
        if (v) {
            memcpy(v->name, name.ptr, name.len);
            SLIST_INSERT_HEAD(&l->variables, v, all);
        }
    }
    if (!v || !copy) {
        free(copy);
        return;
    }
    free(v->value);
    v->value = copy;
    tell_variable(l->office, l, name, value);
}

static int enlist(struct office *o, struct leg *l)
{
    if (map_put(o->by_name, view_cstr(l->name), l) < 0)
        return -1;
    if (map_put(o->by_name, view_cstr(l->uniqueid), l) == 0)
        return 0;
    map_del(o->by_name, view_cstr(l->name));
    return -1;
}

static void name_it(struct office *o, struct leg *l, const char *device, const struct leg *of_call)
{
    if (strncmp(device, "Local/", 6) == 0)
        snprintf(l->name, sizeof(l->name), "%s-%08x;%c", device, o->local_suffix,
                 l->first_half ? '1' : '2');
    else
        snprintf(l->name, sizeof(l->name), "%s-%08x", device, o->suffix++);
    snprintf(l->uniqueid, sizeof(l->uniqueid), "%llu.%u", (unsigned long long)office_now_s(o),
             o->serial++);
    snprintf(l->linkedid, sizeof(l->linkedid), "%s", of_call ? of_call->linkedid : l->uniqueid);
}

struct leg *leg_create(struct office *o, struct person *p, const char *device, const char *context,
                       const char *exten, const struct leg *of_call, bool first_half)
{
    struct leg *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->office = o;
    l->first_half = first_half;
    name_it(o, l, device, of_call);
    if (enlist(o, l) < 0) {
        free(l);
        return NULL;
    }
    l->person = p;
    l->born_us = o->timers.now_us;
    leg_place(l, context, exten, 1);
    if (p) {
        snprintf(l->num, sizeof(l->num), "%s", p->is.number);
        snprintf(l->caller, sizeof(l->caller), "%s", p->full);
        LIST_INSERT_HEAD(&p->legs, l, of_person);
        p->n_legs++;
    }
    LIST_INSERT_HEAD(&o->legs, l, all);
    o->n_legs++;
    return l;
}

struct leg *leg_new(struct office *o, struct person *p, const char *device, const char *context,
                    const char *exten, const struct leg *of_call)
{
    struct leg *l = leg_create(o, p, device, context, exten, of_call, false);

    if (l)
        tell_new_channel(l);
    return l;
}

void leg_connect(struct leg *of, const struct leg *to)
{
    snprintf(of->conn_num, sizeof(of->conn_num), "%s", to->num);
    snprintf(of->conn_name, sizeof(of->conn_name), "%s", to->caller);
}

void leg_set_state(struct leg *l, int state)
{
    if (l->state == state)
        return;
    l->state = state;
    if (state == STATE_UP)
        l->answered_us = l->office->timers.now_us;
    tell_state(l);
    leg_update(l);
    if (state == STATE_UP && l->twin && !l->first_half)
        local_answered(l);
}

void leg_place(struct leg *l, const char *context, const char *exten, int priority)
{
    snprintf(l->context, sizeof(l->context), "%s", context);
    snprintf(l->exten, sizeof(l->exten), "%s", exten);
    l->priority = priority;
}

void leg_after(struct leg *l, uint64_t in_us, void (*fn)(void *leg))
{
    timer_start(&l->office->timers, &l->step, in_us, fn, l);
}

void leg_app(struct leg *l, const char *app, const char *fmt, ...)
{
    va_list ap;

    snprintf(l->app, sizeof(l->app), "%s", app);
    va_start(ap, fmt);
    vsnprintf(l->data, sizeof(l->data), fmt, ap);
    va_end(ap);
    tell_step(l);
}

void leg_music(struct leg *l, bool on)
{
    if (l->music == on)
        return;
    l->music = on;
    tell_music(l);
}

void leg_hold(struct leg *l, bool on)
{
    struct leg *peer = link_peer(l);

    if (l->holds == on)
        return;
    l->holds = on;
    tell_hold(l);
    leg_update(l);
    if (peer)
        leg_music(peer, on);
}

bool leg_is_up(const struct leg *l)
{
    return l->state == STATE_UP && !l->ending;
}

static void stop_timers(struct leg *l)
{
    timer_stop(&l->office->timers, &l->step);
    timer_stop(&l->office->timers, &l->will);
}

/* A ringing leg goes: who dials it hears that nobody answers. */
static void rings_no_more(struct leg *l)
{
    struct leg *caller = l->other;

    if (l->originate) {
        originate_failed(l, 0);
    } else if (caller && caller->job == JOB_QUEUE) {
        queue_unanswered(l, "NOANSWER", 0);
    } else if (caller) {
        l->other = NULL;
        dial_gone(caller, l, "BUSY");
    }
}

static void leave_app(struct leg *l)
{
    if (l->spied)
        spy_end(l);
}

void leg_free_of_job(struct leg *l)
{
    enum job job = l->job;

    stop_timers(l);
    if (l->spies > 0)
        spy_lost(l);
    l->job = JOB_NONE;
    switch (job) {
    case JOB_DIALS:
        l->job = JOB_DIALS; /* until the called one is gone */
        dial_hang_up_called(l->other, "CANCEL", 16);
        l->job = JOB_NONE;
        break;
    case JOB_RINGS:
        rings_no_more(l);
        break;
    case JOB_TALKS:
        link_leave(l);
        if (l->pbx)
            tell_dial_over(l);
        break;
    case JOB_CONSULT:
        transfer_abandon(l);
        break;
    case JOB_QUEUE:
        queue_leave(l, true);
        break;
    case JOB_ROOM:
        room_leave(l, false);
        break;
    case JOB_PARKED:
        parking_leave(l, true);
        break;
    case JOB_MAILBOX:
        mailbox_end(l);
        break;
    case JOB_AGENT: /* below: it may also be in a call */
    case JOB_APP:
        leave_app(l);
        break;
    case JOB_NONE:
        break;
    }
    if (l->agent)
        agent_line_ends(l);
    leg_music(l, false);
    if (l->holds) {
        l->holds = false;
        leg_update(l);
    }
}

static void end(struct leg *l, int cause)
{
    struct office *o = l->office;
    struct leg *twin = l->twin;

    if (twin)
        tell_hangup_request(twin, 16);
    tell_hangup(l, cause);
    map_del(o->by_name, view_cstr(l->name));
    map_del(o->by_name, view_cstr(l->uniqueid));
    LIST_REMOVE(l, all);
    o->n_legs--;
    if (l->person) {
        LIST_REMOVE(l, of_person);
        l->person->n_legs--;
        person_update(l->person);
    }
    if (twin) {
        twin->twin = NULL;
        leg_after(twin, 0, leg_done);
    }
    stop_timers(l);
    forget_variables(l);
    free(l->originate);
    free(l);
}

/* The extension h of the dialplan. */
static void run_h(struct leg *l)
{
    leg_place(l, "user", "h", 2);
    if (l->originated)
        leg_app(l, "AppDial2", "(Outgoing Line)");
}

void leg_hang_up(struct leg *l, int cause, bool request)
{
    bool answered = l->state == STATE_UP;

    if (l->ending)
        return;
    l->ending = true;
    if (request)
        tell_hangup_request(l, l->job == JOB_TALKS ? 16 : 0);
    leg_free_of_job(l);
    if (l->asker)
        transfer_lost(l);
    link_move_out(l);
    if (l->pbx) {
        tell_soft_hangup(l);
        if (strcmp(l->context, "user") == 0)
            run_h(l);
    }
    end(l, answered || cause != 16 || !l->pbx ? cause : 0);
}

void leg_done(void *leg)
{
    leg_hang_up(leg, 16, false);
}
