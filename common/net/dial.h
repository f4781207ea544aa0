/*
 * Connects to a host without holding up the loop: looks its name up (net/lookup.h), then tries its
 * addresses one after the other until one is connected.
 */
#ifndef CTIBUS_NET_DIAL_H
#define CTIBUS_NET_DIAL_H

#include <stdint.h>

#include "loop/loop.h"

struct dial;

/* fd: a connected non-blocking TCP socket, the callee's to close; or -1 and why, in words for a
 * log: "no such name...", "no answer from DNS within 4 s", "Connection refused", "no connection
 * within 2000 ms", with the addresses when there are several. Called once, from the loop, never
 * from within dial_start. */
typedef void dial_fn(void *arg, int fd, const char *why);

/* `host`: a name or an address, copied. limit_ms: for each address. NULL without memory. It is
 * freed before fn is called. */
struct dial *dial_start(struct loop *loop, const char *host, uint16_t port, uint32_t limit_ms,
                        dial_fn *fn, void *arg);
/* fn is not called. *d becomes NULL. */
void dial_cancel(struct dial **d);

#endif
