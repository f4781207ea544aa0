/* What went wrong with TLS, in words that say what to do about it. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "net/tls_impl.h"

#define NAME_BYTES 80

/* ---- certificates ---- */

static void common_name(const X509_NAME *from, char *out, size_t n)
{
    if (X509_NAME_get_text_by_NID(from, NID_commonName, out, (int)n) < 0)
        X509_NAME_oneline(from, out, (int)n);
}

static void put_alternative(struct buf *b, const GENERAL_NAME *name)
{
    const ASN1_OCTET_STRING *ip = name->d.iPAddress;
    char text[INET6_ADDRSTRLEN] = "";

    if (name->type == GEN_DNS) {
        const ASN1_IA5STRING *dns = name->d.dNSName;
        buf_printf(b, " %.*s", ASN1_STRING_length(dns), ASN1_STRING_get0_data(dns));
    } else if (name->type == GEN_IPADD) {
        int family = ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6;
        if (family == AF_INET || ASN1_STRING_length(ip) == 16)
            inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof(text));
        buf_printf(b, " %s", text);
    }
}

/* Whom a certificate is for: the names that count. */
static void put_names(struct buf *b, const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    size_t before = buf_len(b);
    char name[NAME_BYTES];

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        put_alternative(b, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    if (buf_len(b) > before)
        return;
    common_name(X509_get_subject_name(cert), name, sizeof(name));
    buf_printf(b, " %s", name);
}

static void put_time(struct buf *b, const ASN1_TIME *time)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm))
        buf_printf(b, " (%04d-%02d-%02d)", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void put_fault(struct buf *b, const X509 *cert, int fault)
{
    char name[NAME_BYTES];

    switch (fault) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        buf_append_cstr(b, "it has expired");
        put_time(b, X509_get0_notAfter(cert));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        buf_append_cstr(b, "it is not valid yet");
        put_time(b, X509_get0_notBefore(cert));
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        buf_append_cstr(b, "it is for another host:");
        put_names(b, cert);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        common_name(X509_get_issuer_name(cert), name, sizeof(name));
        buf_printf(b, "signed by %s, whom nothing here makes trusted", name);
        break;
    default:
        buf_append_cstr(b, "it does not hold");
    }
}

int tls_verified(int ok, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const X509 *cert = X509_STORE_CTX_get_current_cert(store);
    int fault = X509_STORE_CTX_get_error(store);
    struct tls *t = SSL_get_app_data(ssl);
    struct buf b;

    if (ok)
        return ok;
    buf_init(&b, 65536);
    if (cert)
        put_fault(&b, cert, fault);
    snprintf(t->reason, sizeof(t->reason), "TLS certificate refused, %.*s (%s)",
             (int)(buf_len(&b) < CONN_REASON - 90 ? buf_len(&b) : CONN_REASON - 90),
             buf_data(&b) ? buf_data(&b) : "", X509_verify_cert_error_string(fault));
    buf_free(&b);
    return 0;
}

/* ---- the protocol ---- */

static const char *hint(const struct tls *t, unsigned long error)
{
    int reason = ERR_GET_REASON(error);

    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        return "failed";
    if (reason > SSL_AD_REASON_OFFSET)
        return "refused by the other side";
    if (t->established)
        return "failed";
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_UNEXPECTED_MESSAGE:
        return "is not what the other side speaks";
    case SSL_R_UNSUPPORTED_PROTOCOL:
        return "of the other side is too old";
    default:
        return "failed";
    }
}

void tls_explain(struct tls *t)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);

    if (*t->reason)
        return;
    if (!error || (t->ended && !t->established))
        snprintf(t->reason, sizeof(t->reason), "TLS handshake broken off by the other side");
    else
        snprintf(t->reason, sizeof(t->reason), "TLS %s (%s)", hint(t, error),
                 reason ? reason : "unknown error");
}
