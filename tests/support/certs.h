/* Certificates for tests, made anew by each run in a folder of its own: nothing to expire, no key
 * in the repository. Include after cmocka.h. */
#ifndef CTIBUS_TESTS_CERTS_H
#define CTIBUS_TESTS_CERTS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"

#define DAY_S 86400L

/* What the tests use. A name stands for two files: certs_path(c, "good.pem"), and "good.key". */
struct certs {
    char dir[64];
};

struct cert {
    EVP_PKEY *key;
    X509 *x509;
};

/* The path of a file, good until the eighth call from here. */
static inline const char *certs_path(const struct certs *c, const char *file)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", c->dir, file);
    return path;
}

static inline void cert_free(struct cert *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->x509);
}

static inline void cert_extend(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(e);
    assert_true(X509_add_ext(x509, e, -1));
    X509_EXTENSION_free(e);
}

/* Of `name`, for the alternative names `san` (as "DNS:a,IP:127.0.0.1"; NULL: a CA), good from and
 * until so many seconds from now, signed by issuer (NULL: by itself). */
static inline struct cert cert_make(const char *name, const char *san, long from, long until,
                                    const struct cert *issuer)
{
    struct cert c = {EVP_EC_gen("P-256"), X509_new()};
    const struct cert *by = issuer ? issuer : &c;
    X509_NAME *subject = X509_get_subject_name(c.x509);
    static long serial = 1;

    assert_non_null(c.key);
    X509_set_version(c.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c.x509), from);
    X509_gmtime_adj(X509_getm_notAfter(c.x509), until);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(c.x509, X509_get_subject_name(by->x509));
    X509_set_pubkey(c.x509, c.key);
    if (san)
        cert_extend(c.x509, NID_subject_alt_name, san);
    else
        cert_extend(c.x509, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(c.x509, by->key, EVP_sha256()) > 0);
    return c;
}

static inline void cert_save(struct certs *to, const char *name, const struct cert *c)
{
    char file[64];
    FILE *f;

    snprintf(file, sizeof(file), "%s.pem", name);
    f = fopen(certs_path(to, file), "w");
    assert_non_null(f);
    assert_true(PEM_write_X509(f, c->x509));
    fclose(f);
    snprintf(file, sizeof(file), "%s.key", name);
    f = fopen(certs_path(to, file), "w");
    assert_non_null(f);
    assert_true(PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL));
    fclose(f);
}

static inline void certs_add(struct certs *to, const char *file, const char *name, const char *san,
                             long from, long until, const struct cert *issuer)
{
    struct cert c = cert_make(name, san, from, until, issuer);

    cert_save(to, file, &c);
    cert_free(&c);
}

/* Two CAs, and certificates that the first has signed: good (for pbx.example and 127.0.0.1), other
 * (for another host), expired, early; "self" has signed itself. */
static inline void certs_make(struct certs *c)
{
    static const char san[] = "DNS:pbx.example,IP:127.0.0.1";
    struct cert ca = cert_make("ctibus test CA", NULL, -DAY_S, DAY_S, NULL);

    *c = (struct certs){.dir = "/tmp/ctibus-certs-XXXXXX"};
    assert_non_null(mkdtemp(c->dir));
    cert_save(c, "ca", &ca);
    certs_add(c, "foreign-ca", "foreign CA", NULL, -DAY_S, DAY_S, NULL);
    certs_add(c, "good", "pbx", san, -DAY_S, DAY_S, &ca);
    certs_add(c, "other", "other", "DNS:other.example,IP:10.1.2.3", -DAY_S, DAY_S, &ca);
    certs_add(c, "expired", "pbx", san, -3 * DAY_S, -DAY_S, &ca);
    certs_add(c, "early", "pbx", san, DAY_S, 2 * DAY_S, &ca);
    certs_add(c, "self", "pbx", san, -DAY_S, DAY_S, NULL);
    cert_free(&ca);
}

static inline void certs_remove(struct certs *c)
{
    static const char *const names[] = {"ca",      "foreign-ca", "good", "other",
                                        "expired", "early",      "self"};
    char file[64];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(file, sizeof(file), "%s.pem", names[i]);
        unlink(certs_path(c, file));
        snprintf(file, sizeof(file), "%s.key", names[i]);
        unlink(certs_path(c, file));
    }
    rmdir(c->dir);
}

#endif
