/* Transfers, and the Local channels that an attended one is made with. */
#include <errno.h>
#include <stdio.h>

#include "office/tell.h"
#include "say.h"

#define OPTIMISED_AFTER (200 * MS)

void transfer_blind(struct leg *by, const char *exten, const char *context)
{
    struct leg *peer = link_peer(by);
    struct office *o = by->office;
    struct buf *out;

    if (!o->old) {
        out = tell_begin(o, "BlindTransfer", "call");
        say(out, "Result", "Success");
        tell_leg(out, "Transferer", by);
        tell_leg(out, "Transferee", peer);
        tell_link(out, "", by->link, by->link->n);
        say(out, "IsExternal", "No");
        say(out, "Context", context);
        say(out, "Extension", exten);
        tell_end(o);
    }
    leg_free_of_job(peer);
    peer->hops++;
    dialplan_go(peer, context, exten);
}

bool local_pair(struct office *o, const char *exten, const char *context, const struct leg *for_leg,
                struct leg **one, struct leg **two)
{
    char device[72];

    snprintf(device, sizeof(device), "Local/%.30s@%.30s", exten, context);
    *one = leg_create(o, NULL, device, context, exten, for_leg, true);
    *two = *one ? leg_create(o, NULL, device, context, exten, for_leg, false) : NULL;
    o->local_suffix++;
    if (!*one)
        return false;
    tell_new_channel(*one);
    if (!*two) {
        leg_hang_up(*one, 16, false);
        return false;
    }
    (*one)->twin = *two;
    (*two)->twin = *one;
    (*two)->state = STATE_RING;
    (*two)->pbx = true;
    tell_new_channel(*two);
    return true;
}

void local_connects(struct leg *second, const struct leg *called)
{
    struct leg *by = second->twin->asker;

    if (!by)
        return;
    leg_connect(by, called);
    tell_connected(by);
}

static void show(struct leg *one, const struct leg *called)
{
    snprintf(one->num, sizeof(one->num), "%s", called->num);
    snprintf(one->caller, sizeof(one->caller), "%s", called->caller);
    tell_caller_id(one);
}

void local_rings(struct leg *second, const struct leg *called)
{
    struct leg *one = second->twin;

    snprintf(one->num, sizeof(one->num), "%s", called->num);
    snprintf(one->caller, sizeof(one->caller), "%s", called->caller);
    leg_set_state(one, STATE_RINGING);
    tell_caller_id(one);
    tell_dial_state(NULL, one);
}

void local_answered(struct leg *second)
{
    struct leg *one = second->twin;

    leg_set_state(one, STATE_UP);
    tell_dial_end(NULL, one, "ANSWER");
}

static void tell_digits(const struct leg *l, const char *digits)
{
    for (; *digits; digits++)
        tell_digit(l, *digits);
}

static void core_hold(struct leg *by, struct leg *peer, bool on)
{
    if (!by->office->old)
        tell_simple(by, on ? "Hold" : "Unhold");
    leg_music(peer, on);
}

int transfer_ask(struct leg *by, const char *exten, const char *context)
{
    struct office *o = by->office;
    struct leg *peer = link_peer(by), *one, *two;
    struct link *k;

    if (by->job != JOB_TALKS || !peer || by->link->asker)
        return -EINVAL;
    timer_stop(&o->timers, &by->will);
    timer_stop(&o->timers, &peer->will);
    tell_digits(by, "*2");
    core_hold(by, peer, true);
    tell_digits(by, exten);
    if (!local_pair(o, exten, context, by, &one, &two))
        return -ENOMEM;
    k = link_new(o, "basic", "simple_bridge", "<unknown>", "");
    if (!k) {
        leg_hang_up(one, 16, false);
        return -ENOMEM;
    }
    snprintf(one->exten_asked, sizeof(one->exten_asked), "%s", exten);
    show(two, by);
    tell_local(one, two);
    leg_connect(one, by);
    tell_connected(one);
    link_enter(k, one, NULL);
    one->asker = by;
    by->local = one;
    by->first_link = by->link;
    by->first_link->asker = by;
    by->job = JOB_CONSULT;
    link_move_out(by);
    link_enter(k, by, NULL);
    leg_connect(by, &(struct leg){0});
    tell_connected(by);
    dialplan_go(two, context, exten);
    return 0;
}

/* It is no question any more. */
static void forget(struct leg *by)
{
    if (by->local)
        by->local->asker = NULL;
    if (by->first_link)
        by->first_link->asker = NULL;
    by->local = NULL;
    by->first_link = NULL;
}

static void tell_merge(struct office *o, const struct link *to, const struct link *from)
{
    struct buf *out;

    if (o->old)
        return;
    out = tell_begin(o, "BridgeMerge", "call");
    tell_link(out, "To", to, to->n);
    tell_link(out, "From", from, from->n);
    tell_end(o);
}

static void tell_attended(const struct leg *by, const struct leg *peer, const struct leg *one)
{
    struct office *o = by->office;
    struct buf *out;

    if (o->old)
        return;
    out = tell_begin(o, "AttendedTransfer", "call");
    say(out, "Result", "Success");
    tell_leg(out, "OrigTransferer", by);
    tell_link(out, "Orig", one->link, one->link->n);
    tell_leg(out, "SecondTransferer", by);
    tell_link(out, "Second", by->link, by->link->n);
    tell_leg(out, "Transferee", peer);
    tell_leg(out, "TransferTarget", one);
    say(out, "IsExternal", "No");
    say(out, "DestType", "Bridge");
    say(out, "DestBridgeUniqueid", one->link->uniqueid);
    tell_end(o);
}

/* A queue that has served the half serves who comes in its place. */
static void take_over(struct leg *peer, struct leg *two)
{
    peer->served = two->served;
    peer->queue = two->queue;
    peer->hold_s = two->hold_s;
    peer->joined_us = two->joined_us;
    peer->ringing_us = two->ringing_us;
    peer->connected_us = two->connected_us;
    two->served = NULL;
    two->queue = NULL;
}

/* The Local channel gets out of the way. */
static void take_away(void *leg)
{
    struct leg *one = leg, *two = one->twin;
    struct leg *peer = link_peer(one), *target = two ? link_peer(two) : NULL;
    struct link *k;

    if (!peer || !target)
        return;
    k = two->link;
    local_optimisation(one, two, peer, true);
    link_move_out(peer);
    show(two, peer);
    link_move_out(two);
    link_enter(k, peer, two);
    if (two->served)
        take_over(peer, two);
    local_optimisation(one, two, peer, false);
    link_move_out(one);
    one->job = two->job = JOB_NONE;
    leg_hang_up(one, 16, false);
    traffic_talk(target, peer);
}

static void join(struct leg *by, struct leg *one, struct leg *peer)
{
    struct leg *target = one->twin ? link_peer(one->twin) : NULL;
    struct link *first = by->first_link;

    tell_merge(by->office, first, by->link);
    link_move_out(one);
    link_enter(first, one, NULL);
    leg_music(peer, false);
    leg_connect(one, peer);
    tell_connected(one);
    tell_attended(by, peer, one);
    leg_connect(peer, one);
    tell_connected(peer);
    if (target) {
        leg_connect(target, peer);
        tell_connected(target);
    }
    call_over(by, peer);
    forget(by);
    one->job = JOB_TALKS;
    link_move_out(by);
    leg_after(one, OPTIMISED_AFTER, take_away);
}

/* Nobody has answered yet: the call goes there by itself. */
static void send_on(struct leg *by, struct leg *one, struct leg *peer)
{
    char exten[48], context[40];

    snprintf(exten, sizeof(exten), "%s", one->exten_asked);
    snprintf(context, sizeof(context), "%s", one->context);
    call_over(by, peer);
    forget(by);
    link_move_out(by);
    leg_hang_up(one, 16, false);
    leg_music(peer, false);
    link_move_out(peer);
    dialplan_go(peer, context, exten);
}

void transfer_complete(struct leg *by)
{
    struct leg *one = by->local, *peer = LIST_FIRST(&by->first_link->legs);

    if (one->state == STATE_UP)
        join(by, one, peer);
    else
        send_on(by, one, peer);
}

void transfer_abandon(struct leg *by)
{
    transfer_complete(by);
}

static void back(struct leg *by)
{
    struct leg *one = by->local, *peer = LIST_FIRST(&by->first_link->legs);
    struct link *first = by->first_link;

    forget(by);
    link_move_out(by);
    link_enter(first, by, NULL);
    by->job = JOB_TALKS;
    core_hold(by, peer, false);
    leg_connect(by, peer);
    tell_connected(by);
    link_move_out(one);
    leg_hang_up(one, 16, false);
    traffic_talk(by, peer);
}

void transfer_cancel(struct leg *by)
{
    tell_digits(by, "*1");
    back(by);
}

void transfer_lost(struct leg *one)
{
    back(one->asker);
}

/* Who waits has hung up: what remains is a call of its own. */
void transfer_orphaned(struct leg *by)
{
    struct leg *one = by->local;

    forget(by);
    by->job = JOB_TALKS;
    one->job = JOB_TALKS;
}
