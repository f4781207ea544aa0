/* Listings of what is live. Those of what does not change come from the recording (listing.c). */
#include "answers.h"
#include "base/array.h"
#include "base/clock.h"
#include "say.h"

static void begin_list(const struct ask *a, const char *message, bool always_marked)
{
    say_response(a->out, "Success", a->id, NULL);
    if (!a->w->capture.old || always_marked)
        say(a->out, "EventList", "start");
    say(a->out, "Message", message);
    say_end(a->out);
}

static void begin_item(const struct ask *a, const char *event)
{
    say(a->out, "Event", event);
    if (a->id.len)
        say_header(a->out, VIEW("ActionID"), a->id);
}

static void end_list(const struct ask *a, const char *event, unsigned items)
{
    begin_item(a, event);
    say(a->out, "EventList", "Complete");
    say_number(a->out, "ListItems", items);
}

static uint64_t seconds_of(const struct chan *c)
{
    return (clock_mono_us() - c->born_us) / 1000000;
}

static void duration(const struct ask *a, const struct chan *c)
{
    uint64_t s = seconds_of(c);

    buf_printf(a->out, "Duration: %02u:%02u:%02u\r\n", (unsigned)(s / 3600),
               (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

/* CoreShowChannel of 1.x leaves empty what events call unknown. */
static const char *known(const char *value)
{
    return strcmp(value, "<unknown>") == 0 ? "" : value;
}

static void old_channel(const struct ask *a, const struct chan *c)
{
    say(a->out, "Channel", c->field[CH_NAME]);
    say(a->out, "UniqueID", c->field[CH_UNIQUEID]);
    say(a->out, "Context", c->field[CH_CONTEXT]);
    say(a->out, "Extension", c->field[CH_EXTEN]);
    say(a->out, "Priority", c->field[CH_PRIORITY][0] ? c->field[CH_PRIORITY] : "1");
    say(a->out, "ChannelState", c->field[CH_STATE]);
    say(a->out, "ChannelStateDesc", c->field[CH_STATE_DESC]);
    say(a->out, "Application", c->field[CH_APPLICATION]);
    say(a->out, "ApplicationData", c->field[CH_DATA]);
    say(a->out, "CallerIDnum", known(c->field[CH_NUM]));
    say(a->out, "CallerIDname", known(c->field[CH_CALLER]));
    say(a->out, "ConnectedLineNum", known(c->field[CH_CONNECTED_NUM]));
    say(a->out, "ConnectedLineName", known(c->field[CH_CONNECTED_NAME]));
    duration(a, c);
    say(a->out, "AccountCode", c->field[CH_ACCOUNT]);
    say(a->out, "BridgedChannel", c->peer ? c->peer->field[CH_NAME] : "");
    say(a->out, "BridgedUniqueID", c->peer ? c->peer->field[CH_UNIQUEID] : "");
}

static void new_channel(const struct ask *a, const struct chan *c)
{
    say_channel(a->out, c);
    say(a->out, "Application", c->field[CH_APPLICATION]);
    say(a->out, "ApplicationData", c->field[CH_DATA]);
    duration(a, c);
    say(a->out, "BridgeId", c->field[CH_BRIDGE]);
}

static void core_show_channels(const struct ask *a)
{
    const struct model *m = &a->w->model;

    begin_list(a, "Channels will follow", true);
    for (size_t i = 0; i < m->n; i++) {
        begin_item(a, "CoreShowChannel");
        if (a->w->capture.old)
            old_channel(a, m->chans[i]);
        else
            new_channel(a, m->chans[i]);
        say_end(a->out);
    }
    if (!a->w->capture.old) {
        end_list(a, "CoreShowChannelsComplete", (unsigned)m->n);
    } else {
        say(a->out, "Event", "CoreShowChannelsComplete");
        say(a->out, "EventList", "Complete");
        say_number(a->out, "ListItems", (int64_t)m->n);
        if (a->id.len)
            say_header(a->out, VIEW("ActionID"), a->id);
    }
    say_end(a->out);
}

/* 1.x tells less of a channel that runs no dialplan. */
static void old_status(const struct ask *a, const struct chan *c)
{
    bool runs = c->field[CH_APPLICATION][0] != '\0';

    say(a->out, "Channel", c->field[CH_NAME]);
    say(a->out, "CallerIDNum", c->field[CH_NUM]);
    say(a->out, "CallerIDName", c->field[CH_CALLER]);
    say(a->out, "ConnectedLineNum", c->field[CH_CONNECTED_NUM]);
    say(a->out, "ConnectedLineName", c->field[CH_CONNECTED_NAME]);
    say(a->out, runs ? "Accountcode" : "Account", c->field[CH_ACCOUNT]);
    if (runs) {
        say(a->out, "ChannelState", c->field[CH_STATE]);
        say(a->out, "ChannelStateDesc", c->field[CH_STATE_DESC]);
        say(a->out, "Context", c->field[CH_CONTEXT]);
        say(a->out, "Extension", c->field[CH_EXTEN]);
        say(a->out, "Priority", c->field[CH_PRIORITY]);
        say_number(a->out, "Seconds", (int64_t)seconds_of(c));
    } else {
        say(a->out, "State", c->field[CH_STATE_DESC]);
    }
    if (c->peer) {
        say(a->out, "BridgedChannel", c->peer->field[CH_NAME]);
        say(a->out, "BridgedUniqueid", c->peer->field[CH_UNIQUEID]);
    }
    say(a->out, "Uniqueid", c->field[CH_UNIQUEID]);
}

static void new_status(const struct ask *a, const struct chan *c)
{
    const char *slash = strchr(c->field[CH_NAME], '/');
    size_t type = slash ? (size_t)(slash - c->field[CH_NAME]) : 0;

    say_channel(a->out, c);
    say_header(a->out, VIEW("Type"), view_of(c->field[CH_NAME], type));
    say(a->out, "DNID", "");
    say(a->out, "EffectiveConnectedLineNum", c->field[CH_CONNECTED_NUM]);
    say(a->out, "EffectiveConnectedLineName", c->field[CH_CONNECTED_NAME]);
    say(a->out, "TimeToHangup", "0");
    say(a->out, "BridgeID", c->field[CH_BRIDGE]);
    say(a->out, "Application", c->field[CH_APPLICATION]);
    say(a->out, "Data", c->field[CH_DATA]);
    say_number(a->out, "Seconds", (int64_t)seconds_of(c));
}

static void status_item(const struct ask *a, const struct chan *c)
{
    say(a->out, "Event", "Status");
    say(a->out, "Privilege", "Call");
    if (a->w->capture.old)
        old_status(a, c);
    else
        new_status(a, c);
    if (a->id.len)
        say_header(a->out, VIEW("ActionID"), a->id);
    say_end(a->out);
}

static void status(const struct ask *a)
{
    const struct model *m = &a->w->model;
    struct view name = ami_get(a->b, "Channel");
    const struct chan *one = name.len ? model_find(m, name) : NULL;
    unsigned items = one ? 1 : (unsigned)m->n;

    if (name.len && !one) {
        say_error(a->out, a->id, "No such channel");
        return;
    }
    begin_list(a, "Channel status will follow", false);
    for (size_t i = 0; i < m->n; i++)
        if (!one || one == m->chans[i])
            status_item(a, m->chans[i]);
    if (a->w->capture.old)
        begin_item(a, "StatusComplete");
    else
        end_list(a, "StatusComplete", items);
    say_number(a->out, "Items", items);
    say_end(a->out);
}

static void bridge_list(const struct ask *a)
{
    struct view key, type = ami_get(a->b, "BridgeType");
    unsigned items = 0;
    size_t pos = 0;
    void *value;

    begin_list(a, "Bridge listing will follow", true);
    while (map_next(a->w->model.bridges, &pos, &key, &value)) {
        struct bridge *br = value;
        if (type.len && !view_ieq(type, view_cstr(br->field[BR_TYPE])))
            continue;
        begin_item(a, "BridgeListItem");
        say_bridge(a->out, br, br->channels);
        say_end(a->out);
        items++;
    }
    end_list(a, "BridgeListComplete", items);
    say_end(a->out);
}

static void bridge_info(const struct ask *a)
{
    struct view uniqueid = ami_get(a->b, "BridgeUniqueid");
    const struct bridge *br = model_bridge(&a->w->model, uniqueid);
    unsigned items = 0;

    if (uniqueid.len == 0 || !br) {
        say_error(a->out, a->id, "%s",
                  uniqueid.len ? "Specified BridgeUniqueid not found"
                               : "BridgeUniqueid must be provided");
        return;
    }
    begin_list(a, "Bridge channel listing will follow", true);
    for (size_t i = 0; i < a->w->model.n; i++) {
        const struct chan *c = a->w->model.chans[i];
        if (!view_eq(view_cstr(c->field[CH_BRIDGE]), uniqueid))
            continue;
        begin_item(a, "BridgeInfoChannel");
        say_channel(a->out, c);
        say_end(a->out);
        items++;
    }
    end_list(a, "BridgeInfoComplete", items);
    say_bridge(a->out, br, br->channels);
    say_end(a->out);
}

static void hint_headers(const struct ask *a, const struct hint *h)
{
    say(a->out, "Exten", h->field[HINT_EXTEN]);
    say(a->out, "Context", h->field[HINT_CONTEXT]);
    say(a->out, "Hint", h->field[HINT_HINT]);
    say(a->out, "Status", h->field[HINT_STATUS]);
    if (!a->w->capture.old)
        say(a->out, "StatusText", h->field[HINT_TEXT]);
}

static void extension_state(const struct ask *a)
{
    struct view exten = ami_get(a->b, "Exten"), context = ami_get(a->b, "Context");
    const struct hint *h;

    if (exten.len == 0) {
        say_error(a->out, a->id, "Extension not specified");
        return;
    }
    if (context.len == 0)
        context = VIEW("default");
    h = model_hint(&a->w->model, exten, context);
    say_response(a->out, "Success", a->id, "Extension Status");
    if (h) {
        hint_headers(a, h);
    } else {
        say_header(a->out, VIEW("Exten"), exten);
        say_header(a->out, VIEW("Context"), context);
        say(a->out, "Hint", "");
        say(a->out, "Status", "-1");
        if (!a->w->capture.old)
            say(a->out, "StatusText", "Unknown");
    }
    say_end(a->out);
}

static void extension_state_list(const struct ask *a)
{
    unsigned items = 0;
    size_t pos = 0;
    struct view key;
    void *value;

    begin_list(a, "Extension Statuses will follow", true);
    while (map_next(a->w->model.hints, &pos, &key, &value)) {
        begin_item(a, "ExtensionStatus");
        hint_headers(a, value);
        say_end(a->out);
        items++;
    }
    end_list(a, "ExtensionStateListComplete", items);
    say_end(a->out);
}

static void device_state_list(const struct ask *a)
{
    unsigned items = 0;
    size_t pos = 0;
    struct view key;
    void *value;

    begin_list(a, "Device State Changes will follow", true);
    while (map_next(a->w->model.devices, &pos, &key, &value)) {
        const struct device *d = value;
        begin_item(a, "DeviceStateChange");
        say(a->out, "Device", d->field[DEV_NAME]);
        say(a->out, "State", d->field[DEV_STATE]);
        say_end(a->out);
        items++;
    }
    end_list(a, "DeviceStateListComplete", items);
    say_end(a->out);
}

const struct action *list_action(struct view name)
{
    static const struct action table[] = {
        {"CoreShowChannels", core_show_channels, false},
        {"Status", status, false},
        {"BridgeList", bridge_list, true},
        {"BridgeInfo", bridge_info, true},
        {"ExtensionState", extension_state, false},
        {"ExtensionStateList", extension_state_list, true},
        {"DeviceStateList", device_state_list, true},
    };

    return find_action(table, ARRAY_SIZE(table), name);
}
