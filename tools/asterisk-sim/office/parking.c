/* The parking lot. */
#include <errno.h>
#include <stdio.h>

#include "office/tell.h"
#include "say.h"

static void tell_space(struct office *o, unsigned space, bool used)
{
    struct buf *out;

    if (o->old)
        return;
    out = tell_begin(o, "ExtensionStatus", "call");
    say_number(out, "Exten", space);
    say(out, "Context", "parkedcalls");
    buf_printf(out, "Hint: park:%u@parkedcalls\r\n", space);
    say_number(out, "Status", used);
    say(out, "StatusText", used ? "InUse" : "Idle");
    tell_end(o);
}

static void vacate(struct leg *l)
{
    l->office->spaces[l->space - COMPANY_LOT_FIRST] = NULL;
    tell_space(l->office, l->space, false);
}

/* It rings at who parked it. */
static void comes_back(void *leg)
{
    struct leg *l = leg;
    struct office *o = l->office;
    struct person *p = office_device(o, view_cstr(l->parker));

    leg_music(l, false);
    link_move_out(l);
    tell_parked(l, "ParkedCallTimeOut", NULL);
    vacate(l);
    l->job = JOB_NONE;
    l->pbx = true;
    if (!p) {
        leg_after(l, 0, leg_done);
        return;
    }
    leg_place(l, "park-dial", p->is.login, 1);
    dial(l, p, NULL, 20);
}

static int free_space(const struct office *o)
{
    for (int i = 0; i < COMPANY_LOT_SPACES; i++)
        if (!o->spaces[i])
            return i;
    return -ENOSPC;
}

int parking_park(struct leg *l, struct view parker_device, uint64_t timeout_us)
{
    struct office *o = l->office;
    int i = free_space(o);

    if (i >= 0 && !o->lot)
        o->lot = link_new(o, "parking", "holding_bridge", "Parking", "default");
    if (i < 0 || !o->lot) {
        leg_after(l, 0, leg_done);
        return -ENOSPC;
    }
    leg_set_state(l, STATE_UP);
    l->job = JOB_PARKED;
    l->space = (unsigned)(COMPANY_LOT_FIRST + i);
    l->joined_us = o->timers.now_us;
    snprintf(l->parker, sizeof(l->parker), "%.*s", VIEW_ARG(parker_device));
    o->spaces[i] = l;
    leg_after(l, timeout_us, comes_back);
    tell_parked(l, "ParkedCall", NULL);
    link_enter(o->lot, l, NULL);
    leg_music(l, true);
    tell_space(o, l->space, true);
    return 0;
}

void parking_leave(struct leg *l, bool gives_up)
{
    if (gives_up)
        tell_parked(l, "ParkedCallGiveUp", NULL);
    link_move_out(l);
    vacate(l);
}

void parking_fetch(struct leg *l, unsigned space)
{
    struct leg *parked = l->office->spaces[space - COMPANY_LOT_FIRST];
    struct link *k;

    if (!parked) {
        leg_after(l, 0, leg_done);
        return;
    }
    k = link_new(l->office, "basic", "simple_bridge", "<unknown>", "");
    if (!k) {
        leg_after(l, 0, leg_done);
        return;
    }
    timer_stop(&l->office->timers, &parked->will);
    leg_music(parked, false);
    parking_leave(parked, false);
    link_enter(k, parked, NULL);
    tell_parked(parked, "UnParkedCall", l);
    timer_stop(&l->office->timers, &parked->step);
    snprintf(l->linkedid, sizeof(l->linkedid), "%s", parked->linkedid);
    link_enter(k, l, NULL);
    l->job = parked->job = JOB_TALKS;
    leg_connect(l, parked);
    leg_connect(parked, l);
    tell_connected(l);
    tell_connected(parked);
    traffic_talk(parked, l);
}
