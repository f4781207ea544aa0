/*
 * The HTTP API of an http-gw, and its webhooks.
 *
 *     bench-api ask PORT TOKEN CONNECTIONS SECONDS METHOD PATH [BODY]
 *     bench-api listen AMI_ADDR PORT TOKEN LISTENERS SECONDS CHANGES_PER_S
 *     bench-api hooks AMI_ADDR RECEIVER_PORT SECONDS CALLS_PER_S
 *
 * ask: each connection has one request under way; answers per second; 00000000 in the body is
 * another number each time. listen: plays Asterisk, changes a phone, and prints when each listener,
 * and the last one, has it. hooks: plays Asterisk and the receiver of webhooks; a call begins and
 * ends, and what counts is from its first AMI event to the receiver having the post of
 * call.started.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/deliveries.h"
#include "lib/fakeami.h"
#include "lib/report.h"
#include "net/conn.h"

#define MAX_THINGS 1000000
#define MAX_DELIVERIES 20000000
#define FIRST_STATUS 1000

struct run {
    struct loop *loop;
    struct conn_class conns;
    struct fakeami *ami;
    struct peer *peers;
    unsigned n, up, lost, rate;
    char *request, *number; /* where the number stands, or NULL */
    unsigned asked;
    uint64_t start, end, answers, refused;
    struct deliveries things; /* changes, or calls */
};

/* A connection of ours, or to us. */
struct peer {
    struct run *r;
    struct conn *conn;
};

/* ---- ask ---- */

static void send_request(struct run *r, struct conn *c)
{
    char text[9];

    snprintf(text, sizeof(text), "%08u", ++r->asked);
    if (r->number)
        memcpy(r->number, text, 8);
    conn_send(c, view_cstr(r->request));
}

/* The length of a whole answer at the start of `in`; 0: more is to come. */
static size_t whole(struct view in, struct view length_key)
{
    ptrdiff_t head = view_find(in, VIEW("\r\n\r\n"));
    ptrdiff_t at = head < 0 ? -1 : view_find(view_of(in.ptr, (size_t)head), length_key);
    size_t all = head < 0 ? 0 : (size_t)head + 4;

    if (at >= 0)
        all += strtoul(in.ptr + at + length_key.len, NULL, 10);
    return all > 0 && all <= in.len ? all : 0;
}

static size_t on_answer(void *owner, struct conn *c, struct view in)
{
    struct peer *p = owner;
    struct run *r = p->r;
    size_t n = whole(in, VIEW("Content-Length: "));

    if (n == 0)
        return 0;
    r->answers++;
    if (in.ptr[9] != '2' && r->refused++ == 0)
        fprintf(stderr, "the first that is refused: %.*s\n", (int)n, in.ptr);
    if (clock_mono_us() < r->end)
        send_request(r, c);
    else
        loop_stop(r->loop);
    return n;
}

static void on_lost(void *owner, struct conn *c, int why)
{
    struct peer *p = owner;

    p->conn = NULL;
    p->r->lost++;
}

static void connect_all(struct run *r, unsigned n, uint16_t port,
                        const struct conn_handler *handler)
{
    if (conn_class_init(&r->conns, r->loop, handler, 1 << 22, 1 << 22) < 0)
        exit(1);
    r->n = n;
    r->peers = calloc(n, sizeof(*r->peers));
    for (unsigned i = 0; i < n; i++) {
        int fd = net_connect("127.0.0.1", port);
        r->peers[i].r = r;
        r->peers[i].conn = fd >= 0 ? conn_new(&r->conns, fd, &r->peers[i]) : NULL;
        if (!r->peers[i].conn)
            exit(1);
        send_request(r, r->peers[i].conn);
        if (i % 100 == 99)
            loop_once(r->loop, 1);
    }
}

static int ask(struct run *r, char **argv, const char *body)
{
    static const struct conn_handler handler = {on_answer, on_lost, NULL};
    static char request[2048];
    uint64_t took;

    snprintf(
        request, sizeof(request),
        "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
        argv[6], argv[7], argv[3], strlen(body), body);
    r->request = request;
    r->number = strstr(request, "00000000");
    r->start = clock_mono_us();
    r->end = r->start + (uint64_t)atoi(argv[5]) * 1000000;
    connect_all(r, (unsigned)atoi(argv[4]), (uint16_t)atoi(argv[2]), &handler);
    loop_run(r->loop);
    took = clock_mono_us() - r->start;
    printf(
        "%s %s: %u connections, answers %llu, not 2xx %llu, answers/s %.0f, connections lost %u\n",
        argv[6], argv[7], r->n, (unsigned long long)r->answers, (unsigned long long)r->refused,
        (double)r->answers * 1e6 / (double)took, r->lost);
    return r->lost || r->refused || r->answers == 0;
}

/* ---- what is measured ---- */

/* True: it is time for so many things. */
static bool is_time(struct run *r, unsigned *due)
{
    uint64_t now = clock_mono_us();

    if (!r->start) {
        if (r->up < r->n || !fakeami_is_listed(r->ami))
            return false;
        r->start = now + 1000000; /* what the start has set off dies down */
        r->end += r->start;
        return false;
    }
    if (now > r->end + 2000000)
        loop_stop(r->loop);
    if (now < r->start || now > r->end)
        return false;
    *due = (unsigned)((now - r->start) * r->rate / 1000000);
    return true;
}

static void run_with(struct run *r, const char *ami, loop_fn *tick)
{
    struct loop_timer *timer;

    r->ami = fakeami_new(r->loop, ami);
    timer = loop_timer_new(r->loop, tick, r);
    loop_timer_start(timer, 1, true);
    loop_run(r->loop);
    loop_timer_destroy(&timer);
    fakeami_destroy(&r->ami);
}

/* ---- listen ---- */

static size_t on_event(void *owner, struct conn *c, struct view in)
{
    struct peer *p = owner;
    struct view rest = in;
    ptrdiff_t end, at;

    while ((end = view_find(rest, VIEW("\n\n"))) >= 0) {
        struct view one = view_of(rest.ptr, (size_t)end);
        p->r->up += view_find(one, VIEW("event: live")) >= 0;
        at = view_find(one, VIEW("\"hintstatus\":\""));
        if (at >= 0)
            deliveries_arrived(&p->r->things, strtoul(one.ptr + at + 14, NULL, 10) - FIRST_STATUS);
        rest = view_of(rest.ptr + end + 2, rest.len - (size_t)end - 2);
    }
    return in.len - rest.len;
}

static void change_a_phone(void *arg)
{
    struct run *r = arg;
    unsigned due;
    char text[256];
    int n;

    if (!is_time(r, &due))
        return;
    while (r->things.n < due && r->things.n < MAX_THINGS) {
        n = snprintf(text, sizeof(text),
                     "Event: ExtensionStatus\r\nPrivilege: call,all\r\nExten: 1001\r\nContext: "
                     "default\r\nHint: SIP/u1\r\nStatus: %u\r\n\r\n",
                     FIRST_STATUS + r->things.n);
        deliveries_sent(&r->things);
        fakeami_send(r->ami, view_of(text, (size_t)n));
    }
}

static int listen_to_all(struct run *r, char **argv)
{
    static const struct conn_handler handler = {on_event, on_lost, NULL};
    static char request[512];
    unsigned incomplete;

    snprintf(
        request, sizeof(request),
        "GET /v1/events?events=change&lists=phones HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        "%s\r\n\r\n",
        argv[4]);
    r->request = request;
    r->end = (uint64_t)atoi(argv[6]) * 1000000;
    r->rate = (unsigned)atoi(argv[7]);
    deliveries_make_room(&r->things, MAX_THINGS, MAX_DELIVERIES);
    connect_all(r, (unsigned)atoi(argv[5]), (uint16_t)atoi(argv[3]), &handler);
    run_with(r, argv[2], change_a_phone);
    incomplete = deliveries_incomplete(&r->things, r->n);
    printf("%u listeners, changes %u, of which not with every listener: %u, connections lost %u\n",
           r->n, r->things.n, incomplete, r->lost);
    bench_report("each listener, each change", r->things.all, r->things.n_all);
    bench_report("last listener of each change", r->things.slowest, r->things.n);
    return incomplete || r->things.n == 0;
}

/* ---- hooks ---- */

static size_t on_post(void *owner, struct conn *c, struct view in)
{
    struct run *r = owner;
    size_t n = whole(in, VIEW("Content-Length: "));
    ptrdiff_t at = n ? view_find(in, VIEW("\"id\":\"9000000000.")) : -1;

    if (n == 0)
        return 0;
    r->answers++;
    if (at >= 0)
        deliveries_arrived(&r->things, strtoul(in.ptr + at + 17, NULL, 10));
    conn_send(c, VIEW("HTTP/1.1 204 No Content\r\n\r\n"));
    return n;
}

static void on_end(void *owner, struct conn *c, int why)
{
}

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct run *r = arg;

    conn_new(&r->conns, fd, r);
}

static void call_somebody(void *arg)
{
    struct run *r = arg;
    unsigned due;
    char text[1024];
    int n;

    if (!is_time(r, &due))
        return;
    while (r->things.n < due && r->things.n < MAX_THINGS) {
        unsigned i = r->things.n;
        n = snprintf(text, sizeof(text),
                     "Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/u1-%08x\r\n"
                     "ChannelState: 0\r\nChannelStateDesc: Down\r\nCallerIDNum: 1001\r\n"
                     "CallerIDName: User 1\r\nAccountCode: \r\nContext: default\r\nExten: 1002\r\n"
                     "Priority: 1\r\nUniqueid: 9000000000.%u\r\nLinkedid: 9000000000.%u\r\n\r\n"
                     "Event: Hangup\r\nPrivilege: call,all\r\nChannel: SIP/u1-%08x\r\n"
                     "Uniqueid: 9000000000.%u\r\nLinkedid: 9000000000.%u\r\nCause: 16\r\n"
                     "Cause-txt: Normal Clearing\r\n\r\n",
                     i, i, i, i, i, i);
        deliveries_sent(&r->things);
        fakeami_send(r->ami, view_of(text, (size_t)n));
    }
}

static int hooks(struct run *r, char **argv)
{
    static const struct conn_handler handler = {on_post, on_end, NULL};
    struct listener *listener;
    unsigned missing;
    char addr[64];
    int err;

    snprintf(addr, sizeof(addr), "127.0.0.1:%s", argv[3]);
    r->end = (uint64_t)atoi(argv[4]) * 1000000;
    r->rate = (unsigned)atoi(argv[5]);
    deliveries_make_room(&r->things, MAX_THINGS, MAX_DELIVERIES);
    if (conn_class_init(&r->conns, r->loop, &handler, 1 << 20, 1 << 20) < 0 ||
        !(listener = listener_new(r->loop, addr, on_accept, r, &err)))
        exit(1);
    run_with(r, argv[2], call_somebody);
    missing = deliveries_incomplete(&r->things, 1);
    printf("calls %u, posts %llu, calls without one %u, posts/s %.0f\n", r->things.n,
           (unsigned long long)r->answers, missing,
           (double)r->answers * 1e6 / (double)(r->end - r->start));
    bench_report("AMI event to the receiver", r->things.all, r->things.n_all);
    listener_destroy(&listener);
    return missing || r->things.n == 0;
}

int main(int argc, char **argv)
{
    struct run r = {.loop = loop_new()};

    if (!r.loop)
        return 1;
    if ((argc == 8 || argc == 9) && strcmp(argv[1], "ask") == 0)
        return ask(&r, argv, argc == 9 ? argv[8] : "");
    if (argc == 8 && strcmp(argv[1], "listen") == 0)
        return listen_to_all(&r, argv);
    if (argc == 6 && strcmp(argv[1], "hooks") == 0)
        return hooks(&r, argv);
    fprintf(stderr, "usage: %s ask|listen|hooks ...: see the first lines of bench/api.c\n",
            argv[0]);
    return 2;
}
