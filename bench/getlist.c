/*
 * getlist answers per second, on pipelining connections.
 *
 *     bench-getlist CTI_PORT CONNECTIONS USERS SECONDS DEPTH
 *
 * Each connection keeps DEPTH requests (updateconfig and updatestatus of users and phones in turn)
 * under way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/swarm.h"

struct run {
    struct loop *loop;
    struct swarm *swarm;
    unsigned n, users, depth;
    uint64_t start, end, answers;
    unsigned next;
};

static void ask(struct run *r, struct swarm_client *c, unsigned n)
{
    static const char *const kinds[][2] = {{"updateconfig", "users"},
                                           {"updatestatus", "users"},
                                           {"updateconfig", "phones"},
                                           {"updatestatus", "phones"}};
    struct buf out;

    buf_init(&out, 1 << 20);
    for (unsigned i = 0; i < n; i++, r->next++)
        buf_printf(
            &out,
            "{\"class\":\"getlist\",\"commandid\":%u,\"function\":\"%s\",\"listname\":\"%s\","
            "\"tid\":\"%u\",\"tipbxid\":\"xivo\"}\n",
            r->next, kinds[r->next % 4][0], kinds[r->next % 4][1], 1 + r->next / 4 % r->users);
    conn_send(c->conn, buf_view(&out));
    buf_free(&out);
}

/* Half a window is asked for anew when half of it has been answered. */
static void on_line(void *arg, struct swarm_client *c, struct view line)
{
    struct run *r = arg;

    if (!r->start || view_find(line, VIEW("replyid")) < 0)
        return;
    r->answers++;
    if (++c->step % (r->depth / 2) == 0 && clock_mono_us() < r->end)
        ask(r, c, r->depth / 2);
}

static void tick(void *arg)
{
    struct run *r = arg;
    uint64_t now = clock_mono_us();

    if (!r->start) {
        if (swarm_logged_in(r->swarm) < r->n)
            return;
        r->start = now;
        r->end += now;
        for (unsigned i = 0; i < r->n; i++) {
            swarm_client_at(r->swarm, i)->step = r->depth; /* counts answers from now on */
            ask(r, swarm_client_at(r->swarm, i), r->depth);
        }
    } else if (now > r->end) {
        printf("connections %u  answers %llu  answers/s %.0f\n", r->n,
               (unsigned long long)r->answers, (double)r->answers * 1e6 / (double)(now - r->start));
        loop_stop(r->loop);
    }
}

int main(int argc, char **argv)
{
    struct run r = {0};
    struct loop_timer *timer;

    if (argc != 6) {
        fprintf(stderr, "usage: %s CTI_PORT CONNECTIONS USERS SECONDS DEPTH\n", argv[0]);
        return 2;
    }
    r.n = (unsigned)atoi(argv[2]);
    r.users = (unsigned)atoi(argv[3]);
    r.end = (uint64_t)atoi(argv[4]) * 1000000;
    r.depth = (unsigned)atoi(argv[5]);
    if (r.depth < 16)
        r.depth = 16;
    r.loop = loop_new();
    r.swarm = swarm_new(r.loop, "127.0.0.1", (uint16_t)atoi(argv[1]), r.n, r.users, on_line, &r);
    timer = loop_timer_new(r.loop, tick, &r);
    loop_timer_start(timer, 10, true);
    loop_run(r.loop);
    loop_timer_destroy(&timer);
    swarm_destroy(&r.swarm);
    loop_destroy(&r.loop);
    return 0;
}
