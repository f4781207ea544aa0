/*
 * Replicas that take snapshots of state, again and again, each for itself.
 *
 *     bench-snapshots REQUEST REPLICAS LIST|all SECONDS EVERY
 *
 * EVERY: milliseconds from the beginning of one to that of the next (0: at once).
 * Prints how many there were, how many objects one had, and how long one took.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "svc/memory.h"

#define MAX_TIMES 1000000

struct run {
    struct loop *loop;
    const char *list;
    uint64_t *times;
    size_t n_times;
    uint64_t end;
    uint32_t every_ms;
};

struct replica {
    struct run *run;
    struct metrics *metrics;
    struct bus *bus;
    struct bus_client *bus_client;
    struct loop_timer *timer;
    uint64_t since, objects;
    uint64_t last; /* objects of the last whole one */
};

static void on_chunk(void *arg, enum bus_status status, const msgpack_object *body);

static void ask(void *arg)
{
    struct replica *p = arg;
    struct buf pairs;
    size_t n;

    buf_init(&pairs, 0);
    p->objects = 0;
    p->since = clock_mono_us();
    if (strcmp(p->run->list, "all") != 0)
        msg_put_pair(&pairs, "list", view_cstr(p->run->list));
    n = buf_len(&pairs) ? 2 : 1;
    msg_put_cstr(&pairs, "brief"); /* as replicas do */
    msg_put_bool(&pairs, true);
    bus_ask(p->bus_client, METHOD_snapshot, n, buf_view(&pairs), 30000, on_chunk, p);
    buf_free(&pairs);
}

static void on_chunk(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct replica *p = arg;
    const msgpack_object *objects = msg_get(body, "objects");

    if (objects && objects->type == MSGPACK_OBJECT_ARRAY)
        p->objects += objects->via.array.size;
    if (status == BUS_more || status == BUS_gone)
        return;
    if (status == BUS_ok && p->run->n_times < MAX_TIMES) {
        p->run->times[p->run->n_times++] = clock_mono_us() - p->since;
        p->last = p->objects;
    }
    if (p->run->every_ms == 0)
        ask(p);
}

static void on_up(void *arg, const msgpack_object *body)
{
    struct replica *p = arg;

    if (p->run->every_ms)
        loop_timer_start(p->timer, p->run->every_ms, true);
    else
        ask(p);
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    bus_client_reply(((struct replica *)arg)->bus_client, id, BUS_ok, view_of(NULL, 0));
}

static void check(void *arg)
{
    struct run *r = arg;

    if (clock_mono_us() > r->end)
        loop_stop(r->loop);
}

static void start(struct run *r, struct replica *p, unsigned n, const char *request)
{
    static const struct bus_client_handler handler = {on_up, NULL, on_request};
    char name[32];
    struct bus_options opt = {
        .source = name, .instance = name, .hwm = 100000, .heartbeat_ms = 2000};
    int err = 0;

    snprintf(name, sizeof(name), "replica%u", n);
    p->run = r;
    p->timer = loop_timer_new(r->loop, ask, p);
    p->metrics = metrics_new();
    p->bus = bus_new(r->loop, &opt, p->metrics, NULL);
    p->bus_client = bus_client_new(p->bus, request, "cti-gw", &handler, p, &err);
    if (!p->bus_client)
        exit(1);
}

static int by_time(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Milliseconds that so many in a hundred did not exceed. */
static double ms_at(const struct run *r, size_t percent)
{
    size_t at = r->n_times * percent / 100;

    return (double)r->times[at < r->n_times ? at : r->n_times - 1] / 1e3;
}

int main(int argc, char **argv)
{
    struct run r = {0};
    struct replica *replicas;
    struct loop_timer *timer;
    unsigned n;

    memory_configure(); /* as the services that it stands for */
    if (argc != 6) {
        fprintf(stderr, "usage: %s REQUEST REPLICAS LIST|all SECONDS EVERY\n", argv[0]);
        return 2;
    }
    n = (unsigned)atoi(argv[2]);
    r.list = argv[3];
    r.end = clock_mono_us() + (uint64_t)(atof(argv[4]) * 1e6);
    r.every_ms = (uint32_t)atoi(argv[5]);
    r.loop = loop_new();
    r.times = calloc(MAX_TIMES, sizeof(*r.times));
    replicas = calloc(n, sizeof(*replicas));
    for (unsigned i = 0; i < n; i++)
        start(&r, &replicas[i], i, argv[1]);
    timer = loop_timer_new(r.loop, check, &r);
    loop_timer_start(timer, 20, true);
    loop_run(r.loop);
    qsort(r.times, r.n_times, sizeof(*r.times), by_time);
    if (r.n_times)
        printf("snapshots %zu  objects in one %llu  ms: median %.2f  99 %% %.2f  worst %.2f\n",
               r.n_times, (unsigned long long)replicas[0].last, ms_at(&r, 50), ms_at(&r, 99),
               ms_at(&r, 100));
    loop_timer_destroy(&timer);
    for (unsigned i = 0; i < n; i++) {
        loop_timer_destroy(&replicas[i].timer);
        bus_client_destroy(&replicas[i].bus_client);
        bus_destroy(&replicas[i].bus);
        metrics_destroy(&replicas[i].metrics);
    }
    loop_destroy(&r.loop);
    free(replicas);
    free(r.times);
    return 0;
}
