/* Passwords checked by an LDAP server (RFC 4511, simple bind). Blocks: for threads. */
#ifndef CTIBUS_STATE_SESSIONS_LDAP_BIND_H
#define CTIBUS_STATE_SESSIONS_LDAP_BIND_H

#include "base/buf.h"
#include "sessions/verifier.h"

struct ldap_bind;

/* Copies the options; NULL without memory. */
struct ldap_bind *ldap_bind_new(const struct ldap_options *opt, struct log *log);
void ldap_bind_destroy(struct ldap_bind **b);
/* Is it the password of this user? An empty one never is: servers take a bind without a password
 * for an anonymous one, which succeeds. Takes at most some 10 s. From any thread. */
enum verdict ldap_bind_check(struct ldap_bind *b, const char *user, const char *password);
/* The name of the user inside a distinguished name, escaped as RFC 4514 says; for tests. */
void ldap_put_dn(struct buf *out, const char *template, const char *user);
/* The same inside a filter (RFC 4515). */
void ldap_put_filter(struct buf *out, const char *template, const char *user);

#endif
