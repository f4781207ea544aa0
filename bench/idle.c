/*
 * Logs clients in and leaves them idle until a line comes on standard input.
 *
 *     bench-idle CTI_PORT CLIENTS USERS
 *
 * Prints "ready" when all are logged in, so that the script beside it can look at cti-gw's memory.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/swarm.h"

struct run {
    struct loop *loop;
    struct swarm *swarm;
    unsigned n;
    bool said;
};

static void tick(void *arg)
{
    struct run *r = arg;

    if (r->said || swarm_logged_in(r->swarm) < r->n)
        return;
    r->said = true;
    puts("ready");
    fflush(stdout);
}

static void on_stdin(void *arg)
{
    loop_stop(((struct run *)arg)->loop);
}

int main(int argc, char **argv)
{
    struct run r = {0};
    struct loop_timer *timer;
    struct loop_fd *in;

    if (argc != 4) {
        fprintf(stderr, "usage: %s CTI_PORT CLIENTS USERS\n", argv[0]);
        return 2;
    }
    r.n = (unsigned)atoi(argv[2]);
    r.loop = loop_new();
    r.swarm = swarm_new(r.loop, "127.0.0.1", (uint16_t)atoi(argv[1]), r.n, (unsigned)atoi(argv[3]),
                        NULL, NULL);
    timer = loop_timer_new(r.loop, tick, &r);
    in = loop_fd_new(r.loop, 0, on_stdin, &r);
    loop_timer_start(timer, 10, true);
    loop_run(r.loop);
    loop_fd_destroy(&in);
    loop_timer_destroy(&timer);
    swarm_destroy(&r.swarm);
    loop_destroy(&r.loop);
    return 0;
}
