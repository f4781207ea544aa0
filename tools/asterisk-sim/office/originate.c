/* Originate: a phone is rung and then sent to an extension or an application; ChanSpy. */
#include <stdio.h>
#include <stdlib.h>

#include "office/tell.h"

#define ANSWERS_AFTER (1 * SECONDS)

void read_caller_id(struct view text, char num[48], char name[88])
{
    ptrdiff_t at = view_find(text, VIEW("<"));
    struct view first = at < 0 ? view_of(NULL, 0) : view_trim(view_of(text.ptr, (size_t)at));
    struct view second =
        at < 0 ? view_trim(text) : view_of(text.ptr + at + 1, text.len - (size_t)at - 1);

    second = view_cut(&second, '>');
    if (first.len >= 2 && first.ptr[0] == '"' && first.ptr[first.len - 1] == '"')
        first = view_of(first.ptr + 1, first.len - 2);
    snprintf(num, 48, "%.*s", VIEW_ARG(second));
    snprintf(name, 88, "%.*s", VIEW_ARG(first));
}

/* Who rings for it, or NULL. */
static struct leg *called_by(const struct leg *l)
{
    if (l->job == JOB_DIALS)
        return l->other;
    return l->job == JOB_QUEUE && l->served ? l->served->rings : NULL;
}

bool leg_set_caller_id(struct leg *l, struct view name, struct view value)
{
    struct leg *called = called_by(l);

    if (view_ieq(name, VIEW("CALLERID(name)")))
        snprintf(l->caller, sizeof(l->caller), "%.*s", VIEW_ARG(value));
    else if (view_ieq(name, VIEW("CALLERID(number)")) || view_ieq(name, VIEW("CALLERID(num)")))
        snprintf(l->num, sizeof(l->num), "%.*s", VIEW_ARG(value));
    else if (view_ieq(name, VIEW("CALLERID(all)")))
        read_caller_id(value, l->num, l->caller);
    else
        return false;
    tell_caller_id(l);
    if (called) {
        leg_connect(called, l);
        tell_connected(called);
    }
    return true;
}

static void time_out(void *leg)
{
    struct leg *l = leg;

    l->job = JOB_NONE;
    originate_failed(l, 3);
    leg_hang_up(l, 16, false);
}

struct leg *originate_begin(struct office *o, struct person *p, struct originate *g,
                            struct view callerid, uint64_t timeout_us)
{
    struct leg *l = dial_ring(o, p, NULL);

    if (!l) {
        free(g);
        return NULL;
    }
    l->originate = g;
    l->originated = true;
    leg_place(l, "default", "", 1);
    leg_app(l, "AppDial2", "(Outgoing Line)");
    if (callerid.len) {
        read_caller_id(callerid, l->num, l->caller);
        tell_caller_id(l);
        leg_connect(l, l);
        tell_connected(l);
    }
    leg_update(l);
    tell_dial_begin(NULL, l, p->is.login);
    leg_set_state(l, STATE_RINGING);
    tell_dial_state(NULL, l);
    leg_after(l, timeout_us, time_out);
    timer_start(&o->timers, &l->will, ANSWERS_AFTER, dial_answer, l);
    return l;
}

void originate_answered(struct leg *l)
{
    struct originate *g = l->originate;

    l->originate = NULL;
    l->pbx = true;
    l->job = JOB_NONE;
    leg_set_state(l, STATE_UP);
    leg_update(l);
    tell_dial_end(NULL, l, "ANSWER");
    if (g->async)
        tell_originated(l->office, g, l, l->person, 4);
    if (*g->app)
        dialplan_run_app(l, g->app, g->data);
    else
        dialplan_go(l, g->context, g->exten);
    free(g);
}

void originate_failed(struct leg *l, int reason)
{
    if (l->originate->async)
        tell_originated(l->office, l->originate, l, l->person, reason);
    free(l->originate);
    l->originate = NULL;
}

static void tell_spy(const struct leg *l, const char *event)
{
    struct office *o = l->office;
    struct buf *out = tell_begin(o, event, "call");

    if (o->old) {
        buf_printf(out, "SpyerChannel: %s\r\n", l->name);
        buf_printf(out, "SpyeeChannel: %s\r\n", l->spied->name);
    } else {
        tell_leg(out, "Spyer", l);
        tell_leg(out, "Spyee", l->spied);
    }
    tell_end(o);
}

/* The end of who listens, or (found by office_unspy) of who is listened to. */
void spy_end(struct leg *l)
{
    tell_spy(l, "ChanSpyStop");
    l->spied->spies--;
    l->spied = NULL;
}

static void look_for(void *leg)
{
    struct leg *l = leg, *found = NULL;
    struct view whom = view_cstr(l->data), name = view_cut(&whom, ',');

    LIST_FOREACH(found, &l->office->legs, all)
    if (found != l && found->job == JOB_TALKS && view_starts(view_cstr(found->name), name))
        break;
    if (!found) {
        leg_after(l, 500 * MS, look_for);
        return;
    }
    l->spied = found;
    found->spies++;
    tell_spy(l, "ChanSpyStart");
}

void spy_begin(struct leg *l, struct view whom)
{
    (void)whom; /* stands in l->data */
    look_for(l);
}

void spy_lost(struct leg *spied)
{
    struct leg *l;

    LIST_FOREACH(l, &spied->office->legs, all)
    if (l->spied == spied) {
        spy_end(l);
        leg_after(l, 0, look_for);
    }
}
