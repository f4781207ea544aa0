#include "say.h"

#include <stdarg.h>
#include <stdio.h>

void say_header(struct buf *out, struct view name, struct view value)
{
    buf_append_view(out, name);
    buf_append_cstr(out, ": ");
    buf_append_view(out, value);
    buf_append_cstr(out, "\r\n");
}

void say(struct buf *out, const char *name, const char *value)
{
    say_header(out, view_cstr(name), view_cstr(value));
}

void say_number(struct buf *out, const char *name, int64_t value)
{
    buf_printf(out, "%s: %lld\r\n", name, (long long)value);
}

void say_end(struct buf *out)
{
    buf_append_cstr(out, "\r\n");
}

void say_response(struct buf *out, const char *kind, struct view id, const char *message)
{
    say(out, "Response", kind);
    if (id.len)
        say_header(out, VIEW("ActionID"), id);
    if (message)
        say(out, "Message", message);
}

void say_success(struct buf *out, struct view id, const char *message)
{
    say_response(out, "Success", id, message);
    say_end(out);
}

void say_error(struct buf *out, struct view id, const char *fmt, ...)
{
    char text[1400]; /* Asterisk takes no longer line */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say_response(out, "Error", id, text);
    say_end(out);
}

void say_channel(struct buf *out, const struct chan *c)
{
    say(out, "Channel", c->field[CH_NAME]);
    say(out, "ChannelState", c->field[CH_STATE]);
    say(out, "ChannelStateDesc", c->field[CH_STATE_DESC]);
    say(out, "CallerIDNum", c->field[CH_NUM]);
    say(out, "CallerIDName", c->field[CH_CALLER]);
    say(out, "ConnectedLineNum", c->field[CH_CONNECTED_NUM]);
    say(out, "ConnectedLineName", c->field[CH_CONNECTED_NAME]);
    say(out, "Language", c->field[CH_LANGUAGE]);
    say(out, "AccountCode", c->field[CH_ACCOUNT]);
    say(out, "Context", c->field[CH_CONTEXT]);
    say(out, "Exten", c->field[CH_EXTEN]);
    say(out, "Priority", c->field[CH_PRIORITY]);
    say(out, "Uniqueid", c->field[CH_UNIQUEID]);
    say(out, "Linkedid", c->field[CH_LINKEDID]);
}

void say_bridge(struct buf *out, const struct bridge *b, unsigned channels)
{
    say(out, "BridgeUniqueid", b->field[BR_UNIQUEID]);
    say(out, "BridgeType", b->field[BR_TYPE]);
    say(out, "BridgeTechnology", b->field[BR_TECHNOLOGY]);
    say(out, "BridgeCreator", b->field[BR_CREATOR]);
    say(out, "BridgeName", b->field[BR_NAME]);
    say_number(out, "BridgeNumChannels", channels);
    say(out, "BridgeVideoSourceMode", b->field[BR_VIDEO]);
}

static void begin_event(struct buf *out, const char *name)
{
    say(out, "Event", name);
    say(out, "Privilege", "call,all");
}

static const char *cause_text(int cause)
{
    switch (cause) {
    case 0:
        return "Unknown";
    case 16:
        return "Normal Clearing";
    case 17:
        return "User busy";
    case 21:
        return "Call Rejected";
    default:
        return "Normal, unspecified";
    }
}

void say_hangup(struct buf *out, bool old, const struct chan *c, int cause)
{
    begin_event(out, "Hangup");
    if (old) {
        say(out, "Channel", c->field[CH_NAME]);
        say(out, "Uniqueid", c->field[CH_UNIQUEID]);
        say(out, "CallerIDNum", c->field[CH_NUM]);
        say(out, "CallerIDName", c->field[CH_CALLER]);
        say(out, "ConnectedLineNum", c->field[CH_CONNECTED_NUM]);
        say(out, "ConnectedLineName", c->field[CH_CONNECTED_NAME]);
    } else {
        say_channel(out, c);
    }
    say_number(out, "Cause", cause);
    say(out, "Cause-txt", cause_text(cause));
    say_end(out);
}

void say_unlink(struct buf *out, const struct chan *one, const struct chan *two)
{
    begin_event(out, "Unlink");
    say(out, "Channel1", one->field[CH_NAME]);
    say(out, "Channel2", two->field[CH_NAME]);
    say(out, "Uniqueid1", one->field[CH_UNIQUEID]);
    say(out, "Uniqueid2", two->field[CH_UNIQUEID]);
    say(out, "CallerID1", one->field[CH_NUM]);
    say(out, "CallerID2", two->field[CH_NUM]);
    say_end(out);
}

void say_leave(struct buf *out, const struct chan *c, const struct bridge *b)
{
    begin_event(out, "BridgeLeave");
    say_bridge(out, b, b->channels ? b->channels - 1 : 0);
    say_channel(out, c);
    say_end(out);
}

void say_bridge_destroy(struct buf *out, const struct bridge *b)
{
    begin_event(out, "BridgeDestroy");
    say_bridge(out, b, 0);
    say_end(out);
}
