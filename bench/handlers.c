/*
 * Messages of clients that a program on the bus answers, per second, and how long a client waits.
 *
 *     bench-handlers CTI_PORT REQUEST CLIENTS SECONDS DEPTH
 *
 * The program (worker.register, kind cti) and the clients are in this process. Each client keeps
 * DEPTH messages under way, of which its gateway passes one after the other to state. REQUEST is
 * where state takes requests. Users u1, u2... log in as many times as there are clients.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "lib/swarm.h"

#define CLASS "bench_echo"

struct client {
    uint64_t *sent; /* of the messages that are under way, a ring; the oldest is `answered` */
    uint64_t asked, answered;
};

struct run {
    struct loop *loop;
    struct swarm *swarm;
    struct bus_client *bus_client;
    struct client *clients;
    unsigned n, depth;
    uint64_t start, end; /* 0: not yet */
    bool probed;         /* the first client asks whether its gateway knows the class */
    uint64_t answers, wrong, handled;
    double *ms;
    size_t room;
};

/* ---- the program ---- */

static void on_up(void *arg, const msgpack_object *body)
{
    struct run *r = arg;
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "kind", VIEW("cti"));
    msg_put_cstr(&pairs, "classes");
    msg_put_array(&pairs, 1);
    msg_put_cstr(&pairs, CLASS);
    msg_put_cstr(&pairs, "permission");
    msg_put_bool(&pairs, false);
    bus_ask(r->bus_client, METHOD_worker_register, 3, buf_view(&pairs), 5000, NULL, NULL);
    buf_free(&pairs);
}

/* Gives the number that the client wrote back. */
static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct run *r = arg;
    struct buf out;

    buf_init(&out, 0);
    msg_put_map(&out, 1);
    msg_put_pair_u64(&out, "n", msg_get_u64(msg_get(body, "message"), "n", 0));
    bus_client_reply(r->bus_client, id, BUS_ok, buf_view(&out));
    buf_free(&out);
    r->handled += method == METHOD_cti_message;
}

/* ---- the clients ---- */

static void ask(struct run *r, struct swarm_client *c, unsigned n)
{
    struct client *own = &r->clients[c->number];
    struct buf out;

    buf_init(&out, 1 << 20);
    for (unsigned i = 0; i < n; i++) {
        own->sent[own->asked % r->depth] = clock_mono_us();
        own->asked++;
        buf_printf(&out, "{\"class\":\"" CLASS "\",\"commandid\":%llu,\"n\":%llu}\n",
                   (unsigned long long)own->asked, (unsigned long long)own->asked);
    }
    conn_send(c->conn, buf_view(&out));
    buf_free(&out);
}

static void note(struct run *r, double ms)
{
    if (r->answers == r->room) {
        r->room = r->room ? 2 * r->room : 65536;
        r->ms = realloc(r->ms, r->room * sizeof(*r->ms));
        if (!r->ms)
            exit(1);
    }
    r->ms[r->answers++] = ms;
}

/* Only while the class is not known at the gateway is it answered with anything else. */
static void on_probe(struct run *r, struct swarm_client *c, struct view line)
{
    struct client *own = &r->clients[c->number];

    own->asked = own->answered = 0;
    if (view_find(line, VIEW("unimplemented")) >= 0) {
        ask(r, c, 1);
        return;
    }
    r->start = clock_mono_us();
    r->end += r->start;
    for (unsigned i = 0; i < r->n; i++)
        ask(r, swarm_client_at(r->swarm, i), r->depth);
}

static void on_line(void *arg, struct swarm_client *c, struct view line)
{
    struct run *r = arg;
    struct client *own = &r->clients[c->number];
    char n[32];

    if (view_find(line, VIEW("\"class\":\"" CLASS "\"")) < 0)
        return;
    if (!r->start) {
        on_probe(r, c, line);
        return;
    }
    own->answered++;
    snprintf(n, sizeof(n), "\"n\":%llu,", (unsigned long long)own->answered);
    r->wrong += view_find(line, view_cstr(n)) < 0;
    note(r, (double)(clock_mono_us() - own->sent[(own->answered - 1) % r->depth]) / 1000);
    if (clock_mono_us() < r->end)
        ask(r, c, 1);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(struct run *r, uint64_t now)
{
    qsort(r->ms, r->answers, sizeof(*r->ms), by_size);
    printf("clients %u  depth %u  messages %llu  messages/s %.0f  p50 %.2f ms  p99 %.2f ms  "
           "wrong %llu  handled %llu\n",
           r->n, r->depth, (unsigned long long)r->answers,
           (double)r->answers * 1e6 / (double)(now - r->start), r->ms[r->answers / 2],
           r->ms[r->answers * 99 / 100], (unsigned long long)r->wrong,
           (unsigned long long)r->handled);
}

static void tick(void *arg)
{
    struct run *r = arg;
    uint64_t now = clock_mono_us();

    if (!r->probed && swarm_logged_in(r->swarm) == r->n && bus_client_is_up(r->bus_client)) {
        r->probed = true;
        ask(r, swarm_client_at(r->swarm, 0), 1);
    } else if (r->start && now > r->end && r->answers) {
        report(r, now);
        loop_stop(r->loop);
    }
}

int main(int argc, char **argv)
{
    static const struct bus_client_handler handler = {on_up, NULL, on_request};
    struct bus_options opt = {.source = "bench@handlers",
                              .instance = "bench-handlers",
                              .hwm = 1000000,
                              .heartbeat_ms = 2000};
    struct run r = {0};
    struct metrics *metrics = metrics_new();
    struct loop_timer *timer;
    struct bus *bus;
    int err = 0;

    if (argc != 6 || atoi(argv[3]) < 1 || atoi(argv[5]) < 1) {
        fprintf(stderr, "usage: %s CTI_PORT REQUEST CLIENTS SECONDS DEPTH\n", argv[0]);
        return 2;
    }
    r.n = (unsigned)atoi(argv[3]);
    r.end = (uint64_t)atoi(argv[4]) * 1000000;
    r.depth = (unsigned)atoi(argv[5]);
    r.clients = calloc(r.n, sizeof(*r.clients));
    for (unsigned i = 0; r.clients && i < r.n; i++) {
        r.clients[i].sent = calloc(r.depth, sizeof(uint64_t));
        if (!r.clients[i].sent)
            return 1;
    }
    r.loop = loop_new();
    bus = bus_new(r.loop, &opt, metrics, NULL);
    r.bus_client = bus_client_new(bus, argv[2], "bench", &handler, &r, &err);
    if (!r.clients || !r.bus_client)
        return 1;
    r.swarm = swarm_new(r.loop, "127.0.0.1", (uint16_t)atoi(argv[1]), r.n, r.n, on_line, &r);
    timer = loop_timer_new(r.loop, tick, &r);
    loop_timer_start(timer, 10, true);
    loop_run(r.loop);
    loop_timer_destroy(&timer);
    swarm_destroy(&r.swarm);
    bus_client_destroy(&r.bus_client);
    bus_destroy(&bus);
    metrics_destroy(&metrics);
    loop_destroy(&r.loop);
    for (unsigned i = 0; i < r.n; i++)
        free(r.clients[i].sent);
    free(r.clients);
    free(r.ms);
    return 0;
}
