/*
 * What this machine asks for writing one short line to each of many connections, with nothing of
 * ctibus in between: the floor under every fan-out.
 *
 *     bench-floor CONNECTIONS ROUNDS
 *
 * One process writes 170 bytes to each connection with send(2), another reads them.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static void read_all(struct sockaddr_in *a, int n)
{
    static char bytes[65536];
    struct epoll_event ev[256];
    int e = epoll_create1(0);

    for (int i = 0; i < n; i++) {
        struct epoll_event want = {.events = EPOLLIN};
        want.data.fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(want.data.fd, (struct sockaddr *)a, sizeof(*a)) < 0)
            exit(1);
        epoll_ctl(e, EPOLL_CTL_ADD, want.data.fd, &want);
    }
    for (;;) {
        int k = epoll_wait(e, ev, 256, -1);
        for (int i = 0; i < k; i++)
            if (read(ev[i].data.fd, bytes, sizeof(bytes)) <= 0)
                exit(0);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int n = argc == 3 ? atoi(argv[1]) : 0;
    int rounds = argc == 3 ? atoi(argv[2]) : 0;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int *fds = calloc((size_t)n + 1, sizeof(*fds));
    double *ms = calloc((size_t)rounds + 1, sizeof(*ms));
    char line[170];
    int one = 1;

    if (n < 1 || rounds < 1 || !fds || !ms) {
        fprintf(stderr, "usage: %s CONNECTIONS ROUNDS\n", argv[0]);
        exit(2);
    }
    memset(line, 'x', sizeof(line));
    if (bind(listener, (struct sockaddr *)&a, len) < 0 || listen(listener, 4096) < 0 ||
        getsockname(listener, (struct sockaddr *)&a, &len) < 0)
        exit(1);
    if (fork() == 0)
        read_all(&a, n);
    for (int i = 0; i < n; i++) {
        fds[i] = accept(listener, NULL, NULL);
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    for (int r = 0; r < rounds; r++) {
        uint64_t start = clock_mono_us();
        for (int i = 0; i < n; i++)
            if (send(fds[i], line, sizeof(line), 0) < 0)
                exit(1);
        ms[r] = (double)(clock_mono_us() - start) / 1e3;
        usleep(50000); /* the reader comes to rest, as between two changes */
    }
    qsort(ms, (size_t)rounds, sizeof(*ms), by_value);
    printf(
        "connections %d  rounds %d  one round: median %.2f ms, worst %.2f ms  (%.2f us a send)\n",
        n, rounds, ms[rounds / 2], ms[rounds - 1], ms[rounds / 2] * 1e3 / n);
    for (int i = 0; i < n; i++)
        close(fds[i]);
    wait(NULL);
    return 0;
}
