#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/conn.h"

#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100

struct listener {
    struct loop *loop;
    int fd;
    uint16_t port;
    listener_fn *accepted;
    void *arg;
    char *path;               /* of a Unix socket, or NULL */
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

/* Takes fd. */
static struct listener *begin(struct loop *l, int fd, listener_fn *accepted, void *arg, int *err)
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
    ls->pause = loop_timer_new(l, go_on, ls);
    ls->readable = loop_fd_new(l, fd, accept_some, ls);
    if (!ls->pause || !ls->readable) {
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
    return fd < 0 ? NULL : begin(l, fd, accepted, arg, err);
}

struct listener *listener_new_path(struct loop *l, const char *path, mode_t mode,
                                   listener_fn *accepted, void *arg, int *err)
{
    int fd = net_bind_path(path, mode);
    struct listener *ls;

    *err = fd < 0 ? fd : 0;
    if (fd < 0)
        return NULL;
    ls = begin(l, fd, accepted, arg, err);
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
    close(ls->fd);
    if (ls->path)
        unlink(ls->path);
    free(ls->path);
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
