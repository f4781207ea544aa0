/*
 * Clients that all log in at once, and ask for nothing.
 *
 *     bench-logins CTI_PORT CLIENTS USERS
 *
 * Prints when the last one had its answer, and when all had been told of all logins after their
 * own: nothing came for QUIET_US.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "lib/swarm.h"

#define QUIET_US 1500000u /* more than rounds of cti-gw rest */

struct logins {
    struct loop *loop;
    struct swarm *swarm;
    unsigned n;
    uint64_t start, done, last, lines, bytes;
};

static void on_line(void *arg, struct swarm_client *c, struct view line)
{
    struct logins *l = arg;

    l->lines++;
    l->bytes += line.len + 1;
    l->last = clock_mono_us();
}

static double seconds(uint64_t us)
{
    return (double)us / 1e6;
}

static void tick(void *arg)
{
    struct logins *l = arg;
    uint64_t now = clock_mono_us();

    if (swarm_lost(l->swarm)) {
        printf("%u connections were lost\n", swarm_lost(l->swarm));
        loop_stop(l->loop);
        return;
    }
    if (!l->done && swarm_logged_in(l->swarm) == l->n)
        l->done = l->last = now;
    if (!l->done || now - l->last < QUIET_US)
        return;
    printf("clients %u  all logged in after %.3f s  us a login %.0f  all told after %.3f s  lines "
           "%llu  megabytes %llu\n",
           l->n, seconds(l->done - l->start), (double)(l->done - l->start) / l->n,
           seconds(l->last - l->start), (unsigned long long)l->lines,
           (unsigned long long)(l->bytes >> 20));
    loop_stop(l->loop);
}

int main(int argc, char **argv)
{
    struct logins l = {0};
    struct loop_timer *timer;

    if (argc != 4) {
        fprintf(stderr, "usage: %s CTI_PORT CLIENTS USERS\n", argv[0]);
        return 2;
    }
    l.n = (unsigned)atoi(argv[2]);
    l.loop = loop_new();
    l.start = clock_mono_us();
    l.swarm = swarm_new(l.loop, "127.0.0.1", (uint16_t)atoi(argv[1]), l.n, (unsigned)atoi(argv[3]),
                        on_line, &l);
    swarm_start_together(l.swarm, 2000);
    timer = loop_timer_new(l.loop, tick, &l);
    loop_timer_start(timer, 10, true);
    loop_run(l.loop);
    loop_timer_destroy(&timer);
    swarm_destroy(&l.swarm);
    loop_destroy(&l.loop);
    return 0;
}
