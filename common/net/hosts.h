/*
 * A few hosts, by name or address, and which of them has the address of a peer.
 *
 * Names are looked up beside the loop (net/lookup.h), and again
 * when an unknown address comes.
 */
#ifndef CTIBUS_NET_HOSTS_H
#define CTIBUS_NET_HOSTS_H

#include <stddef.h>
#include <sys/socket.h>

#include "log/log.h"
#include "loop/loop.h"

#define HOSTS_MAX 64

struct hosts;
/* NULL without memory. */
struct hosts *hosts_new(struct loop *loop, struct log *log);
void hosts_destroy(struct hosts **h);
/* Forgets them all. */
void hosts_clear(struct hosts *h);
/* Adds one (copied) and looks it up. 0; -ENOBUFS: there are HOSTS_MAX; -ENOMEM. */
int hosts_add(struct hosts *h, const char *host);
/* The number of the first of them, in the order of adding, that has this address; -ENOENT: none, as
 * far as is known now. Ports do not count; an IPv4 address is the same inside of IPv6. */
int hosts_find(struct hosts *h, const struct sockaddr *peer);
/* Has number n this address, as far as is known now? Several hosts may have the same. */
bool hosts_has(const struct hosts *h, size_t n, const struct sockaddr *peer);

#endif
