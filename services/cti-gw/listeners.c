/*
 * Where clients come in: listeners, and behind each, when a balancer announces its clients, the
 * gate that reads the announcement.
 */
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "internal.h"
#include "net/proxy.h"

/* What the kernel may hold for a client that does not read, beside our own bound; the kernel's own
 * tuning would go up to megabytes for each. */
#define SEND_BUFFER 131072

/* ---- a client ---- */

static struct conn *open_conn(struct client *c, int fd)
{
    struct gateway *g = c->gw;

    if (c->listener_kind == LISTENER_TLS)
        return conn_new_tls(&g->conns, fd, c, g->tls, NULL);
    if (c->listener_kind == LISTENER_WS)
        return conn_new_ws(&g->conns, fd, c, &g->ws);
    return conn_new(&g->conns, fd, c);
}

/* The address, and the port. */
static void note_peer(struct client *c, const struct sockaddr *peer)
{
    struct netaddr address;

    if (netaddr_of(peer, &address, &c->port) == 0)
        memcpy(c->peer, address.byte, sizeof(c->peer));
}

/* How far what the client sends is to be trusted: by the peer of its socket, which may be a
 * balancer, and by the address that was announced. */
static void note_trust(struct client *c, int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct netaddr peer, announced;
    char text[NETADDR_TEXT];
    struct gateway *g = c->gw;

    memcpy(announced.byte, c->peer, sizeof(announced.byte));
    c->secure =
        c->listener_kind == LISTENER_TLS || (g->opt.proxy_protocol && g->opt.tls_at_balancer);
    if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0 ||
        netaddr_of((struct sockaddr *)&sa, &peer, NULL) < 0)
        return;
    c->from_proxy = netlist_has(&g->remote_user_from, &peer);
    netaddr_print(&peer, text);
    if (netaddr_is_loopback(view_cstr(text))) {
        netaddr_print(&announced, text);
        c->secure |= netaddr_is_loopback(view_cstr(text));
    }
}

static struct client *client_new(struct gateway *gw, enum gateway_listener kind, int fd,
                                 const struct sockaddr *peer)
{
    struct client *c = calloc(1, sizeof(*c));
    int size = SEND_BUFFER;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (!c) {
        close(fd);
        return NULL;
    }
    c->gw = gw;
    c->listener_kind = (uint8_t)kind;
    c->since = clock_mono_us();
    note_peer(c, peer);
    note_trust(c, fd);
    c->address = login_throttle_address(gw->guard, peer);
    c->conn = open_conn(c, fd);
    if (!c->conn) {
        free(c);
        return NULL;
    }
    LIST_INSERT_HEAD(&gw->clients, c, all);
    gw->n_clients++;
    if (lobby_enter(gw->lobby, c) < 0) {
        client_destroy(c);
        return NULL;
    }
    return c;
}

/* Clients of 1.2 speak first, and take an unasked line for the answer to theirs. */
static void greet(struct client *c)
{
    struct netaddr address;

    memcpy(address.byte, c->peer, sizeof(address.byte));
    if (c->listener_kind != LISTENER_WS && netlist_has(&c->gw->banner_to, &address))
        conn_send(c->conn, VIEW("XiVO CTI Server Version " CTIBUS_VERSION " (ctibus)\n"));
}

/* From the connection to the end of its header: a balancer sends it at once, so that this is for
 * packets that must be sent again. */
#define HEADER_MS 5000

static size_t waiting(const struct gateway *g)
{
    size_t n = 0;

    for (int i = 0; i < LISTENERS; i++)
        n += g->listeners[i].gate ? proxy_gate_count(g->listeners[i].gate) : 0;
    return n;
}

/* Takes fd. */
static void turn_away(struct gateway *g, int fd, const struct sockaddr *peer)
{
    char text[NETADDR_TEXT] = "";
    struct netaddr address;
    uint16_t port;

    close(fd);
    if (netaddr_of(peer, &address, &port) == 0)
        netaddr_print_port(&address, port, text);
    lobby_turned_away(g->lobby, text);
}

static void on_client(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct client_listener *from = arg;
    struct gateway *g = from->gw;
    struct client *c;

    if (from->which == LISTENER_TLS && !g->tls) {
        close(fd);
        return;
    }
    if (!lobby_make_room(g->lobby, login_throttle_address(g->guard, peer), waiting(g))) {
        turn_away(g, fd, peer);
        return;
    }
    metric_add(g->accepted, 1);
    c = client_new(g, from->which, fd, peer);
    if (c)
        greet(c);
    else
        log_error(g->log, "no memory for another client");
}

static void on_unannounced(void *arg, const struct sockaddr *peer, const char *why)
{
    struct gateway *g = ((struct client_listener *)arg)->gw;
    char text[NETADDR_TEXT] = "";
    struct netaddr address;
    uint16_t port;

    if (!why)
        return;
    metric_add(g->unannounced, 1);
    if (netaddr_of(peer, &address, &port) == 0)
        netaddr_print_port(&address, port, text);
    log_notice(g->log, "connection from %s closed: %s (ctibus.cti.proxy_protocol)", text, why);
}

static bool may_announce(const struct gateway *g, const struct sockaddr *peer)
{
    struct netaddr address;

    return netaddr_of(peer, &address, NULL) == 0 && netlist_has(&g->proxy_from, &address);
}

/* A client outside the trusted networks may not announce another address. */
static void take_announced(struct client_listener *from, int fd, const struct sockaddr *peer,
                           socklen_t len)
{
    if (may_announce(from->gw, peer)) {
        proxy_gate_take(from->gate, fd, peer, len);
        return;
    }
    close(fd);
    on_unannounced(from, peer, "it may not announce clients: it is not in ctibus.cti.proxy_from");
}

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct client_listener *from = arg;
    struct gateway *g = from->gw;

    if (from->gate && waiting(g) >= g->opt.max_logins)
        proxy_gate_drop_first(from->gate);
    if (waiting(g) >= g->opt.max_logins)
        turn_away(g, fd, peer);
    else if (from->gate)
        take_announced(from, fd, peer, len);
    else
        on_client(from, fd, peer, len);
}

static int open_listener(struct client_listener *d, const char *at)
{
    static const struct proxy_handler handler = {on_client, on_unannounced};
    struct gateway *g = d->gw;
    int err = 0;

    if (g->opt.proxy_protocol && !(d->gate = proxy_gate_new(g->loop, &handler, d, HEADER_MS)))
        return -ENOMEM;
    d->listener = listener_new(g->loop, at, on_accept, d, &err);
    if (err < 0)
        log_error(g->log, "cannot listen on %s: %s", at, strerror(-err));
    return err;
}

int listeners_open(struct gateway *g)
{
    int err = 0;

    for (int i = 0; i < LISTENERS && err == 0; i++) {
        g->listeners[i] = (struct client_listener){.gw = g, .which = (enum gateway_listener)i};
        if (g->opt.listen[i])
            err = open_listener(&g->listeners[i], g->opt.listen[i]);
    }
    return err;
}

void gateway_set_proxy_from(struct gateway *g, struct netlist *networks)
{
    netlist_clear(&g->proxy_from);
    g->proxy_from = *networks;
    *networks = (struct netlist){NULL, 0};
}

void gateway_set_banner_to(struct gateway *g, struct netlist *networks)
{
    netlist_clear(&g->banner_to);
    g->banner_to = *networks;
    *networks = (struct netlist){NULL, 0};
}

void gateway_set_remote_user_from(struct gateway *g, struct netlist *networks)
{
    netlist_clear(&g->remote_user_from);
    g->remote_user_from = *networks;
    *networks = (struct netlist){NULL, 0};
}

void listeners_close(struct gateway *g)
{
    for (int i = 0; i < LISTENERS; i++)
        listener_destroy(&g->listeners[i].listener);
}

void listeners_destroy(struct gateway *g)
{
    listeners_close(g);
    for (int i = 0; i < LISTENERS; i++)
        proxy_gate_destroy(&g->listeners[i].gate);
    netlist_clear(&g->proxy_from);
    netlist_clear(&g->remote_user_from);
    netlist_clear(&g->banner_to);
}

uint16_t gateway_port(const struct gateway *g, enum gateway_listener kind)
{
    const struct listener *l = g->listeners[kind].listener;

    return l ? listener_port(l) : 0;
}
