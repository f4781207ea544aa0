#include "sessions/ldap_bind.h"

#include <ldap.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/clock.h"

#define TIMEOUT_S 3 /* shorter than a gateway waits for the answer */
/* The log hears of a server that cannot be asked at most so often. */
#define TELL_US 60000000u

struct ldap_bind {
    char *uri, *user_dn, *base, *filter, *search_dn, *search_password, *ca_file;
    bool start_tls;
    struct log *log;
    atomic_ullong told; /* monotonic us */
};

static char *copy(const char *text)
{
    return text && *text ? view_dup(view_cstr(text)) : NULL;
}

struct ldap_bind *ldap_bind_new(const struct ldap_options *opt, struct log *log)
{
    struct ldap_bind *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->uri = copy(opt->uri);
    b->user_dn = copy(opt->user_dn);
    b->base = copy(opt->base);
    b->filter = copy(opt->filter);
    b->search_dn = copy(opt->search_dn);
    b->search_password = copy(opt->search_password);
    b->ca_file = copy(opt->ca_file);
    b->start_tls = opt->start_tls;
    b->log = log;
    if (!b->uri)
        ldap_bind_destroy(&b);
    return b;
}

void ldap_bind_destroy(struct ldap_bind **bp)
{
    struct ldap_bind *b = *bp;

    if (!b)
        return;
    *bp = NULL;
    free(b->uri);
    free(b->user_dn);
    free(b->base);
    free(b->filter);
    free(b->search_dn);
    if (b->search_password)
        explicit_bzero(b->search_password, strlen(b->search_password));
    free(b->search_password);
    free(b->ca_file);
    free(b);
}

/* ---- names ---- */

/* Puts `user` for each %s; every byte but letters and digits as backslash and two digits. */
static void put_escaped(struct buf *out, const char *template, const char *user)
{
    for (const char *p = template; *p; p++) {
        if (p[0] != '%' || p[1] != 's') {
            buf_append_char(out, *p);
            continue;
        }
        for (const char *u = user; *u; u++) {
            char low = (char)(*u | 0x20);
            if ((low >= 'a' && low <= 'z') || (*u >= '0' && *u <= '9'))
                buf_append_char(out, *u);
            else
                buf_printf(out, "\\%02x", (unsigned char)*u);
        }
        p++;
    }
}

void ldap_put_dn(struct buf *out, const char *template, const char *user)
{
    put_escaped(out, template, user);
}

void ldap_put_filter(struct buf *out, const char *template, const char *user)
{
    put_escaped(out, template, user);
}

/* ---- the server ---- */

static void tell(struct ldap_bind *b, const char *what, int rc)
{
    unsigned long long now = clock_mono_us();
    unsigned long long last = atomic_load(&b->told);

    if ((last && now - last < TELL_US) || !atomic_compare_exchange_strong(&b->told, &last, now))
        return;
    log_error(b->log, "LDAP server %s: %s: %s (ctibus.auth.ldap); its users cannot log in", b->uri,
              what, ldap_err2string(rc));
}

static int set_options(struct ldap_bind *b, LDAP *ld)
{
    const struct timeval limit = {.tv_sec = TIMEOUT_S};
    int version = LDAP_VERSION3;
    int fresh = 0; /* a server context, of TLS */

    ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit);
    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &limit);
    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF); /* no password to a third party */
    if (b->ca_file) {
        ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, b->ca_file);
        ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &fresh);
    }
    return b->start_tls ? ldap_start_tls_s(ld, NULL, NULL) : LDAP_SUCCESS;
}

static int bind_as(LDAP *ld, const char *dn, const char *password)
{
    struct berval secret = {.bv_len = strlen(password), .bv_val = (char *)password};

    return ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}

/* The only entry that the filter finds. */
static int search(struct ldap_bind *b, LDAP *ld, const char *user, struct buf *dn)
{
    static char *no_attributes[] = {(char *)LDAP_NO_ATTRS, NULL};
    struct timeval limit = {.tv_sec = TIMEOUT_S};
    LDAPMessage *found = NULL;
    struct buf filter;
    char *name = NULL;
    int rc;

    buf_init(&filter, 4096);
    ldap_put_filter(&filter, b->filter ? b->filter : "(uid=%s)", user);
    rc = buf_cstr(&filter) ? ldap_search_ext_s(ld, b->base, LDAP_SCOPE_SUBTREE, buf_cstr(&filter),
                                               no_attributes, 0, NULL, NULL, &limit, 2, &found)
                           : LDAP_NO_MEMORY;
    buf_free(&filter);
    if (rc == LDAP_SUCCESS && ldap_count_entries(ld, found) == 1)
        name = ldap_get_dn(ld, ldap_first_entry(ld, found));
    else if (rc == LDAP_SUCCESS || rc == LDAP_SIZELIMIT_EXCEEDED) /* nobody, or several */
        rc = LDAP_NO_SUCH_OBJECT;
    if (name)
        buf_append_cstr(dn, name);
    ldap_memfree(name);
    ldap_msgfree(found);
    return rc;
}

static int find_dn(struct ldap_bind *b, LDAP *ld, const char *user, struct buf *dn)
{
    int rc;

    if (b->user_dn) {
        ldap_put_dn(dn, b->user_dn, user);
        return LDAP_SUCCESS;
    }
    rc = b->search_dn ? bind_as(ld, b->search_dn, b->search_password ? b->search_password : "")
                      : LDAP_SUCCESS;
    if (rc != LDAP_SUCCESS) {
        tell(b, "the bind of ctibus.auth.ldap.search_dn failed", rc);
        return LDAP_OTHER;
    }
    return search(b, ld, user, dn);
}

enum verdict ldap_bind_check(struct ldap_bind *b, const char *user, const char *password)
{
    enum verdict verdict = VERDICT_UNKNOWN;
    LDAP *ld = NULL;
    struct buf dn;
    int rc;

    if (!*password || !*user)
        return VERDICT_WRONG;
    buf_init(&dn, 4096);
    rc = ldap_initialize(&ld, b->uri);
    if (rc == LDAP_SUCCESS)
        rc = set_options(b, ld);
    if (rc == LDAP_SUCCESS)
        rc = find_dn(b, ld, user, &dn);
    if (rc == LDAP_SUCCESS)
        rc = buf_cstr(&dn) ? bind_as(ld, buf_cstr(&dn), password) : LDAP_NO_MEMORY;
    if (rc == LDAP_SUCCESS)
        verdict = VERDICT_RIGHT;
    else if (rc == LDAP_INVALID_CREDENTIALS || rc == LDAP_NO_SUCH_OBJECT ||
             rc == LDAP_INVALID_DN_SYNTAX || rc == LDAP_INAPPROPRIATE_AUTH)
        verdict = VERDICT_WRONG;
    else
        tell(b, "a password could not be checked", rc);
    if (ld)
        ldap_unbind_ext_s(ld, NULL, NULL);
    buf_free(&dn);
    return verdict;
}
