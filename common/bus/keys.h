/* CURVE keys and the keys that may connect. Files: docs/security.md. */
#ifndef CTIBUS_BUS_KEYS_H
#define CTIBUS_BUS_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/view.h"
#include "schema/schema.h"

#define KEY_SIZE 41 /* Z85 text of a key and its NUL */

enum bus_role {
    ROLE_NONE,
    ROLE_MONITOR, /* may subscribe, and ask for what is there */
    ROLE_PEER,    /* another site: may subscribe and ask, not publish */
    ROLE_GATEWAY, /* may do all */
};
/* "monitor", "gateway", "peer"; ROLE_NONE: any other word. */
enum bus_role bus_role_of(const char *name);
const char *bus_role_name(enum bus_role role);
/* May it come to the socket of this domain: "publish", "subscribe" or "request"? */
bool bus_role_may(enum bus_role role, struct view domain);
/* May it make this request? A monitor may ask for what is there, and for nothing to be done. */
bool bus_role_may_ask(enum bus_role role, enum bus_method method);

struct keystore; /* keystore.h */

struct bus_keys {
    char own_public[KEY_SIZE];
    char own_secret[KEY_SIZE];
    char server[KEY_SIZE];    /* the public key of state */
    struct keystore *allowed; /* NULL: nobody */
};

/* Reads the key files, in either form of cert.h: server_key (the public key), own_key (FILE_secret
 * if that is there, else FILE: both keys), allow (a store of keystore.h; NULL where no server is).
 * NULL and a sentence in `why` on failure. */
struct bus_keys *bus_keys_load(const char *server_key, const char *own_key, const char *allow,
                               char *why, size_t why_size);
/* The same of a pair alone, for who has no `allow` file; `server` is the key (Z85) of whom it
 * connects to, or NULL: it only listens. */
struct bus_keys *bus_keys_own(const char *own_key, const char *server, char *why, size_t why_size);
/* Lets a key in. 0; -EINVAL: it is none; -EEXIST: it is there; -ENOMEM. */
int bus_keys_allow(struct bus_keys *k, const char *key, enum bus_role role);
/* Is this the text of a key? */
bool bus_keys_is_key(const char *text);
void bus_keys_destroy(struct bus_keys **k);
/* Makes a pair and writes it as cert_save does: PATH (the certificate for the others) and
 * PATH_secret (mode 0600). role and name go into its metadata; ROLE_NONE, NULL: not. 0 or a
 * negative errno. */
int bus_keys_make(const char *path, enum bus_role role, const char *name);
/* What this key may do now; ROLE_NONE: nothing. From any thread. */
enum bus_role bus_keys_role(const struct bus_keys *k, const char *key);

#endif
