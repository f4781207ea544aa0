#include "bus/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/cert.h"
#include "bus/keystore.h"

static const char *const roles[] = {
    [ROLE_MONITOR] = "monitor", [ROLE_PEER] = "peer", [ROLE_GATEWAY] = "gateway"};

enum bus_role bus_role_of(const char *name)
{
    for (enum bus_role r = ROLE_MONITOR; r <= ROLE_GATEWAY; r++)
        if (strcmp(roles[r], name) == 0)
            return r;
    return ROLE_NONE;
}

const char *bus_role_name(enum bus_role role)
{
    return role == ROLE_NONE ? "none" : roles[role];
}

bool bus_role_may(enum bus_role role, struct view domain)
{
    switch (role) {
    case ROLE_GATEWAY:
        return true;
    case ROLE_PEER:
        return !view_eq(domain, VIEW("publish"));
    case ROLE_MONITOR:
        return !view_eq(domain, VIEW("publish"));
    default:
        return false;
    }
}

bool bus_role_may_ask(enum bus_role role, enum bus_method method)
{
    if (role != ROLE_MONITOR)
        return role != ROLE_NONE;
    return method == METHOD_hello || method == METHOD_ping || method == METHOD_echo ||
           method == METHOD_snapshot;
}

bool bus_keys_is_key(const char *s)
{
    uint8_t raw[32];

    return strlen(s) == KEY_SIZE - 1 && zmq_z85_decode(raw, s) != NULL;
}

int bus_keys_allow(struct bus_keys *k, const char *key, enum bus_role role)
{
    if (!k->allowed)
        k->allowed = keystore_new(NULL);
    return k->allowed ? keystore_add(k->allowed, key, role) : -ENOMEM;
}

/* Both keys: of FILE_secret, as czmq and pyzmq name it, or of FILE. */
static int load_own(struct bus_keys *k, const char *path, char *why, size_t why_size)
{
    char secret[4096];
    zcert_t *cert;

    if (snprintf(secret, sizeof(secret), "%s_secret", path) >= (int)sizeof(secret) ||
        access(secret, F_OK) < 0)
        snprintf(secret, sizeof(secret), "%s", path);
    cert = cert_read(secret, why, why_size);
    if (!cert)
        return -1;
    memcpy(k->own_public, zcert_public_txt(cert), KEY_SIZE);
    if (cert_has_secret(cert))
        memcpy(k->own_secret, zcert_secret_txt(cert), KEY_SIZE);
    else
        snprintf(why, why_size, "%s: a public and a secret key are needed", path);
    zcert_destroy(&cert);
    return *k->own_secret ? 0 : -1;
}

static int load_server(struct bus_keys *k, const char *path, char *why, size_t why_size)
{
    zcert_t *cert = cert_read(path, why, why_size);

    if (cert)
        memcpy(k->server, zcert_public_txt(cert), KEY_SIZE);
    zcert_destroy(&cert);
    return *k->server ? 0 : -1;
}

static int load_allowed(struct bus_keys *k, const char *path, char *why, size_t why_size)
{
    k->allowed = keystore_new(path);
    if (k->allowed)
        return keystore_refresh(k->allowed, true, NULL, why, why_size);
    snprintf(why, why_size, "no memory");
    return -1;
}

struct bus_keys *bus_keys_own(const char *own_key, const char *server, char *why, size_t why_size)
{
    struct bus_keys *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    zsys_handler_set(NULL); /* czmq is to leave SIGINT and SIGTERM to the loop */
    if (load_own(k, own_key, why, why_size) < 0) {
        bus_keys_destroy(&k);
        return NULL;
    }
    if (!server) /* to itself, as state is */
        memcpy(k->server, k->own_public, KEY_SIZE);
    else if (bus_keys_is_key(server))
        memcpy(k->server, server, KEY_SIZE);
    if (*k->server)
        return k;
    snprintf(why, why_size, "%s: the key of the other is needed, too", own_key);
    bus_keys_destroy(&k);
    return NULL;
}

struct bus_keys *bus_keys_load(const char *server_key, const char *own_key, const char *allow,
                               char *why, size_t why_size)
{
    struct bus_keys *k = bus_keys_own(own_key, NULL, why, why_size);

    if (!k)
        return NULL;
    *k->server = '\0';
    if (load_server(k, server_key, why, why_size) == 0 &&
        (!allow || load_allowed(k, allow, why, why_size) >= 0))
        return k;
    bus_keys_destroy(&k);
    return NULL;
}

void bus_keys_destroy(struct bus_keys **k)
{
    if (!k || !*k)
        return;
    explicit_bzero((*k)->own_secret, KEY_SIZE);
    keystore_destroy(&(*k)->allowed);
    free(*k);
    *k = NULL;
}

int bus_keys_make(const char *path, enum bus_role role, const char *name)
{
    zcert_t *cert = zcert_new();
    int rc;

    if (!cert)
        return -EIO;
    if (role != ROLE_NONE)
        zcert_set_meta(cert, "role", "%s", bus_role_name(role));
    if (name)
        zcert_set_meta(cert, "name", "%s", name);
    rc = cert_save(cert, path);
    zcert_destroy(&cert);
    return rc;
}

enum bus_role bus_keys_role(const struct bus_keys *k, const char *key)
{
    return k->allowed ? keystore_role(k->allowed, key) : ROLE_NONE;
}
