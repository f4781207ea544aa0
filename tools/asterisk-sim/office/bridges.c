/* Who is connected with whom. */
#include <stdio.h>
#include <stdlib.h>

#include "office/tell.h"

static void make_uuid(struct office *o, char out[40])
{
    uint64_t a = office_random(o, 0), b = office_random(o, 0);

    snprintf(out, 40, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffff, 0x4000 | ((unsigned)a & 0xfff),
             0x8000 | ((unsigned)(b >> 48) & 0x3fff), (unsigned long long)(b & 0xffffffffffffULL));
}

struct link *link_new(struct office *o, const char *type, const char *technology,
                      const char *creator, const char *name)
{
    struct link *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    make_uuid(o, k->uniqueid);
    k->type = type;
    k->technology = technology;
    k->creator = creator;
    snprintf(k->name, sizeof(k->name), "%s", name);
    LIST_INIT(&k->legs);
    tell_link_begin(o, k);
    return k;
}

void link_enter(struct link *k, struct leg *l, const struct leg *instead_of)
{
    LIST_INSERT_HEAD(&k->legs, l, in_link);
    l->link = k;
    k->n++;
    tell_enter(k, l, instead_of);
}

static void take_out(struct leg *l)
{
    struct link *k = l->link;

    LIST_REMOVE(l, in_link);
    l->link = NULL;
    k->n--;
    tell_leave(k, l);
}

static bool lasts(const struct link *k)
{
    return strcmp(k->type, "basic") != 0;
}

static void end_when_empty(struct office *o, struct link *k)
{
    if (k->n > 0 || lasts(k))
        return;
    tell_link_end(o, k);
    free(k);
}

void link_move_out(struct leg *l)
{
    struct link *k = l->link;

    if (!k)
        return;
    take_out(l);
    end_when_empty(l->office, k);
}

struct leg *link_peer(const struct leg *l)
{
    struct leg *other;

    if (!l->link || lasts(l->link))
        return NULL;
    LIST_FOREACH(other, &l->link->legs, in_link)
    if (other != l)
        return other;
    return NULL;
}

void call_over(struct leg *left, struct leg *peer)
{
    if (left->served && left->queue)
        queue_complete(left, peer, "caller");
    else if (peer->served && peer->queue)
        queue_complete(peer, left, "agent");
}

void link_leave(struct leg *l)
{
    struct link *k = l->link;
    struct leg *peer = link_peer(l);

    if (!k)
        return;
    if (k->asker) {
        call_over(l, k->asker);
        transfer_orphaned(k->asker);
        peer = NULL;
    }
    take_out(l);
    if (!peer || k->n != 1) {
        end_when_empty(l->office, k);
        return;
    }
    take_out(peer);
    end_when_empty(l->office, k);
    timer_stop(&l->office->timers, &peer->will);
    peer->job = JOB_NONE;
    peer->holds = false;
    leg_update(peer);
    leg_music(peer, false);
    call_over(l, peer);
    leg_after(peer, 0, leg_returns);
}

void leg_returns(void *leg)
{
    struct leg *l = leg;

    if (l->agent && l->agent->leg == l) {
        agent_talk_ends(l);
        return;
    }
    if (l->pbx)
        tell_dial_over(l);
    leg_hang_up(l, 16, false);
}

void link_two(struct leg *first, struct leg *second)
{
    struct link *k = link_new(first->office, "basic", "simple_bridge", "<unknown>", "");

    if (!k) {
        leg_after(second, 0, leg_done);
        return;
    }
    first->job = second->job = JOB_TALKS;
    if (!first->pbx && strcmp(first->app, "AppDial") == 0)
        leg_app(first, "AppDial", "(Outgoing Line)");
    link_enter(k, first, NULL);
    link_enter(k, second, NULL);
    traffic_talk(first, second);
}
