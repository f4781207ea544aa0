/* CURVE keys and who may come in. Files: docs/security.md. */
#ifndef CTIBUS_BUS_KEYS_H
#define CTIBUS_BUS_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#define KEY_SIZE 41 /* Z85 text of a key and its NUL */

enum bus_role {
    ROLE_NONE,
    ROLE_MONITOR, /* may subscribe */
    ROLE_PEER,    /* another site: may subscribe and ask, not publish */
    ROLE_GATEWAY, /* may do all */
};

struct bus_allowed {
    char key[KEY_SIZE];
    enum bus_role role;
};

struct bus_keys {
    char own_public[KEY_SIZE];
    char own_secret[KEY_SIZE];
    char server[KEY_SIZE]; /* the public key of state */
    struct bus_allowed *allowed;
    size_t n_allowed;
};

/* Reads the key files: server_key (a line "public Z85"), own_key (lines "public Z85" and "secret
 * Z85"), allow (lines "gateway|monitor Z85 [name]"; NULL where no server is). NULL and a sentence
 * in `why` on failure. */
struct bus_keys *bus_keys_load(const char *server_key, const char *own_key, const char *allow,
                               char *why, size_t why_size);
/* The same of a pair alone, for who has no `allow` file; `server` is the key (Z85) of whom it
 * connects to, or NULL: it only listens. */
struct bus_keys *bus_keys_own(const char *own_key, const char *server, char *why, size_t why_size);
/* Lets a key in. 0; -EINVAL: it is none; -ENOMEM. */
int bus_keys_allow(struct bus_keys *k, const char *key, enum bus_role role);
/* Is this the text of a key? */
bool bus_keys_is_key(const char *text);
void bus_keys_destroy(struct bus_keys **k);
/* Makes a pair and writes PATH (secret and public, mode 0600) and PATH.pub. 0 or a negative errno.
 */
int bus_keys_make(const char *path);
enum bus_role bus_keys_role(const struct bus_keys *k, const char *key);

#endif
