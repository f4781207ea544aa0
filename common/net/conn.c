#include "net/conn.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/conn_impl.h"

#define LINGER_S 2

void conn_mark_dirty(struct conn *c, uint16_t flags)
{
    struct conn_flush *f = c->cls->flush;

    c->flags |= flags;
    if (c->flags & DIRTY)
        return;
    c->flags |= DIRTY;
    TAILQ_INSERT_TAIL(&f->dirty, c, dirty);
    f->dirty_count++;
    loop_task_post(f->task);
}

void conn_fail(struct conn *c, int why)
{
    if (c->flags & FAILED)
        return;
    c->why = why;
    conn_mark_dirty(c, FAILED);
}

static void mark_clean(struct conn *c)
{
    c->flags &= (uint16_t)~DIRTY;
    c->cls->flush->dirty_count--;
    TAILQ_REMOVE(&c->cls->flush->dirty, c, dirty);
}

static void free_event(struct event **ev)
{
    if (*ev)
        event_free(*ev);
    *ev = NULL;
}

/* Makes it DEAD: only its memory is left, and the input, which its owner may be looking at. */
static void detach(struct conn *c)
{
    c->flags |= DEAD;
    event_del(&c->readable);
    free_event(&c->writable);
    free_event(&c->linger);
    if (c->transport && c->transport->destroy)
        c->transport->destroy(c->transport_state);
    close(c->fd);
    outq_clear(&c->out);
    if (c->flags & DIRTY)
        mark_clean(c);
    LIST_REMOVE(c, all);
}

void conn_release(struct conn *c)
{
    buf_free(&c->in);
    free(c);
}

void conn_close(struct conn **c)
{
    if (!c || !*c)
        return;
    if (!((*c)->flags & DEAD)) {
        detach(*c);
        if (!(*c)->busy)
            conn_release(*c);
    }
    *c = NULL;
}

/* The transport's words, before it goes. */
static void keep_reason(struct conn *c)
{
    const struct conn_transport *t = c->transport;
    const char *reason = t && t->reason ? t->reason(c->transport_state) : NULL;

    snprintf(c->cls->flush->reason, CONN_REASON, "%s", reason ? reason : "");
}

const char *conn_class_reason(const struct conn_class *cls)
{
    return cls->flush && *cls->flush->reason ? cls->flush->reason : NULL;
}

void conn_end(struct conn *c, int why)
{
    const struct conn_handler *handler = c->cls->handler;

    keep_reason(c);
    detach(c);
    if (!(c->flags & CLOSING))
        handler->closed(c->owner, c, why);
    conn_release(c);
}

/* What is due for one connection; it may be gone afterwards, and its class too. */
static void settle(struct conn *c)
{
    bool more = c->flags & MORE && !(c->flags & PAUSED);

    c->flags &= (uint16_t)~MORE;
    if (c->flags & FAILED) {
        conn_end(c, c->why);
        return;
    }
    if (more && !conn_show_more(c))
        return;
    more = more && !(c->flags & (PAUSED | MORE));
    if (more && !(c->flags & (HALF | CLOSING)) && event_add(&c->readable, NULL) < 0) {
        conn_fail(c, ENOMEM);
    } else if (more && c->transport) {
        conn_mark_dirty(c, 0); /* its output: next turn */
        conn_read_turn(c);
    } else if (!(c->flags & BLOCKED) || c->flags & CROSSED) {
        conn_flush_now(c);
    }
}

static void flush_dirty(void *arg)
{
    struct conn_class *cls = arg;
    struct conn_flush *f = cls->flush;
    uint32_t due = f->dirty_count; /* what comes meanwhile has posted the task anew */
    struct conn *c;

    f->busy++;
    for (; due > 0 && !f->gone && (c = TAILQ_FIRST(&f->dirty)); due--) {
        mark_clean(c);
        settle(c);
    }
    conn_flush_unref(f);
}

void conn_flush_unref(struct conn_flush *f)
{
    if (--f->busy == 0)
        free(f);
}

int conn_class_init(struct conn_class *cls, struct loop *loop, const struct conn_handler *handler,
                    size_t max_input, size_t max_output)
{
    struct conn_flush *f = malloc(sizeof(*f));

    if (!f)
        return -ENOMEM;
    *cls = (struct conn_class){.loop = loop,
                               .handler = handler,
                               .max_input = max_input,
                               .max_output = max_output,
                               .flush = f};
    TAILQ_INIT(&f->dirty);
    LIST_INIT(&f->all);
    f->dirty_count = 0;
    f->gone = false;
    *f->reason = '\0';
    f->busy = 1;
    f->task = loop_task_new(loop, flush_dirty, cls);
    if (!f->task) {
        free(f);
        cls->flush = NULL;
        return -ENOMEM;
    }
    return 0;
}

void conn_class_fini(struct conn_class *cls)
{
    struct conn_flush *f = cls->flush;
    struct conn *c;

    if (!f)
        return;
    while ((c = LIST_FIRST(&f->all))) {
        assert(c->flags & CLOSING); /* those that have an owner are his to close */
        conn_close(&c);
    }
    loop_task_destroy(&f->task);
    f->gone = true;
    cls->flush = NULL;
    conn_flush_unref(f);
}

bool conn_class_is_empty(const struct conn_class *cls)
{
    return LIST_EMPTY(&cls->flush->all);
}

struct conn *conn_new(struct conn_class *cls, int fd, void *owner)
{
    struct conn *c = calloc(1, sizeof(*c));
    int on = 1;

    if (!c) {
        close(fd);
        return NULL;
    }
    c->cls = cls;
    c->owner = owner;
    c->fd = fd;
    outq_init(&c->out);
    buf_init(&c->in, cls->max_input + CONN_SCRATCH + CONN_READ_BEHIND);
    conn_watch_input(c);
    if (event_add(&c->readable, NULL) < 0) {
        free(c);
        close(fd);
        return NULL;
    }
    /* fails on sockets that are not TCP, which have nothing to delay */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    LIST_INSERT_HEAD(&cls->flush->all, c, all);
    return c;
}

static void lingered(evutil_socket_t fd, short what, void *arg)
{
    loop_busy(((struct conn *)arg)->cls->loop);
    conn_end(arg, ETIMEDOUT);
}

void conn_close_after_flush(struct conn **cp)
{
    const struct timeval limit = {LINGER_S, 0};
    struct conn *c = cp ? *cp : NULL;

    if (!c)
        return;
    *cp = NULL;
    if (c->flags & DEAD)
        return;
    c->linger = evtimer_new(loop_base(c->cls->loop), lingered, c);
    if (c->flags & FAILED || !c->linger || evtimer_add(c->linger, &limit) < 0) {
        conn_close(&c);
        return;
    }
    event_add(&c->readable, NULL); /* it may have been paused */
    c->owner = NULL;
    if (!c->busy) /* else the owner is looking at it */
        buf_free(&c->in);
    conn_mark_dirty(c, CLOSING);
}

void conn_finish(struct conn *c)
{
    if (!(c->flags & (FINISHED | CLOSING | DEAD)))
        conn_mark_dirty(c, FINISHED);
}

void conn_pause(struct conn *c)
{
    if (c->flags & (PAUSED | CLOSING | DEAD))
        return;
    c->flags |= PAUSED;
    event_del(&c->readable);
}

void conn_resume(struct conn *c)
{
    if (!(c->flags & PAUSED) || c->flags & (CLOSING | DEAD))
        return;
    c->flags &= (uint16_t)~PAUSED;
    conn_mark_dirty(c, MORE); /* what is here already comes first: settle reads on behind it */
}

int conn_fd(const struct conn *c)
{
    return c->fd;
}

void conn_set_transport(struct conn *c, const struct conn_transport *t, void *state)
{
    c->transport = t;
    c->transport_state = state;
    conn_mark_dirty(c, MORE);
}
