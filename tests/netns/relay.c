/*
 * A link between two network namespaces that can be slow, lose packets, and be cut.
 *
 *     netns-relay NAMESPACE_A ADDRESS_A NAMESPACE_B ADDRESS_B      (addresses as 10.77.1.1/24)
 *
 * Makes a TUN device in each and carries packets between them until its standard input ends. A line
 * there changes how, and is answered with "ok": "delay MS", "loss PERCENT", "cut a", "cut b" (what
 * goes out of that side is lost), "cut both", "heal".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"

#define MAX_PACKET 2048
#define MAX_QUEUED 20000

struct packet {
    STAILQ_ENTRY(packet) all;
    uint64_t due;
    int to;
    size_t len;
    char data[MAX_PACKET];
};

struct relay {
    int tun[2];
    STAILQ_HEAD(, packet) queue;
    size_t n;
    uint64_t delay_us;
    unsigned loss; /* percent */
    bool cut[2];
    unsigned seed;
};

static void die(const char *what)
{
    fprintf(stderr, "netns-relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A TUN device in a namespace, with an address and up. */
static int open_tun(const char *name, const char *address)
{
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    char path[128], command[256];
    int ns, tun;

    snprintf(path, sizeof(path), "/run/netns/%s", name);
    ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        die(path);
    tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) < 0)
        die("/dev/net/tun");
    snprintf(command, sizeof(command), "ip address add %s dev %s && ip link set %s up", address,
             ifr.ifr_name, ifr.ifr_name);
    if (system(command) != 0)
        die(command);
    close(ns);
    return tun;
}

static void take(struct relay *r, int from)
{
    for (;;) {
        struct packet *p = malloc(sizeof(*p));
        ssize_t n = p ? read(r->tun[from], p->data, sizeof(p->data)) : -1;
        if (n <= 0) {
            free(p);
            return;
        }
        if (r->cut[from] || (unsigned)(rand_r(&r->seed) % 100) < r->loss || r->n == MAX_QUEUED) {
            free(p);
            continue;
        }
        p->len = (size_t)n;
        p->to = !from;
        p->due = clock_mono_us() + r->delay_us;
        STAILQ_INSERT_TAIL(&r->queue, p, all);
        r->n++;
    }
}

/* Sends what is due; milliseconds until the next is, or -1. */
static int give(struct relay *r)
{
    struct packet *p;
    uint64_t now = clock_mono_us();

    while ((p = STAILQ_FIRST(&r->queue)) && p->due <= now) {
        STAILQ_REMOVE_HEAD(&r->queue, all);
        r->n--;
        if (!r->cut[!p->to] && write(r->tun[p->to], p->data, p->len) < 0 && errno != EAGAIN)
            perror("netns-relay: write");
        free(p);
    }
    return p ? (int)((p->due - now) / 1000) + 1 : -1;
}

static bool obey(struct relay *r)
{
    char line[128], word[32] = "", what[32] = "";

    if (!fgets(line, sizeof(line), stdin))
        return false;
    sscanf(line, "%31s %31s", word, what);
    if (strcmp(word, "delay") == 0)
        r->delay_us = strtoul(what, NULL, 10) * 1000;
    else if (strcmp(word, "loss") == 0)
        r->loss = (unsigned)strtoul(what, NULL, 10);
    else if (strcmp(word, "cut") == 0) {
        r->cut[0] |= strcmp(what, "b") != 0;
        r->cut[1] |= strcmp(what, "a") != 0;
    } else if (strcmp(word, "heal") == 0)
        r->cut[0] = r->cut[1] = false;
    puts("ok");
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    static struct relay r = {.seed = 1};

    if (argc != 5) {
        fputs("netns-relay NAMESPACE_A ADDRESS_A NAMESPACE_B ADDRESS_B\n", stderr);
        return 2;
    }
    setvbuf(stdin, NULL, _IONBF, 0);
    STAILQ_INIT(&r.queue);
    r.tun[0] = open_tun(argv[1], argv[2]);
    r.tun[1] = open_tun(argv[3], argv[4]);
    puts("ok");
    fflush(stdout);
    for (;;) {
        struct pollfd fds[3] = {{r.tun[0], POLLIN, 0}, {r.tun[1], POLLIN, 0}, {0, POLLIN, 0}};
        int wait = give(&r);
        if (poll(fds, 3, wait) < 0 && errno != EINTR)
            die("poll");
        for (int i = 0; i < 2; i++)
            if (fds[i].revents)
                take(&r, i);
        if (fds[2].revents && !obey(&r))
            return 0;
    }
}
