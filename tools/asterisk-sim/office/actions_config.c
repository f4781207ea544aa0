/* What the office is configured with: one endpoint or peer, and the dialplan. */
#include <stdio.h>

#include "office/actions.h"

static struct person *person_named(struct office *o, struct view name)
{
    for (unsigned i = 0; i < o->n_people; i++)
        if (view_eq(name, view_cstr(o->people[i].is.login)))
            return &o->people[i];
    return NULL;
}

/* ---- one device ---- */

static void endpoint_detail(const struct ask *a, const struct person *p)
{
    ask_item(a, "EndpointDetail");
    buf_printf(a->out,
               "ObjectType: endpoint\r\nObjectName: %s\r\nMailboxes: %s%s\r\nAors: %s\r\n"
               "Context: %s\r\nTransport: udp\r\n",
               p ? p->is.login : COMPANY_TRUNK, p ? p->is.number : "", p ? "@default" : "",
               p ? p->is.login : COMPANY_TRUNK, p ? "default" : "from-extern");
    if (p)
        buf_printf(a->out, "Callerid: \"%s\" <%s>\r\n", p->full, p->is.number);
    else
        say(a->out, "Callerid", "<unknown>");
    say_end(a->out);
}

static void show_endpoint(const struct ask *a)
{
    struct view name = ami_get(a->b, "Endpoint");
    const struct person *p = person_named(ask_office(a), name);

    if (!p && !view_eq(name, VIEW(COMPANY_TRUNK))) {
        say_error(a->out, a->id, "Unable to retrieve endpoint");
        return;
    }
    ask_list(a, "Following are Events for each object associated with the Endpoint");
    endpoint_detail(a, p);
    ask_list_end(a, "EndpointDetailComplete", 1, true);
}

static void show_peer(const struct ask *a)
{
    struct view name = ami_get(a->b, "Peer");
    const struct person *p = person_named(ask_office(a), name);

    if (!p && !view_eq(name, VIEW(COMPANY_TRUNK))) {
        say_error(a->out, a->id, "Peer not found.");
        return;
    }
    say_response(a->out, "Success", a->id, NULL);
    buf_printf(a->out,
               "Channeltype: SIP\r\nObjectName: %s\r\nChanObjectType: peer\r\nContext: %s\r\n"
               "VoiceMailbox: %s%s\r\nDynamic: Y\r\nCallerid: \"%s\" <%s>\r\nToHost: %s\r\n",
               p ? p->is.login : COMPANY_TRUNK, p ? "default" : "from-extern",
               p ? p->is.number : "", p ? "@default" : "", p ? p->full : "", p ? p->is.number : "",
               p ? "" : "trunk.example.com");
    say_end(a->out);
}

/* ---- the dialplan ---- */

static void line(const struct ask *a, unsigned *n, const char *context, const char *exten,
                 const char *priority, const char *application, const char *data)
{
    ask_item(a, "ListDialplan");
    say(a->out, "Context", context);
    say(a->out, "Extension", exten);
    say(a->out, "Priority", priority);
    say(a->out, "Application", application);
    if (data)
        say(a->out, "AppData", data);
    say(a->out, "Registrar", "pbx_config");
    say_end(a->out);
    (*n)++;
}

static void show_dialplan(const struct ask *a)
{
    const struct office *o = ask_office(a);
    char data[160];
    unsigned n = 0;

    ask_list(a, "DialPlan list will follow");
    for (unsigned i = 0; i < o->n_people; i++) {
        const struct company_person *is = &o->people[i].is;
        snprintf(data, sizeof(data), "%s/%s", o->old ? "SIP" : "PJSIP", is->login);
        line(a, &n, "default", is->number, "hint", data, NULL);
        snprintf(data, sizeof(data), "user,s,1(%s)", is->number);
        line(a, &n, "default", is->number, "1", "Gosub", data);
    }
    for (unsigned i = 0; i < COMPANY_QUEUES; i++) {
        const struct company_queue *q = &company_queues[i];
        snprintf(data, sizeof(data), "%s,tTkKhHxX,,,%u", q->name, q->timeout_s);
        line(a, &n, "default", q->number, "1", "Answer", "");
        line(a, &n, "default", q->number, "2", "Queue", data);
        line(a, &n, "from-extern", q->did, "1", "Queue", data);
    }
    line(a, &n, "default", COMPANY_ROOM, "1", o->old ? "MeetMe" : "ConfBridge", COMPANY_ROOM);
    line(a, &n, "default", COMPANY_LOT_EXTEN, "1", "Park", "");
    ask_list_end(a, "ShowDialPlanComplete", n, true);
}

const struct office_row office_config_rows[] = {
    {{"PJSIPShowEndpoint", show_endpoint, false}, ONLY_NEW},
    {{"SIPshowpeer", show_peer, false}, ONLY_OLD},
    {{"ShowDialPlan", show_dialplan, false}, BOTH},
};
const size_t office_n_config_rows = ARRAY_SIZE(office_config_rows);
