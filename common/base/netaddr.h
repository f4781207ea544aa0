/*
 * Addresses and networks of the Internet, and lists of networks that may connect.
 *
 * An address is kept in 16 bytes, one of IPv4 as IPv6 maps it (::ffff:192.0.2.1), so that the two
 * ways in which a socket may tell the same peer are one.
 */
#ifndef CTIBUS_BASE_NETADDR_H
#define CTIBUS_BASE_NETADDR_H

#include <sys/socket.h>

#include "base/view.h"

struct netaddr {
    uint8_t byte[16];
};

/* Bytes of "[V6]:PORT" with its NUL. */
#define NETADDR_TEXT 56

/* "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; names are not looked up. 0 or -EINVAL. */
int netaddr_parse(struct view text, struct netaddr *out);
/* The address and (if not NULL) the port of a socket's peer. 0, or -EAFNOSUPPORT when it is neither
 * IPv4 nor IPv6. */
int netaddr_of(const struct sockaddr *sa, struct netaddr *out, uint16_t *port);
/* Is this host, as an address or "localhost", this machine alone (127.0.0.0/8, ::1)? */
bool netaddr_is_loopback(struct view host);
bool netaddr_eq(const struct netaddr *a, const struct netaddr *b);
/* As text: "192.0.2.1"; with its port: "192.0.2.1:5003", "[2001:db8::1]:5003". */
void netaddr_print(const struct netaddr *a, char out[NETADDR_TEXT]);
void netaddr_print_port(const struct netaddr *a, uint16_t port, char out[NETADDR_TEXT]);
/* What netaddr_print_port writes. 0 or -EINVAL. */
int netaddr_parse_port(struct view text, struct netaddr *out, uint16_t *port);

struct network {
    struct netaddr address; /* what is behind its bits is 0 */
    uint8_t bits;           /* of the 128 */
};

/* "10.0.0.0/8", "2001:db8::/32", or an address, which is a network of one. 0, or -EINVAL and in
 * *why what is wrong with it, in words. */
int network_parse(struct view text, struct network *out, const char **why);

/* A list of networks. The owner frees it with netlist_clear. */
struct netlist {
    struct network *list;
    size_t n;
};

/* 0 or -ENOMEM. */
int netlist_add(struct netlist *l, const struct network *net);
/* Is the address in one of them? An empty list has none. */
bool netlist_has(const struct netlist *l, const struct netaddr *a);
void netlist_clear(struct netlist *l);

#endif
