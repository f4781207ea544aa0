/* record, listen: calls written to a file, and a supervisor who listens to an agent. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "calls/ipbx_command.h"
#include "calls/parties.h"
#include "users/relations.h"

void record_put_date(struct buf *out)
{
    time_t now = (time_t)clock_wall();
    char text[32];
    struct tm tm;

    localtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm);
    buf_append_cstr(out, text);
}

void ipbx_record(struct ipbx_command *o)
{
    bool named = msg_get(o->message, "channel");
    struct xod_obj *channel = named ? ipbx_command_channel(o, "channel") : ipbx_command_current(o);
    struct view what = msg_get_str(o->message, "subcommand");
    struct buf file;

    if (!channel) {
        ipbx_command_wrong(o, "channel", named ? "no_such_channel" : "no_call");
        return;
    }
    buf_init(&file, 512);
    buf_append_cstr(&file, "cti-monitor-");
    record_put_date(&file);
    buf_printf(&file, "-user-%s", o->se->user_id);
    if (view_eq(what, VIEW("start")))
        ipbx_command_action(o, "record.start", "channel", xod_obj_id(channel), "file",
                            buf_view(&file), NULL);
    else if (view_eq(what, VIEW("stop")))
        ipbx_command_action(o, "record.stop", "channel", xod_obj_id(channel), NULL);
    else
        ipbx_command_wrong(o, "subcommand", "start_or_stop");
    buf_free(&file);
}

/* ---- listen ---- */

static void tell_listening(const struct ami_batch *j, const char *status)
{
    struct notification t;

    notify_begin(&t, "agentlisten");
    notify_str(&t, "ipbxid", xod_ipbx_name(j->ipbx));
    notify_str(&t, "agentid", view_cstr(j->ctx));
    notify_str(&t, "status", view_cstr(status));
    ami_batch_notify(j, &t);
}

static void on_started(struct ami_batch *j, const struct outcome *out)
{
    ami_batch_notify_response(j, out);
    if (out->good)
        tell_listening(j, "started");
}

static void on_stopped(struct ami_batch *j, const struct outcome *out)
{
    ami_batch_notify_response(j, out);
    if (out->good)
        tell_listening(j, "stopped");
}

/* What the agent talks on now; one that does not talk is listened to as soon as it does. */
static void put_spied(struct buf *out, const struct xod_obj *agent, struct xod_obj *phone)
{
    struct xod_obj *c = phone ? xod_related(phone, LIST_channels, 0) : NULL;
    struct view login = xod_get_str(agent, XOD(agents, channel));

    if (c)
        buf_append_view(out, xod_obj_id(c));
    else if (phone) /* the dash: ChanSpy takes the beginning of a name */
        buf_printf(out, "%.*s-", VIEW_ARG(xod_get_str(phone, XOD(phones, identity))));
    else
        buf_append_view(out, login);
}

/* options: of ChanSpy, behind q. */
static void start(struct ipbx_command *o, struct xod_obj *agent, struct xod_obj *line,
                  const char *options)
{
    struct target t = {.kind = TARGET_OBJECT, .object = agent};
    struct view channel = xod_get_str(line, XOD(phones, identity));
    struct parties shown;
    struct buf spied;
    char scratch[32];

    buf_init(&spied, 512);
    put_spied(&spied, agent, target_phone(o->s, o->se, &t));
    if (buf_len(&spied) == 0) {
        ipbx_command_wrong(o, "destination", "agent_not_logged");
    } else {
        buf_printf(&spied, ",q%s", options);
        parties_set(&shown, o->user, channel, xod_get_str(agent, XOD(agents, lastname)),
                    value_text(xod_get(agent, XOD(agents, number)), scratch));
        o->batch->done = on_started;
        ipbx_command_action(o, "Originate", "Channel", channel, "Application", VIEW("ChanSpy"),
                            "Data", buf_view(&spied), "CallerID", view_cstr(shown.callerid),
                            "Variable", view_cstr(shown.name), "Variable", view_cstr(shown.number),
                            "Timeout", VIEW("30000"), NULL);
    }
    buf_free(&spied);
}

static void stop(struct ipbx_command *o)
{
    struct xod_obj *c;

    o->batch->done = on_stopped;
    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++)
        if (xod_get_str(c, XOD(channels, spying)).len)
            ipbx_command_action(o, "Hangup", "Channel", xod_obj_id(c), NULL);
}

static void listen_or_stop(struct ipbx_command *o, struct view what, const char *options)
{
    struct target t = ipbx_command_target(o, "destination", LIST_agents);
    struct xod_obj *agent =
        t.kind == TARGET_OBJECT && xod_obj_list(t.object) == LIST_agents ? t.object : NULL;
    struct xod_obj *line = relations_line(o->user);
    char *id; /* of the agent, for the lines that are sent later */

    if (!agent) {
        ipbx_command_wrong(o, "destination", "no_such_agent");
        return;
    }
    id = ipbx_command_ctx(o, xod_obj_id(agent).len + 1);
    if (!id)
        return;
    memcpy(id, xod_obj_id(agent).ptr, xod_obj_id(agent).len);
    if (view_eq(what, VIEW("stop")))
        stop(o);
    else if (!view_eq(what, VIEW("start")))
        ipbx_command_wrong(o, "subcommand", "start_or_stop");
    else if (!line)
        ipbx_command_wrong(o, "source", "no_line");
    else
        start(o, agent, line, options);
}

void ipbx_listen(struct ipbx_command *o)
{
    listen_or_stop(o, msg_get_str(o->message, "subcommand"), "");
}

/* The agent hears the user, the other end does not. */
void ipbx_whisper(struct ipbx_command *o)
{
    listen_or_stop(o, msg_get_str(o->message, "subcommand"), "w");
}

/* Both hear the user. */
void ipbx_barge(struct ipbx_command *o)
{
    listen_or_stop(o, msg_get_str(o->message, "subcommand"), "B");
}

/* As the clients of 2012 end it. */
void ipbx_stoplisten(struct ipbx_command *o)
{
    listen_or_stop(o, VIEW("stop"), "");
}
