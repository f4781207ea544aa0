/*
 * A burst of calls, from the AMI socket to a client's socket.
 *
 *     bench-burst AMI_ADDR CTI_PORT FILE.ami[.gz] ROUNDS
 *
 * Sends the whole recorded burst as fast as ami-gw reads, then a mark, and waits until the mark has
 * come out at a logged-in client. Prints the rate over everything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "lib/fakeami.h"
#include "lib/swarm.h"

struct run {
    struct loop *loop;
    struct fakeami *ami;
    struct swarm *swarm;
    struct buf file;
    uint64_t events;
    unsigned rounds, sent;
    uint64_t start, lines, bytes;
    size_t at;
    bool marked;
};

static const char mark[] =
    "\r\n\r\nEvent: ExtensionStatus\r\nPrivilege: call,all\r\nExten: 1001\r\n"
    "Context: default\r\nHint: SIP/u1\r\nStatus: 777\r\n\r\n";

static void on_line(void *arg, struct swarm_client *c, struct view line)
{
    struct run *r = arg;
    double s;

    r->lines++;
    r->bytes += line.len + 1;
    if (!r->marked || view_find(line, VIEW("\"hintstatus\":\"777\"")) < 0)
        return;
    s = (double)(clock_mono_us() - r->start) / 1e6;
    printf("events %llu  bytes %zu  seconds %.3f  events/s %.0f  lines to the client %llu (%.1f "
           "MB)\n",
           (unsigned long long)r->events * r->rounds, buf_len(&r->file) * r->rounds, s,
           (double)(r->events * r->rounds) / s, (unsigned long long)r->lines,
           (double)r->bytes / 1e6);
    loop_stop(r->loop);
}

static void pump(void *arg)
{
    struct run *r = arg;
    size_t n = buf_len(&r->file) - r->at;

    if (!r->start) {
        if (swarm_logged_in(r->swarm) < 1 || !fakeami_is_listed(r->ami))
            return;
        r->start = clock_mono_us();
    }
    while (!r->marked && fakeami_waiting(r->ami) < (4 << 20)) {
        if (n > 1 << 20)
            n = 1 << 20;
        fakeami_send(r->ami, view_of(buf_data(&r->file) + r->at, n));
        r->at += n;
        n = buf_len(&r->file) - r->at;
        if (n > 0)
            continue;
        r->at = 0;
        n = buf_len(&r->file);
        if (++r->sent == r->rounds) {
            fakeami_send(r->ami, VIEW(mark));
            r->marked = true;
        }
    }
}

static void load(struct run *r, const char *path)
{
    gzFile f = gzopen(path, "rb");
    struct view rest;
    int n;

    if (!f) {
        perror(path);
        exit(1);
    }
    for (;;) {
        char *scratch = buf_reserve(&r->file, 1 << 20);
        if (!scratch || (n = gzread(f, scratch, 1 << 20)) <= 0)
            break;
        buf_commit(&r->file, (size_t)n);
    }
    gzclose(f);
    buf_consume(&r->file, (size_t)view_find(buf_view(&r->file), VIEW("\n")) + 1); /* banner */
    for (rest = buf_view(&r->file); rest.len;) {
        ptrdiff_t at = view_find(rest, VIEW("\nEvent: "));
        if (at < 0)
            break;
        r->events++;
        rest = view_of(rest.ptr + at + 8, rest.len - (size_t)at - 8);
    }
}

int main(int argc, char **argv)
{
    struct run r = {0};
    struct loop_timer *timer;

    if (argc != 5) {
        fprintf(stderr, "usage: %s AMI_ADDR CTI_PORT FILE ROUNDS\n", argv[0]);
        return 2;
    }
    buf_init(&r.file, 0);
    load(&r, argv[3]);
    r.rounds = (unsigned)atoi(argv[4]);
    r.loop = loop_new();
    r.ami = fakeami_new(r.loop, argv[1]);
    r.swarm = swarm_new(r.loop, "127.0.0.1", (uint16_t)atoi(argv[2]), 1, 1, on_line, &r);
    timer = loop_timer_new(r.loop, pump, &r);
    loop_timer_start(timer, 1, true);
    loop_run(r.loop);
    loop_timer_destroy(&timer);
    swarm_destroy(&r.swarm);
    fakeami_destroy(&r.ami);
    loop_destroy(&r.loop);
    buf_free(&r.file);
    return 0;
}
