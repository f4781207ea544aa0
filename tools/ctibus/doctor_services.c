/* Which services run, and what state knows. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "doctor.h"
#include "metrics/health.h"
#include "json/json.h"

#define LISTEN_MS 2500 /* each service speaks every 2 s */

static void note(struct json_object *set, struct view name)
{
    char key[256];

    snprintf(key, sizeof(key), "%.*s", VIEW_ARG(name));
    json_object_object_add(set, key, NULL);
}

static bool has(struct json_object *set, const char *name)
{
    return json_object_object_get_ex(set, name, NULL);
}

/* ---- heartbeats ---- */

static bool is_here(struct view source)
{
    char host[128] = "localhost";
    ptrdiff_t at = view_find(source, VIEW("@"));

    gethostname(host, sizeof(host) - 1);
    return at >= 0 &&
           view_eq(view_of(source.ptr + at + 1, source.len - (size_t)at - 1), view_cstr(host));
}

static void find_state_of(struct doctor *d, struct view source, const msgpack_object *body)
{
    struct view version = msg_get_str(body, "version");

    if (!view_eq(version, VIEW(CTIBUS_VERSION)))
        findings_add(
            &d->f, FINDING_warning, "service.version",
            "Services of two versions may not understand each other.",
            "Restart what was not restarted after the upgrade (docs/operations.md#upgrade).",
            "%.*s is of version %.*s, this program of " CTIBUS_VERSION, VIEW_ARG(source),
            VIEW_ARG(version));
    if (!msg_get_bool(body, "ready", true))
        note(d->unready, source);
}

/* svc/SERVICE/INSTANCE/ */
static void on_heartbeat(void *arg, const struct bus_msg *m)
{
    struct doctor *d = arg;
    struct view rest = m->topic;
    struct view service;
    struct msg_doc doc;
    char key[256];

    view_cut(&rest, '/');
    service = view_cut(&rest, '/');
    snprintf(key, sizeof(key), "%.*s", VIEW_ARG(m->source));
    if (service.len == 0 || service.len > 32 || view_starts(service, VIEW("tool")) ||
        has(d->heard, key) || msg_doc_init(&doc) < 0)
        return;
    if (msg_parse(&doc, m->body) == 0 && msg_get_str(&doc.root, "version").len) {
        find_state_of(d, m->source, &doc.root);
        note(d->heard, m->source); /* each process once */
        note(d->heard, service);
        if (is_here(m->source))
            note(d->here, service);
    }
    msg_doc_fini(&doc);
}

static void on_time(void *arg)
{
    loop_stop(arg);
}

static void listen_to_bus(struct doctor *d)
{
    static const struct bus_sub_handler handler = {on_heartbeat, NULL};
    struct tool *t = d->t;
    int err = 0;
    struct bus_sub *sub = bus_sub_new(t->bus_setup.bus, t->bus_setup.subscribe, &handler, d, &err);
    struct loop_timer *timer = loop_timer_new(t->loop, on_time, t->loop);

    if (sub && timer && bus_sub_add(sub, VIEW("svc/")) == 0) {
        loop_timer_start(timer, LISTEN_MS, false);
        tool_run(t);
    }
    loop_timer_destroy(&timer);
    bus_sub_destroy(&sub);
}

/* ---- what state knows ---- */

static void on_object(void *arg, struct view text)
{
    struct doctor *d = arg;
    struct json_object *o = NULL;
    struct json_object *list;
    struct json_parser p;

    if (json_parser_init(&p) < 0)
        return;
    if (json_parse(&p, text, &o) == 0) {
        list = json_get(d->objects, json_get_view(o, "list").ptr);
        if (list)
            json_object_array_add(list, o);
        else
            json_object_put(o);
    }
    json_parser_fini(&p);
}

static void ask_state(struct doctor *d)
{
    static const char *const lists[] = {"users", "phones", "trunks", "agents", "ipbx"};

    for (size_t i = 0; i < ARRAY_SIZE(lists) && d->t->exit_code == 0; i++) {
        json_object_object_add(d->objects, lists[i], json_object_new_array());
        tool_snapshot(d->t, lists[i], NULL, on_object, d);
    }
    d->asked = d->t->exit_code == 0;
    if (!d->asked)
        findings_add(&d->f, FINDING_fault, "state.silent",
                     "Gateways cannot ask it either: nobody logs in.",
                     "Its log says whose keys are refused; does ctibus.bus.request name its "
                     "address?",
                     "state runs and does not answer at %s", d->t->bus_setup.request);
    d->t->exit_code = 0;
}

/* ---- all ---- */

/* Those that the bus does not tell of, since state is what carries it. */
static void ask_health(struct doctor *d)
{
    static const char *const services[] = TOOL_SERVICES;
    struct buf body;
    char key[64];

    buf_init(&body, 65536);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        const char *addr;
        snprintf(key, sizeof(key), "ctibus.http.%s", services[i]);
        addr = config_str(d->cfg, key);
        buf_reset(&body);
        if (addr && !has(d->here, services[i]) && doctor_connects(addr)) {
            health_probe(addr, &body);
            if (view_starts(buf_view(&body), VIEW("{\"ready\":"))) /* others answer there, too */
                note(d->here, view_cstr(services[i]));
        }
    }
    buf_free(&body);
}

static void find_stopped(struct doctor *d)
{
    static const char *const needed[] = {"state", "ami-gw", "cti-gw"};
    bool none = json_object_object_length(d->here) + json_object_object_length(d->heard) == 0;

    if (none)
        findings_add(&d->f, FINDING_note, "services.stopped",
                     "Only the configuration and each Asterisk could be examined.",
                     "Start them, then run this again.", "no service runs on this machine");
    for (size_t i = 0; !none && i < ARRAY_SIZE(needed); i++)
        if (!has(d->here, needed[i]) && !has(d->heard, needed[i]))
            findings_add(&d->f, FINDING_fault, "service.stopped",
                         i == 0   ? "Without it nobody logs in and nothing is shown."
                         : i == 1 ? "Without it nothing of Asterisk is seen."
                                  : "Without it no client connects.",
                         "Start it; its log says why it ended.",
                         "ctibus-%s does not run, others do", needed[i]);
}

void doctor_services(struct doctor *d)
{
    doctor_progress(d, "the services");
    if (tool_bus_open(d->t)) {
        doctor_ha(d);
        if (config_ha(d->cfg) || doctor_connects(d->t->bus_setup.subscribe))
            listen_to_bus(d);
        if (has(d->heard, "state"))
            ask_state(d);
    }
    tool_bus_close(d->t);
    ask_health(d);
    find_stopped(d);
}

/* ---- consequences ---- */

/* Is it told that one cannot log in to this Asterisk? */
static bool is_login_told(const struct doctor *d, struct view ipbx)
{
    for (size_t i = 0; i < json_object_array_length(d->f.list); i++) {
        struct json_object *o = json_object_array_get_idx(d->f.list, i);
        struct view what = json_get_view(o, "what");
        if (view_eq(json_get_view(o, "id"), VIEW("ami.login")) && view_starts(what, ipbx) &&
            what.len > ipbx.len && what.ptr[ipbx.len] == ':')
            return true;
    }
    return false;
}

/* Of a source, ami-gw:IPBX@HOST: is it the gateway of this Asterisk? */
static bool is_gateway_of(struct view source, struct view ipbx)
{
    return view_eq(view_cut(&source, ':'), VIEW("ami-gw")) && view_eq(view_cut(&source, '@'), ipbx);
}

static bool is_gateway_heard(const struct doctor *d, struct view ipbx)
{
    json_object_object_foreach(d->heard, source, nothing)
    {
        (void)nothing;
        if (is_gateway_of(view_cstr(source), ipbx))
            return true;
    }
    return false;
}

/* Without a login there is no link, and where no ami-gw runs that is told. */
static void find_link(struct doctor *d, struct json_object *o)
{
    struct view ipbx = json_get_view(o, "ipbx");

    if (!view_eq(json_get_view(o, "link"), VIEW("down")) || json_get_bool(o, "remote", false) ||
        is_login_told(d, ipbx) || !(has(d->heard, "ami-gw") || has(d->here, "ami-gw")))
        return;
    if (is_gateway_heard(d, ipbx))
        findings_add(&d->f, FINDING_fault, "ipbx.down",
                     "Its phones are dark, and nobody can call by a click.",
                     "The login works from here: the log of its ctibus-ami-gw says what it waits "
                     "for.",
                     "%.*s: its ctibus-ami-gw runs and is not connected to this Asterisk",
                     VIEW_ARG(ipbx));
    else
        findings_add(&d->f, FINDING_fault, "ipbx.down",
                     "Its phones are dark, and nobody can call by a click.",
                     "Start one: ctibus-ami-gw --ipbx ID (with systemd ctibus-ami-gw@ID).",
                     "%.*s: no ctibus-ami-gw runs for this Asterisk, others do", VIEW_ARG(ipbx));
}

bool doctor_link_is_down(const struct doctor *d, struct view ipbx)
{
    struct json_object *all = json_get(d->objects, "ipbx");

    for (size_t i = 0; d->asked && i < doctor_length(all); i++) {
        struct json_object *o = json_object_array_get_idx(all, i);
        if (view_eq(json_get_view(o, "ipbx"), ipbx))
            return view_eq(json_get_view(o, "link"), VIEW("down"));
    }
    return false;
}

/* Those that wait for another, of which it is told. */
static bool waits(const struct doctor *d, struct view source)
{
    struct view rest = source;
    struct view service = view_cut(&rest, ':');
    struct view name = view_cut(&rest, '@');

    if (view_eq(service, VIEW("ami-gw")))
        return is_login_told(d, name) || doctor_link_is_down(d, name);
    if (view_eq(service, VIEW("state")))
        return false;
    json_object_object_foreach(d->unready, other, nothing)
    {
        (void)nothing;
        if (view_starts(view_cstr(other), VIEW("state:")))
            return true;
    }
    return findings_have(&d->f, "state.silent");
}

static const char *why_ready(struct view service)
{
    static const char *const whys[][2] = {
        {"state", "Gateways wait for it: nobody can log in."},
        {"ami-gw", "Nothing of its Asterisk is seen."},
        {"cti-gw", "Clients that connect there cannot log in."},
        {"fagi-gw", "Calls go on without what the dialplan asks of it."},
        {"http-gw", "Programs are not answered, and hear of no calls."},
        {"federation", "Other sites are not seen, and do not see this one."},
    };

    for (size_t i = 0; i < ARRAY_SIZE(whys); i++)
        if (view_eq(service, view_cstr(whys[i][0])))
            return whys[i][1];
    return "It does not do its work.";
}

static void find_unready(struct doctor *d)
{
    json_object_object_foreach(d->unready, source, nothing)
    {
        struct view rest = view_cstr(source);
        struct view service = view_cut(&rest, ':');
        char remedy[128];
        (void)nothing;
        if (waits(d, view_cstr(source)))
            continue;
        snprintf(remedy, sizeof(remedy),
                 "Its log says why, and so does on its machine: ctibus-%.*s --healthcheck",
                 (int)(service.len < 32 ? service.len : 32), service.ptr);
        findings_add(&d->f, FINDING_warning, "service.not_ready", why_ready(service), remedy,
                     "%s runs and is not ready", source);
    }
}

void doctor_links(struct doctor *d)
{
    struct json_object *all = json_get(d->objects, "ipbx");

    for (size_t i = 0; d->asked && i < doctor_length(all); i++)
        find_link(d, json_object_array_get_idx(all, i));
    find_unready(d);
}
