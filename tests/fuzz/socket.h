/* A client of a service in the same process: says something, and hears until the other side ends.
 */
#ifndef CTIBUS_TESTS_FUZZ_SOCKET_H
#define CTIBUS_TESTS_FUZZ_SOCKET_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

/* So many turns of the loop at most for one input. */
#define SOCKET_TURNS 400

static inline struct sockaddr_in socket_at(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

/* From this address of the loopback; -1 and errno. */
static inline int socket_from(uint32_t address, uint16_t port)
{
    struct sockaddr_in from = socket_at(address, 0);
    struct sockaddr_in to = socket_at(INADDR_LOOPBACK, port);
    struct linger none = {1, 0}; /* no TIME_WAIT here: there are many of them */
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int err;

    if (fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0 &&
        bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)) == 0 &&
        fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    err = errno;
    if (fd >= 0)
        close(fd);
    errno = err;
    return -1;
}

/* Where the service closes first, the address's ports are in TIME_WAIT on its side after some
 * 20,000 inputs a minute: then it is the next address's turn. */
static inline int socket_to(uint16_t port)
{
    static uint32_t address = INADDR_LOOPBACK;
    int fd = socket_from(address, port);

    if (fd < 0 && errno == EADDRNOTAVAIL)
        fd = socket_from(++address, port);
    if (fd < 0) {
        perror("a client of the fuzzer");
        abort();
    }
    return fd;
}

/* What has come; 0: the end, or that it was reset; -1: nothing yet. */
static inline ssize_t socket_read(int fd, char *p, size_t n)
{
    ssize_t got = read(fd, p, n);

    return got < 0 && errno != EAGAIN ? 0 : got;
}

/* Says it all, closes this half, and reads until the other side has closed its own. */
static inline void socket_talk(struct loop *loop, int fd, const uint8_t *data, size_t size)
{
    static char scratch[65536];
    bool said = false;

    for (int i = 0; i < SOCKET_TURNS; i++) {
        ssize_t n = size ? write(fd, data, size) : 0;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN) {
            size = 0; /* it has had enough */
        }
        if (size == 0 && !said) {
            shutdown(fd, SHUT_WR);
            said = true;
        }
        loop_once(loop, i < 8 ? 0 : 1);
        for (n = 1; n > 0;)
            n = socket_read(fd, scratch, sizeof(scratch));
        if (n == 0)
            return;
    }
}

#endif
