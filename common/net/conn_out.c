#include <errno.h>

#include "net/conn_impl.h"

#define IOV_PER_WRITE 64
/* This much output does not wait for the end of the turn. */
#define FLUSH_EARLY ((size_t)256 * 1024)

static ssize_t write_socket(int fd, const struct iovec *iov, int n)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};

    if (n == 1) /* what a fan-out mostly is, and cheaper for the kernel */
        return send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_writable(evutil_socket_t fd, short what, void *arg);

static void unblock(struct conn *c)
{
    if (c->writable)
        event_free(c->writable);
    c->writable = NULL;
    c->flags &= (uint16_t) ~(BLOCKED | CROSSED);
}

/* Output goes on when the socket is ready for `what`: EV_READ only for a transport. */
static void block(struct conn *c, short what)
{
    uint16_t flags = what == EV_READ ? BLOCKED | CROSSED : BLOCKED;

    if ((c->flags & (BLOCKED | CROSSED)) == flags)
        return;
    unblock(c);
    c->writable =
        event_new(loop_base(c->cls->loop), c->fd, (short)(what | EV_PERSIST), on_writable, c);
    if (!c->writable || event_add(c->writable, NULL) < 0) {
        conn_fail(c, ENOMEM);
        return;
    }
    c->flags |= flags;
}

int conn_write_some(struct conn *c)
{
    struct iovec iov[IOV_PER_WRITE];

    while (c->out.len > 0) {
        int n = outq_iov(&c->out, iov, IOV_PER_WRITE);
        ssize_t done = c->transport ? c->transport->writev(c->transport_state, c->fd, iov, n)
                                    : write_socket(c->fd, iov, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno != EAGAIN && errno != CONN_OTHER_WAY)
            return -errno;
        if (done < 0) {
            block(c, errno == EAGAIN ? EV_WRITE : EV_READ);
            return 0;
        }
        c->cls->bytes_out += (uint64_t)done;
        outq_consume(&c->out, (size_t)done);
    }
    if (c->flags & BLOCKED)
        unblock(c);
    return 0;
}

/* Our last word has been said: the transport's, and then the socket's. */
static void say_goodbye(struct conn *c)
{
    const struct conn_transport *t = c->transport;

    if (t && t->finish && t->finish(c->transport_state, c->fd) < 0 &&
        (errno == EAGAIN || errno == CONN_OTHER_WAY))
        block(c, errno == EAGAIN ? EV_WRITE : EV_READ);
    else
        shutdown(c->fd, SHUT_WR); /* again and again does no harm */
}

/* The output has just left: goes on to whatever waited for that. */
static void output_done(struct conn *c)
{
    const struct conn_handler *handler = c->cls->handler;

    if (c->flags & HEARD) {
        conn_end(c, CONN_EOF);
        return;
    }
    if (c->flags & CLOSING) {
        say_goodbye(c);
        return;
    }
    if (c->flags & FINISHED)
        say_goodbye(c);
    if (!(c->flags & SENT) || !handler->drained)
        return;
    c->flags &= (uint16_t)~SENT;
    c->busy = true;
    handler->drained(c->owner, c);
    c->busy = false;
    if (c->flags & DEAD)
        conn_release(c);
}

void conn_flush_now(struct conn *c)
{
    int rc = conn_write_some(c);

    if (rc < 0)
        conn_end(c, -rc);
    else if (c->out.len == 0)
        output_done(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    loop_busy(((struct conn *)arg)->cls->loop);
    conn_flush_now(arg);
}

/* Whether n bytes more may be queued. Full queues get a chance to empty first: what counts is what
 * the peer does not take, not how much is said in one turn. */
static int admit(struct conn *c, size_t n)
{
    size_t limit = c->cls->max_output < FLUSH_EARLY ? c->cls->max_output : FLUSH_EARLY;

    if (c->flags & (FAILED | CLOSING | DEAD | FINISHED))
        return -ENOBUFS;
    if (c->out.len > 0 && c->out.len + n > limit && !(c->flags & BLOCKED)) {
        int rc = conn_write_some(c);
        if (rc < 0) {
            conn_fail(c, -rc);
            return -ENOBUFS;
        }
    }
    if (c->out.len + n > c->cls->max_output) {
        conn_fail(c, CONN_OUTPUT_LIMIT);
        return -ENOBUFS;
    }
    return 0;
}

int conn_send(struct conn *c, struct view v)
{
    int rc = admit(c, v.len);

    if (rc == 0)
        rc = outq_append(&c->out, v);
    if (rc == 0 && v.len)
        conn_mark_dirty(c, SENT);
    return rc;
}

int conn_send_shared_from(struct conn *c, struct shared *s, size_t from)
{
    int rc = admit(c, s->len - from);

    if (rc == 0)
        rc = outq_push(&c->out, s, from);
    if (rc == 0 && s->len > from)
        conn_mark_dirty(c, SENT);
    return rc;
}

int conn_send_shared(struct conn *c, struct shared *s)
{
    return conn_send_shared_from(c, s, 0);
}

size_t conn_output_len(const struct conn *c)
{
    return c->out.len;
}
