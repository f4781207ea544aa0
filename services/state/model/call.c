/* Calls: ringing and linked channels. */
#include "model/model.h"

static void set_peer(struct xod_obj *c, struct xod_obj *peer)
{
    xod_set_str(c, XOD(channels, talkingto_kind), VIEW("channel"));
    xod_set_str(c, XOD(channels, talkingto_id), xod_obj_id(peer));
}

static int drop_peer(struct xod_obj *c)
{
    xod_set_null(c, XOD(channels, talkingto_kind));
    return xod_set_null(c, XOD(channels, talkingto_id));
}

static bool is_login(const struct xod_obj *c)
{
    return xod_get(c, XOD(channels, agent))->b;
}

/* The channel goes on without an other end. That of an agent who waits for the next call has had
 * this one. */
static void call_over(struct ipbx_model *d, struct xod_obj *c)
{
    party_lost(c);
    if (!is_login(c))
        return;
    calllog_served(d, c);
    xod_set_null(c, XOD(channels, queue_of));
    xod_set_bool(c, XOD(channels, queue_call), false);
}

/* It has no peer: it is no longer in a call. */
static int lose_peer(struct ipbx_model *d, struct xod_obj *c)
{
    int rc = drop_peer(c);

    if (channel_is_linked(c)) {
        channel_commstatus(c, "ready", d->now);
        call_over(d, c);
    }
    return rc;
}

static bool talks_to(const struct xod_obj *c, const struct xod_obj *peer)
{
    return view_eq(xod_get_str(c, XOD(channels, talkingto_id)), xod_obj_id(peer));
}

bool call_waits_in_queue(const struct xod_obj *c)
{
    return xod_related(c, LIST_queues, 0) || xod_related(c, LIST_groups, 0);
}

/* A queue makes it ring, at once or by way of a Local channel. Groups are no queues. */
static bool is_queues_call(struct ipbx_model *d, const struct xod_obj *caller)
{
    const struct xod_obj *half = local_other_half(d, caller);

    return xod_related(caller, LIST_queues, 0) ||
           (half && xod_get(half, XOD(channels, queue_call))->b);
}

/* The called leg is a queue's, too. */
static void take_queue(struct ipbx_model *d, const struct xod_obj *caller, struct xod_obj *called)
{
    const struct xod_obj *half = local_other_half(d, caller);
    struct view queue = xod_get_str(caller, XOD(channels, queue_of));

    if (queue.len == 0 && half)
        queue = xod_get_str(half, XOD(channels, queue_of));
    xod_set_bool(called, XOD(channels, queue_call), true);
    if (queue.len)
        xod_set_str(called, XOD(channels, queue_of), queue);
}

/* `caller` may be NULL: Asterisk itself calls (an originate). Then the phone rings when it says so:
 * 1.8 tells of no dialling here. */
static void dial_begin(struct ipbx_model *d, struct xod_obj *caller, struct xod_obj *called,
                       double now)
{
    if (caller && !channel_is_linked(caller)) {
        xod_set_str(caller, XOD(channels, direction), VIEW("out"));
        channel_commstatus(caller, "calling", now);
    }
    if (called && !channel_is_linked(called))
        xod_set_str(called, XOD(channels, direction), VIEW("in"));
    if (!caller || !called)
        return;
    if (!channel_is_linked(called))
        channel_commstatus(called, "ringing", now);
    if (!channel_is_linked(caller) && !call_waits_in_queue(caller)) {
        set_peer(caller, called);
        party_met(caller, called);
    }
    set_peer(called, caller);
    party_met(called, caller);
    calllog_met(d, called, caller);
    if (!call_waits_in_queue(caller))
        calllog_met(d, caller, called);
}

/* Of several that ring for a caller one is gone: its other end is one of those that ring still. */
static void show_another(struct ipbx_model *d, struct xod_obj *caller, const struct xod_obj *gone)
{
    struct xod_obj *called;

    if (channel_is_linked(caller) || call_waits_in_queue(caller) || channel_peer(caller))
        return;
    for (size_t n = 0; (called = xod_lookup(d->ipbx, LIST_channels, XOD(channels, talkingto_id),
                                            xod_obj_id(caller), n));
         n++)
        if (called != gone && !channel_is_linked(called)) {
            set_peer(caller, called);
            party_met(caller, called);
            return;
        }
}

/* A dial that came to nothing: the caller no longer waits for this one. */
static void dial_failed(struct ipbx_model *d, struct xod_obj *caller, struct xod_obj *called)
{
    if (!caller || !called)
        return;
    if (!channel_is_linked(called) && talks_to(called, caller))
        drop_peer(called);
    if (!channel_is_linked(caller) && talks_to(caller, called)) {
        drop_peer(caller);
        show_another(d, caller, called);
    }
}

/* An originated call that was answered: where its Newstate was lost, this tells. */
static void answered(struct xod_obj *c)
{
    if (c)
        xod_set_str(c, XOD(channels, state), VIEW("Up"));
}

void call_originated(struct ipbx_model *d, const struct tel *t)
{
    if (tel_has(t, TELF_reason_code) && t->num[TELF_reason_code] == 4)
        answered(channel_named(d, t->str[TELF_channel]));
}

void call_dial(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *caller = channel_named(d, t->str[TELF_channel]);
    struct xod_obj *called = channel_named(d, t->str[TELF_destination]);

    if (caller == called)
        return;
    if (t->event == TEL_dial_begin || t->event == TEL_agent_called) {
        dial_begin(d, caller, called, t->time);
        if (caller && called && is_queues_call(d, caller))
            take_queue(d, caller, called);
        else if (caller) /* it has left the queue, and calls somebody else */
            xod_set_null(caller, XOD(channels, queue_of));
    } else if (t->event == TEL_dial_end && !view_eq(t->str[TELF_status], VIEW("ANSWER"))) {
        dial_failed(d, caller, called);
    } else if (t->event == TEL_dial_end && !tel_has(t, TELF_channel)) {
        answered(called);
    }
}

/* The direction of a channel. The peer of the half ;1 of a Local channel has called it, and
 * its half ;2 is the one that goes on calling. The channel that an agent logged in with is called,
 * though the agent once called to log in. */
static struct view direction_of(const struct xod_obj *c)
{
    struct view direction = xod_get_str(c, XOD(channels, direction));
    struct view name = xod_obj_id(c);

    if (local_is_half(name))
        return name.ptr[name.len - 1] == '1' ? VIEW("in") : VIEW("out");
    return is_login(c) ? VIEW("in") : direction;
}

/* [SYSTEM-]EPOCH.NUMBER: the caller's channel exists before the callee's. */
static bool is_older(const struct xod_obj *a, const struct xod_obj *b)
{
    double ta;
    double tb;
    int64_t na;
    int64_t nb;

    if (channel_made(a, &ta, &na) < 0 || channel_made(b, &tb, &nb) < 0)
        return true;
    return ta != tb ? ta < tb : na <= nb;
}

/* Which of two linked channels called: the half of a Local channel knows best, then the one that
 * went out; where the begin of the call was not seen, the older one. */
static bool first_called(const struct xod_obj *a, const struct xod_obj *b)
{
    struct view da = direction_of(a);
    struct view db = direction_of(b);

    if (view_starts(xod_obj_id(b), VIEW("Local/")) && db.len)
        return view_eq(db, VIEW("in"));
    if (view_starts(xod_obj_id(a), VIEW("Local/")) && da.len)
        return view_eq(da, VIEW("out"));
    if (view_eq(da, VIEW("out")) || view_eq(db, VIEW("in")))
        return true;
    if (view_eq(da, VIEW("in")) || view_eq(db, VIEW("out")))
        return false;
    return is_older(a, b);
}

/* Who answers in a member's place is in the queue's call; who talks to somebody else afterwards is
 * in that call no longer. An agent on a logged-in channel takes the place of the Local channel by
 * which the queue called. */
static void pass_queue(struct xod_obj *a, struct xod_obj *b)
{
    struct view of_a = xod_get_str(a, XOD(channels, queue_of));
    struct view of_b = xod_get_str(b, XOD(channels, queue_of));
    struct xod_obj *with = of_a.len ? a : b;
    struct xod_obj *other = of_a.len ? b : a;

    if ((of_a.len != 0) == (of_b.len != 0) || local_is_half(xod_obj_id(a)) ||
        local_is_half(xod_obj_id(b)))
        return;
    if (xod_get(with, XOD(channels, peer_gone))->b && !is_login(other)) {
        xod_set_null(with, XOD(channels, queue_of));
        return;
    }
    xod_set_str(other, XOD(channels, queue_of), of_a.len ? of_a : of_b);
    if (is_login(other))
        xod_set_bool(other, XOD(channels, queue_call), true);
}

static void learn_direction(struct xod_obj *c, bool called)
{
    if (xod_get(c, XOD(channels, direction))->type == V_NULL)
        xod_set_str(c, XOD(channels, direction), called ? VIEW("out") : VIEW("in"));
}

/* Unlinks its former peer. */
static void leave_peer(struct ipbx_model *d, struct xod_obj *c)
{
    struct xod_obj *peer = channel_peer(c);

    if (peer && talks_to(peer, c))
        lose_peer(d, peer);
}

static void link_both(struct ipbx_model *d, struct xod_obj *a, struct xod_obj *b, double now)
{
    bool a_called = first_called(a, b);

    if (talks_to(a, b) && talks_to(b, a) && channel_is_linked(a) && channel_is_linked(b))
        return; /* told again, as listings do: it stays as it is */
    if (!talks_to(a, b))
        leave_peer(d, a);
    if (!talks_to(b, a))
        leave_peer(d, b);
    hold_linked(d, a, b);
    pass_queue(a, b);
    calls_merge(a, b);
    set_peer(a, b);
    set_peer(b, a);
    party_linked(a, b);
    party_linked(b, a);
    channel_commstatus(a, a_called ? "linked-caller" : "linked-called", now);
    channel_commstatus(b, a_called ? "linked-called" : "linked-caller", now);
    learn_direction(a, a_called);
    learn_direction(b, !a_called);
    calllog_linked(d, a, b);
    calllog_linked(d, b, a);
}

static void unlink_one(struct ipbx_model *d, struct xod_obj *c, const struct xod_obj *peer,
                       double now)
{
    if (!talks_to(c, peer) || !channel_is_linked(c))
        return;
    drop_peer(c);
    channel_commstatus(c, "ready", now);
    call_over(d, c);
}

void call_link(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *a = channel_named(d, t->str[TELF_channel]);
    struct xod_obj *b = channel_named(d, t->str[TELF_other]);

    if (!a || !b || a == b)
        return;
    listing_note_link(d, xod_obj_id(a), t->event == TEL_call_link);
    listing_note_link(d, xod_obj_id(b), t->event == TEL_call_link);
    if (t->event == TEL_call_link) {
        link_both(d, a, b, t->time);
        return;
    }
    unlink_one(d, a, b, t->time);
    unlink_one(d, b, a, t->time);
}

void call_ended(struct ipbx_model *d, struct xod_obj *channel, double now)
{
    struct xod_obj *peer = channel_peer(channel);

    if (!channel_is_linked(channel))
        return;
    if (peer)
        unlink_one(d, peer, channel, now);
    drop_peer(channel);
    channel_commstatus(channel, "ready", now);
    call_over(d, channel);
}

/* Any channel that talks to this one, or NULL. */
static struct xod_obj *who_talks_to(struct ipbx_model *d, const struct xod_obj *channel)
{
    return xod_lookup(d->ipbx, LIST_channels, XOD(channels, talkingto_id), xod_obj_id(channel), 0);
}

/* Shown while it is a call at all: not in a mailbox, a room or a bay afterwards. */
static void show_queue(struct xod_obj *c)
{
    struct view kind = xod_get_str(c, XOD(channels, talkingto_kind));
    struct view queue = xod_get_str(c, XOD(channels, queue_of));

    if (!view_eq(kind, VIEW("channel")) && !view_eq(kind, VIEW("queue")))
        queue = view_of(NULL, 0);
    xod_set_text(c, XOD(channels, queue), queue);
}

void call_settle(struct ipbx_model *d, struct xod_obj *channel)
{
    struct view commstatus = xod_get_str(channel, XOD(channels, commstatus));

    show_queue(channel);
    if (!view_eq(xod_get_str(channel, XOD(channels, state)), VIEW("Up")) ||
        (!view_eq(commstatus, VIEW("calling")) && !view_eq(commstatus, VIEW("ringing"))))
        return;
    if (!view_eq(xod_get_str(channel, XOD(channels, talkingto_kind)), VIEW("channel")) &&
        !call_waits_in_queue(channel) && !who_talks_to(d, channel))
        channel_commstatus(channel, "ready", d->now);
}

void call_forget(struct ipbx_model *d, struct xod_obj *channel)
{
    struct xod_obj *peer;

    hold_forget(d, channel);
    while ((peer = who_talks_to(d, channel)) && lose_peer(d, peer) == 0)
        show_another(d, peer, channel);
}

void call_move(struct ipbx_model *d, const struct xod_obj *from, const struct xod_obj *to)
{
    struct xod_obj *peer;

    while ((peer = who_talks_to(d, from)) &&
           xod_set_str(peer, XOD(channels, talkingto_id), xod_obj_id(to)) == 0)
        if (channel_is_linked(peer))
            party_linked(peer, to);
}
