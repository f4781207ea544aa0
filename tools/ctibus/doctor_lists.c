/* The lists, and their phones against those of the Asterisk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "csv/staff.h"
#include "doctor.h"
#include "json/json.h"

#define MAX_BYTES ((size_t)256 * 1024 * 1024)

size_t doctor_length(struct json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static struct json_object *at(struct json_object *array, size_t i)
{
    return json_object_array_get_idx(array, i);
}

static bool has(struct json_object *set, const char *key)
{
    return json_object_object_get_ex(set, key, NULL);
}

static bool has_view(struct json_object *set, struct view key)
{
    char text[512];

    snprintf(text, sizeof(text), "%.*s", VIEW_ARG(key));
    return has(set, text);
}

static bool is_of(struct json_object *o, const char *ipbx)
{
    return !ipbx || !json_get(o, "ipbx") || view_eq(json_get_view(o, "ipbx"), view_cstr(ipbx));
}

/* ---- what lists there are ---- */

static void add_all(struct json_object *to, struct json_object *from)
{
    for (size_t i = 0; i < doctor_length(from); i++)
        json_object_array_add(to, json_object_get(at(from, i)));
}

/* Of people: their rows, each for itself. */
static struct json_object *parse(struct view text, bool csv)
{
    struct json_object *o = NULL;
    struct json_parser p;

    if (csv)
        return staff_read(text, NULL, NULL);
    if (json_parser_init(&p) < 0)
        return NULL;
    if (json_parse(&p, text, &o) < 0)
        o = NULL;
    json_parser_fini(&p);
    return o;
}

void doctor_add_file(struct doctor *d, struct json_object *to, struct view uri)
{
    bool csv = view_starts(uri, VIEW("csv:"));
    char *path = config_path(d->cfg, csv ? view_of(uri.ptr + 4, uri.len - 4) : uri);
    struct json_object *o = NULL;
    struct buf text;

    buf_init(&text, MAX_BYTES);
    if (path && buf_read_file(&text, path) == 0)
        o = parse(buf_view(&text), csv);
    add_all(to, o);
    json_object_put(o);
    buf_free(&text);
    free(path);
}

/* Those over HTTP, and what an Asterisk has not told, make *whole false. */
static struct json_object *read_lists(struct doctor *d, struct json_object *urllists,
                                      const char *key, struct json_object *found, bool *whole)
{
    struct json_object *uris = json_get(urllists, key);
    struct json_object *all = json_object_new_array();

    for (size_t i = 0; i < doctor_length(uris); i++) {
        struct view uri = json_view(at(uris, i));
        if (view_starts(uri, VIEW("http:")) || view_starts(uri, VIEW("https:")) ||
            (view_eq(uri, VIEW("asterisk:")) && !found))
            *whole = false;
        else if (view_eq(uri, VIEW("asterisk:")))
            add_all(all, found);
        else
            doctor_add_file(d, all, uri);
    }
    return all;
}

bool doctor_lists_ask(struct json_object *section, const char *key)
{
    struct json_object *uris = json_get(json_get_object(section, "urllists"), key);

    for (size_t i = 0; i < doctor_length(uris); i++)
        if (view_eq(json_view(at(uris, i)), VIEW("asterisk:")))
            return true;
    return false;
}

static struct json_object *of_state(struct doctor *d, const char *list, const char *ipbx)
{
    struct json_object *all = json_get(d->objects, list);
    struct json_object *of = json_object_new_array();

    for (size_t i = 0; i < doctor_length(all); i++)
        if (is_of(at(all, i), ipbx))
            json_object_array_add(of, json_object_get(at(all, i)));
    return of;
}

void doctor_lists_read(struct doctor *d, const char *ipbx, struct json_object *section,
                       const struct asterisk *a, struct doctor_lists *l)
{
    struct json_object *urls = json_get_object(section, "urllists");
    struct json_object *found = a ? a->lists : NULL;
    bool people = true;
    bool agents = true;

    *l = (struct doctor_lists){.whole = true};
    l->people = read_lists(d, urls, "urllist_users", json_get(found, "users"), &people);
    if (d->asked) {
        l->phones = of_state(d, "phones", ipbx);
        l->trunks = of_state(d, "trunks", ipbx);
        l->users = of_state(d, "users", ipbx);
        l->agents = of_state(d, "agents", ipbx);
        return;
    }
    l->phones = read_lists(d, urls, "urllist_lines", json_get(found, "lines"), &l->whole);
    l->trunks = read_lists(d, urls, "urllist_trunks", json_get(found, "trunks"), &l->whole);
    l->agents = read_lists(d, urls, "urllist_agents", json_get(found, "agents"), &agents);
    l->whole_people = people;
    if (!agents) {
        json_object_put(l->agents);
        l->agents = NULL;
    }
}

void doctor_lists_free(struct doctor_lists *l)
{
    json_object_put(l->phones);
    json_object_put(l->trunks);
    json_object_put(l->users);
    json_object_put(l->agents);
    json_object_put(l->people);
}

/* ---- devices ---- */

/* SIP/1001, of drivers that list their devices; "" for others. */
static const char *device_of(const struct doctor *d, struct json_object *o, char out[300])
{
    static const char *const drivers[][2] = {
        {"sip", "SIP"}, {"pjsip", "PJSIP"}, {"iax", "IAX2"}, {"iax2", "IAX2"}};
    struct view protocol = json_get_text(o, "protocol");
    struct view name = json_get_text(o, "name");

    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(drivers) && name.len; i++) {
        const char *driver = drivers[i][1];
        if (!view_ieq(protocol, view_cstr(drivers[i][0])))
            continue;
        if (i == 0 && config_bool(d->cfg, "ctibus.ipbx.sip_is_pjsip"))
            driver = "PJSIP";
        snprintf(out, 300, "%s/%.*s", driver, (int)(name.len < 250 ? name.len : 250), name.ptr);
    }
    return out;
}

static void add_devices(const struct doctor *d, struct json_object *set, struct json_object *list)
{
    char device[300];

    for (size_t i = 0; i < doctor_length(list); i++)
        if (*device_of(d, at(list, i), device))
            json_object_object_add(set, device, NULL);
}

/* Those of the Asterisk: their protocol is what they are, whatever sip_is_pjsip says. */
static void add_found(struct json_object *set, struct json_object *list)
{
    char device[300];

    for (size_t i = 0; i < doctor_length(list); i++) {
        struct view protocol = json_get_text(at(list, i), "protocol");
        const char *driver = view_eq(protocol, VIEW("pjsip")) ? "PJSIP"
                             : view_eq(protocol, VIEW("sip")) ? "SIP"
                             : view_eq(protocol, VIEW("iax")) ? "IAX2"
                                                              : NULL;
        struct view name = json_get_text(at(list, i), "name");
        if (!driver)
            continue;
        snprintf(device, sizeof(device), "%s/%.*s", driver, (int)(name.len < 250 ? name.len : 250),
                 name.ptr);
        json_object_object_add(set, device, NULL);
    }
}

static void add_hinted(struct json_object *set, struct json_object *hints)
{
    json_object_object_foreach(hints, key, hint)
    {
        struct view rest = json_get_view(hint, "devices");
        char device[300];
        (void)key;
        while (rest.len) {
            struct view one = view_cut(&rest, '&');
            snprintf(device, sizeof(device), "%.*s", (int)(one.len < 290 ? one.len : 290), one.ptr);
            json_object_object_add(set, device, NULL);
        }
    }
}

/* Is it known which devices of this driver there are? */
static bool is_listed(const struct asterisk *a, const char *device)
{
    const char *action = strncmp(device, "PJSIP", 5) == 0 ? "PJSIPShowEndpoints"
                         : strncmp(device, "SIP", 3) == 0 ? "SIPpeers"
                                                          : "IAXpeers";

    return !has(a->refused, action);
}

/* ---- phones ---- */

/* Where the Asterisk has no phones at all, that is the fault, and is told. */
static void find_phones(struct doctor *d, const char *ipbx, struct json_object *section,
                        const struct doctor_lists *l, const struct asterisk *a,
                        struct json_object *devices)
{
    bool asked = doctor_lists_ask(section, "urllist_lines");
    struct some unknown = {0};
    struct some other = {0};
    char device[300];
    char pjsip[310];

    if (doctor_length(json_get(a->lists, "lines")) == 0)
        return;
    for (size_t i = 0; i < doctor_length(l->phones); i++) {
        device_of(d, at(l->phones, i), device);
        if (!*device || has(devices, device) || !is_listed(a, device))
            continue;
        snprintf(pjsip, sizeof(pjsip), "PJSIP/%s", strchr(device, '/') + 1);
        if (strncmp(device, "SIP/", 4) == 0 && has(devices, pjsip))
            some_add(&other, view_cstr(device));
        else
            some_add(&unknown, view_cstr(device));
    }
    if (other.n)
        findings_add(&d->f, FINDING_fault, "phones.technology",
                     "They stay dark: their channels begin PJSIP/, and the lists say SIP/.",
                     "In ctibus.json: \"ctibus\": {\"ipbx\": {\"sip_is_pjsip\": true}}, or the "
                     "protocol pjsip in the lists.",
                     "%s: %s", ipbx,
                     some_say(&other, "phone of the lists is sip, and a PJSIP endpoint in Asterisk",
                              "phones of the lists are sip, and PJSIP endpoints in Asterisk"));
    if (unknown.n)
        findings_add(&d->f, FINDING_fault, "phones.unknown",
                     "They stay dark, and cannot be called by a click.",
                     asked ? "If the Asterisk had them before: ctibus reload phones\nElse correct "
                             "protocol and name in the other lists of urllist_lines."
                           : "Correct protocol and name in the lists (or take them out), then: "
                             "ctibus reload phones",
                     "%s: %s", ipbx,
                     some_say(&unknown, "phone of the lists is unknown to Asterisk",
                              "phones of the lists are unknown to Asterisk"));
}

/* Those that its own list will have once a gateway is connected are not missed. */
static void find_left_out(struct doctor *d, const char *ipbx, struct json_object *section,
                          const struct doctor_lists *l, const struct asterisk *a)
{
    bool asked = doctor_lists_ask(section, "urllist_lines");
    struct json_object *ours = json_object_new_object();
    struct json_object *theirs = json_object_new_object();
    struct some left = {0};

    add_devices(d, ours, l->phones);
    add_devices(d, ours, l->trunks);
    add_found(theirs, json_get(a->lists, "lines"));
    json_object_object_foreach(theirs, device, nothing)
    {
        (void)nothing;
        char sip[310];
        snprintf(sip, sizeof(sip), "SIP/%s", strchr(device, '/') + 1);
        /* one that the lists have by another technology is told as that */
        if (!has(ours, device) && !(strncmp(device, "PJSIP/", 6) == 0 && has(ours, sip)))
            some_add(&left, view_cstr(device));
    }
    if (left.n && l->whole && !(asked && doctor_link_is_down(d, view_cstr(ipbx))))
        findings_add(&d->f, FINDING_warning, "phones.unlisted",
                     "They are not shown, and calls to them seem to go nowhere.",
                     asked ? "ctibus reload phones takes them from the Asterisk."
                           : "Add them to urllist_lines, or put \"asterisk:\" there; then: ctibus "
                             "reload phones",
                     "%s: %s", ipbx,
                     some_say(&left, "phone of Asterisk is in no list",
                              "phones of Asterisk are in no list"));
    json_object_put(ours);
    json_object_put(theirs);
}

static void find_hints(struct doctor *d, const char *ipbx, const struct doctor_lists *l,
                       const struct asterisk *a, struct json_object *devices)
{
    struct json_object *hinted = json_object_new_object();
    struct some none = {0};
    char device[300];

    add_hinted(hinted, a->hints);
    for (size_t i = 0; i < doctor_length(l->phones); i++)
        if (*device_of(d, at(l->phones, i), device) && has(devices, device) && !has(hinted, device))
            some_add(&none, view_cstr(device));
    if (none.n && !has(a->refused, "ExtensionStateList") && !has(a->refused, "ShowDialPlan"))
        findings_add(&d->f, FINDING_warning, "phones.hint",
                     "Their lamps follow the state of the device alone: do not disturb and other "
                     "devices of the number are not seen.",
                     "In extensions.conf, in the context of the phone: exten => "
                     "NUMBER,hint,TECHNOLOGY/NAME",
                     "%s: %s", ipbx, some_say(&none, "phone has no hint", "phones have no hint"));
    json_object_put(hinted);
}

static void find_owners(struct doctor *d, const char *ipbx, const struct doctor_lists *l)
{
    struct json_object *ids = json_object_new_object();
    struct some none = {0};
    char id[256];

    for (size_t i = 0; i < doctor_length(l->users); i++) {
        snprintf(id, sizeof(id), "%.*s", VIEW_ARG(json_get_text(at(l->users, i), "id")));
        json_object_object_add(ids, id, NULL);
    }
    for (size_t i = 0; i < doctor_length(l->phones); i++) {
        struct view user = json_get_text(at(l->phones, i), "iduserfeatures");
        bool nobody = user.len == 0 || view_eq(user, VIEW("0"));
        if (nobody || (l->users && !has_view(ids, user)))
            some_add(&none, json_get_text(at(l->phones, i), "name"));
    }
    if (none.n)
        findings_add(
            &d->f, FINDING_warning, "phones.no_user",
            "They are shown as phones of nobody, and no person is seen to be on the phone.",
            "Give them the id of a user: iduserfeatures in urllist_lines.", "%s: %s", ipbx,
            some_say(&none, "phone belongs to no user", "phones belong to no user"));
    json_object_put(ids);
}

void doctor_phones(struct doctor *d, const char *ipbx, struct json_object *section,
                   const struct asterisk *a)
{
    struct json_object *devices = json_object_new_object();
    struct doctor_lists l;

    doctor_lists_read(d, ipbx, section, a, &l);
    add_found(devices, json_get(a->lists, "lines"));
    add_found(devices, json_get(a->lists, "trunks"));
    find_phones(d, ipbx, section, &l, a, devices);
    find_left_out(d, ipbx, section, &l, a);
    find_hints(d, ipbx, &l, a, devices);
    find_owners(d, ipbx, &l);
    doctor_lists_free(&l);
    json_object_put(devices);
}
