/*
 * The fan-out of other servers, beside bench-latency: one message to many subscribers.
 *
 *     bench-fanout PROTOCOL PORT CLIENTS [RATE SECONDS]
 *
 * PROTOCOL is redis, nats, mqtt or http. Connects, subscribes (http: asks once and keeps the
 * connection), prints "ready"; then publishes RATE messages of 170 bytes a second, as long as a
 * line of ctibus, on one more connection, and prints the latencies as bench-latency does. Without
 * RATE the clients stay idle until a line comes on standard input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/deliveries.h"
#include "lib/report.h"
#include "net/conn.h"

#define PAYLOAD 170
#define AT_ONCE 64 /* connections under way */
#define TICK_MS 1
#define REST_US 500000  /* before the first message */
#define LAST_US 1000000 /* after the last one */

struct client;

struct protocol {
    const char *name;
    void (*hello)(struct buf *out, unsigned n, bool subscribe);
    /* How many bytes of `in` say that it is subscribed; 0: not yet. */
    size_t (*subscribed)(struct view in);
    void (*publish)(struct buf *out, struct view payload);
};

struct run {
    struct loop *loop;
    const struct protocol *protocol;
    struct conn_class cls;
    struct loop_task *task;
    uint16_t port;
    unsigned n, started, ready, lost, rate;
    uint64_t start, end;
    struct client *clients; /* and the one that publishes */
    struct deliveries changes;
};

struct client {
    struct run *r;
    struct conn *conn;
    bool ready;
};

/* ---- protocols ---- */

static size_t after(struct view in, struct view what)
{
    ptrdiff_t at = view_find(in, what);

    return at < 0 ? 0 : (size_t)at + what.len;
}

static void redis_hello(struct buf *out, unsigned n, bool subscribe)
{
    if (subscribe)
        buf_append_cstr(out, "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n");
}

static size_t redis_subscribed(struct view in)
{
    return after(in, VIEW(":1\r\n"));
}

static void redis_publish(struct buf *out, struct view payload)
{
    buf_printf(out, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$%zu\r\n%.*s\r\n", payload.len,
               VIEW_ARG(payload));
}

static void nats_hello(struct buf *out, unsigned n, bool subscribe)
{
    buf_append_cstr(out, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
    if (subscribe)
        buf_append_cstr(out, "SUB c 1\r\nPING\r\n");
}

static size_t nats_subscribed(struct view in)
{
    return after(in, VIEW("PONG\r\n"));
}

static void nats_publish(struct buf *out, struct view payload)
{
    buf_printf(out, "PUB c %zu\r\n%.*s\r\n", payload.len, VIEW_ARG(payload));
}

/* CONNECT with a clean session and no keep-alive, SUBSCRIBE to c with quality 0. */
static void mqtt_hello(struct buf *out, unsigned n, bool subscribe)
{
    char id[16];
    int len = snprintf(id, sizeof(id), "c%u", n);
    char head[] = {0x10, (char)(12 + len), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, (char)len};

    buf_append_view(out, view_of(head, sizeof(head)));
    buf_append_cstr(out, id);
    if (subscribe)
        buf_append_view(out, VIEW("\x82\x06\x00\x01\x00\x01"
                                  "c\x00"));
}

/* CONNACK and SUBACK. */
static size_t mqtt_subscribed(struct view in)
{
    return in.len >= 9 && in.ptr[3] == 0 && in.ptr[8] == 0 ? 9 : 0;
}

static void mqtt_publish(struct buf *out, struct view payload)
{
    size_t len = payload.len + 3;
    char head[] = {0x30, (char)(len % 128 | 128), (char)(len / 128), 0, 1, 'c'};

    buf_append_view(out, view_of(head, sizeof(head)));
    buf_append_view(out, payload);
}

static void http_hello(struct buf *out, unsigned n, bool subscribe)
{
    buf_append_cstr(out, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

static size_t http_subscribed(struct view in)
{
    return after(in, VIEW("\r\n\r\n"));
}

static const struct protocol protocols[] = {
    {"redis", redis_hello, redis_subscribed, redis_publish},
    {"nats", nats_hello, nats_subscribed, nats_publish},
    {"mqtt", mqtt_hello, mqtt_subscribed, mqtt_publish},
    {"http", http_hello, http_subscribed, NULL},
};

/* ---- clients ---- */

static void on_line(struct client *c, struct view line)
{
    ptrdiff_t at = view_find(line, VIEW("\"number\":\""));

    if (at >= 0)
        deliveries_arrived(&c->r->changes, strtoul(line.ptr + at + 10, NULL, 10));
    else if (c->r->protocol->hello == nats_hello && view_eq(line, VIEW("PING\r")))
        conn_send(c->conn, VIEW("PONG\r\n"));
}

static size_t on_data(void *owner, struct conn *conn, struct view in)
{
    struct client *c = owner;
    struct view rest = in;
    const char *end;

    if (!c->ready) {
        size_t used = c->r->protocol->subscribed(in);
        if (used == 0)
            return 0;
        c->ready = true;
        c->r->ready++;
        loop_task_post(c->r->task);
        return used;
    }
    while (rest.len && (end = memchr(rest.ptr, '\n', rest.len))) {
        struct view line = view_of(rest.ptr, (size_t)(end - rest.ptr));
        rest = view_of(end + 1, rest.len - line.len - 1);
        on_line(c, line);
    }
    return in.len - rest.len;
}

static void on_closed(void *owner, struct conn *conn, int why)
{
    struct client *c = owner;

    c->conn = NULL;
    c->r->lost++;
    if (!c->ready) {
        fprintf(stderr, "a connection ended before it was subscribed (%d)\n", why);
        exit(1);
    }
}

static const struct conn_handler handler = {on_data, on_closed, NULL};

static void start_one(struct run *r, unsigned i)
{
    struct client *c = &r->clients[i];
    int fd = net_connect("127.0.0.1", r->port);
    struct buf out;

    if (fd < 0) {
        fprintf(stderr, "connect: %s\n", strerror(-fd));
        exit(1);
    }
    *c = (struct client){r, conn_new(&r->cls, fd, c), i == r->n};
    buf_init(&out, 0);
    r->protocol->hello(&out, i, i < r->n);
    conn_send(c->conn, buf_view(&out));
    buf_free(&out);
}

static void start_some(void *arg)
{
    struct run *r = arg;

    while (r->started < r->n && r->started - r->ready < AT_ONCE)
        start_one(r, r->started++);
}

/* ---- a run ---- */

static void publish(struct run *r)
{
    char payload[PAYLOAD + 1];
    int n = snprintf(payload, sizeof(payload),
                     "{\"class\":\"race\",\"number\":\"%06u\",\"text\":\"", r->changes.n);
    struct buf out;

    memset(payload + n, 'x', PAYLOAD - (size_t)n);
    memcpy(payload + PAYLOAD - 3, "\"}\n", 4);
    buf_init(&out, 0);
    r->protocol->publish(&out, view_of(payload, PAYLOAD));
    deliveries_sent(&r->changes);
    conn_send(r->clients[r->n].conn, buf_view(&out));
    buf_free(&out);
}

static void tick(void *arg)
{
    struct run *r = arg;
    uint64_t now = clock_mono_us();

    if (!r->start) {
        if (r->ready < r->n)
            return;
        if (r->rate)
            start_one(r, r->n);
        puts("ready");
        fflush(stdout);
        r->start = now + REST_US;
        r->end += r->start;
        return;
    }
    if (!r->rate || now < r->start)
        return;
    if (now > r->end + LAST_US || !r->clients[r->n].conn) {
        loop_stop(r->loop);
        return;
    }
    while (now < r->end && r->changes.n < r->changes.most &&
           r->changes.n < (now - r->start) * r->rate / 1000000)
        publish(r);
}

static void on_stdin(void *arg)
{
    loop_stop(((struct run *)arg)->loop);
}

static int report(struct run *r)
{
    unsigned incomplete = deliveries_incomplete(&r->changes, r->n);

    printf("changes %u, of which not with every client: %u, connections lost: %u\n", r->changes.n,
           incomplete, r->lost);
    bench_report("each client, each change", r->changes.all, r->changes.n_all);
    bench_report("last client of each change", r->changes.slowest, r->changes.n);
    return incomplete || r->changes.n == 0;
}

static void parse(struct run *r, int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (strcmp(argv[1], protocols[i].name) == 0)
            r->protocol = &protocols[i];
    if ((argc != 4 && argc != 6) || !r->protocol || (argc == 6 && !r->protocol->publish)) {
        fprintf(stderr, "usage: %s redis|nats|mqtt|http PORT CLIENTS [RATE SECONDS]\n", argv[0]);
        exit(2);
    }
    r->port = (uint16_t)atoi(argv[2]);
    r->n = (unsigned)atoi(argv[3]);
    if (argc == 6) {
        r->rate = (unsigned)atoi(argv[4]);
        r->end = (uint64_t)atoi(argv[5]) * 1000000;
        deliveries_make_room(&r->changes, r->rate * (unsigned)atoi(argv[5]),
                             (size_t)r->n * r->rate * (size_t)atoi(argv[5]));
    }
}

int main(int argc, char **argv)
{
    static struct run r;
    struct loop_timer *timer;
    struct loop_fd *in = NULL;
    int code = 0;

    parse(&r, argc, argv);
    r.loop = loop_new();
    r.clients = calloc((size_t)r.n + 1, sizeof(*r.clients));
    if (!r.loop || !r.clients || conn_class_init(&r.cls, r.loop, &handler, 1 << 20, 64 << 20) < 0)
        return 1;
    r.task = loop_task_new(r.loop, start_some, &r);
    loop_task_post(r.task);
    timer = loop_timer_new(r.loop, tick, &r);
    loop_timer_start(timer, TICK_MS, true);
    if (!r.rate)
        in = loop_fd_new(r.loop, 0, on_stdin, &r);
    loop_run(r.loop);
    if (r.rate)
        code = report(&r);
    for (unsigned i = 0; i <= r.n; i++)
        if (r.clients[i].conn)
            conn_close(&r.clients[i].conn);
    if (in)
        loop_fd_destroy(&in);
    loop_timer_destroy(&timer);
    loop_task_destroy(&r.task);
    conn_class_fini(&r.cls);
    loop_destroy(&r.loop);
    free(r.clients);
    return code;
}
