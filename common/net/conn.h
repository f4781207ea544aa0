/*
 * A stream connection with bounded input and output.
 *
 * Input is kept only while a part of a message is waiting for its rest, output only while the peer
 * has not taken it: an idle connection owns no buffer. Output is a queue of shared blocks, so that
 * one encoded line costs one block however many connections it goes to; what is queued in one turn
 * of the loop leaves in one writev(2) at its end. Reading and writing go through a transport, which
 * is the plain socket unless another (TLS: net/tls.h) is set.
 */
#ifndef CTIBUS_NET_CONN_H
#define CTIBUS_NET_CONN_H

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "loop/loop.h"

/* Bytes shared by reference count; written once, before it is shared. */
struct shared {
    uint32_t refs;
    uint32_t len;
    char data[];
};
/* A copy of v with one reference, or NULL without memory (or over 1 GiB). */
struct shared *shared_new(struct view v);
void shared_unref(struct shared *s);

/* Why a connection ended: handed to `closed`. Over 0: an errno. */
enum conn_end {
    CONN_EOF = -1,         /* the peer closed */
    CONN_INPUT_LIMIT = -2, /* a message longer than max_input */
    CONN_OUTPUT_LIMIT = -3 /* the peer does not read: more than max_output was waiting */
};

struct conn;

struct conn_handler {
    /* Bytes arrived. Returns how many of them are done with; the rest is shown again together with
     * what comes next. Not called again after conn_close. */
    size_t (*data)(void *owner, struct conn *c, struct view in);
    /* It has ended for a reason of the network (not by conn_close); the connection is already freed
     * when this is called, c tells only which one it was. */
    void (*closed)(void *owner, struct conn *c, int why);
    /* Optional: all output has left. */
    void (*drained)(void *owner, struct conn *c);
};

/* One per listener or client side: shared by its connections. */
struct conn_class {
    struct loop *loop;
    const struct conn_handler *handler;
    size_t max_input;  /* bytes of an unfinished message */
    size_t max_output; /* bytes waiting to be taken by the peer */
    /* Optional, to be set after conn_class_init: the peer has sent its last, but may still read;
     * all that it sent was shown. The owner closes. Without it that is the end: CONN_EOF. */
    void (*eof)(void *owner, struct conn *c);
    struct conn_flush
        *flush; /* made by conn_class_init: connections that have output to send this turn */
    uint64_t bytes_in, bytes_out;
};
int conn_class_init(struct conn_class *cls, struct loop *loop, const struct conn_handler *handler,
                    size_t max_input, size_t max_output);
/* All its connections must be gone. */
void conn_class_fini(struct conn_class *cls);
/* Is there none any more, not even one that conn_close_after_flush has not ended yet? */
bool conn_class_is_empty(const struct conn_class *cls);
/* Inside `closed`: what the transport has to say about the end, for a log; NULL when `why` says it
 * all. */
const char *conn_class_reason(const struct conn_class *cls);

/* Takes the connected (or connecting: output waits) non-blocking socket fd and closes it in the
 * end. NULL without memory (fd is closed then, too). Sets TCP_NODELAY. */
struct conn *conn_new(struct conn_class *cls, int fd, void *owner);

/* Ends it now; `closed` is not called. *c becomes NULL. */
void conn_close(struct conn **c);
/* Ends it when the waiting output has left, or after 2 s; input is ignored from now on; `closed` is
 * not called. *c becomes NULL. */
void conn_close_after_flush(struct conn **c);

/* Our last word is said: our half of the connection closes when the waiting output has left. Input
 * goes on, conn_send does not (-ENOBUFS). The peer then ends it, or conn_close. */
void conn_finish(struct conn *c);

/* Queues a copy of v. 0; -ENOMEM, or -ENOBUFS when that is over max_output: then the connection
 * ends and `closed` is called with CONN_OUTPUT_LIMIT on the next turn of the loop, never from here.
 */
int conn_send(struct conn *c, struct view v);
/* The same without a copy; takes a reference of its own. */
int conn_send_shared(struct conn *c, struct shared *s);
/* Sends s without its first `from` bytes (at most s->len). If other output is queued, the rest is
 * copied. */
int conn_send_shared_from(struct conn *c, struct shared *s, size_t from);
/* Bytes that wait. */
size_t conn_output_len(const struct conn *c);
/* Stops and resumes reading (back-pressure). */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);
int conn_fd(const struct conn *c);

/* errno of a transport that must write before it can read on, or read before it can write. */
#define CONN_OTHER_WAY EALREADY

/* What stands between a connection and its socket. The functions behave as read(2) and writev(2) do
 * on a non-blocking socket: -1 and errno; for "later" that is EAGAIN, or CONN_OTHER_WAY when the
 * socket must be ready for the opposite. */
struct conn_transport {
    ssize_t (*read)(void *state, int fd, void *p, size_t n);
    ssize_t (*writev)(void *state, int fd, const struct iovec *iov, int n);
    void (*destroy)(void *state);
    /* Optional: all output has left and the connection closes. Says goodbye: 0, or -1 and errno as
     * writev. May be called again after it has done so. What is read afterwards is thrown away. */
    int (*finish)(void *state, int fd);
    /* Optional: why it failed, NULL when it did not. */
    const char *(*reason)(void *state);
};
/* Takes `state`. Call before the first turn of the loop, in which the transport is asked to read
 * once, so that it can begin by itself; or later, on the plain socket: then what waits for the peer
 * is the transport's to send, and the caller must be done with all that was read. */
void conn_set_transport(struct conn *c, const struct conn_transport *t, void *state);

/* A listener: calls accepted(arg, fd, peer) with a non-blocking fd (taken by the callee) for each
 * connection. addr is "HOST:PORT" or "[V6]:PORT"; port 0: any free one. *err becomes a negative
 * errno and NULL is returned when it cannot bind.
 *
 * The last descriptors of the process (32, or an eighth of its limit) are for the process itself: a
 * connection that gets one of these is closed, counted (loop_counts) and logged, once a minute, and
 * the others wait for 100 ms in the queue of the kernel. */
struct listener;
typedef void listener_fn(void *arg, int fd, const struct sockaddr *peer, socklen_t len);
struct listener *listener_new(struct loop *l, const char *addr, listener_fn *accepted, void *arg,
                              int *err);
/* The same at a Unix socket, made at `path` with these permissions and removed in the end. What a
 * process that died has left there is removed; -EADDRINUSE: another process listens there, or it is
 * no socket. */
struct listener *listener_new_path(struct loop *l, const char *path, mode_t mode,
                                   listener_fn *accepted, void *arg, int *err);
void listener_destroy(struct listener **ls);
/* Makes it one that is reached whatever happens, such as that of health checks: it may use half of
 * the last descriptors, and some are set aside for it alone. When there is none any more,
 * release(arg) must close a connection that was accepted (true), or say that there is none. */
typedef bool listener_release_fn(void *arg);
void listener_set_vital(struct listener *ls, listener_release_fn *release);
/* One of the connections of a vital listener is closed: its descriptor may be set aside again. */
void listener_restock(struct listener *ls);
uint16_t listener_port(const struct listener *ls);

/* A non-blocking socket bound at "HOST:PORT", which listens if type is SOCK_STREAM; SOCK_DGRAM
 * takes datagrams. The file descriptor, or a negative errno. */
int net_bind(struct view addr, int type);
/* A non-blocking Unix socket that listens at `path`, with these permissions. The file descriptor,
 * or a negative errno; -EADDRINUSE as listener_new_path. */
int net_bind_path(const char *path, mode_t mode);
/* The port that a socket is bound to, or 0. */
uint16_t net_port(int fd);

/* Starts a TCP connection to an address (names: net/dial.h) and port: a non-blocking fd, connecting
 * or connected, or a negative errno (-EINVAL: it is no address). */
int net_connect(const char *address, uint16_t port);

#endif
