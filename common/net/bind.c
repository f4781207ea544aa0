/* Sockets at an address of our own. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/hostport.h"
#include "net/conn.h"

#define BACKLOG 4096

static int try_bind(const struct addrinfo *ai, int type)
{
    int fd = socket(ai->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    int err;

    if (fd < 0)
        return -errno;
    if (type == SOCK_STREAM) /* two that take the same datagrams would be no help */
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
        (type != SOCK_STREAM || listen(fd, BACKLOG) == 0))
        return fd;
    err = -errno;
    close(fd);
    return err;
}

int net_bind(struct view addr, int type)
{
    const struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_PASSIVE};
    struct addrinfo *list;
    struct view host;
    uint16_t port;
    char name[256];
    char service[8];
    int rc = hostport_split(addr, &host, &port);

    if (rc < 0 || host.len >= sizeof(name))
        return -EINVAL;
    snprintf(name, sizeof(name), "%.*s", VIEW_ARG(host));
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (getaddrinfo(host.len ? name : NULL, service, &hints, &list) != 0)
        return -EADDRNOTAVAIL;
    rc = -EADDRNOTAVAIL;
    for (const struct addrinfo *ai = list; ai && rc < 0; ai = ai->ai_next)
        rc = try_bind(ai, type);
    freeaddrinfo(list);
    return rc;
}

/* Removes the socket file of a process that has died. */
static int clear_path(const struct sockaddr_un *at)
{
    struct stat st;
    int fd;
    int rc;

    if (lstat(at->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EADDRINUSE;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    rc = connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 ? 0 : errno;
    close(fd);
    if (rc != ECONNREFUSED)
        return -EADDRINUSE;
    return unlink(at->sun_path) == 0 ? 0 : -errno;
}

int net_bind_path(const char *path, mode_t mode)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd;
    int err;

    if (strlen(path) >= sizeof(at.sun_path))
        return -ENAMETOOLONG;
    memcpy(at.sun_path, path, strlen(path) + 1);
    err = clear_path(&at);
    if (err < 0)
        return err;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* no client can connect before listen(2): the permissions are set by then */
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
        if (chmod(path, mode) == 0 && listen(fd, BACKLOG) == 0)
            return fd;
        err = -errno;
        unlink(path);
    } else {
        err = -errno;
    }
    close(fd);
    return err;
}

uint16_t net_port(int fd)
{
    union {
        struct sockaddr_storage any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {0};
    socklen_t len = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return 0;
    return ntohs(a.any.ss_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}
