/*
 * Checks of passwords that take their time: hashes of crypt(3), and binds to an LDAP server. They
 * run on threads of their own, so that the loop never waits for one.
 */
#ifndef CTIBUS_STATE_SESSIONS_VERIFIER_H
#define CTIBUS_STATE_SESSIONS_VERIFIER_H

#include "base/view.h"
#include "log/log.h"
#include "loop/loop.h"

/* All NULL but uri: not used. Copied. */
struct ldap_options {
    const char
        *uri; /* "ldaps://ldap.example.com", "ldapi://%2Frun%2Fslapd%2Fldapi"; NULL: no LDAP */
    const char *user_dn; /* of a user: "uid=%s,ou=people,dc=example,dc=com"; NULL: it is searched */
    const char *base;    /* below which users are searched */
    const char *filter;  /* by which they are found: "(uid=%s)" */
    const char *search_dn; /* as whom; NULL: anonymously */
    const char *search_password;
    const char *ca_file; /* PEM; NULL: the system's store */
    bool start_tls;      /* goes over to TLS before anything is said */
};

enum verdict {
    VERDICT_RIGHT,
    VERDICT_WRONG,
    VERDICT_UNKNOWN, /* the server could not be asked */
};

struct verifier;
typedef void verifier_fn(void *arg, enum verdict verdict);

/* Starts the threads. NULL and *err (a negative errno) on failure. */
struct verifier *verifier_new(struct loop *loop, const struct ldap_options *ldap, struct log *log,
                              int *err);
/* Waits for the checks that are under way (some seconds at most); `done` is called no more. */
void verifier_destroy(struct verifier **v);
bool verifier_has_ldap(const struct verifier *v);
/* Is it a hash of crypt(3), as "$y$..." or "$6$..."? A password that only begins so is none. */
bool verifier_is_hash(struct view password);
/* Checks the password against a hash; or, hash NULL, by a bind as this user of the LDAP server.
 * done is called on the loop. 0; -ENOMEM; -ENOBUFS: too many wait. */
int verifier_check(struct verifier *v, struct view user, struct view password, const char *hash,
                   verifier_fn *done, void *arg);

#endif
