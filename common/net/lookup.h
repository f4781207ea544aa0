/*
 * The addresses of a host, beside the loop: an address as it stands, localhost, /etc/hosts, then
 * DNS (libevent's resolver, by /etc/resolv.conf as it is now, or by the server of loop_set_names).
 */
#ifndef CTIBUS_NET_LOOKUP_H
#define CTIBUS_NET_LOOKUP_H

#include <sys/socket.h>

#include "loop/loop.h"

#define LOOKUP_MAX 16 /* addresses of one host */
/* So long may DNS take: the servers are asked again each second. */
#define LOOKUP_MS 4000

struct lookup;

/* All that were found (n > 0), IPv4 first, without ports, borrowed; or none and why, in words for a
 * log. Called once, from the loop, never from within lookup_start. */
typedef void lookup_fn(void *arg, const struct sockaddr_storage *list, size_t n, const char *why);

/* `name` is copied. NULL without memory. It is freed after the call of fn. */
struct lookup *lookup_start(struct loop *loop, const char *name, lookup_fn *fn, void *arg);
/* fn is not called. *l becomes NULL. */
void lookup_cancel(struct lookup **l);

#endif
