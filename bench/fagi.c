/*
 * FastAGI sessions per second, and how long a call waits for one.
 *
 *     bench-fagi FAGI_PORT CONCURRENT SESSIONS [OPEN]
 *
 * A session is what an Asterisk makes of AGI(agi://...): connect, an environment of 23 lines, the
 * variables (callerid_forphones from a phone without a name: three of them), close. With OPEN
 * there are so many first that have connected and say nothing until all of them have; then each
 * goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/conn.h"

struct run {
    struct loop *loop;
    struct conn_class cls;
    uint16_t port;
    size_t wanted, begun, ended, wrong;
    double *ms;
    uint64_t start;
};

struct session {
    struct run *r;
    struct conn *conn;
    uint64_t since;
    size_t n, lines;
};

static void put_environment(struct buf *out, size_t n)
{
    static const char *const lines =
        "agi_language: en\nagi_type: SIP\nagi_version: 20\nagi_callerid: 1001\n"
        "agi_calleridname: 1001\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n"
        "agi_callingtns: 0\nagi_dnid: 1002\nagi_rdnis: unknown\nagi_context: user\n"
        "agi_extension: s\nagi_priority: 10\nagi_enhanced: 0.0\nagi_accountcode: \n"
        "agi_threadid: 139920692000448\nagi_arg_1: 2\n\n";

    buf_printf(out,
               "agi_network: yes\nagi_network_script: callerid_forphones\n"
               "agi_request: agi://127.0.0.1/callerid_forphones\nagi_channel: SIP/u1-%08zx\n"
               "agi_uniqueid: %zu.1\n%s",
               n, n, lines);
}

static void begin(struct run *r);

static void end(struct session *s)
{
    struct run *r = s->r;

    r->ms[r->ended++] = (double)(clock_mono_us() - s->since) / 1000;
    r->wrong += s->lines != 3;
    conn_close(&s->conn);
    free(s);
    if (r->ended == r->wanted)
        loop_stop(r->loop);
    else if (r->begun < r->wanted)
        begin(r);
}

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct session *s = owner;

    for (size_t i = 0; i < in.len; i++)
        s->lines += in.ptr[i] == '\n';
    return in.len;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct session *s = owner;

    s->conn = NULL;
    end(s);
}

static const struct conn_handler handler = {.data = on_data, .closed = on_closed};

static struct session *connect_one(struct run *r)
{
    struct session *s = calloc(1, sizeof(*s));
    int fd = net_connect("127.0.0.1", r->port);

    if (!s || fd < 0) {
        fprintf(stderr, "cannot connect: %s\n", strerror(s ? -fd : ENOMEM));
        exit(1);
    }
    s->r = r;
    s->since = clock_mono_us();
    s->n = r->begun++;
    s->conn = conn_new(&r->cls, fd, s);
    return s;
}

static void say(struct session *s)
{
    struct buf out;

    buf_init(&out, 0);
    put_environment(&out, s->n);
    conn_send(s->conn, buf_view(&out));
    buf_free(&out);
}

static void begin(struct run *r)
{
    say(connect_one(r));
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(struct run *r, const char *what)
{
    double seconds = (double)(clock_mono_us() - r->start) / 1e6;

    qsort(r->ms, r->ended, sizeof(*r->ms), by_size);
    printf("%s: %zu sessions, %.0f/s, p50 %.2f ms, p99 %.2f ms, max %.2f ms, %zu wrong\n", what,
           r->ended, (double)r->ended / seconds, r->ms[r->ended / 2], r->ms[r->ended * 99 / 100],
           r->ms[r->ended - 1], r->wrong);
}

/* Connects `n` at once; they wait for each other. */
static void run_open(struct run *r, size_t n)
{
    struct session **all = calloc(n, sizeof(struct session *));

    if (!all)
        exit(1);
    r->wanted = n;
    r->start = clock_mono_us();
    for (size_t i = 0; i < n; i++) {
        all[i] = connect_one(r);
        if (i % 100 == 99)
            loop_once(r->loop, 0); /* the listener's queue is short */
    }
    printf("open: %zu connected after %.2f s\n", n, (double)(clock_mono_us() - r->start) / 1e6);
    fflush(stdout);
    for (size_t i = 0; i < n; i++)
        say(all[i]);
    free(all);
    loop_run(r->loop);
    report(r, "open");
}

int main(int argc, char **argv)
{
    static struct run r;
    size_t concurrent = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
    size_t sessions = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    size_t open = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;

    if (concurrent == 0 || sessions < concurrent) {
        fprintf(stderr, "bench-fagi FAGI_PORT CONCURRENT SESSIONS [OPEN]\n");
        return 2;
    }
    r.port = (uint16_t)atoi(argv[1]);
    r.loop = loop_new();
    r.ms = calloc(sessions > open ? sessions : open, sizeof(*r.ms));
    if (!r.loop || !r.ms || conn_class_init(&r.cls, r.loop, &handler, 65536, 65536) < 0)
        return 1;
    if (open)
        run_open(&r, open);
    r.wanted = sessions;
    r.begun = r.ended = r.wrong = 0;
    r.start = clock_mono_us();
    for (size_t i = 0; i < concurrent; i++)
        begin(&r);
    loop_run(r.loop);
    report(&r, "fagi");
    conn_class_fini(&r.cls);
    loop_destroy(&r.loop);
    free(r.ms);
    return 0;
}
