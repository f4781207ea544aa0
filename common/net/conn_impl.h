/*
 * The inside of a connection, for the files of net/ alone: conn.c (life, and the end of the turn),
 * conn_in.c and conn_out.c.
 *
 * States of a connection, and the functions that change them:
 *
 *   open     -> failed   conn_send, when the limit or the socket says no; the class's task ends it
 *   open     -> closing  conn_close_after_flush: the owner is forgotten, input thrown away
 *   open     -> finished conn_finish: the same for our half alone, the owner goes on reading
 *   closing  -> shut     the output has left: our half is closed, the peer gets its time to read it
 *                        (closing with unread input would make the kernel reset the connection, and
 *                        the peer could lose our last words)
 *   any      -> dead     detach(): no event, descriptor or list knows it any more
 *
 * A dead connection is freed at once, or by the frame that is inside one of its callbacks (`busy`).
 */
#ifndef CTIBUS_NET_CONN_IMPL_H
#define CTIBUS_NET_CONN_IMPL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "net/conn.h"
#include "net/outq.h"

/* One read(2) takes up to this much. */
#define CONN_SCRATCH ((size_t)256 * 1024)
/* And this much behind a long unfinished message. */
#define CONN_READ_BEHIND ((size_t)16384)

enum {
    DIRTY = 1,       /* on the class's list for the end of the turn */
    SENT = 2,        /* something was queued since the last `drained` */
    MORE = 4,        /* input to show again: the transport or we still hold some */
    PAUSED = 8,      /* by conn_pause */
    FAILED = 16,     /* to be ended with `why` by the task */
    CLOSING = 32,    /* by conn_close_after_flush */
    HEARD = 64,      /* the peer has closed its half while we were CLOSING */
    BLOCKED = 128,   /* the socket takes nothing more: waits for `writable` */
    DEAD = 256,      /* see above */
    CROSSED = 512,   /* BLOCKED, but the transport waits for input: so does `writable` */
    FINISHED = 1024, /* by conn_finish */
    HALF = 2048,     /* the peer has closed its half, and `eof` was told so */
};
/* Of what a transport has to say about an end. */
#define CONN_REASON 256

struct conn {
    struct event readable;
    struct conn_class *cls;
    void *owner;
    const struct conn_transport *transport; /* NULL: the plain socket */
    void *transport_state;
    struct event *writable; /* only while BLOCKED */
    struct event *linger;   /* only while CLOSING */
    struct outq out;
    struct buf in;
    TAILQ_ENTRY(conn) dirty;
    LIST_ENTRY(conn) all;
    int fd;
    int why;
    uint16_t flags;
    bool busy;
};
_Static_assert(sizeof(struct conn) <= 350, "an idle connection must stay small");

/* What the connections of a class have in common. */
struct conn_flush {
    struct loop_task *task;
    TAILQ_HEAD(, conn) dirty;
    uint32_t dirty_count;
    LIST_HEAD(, conn) all;
    uint32_t busy;            /* frames that use it */
    bool gone;                /* finished in a callback: the last of those frames frees it */
    char reason[CONN_REASON]; /* of the end that is being told; empty: none */
    char scratch[CONN_SCRATCH];
};

/* --- conn.c --- */

/* Puts it on the list of those that have something to do at the end of the turn. */
void conn_mark_dirty(struct conn *c, uint16_t flags);
/* To be ended by the task with `why`: for callers that must not call the owner back. */
void conn_fail(struct conn *c, int why);
/* The network ended it: detaches it, tells the owner, frees it. Never from inside a callback. */
void conn_end(struct conn *c, int why);
/* Frees what conn_close inside a callback left over. */
void conn_release(struct conn *c);
void conn_flush_unref(struct conn_flush *f);

/* --- conn_out.c --- */

/* Writes what the socket takes; calls no callback. 0, or a negative errno when it is broken. */
int conn_write_some(struct conn *c);
/* Writes and reports; c may be gone afterwards. */
void conn_flush_now(struct conn *c);

/* --- conn_in.c --- */

/* Reads and shows it to the owner; c may be gone afterwards. */
void conn_read_turn(struct conn *c);
/* Makes `readable` what it is called, for event_add. */
void conn_watch_input(struct conn *c);
/* Input that epoll will not announce: what was left over before a pause, or is inside the
 * transport. c may be gone afterwards: false. */
bool conn_show_more(struct conn *c);

#endif
