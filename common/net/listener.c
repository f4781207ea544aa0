#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hostport.h"
#include "net/conn.h"

#define BACKLOG 4096
#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100

struct listener {
    struct loop *loop;
    int fd;
    uint16_t port;
    listener_fn *accepted;
    void *arg;
    struct loop_fd *readable; /* NULL during a pause */
    struct loop_timer *pause;
    bool accepting;
    bool gone; /* destroyed by a callback of the accept loop, which frees it */
};

static void accept_some(void *arg);

static void go_on(void *arg)
{
    struct listener *ls = arg;

    ls->readable = loop_fd_new(ls->loop, ls->fd, accept_some, ls);
    if (!ls->readable)
        loop_timer_start(ls->pause, PAUSE_MS, false);
}

/* Out of descriptors: the waiting connection would wake the loop again and again. */
static void take_a_pause(struct listener *ls)
{
    loop_fd_destroy(&ls->readable);
    loop_timer_start(ls->pause, PAUSE_MS, false);
}

static void accept_some(void *arg)
{
    struct listener *ls = arg;

    ls->accepting = true;
    for (int i = 0; i < ACCEPTS_PER_TURN && !ls->gone; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(ls->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            ls->accepted(ls->arg, fd, (struct sockaddr *)&peer, len);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            take_a_pause(ls);
        if (errno != ECONNABORTED && errno != EINTR)
            break;
    }
    ls->accepting = false;
    if (ls->gone)
        free(ls);
}

static int try_bind(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    int err;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static int bind_address(struct view addr)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
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
        rc = try_bind(ai);
    freeaddrinfo(list);
    return rc;
}

static uint16_t bound_port(int fd)
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

struct listener *listener_new(struct loop *l, const char *addr, listener_fn *accepted, void *arg,
                              int *err)
{
    int fd = bind_address(view_cstr(addr));
    struct listener *ls;

    *err = fd < 0 ? fd : 0;
    if (fd < 0)
        return NULL;
    ls = calloc(1, sizeof(*ls));
    if (!ls) {
        close(fd);
        *err = -ENOMEM;
        return NULL;
    }
    *ls = (struct listener){
        .loop = l, .fd = fd, .port = bound_port(fd), .accepted = accepted, .arg = arg};
    ls->pause = loop_timer_new(l, go_on, ls);
    ls->readable = loop_fd_new(l, fd, accept_some, ls);
    if (!ls->pause || !ls->readable) {
        listener_destroy(&ls);
        *err = -ENOMEM;
    }
    return ls;
}

void listener_destroy(struct listener **lp)
{
    struct listener *ls = lp ? *lp : NULL;

    if (!ls)
        return;
    loop_fd_destroy(&ls->readable);
    loop_timer_destroy(&ls->pause);
    close(ls->fd);
    *lp = NULL;
    if (ls->accepting)
        ls->gone = true;
    else
        free(ls);
}

uint16_t listener_port(const struct listener *ls)
{
    return ls->port;
}
