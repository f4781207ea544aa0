/*
 * The PROXY protocol, versions 1 and 2, on the side that is connected to: a balancer says in front
 * of all else for whom it connects.
 *
 * The parser is pure. The gate stands between a listener and the owner of its connections: it
 * reads the header and not a byte more, so that what comes behind it (TLS, HTTP, lines) is the
 * taker's to read from the socket.
 */
#ifndef CTIBUS_NET_PROXY_H
#define CTIBUS_NET_PROXY_H

#include "net/conn.h"

/* Bytes of the longest header that is taken. The addresses need 232, what balancers add to them
 * (names of TLS, of clouds) some hundred. */
#define PROXY_HEADER_MAX ((size_t)2048)

/* AF_UNSPEC: no client is announced. The balancer means itself (its health check) or does not know
 * who: the connection's own address counts. Else AF_INET or AF_INET6. */
struct proxy_header {
    struct sockaddr_storage client;
};

/* The header that `in` begins with. Over 0: its bytes, *h is what it says. 0: it is not complete;
 * at least *more bytes follow (1 or more). -EPROTO: that is no header, whatever follows. */
int proxy_parse(struct view in, struct proxy_header *h, size_t *more);

/* What becomes of a connection. */
struct proxy_handler {
    listener_fn *accepted; /* behind its header; `peer` is the announced client, or the connection's
                              own address */
    /* It has been closed, and why: no header, a broken one, none in time. NULL: it ended before its
     * first byte, as the checks of some balancers do. */
    void (*refused)(void *arg, const struct sockaddr *peer, const char *why);
};

struct proxy_gate;
/* A header must be complete within limit_ms. NULL without memory. Not to be destroyed inside its
 * own callbacks. */
struct proxy_gate *proxy_gate_new(struct loop *l, const struct proxy_handler *handler, void *arg,
                                  uint32_t limit_ms);
/* Closes the connections that wait in it, without a callback. */
void proxy_gate_destroy(struct proxy_gate **g);
/* A connection that a listener has accepted; takes fd (non-blocking). May call back. */
void proxy_gate_take(struct proxy_gate *g, int fd, const struct sockaddr *peer, socklen_t len);
/* Closes the one that has waited longest, if any does; `refused` is told. */
void proxy_gate_drop_first(struct proxy_gate *g);
/* How many wait in it; the owner bounds them. */
size_t proxy_gate_count(const struct proxy_gate *g);

#endif
