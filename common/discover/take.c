/* What the answers say: blocks of AMI become things with texts. */
#include <stdio.h>

#include "base/array.h"
#include "discover/internal.h"
#include "json/json.h"

#define MAX_TEXT 255 /* bytes */

/* ---- keeping ---- */

bool discover_is_device(struct view device)
{
    const char *slash = device.len ? memchr(device.ptr, '/', device.len) : NULL;
    const char *colon = device.len ? memchr(device.ptr, ':', device.len) : NULL;

    return slash && (!colon || colon > slash) && !view_starts(device, VIEW("Local/"));
}

struct view discover_text(struct json_object *thing, const char *name)
{
    return json_get_view(thing, name);
}

/* As UTF-8 in d->text. False: it is longer than any name, which would be cut where two are put
 * together, or has a NUL in it. */
static bool read_text(struct discovery *d, struct view text)
{
    buf_reset(&d->text);
    return text.len <= MAX_TEXT && !memchr(text.ptr, '\0', text.len) &&
           ami_text(&d->text, text, d->charset) == 0 && buf_len(&d->text) <= MAX_TEXT &&
           buf_cstr(&d->text);
}

/* The thing of that key, made when it is not there yet. NULL: it has no name, there are too many,
 * or no memory. */
static struct json_object *thing(struct discovery *d, enum found kind, struct view key)
{
    struct json_object *all = d->found[kind];
    struct json_object *o;

    if (key.len == 0 || !read_text(d, key))
        return NULL;
    o = json_get(all, buf_cstr(&d->text));
    if (o)
        return o;
    if (json_object_object_length(all) >= DISCOVERY_MAX) {
        d->dropped++;
        return NULL;
    }
    o = json_object_new_object();
    if (o && json_object_object_add(all, buf_cstr(&d->text), o) < 0) {
        json_object_put(o);
        o = NULL;
    }
    return o;
}

static void put(struct discovery *d, struct json_object *o, const char *name, struct view text)
{
    if (text.len && !view_eq(text, VIEW("(null)")) && read_text(d, text)) /* what is not set */
        json_set_text(o, name, buf_view(&d->text));
}

/* Two parts and a sign between them; false: it is too long. */
static bool join(char out[512], struct view a, char sign, struct view b)
{
    int n = snprintf(out, 512, "%.*s%c%.*s", VIEW_ARG(a), sign, VIEW_ARG(b));

    return n > 0 && n < 512;
}

/* Asterisk finds a driver in any case, as hints may write it. Empty: that is the name of none. */
static struct view driver_of(struct view driver, char out[32])
{
    size_t n = driver.len < 31 ? driver.len : 31;

    for (size_t i = 0; i < n; i++) {
        char c = driver.ptr[i];
        out[i] = (char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
        if (!(out[i] >= 'A' && out[i] <= 'Z') && !(c >= '0' && c <= '9'))
            return view_of(NULL, 0);
    }
    return n == 3 && memcmp(out, "IAX", 3) == 0 ? VIEW("IAX2") : view_of(out, n);
}

bool discover_key(char out[512], struct view device)
{
    struct view name = device;
    char word[32];
    struct view driver = driver_of(view_cut(&name, '/'), word);

    return join(out, driver, '/', name);
}

static struct json_object *device_of(struct discovery *d, struct view driver, struct view name)
{
    struct json_object *o;
    char word[32];
    char key[512];

    driver = driver_of(driver, word);
    if (driver.len == 0 || name.len == 0 || !join(key, driver, '/', name))
        return NULL;
    o = thing(d, FOUND_DEVICES, view_cstr(key));
    put(d, o, "driver", driver);
    put(d, o, "name", name);
    return o;
}

/* "Alice Martin" <1001> */
static void put_callerid(struct discovery *d, struct json_object *o, struct view text)
{
    ptrdiff_t open = view_find(text, VIEW("<"));
    struct view name = open < 0 ? text : view_trim(view_of(text.ptr, (size_t)open));
    struct view number = view_of(NULL, 0);

    if (open >= 0) {
        number = view_of(text.ptr + open + 1, text.len - (size_t)open - 1);
        number = view_cut(&number, '>');
    }
    if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
        name = view_of(name.ptr + 1, name.len - 2);
    if (view_eq(name, VIEW("<unknown>")) || view_ieq(name, VIEW("unknown")))
        name.len = 0;
    put(d, o, "callerid_name", name);
    if (!view_ieq(number, VIEW("unknown")))
        put(d, o, "callerid_num", number);
}

/* ---- events ---- */

typedef void take_fn(struct discovery *d, const struct ami_block *b);

static void take_endpoint(struct discovery *d, const struct ami_block *b)
{
    device_of(d, VIEW("PJSIP"), ami_get(b, "ObjectName"));
}

/* Of one device: of an endpoint, or of a peer of chan_sip. */
static struct json_object *take_device(struct discovery *d, struct view driver,
                                       const struct ami_block *b, const char *mailboxes)
{
    struct json_object *o = device_of(d, driver, ami_get(b, "ObjectName"));
    struct view boxes = ami_get(b, mailboxes);

    put(d, o, "context", ami_get(b, "Context"));
    put(d, o, "mailbox", view_cut(&boxes, ','));
    put_callerid(d, o, ami_get(b, "Callerid"));
    return o;
}

static void take_endpoint_detail(struct discovery *d, const struct ami_block *b)
{
    take_device(d, VIEW("PJSIP"), b, "Mailboxes");
}

static void take_peer(struct discovery *d, const struct ami_block *b)
{
    struct view driver = ami_get(b, "Channeltype");
    struct view name = ami_get(b, "ObjectName");
    struct json_object *o;

    name = view_cut(&name, '/'); /* IAX2: NAME/USER */
    o = device_of(d, driver, name);
    if (view_ieq(ami_get(b, "Dynamic"), VIEW("no")) &&
        !view_eq(ami_get(b, "IPaddress"), VIEW("-none-")))
        put(d, o, "host", ami_get(b, "IPaddress"));
}

static void take_sip_peer(struct discovery *d, const struct ami_block *b)
{
    put(d, take_device(d, VIEW("SIP"), b, "VoiceMailbox"), "host", ami_get(b, "ToHost"));
}

/* 192.0.2.1:4569, [2001:db8::5]:4569 */
static struct view without_port(struct view address)
{
    struct view rest = address;

    if (rest.len == 0 || rest.ptr[0] != '[')
        return view_cut(&rest, ':');
    rest = view_of(rest.ptr + 1, rest.len - 1);
    return view_cut(&rest, ']');
}

/* sip:sip.operator.example:5061;transport=tls */
static struct view host_of(struct view uri)
{
    ptrdiff_t at = view_find(uri, VIEW(":"));
    struct view rest = at < 0 ? uri : view_of(uri.ptr + at + 1, uri.len - (size_t)at - 1);

    rest = view_cut(&rest, ';');
    if ((at = view_find(rest, VIEW("@"))) >= 0)
        rest = view_of(rest.ptr + at + 1, rest.len - (size_t)at - 1);
    return without_port(rest);
}

static void note_registration(struct discovery *d, struct view driver, struct view of,
                              struct view host)
{
    char key[512];

    if (of.len && join(key, driver, '/', of))
        put(d, thing(d, FOUND_REGISTRATIONS, view_cstr(key)), "host", host);
}

/* It names its endpoint where that has `line`; else the two are often called the same. */
static void take_registration(struct discovery *d, const struct ami_block *b)
{
    struct view host = host_of(ami_get(b, "ServerUri"));

    note_registration(d, VIEW("PJSIP"), ami_get(b, "Endpoint"), host);
    note_registration(d, VIEW("PJSIP"), ami_get(b, "ObjectName"), host);
}

/* chan_sip and chan_iax2 name no peer. They call their event the same: that of chan_iax2 says how
 * the other side perceives us, and has the port behind its host. */
static void take_registry(struct discovery *d, const struct ami_block *b)
{
    bool is_iax = ami_get(b, "Perceived").len > 0;
    struct view driver = is_iax ? VIEW("IAX2") : VIEW("SIP");
    struct view host = is_iax ? without_port(ami_get(b, "Host")) : ami_get(b, "Host");

    note_registration(d, driver, host, host);
    note_registration(d, driver, ami_get(b, "Username"), host);
}

/* An extension that a person dials: no pattern, no feature code, no place of the dialplan's own. */
static bool is_number(struct view exten)
{
    for (size_t i = 0; i < exten.len; i++)
        if (exten.ptr[i] < '0' || exten.ptr[i] > '9')
            return false;
    return exten.len > 0 && exten.len <= 20;
}

static void note_hint(struct discovery *d, struct view exten, struct view context, struct view hint)
{
    struct view devices = view_cut(&hint, ','); /* what follows is a presence */
    struct json_object *o;
    char key[512];

    if (!is_number(exten) || devices.len == 0 || !join(key, exten, '@', context))
        return;
    o = thing(d, FOUND_HINTS, view_cstr(key));
    put(d, o, "exten", exten);
    put(d, o, "context", context);
    put(d, o, "devices", devices);
    while (devices.len) {
        struct view device = view_cut(&devices, '&');
        struct view name = device;
        struct view driver = view_cut(&name, '/');
        if (discover_is_device(device) && !view_ieq(driver, VIEW("SIP")) &&
            !view_ieq(driver, VIEW("PJSIP")) && !view_ieq(driver, VIEW("IAX2")))
            device_of(d, driver, name); /* of a driver that lists none */
    }
}

static void take_hint(struct discovery *d, const struct ami_block *b)
{
    note_hint(d, ami_get(b, "Exten"), ami_get(b, "Context"), ami_get(b, "Hint"));
}

/* Of a queue, a room or a lot, what of the dialplan leads to it: of several the shortest number. */
static void note_exten(struct discovery *d, struct json_object *o, struct view exten,
                       struct view context)
{
    struct view now = discover_text(o, "exten");

    if (!o || !is_number(exten) || (now.len && now.len <= exten.len))
        return;
    put(d, o, "exten", exten);
    put(d, o, "context", context);
}

static void note_application(struct discovery *d, struct view application, struct view data,
                             struct view exten, struct view context)
{
    struct view first = view_cut(&data, ',');

    first = view_trim(first);
    if (first.len && memchr(first.ptr, '$', first.len))
        first = exten; /* FreePBX: ${MEETME_ROOMNUM}, which is the number that was dialled */
    if (view_ieq(application, VIEW("Queue"))) {
        note_exten(d, thing(d, FOUND_QUEUES, first), exten, context);
    } else if (view_ieq(application, VIEW("ConfBridge")) || view_ieq(application, VIEW("MeetMe"))) {
        if (is_number(exten) && is_number(first))
            note_exten(d, thing(d, FOUND_ROOMS, first), exten, context);
    } else if (view_ieq(application, VIEW("Park"))) {
        note_exten(d, thing(d, FOUND_LOTS, first.len ? first : VIEW("default")), exten, context);
    }
}

static void take_dialplan(struct discovery *d, const struct ami_block *b)
{
    struct view exten = ami_get(b, "Extension");
    struct view context = ami_get(b, "Context");

    if (!is_number(exten))
        return;
    if (view_ieq(ami_get(b, "Priority"), VIEW("hint")))
        note_hint(d, exten, context, ami_get(b, "Application"));
    else
        note_application(d, ami_get(b, "Application"), ami_get(b, "AppData"), exten, context);
}

static void take_mailbox(struct discovery *d, const struct ami_block *b)
{
    struct view box = ami_get(b, "VoiceMailbox");
    struct view context = ami_get(b, "VMContext");
    struct json_object *o;
    char key[512];

    if (box.len == 0 || !join(key, box, '@', context))
        return;
    o = thing(d, FOUND_BOXES, view_cstr(key));
    put(d, o, "mailbox", box);
    put(d, o, "context", context);
    put(d, o, "name", ami_get(b, "Fullname"));
    put(d, o, "email", ami_get(b, "Email"));
}

static void take_queue(struct discovery *d, const struct ami_block *b)
{
    put(d, thing(d, FOUND_QUEUES, ami_get(b, "Queue")), "real", VIEW("yes"));
}

static void take_agent(struct discovery *d, const struct ami_block *b)
{
    put(d, thing(d, FOUND_AGENTS, ami_get(b, "Agent")), "name", ami_get(b, "Name"));
}

/* Agents that are only members of queues: Agent/2001, as interface or as name. */
static void take_member(struct discovery *d, const struct ami_block *b)
{
    static const char *const names[] = {"Name", "MemberName", "Location", "Interface"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct view agent = ami_get(b, names[i]);
        if (view_starts(agent, VIEW("Agent/")))
            thing(d, FOUND_AGENTS, view_of(agent.ptr + 6, agent.len - 6));
        if (view_starts(agent, VIEW("Local/")) && view_find(agent, VIEW("@from-queue/")) >= 0)
            d->from_queue = true;
    }
}

static void take_lot(struct discovery *d, const struct ami_block *b)
{
    struct json_object *o = thing(d, FOUND_LOTS, ami_get(b, "Name"));

    put(d, o, "start", ami_get(b, "StartSpace"));
    put(d, o, "stop", ami_get(b, "StopSpace"));
    put(d, o, "timeout", ami_get(b, "Timeout"));
}

static void take_room(struct discovery *d, const struct ami_block *b)
{
    thing(d, FOUND_ROOMS, ami_get(b, "Conference"));
}

/* /AMPUSER/1001/cidname */
static void take_key(struct discovery *d, const struct ami_block *b)
{
    struct view key = ami_get(b, "Key");
    struct view family;
    struct view number;

    view_cut(&key, '/');
    family = view_cut(&key, '/');
    number = view_cut(&key, '/');
    if (view_eq(family, VIEW("AMPUSER")) && view_eq(key, VIEW("cidname")) && is_number(number))
        put(d, thing(d, FOUND_NAMES, number), "name", ami_get(b, "Val"));
}

void discovery_take(struct discovery *d, const struct ami_block *b)
{
    static const struct {
        const char *event;
        take_fn *take;
    } rows[] = {
        {"EndpointList", take_endpoint},
        {"EndpointDetail", take_endpoint_detail},
        {"PeerEntry", take_peer},
        {"OutboundRegistrationDetail", take_registration},
        {"RegistryEntry", take_registry},
        {"ExtensionStatus", take_hint},
        {"ListDialplan", take_dialplan},
        {"VoicemailUserEntry", take_mailbox},
        {"QueueParams", take_queue},
        {"QueueMember", take_member},
        {"Agents", take_agent},
        {"Parkinglot", take_lot},
        {"ConfbridgeListRooms", take_room},
        {"MeetmeListRooms", take_room},
        {"MeetmeList", take_room},
        {"DBGetTreeResponse", take_key},
    };

    if (b->kind == AMI_RESPONSE && ami_get(b, "Channeltype").len)
        take_sip_peer(d, b);
    for (size_t i = 0; b->kind == AMI_EVENT && i < ARRAY_SIZE(rows); i++)
        if (ami_is_event(b, rows[i].event))
            rows[i].take(d, b);
}
