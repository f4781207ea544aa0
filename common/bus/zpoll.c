#include <stdlib.h>

#include "bus/internal.h"

/* So many messages before other events have their turn. */
#define BATCH 256

struct zpoll {
    struct loop_fd *fd;
    struct loop_task *task;
    zpoll_step *step;
    void *arg;
    bool *dead; /* set while running: tells the runner that it was destroyed */
};

static void run(void *arg)
{
    struct zpoll *z = arg;
    bool dead = false;

    if (z->dead)
        return;
    z->dead = &dead;
    for (int i = 0; i < BATCH; i++) {
        bool more = z->step(z->arg);
        if (dead)
            return;
        if (!more) {
            z->dead = NULL;
            return;
        }
    }
    z->dead = NULL;
    loop_task_post(z->task);
}

struct zpoll *zpoll_new(struct bus *b, void *socket, zpoll_step *step, void *arg)
{
    struct zpoll *z = calloc(1, sizeof(*z));
    int fd;
    size_t n = sizeof(fd);

    if (!z)
        return NULL;
    z->step = step;
    z->arg = arg;
    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &n) == 0)
        z->fd = loop_fd_new(b->loop, fd, run, z);
    z->task = loop_task_new(b->loop, run, z);
    if (!z->fd || !z->task) {
        zpoll_destroy(&z);
        return NULL;
    }
    loop_task_post(z->task); /* what came before we looked */
    return z;
}

void zpoll_wakeup(struct zpoll *z)
{
    loop_task_post(z->task);
}

void zpoll_destroy(struct zpoll **z)
{
    if (!z || !*z)
        return;
    if ((*z)->dead)
        *(*z)->dead = true;
    loop_fd_destroy(&(*z)->fd);
    loop_task_destroy(&(*z)->task);
    free(*z);
    *z = NULL;
}
