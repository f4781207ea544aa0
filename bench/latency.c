/*
 * From the AMI socket to the client sockets, under load.
 *
 *     bench-latency AMI_ADDR CTI_PORT CLIENTS USERS EVENTS_PER_S SECONDS CHANGE_EVERY [say]
 *
 * Plays Asterisk to ami-gw and all the clients to cti-gw, in one process and on one clock. One
 * event in CHANGE_EVERY changes something (the hint of a phone, to a number of its own); the others
 * are variables being set, as most of a real Asterisk's events are. Prints the latencies of every
 * delivery to every client, and of the last client of each change; with `say` also "ready" when all
 * are logged in, half a second before the first event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/deliveries.h"
#include "lib/fakeami.h"
#include "lib/report.h"
#include "lib/swarm.h"

#define MAX_CHANGES 200000
#define FIRST_STATUS 1000
#define TICK_MS 1

struct run {
    struct loop *loop;
    struct fakeami *ami;
    struct swarm *swarm;
    unsigned clients, rate, every;
    uint64_t start, end;
    bool say;
    uint64_t sent_events;
    struct deliveries changes;
};

static void on_line(void *arg, struct swarm_client *c, struct view line)
{
    struct run *r = arg;
    ptrdiff_t at = view_find(line, VIEW("\"hintstatus\":\""));

    if (at >= 0)
        deliveries_arrived(&r->changes, strtoul(line.ptr + at + 14, NULL, 10) - FIRST_STATUS);
}

static void send_event(struct run *r)
{
    char text[512];
    int n;

    if (r->sent_events++ % r->every == 0 && r->changes.n < r->changes.most) {
        n = snprintf(text, sizeof(text),
                     "Event: ExtensionStatus\r\nPrivilege: call,all\r\nExten: 1001\r\nContext: "
                     "default\r\nHint: SIP/u1\r\nStatus: %u\r\n\r\n",
                     FIRST_STATUS + r->changes.n);
        deliveries_sent(&r->changes);
    } else {
        n = snprintf(text, sizeof(text),
                     "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: SIP/u1-00000001\r\n"
                     "ChannelState: 4\r\nChannelStateDesc: Ring\r\nUniqueid: 1795424564.21\r\n"
                     "Variable: X\r\nValue: %llu\r\n\r\n",
                     (unsigned long long)r->sent_events);
    }
    fakeami_send(r->ami, view_of(text, (size_t)n));
}

static void tick(void *arg)
{
    struct run *r = arg;
    uint64_t now = clock_mono_us();
    uint64_t due;

    if (!r->start) {
        if (swarm_logged_in(r->swarm) < r->clients || !fakeami_is_listed(r->ami))
            return;
        r->start = now + 500000; /* what the logins have set off dies down */
        r->end += r->start;
        if (r->say) {
            puts("ready");
            fflush(stdout);
        }
        return;
    }
    if (now > r->end + 1000000) {
        loop_stop(r->loop);
        return;
    }
    if (now < r->start || now > r->end)
        return;
    due = (now - r->start) * r->rate / 1000000;
    while (r->sent_events < due)
        send_event(r);
}

int main(int argc, char **argv)
{
    struct run r = {.every = 1};
    struct loop_timer *timer;
    unsigned incomplete;

    if (argc != 8 && argc != 9) {
        fprintf(stderr,
                "usage: %s AMI_ADDR CTI_PORT CLIENTS USERS EVENTS_PER_S SECONDS "
                "CHANGE_EVERY [say]\n",
                argv[0]);
        return 2;
    }
    r.clients = (unsigned)atoi(argv[3]);
    r.rate = (unsigned)atoi(argv[5]);
    r.end = (uint64_t)atoi(argv[6]) * 1000000;
    r.every = (unsigned)atoi(argv[7]);
    r.say = argc == 9;
    deliveries_make_room(&r.changes, MAX_CHANGES, 50000000);
    r.loop = loop_new();
    if (!r.loop)
        exit(1);
    r.ami = fakeami_new(r.loop, argv[1]);
    r.swarm = swarm_new(r.loop, "127.0.0.1", (uint16_t)atoi(argv[2]), r.clients,
                        (unsigned)atoi(argv[4]), on_line, &r);
    timer = loop_timer_new(r.loop, tick, &r);
    loop_timer_start(timer, TICK_MS, true);
    loop_run(r.loop);
    incomplete = deliveries_incomplete(&r.changes, r.clients);
    printf("events %llu, changes %u, of which not with every client: %u, connections lost: %u\n",
           (unsigned long long)r.sent_events, r.changes.n, incomplete, swarm_lost(r.swarm));
    bench_report("each client, each change", r.changes.all, r.changes.n_all);
    bench_report("last client of each change", r.changes.slowest, r.changes.n);
    loop_timer_destroy(&timer);
    swarm_destroy(&r.swarm);
    fakeami_destroy(&r.ami);
    loop_destroy(&r.loop);
    return incomplete || r.changes.n == 0;
}
