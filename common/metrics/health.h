/*
 * The HTTP side of a process: /metrics for Prometheus, /healthz and /readyz for the supervisor.
 *
 * /healthz is 200 as long as the loop turns; /readyz is 200 or 503 with a JSON body that names what
 * is missing. /balancer is 200 or 404 with the same body: a balancer is to send no new clients
 * here, but leave those that are connected (what 503 or no answer would not say). Requests are
 * bounded in size, number and time, and are answered also when there is no file descriptor left for
 * others (net/httpd.h).
 */
#ifndef CTIBUS_METRICS_HEALTH_H
#define CTIBUS_METRICS_HEALTH_H

#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

struct health;

/* True when all is there; else appends to `why` what is not, in words for people. */
typedef bool health_ready_fn(void *arg, struct buf *why);

/* Listens at "HOST:PORT" (port 0: any). ready may be NULL: always. NULL and *err (negative errno)
 * when it cannot. */
struct health *health_new(struct loop *loop, const char *addr, struct metrics *metrics,
                          health_ready_fn *ready, void *arg, int *err);
void health_destroy(struct health **h);
uint16_t health_port(const struct health *h);
/* Connections closed before their request was there (net/httpd.h). */
uint64_t health_closed(const struct health *h);

/* Asks /readyz of the process that listens at addr and waits at most 2 s. 0: ready; -EAGAIN: it
 * answers that it is not, and `body` holds its words; another negative errno: there is no answer.
 */
int health_probe(const char *addr, struct buf *body);

#endif
