#include "office/tell.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/array.h"
#include "say.h"

struct buf *tell_begin(struct office *o, const char *event, const char *classes)
{
    buf_reset(&o->out);
    buf_printf(&o->out, "Event: %s\r\nPrivilege: %s,all\r\n", event, classes);
    return &o->out;
}

void tell_end(struct office *o)
{
    say_end(&o->out);
    if (!o->out.failed)
        world_emit(o->world, buf_view(&o->out));
}

const char *state_text(int state)
{
    switch (state) {
    case STATE_DOWN:
        return "Down";
    case STATE_RING:
        return "Ring";
    case STATE_RINGING:
        return "Ringing";
    default:
        return "Up";
    }
}

static const char *known(const char *text)
{
    return *text ? text : "<unknown>";
}

void tell_leg(struct buf *out, const char *prefix, const struct leg *l)
{
    const char *p = prefix;

    buf_printf(out,
               "%sChannel: %s\r\n%sChannelState: %d\r\n%sChannelStateDesc: %s\r\n"
               "%sCallerIDNum: %s\r\n%sCallerIDName: %s\r\n%sConnectedLineNum: %s\r\n"
               "%sConnectedLineName: %s\r\n%sLanguage: en\r\n%sAccountCode: \r\n"
               "%sContext: %s\r\n%sExten: %s\r\n%sPriority: %d\r\n%sUniqueid: %s\r\n"
               "%sLinkedid: %s\r\n",
               p, l->name, p, l->state, p, state_text(l->state), p, known(l->num), p,
               known(l->caller), p, known(l->conn_num), p, known(l->conn_name), p, p, p, l->context,
               p, l->exten, p, l->priority, p, l->uniqueid, p, l->linkedid);
}

/* What 1.8 tells of a channel where 2.x has its 14 headers. */
static void old_leg(struct buf *out, const struct leg *l, bool connected)
{
    say(out, "Channel", l->name);
    say(out, "CallerIDNum", known(l->num));
    say(out, "CallerIDName", known(l->caller));
    if (connected) {
        say(out, "ConnectedLineNum", known(l->conn_num));
        say(out, "ConnectedLineName", known(l->conn_name));
    }
    say(out, "Uniqueid", l->uniqueid);
}

void tell_link(struct buf *out, const char *prefix, const struct link *k, unsigned n)
{
    const char *p = prefix;

    buf_printf(out,
               "%sBridgeUniqueid: %s\r\n%sBridgeType: %s\r\n%sBridgeTechnology: %s\r\n"
               "%sBridgeCreator: %s\r\n%sBridgeName: %s\r\n%sBridgeNumChannels: %u\r\n"
               "%sBridgeVideoSourceMode: none\r\n",
               p, k->uniqueid, p, k->type, p, k->technology, p, k->creator, p, known(k->name), p, n,
               p);
}

/* Events of a channel: its headers in either dialect. */
static struct buf *of_leg(const struct leg *l, const char *event, const char *classes)
{
    struct buf *out = tell_begin(l->office, event, classes);

    if (!l->office->old) {
        tell_leg(out, "", l);
    } else {
        say(out, "Channel", l->name);
        say(out, "Uniqueid", l->uniqueid);
    }
    return out;
}

void tell_simple(const struct leg *l, const char *event)
{
    of_leg(l, event, "call");
    tell_end(l->office);
}

void tell_new_channel(const struct leg *l)
{
    struct buf *out;

    if (!l->office->old) {
        tell_simple(l, "Newchannel");
        return;
    }
    out = tell_begin(l->office, "Newchannel", "call");
    say(out, "Channel", l->name);
    say_number(out, "ChannelState", l->state);
    say(out, "ChannelStateDesc", state_text(l->state));
    say(out, "CallerIDNum", l->num);
    say(out, "CallerIDName", l->caller);
    say(out, "AccountCode", "");
    say(out, "Exten", l->exten);
    say(out, "Context", l->context);
    say(out, "Uniqueid", l->uniqueid);
    tell_end(l->office);
}

void tell_state(const struct leg *l)
{
    struct buf *out;

    if (!l->office->old) {
        tell_simple(l, "Newstate");
        return;
    }
    out = tell_begin(l->office, "Newstate", "call");
    say(out, "Channel", l->name);
    say_number(out, "ChannelState", l->state);
    say(out, "ChannelStateDesc", state_text(l->state));
    say(out, "CallerIDNum", l->num);
    say(out, "CallerIDName", l->caller);
    say(out, "ConnectedLineNum", l->conn_num);
    say(out, "ConnectedLineName", l->conn_name);
    say(out, "Uniqueid", l->uniqueid);
    tell_end(l->office);
}

void tell_caller_id(const struct leg *l)
{
    struct buf *out = tell_begin(l->office, "NewCallerid", "call");

    if (l->office->old)
        old_leg(out, l, false);
    else
        tell_leg(out, "", l);
    say(out, "CID-CallingPres", "0 (Presentation Allowed, Not Screened)");
    tell_end(l->office);
}

void tell_connected(const struct leg *l)
{
    if (!l->office->old)
        tell_simple(l, "NewConnectedLine");
}

/* 1.8 does not tell what a channel does that runs no dialplan. */
static bool is_untold(const struct leg *l)
{
    return l->office->old && (strcmp(l->app, "AppDial") == 0 || strcmp(l->app, "AppDial2") == 0 ||
                              strcmp(l->app, "AppQueue") == 0);
}

void tell_step(const struct leg *l)
{
    struct buf *out;

    if (is_untold(l))
        return;
    out = tell_begin(l->office, "Newexten", "dialplan");
    if (!l->office->old) {
        tell_leg(out, "", l);
        say(out, "Extension", l->exten);
    } else {
        say(out, "Channel", l->name);
        say(out, "Context", l->context);
        say(out, "Extension", l->exten);
        say_number(out, "Priority", l->priority);
    }
    say(out, "Application", l->app);
    say(out, "AppData", l->data);
    if (l->office->old)
        say(out, "Uniqueid", l->uniqueid);
    tell_end(l->office);
}

void tell_variable(struct office *o, const struct leg *l, struct view name, struct view value)
{
    struct buf *out = tell_begin(o, "VarSet", "dialplan");

    if (l && !o->old)
        tell_leg(out, "", l);
    else
        say(out, "Channel", l ? l->name : "none");
    if (!l)
        say(out, "Uniqueid", "none");
    say_header(out, VIEW("Variable"), name);
    say_header(out, VIEW("Value"), value);
    if (l && o->old)
        say(out, "Uniqueid", l->uniqueid);
    tell_end(o);
}

void tell_user_event(const struct leg *l, const char *name, const char *fmt, ...)
{
    struct buf *out = tell_begin(l->office, "UserEvent", "user");
    char text[1024];
    va_list ap;

    if (!l->office->old)
        tell_leg(out, "", l);
    say(out, "UserEvent", name);
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    buf_append_cstr(out, text);
    tell_end(l->office);
}

void tell_dial_begin(const struct leg *caller, const struct leg *called, const char *dialled)
{
    struct office *o = called->office;
    struct buf *out;

    if (o->old && !caller) /* 1.8 says nothing of an Originate */
        return;
    out = tell_begin(o, o->old ? "Dial" : "DialBegin", "call");
    if (!o->old) {
        if (caller)
            tell_leg(out, "", caller);
        tell_leg(out, "Dest", called);
        say(out, "DialString", dialled);
    } else {
        say(out, "SubEvent", "Begin");
        say(out, "Channel", caller->name);
        say(out, "Destination", called->name);
        say(out, "CallerIDNum", known(caller->num));
        say(out, "CallerIDName", known(caller->caller));
        say(out, "ConnectedLineNum", known(caller->conn_num));
        say(out, "ConnectedLineName", known(caller->conn_name));
        say(out, "UniqueID", caller->uniqueid);
        say(out, "DestUniqueID", called->uniqueid);
        say(out, "Dialstring", dialled);
    }
    tell_end(o);
}

static void both(const struct leg *caller, const struct leg *called, const char *event,
                 const char *status)
{
    struct buf *out = tell_begin(called->office, event, "call");

    if (caller)
        tell_leg(out, "", caller);
    tell_leg(out, "Dest", called);
    say(out, "DialStatus", status);
    tell_end(called->office);
}

void tell_dial_state(const struct leg *caller, const struct leg *called)
{
    if (!called->office->old)
        both(caller, called, "DialState", "RINGING");
}

static void old_dial_end(const struct leg *caller, const char *status)
{
    struct buf *out = tell_begin(caller->office, "Dial", "call");

    say(out, "SubEvent", "End");
    say(out, "Channel", caller->name);
    say(out, "UniqueID", caller->uniqueid);
    say(out, "DialStatus", status);
    tell_end(caller->office);
}

void tell_dial_end(const struct leg *caller, const struct leg *called, const char *status)
{
    if (!called->office->old)
        both(caller, called, "DialEnd", status);
    else if (caller && caller->job == JOB_DIALS && strcmp(status, "ANSWER") != 0)
        old_dial_end(caller, status);
}

void tell_dial_over(const struct leg *caller)
{
    if (caller->office->old && strcmp(caller->app, "Dial") == 0)
        old_dial_end(caller, "ANSWER");
}

void tell_link_begin(struct office *o, const struct link *k)
{
    if (o->old)
        return;
    tell_link(tell_begin(o, "BridgeCreate", "call"), "", k, 0);
    tell_end(o);
}

static void old_talk(const char *event, const struct leg *one, const struct leg *two)
{
    struct buf *out = tell_begin(one->office, event, "call");

    if (strcmp(event, "Bridge") == 0) {
        say(out, "Bridgestate", "Link");
        say(out, "Bridgetype", "core");
    }
    say(out, "Channel1", one->name);
    say(out, "Channel2", two->name);
    say(out, "Uniqueid1", one->uniqueid);
    say(out, "Uniqueid2", two->uniqueid);
    say(out, "CallerID1", one->num);
    say(out, "CallerID2", two->num);
    tell_end(one->office);
}

/* In 1.8 only two that talk are told: when the second enters, the caller first. */
void tell_enter(const struct link *k, const struct leg *l, const struct leg *instead_of)
{
    struct buf *out;

    if (l->office->old) {
        const struct leg *peer = link_peer(l);
        if (strcmp(k->type, "basic") == 0 && k->n == 2 && peer)
            old_talk("Bridge", l->pbx ? l : peer, l->pbx ? peer : l);
        return;
    }
    out = tell_begin(l->office, "BridgeEnter", "call");
    tell_link(out, "", k, k->n);
    tell_leg(out, "", l);
    if (instead_of)
        say(out, "SwapUniqueid", instead_of->uniqueid);
    tell_end(l->office);
}

void tell_leave(const struct link *k, const struct leg *l)
{
    struct buf *out;

    if (l->office->old) {
        const struct leg *peer = LIST_FIRST(&k->legs);
        if (strcmp(k->type, "basic") == 0 && k->n == 1 && peer)
            old_talk("Unlink", l->pbx ? l : peer, l->pbx ? peer : l);
        return;
    }
    out = tell_begin(l->office, "BridgeLeave", "call");
    tell_link(out, "", k, k->n);
    tell_leg(out, "", l);
    tell_end(l->office);
}

void tell_link_end(struct office *o, const struct link *k)
{
    if (o->old)
        return;
    tell_link(tell_begin(o, "BridgeDestroy", "call"), "", k, 0);
    tell_end(o);
}

void tell_hangup_request(const struct leg *l, int cause)
{
    struct buf *out;

    if (l->office->old)
        return;
    out = of_leg(l, "HangupRequest", "call");
    if (cause)
        say_number(out, "Cause", cause);
    tell_end(l->office);
}

void tell_soft_hangup(const struct leg *l)
{
    if (l->office->old)
        return;
    say_number(of_leg(l, "SoftHangupRequest", "call"), "Cause", 16);
    tell_end(l->office);
}

static const char *cause_text(int cause)
{
    static const struct {
        int cause;
        const char *text;
    } texts[] = {{0, "Unknown"},          {1, "Unallocated (unassigned) number"},
                 {16, "Normal Clearing"}, {17, "User busy"},
                 {21, "Call Rejected"},   {26, "Answered elsewhere"}};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (texts[i].cause == cause)
            return texts[i].text;
    return "Normal, unspecified";
}

void tell_hangup(const struct leg *l, int cause)
{
    struct buf *out = tell_begin(l->office, "Hangup", "call");

    if (!l->office->old) {
        tell_leg(out, "", l);
    } else {
        say(out, "Channel", l->name);
        say(out, "Uniqueid", l->uniqueid);
        say(out, "CallerIDNum", known(l->num));
        say(out, "CallerIDName", known(l->caller));
        say(out, "ConnectedLineNum", known(l->conn_num));
        say(out, "ConnectedLineName", known(l->conn_name));
    }
    say_number(out, "Cause", cause);
    say(out, "Cause-txt", cause_text(cause));
    tell_end(l->office);
}

void tell_hold(const struct leg *l)
{
    struct buf *out;

    if (!l->office->old) {
        tell_simple(l, l->holds ? "Hold" : "Unhold");
        return;
    }
    out = tell_begin(l->office, "Hold", "call");
    say(out, "Status", l->holds ? "On" : "Off");
    say(out, "Channel", l->name);
    say(out, "Uniqueid", l->uniqueid);
    tell_end(l->office);
}

void tell_music(const struct leg *l)
{
    struct buf *out;

    if (!l->office->old) {
        out = of_leg(l, l->music ? "MusicOnHoldStart" : "MusicOnHoldStop", "call");
        if (l->music)
            say(out, "Class", "default");
    } else {
        out = tell_begin(l->office, "MusicOnHold", "call");
        say(out, "State", l->music ? "Start" : "Stop");
        say(out, "Channel", l->name);
        say(out, "UniqueID", l->uniqueid);
        if (l->music)
            say(out, "Class", "default");
    }
    tell_end(l->office);
}

static void digit_event(const struct leg *l, char digit, const char *direction)
{
    const char text[2] = {digit, '\0'};
    struct buf *out;

    out = of_leg(l, l->office->old ? "DTMF" : "DTMFEnd", "dtmf");
    say(out, "Digit", text);
    if (!l->office->old)
        say(out, "DurationMs", "0");
    say(out, "Direction", direction);
    if (l->office->old) {
        say(out, "Begin", "No");
        say(out, "End", "Yes");
    }
    tell_end(l->office);
}

void tell_digit(const struct leg *l, char digit)
{
    digit_event(l, digit, "Received");
}

void tell_sent_digit(const struct leg *l, char digit)
{
    digit_event(l, digit, "Sent");
}

void tell_local(const struct leg *one, const struct leg *two)
{
    struct buf *out;

    if (one->office->old)
        return;
    out = tell_begin(one->office, "LocalBridge", "call");
    tell_leg(out, "LocalOne", one);
    tell_leg(out, "LocalTwo", two);
    say(out, "Context", one->context);
    say(out, "Exten", one->exten);
    say(out, "LocalOptimization", "Yes");
    tell_end(one->office);
}
