/* The inside of a WebSocket, for the files of net/ alone: ws.c (the socket, the request, life),
 * ws_in.c and ws_out.c (frames). */
#ifndef CTIBUS_NET_WS_IMPL_H
#define CTIBUS_NET_WS_IMPL_H

#include <wslay/wslay.h>

#include "net/conn_impl.h"
#include "net/ws.h"

/* One read takes up to this much from the socket. */
#define WS_READ_MAX ((size_t)32768)
/* Lines leave in portions of about this size; a longer one in several frames. */
#define WS_STAGE_MAX ((size_t)65536)

enum ws_phase {
    WS_REQUEST, /* the HTTP request is not complete */
    WS_OPEN,
    WS_OVER /* our last word is in `out`; what comes is thrown away */
};

struct ws {
    const struct ws_options *opt;
    const struct conn_transport *beneath; /* TLS; NULL: the plain socket */
    void *beneath_state;
    wslay_event_context_ptr events; /* NULL before it is open, and between messages */
    uint64_t pulled, framed; /* bytes given to it, and bytes of the frames that it has begun */
    struct buf request;      /* what was read of it, and what was read behind it */
    struct buf lines;        /* arrived, and not shown yet */
    struct buf out;
    size_t staged;
    size_t budget;           /* what this read may still take */
    uint64_t last_rx, asked; /* when: last bytes; a sign of life asked for, 0: it was not */
    size_t max_message;      /* bytes */
    char *remote_user;       /* of the request, or NULL */
    int fd;
    int error; /* an errno: it is broken */
    enum ws_phase phase;
    uint8_t deflate_bits; /* messages may be compressed; 0: they may not */
    bool begun;           /* its first byte has come: it is clear whether it speaks TLS */
    bool crossed;         /* TLS must write before it can read on */
    bool ended;           /* the peer has sent its last */
    bool finished;        /* conn has let us say goodbye */
    bool inside_line;     /* its first part has left, in a frame that is not the last */
    bool inside_message;  /* the last frame of data was not the last of its message */
    char *why;            /* it is over; NULL: nothing to say about it, or no memory */
};

/* Reads from the socket or TLS: bytes, 0 at its end, or -1. What it says of the connection is in
 * `ws`: last_rx, ended, crossed, error. */
ssize_t ws_receive(struct ws *ws, void *p, size_t n);
/* Our last word is in `out`; why "": nothing is to be said about it. */
void ws_set_over(struct ws *ws, const char *why);

/* ---- ws_in.c ---- */

/* Makes what reads frames, when there is none. 0 or -ENOMEM. */
int ws_open(struct ws *ws);
/* Reads frames until there is a line in `lines`, or nothing more to read; answers to control frames
 * are put into `out`. */
void ws_read_messages(struct ws *ws);

/* ---- ws_out.c ---- */

/* Puts lines into `out` as frames, up to a portion: `staged` of their bytes. Without memory `out`
 * has failed. */
void ws_stage(struct ws *ws, const struct iovec *iov, int n);
/* Puts our close frame into `out`. */
void ws_put_close(struct ws *ws, unsigned status);

#endif
