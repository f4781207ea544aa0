/* Rules about telephones: the states of their devices and their registrations. */
#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"
#include "rules.h"

/* Device states in words, as the numbers that hints have (pbx.h, AST_EXTENSION_*). UNKNOWN is what
 * drivers without device states of their own have while there is no channel: hints take it as idle,
 * too. */
static struct view hint_number(struct view word)
{
    static const struct {
        struct view word, number;
    } states[] = {
        {VIEW("NOT_INUSE"), VIEW("0")},   {VIEW("INUSE"), VIEW("1")},
        {VIEW("BUSY"), VIEW("2")},        {VIEW("INVALID"), VIEW("4")},
        {VIEW("UNAVAILABLE"), VIEW("4")}, {VIEW("RINGING"), VIEW("8")},
        {VIEW("RINGINUSE"), VIEW("9")},   {VIEW("ONHOLD"), VIEW("16")},
        {VIEW("UNKNOWN"), VIEW("0")},
    };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        if (view_eq(states[i].word, word))
            return states[i].number;
    return view_of(NULL, 0);
}

/* Channels of Asterisk's own: they are nobody's telephone. */
static bool is_asterisks_own(struct view device)
{
    static const struct view own[] = {VIEW("Local/"), VIEW("CBAnn/"), VIEW("CBRec/"),
                                      VIEW("Announcer/"), VIEW("Recorder/")};

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (view_starts(device, own[i]))
            return true;
    return false;
}

/* TECHNOLOGY/name; not Custom:x, Queue:x, park:701@lot, MWI:... */
static bool is_phone_device(struct view device)
{
    const char *slash = memchr(device.ptr, '/', device.len);

    return slash && slash > device.ptr && slash + 1 < device.ptr + device.len &&
           !memchr(device.ptr, ':', (size_t)(slash - device.ptr)) && !is_asterisks_own(device);
}

void rule_device(struct translator *t, const struct table_row *row, const struct ami_block *b,
                 struct tel_out *o)
{
    struct view number = hint_number(tel_out_str(o, TELF_status));
    struct view device = tel_out_str(o, TELF_hint);

    if (!number.len || !device.len)
        return;
    if (view_starts(device, VIEW("Custom:")))
        o->event = TEL_device_custom;
    else if (!is_phone_device(device))
        return;
    tel_out_put(o, TELF_status, number);
    translator_emit(t, o);
}

/* TECHNOLOGY/name in that room; the empty view where one is missing or it is too long. */
static struct view peer_name(char *room, size_t size, struct view technology, struct view name)
{
    if (name.len == 0 || technology.len == 0 || name.len + technology.len + 1 > size)
        return view_of(NULL, 0);
    memcpy(room, technology.ptr, technology.len);
    room[technology.len] = '/';
    memcpy(room + technology.len + 1, name.ptr, name.len);
    return view_of(room, technology.len + 1 + name.len);
}

/* peer becomes TECHNOLOGY/name; what is too long to be one is left out. */
static void emit_peer(struct translator *t, struct tel_out *o, struct view technology)
{
    char room[256];
    struct view peer = peer_name(room, sizeof(room), technology, tel_out_str(o, TELF_peer));

    if (peer.len == 0)
        return;
    tel_out_put(o, TELF_peer, peer);
    translator_emit(t, o);
}

/* "sip:alice@192.0.2.1:5060;ob": the host and port. */
static struct view address_of(struct view uri)
{
    struct view user = view_cut(&uri, '@');

    if (uri.len == 0) { /* nobody's: sip:192.0.2.1:5060 */
        uri = user;
        view_cut(&uri, ':');
    }
    return view_cut(&uri, ';');
}

/* Of a line with contacts: how the best of them is, in the words of PeerStatus. `there`: of one
 * that answers. */
static void emit_line(struct translator *t, struct tel_out *o, struct view line, struct view there)
{
    struct view contact;
    enum contact_state best = contacts_best(t->contacts, line, &contact);

    tel_out_put(o, TELF_peer, line);
    tel_out_put(o, TELF_status,
                best == CONTACT_THERE  ? there
                : best == CONTACT_AWAY ? VIEW("Unreachable")
                                       : VIEW("Unregistered"));
    tel_out_drop(o, TELF_address);
    if (contact.len && view_starts(line, VIEW("PJSIP/")))
        tel_out_put_known(o, TELF_address, address_of(contact));
    translator_emit(t, o);
}

/* One that is new or registers again says nothing of whether it answers: it is taken to, unless it
 * is known not to. */
void rule_contact(struct translator *t, const struct table_row *row, const struct ami_block *b,
                  struct tel_out *o)
{
    struct view status = tel_out_str(o, TELF_status);
    struct view uri = tel_out_str(o, TELF_address);
    char room[256];
    struct view line = peer_name(room, sizeof(room), VIEW("PJSIP"), tel_out_str(o, TELF_peer));

    if (line.len == 0)
        return;
    if (view_ieq(status, VIEW("Removed")))
        contacts_set(t->contacts, line, uri, CONTACT_GONE);
    else if (view_ieq(status, VIEW("Unreachable")))
        contacts_set(t->contacts, line, uri, CONTACT_AWAY);
    else if (view_ieq(status, VIEW("Reachable")) || !contacts_has(t->contacts, line, uri))
        contacts_set(t->contacts, line, uri, CONTACT_THERE);
    emit_line(t, o, line, VIEW("Reachable"));
}

/* PJSIP tells it of an endpoint when the first of its contacts answers or the last does not. */
static void endpoint_status(struct translator *t, struct tel_out *o)
{
    struct view line = tel_out_str(o, TELF_peer);
    struct view contact;
    enum contact_state best;

    if (view_ieq(tel_out_str(o, TELF_status), VIEW("Unreachable")))
        contacts_all_away(t->contacts, line);
    best = contacts_best(t->contacts, line, &contact);
    if (best != CONTACT_GONE && !tel_set_has(&o->set, TELF_address))
        tel_out_put_known(o, TELF_address, address_of(contact));
    translator_emit(t, o);
}

/* chan-sccp has no header Peer: a line is attached to a telephone, and may be to several. */
static void sccp_status(struct translator *t, struct tel_out *o, struct view name,
                        struct view telephone)
{
    struct view status = tel_out_str(o, TELF_status);
    char room[256];
    struct view line = peer_name(room, sizeof(room), VIEW("SCCP"), name);

    if (line.len == 0 || telephone.len == 0)
        return;
    if (view_ieq(status, VIEW("ATTACHED")))
        contacts_set(t->contacts, line, telephone, CONTACT_THERE);
    else if (view_ieq(status, VIEW("DETACHED")))
        contacts_set(t->contacts, line, telephone, CONTACT_GONE);
    else
        return;
    emit_line(t, o, line, VIEW("Registered"));
}

void rule_peer(struct translator *t, const struct table_row *row, const struct ami_block *b,
               struct tel_out *o)
{
    struct view sccp = ami_get(b, "SCCPLine");

    if (!tel_set_has(&o->set, TELF_peer) && sccp.len)
        sccp_status(t, o, sccp, ami_get(b, "SCCPDevice"));
    else if (view_starts(tel_out_str(o, TELF_peer), VIEW("PJSIP/")))
        endpoint_status(t, o);
    else
        translator_emit(t, o);
}

/* host:port as in PeerStatus; without a port that is one, the host. */
static struct view with_port(char *room, size_t size, struct view host, struct view port)
{
    bool v6 = memchr(host.ptr, ':', host.len) != NULL;
    int64_t number;
    int n;

    if (view_to_i64(port, &number) < 0 || number <= 0)
        return host;
    n = snprintf(room, size, v6 ? "[%.*s]:%" PRId64 : "%.*s:%" PRId64, VIEW_ARG(host), number);
    return n < 0 || (size_t)n >= size ? host : view_of(room, (size_t)n);
}

/* SIPpeers and IAXpeers say how a peer is in words of their own: those of PeerStatus are told. */
void rule_listed_peer(struct translator *t, const struct table_row *row, const struct ami_block *b,
                      struct tel_out *o)
{
    struct view status = tel_out_str(o, TELF_status);
    struct view address = tel_out_str(o, TELF_address);
    struct view name = tel_out_str(o, TELF_peer);
    bool there = address.len && !view_eq(address, VIEW("-none-"));
    char room[256];

    tel_out_drop(o, TELF_address);
    if (there)
        tel_out_put(o, TELF_address, with_port(room, sizeof(room), address, ami_get(b, "IPport")));
    if (view_starts(status, VIEW("OK")))
        status = VIEW("Reachable");
    else if (view_starts(status, VIEW("LAGGED")))
        status = VIEW("Lagged");
    else if (view_starts(status, VIEW("UNREACHABLE")))
        status = VIEW("Unreachable");
    else
        status = there ? VIEW("Registered") : VIEW("Unregistered");
    tel_out_put(o, TELF_status, status);
    tel_out_put(o, TELF_peer, view_cut(&name, '/')); /* IAXpeers: name/username */
    emit_peer(t, o, ami_get(b, "Channeltype"));
}

/* "alice/sip:alice@192.0.2.1:5060;ob,alice/sip:...,": AOR/URI each. */
void rule_listed_endpoint(struct translator *t, const struct table_row *row,
                          const struct ami_block *b, struct tel_out *o)
{
    bool away = view_ieq(ami_get(b, "DeviceState"), VIEW("Unavailable"));
    struct view rest = tel_out_str(o, TELF_address);
    char room[256];
    struct view line = peer_name(room, sizeof(room), VIEW("PJSIP"), tel_out_str(o, TELF_peer));

    if (line.len == 0)
        return;
    while (rest.len) {
        struct view contact = view_cut(&rest, ',');
        struct view aor = view_cut(&contact, '/');
        if (contact.len == 0)
            contact = aor;
        if (away || !contacts_has(t->contacts, line, contact))
            contacts_set(t->contacts, line, contact, away ? CONTACT_AWAY : CONTACT_THERE);
    }
    emit_line(t, o, line, VIEW("Reachable"));
}

/* "sip:user@host:5060;transport=tls" or "host:5060": the host; of "sip:host" too. */
static struct view host_of(struct view uri)
{
    static const struct view schemes[] = {VIEW("sip:"), VIEW("sips:")};
    ptrdiff_t at = view_find(uri, VIEW("@"));

    if (at >= 0)
        uri = view_of(uri.ptr + at + 1, uri.len - (size_t)at - 1);
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (view_starts(uri, schemes[i]))
            uri = view_of(uri.ptr + schemes[i].len, uri.len - schemes[i].len);
    uri = view_cut(&uri, ';');
    if (uri.len == 0 || *uri.ptr != '[')
        return view_cut(&uri, ':');
    uri = view_of(uri.ptr + 1, uri.len - 1);
    return view_cut(&uri, ']');
}

/* "sip:user@host": the user; what is no URI is one already. */
static struct view user_of(struct view uri)
{
    if (view_starts(uri, VIEW("sip:")))
        uri = view_of(uri.ptr + 4, uri.len - 4);
    else if (view_starts(uri, VIEW("sips:")))
        uri = view_of(uri.ptr + 5, uri.len - 5);
    return view_cut(&uri, '@');
}

/* The names of the drivers differ, as do the words: chan_iax2 and chan_sip write them alike. */
void rule_registry(struct translator *t, const struct table_row *row, const struct ami_block *b,
                   struct tel_out *o)
{
    struct view host = host_of(tel_out_str(o, TELF_host));
    struct view user = user_of(tel_out_str(o, TELF_username));

    if (host.len == 0 || tel_out_str(o, TELF_status).len == 0)
        return;
    tel_out_put(o, TELF_host, host);
    tel_out_drop(o, TELF_username);
    tel_out_put_known(o, TELF_username, user);
    translator_emit(t, o);
}
