/* Why an Asterisk is not logged in to, and what its administrator can do. */
#include <stdio.h>
#include <string.h>

#include "asterisk.h"
#include "base/array.h"
#include "base/netaddr.h"
#include "base/utf8.h"

#define PORT 5038
#define TLS_PORT 5039

const char *asterisk_user(const struct asterisk_options *o)
{
    return o->user ? o->user : "ctibus";
}

uint16_t asterisk_port(const struct asterisk_options *o)
{
    return o->port ? o->port : o->tls ? TLS_PORT : PORT;
}

/* ---- what cannot be ---- */

static const char no_host[] = "the host is not given",
                  bad_host[] = "this is neither a name nor an address of a host",
                  port_in_host[] = "there is a port in the name of the host",
                  bad_user[] = "the name of the user is empty or has a control character",
                  bad_secret[] = "the secret has a control character";

static bool is_port(struct view text)
{
    uint64_t n;

    return view_to_u64(text, &n) == 0 && n <= 65535;
}

const char *asterisk_options_fault(const struct asterisk_options *o)
{
    struct view host = view_cstr(o->host ? o->host : "");
    struct view rest = host;
    struct view name = view_cut(&rest, ':');
    struct netaddr a;

    if (host.len == 0)
        return no_host;
    if (utf8_has_control(host) || !utf8_valid(host) || strpbrk(o->host, " /@\"'"))
        return bad_host;
    if (name.len && name.len + 1 < host.len && is_port(rest))
        return port_in_host;
    if (host.ptr[0] == '[' && view_find(host, VIEW("]:")) > 0)
        return port_in_host;
    if (name.len < host.len && host.ptr[0] != '[' && netaddr_parse(host, &a) < 0)
        return bad_host;
    if (!o->user || !*o->user || utf8_has_control(view_cstr(o->user)))
        return bad_user;
    return o->secret && utf8_has_control(view_cstr(o->secret)) ? bad_secret : NULL;
}

/* ---- remedies ---- */

/* What kind of site it is cannot be seen then. */
#define THERE "In manager.conf (FreePBX: Settings, Asterisk Manager Users):"
#define RELOAD "then `asterisk -rx \"manager reload\"`."

static void put_section(struct buf *out, const struct asterisk_options *o)
{
    buf_printf(out,
               "\n"
               "    [%s]\n"
               "    secret = ...\n"
               "    deny = 0.0.0.0/0.0.0.0\n"
               "    permit = ADDRESS OF THIS MACHINE/255.255.255.255\n"
               "    read = " ASTERISK_READ "\n"
               "    write = " ASTERISK_WRITE,
               asterisk_user(o));
}

static void put_refused(struct buf *out, const struct asterisk_options *o)
{
    if (o->tls)
        buf_printf(
            out,
            "Nothing listens there for TLS, which --tls, --tls-ca, --tls-name and --no-verify "
            "mean (port 5039 if --port\nsays no other). In manager.conf, section [general]: "
            "tlsenable = yes, tlsbindaddr = 0.0.0.0:%u, tlscertfile and\ntlsprivatekey; " RELOAD
            " Or without TLS: leave out --tls\n(in ctibus.json: "
            "ipbx_connection.tls).",
            (unsigned)asterisk_port(o));
    else
        buf_printf(out,
                   "%s In manager.conf, section [general]: enabled = yes, port = %u, and a "
                   "bindaddr that\nthis machine reaches; " RELOAD,
                   asterisk_port(o) == PORT
                       ? "Nothing listens there."
                       : "Nothing listens there: is this the port of its manager interface?",
                   (unsigned)asterisk_port(o));
}

static void put_certificate(struct buf *out, const struct asterisk_options *o)
{
    if (o->tls_ca)
        buf_printf(out,
                   "%s has not the CA that signed it. Give that, or the certificate itself, by "
                   "--tls-ca FILE (in ctibus.json:\nipbx_connection.tls_ca).",
                   o->tls_ca);
    else
        buf_append_cstr(out, "Give the CA that signed the certificate, or the certificate itself, "
                             "by --tls-ca FILE (in ctibus.json: ipbx_connection.tls_ca).");
    buf_append_cstr(out, "\nIn manager.conf, section [general], it is the file of: tlscertfile = "
                         "...");
}

static const struct {
    const char *in;                                                 /* a part of the reason */
    const char *remedy;                                             /* NULL: put alone */
    void (*put)(struct buf *out, const struct asterisk_options *o); /* NULL: nothing more */
} remedies[] = {
    {no_host, "--host (in ctibus.json: ipbx_connection.ipaddress) has the name or the address.",
     NULL},
    {port_in_host, "Give the port by itself: --host HOST --port PORT.", NULL},
    {bad_host, "Correct --host (in ctibus.json: ipbx_connection.ipaddress).", NULL},
    {bad_user, "Correct --user (in ctibus.json: ipbx_connection.username).", NULL},
    {bad_secret,
     "Correct --secret or CTIBUS_AMI_SECRET (in ctibus.json: ipbx_connection.password): is there "
     "an end of a line in it?",
     NULL},
    {"refused: Authentication failed",
     "The name or the secret is wrong, or `permit` does not have this machine's address. " THERE,
     put_section},
    {"refused: ", "Asterisk does not let this user in. " THERE, put_section},
    {"Connection refused", NULL, put_refused},
    {"it speaks TLS", "Add --tls (in ctibus.json: ipbx_connection.tls).", NULL},
    {"a port for TLS is silent", "Is that the port of AMI? If it is its TLS port, add --tls.",
     NULL},
    {"it is for another host",
     "Use a name of the certificate as --host, if it resolves to this Asterisk, or accept one with "
     "--tls-name NAME\n(in ctibus.json: ipbx_connection.tls_name).",
     NULL},
    {"it has expired",
     "Give the Asterisk a new certificate: in manager.conf, section [general], it is the file of "
     "tlscertfile; " RELOAD,
     NULL},
    {"it is not valid yet",
     "Is the clock of this machine right? timedatectl set-ntp true\nElse give the Asterisk another "
     "certificate: tlscertfile in manager.conf.",
     NULL},
    {"certificate refused", NULL, put_certificate},
    {"wrong version number", "It does not speak TLS at this port: leave out --tls.", NULL},
    {"TLS ",
     "Is that the port for TLS of AMI (tlsbindaddr in manager.conf)? If it speaks no TLS, leave "
     "out --tls.",
     NULL},
    {"closed by Asterisk",
     "Asterisk closes the connection at once: `permit` and `deny` of manager.conf, a firewall of "
     "its machine, or\n`authlimit`. " THERE,
     put_section},
    {"Connection reset",
     "Its machine ends the connection at once: a firewall, or `authlimit`. " THERE, put_section},
    {"no such name",
     "Is the name right? `getent hosts NAME` asks as this machine does; an address "
     "does, too.",
     NULL},
    {"DNS",
     "Give the address of the Asterisk, or repair DNS of this machine (/etc/resolv.conf): "
     "`getent hosts NAME` asks it.",
     NULL},
    {"no connection within",
     "The machine does not answer: is it the right address, and does a firewall pass the port? In "
     "manager.conf, section [general]:\n    enabled = yes\n    bindaddr = 0.0.0.0",
     NULL},
    {" unreachable", "Is it the right address? `ip route` shows which this machine reaches.", NULL},
    {"Invalid argument",
     "It is no address to connect to; one that begins with fe80: belongs to a single network of "
     "this machine: give another.",
     NULL},
    {"No route to host",
     "Is it the right address? A machine that is off, or a firewall, answers so, too.", NULL},
    {"too slow", "Its machine or the network has much to do: try when there are fewer calls.",
     NULL},
    {"within the time limit", "Is that the port of AMI, and does the Asterisk still run?", NULL},
};

static void put_remedy(struct buf *out, const struct asterisk_options *o, const struct asterisk *a)
{
    if (a->bad_ca) {
        buf_append_cstr(out,
                        "--tls-ca (in ctibus.json: ipbx_connection.tls_ca) must name a file of "
                        "certificates in PEM, each of which\nbegins with -----BEGIN "
                        "CERTIFICATE-----.");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
        if (!strstr(a->why, remedies[i].in))
            continue;
        if (remedies[i].remedy)
            buf_append_cstr(out, remedies[i].remedy);
        if (remedies[i].put)
            remedies[i].put(out, o);
        return;
    }
    buf_append_cstr(out, "Is it the manager interface of an Asterisk that answers there? Its "
                         "messages: asterisk -rvvv");
}

void asterisk_find_login(struct findings *f, const char *name, const struct asterisk_options *o,
                         const struct asterisk *a)
{
    const char *why = *a->why ? a->why : "not all questions were answered";
    const char *host = o->host ? o->host : "";
    bool colons = strchr(host, ':') && *host != '[';
    struct buf remedy;
    char where[512];

    snprintf(where, sizeof(where), "%s%s%s:%u", colons ? "[" : "", host, colons ? "]" : "",
             (unsigned)asterisk_port(o));
    buf_init(&remedy, 65536);
    put_remedy(&remedy, o, a);
    if (asterisk_options_fault(o)) /* there is no such place */
        findings_add(f, FINDING_fault, "ami.login",
                     "Nothing of this Asterisk is known without a login.", buf_cstr(&remedy),
                     "%s: %s", *name ? name : "--host", why);
    else if (strcmp(name, host) == 0)
        findings_add(f, FINDING_fault, "ami.login",
                     "Nothing of this Asterisk is known without a login.", buf_cstr(&remedy),
                     "%s: %s", where, why);
    else
        findings_add(f, FINDING_fault, "ami.login",
                     "Nothing of this Asterisk is known without a login.", buf_cstr(&remedy),
                     "%s: %s (%s)", name, why, where);
    buf_free(&remedy);
}
