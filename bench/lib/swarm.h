/* A swarm of CTI clients in one process: they log in as u1, u2... (password = login), then hand
 * every line they get to a callback. For load generators only. */
#ifndef CTIBUS_BENCH_SWARM_H
#define CTIBUS_BENCH_SWARM_H

#include "loop/loop.h"
#include "net/conn.h"

struct swarm;
struct swarm_client {
    struct swarm *swarm;
    struct conn *conn;
    unsigned number;
    unsigned step; /* of the login; 6: logged in and its two lines read */
};

typedef void swarm_line_fn(void *arg, struct swarm_client *c, struct view line);

/* Starts n logins at host:port, a few dozen under way at a time. users: how many there are
 * (client i logs in as u<1 + i % users>). */
struct swarm *swarm_new(struct loop *loop, const char *host, uint16_t port, unsigned n,
                        unsigned users, swarm_line_fn *line, void *arg);
/* So many logins are under way at a time instead. Before the loop runs. */
void swarm_start_together(struct swarm *s, unsigned n);
void swarm_destroy(struct swarm **s);
unsigned swarm_logged_in(const struct swarm *s);
unsigned swarm_lost(const struct swarm *s); /* connections that ended */
struct swarm_client *swarm_client_at(struct swarm *s, unsigned i);

#endif
