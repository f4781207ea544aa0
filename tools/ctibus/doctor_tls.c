/* The certificate that an Asterisk shows. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "doctor.h"

#define HANDSHAKE_MS 5000

/* What is said of a certificate; of the names the control characters are left out. */
struct shown {
    char subject[200], issuer[200], until[16];
    int days;      /* until it expires; less than 0: it has */
    long verified; /* X509_V_OK, or why it is not believed */
};

/* ---- fetching ---- */

/* As the connection of ami-gw believes: the file, or the system's store; and the name. */
static bool set_trust(SSL_CTX *ctx, SSL *ssl, const struct asterisk_options *o)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    const char *name = o->tls_name ? o->tls_name : o->host;

    if (o->tls_ca && !SSL_CTX_load_verify_file(ctx, o->tls_ca))
        return false; /* the login tells it */
    if (!o->tls_ca)
        SSL_CTX_set_default_verify_paths(ctx);
    else
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name))
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(ssl, name);
}

/* The other side may let us wait, and not for longer than that. */
static bool shake_hands(SSL *ssl, int fd)
{
    uint64_t end = clock_mono_us() + HANDSHAKE_MS * UINT64_C(1000);
    struct pollfd p = {.fd = fd};
    int rc;

    while ((rc = SSL_connect(ssl)) != 1) {
        uint64_t now = clock_mono_us();
        int error = SSL_get_error(ssl, rc);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return false;
        p.events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (now >= end || poll(&p, 1, (int)((end - now) / 1000) + 1) <= 0)
            return false;
    }
    return true;
}

static void put_name(char *out, size_t size, const X509_NAME *name)
{
    BIO *text = BIO_new(BIO_s_mem());
    int n;

    out[0] = '\0';
    /* like O=Example, CN=pbx; a control character is written as \1B */
    if (text && X509_NAME_print_ex(text, name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) >= 0) {
        n = BIO_read(text, out, (int)size - 1);
        out[n > 0 ? n : 0] = '\0';
    }
    BIO_free(text);
}

static void describe(struct shown *s, const SSL *ssl, X509 *cert)
{
    const ASN1_TIME *until = X509_get0_notAfter(cert);
    struct tm tm = {0};
    int seconds = 0;

    put_name(s->subject, sizeof(s->subject), X509_get_subject_name(cert));
    put_name(s->issuer, sizeof(s->issuer), X509_get_issuer_name(cert));
    if (!ASN1_TIME_to_tm(until, &tm) || strftime(s->until, sizeof(s->until), "%Y-%m-%d", &tm) == 0)
        snprintf(s->until, sizeof(s->until), "?");
    if (ASN1_TIME_diff(&s->days, &seconds, NULL, until) && s->days == 0 && seconds < 0)
        s->days = -1;
    s->verified = SSL_get_verify_result(ssl);
}

/* False: it shows none, and why is told where the login fails. */
static bool fetch(const struct asterisk_options *o, struct shown *s)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    bool is_v6 = strchr(o->host, ':') != NULL;
    X509 *cert = NULL;
    char addr[300];
    int fd = -1;

    snprintf(addr, sizeof(addr), is_v6 ? "[%s]:%u" : "%s:%u", o->host, (unsigned)asterisk_port(o));
    if (ssl && set_trust(ctx, ssl, o) && (fd = doctor_connect(addr)) >= 0 && SSL_set_fd(ssl, fd)) {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL); /* it is judged when it has been seen */
        if (shake_hands(ssl, fd))
            cert = SSL_get1_peer_certificate(ssl);
    }
    if (cert)
        describe(s, ssl, cert);
    X509_free(cert);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    if (fd >= 0)
        close(fd);
    return cert != NULL;
}

/* ---- telling ---- */

#define RENEW                                                                                      \
    "Put a new one into the file that `tlscertfile` of manager.conf names, then: asterisk -rx "    \
    "\"manager reload\"\nIf the old one is still shown: restart Asterisk."

static const char *remedy_of(const struct shown *s)
{
    switch (s->verified) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return RENEW;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "Is the clock of this machine right? timedatectl\nElse: " RENEW;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "Name the host as the certificate does, in ipbx_connection.tls_name; or make one "
               "that is for this host.";
    default:
        return "Give the CA that signed it, or the certificate itself: ipbx_connection.tls_ca";
    }
}

void doctor_certificate(struct doctor *d, const char *ipbx, const struct asterisk_options *o)
{
    struct shown s = {.until = ""};
    char days[48];
    bool refused;

    if (!o->tls || !o->host || !fetch(o, &s))
        return;
    refused = !o->no_verify && s.verified != X509_V_OK;
    if (refused)
        findings_add(&d->f, FINDING_fault, "ami.certificate",
                     "ctibus does not log in to an Asterisk that it cannot be sure of.",
                     remedy_of(&s),
                     "%s: the certificate of the Asterisk is refused: %s (%s, issued by %s, valid "
                     "until %s)",
                     ipbx, X509_verify_cert_error_string(s.verified), s.subject, s.issuer, s.until);
    else if (s.days < DOCTOR_SOON_DAYS)
        findings_add(&d->f, FINDING_warning, "ami.certificate",
                     o->no_verify ? "Where it is verified it is refused then."
                                  : "ctibus does not log in with an expired one.",
                     RENEW,
                     "%s: the certificate of the Asterisk %s (%s, issued by %s, valid until %s)",
                     ipbx, doctor_days(s.days, days), s.subject, s.issuer, s.until);
    else
        findings_add(&d->f, FINDING_note, "ami.certificate", "", "",
                     "%s: the certificate of the Asterisk is %s, issued by %s, valid until %s%s",
                     ipbx, s.subject, s.issuer, s.until,
                     o->no_verify ? "; it is not verified (tls_verify)" : "");
}
