/* Actions on calls. */
#include <stdio.h>
#include <stdlib.h>

#include "office/actions.h"

/* "/^PJSIP\/alice-.*$/": those whose name begins so. */
static void hang_up_many(const struct ask *a, struct view pattern, int cause)
{
    struct leg *l, *next;
    char begin[64];
    size_t n = 0;

    for (size_t i = 2; i < pattern.len && n + 1 < sizeof(begin); i++) {
        char c = pattern.ptr[i];
        if (c == '\\')
            continue;
        if (strchr(".*$(", c))
            break;
        begin[n++] = c;
    }
    ask_list(a, "Channels hung up will follow");
    LIST_FOREACH_SAFE(l, &ask_office(a)->legs, all, next)
    {
        if (!view_starts(view_cstr(l->name), view_of(begin, n)))
            continue;
        ask_item(a, "ChannelHungup");
        say(a->out, "Channel", l->name);
        say_end(a->out);
        leg_after(l, 0, leg_done);
    }
    ask_list_end(a, "ChannelsHungupListComplete", 0, true);
    (void)cause;
}

static void hangup(const struct ask *a)
{
    struct view name = ami_get(a->b, "Channel");
    int64_t cause = 0;
    struct leg *l;

    if (view_to_i64(ami_get(a->b, "Cause"), &cause) < 0 || cause <= 0 || cause > 127)
        cause = 16;
    if (view_starts(name, VIEW("/^"))) {
        hang_up_many(a, name, (int)cause);
        return;
    }
    l = ask_leg(a, "Channel");
    if (!l)
        return;
    say_success(a->out, a->id, "Channel Hungup");
    leg_hang_up(l, (int)cause, false);
}

/* Where an action sends a call; false after an error was said. */
struct place {
    char exten[48], context[40];
};

static bool read_place(const struct ask *a, const char *prefix, struct place *p)
{
    char header[32];

    snprintf(header, sizeof(header), "%sExten", prefix);
    if (!ask_text(a, header, p->exten, sizeof(p->exten)))
        return false;
    snprintf(header, sizeof(header), "%sContext", prefix);
    if (!ask_text(a, header, p->context, sizeof(p->context)))
        return false;
    if (!*p->context)
        snprintf(p->context, sizeof(p->context), "default");
    return true;
}

static struct leg *redirected(const struct ask *a, const char *header)
{
    struct view name = ami_get(a->b, header);
    struct leg *l = office_leg(ask_office(a), name);

    if (name.len == 0)
        say_error(a->out, a->id, "Channel not specified");
    else if (!l)
        say_error(a->out, a->id, "Channel does not exist: %.*s", VIEW_ARG(name));
    else if (l->twin || (!l->pbx && !leg_is_up(l)))
        say_error(a->out, a->id, "Redirect failed, channel not up.");
    else
        return l;
    return NULL;
}

/* As Asterisk shows it: at its new place with what it did, until the dialplan begins there. */
static void leave(struct leg *l, const struct place *to)
{
    leg_place(l, to->context, to->exten, 1);
    if (*l->app)
        tell_step(l);
    leg_free_of_job(l);
}

static void redirect(const struct ask *a)
{
    bool two = ami_get(a->b, "ExtraChannel").len > 0;
    struct leg *l = redirected(a, "Channel");
    struct leg *extra = l && two ? redirected(a, "ExtraChannel") : NULL;
    struct place to, extra_to;

    if (!l || (two && !extra) || !read_place(a, "", &to) ||
        (two && !read_place(a, "Extra", &extra_to)))
        return;
    if (extra == l) {
        say_error(a->out, a->id, "Redirect failed, both channels are the same.");
        return;
    }
    if (two && !*extra_to.exten)
        extra_to = to;
    say_success(a->out, a->id, two ? "Dual Redirect successful" : "Redirect successful");
    leave(l, &to);
    if (extra)
        leave(extra, &extra_to);
    dialplan_go(l, to.context, to.exten);
    if (extra)
        dialplan_go(extra, extra_to.context, extra_to.exten);
}

static struct person *originated(const struct ask *a)
{
    struct view channel = ami_get(a->b, "Channel"), rest = channel, tech = view_cut(&rest, '/');
    struct view number = view_cut(&rest, '@');
    struct office *o = ask_office(a);

    if (view_eq(tech, VIEW("Local")))
        return office_person(o, number);
    return office_device(o, channel);
}

static struct originate *read_originate(const struct ask *a)
{
    struct originate *g = calloc(1, sizeof(*g));
    struct place to;

    if (!g)
        return NULL;
    if (!read_place(a, "", &to) || !ask_text(a, "Application", g->app, sizeof(g->app)) ||
        !ask_text(a, "Data", g->data, sizeof(g->data)) ||
        !ask_text(a, "ActionID", g->action_id, sizeof(g->action_id))) {
        free(g);
        return NULL;
    }
    if (!*g->app) {
        snprintf(g->exten, sizeof(g->exten), "%s", to.exten);
        snprintf(g->context, sizeof(g->context), "%s", to.context);
    }
    g->async = view_ieq(ami_get(a->b, "Async"), VIEW("true")) ||
               view_ieq(ami_get(a->b, "Async"), VIEW("yes")) ||
               view_eq(ami_get(a->b, "Async"), VIEW("1"));
    return g;
}

static void set_variables(const struct ask *a, struct leg *l)
{
    for (unsigned i = 0; i < a->b->n; i++) {
        struct view rest = a->b->headers[i].value, name;
        if (!view_ieq(a->b->headers[i].name, VIEW("Variable")))
            continue;
        name = view_cut(&rest, '=');
        while (name.len && name.ptr[0] == '_')
            name = view_of(name.ptr + 1, name.len - 1);
        leg_set_variable(l, name, rest);
    }
}

static const char *wrong_originate(const struct ask *a, const struct originate *g)
{
    struct view priority = ami_get(a->b, "Priority");

    if (ami_get(a->b, "Channel").len == 0)
        return "Channel not specified";
    if (!*g->app && (!*g->exten || ami_get(a->b, "Context").len == 0 || priority.len == 0))
        return "Originate with 'Exten' requires 'Context' and 'Priority'";
    if (!*g->app && !dialplan_knows(ask_office(a), view_cstr(g->context), view_cstr(g->exten)))
        return "Extension does not exist.";
    return NULL;
}

static void originate(const struct ask *a)
{
    struct originate *g = read_originate(a);
    struct office *o = ask_office(a);
    const char *wrong = g ? wrong_originate(a, g) : NULL;
    struct person *p = g && !wrong ? originated(a) : NULL;
    uint64_t timeout = 30000;
    struct leg *l;

    if (!g)
        return;
    if (wrong || (!p && !g->async)) {
        say_error(a->out, a->id, "%s", wrong ? wrong : "Originate failed");
        free(g);
        return;
    }
    view_to_u64(ami_get(a->b, "Timeout"), &timeout);
    say_success(a->out, a->id,
                g->async ? "Originate successfully queued" : "Originate successfully started");
    if (!p || p->offline) {
        struct person none = {0};
        snprintf(none.device, sizeof(none.device), "%.*s", VIEW_ARG(ami_get(a->b, "Channel")));
        tell_originated(o, g, NULL, &none, 0);
        free(g);
        return;
    }
    l = originate_begin(o, p, g, ami_get(a->b, "CallerID"), (timeout ? timeout : 30000) * MS);
    if (l)
        set_variables(a, l);
}

static void atxfer(const struct ask *a)
{
    struct leg *l = ask_leg(a, "Channel");
    struct place to;

    if (!l || !read_place(a, "", &to))
        return;
    if (!*to.exten) {
        say_error(a->out, a->id, "No extension specified");
        return;
    }
    if (l->twin || !link_peer(l) || l->job != JOB_TALKS) {
        say_error(a->out, a->id, "Atxfer failed: the channel talks with nobody");
        return;
    }
    say_success(a->out, a->id, "Atxfer successfully queued");
    transfer_ask(l, to.exten, to.context);
}

static void blind_transfer(const struct ask *a)
{
    struct leg *l = ask_leg(a, "Channel");
    struct place to;

    if (!l || !read_place(a, "", &to))
        return;
    if (l->twin || !link_peer(l) || l->job != JOB_TALKS) {
        say_error(a->out, a->id, "Transfer failed");
        return;
    }
    say_success(a->out, a->id, "Transfer succeeded");
    transfer_blind(l, to.exten, to.context);
}

static void cancel_atxfer(const struct ask *a)
{
    struct leg *l = ask_leg(a, "Channel");

    if (!l)
        return;
    if (l->job != JOB_CONSULT) {
        say_error(a->out, a->id, "No attended transfer");
        return;
    }
    say_success(a->out, a->id, "CancelAtxfer successfully queued");
    transfer_cancel(l);
}

/* "PJSIP/bob" of "PJSIP/bob-0000001a". */
static struct view device_of(struct view channel)
{
    for (size_t i = channel.len; i > 0; i--)
        if (channel.ptr[i - 1] == '-')
            return view_of(channel.ptr, i - 1);
    return channel;
}

static void park(const struct ask *a)
{
    struct view parker = ami_get(a->b, ask_office(a)->old ? "Channel2" : "TimeoutChannel");
    struct leg *l = redirected(a, "Channel");
    const struct leg *peer;
    uint64_t timeout = 0;
    char device[48];

    if (!l)
        return;
    peer = link_peer(l);
    if (view_to_u64(ami_get(a->b, "Timeout"), &timeout) < 0 || timeout == 0)
        timeout = 45000;
    if (parker.len == 0 && peer)
        parker = view_cstr(peer->name);
    parker = device_of(parker);
    snprintf(device, sizeof(device), "%.*s", VIEW_ARG(parker)); /* the peer may go */
    say_success(a->out, a->id, ask_office(a)->old ? "Park successful" : "Park successful\n");
    leg_free_of_job(l);
    l->pbx = true;
    parking_park(l, view_cstr(device), timeout * MS);
}

static void bridge(const struct ask *a)
{
    struct leg *one = ask_leg(a, "Channel1");
    struct leg *two = one ? ask_leg(a, "Channel2") : NULL;

    if (!two)
        return;
    if (one == two || one->twin || two->twin || !leg_is_up(one) || !leg_is_up(two)) {
        say_error(a->out, a->id, "Bridge failed");
        return;
    }
    say_success(a->out, a->id, "Channels have been bridged");
    if (link_peer(one) == two)
        return;
    leg_free_of_job(one);
    leg_free_of_job(two);
    leg_connect(one, two);
    leg_connect(two, one);
    tell_connected(one);
    tell_connected(two);
    link_two(one, two);
}

static void getvar(const struct ask *a)
{
    struct view name = ami_get(a->b, "Variable");
    const char *value = NULL;
    struct leg *l = NULL;

    if (name.len == 0) {
        say_error(a->out, a->id, "No variable specified");
        return;
    }
    if (ami_get(a->b, "Channel").len) {
        l = ask_leg(a, "Channel");
        if (!l)
            return;
        value = leg_variable(l, name);
    }
    say_response(a->out, "Success", a->id, NULL);
    say_header(a->out, VIEW("Variable"), name);
    say(a->out, "Value", value ? value : "");
    say_end(a->out);
}

/* DEVICE_STATE(Custom:NAME) is a function, and no variable. */
static bool set_device(const struct ask *a, struct view name)
{
    struct view device = name;

    if (!view_starts(name, VIEW("DEVICE_STATE(Custom:")))
        return false;
    view_cut(&device, ':');
    device_set(ask_office(a), view_cut(&device, ')'), ami_get(a->b, "Value"));
    return true;
}

static void setvar(const struct ask *a)
{
    struct view name = ami_get(a->b, "Variable");
    struct leg *l = NULL;

    if (name.len == 0) {
        say_error(a->out, a->id, "No variable specified");
        return;
    }
    if (ami_get(a->b, "Channel").len) {
        l = ask_leg(a, "Channel");
        if (!l)
            return;
    }
    say_success(a->out, a->id, "Variable Set");
    if (set_device(a, name) || (l && leg_set_caller_id(l, name, ami_get(a->b, "Value"))))
        return;
    if (l)
        leg_set_variable(l, name, ami_get(a->b, "Value"));
    else
        tell_variable(ask_office(a), NULL, name, ami_get(a->b, "Value"));
}

static void record(const struct ask *a, bool mixed, bool on, const char *event, const char *said)
{
    struct leg *l = ask_leg(a, "Channel");
    bool *state;

    if (!l)
        return;
    state = mixed ? &l->mixed : &l->monitored;
    say_success(a->out, a->id, said);
    if (*state == on && on)
        return;
    if (*state != on)
        tell_simple(l, event);
    *state = on;
}

static void monitor(const struct ask *a)
{
    record(a, false, true, "MonitorStart", "Started monitoring channel");
}

static void stop_monitor(const struct ask *a)
{
    record(a, false, false, "MonitorStop", "Stopped monitoring channel");
}

static void mix_monitor(const struct ask *a)
{
    record(a, true, true, "MixMonitorStart", NULL);
}

static void stop_mix_monitor(const struct ask *a)
{
    record(a, true, false, "MixMonitorStop", NULL);
}

static void mix_monitor_mute(const struct ask *a)
{
    struct leg *l = ask_leg(a, "Channel");
    struct buf *out;

    if (!l)
        return;
    say_success(a->out, a->id, NULL);
    out = tell_begin(l->office, "MixMonitorMute", "call");
    tell_leg(out, "", l);
    say_header(out, VIEW("Direction"), ami_get(a->b, "Direction"));
    say_header(out, VIEW("State"), ami_get(a->b, "State"));
    tell_end(l->office);
}

static void pause_monitor(const struct ask *a)
{
    if (ask_leg(a, "Channel"))
        say_success(a->out, a->id, "Paused monitoring of the channel");
}

static void unpause_monitor(const struct ask *a)
{
    if (ask_leg(a, "Channel"))
        say_success(a->out, a->id, "Unpaused monitoring of the channel");
}

static void play_dtmf(const struct ask *a)
{
    struct leg *l = ask_leg(a, "Channel");
    struct view digit = ami_get(a->b, "Digit");

    if (!l)
        return;
    say_success(a->out, a->id, "DTMF successfully queued");
    if (digit.len != 1)
        return;
    if (!ask_office(a)->old && view_ieq(ami_get(a->b, "Receive"), VIEW("true")))
        tell_digit(l, digit.ptr[0]);
    else
        tell_sent_digit(l, digit.ptr[0]);
}

static void to_channel(const struct ask *a)
{
    if (ask_leg(a, "Channel"))
        say_success(a->out, a->id, "Success");
}

const struct office_row office_call_rows[] = {
    {{"Hangup", hangup, false}, BOTH},
    {{"Redirect", redirect, false}, BOTH},
    {{"Originate", originate, false}, BOTH},
    {{"Atxfer", atxfer, false}, BOTH},
    {{"BlindTransfer", blind_transfer, false}, ONLY_NEW},
    {{"CancelAtxfer", cancel_atxfer, false}, ONLY_NEW},
    {{"Park", park, false}, BOTH},
    {{"Bridge", bridge, false}, BOTH},
    {{"Getvar", getvar, false}, BOTH},
    {{"Setvar", setvar, false}, BOTH},
    {{"Monitor", monitor, false}, BOTH},
    {{"StopMonitor", stop_monitor, false}, BOTH},
    {{"PauseMonitor", pause_monitor, false}, BOTH},
    {{"UnpauseMonitor", unpause_monitor, false}, BOTH},
    {{"MixMonitor", mix_monitor, false}, ONLY_NEW},
    {{"StopMixMonitor", stop_mix_monitor, false}, ONLY_NEW},
    {{"MixMonitorMute", mix_monitor_mute, false}, ONLY_NEW},
    {{"PlayDTMF", play_dtmf, false}, BOTH},
    {{"SendText", to_channel, false}, BOTH},
    {{"AbsoluteTimeout", to_channel, false}, BOTH},
};
const size_t office_n_call_rows = ARRAY_SIZE(office_call_rows);
