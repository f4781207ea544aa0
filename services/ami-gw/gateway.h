/*
 * ami-gw: one Asterisk on the bus. Publishes what it tells in the canonical vocabulary (and raw,
 * while somebody listens), lists it anew when state asks, carries out actions.
 */
#ifndef CTIBUS_AMI_GW_GATEWAY_H
#define CTIBUS_AMI_GW_GATEWAY_H

#include "amilink/link.h"
#include "bus/bus.h"

struct gateway_options {
    const char *ipbx;              /* its name in the configuration */
    const char *publish, *request; /* endpoints of state */
    struct link_options link;
    enum ami_charset charset; /* how to read bytes that are not UTF-8 */
    uint32_t list_timeout_ms; /* resync_new */
    uint32_t list_retry_ms;   /* from a resync that was given up to the next; 0: 5 s */
};

struct gateway;
/* NULL and *err on failure. */
struct gateway *gateway_new(struct loop *loop, struct bus *bus, const struct gateway_options *opt,
                            struct metrics *metrics, struct log *log, int *err);
void gateway_destroy(struct gateway **g);
/* Says goodbye to Asterisk. */
void gateway_stop(struct gateway *g);
bool gateway_is_ready(const struct gateway *g, struct buf *why);

#endif
