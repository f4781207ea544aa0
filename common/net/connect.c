#include "net/conn.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

static int start(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS)
        rc = -errno;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

int net_connect(const char *address, uint16_t port)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *list;
    char service[8];
    int rc = -EHOSTUNREACH;

    snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (getaddrinfo(address, service, &hints, &list) != 0)
        return -EINVAL;
    for (const struct addrinfo *ai = list; ai && rc < 0; ai = ai->ai_next)
        rc = start(ai);
    freeaddrinfo(list);
    return rc;
}
