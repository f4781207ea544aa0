/* Listings of phones and mailboxes. */
#include <stdio.h>

#include "office/actions.h"

static const char *device_words(int state)
{
    switch (state) {
    case DEVICE_IDLE:
        return "Not in use";
    case DEVICE_IN_USE:
        return "In use";
    case DEVICE_RINGING:
        return "Ringing";
    case DEVICE_RINGING_IN_USE:
        return "Ring+Inuse";
    case DEVICE_ON_HOLD:
        return "On Hold";
    default:
        return "Unavailable";
    }
}

static void endpoint(const struct ask *a, const char *name, int state, unsigned channels)
{
    bool offline = state == DEVICE_UNAVAILABLE;

    ask_item(a, "EndpointList");
    buf_printf(a->out,
               "ObjectType: endpoint\r\nObjectName: %s\r\nTransport: udp\r\nAor: %s\r\n"
               "Auths: \r\nOutboundAuths: \r\n",
               name, name);
    if (offline)
        say(a->out, "Contacts", "");
    else
        buf_printf(a->out, "Contacts: %s/sip:%s@127.0.0.1:6060,\r\n", name, name);
    buf_printf(a->out, "DeviceState: %s\r\nActiveChannels: %u\r\n", device_words(state), channels);
    say_end(a->out);
}

static void endpoints(const struct ask *a)
{
    const struct office *o = ask_office(a);

    ask_list(a, "A listing of Endpoints follows, presented as EndpointList events");
    for (unsigned i = 0; i < o->n_people; i++)
        endpoint(a, o->people[i].is.login, o->people[i].told, o->people[i].n_legs);
    endpoint(a, COMPANY_TRUNK, DEVICE_IDLE, 0);
    ask_list_end(a, "EndpointListComplete", o->n_people + 1, true);
}

static void contacts(const struct ask *a)
{
    const struct office *o = ask_office(a);
    unsigned n = 0;

    ask_list(a, "A listing of Contacts follows, presented as ContactList events");
    for (unsigned i = 0; i < o->n_people; i++) {
        const char *name = o->people[i].is.login;
        if (o->people[i].offline)
            continue;
        n++;
        ask_item(a, "ContactList");
        buf_printf(a->out,
                   "ObjectType: contact\r\nObjectName: %s;@%08x\r\nViaAddr: 127.0.0.1\r\n"
                   "Endpoint: %s\r\nViaPort: 6060\r\nUri: sip:%s@127.0.0.1:6060\r\n"
                   "UserAgent: office\r\nStatus: Reachable\r\nRoundtripUsec: 900\r\n",
                   name, i, name, name);
        say_end(a->out);
    }
    ask_list_end(a, "ContactListComplete", n, true);
}

static void peer(const struct ask *a, const char *name, bool offline)
{
    ask_item(a, "PeerEntry");
    buf_printf(a->out,
               "Channeltype: SIP\r\nObjectName: %s\r\nChanObjectType: peer\r\n"
               "IPaddress: %s\r\nIPport: %d\r\nDynamic: yes\r\nForcerport: no\r\n"
               "VideoSupport: no\r\nTextSupport: no\r\nACL: no\r\nStatus: %s\r\n"
               "RealtimeDevice: no\r\n",
               name, offline ? "-none-" : "127.0.0.1", offline ? 0 : 6060,
               offline ? "UNKNOWN" : "OK (1 ms)");
    say_end(a->out);
}

static void peers(const struct ask *a)
{
    const struct office *o = ask_office(a);

    say_response(a->out, "Success", a->id, NULL);
    say(a->out, "EventList", "start");
    say(a->out, "Message", "Peer status list will follow");
    say_end(a->out);
    for (unsigned i = 0; i < o->n_people; i++)
        peer(a, o->people[i].is.login, o->people[i].offline);
    peer(a, COMPANY_TRUNK, false);
    ask_list_end(a, "PeerlistComplete", o->n_people + 1, true);
}

static void voicemail_users(const struct ask *a)
{
    const struct office *o = ask_office(a);

    ask_list(a, "Voicemail user list will follow");
    for (unsigned i = 0; i < o->n_people; i++) {
        const struct person *p = &o->people[i];
        ask_item(a, "VoicemailUserEntry");
        buf_printf(a->out,
                   "VMContext: default\r\nVoiceMailbox: %s\r\nFullname: %s\r\nEmail: \r\n"
                   "Pager: \r\nMaxMessageCount: 100\r\nNewMessageCount: %u\r\n",
                   p->is.number, p->full, p->new_messages);
        if (!o->old)
            say_number(a->out, "OldMessageCount", p->old_messages);
        say_end(a->out);
    }
    ask_list_end(a, "VoicemailUserEntryComplete", o->n_people, false);
}

/* Of "1001@default" or "1001"; NULL after an error was said. */
static struct person *mailbox_of(const struct ask *a)
{
    struct view mailbox = ami_get(a->b, "Mailbox"), rest = mailbox;
    struct person *p = office_person(ask_office(a), view_cut(&rest, '@'));

    if (mailbox.len == 0)
        say_error(a->out, a->id, "Mailbox not specified");
    return p;
}

static void mailbox_count(const struct ask *a)
{
    const struct person *p = mailbox_of(a);
    struct view mailbox = ami_get(a->b, "Mailbox");

    if (mailbox.len == 0)
        return;
    say_response(a->out, "Success", a->id, "Mailbox Message Count");
    say_header(a->out, VIEW("Mailbox"), mailbox);
    say(a->out, "UrgMessages", "0");
    say_number(a->out, "NewMessages", p ? p->new_messages : 0);
    say_number(a->out, "OldMessages", p ? p->old_messages : 0);
    say_end(a->out);
}

static void mailbox_status(const struct ask *a)
{
    const struct person *p = mailbox_of(a);
    struct view mailbox = ami_get(a->b, "Mailbox");

    if (mailbox.len == 0)
        return;
    say_response(a->out, "Success", a->id, "Mailbox Status");
    say_header(a->out, VIEW("Mailbox"), mailbox);
    say_number(a->out, "Waiting", p && p->new_messages > 0);
    say_end(a->out);
}

const struct office_row office_list_rows[] = {
    {{"PJSIPShowEndpoints", endpoints, false}, ONLY_NEW},
    {{"PJSIPShowContacts", contacts, false}, ONLY_NEW},
    {{"SIPpeers", peers, false}, ONLY_OLD},
    {{"VoicemailUsersList", voicemail_users, false}, BOTH},
    {{"MailboxCount", mailbox_count, false}, BOTH},
    {{"MailboxStatus", mailbox_status, false}, BOTH},
};
const size_t office_n_list_rows = ARRAY_SIZE(office_list_rows);
