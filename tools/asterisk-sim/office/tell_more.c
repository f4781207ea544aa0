/* Events of devices, queues, the room, the parking lot and the mailboxes. */
#include <stdio.h>

#include "office/tell.h"
#include "say.h"

const char *device_text(int state)
{
    switch (state) {
    case DEVICE_IDLE:
        return "NOT_INUSE";
    case DEVICE_IN_USE:
        return "INUSE";
    case DEVICE_RINGING:
        return "RINGING";
    case DEVICE_RINGING_IN_USE:
        return "RINGINUSE";
    case DEVICE_ON_HOLD:
        return "ONHOLD";
    default:
        return "UNAVAILABLE";
    }
}

int hint_status(int state)
{
    switch (state) {
    case DEVICE_IDLE:
        return 0;
    case DEVICE_IN_USE:
        return 1;
    case DEVICE_RINGING:
        return 8;
    case DEVICE_RINGING_IN_USE:
        return 9;
    case DEVICE_ON_HOLD:
        return 16;
    default:
        return 4;
    }
}

const char *hint_text(int state)
{
    switch (state) {
    case DEVICE_IDLE:
        return "Idle";
    case DEVICE_IN_USE:
        return "InUse";
    case DEVICE_RINGING:
        return "Ringing";
    case DEVICE_RINGING_IN_USE:
        return "InUse&Ringing";
    case DEVICE_ON_HOLD:
        return "Hold";
    default:
        return "Unavailable";
    }
}

void tell_device(struct office *o, const char *device, int state)
{
    struct buf *out;

    if (o->old)
        return;
    out = tell_begin(o, "DeviceStateChange", "call");
    say(out, "Device", device);
    say(out, "State", device_text(state));
    tell_end(o);
}

/* FreePBX has `*761001,hint,Custom:DND1001`. */
static void tell_custom_hint(struct office *o, struct view number, bool on)
{
    struct buf *out = tell_begin(o, "ExtensionStatus", "call");

    buf_printf(out,
               "Exten: *76%.*s\r\nContext: ext-dnd-hints\r\nHint: Custom:DND%.*s\r\n"
               "Status: %s\r\n",
               VIEW_ARG(number), VIEW_ARG(number), on ? "1" : "0");
    if (!o->old)
        say(out, "StatusText", on ? "InUse" : "Idle");
    tell_end(o);
}

void tell_custom(struct office *o, struct view name, struct view state)
{
    struct buf *out;

    if (!o->old) {
        out = tell_begin(o, "DeviceStateChange", "call");
        buf_printf(out, "Device: Custom:%.*s\r\nState: %.*s\r\n", VIEW_ARG(name), VIEW_ARG(state));
        tell_end(o);
    }
    if (view_starts(name, VIEW("DND")))
        tell_custom_hint(o, view_of(name.ptr + 3, name.len - 3),
                         !view_eq(state, VIEW("NOT_INUSE")));
}

void tell_person(struct office *o, const struct person *p)
{
    struct buf *out = tell_begin(o, "ExtensionStatus", "call");

    say(out, "Exten", p->is.number);
    say(out, "Context", "default");
    say(out, "Hint", p->device);
    say_number(out, "Status", hint_status(p->told));
    if (!o->old)
        say(out, "StatusText", hint_text(p->told));
    tell_end(o);
    tell_device(o, p->device, p->told);
}

static void old_member(struct buf *out, const struct member *m, const char *event)
{
    say(out, "Queue", m->queue->is->name);
    say(out, "Location", m->interface);
    if (strcmp(event, "QueueMemberPenalty") == 0) {
        say_number(out, "Penalty", m->penalty);
        return;
    }
    say(out, "MemberName", m->name);
    if (strcmp(event, "QueueMemberRemoved") == 0)
        return;
    if (strcmp(event, "QueueMemberPaused") == 0) {
        say_number(out, "Paused", m->paused);
        if (*m->reason)
            say(out, "Reason", m->reason);
        return;
    }
    say(out, "Membership", m->dynamic ? "dynamic" : "static");
    say_number(out, "Penalty", m->penalty);
    say_number(out, "CallsTaken", m->taken);
    say_number(out, "LastCall", (int64_t)m->last_call_s);
    say_number(out, "Status", m->status);
    say_number(out, "Paused", m->paused);
}

void tell_member(struct office *o, const struct member *m, const char *event)
{
    bool pause = strcmp(event, "QueueMemberPause") == 0;
    struct buf *out = tell_begin(o, o->old && pause ? "QueueMemberPaused" : event, "agent");

    if (o->old) {
        old_member(out, m, pause ? "QueueMemberPaused" : event);
        tell_end(o);
        return;
    }
    buf_printf(out,
               "Queue: %s\r\nMemberName: %s\r\nInterface: %s\r\nStateInterface: %s\r\n"
               "Membership: %s\r\nPenalty: %u\r\nCallsTaken: %u\r\nLastCall: %llu\r\n"
               "LastPause: %llu\r\nLoginTime: %llu\r\nInCall: %d\r\nStatus: %d\r\n"
               "Paused: %d\r\nPausedReason: %s\r\nRinginuse: 0\r\nWrapuptime: %u\r\n",
               m->queue->is->name, m->name, m->interface, m->state_interface,
               m->dynamic ? "dynamic" : "static", m->penalty, m->taken,
               (unsigned long long)m->last_call_s, (unsigned long long)m->last_pause_s,
               (unsigned long long)m->login_s, m->busy, m->status, m->paused, m->reason,
               m->queue->is->wrapup_s);
    tell_end(o);
}

static struct buf *caller_event(const struct leg *l, const char *event)
{
    struct buf *out = tell_begin(l->office, event, l->office->old ? "call" : "agent");

    if (!l->office->old) {
        tell_leg(out, "", l);
    } else {
        say(out, "Channel", l->name);
        say(out, "CallerIDNum", l->num);
        say(out, "CallerIDName", l->caller);
    }
    say(out, "Queue", l->queue->is->name);
    return out;
}

static void end_caller_event(const struct leg *l)
{
    if (l->office->old)
        say(&l->office->out, "Uniqueid", l->uniqueid);
    tell_end(l->office);
}

void tell_queue_join(const struct leg *l)
{
    struct buf *out = caller_event(l, l->office->old ? "Join" : "QueueCallerJoin");

    say_number(out, "Position", queue_position(l));
    say_number(out, "Count", l->queue->n_callers);
    end_caller_event(l);
}

void tell_queue_leave(const struct leg *l, unsigned position)
{
    struct buf *out = caller_event(l, l->office->old ? "Leave" : "QueueCallerLeave");

    say_number(out, "Position", position);
    say_number(out, "Count", l->queue->n_callers);
    end_caller_event(l);
}

static unsigned seconds_since(const struct office *o, uint64_t us)
{
    return (unsigned)((o->timers.now_us - us) / SECONDS);
}

void tell_queue_abandon(const struct leg *l, unsigned position)
{
    struct buf *out = tell_begin(l->office, "QueueCallerAbandon", "agent");

    if (!l->office->old)
        tell_leg(out, "", l);
    say(out, "Queue", l->queue->is->name);
    if (l->office->old)
        say(out, "Uniqueid", l->uniqueid);
    say_number(out, "Position", position);
    say_number(out, "OriginalPosition", position);
    say_number(out, "HoldTime", seconds_since(l->office, l->joined_us));
    tell_end(l->office);
}

void tell_agent_called(const struct leg *caller, const struct leg *called)
{
    const struct member *m = caller->served;
    struct office *o = caller->office;
    struct buf *out = tell_begin(o, "AgentCalled", "agent");

    if (!o->old) {
        tell_leg(out, "", caller);
        tell_leg(out, "Dest", called);
        say(out, "Queue", m->queue->is->name);
        say(out, "Interface", m->interface);
        say(out, "MemberName", m->name);
    } else {
        say(out, "Queue", m->queue->is->name);
        say(out, "AgentCalled", m->interface);
        say(out, "AgentName", m->name);
        say(out, "ChannelCalling", caller->name);
        say(out, "DestinationChannel", called->name);
        say(out, "CallerIDNum", caller->num);
        say(out, "CallerIDName", caller->caller);
        say(out, "Context", caller->context);
        say(out, "Extension", caller->exten);
        say_number(out, "Priority", caller->priority);
        say(out, "Uniqueid", caller->uniqueid);
    }
    tell_end(o);
}

/* The beginning that AgentConnect, AgentRingNoAnswer and AgentComplete have in common. */
static struct buf *agent_event(const struct leg *caller, const struct leg *called,
                               const char *event, const struct leg *old_channel)
{
    const struct member *m = caller->served;
    struct office *o = caller->office;
    struct buf *out = tell_begin(o, event, "agent");

    if (!o->old) {
        tell_leg(out, "", caller);
        tell_leg(out, "Dest", called);
    }
    say(out, "Queue", m->queue->is->name);
    if (o->old) {
        say(out, "Uniqueid", caller->uniqueid);
        say(out, "Channel", old_channel->name);
    }
    say(out, o->old ? "Member" : "Interface", m->interface);
    say(out, "MemberName", m->name);
    return out;
}

void tell_agent_connect(const struct leg *caller, const struct leg *called)
{
    struct office *o = caller->office;
    struct buf *out = agent_event(caller, called, "AgentConnect", called);

    say_number(out, o->old ? "Holdtime" : "HoldTime", caller->hold_s);
    if (o->old)
        say(out, "BridgedChannel", called->uniqueid);
    say_number(out, o->old ? "Ringtime" : "RingTime", seconds_since(o, caller->ringing_us));
    tell_end(o);
}

void tell_agent_unanswered(const struct leg *caller, const struct leg *called)
{
    struct office *o = caller->office;
    struct buf *out = agent_event(caller, called, "AgentRingNoAnswer", caller);

    say_number(out, o->old ? "Ringtime" : "RingTime",
               (int64_t)((o->timers.now_us - caller->ringing_us) / MS));
    tell_end(o);
}

void tell_agent_complete(const struct leg *caller, const struct leg *called, const char *reason)
{
    struct buf *out = agent_event(caller, called, "AgentComplete", called);

    say_number(out, "HoldTime", caller->hold_s);
    say_number(out, "TalkTime", seconds_since(caller->office, caller->connected_us));
    say(out, "Reason", reason);
    tell_end(caller->office);
}

void tell_agent_login(const struct leg *l, const struct agent *a)
{
    struct office *o = l->office;
    struct buf *out = tell_begin(o, o->old ? "Agentlogin" : "AgentLogin", "agent");

    if (!o->old)
        tell_leg(out, "", l);
    say_number(out, "Agent", a->number);
    if (o->old) {
        say(out, "Channel", l->name);
        say(out, "Uniqueid", l->uniqueid);
    }
    tell_end(o);
}

void tell_agent_logoff(const struct leg *l, const struct agent *a)
{
    struct office *o = l->office;
    struct buf *out = tell_begin(o, o->old ? "Agentlogoff" : "AgentLogoff", "agent");

    if (!o->old)
        tell_leg(out, "", l);
    say_number(out, "Agent", a->number);
    say_number(out, "Logintime", seconds_since(o, a->since_us));
    if (o->old)
        say(out, "Uniqueid", l->uniqueid);
    tell_end(o);
}

/* MeetMe has no event of its own for the beginning and for recordings. */
static void old_room(struct office *o, const struct leg *l, const char *what)
{
    bool mute = strcmp(what, "Mute") == 0, unmute = strcmp(what, "Unmute") == 0;
    char event[24];
    struct buf *out;

    if (!l && strcmp(what, "End") != 0)
        return;
    snprintf(event, sizeof(event), "Meetme%s", unmute ? "Mute" : what);
    out = tell_begin(o, event, "call");
    if (l) {
        say(out, "Channel", l->name);
        say(out, "Uniqueid", l->uniqueid);
    }
    say(out, "Meetme", o->room.number);
    if (l) {
        say_number(out, "Usernum", l->usernum);
        if (mute || unmute) {
            say(out, "Status", mute ? "on" : "off");
        } else {
            say(out, "CallerIDnum", l->num);
            say(out, "CallerIDname", l->caller);
            say(out, "ConnectedLineNum", l->conn_num);
            say(out, "ConnectedLineName", l->conn_name);
        }
        if (strcmp(what, "Leave") == 0)
            say_number(out, "Duration", seconds_since(o, l->joined_us));
    }
    tell_end(o);
}

void tell_room(struct office *o, const struct leg *l, const char *what)
{
    char event[32];
    struct buf *out;

    if (o->old) {
        old_room(o, l, what);
        return;
    }
    snprintf(event, sizeof(event), "Confbridge%s", what);
    out = tell_begin(o, event, "call");
    say(out, "Conference", o->room.number);
    tell_link(out, "", o->room.link, o->room.link->n);
    if (l) {
        tell_leg(out, "", l);
        say(out, "Admin", l->admin ? "Yes" : "No");
        if (strcmp(what, "Join") == 0)
            say(out, "Muted", l->muted ? "Yes" : "No");
    }
    tell_end(o);
}

unsigned parking_left(const struct leg *l, unsigned *lasted)
{
    uint64_t now = l->office->timers.now_us;

    *lasted = seconds_since(l->office, l->joined_us);
    return l->step.at_us > now ? (unsigned)((l->step.at_us - now) / SECONDS) : 0;
}

void tell_parked(const struct leg *l, const char *event, const struct leg *retriever)
{
    struct office *o = l->office;
    struct buf *out = tell_begin(o, event, "call");
    unsigned lasted, left = parking_left(l, &lasted);
    bool call = strcmp(event, "ParkedCall") == 0;

    if (!o->old) {
        tell_leg(out, "Parkee", l);
        if (retriever)
            tell_leg(out, "Retriever", retriever);
        say(out, "ParkerDialString", l->parker);
        say(out, "Parkinglot", "default");
        say_number(out, "ParkingSpace", l->space);
        say_number(out, "ParkingTimeout", left);
        say_number(out, "ParkingDuration", lasted);
    } else {
        say_number(out, "Exten", l->space);
        say(out, "Channel", l->name);
        say(out, "Parkinglot", "default");
        if (call || retriever)
            say(out, "From", retriever ? retriever->name : l->parker);
        if (call)
            say_number(out, "Timeout", left);
        say(out, "CallerIDNum", l->num);
        say(out, "CallerIDName", l->caller);
        if (call) {
            say(out, "ConnectedLineNum", l->conn_num);
            say(out, "ConnectedLineName", l->conn_name);
        }
        say(out, call || retriever ? "Uniqueid" : "UniqueID", l->uniqueid);
    }
    tell_end(o);
}

void tell_mailbox(struct office *o, const struct person *p, const struct leg *l)
{
    struct buf *out = tell_begin(o, "MessageWaiting", "call");

    if (l && !o->old)
        tell_leg(out, "", l);
    buf_printf(out, "Mailbox: %s@default\r\n", p->is.number);
    say_number(out, "Waiting", p->new_messages > 0);
    say_number(out, "New", p->new_messages);
    say_number(out, "Old", p->old_messages);
    tell_end(o);
}

void tell_originated(struct office *o, const struct originate *g, const struct leg *l,
                     const struct person *p, int reason)
{
    struct buf *out = tell_begin(o, "OriginateResponse", "call");
    bool good = reason == 4;

    if (*g->action_id)
        say(out, "ActionID", g->action_id);
    say(out, "Response", good ? "Success" : "Failure");
    say(out, "Channel", good ? l->name : p->device);
    if (*g->context || o->old)
        say(out, "Context", g->context);
    if (*g->exten || o->old)
        say(out, "Exten", g->exten);
    if (*g->app) {
        say(out, "Application", g->app);
        say(out, "Data", g->data);
    }
    say_number(out, "Reason", reason);
    say(out, "Uniqueid", good ? l->uniqueid : o->old ? "<null>" : "<unknown>");
    say(out, "CallerIDNum", good && *l->num ? l->num : "<unknown>");
    say(out, "CallerIDName", good && *l->caller ? l->caller : "<unknown>");
    tell_end(o);
}
