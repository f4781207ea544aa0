/* Actions that change something. Only Hangup, Setvar, UserEvent and Reload have an effect here: the
 * others are answered as a success, and what the capture plays goes on. */
#include "answers.h"

#include <stdlib.h>

#include "base/array.h"
#include "say.h"

/* How an action names its channel, and what it says when that is wrong. */
struct simple {
    const char *name;
    const char *channel; /* required header with a live channel; NULL: none */
    const char *missing; /* when it is not given */
    const char *no_such; /* when it is not live; a %s becomes its name */
    const char *success; /* NULL: no Message */
};

static const struct simple simples[] = {
    {"AbsoluteTimeout", "Channel", "No channel specified", "No such channel", "Timeout Set"},
    {"AGI", "Channel", "Empty channel parameter", "Channel %s does not exist.",
     "Added AGI command to queue"},
    {"AgentLogoff", NULL, NULL, NULL, "Agent logged out"},
    {"Atxfer", "Channel", "No channel specified", "Channel specified does not exist",
     "Atxfer successfully queued"},
    {"BlindTransfer", "Channel", "No channel specified", "Channel specified does not exist",
     "Redirect successful"},
    {"Bridge", "Channel1", "Missing channel parameter in request", "Channel1 does not exists",
     "Launched bridge thread with success"},
    {"CancelAtxfer", "Channel", "No channel specified", "Channel specified does not exist",
     "CancelAtxfer successfully queued"},
    {"ChangeMonitor", "Channel", "No channel specified", "No such channel",
     "Changed monitor filename"},
    {"ConfbridgeKick", NULL, NULL, NULL, "User kicked"},
    {"ConfbridgeLock", NULL, NULL, NULL, "Conference locked"},
    {"ConfbridgeMute", NULL, NULL, NULL, "User muted"},
    {"ConfbridgeUnlock", NULL, NULL, NULL, "Conference unlocked"},
    {"ConfbridgeUnmute", NULL, NULL, NULL, "User unmuted"},
    {"DBDel", NULL, NULL, NULL, "Key deleted successfully"},
    {"DBPut", NULL, NULL, NULL, "Updated database successfully"},
    {"MeetmeMute", NULL, NULL, NULL, "User muted"},
    {"MeetmeUnmute", NULL, NULL, NULL, "User unmuted"},
    {"MixMonitor", "Channel", "No channel specified", "No such channel", NULL},
    {"MixMonitorMute", "Channel", "No channel specified", "No such channel", NULL},
    {"Monitor", "Channel", "No channel specified", "No such channel", "Started monitoring channel"},
    {"MuteAudio", "Channel", "Channel not specified", "Channel not found", NULL},
    {"Park", "Channel", "Channel not specified", "Channel does not exist: %s", "Park successful"},
    {"PauseMonitor", "Channel", "No channel specified", "No such channel",
     "Paused monitoring of the channel"},
    {"PlayDTMF", "Channel", "Channel not specified", "Channel not found",
     "DTMF successfully queued"},
    {"QueueAdd", NULL, NULL, NULL, "Added interface to queue"},
    {"QueueLog", NULL, NULL, NULL, "Event added successfully"},
    {"QueueMemberRingInUse", NULL, NULL, NULL, "Interface ringinuse set successfully"},
    {"QueuePause", NULL, NULL, NULL, "Interface paused successfully"},
    {"QueuePenalty", NULL, NULL, NULL, "Interface penalty set successfully"},
    {"QueueReload", NULL, NULL, NULL, "Queue reloaded successfully"},
    {"QueueRemove", NULL, NULL, NULL, "Removed interface from queue"},
    {"QueueReset", NULL, NULL, NULL, "Queue stats reset successfully"},
    {"SendText", "Channel", "No channel specified", "No such channel", "Success"},
    {"SIPnotify", NULL, NULL, NULL, "Notify Sent"},
    {"StopMixMonitor", "Channel", "No channel specified", "No such channel", NULL},
    {"StopMonitor", "Channel", "No channel specified", "No such channel",
     "Stopped monitoring channel"},
    {"UnpauseMonitor", "Channel", "No channel specified", "No such channel",
     "Unpaused monitoring of the channel"},
    {"VoicemailRefresh", NULL, NULL, NULL, "Refresh sent"},
};

static void no_channel(const struct ask *a, const char *text, struct view name)
{
    const char *hole = strstr(text, "%s");

    if (hole)
        say_error(a->out, a->id, "%.*s%.*s%s", (int)(hole - text), text, VIEW_ARG(name), hole + 2);
    else
        say_error(a->out, a->id, "%s", text);
}

/* The live channel that the action names in `header`; NULL after an error was said. */
static struct chan *channel_of(const struct ask *a, const char *header, const char *missing,
                               const char *no_such)
{
    struct view name = ami_get(a->b, header);
    struct chan *c = name.len ? model_find(&a->w->model, name) : NULL;

    if (name.len == 0)
        say_error(a->out, a->id, "%s", missing);
    else if (!c)
        no_channel(a, no_such, name);
    return c;
}

static void simple(const struct ask *a)
{
    const struct simple *s = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(simples) && !s; i++)
        if (view_ieq(a->b->name, view_cstr(simples[i].name)))
            s = &simples[i];
    if (!s || (s->channel && !channel_of(a, s->channel, s->missing, s->no_such)))
        return;
    say_success(a->out, a->id, s->success);
}

static void hangup(const struct ask *a)
{
    struct chan *c = channel_of(a, "Channel", "No channel specified", "No such channel");
    int64_t cause = 0;

    if (!c)
        return;
    if (view_to_i64(ami_get(a->b, "Cause"), &cause) < 0 || cause <= 0 || cause > 127)
        cause = 16;
    say_success(a->out, a->id, "Channel Hungup");
    world_hangup(a->w, c, (int)cause);
}

static void redirect(const struct ask *a)
{
    if (!channel_of(a, "Channel", "Channel not specified", "Channel does not exist: %s"))
        return;
    say_success(a->out, a->id,
                ami_get(a->b, "ExtraChannel").len ? "Dual Redirect successful"
                                                  : "Redirect successful");
}

static void originate(const struct ask *a)
{
    struct view async = ami_get(a->b, "Async");

    if (ami_get(a->b, "Channel").len == 0)
        say_error(a->out, a->id, "Channel not specified");
    else if (ami_get(a->b, "Exten").len == 0 && ami_get(a->b, "Application").len == 0)
        say_error(a->out, a->id, "Originate with 'Exten' requires 'Context' and 'Priority'");
    else if (ami_get(a->b, "Exten").len &&
             (ami_get(a->b, "Context").len == 0 || ami_get(a->b, "Priority").len == 0))
        say_error(a->out, a->id, "Originate with 'Exten' requires 'Context' and 'Priority'");
    else
        say_success(a->out, a->id,
                    view_ieq(async, VIEW("true")) || view_ieq(async, VIEW("yes"))
                        ? "Originate successfully queued"
                        : "Originate successfully started");
}

static void getvar(const struct ask *a)
{
    struct view name = ami_get(a->b, "Variable");
    struct chan *c = NULL;

    if (name.len == 0) {
        say_error(a->out, a->id, "No variable specified");
        return;
    }
    if (ami_get(a->b, "Channel").len) {
        c = channel_of(a, "Channel", "", "No such channel");
        if (!c)
            return;
    }
    say_response(a->out, "Success", a->id, NULL);
    say_header(a->out, VIEW("Variable"), name);
    say_header(a->out, VIEW("Value"), world_variable(a->w, c, name));
    say_end(a->out);
}

static void setvar(const struct ask *a)
{
    struct view name = ami_get(a->b, "Variable");
    struct chan *c = NULL;

    if (name.len == 0) {
        say_error(a->out, a->id, "No variable specified");
        return;
    }
    if (ami_get(a->b, "Channel").len) {
        c = channel_of(a, "Channel", "", "No such channel");
        if (!c)
            return;
    }
    say_success(a->out, a->id, "Variable Set");
    world_set_variable(a->w, c, name, ami_get(a->b, "Value"));
}

/* The event repeats the headers; 1.x also the action itself. */
static void user_event(const struct ask *a)
{
    struct buf event;

    buf_init(&event, 0);
    say(&event, "Event", "UserEvent");
    say(&event, "Privilege", "user,all");
    say_header(&event, VIEW("UserEvent"), ami_get(a->b, "UserEvent"));
    for (unsigned i = 0; i < a->b->n; i++) {
        const struct ami_header *h = &a->b->headers[i];
        if (view_ieq(h->name, VIEW("UserEvent")) ||
            (!a->w->capture.old && view_ieq(h->name, VIEW("Action"))))
            continue;
        say_header(&event, h->name, h->value);
    }
    say_end(&event);
    say_success(a->out, a->id, "Event Sent");
    world_emit(a->w, buf_view(&event));
    buf_free(&event);
}

static void reload(const struct ask *a)
{
    struct view module = ami_get(a->b, "Module");
    struct buf event;

    say_success(a->out, a->id, "Module Reloaded");
    buf_init(&event, 0);
    say(&event, "Event", "Reload");
    say(&event, "Privilege", "system,all");
    say_header(&event, VIEW("Module"), module.len ? module : VIEW("All"));
    if (a->w->capture.old)
        say(&event, "Message", "Reload");
    else
        say(&event, "Status", "0");
    say_end(&event);
    world_emit(a->w, buf_view(&event));
    buf_free(&event);
}

static void mailbox_count(const struct ask *a)
{
    struct view mailbox = ami_get(a->b, "Mailbox");

    if (mailbox.len == 0) {
        say_error(a->out, a->id, "Mailbox not specified");
        return;
    }
    say_response(a->out, "Success", a->id, "Mailbox Message Count");
    say_header(a->out, VIEW("Mailbox"), mailbox);
    say(a->out, "UrgMessages", "0");
    say(a->out, "NewMessages", "0");
    say(a->out, "OldMessages", "0");
    say_end(a->out);
}

static void mailbox_status(const struct ask *a)
{
    struct view mailbox = ami_get(a->b, "Mailbox");

    if (mailbox.len == 0) {
        say_error(a->out, a->id, "Mailbox not specified");
        return;
    }
    say_response(a->out, "Success", a->id, "Mailbox Status");
    say_header(a->out, VIEW("Mailbox"), mailbox);
    say(a->out, "Waiting", "0");
    say_end(a->out);
}

const struct action *call_action(struct view name)
{
    static const struct action any_simple = {"", simple, false};
    static const struct action table[] = {
        {"Hangup", hangup, false},
        {"Redirect", redirect, false},
        {"Originate", originate, false},
        {"Getvar", getvar, false},
        {"Setvar", setvar, false},
        {"UserEvent", user_event, false},
        {"Reload", reload, false},
        {"Command", console_command, false},
        {"MailboxCount", mailbox_count, false},
        {"MailboxStatus", mailbox_status, false},
    };
    const struct action *row = find_action(table, ARRAY_SIZE(table), name);

    for (size_t i = 0; i < ARRAY_SIZE(simples) && !row; i++)
        if (view_ieq(name, view_cstr(simples[i].name)))
            row = &any_simple;
    return row;
}
