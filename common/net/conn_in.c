#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "net/conn_impl.h"

/* Unfinished input up to this is copied in front of the next bytes in the scratch buffer; more than
 * that stays where it is and the next bytes are read behind it. */
#define CARRY_MAX 4096
#define READS_PER_TURN 4

static ssize_t read_fd(struct conn *c, void *p, size_t n)
{
    return c->transport ? c->transport->read(c->transport_state, c->fd, p, n) : read(c->fd, p, n);
}

/* Shows `in` to the owner; how much of it is done with. False when the connection is gone. */
static bool show(struct conn *c, struct view in, size_t *used)
{
    struct conn_flush *f = c->cls->flush; /* `in` may lie in it */

    f->busy++;
    c->busy = true;
    *used = c->cls->handler->data(c->owner, c, in);
    c->busy = false;
    conn_flush_unref(f);
    if (c->flags & DEAD) {
        conn_release(c);
        return false;
    }
    assert(*used <= in.len);
    if (c->flags & CLOSING)
        *used = in.len;
    return true;
}

/* Ends it when more is left over than allowed; an owner that paused has left whole messages, too,
 * also when it has resumed since then: they are shown before more is read. */
static bool within_limit(struct conn *c)
{
    if (buf_len(&c->in) <= c->cls->max_input || c->flags & (PAUSED | MORE))
        return true;
    conn_end(c, CONN_INPUT_LIMIT);
    return false;
}

/* Reads into the class's scratch behind what was left over; only the new rest is kept. Returns what
 * read(2) did, *alive whether there is still a connection. */
static ssize_t read_scratch(struct conn *c, bool *alive)
{
    char *scratch = c->cls->flush->scratch;
    size_t carry = c->flags & CLOSING ? 0 : buf_len(&c->in);
    size_t used;
    ssize_t n;

    if (carry)
        memcpy(scratch, buf_data(&c->in), carry);
    n = read_fd(c, scratch + carry, CONN_SCRATCH - carry);
    if (n <= 0)
        return n;
    c->cls->bytes_in += (uint64_t)n;
    if (carry)
        buf_free(&c->in);
    if (c->flags & CLOSING)
        return n;
    *alive = show(c, view_of(scratch, carry + (size_t)n), &used);
    if (!*alive || used == carry + (size_t)n)
        return n;
    if (buf_append(&c->in, scratch + used, carry + (size_t)n - used) < 0) {
        conn_end(c, ENOMEM);
        *alive = false;
    } else {
        *alive = within_limit(c);
    }
    return n;
}

/* The same for a long unfinished message, which is not copied again and again. */
static ssize_t read_behind(struct conn *c, bool *alive)
{
    char *scratch = buf_reserve(&c->in, CONN_READ_BEHIND);
    size_t used;
    ssize_t n;

    if (!scratch) {
        errno = ENOMEM;
        return -1;
    }
    n = read_fd(c, scratch, CONN_READ_BEHIND);
    if (n <= 0)
        return n;
    c->cls->bytes_in += (uint64_t)n;
    buf_commit(&c->in, (size_t)n);
    *alive = show(c, buf_view(&c->in), &used);
    if (!*alive)
        return n;
    buf_consume(&c->in, used);
    if (buf_len(&c->in) == 0)
        buf_free(&c->in);
    *alive = within_limit(c);
    return n;
}

/* The owner may have an answer under way. */
static void tell_eof(struct conn *c)
{
    event_del(&c->readable);
    c->flags |= HALF;
    c->busy = true;
    c->cls->eof(c->owner, c);
    c->busy = false;
    if (c->flags & DEAD)
        conn_release(c);
}

/* The peer has sent its last: what we still have for it gets one try, or its time when closing. */
static void input_ended(struct conn *c)
{
    if (c->flags & CLOSING && c->out.len > 0) {
        c->flags |= HEARD;
        event_del(&c->readable);
        return;
    }
    if (!(c->flags & CLOSING) && c->cls->eof) {
        tell_eof(c);
        return;
    }
    if (c->out.len > 0)
        conn_write_some(c);
    conn_end(c, CONN_EOF);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    loop_busy(((struct conn *)arg)->cls->loop);
    conn_read_turn(arg);
}

void conn_watch_input(struct conn *c)
{
    event_assign(&c->readable, loop_base(c->cls->loop), c->fd, EV_READ | EV_PERSIST, on_readable,
                 c);
}

/* What the transport had to write has room now: reading goes on. */
static void on_room(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;

    loop_busy(c->cls->loop);
    conn_watch_input(c);
    if (event_add(&c->readable, NULL) < 0)
        conn_end(c, ENOMEM);
    else
        conn_read_turn(c);
}

/* The transport cannot read on before it has written: input must not wake us meanwhile. */
static void await_room(struct conn *c)
{
    event_del(&c->readable);
    event_assign(&c->readable, loop_base(c->cls->loop), c->fd, EV_WRITE, on_room, c);
    if (!(c->flags & PAUSED) && event_add(&c->readable, NULL) < 0)
        conn_end(c, ENOMEM);
}

void conn_read_turn(struct conn *c)
{
    for (int i = 0; i < READS_PER_TURN; i++) {
        bool alive = true;
        bool behind = buf_len(&c->in) > CARRY_MAX && !(c->flags & CLOSING);
        ssize_t n = behind ? read_behind(c, &alive) : read_scratch(c, &alive);
        if (!alive)
            return;
        if (n == 0) {
            input_ended(c);
            return;
        }
        if (n < 0) {
            if (errno == CONN_OTHER_WAY)
                await_room(c);
            else if (errno != EAGAIN && errno != EINTR)
                conn_end(c, errno);
            return;
        }
        /* A plain socket tells by itself that it holds more, a transport may keep it inside. */
        if (c->flags & (PAUSED | MORE) || !c->transport)
            return;
    }
    conn_mark_dirty(c, MORE);
}

bool conn_show_more(struct conn *c)
{
    size_t used;

    if (buf_len(&c->in) == 0 || c->flags & CLOSING)
        return true;
    if (!show(c, buf_view(&c->in), &used))
        return false;
    buf_consume(&c->in, used);
    if (buf_len(&c->in) == 0)
        buf_free(&c->in);
    return within_limit(c);
}
