#include "net/conn.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

static int pending_error(int fd)
{
    int err = 0;
    socklen_t len = sizeof(err);

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
    return -err;
}

static int start(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS)
        rc = -errno;
    /* "localhost" is ::1 first: a refusal from there is known at once, and the next may do */
    else if (ai->ai_next)
        rc = pending_error(fd);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

int net_connect(const char *host, uint16_t port)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    char service[8];
    int rc = -EHOSTUNREACH;

    snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return -EHOSTUNREACH;
    for (const struct addrinfo *ai = list; ai && rc < 0; ai = ai->ai_next)
        rc = start(ai);
    freeaddrinfo(list);
    return rc;
}
