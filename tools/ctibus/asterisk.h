/* An Asterisk as a command of the tool sees it: logged in to once, without services. */
#ifndef CTIBUS_TOOL_ASTERISK_H
#define CTIBUS_TOOL_ASTERISK_H

#include <json-c/json.h>

#include "discover/discover.h"
#include "findings.h"
#include "tool.h"

/* Where it is, of the options of the command line or of a configuration. Borrowed texts; NULL: not
 * given. */
struct asterisk_options {
    const char *host, *user, *secret, *tls_ca;
    uint16_t port;        /* 0: 5038, with TLS 5039 */
    const char *tls_name; /* whom its certificate must be for; NULL: host */
    const char *bad_port; /* of the command line: it is none */
    bool tls, no_verify, latin1;
    char *ca_path; /* owned: tls_ca of a configuration */
};

#define ASTERISK_BAD_PORT "--port %s: a port is a number from 1 to 65535"

/* The classes that its user needs, as manager.conf has them. */
#define ASTERISK_READ "system,call,agent,user,originate,dialplan,reporting"
#define ASTERISK_WRITE "system,call,agent,user,originate,reporting,command"

/* Takes --host, --port, --user, --secret, --tls, --tls-ca, --tls-name and --no-verify off the front
 * of the arguments; the secret also from the environment (CTIBUS_AMI_SECRET), where `ps` does not
 * show it. False: another argument stands there. */
bool asterisk_option(int *argc, char ***argv, struct asterisk_options *o);

/* Those of an ipbx_connection, borrowed from the configuration. asterisk_options_free frees the
 * rest. */
void asterisk_options_of(struct asterisk_options *o, const struct config *cfg,
                         struct json_object *connection);
void asterisk_options_free(struct asterisk_options *o);

/* False: this is no port. */
bool asterisk_read_port(const char *text, uint16_t *out);
/* asterisk_login.c: the port and the user that count. */
uint16_t asterisk_port(const struct asterisk_options *o);
const char *asterisk_user(const struct asterisk_options *o);
/* What can be no host, user or secret, in words; NULL: nothing. */
const char *asterisk_options_fault(const struct asterisk_options *o);

/* What came of it. */
struct asterisk {
    bool reached;
    bool bad_ca;   /* why is about tls_ca */
    char why[256]; /* not reached: the reason */
    char banner[64];
    char version[64];            /* of Asterisk; empty: it is not told */
    struct json_object *lists;   /* discovery_lists, or NULL: not all was answered */
    struct json_object *hints;   /* discovery_hints */
    struct json_object *actions; /* that the user may use, as keys; empty: they are not told */
    struct json_object *refused; /* actions as keys: the permission that each lacks */
    struct json_object *missing; /* actions as keys, of modules that are not there */
    bool is_freepbx;
    char read[256]; /* classes of events; empty: they cannot be seen */
    bool has_clock;
    double clock_ahead; /* seconds by which its clock is ahead of ours, good to half a round trip */
};

/* Logs in, asks for everything and logs off; shows how far it is on standard error if that is a
 * terminal. 0, or -ENOMEM or -EINVAL (options that cannot be, a CA that cannot be read) with a.why.
 */
int asterisk_read(const struct asterisk_options *o, struct asterisk *a);
void asterisk_free(struct asterisk *a);
/* What is wrong with it: that it cannot be reached, permissions, modules, its clock. `name` is what
 * it is called there. */
void asterisk_find(struct findings *f, const char *name, const struct asterisk_options *o,
                   const struct asterisk *a);
/* asterisk_login.c: the part of it for one that was not read. */
void asterisk_find_login(struct findings *f, const char *name, const struct asterisk_options *o,
                         const struct asterisk *a);

#endif
