/* The conference room. */
#include <stdio.h>
#include <stdlib.h>

#include "office/tell.h"

static void goes(void *leg)
{
    leg_hang_up(leg, 16, true);
}

static bool open_room(struct office *o)
{
    struct room *r = &o->room;

    if (r->link)
        return true;
    r->link = link_new(o, "base", "softmix", "ConfBridge", r->number);
    if (!r->link)
        return false;
    r->next_usernum = 1;
    r->locked = r->recorded = false;
    tell_room(o, NULL, "Start");
    return true;
}

void room_join(struct leg *l, bool admin)
{
    struct office *o = l->office;
    struct room *r = &o->room;

    if ((r->link && r->locked) || !open_room(o)) {
        leg_app(l, "Playback", "conf-locked");
        leg_after(l, 2 * SECONDS, leg_done);
        return;
    }
    l->job = JOB_ROOM;
    l->admin = admin;
    l->muted = false;
    l->usernum = r->next_usernum++;
    l->joined_us = o->timers.now_us;
    LIST_INSERT_HEAD(&r->legs, l, in_room);
    r->n++;
    link_enter(r->link, l, NULL);
    tell_room(o, l, "Join");
    if (!(l->person && l->person->guest))
        timer_start(&o->timers, &l->will, office_span(o, 60 * SECONDS, 300 * SECONDS), goes, l);
}

static void close_room(struct office *o)
{
    struct room *r = &o->room;

    tell_room(o, NULL, "End");
    tell_link_end(o, r->link);
    free(r->link);
    r->link = NULL;
}

void room_leave(struct leg *l, bool kicked)
{
    struct office *o = l->office;
    struct room *r = &o->room;

    LIST_REMOVE(l, in_room);
    r->n--;
    if (kicked)
        link_move_out(l);
    tell_room(o, l, "Leave");
    link_move_out(l);
    if (r->n == 0)
        close_room(o);
}

void room_mute(struct leg *l, bool on)
{
    l->muted = on;
    tell_room(l->office, l, on ? "Mute" : "Unmute");
}
