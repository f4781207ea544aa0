#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "net/conn.h"

#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100
#define SET_ASIDE 4 /* of a vital listener */

struct listener {
    struct loop *loop;
    int fd;
    uint16_t port;
    listener_fn *accepted;
    void *arg;
    char *path;               /* of a Unix socket, or NULL */
    char *addr;               /* for the log */
    struct loop_fd *readable; /* NULL during a pause */
    struct loop_timer *pause;
    listener_release_fn *release; /* NULL: not vital */
    int aside[SET_ASIDE];         /* descriptors kept open for it; -1: none */
    struct loop_lack lack;        /* of descriptors */
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

/* The waiting connection would wake the loop again and again. */
static void take_a_pause(struct listener *ls)
{
    loop_fd_destroy(&ls->readable);
    loop_timer_start(ls->pause, PAUSE_MS, false);
    loop_lack_tell(ls->loop, &ls->lack, ls->addr);
}

/* Gives one back to the kernel, to be used for a connection. */
static bool give_up_one(struct listener *ls)
{
    for (int i = 0; i < SET_ASIDE; i++) {
        if (ls->aside[i] < 0)
            continue;
        close(ls->aside[i]);
        ls->aside[i] = -1;
        return true;
    }
    return false;
}

void listener_restock(struct listener *ls)
{
    for (int i = 0; i < SET_ASIDE; i++)
        if (ls->aside[i] < 0)
            ls->aside[i] = fcntl(ls->fd, F_DUPFD_CLOEXEC, 0);
}

void listener_set_vital(struct listener *ls, listener_release_fn *release)
{
    ls->release = release;
    listener_restock(ls);
}

/* There was no descriptor for a connection: true when there is one now. */
static bool find_one(struct listener *ls)
{
    return ls->release && (give_up_one(ls) || ls->release(ls->arg));
}

/* A connection has one of the last: what now? True when it may have it. */
static bool may_have(struct listener *ls, int fd)
{
    if (fd < descriptors_first_kept(ls->release != NULL))
        return true;
    if (ls->release) { /* one for another, or the only one */
        ls->release(ls->arg);
        return true;
    }
    close(fd);
    loop_lack_closed(ls->loop, &ls->lack);
    return false;
}

/* Without a descriptor to give, accept fails even when no connection waits. */
static bool somebody_waits(const struct listener *ls)
{
    struct pollfd p = {.fd = ls->fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* False: that was all for now. */
static bool accept_one(struct listener *ls)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof(peer);
    int fd = accept4(ls->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    bool lack =
        fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);

    if (lack && !somebody_waits(ls))
        return false;
    if (lack && find_one(ls))
        return true;
    if (lack || (fd >= 0 && !may_have(ls, fd))) {
        take_a_pause(ls);
        return false;
    }
    if (fd >= 0)
        ls->accepted(ls->arg, fd, (struct sockaddr *)&peer, len);
    return fd >= 0 || errno == ECONNABORTED || errno == EINTR;
}

static void listener_free(struct listener *ls)
{
    free(ls->addr);
    free(ls);
}

static void accept_some(void *arg)
{
    struct listener *ls = arg;

    ls->accepting = true;
    for (int i = 0; i < ACCEPTS_PER_TURN && !ls->gone; i++)
        if (!accept_one(ls))
            break;
    ls->accepting = false;
    if (ls->gone)
        listener_free(ls);
}

/* Takes fd. */
static struct listener *begin(struct loop *l, int fd, const char *addr, listener_fn *accepted,
                              void *arg, int *err)
{
    struct listener *ls = calloc(1, sizeof(*ls));

    *err = 0;
    if (!ls) {
        close(fd);
        *err = -ENOMEM;
        return NULL;
    }
    *ls = (struct listener){
        .loop = l, .fd = fd, .port = net_port(fd), .accepted = accepted, .arg = arg};
    for (int i = 0; i < SET_ASIDE; i++)
        ls->aside[i] = -1;
    ls->addr = strdup(addr);
    ls->pause = loop_timer_new(l, go_on, ls);
    ls->readable = loop_fd_new(l, fd, accept_some, ls);
    if (!ls->addr || !ls->pause || !ls->readable) {
        listener_destroy(&ls);
        *err = -ENOMEM;
    }
    return ls;
}

struct listener *listener_new(struct loop *l, const char *addr, listener_fn *accepted, void *arg,
                              int *err)
{
    int fd = net_bind(view_cstr(addr), SOCK_STREAM);

    *err = fd < 0 ? fd : 0;
    return fd < 0 ? NULL : begin(l, fd, addr, accepted, arg, err);
}

struct listener *listener_new_path(struct loop *l, const char *path, mode_t mode,
                                   listener_fn *accepted, void *arg, int *err)
{
    int fd = net_bind_path(path, mode);
    struct listener *ls;

    *err = fd < 0 ? fd : 0;
    if (fd < 0)
        return NULL;
    ls = begin(l, fd, path, accepted, arg, err);
    if (ls)
        ls->path = strdup(path);
    if (ls && ls->path)
        return ls;
    unlink(path);
    listener_destroy(&ls);
    *err = -ENOMEM;
    return NULL;
}

void listener_destroy(struct listener **lp)
{
    struct listener *ls = lp ? *lp : NULL;

    if (!ls)
        return;
    loop_fd_destroy(&ls->readable);
    loop_timer_destroy(&ls->pause);
    while (give_up_one(ls))
        ;
    close(ls->fd);
    if (ls->path)
        unlink(ls->path);
    free(ls->path);
    *lp = NULL;
    if (ls->accepting)
        ls->gone = true;
    else
        listener_free(ls);
}

uint16_t listener_port(const struct listener *ls)
{
    return ls->port;
}
