#include "bus/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "bus/keystore.h"

struct connection {
    int fd; /* the key of the map */
    struct netaddr peer;
    uint16_t peer_port;
    char key[KEY_SIZE];
    enum bus_role role;
    bool cut;
};

struct connections {
    struct bus *bus;
    struct view domain;
    uint16_t port;
    uint64_t version; /* of the keys when it was made */
    struct map *map;
};

static struct view id_of(const int *fd)
{
    return view_of(fd, sizeof(*fd));
}

struct connections *connections_new(struct bus *b, const char *endpoint, struct view domain)
{
    struct connections *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->bus = b;
    c->domain = domain;
    c->port = endpoint_port(endpoint);
    c->version = b->keys && b->keys->allowed ? keystore_version(b->keys->allowed) : 0;
    c->map = map_new();
    if (!c->map)
        connections_destroy(&c);
    return c;
}

void connections_destroy(struct connections **cp)
{
    struct connections *c = cp ? *cp : NULL;

    if (!c)
        return;
    *cp = NULL;
    map_destroy_with(&c->map, free);
    free(c);
}

static bool peer_of(int fd, struct netaddr *peer, uint16_t *port)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);

    return getpeername(fd, (struct sockaddr *)&at, &len) == 0 &&
           netaddr_of((struct sockaddr *)&at, peer, port) == 0;
}

/* The connection of a descriptor, as it is known or new; NULL: it is over, or there is no memory.
 * One that is over stays until its number is used again, so there are as many as descriptors at
 * most. */
static struct connection *connection_of(struct connections *c, int fd, const char *key)
{
    struct connection *n = map_get(c->map, id_of(&fd));
    struct connection now = {.fd = fd};

    if (fd < 0 || socket_port(fd) != c->port || !peer_of(fd, &now.peer, &now.peer_port))
        return NULL;
    if (n && n->peer_port == now.peer_port && netaddr_eq(&n->peer, &now.peer) &&
        strcmp(n->key, key) == 0)
        return n;
    if (!n) {
        n = calloc(1, sizeof(*n));
        if (!n)
            return NULL;
        n->fd = fd;
        if (map_put(c->map, id_of(&n->fd), n) < 0) {
            free(n);
            return NULL;
        }
    }
    *n = now;
    snprintf(n->key, sizeof(n->key), "%s", key);
    return n;
}

/* Between the look and the shutdown libzmq may have closed it and accepted another with its number:
 * that one then connects again, no more. */
static void cut(struct connections *c, struct connection *n, const char *why)
{
    char at[NETADDR_TEXT];
    struct netaddr peer;
    uint16_t port;

    if (n->cut || socket_port(n->fd) != c->port || !peer_of(n->fd, &peer, &port) ||
        port != n->peer_port || !netaddr_eq(&peer, &n->peer))
        return;
    n->cut = true;
    if (shutdown(n->fd, SHUT_RDWR) < 0)
        return;
    netaddr_print_port(&peer, port, at);
    log_warning(c->bus->log, "a connection of key %s is cut: %s at %.*s: %s", n->key, at,
                VIEW_ARG(c->domain), why);
}

static const char changed[] = "the key was revoked, or has another role";

enum bus_role connections_admit(struct connections *c, zmq_msg_t *m, bool keep)
{
    const char *key = zmq_msg_gets(m, "User-Id");
    enum bus_role role = key ? bus_keys_role(c->bus->keys, key) : ROLE_GATEWAY;
    bool may = bus_role_may(role, c->domain);
    struct connection *n =
        key && (keep || !may) ? connection_of(c, zmq_msg_get(m, ZMQ_SRCFD), key) : NULL;

    if (!may && n)
        cut(c, n, changed);
    else if (n && n->role == ROLE_NONE)
        n->role = role;
    return may ? role : ROLE_NONE;
}

void connections_check(struct connections *c)
{
    size_t pos = 0;
    void *v;

    while (map_next(c->map, &pos, NULL, &v)) {
        struct connection *n = v;
        if (n->role != bus_keys_role(c->bus->keys, n->key))
            cut(c, n, changed);
    }
}

bool connections_changed(const struct connections *c)
{
    return keystore_version(c->bus->keys->allowed) != c->version;
}

void connections_cut(struct connections *c, zmq_msg_t *m, const char *why)
{
    const char *key = zmq_msg_gets(m, "User-Id");
    struct connection *n = key ? connection_of(c, zmq_msg_get(m, ZMQ_SRCFD), key) : NULL;

    if (n)
        cut(c, n, why);
}
