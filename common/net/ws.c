/*
 * The transport of one WebSocket: wslay reads frames, lines come out; lines go in, frames leave.
 *
 * Everything that leaves goes through `out`, whole frames in order: the answer to the request, what
 * stands for lines of the connection (`staged` of its bytes, told as sent when all has left), pongs
 * and the close frame between them. Reading does not go on while too much of it waits, so a peer
 * that sends pings without reading the answers stops itself.
 */
#include "net/ws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "base/clock.h"
#include "net/conn_impl.h"
#include "net/tls_impl.h"
#include "net/ws_deflate.h"

/* One read takes up to this much from the socket. */
#define READ_MAX ((size_t)32768)
/* Lines leave in portions of about this size; a longer one in several frames. */
#define STAGE_MAX ((size_t)65536)
#define OUT_MAX ((size_t)1 << 20)

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

/* ---- the socket, or TLS ---- */

static ssize_t write_beneath(struct ws *ws, struct view v)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)v.ptr, .iov_len = v.len};

    return ws->beneath ? ws->beneath->writev(ws->beneath_state, ws->fd, &iov, 1)
                       : send(ws->fd, v.ptr, v.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t read_beneath(struct ws *ws, void *p, size_t n)
{
    return ws->beneath ? ws->beneath->read(ws->beneath_state, ws->fd, p, n)
                       : recv(ws->fd, p, n, MSG_DONTWAIT);
}

/* Is this errno "later"? */
static bool is_later(int error)
{
    return error == EAGAIN || error == EINTR || error == CONN_OTHER_WAY;
}

/* ---- what leaves ---- */

/* 0 when all has left, or -1 and errno. */
static int flush(struct ws *ws)
{
    while (buf_len(&ws->out) > 0) {
        ssize_t n = write_beneath(ws, buf_view(&ws->out));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        buf_consume(&ws->out, (size_t)n);
    }
    buf_free(&ws->out);
    return 0;
}

/* A place in what conn gives to send. */
struct cursor {
    const struct iovec *iov;
    int n;
    size_t off;
};

/* Bytes up to the line feed, or (*whole false) to the end of what is there, or more than a frame.
 */
static size_t line_length(struct cursor at, bool *whole)
{
    size_t len = 0;

    for (; at.n > 0 && len <= STAGE_MAX; at.iov++, at.n--, at.off = 0) {
        const char *p = (const char *)at.iov->iov_base + at.off;
        size_t left = at.iov->iov_len - at.off;
        const char *end = memchr(p, '\n', left);
        if (end) {
            *whole = true;
            return len + (size_t)(end - p);
        }
        len += left;
    }
    *whole = false;
    return len;
}

/* Takes n bytes; `out` NULL: into nowhere. */
static void take(struct cursor *at, size_t n, struct buf *out)
{
    while (at->n > 0) {
        size_t left = at->iov->iov_len - at->off;
        size_t now = n < left ? n : left;
        if (out)
            buf_append(out, (const char *)at->iov->iov_base + at->off, now);
        at->off += now;
        n -= now;
        if (at->off < at->iov->iov_len)
            return;
        at->iov++;
        at->n--;
        at->off = 0;
    }
}

/* The head of a text frame; a server does not mask. flags: its first four bits. */
static void put_head(struct buf *out, bool first, unsigned flags, size_t len)
{
    unsigned char head[10] = {
        (unsigned char)(flags | (first ? WSLAY_TEXT_FRAME : WSLAY_CONTINUATION_FRAME))};
    int bytes = len < 126 ? 0 : len < 65536 ? 2 : 8; /* of a length of its own */

    head[1] = (unsigned char)(bytes == 0 ? len : bytes == 2 ? 126 : 127);
    for (int i = 0; i < bytes; i++)
        head[2 + i] = (unsigned char)((uint64_t)len >> (8 * (bytes - 1 - i)));
    buf_append(out, head, 2 + (size_t)bytes);
}

#define FRAME_LAST 0x80u
#define FRAME_DEFLATED 0x40u /* RSV1, RFC 7692 */

/* A whole line as one compressed frame. False: nothing has changed. */
static bool stage_deflated(struct ws *ws, struct cursor *at, size_t len)
{
    struct buf line, packed;
    bool ok;

    buf_init(&line, len);
    buf_init(&packed, 2 * STAGE_MAX);
    take(&(struct cursor){at->iov, at->n, at->off}, len, &line);
    ok = !line.failed && ws_deflate(&packed, buf_view(&line), ws->deflate_bits) == 0;
    if (ok) {
        put_head(&ws->out, true, FRAME_LAST | FRAME_DEFLATED, buf_len(&packed));
        buf_append_view(&ws->out, buf_view(&packed));
        take(at, len + 1, NULL);
        ws->staged += len + 1;
    }
    buf_free(&line);
    buf_free(&packed);
    return ok;
}

/* One frame: a line, or a part of it. */
static void stage_frame(struct ws *ws, struct cursor *at)
{
    bool whole;
    size_t len = line_length(*at, &whole);
    bool last = whole && len <= STAGE_MAX;

    if (last && !ws->inside_line && ws->deflate_bits && len >= WS_DEFLATE_MIN &&
        stage_deflated(ws, at, len))
        return;
    if (len > STAGE_MAX)
        len = STAGE_MAX;
    put_head(&ws->out, !ws->inside_line, last ? FRAME_LAST : 0, len);
    take(at, len, &ws->out);
    if (last)
        take(at, 1, NULL);
    ws->inside_line = !last;
    ws->staged += len + last;
}

static ssize_t ws_writev(void *state, int fd, const struct iovec *iov, int n)
{
    struct cursor at = {iov, n, 0};
    struct ws *ws = state;
    ssize_t done;

    if (ws->phase == WS_REQUEST) { /* no WebSocket yet */
        errno = CONN_OTHER_WAY;
        return -1;
    }
    if (ws->phase == WS_OVER) { /* no WebSocket any more */
        for (done = 0; n > 0; n--, iov++)
            done += (ssize_t)iov->iov_len;
        return done;
    }
    if (ws->staged == 0) /* else these bytes are in `out` already, and waited */
        while (at.n > 0 && buf_len(&ws->out) < STAGE_MAX && !ws->out.failed)
            stage_frame(ws, &at);
    if (ws->out.failed) {
        errno = ENOMEM;
        return -1;
    }
    if (flush(ws) < 0)
        return -1;
    done = (ssize_t)ws->staged;
    ws->staged = 0;
    return done;
}

/* ---- what arrives ---- */

/* Our last word is in `out`. */
static void set_over(struct ws *ws, const char *why)
{
    ws->phase = WS_OVER;
    free(ws->why);
    ws->why = *why ? view_dup(view_cstr(why)) : NULL;
}

static ssize_t receive(struct ws *ws, void *p, size_t n)
{
    ssize_t got = read_beneath(ws, p, n);

    if (got > 0) {
        ws->last_rx = clock_mono_us();
        ws->asked = 0;
    } else if (got == 0) {
        ws->ended = true;
    } else if (is_later(errno)) {
        ws->crossed = errno == CONN_OTHER_WAY;
    } else {
        ws->error = errno;
    }
    return got;
}

static ssize_t on_receive(wslay_event_context_ptr events, uint8_t *p, size_t n, int flags,
                          void *arg)
{
    struct ws *ws = arg;
    size_t early = buf_len(&ws->request);
    ssize_t got = -1;

    if (early > 0) { /* read together with the request */
        got = (ssize_t)(n < early ? n : early);
        memcpy(p, buf_data(&ws->request), (size_t)got);
        buf_consume(&ws->request, (size_t)got);
        if (buf_len(&ws->request) == 0)
            buf_free(&ws->request);
        ws->pulled += (uint64_t)got;
        return got;
    }
    if (ws->budget > 0)
        got = receive(ws, p, n < ws->budget ? n : ws->budget);
    if (got > 0) {
        ws->budget -= (size_t)got;
        ws->pulled += (uint64_t)got;
        return got;
    }
    wslay_event_set_error(events, WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr events, const uint8_t *p, size_t n, int flags,
                       void *arg)
{
    struct ws *ws = arg;

    buf_append(&ws->out, p, n);
    return (ssize_t)n;
}

static void on_frame(wslay_event_context_ptr events,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    struct ws *ws = arg;
    uint64_t n = frame->payload_length;
    /* Half a status, which wslay takes for none. */
    bool bad_close = frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1;

    ws->framed += 2 + (n < 126 ? 0 : n < 65536 ? 2 : 8) + 4 + n; /* a client masks */
    if (!(frame->opcode & 8))                                    /* not a control frame */
        ws->inside_message = !frame->fin;
    if (frame->opcode != WSLAY_BINARY_FRAME && !bad_close)
        return;
    wslay_event_queue_close(
        events, bad_close ? WSLAY_CODE_PROTOCOL_ERROR : WSLAY_CODE_UNSUPPORTED_DATA, NULL, 0);
    wslay_event_shutdown_read(events);
}

/* A message is one line, whatever line feeds are in it: in JSON those are blanks. */
static void put_message(struct ws *ws, struct view text)
{
    char *scratch = buf_reserve(&ws->lines, text.len + 1);

    if (!scratch)
        return;
    for (size_t i = 0; i < text.len; i++)
        scratch[i] = (char)(text.ptr[i] == '\n' ? ' ' : text.ptr[i]);
    scratch[text.len] = '\n';
    buf_commit(&ws->lines, text.len + 1);
}

static void put_deflated(struct ws *ws, struct view message)
{
    struct buf text;
    int rc;

    buf_init(&text, ws->max_message);
    rc = ws_inflate(&text, message, ws->max_message);
    if (rc == 0) {
        put_message(ws, buf_view(&text));
    } else if (rc == -ENOMEM) {
        ws->error = ENOMEM;
    } else {
        wslay_event_queue_close(ws->events,
                                rc == -EMSGSIZE ? WSLAY_CODE_MESSAGE_TOO_BIG
                                                : WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA,
                                NULL, 0);
        wslay_event_shutdown_read(ws->events);
    }
    buf_free(&text);
}

static void on_message(wslay_event_context_ptr events, const struct wslay_event_on_msg_recv_arg *m,
                       void *arg)
{
    struct ws *ws = arg;
    struct view payload = view_of((const char *)m->msg, m->msg_length);

    if (m->opcode != WSLAY_TEXT_FRAME)
        return;
    if (m->rsv & WSLAY_RSV1_BIT)
        put_deflated(ws, payload);
    else
        put_message(ws, payload);
}

/* 0 or -ENOMEM. */
static int open_events(struct ws *ws)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_receive,
        .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_message,
    };

    if (ws->events)
        return 0;
    if (wslay_event_context_server_init(&ws->events, &callbacks, ws) != 0)
        return -ENOMEM;
    ws->pulled = ws->framed = 0;
    wslay_event_config_set_max_recv_msg_length(ws->events, ws->max_message);
    if (ws->deflate_bits)
        wslay_event_config_set_allowed_rsv_bits(ws->events, WSLAY_RSV1_BIT);
    ws->phase = WS_OPEN;
    return 0;
}

/* A TLS record of a handshake begins so; no HTTP request does. */
static void begin(struct ws *ws)
{
    unsigned char first;
    ssize_t got = ws->begun ? 0 : recv(ws->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

    if (got != 1)
        return;
    ws->begun = true;
    if (first != 0x16)
        return;
    if (!ws->opt->tls || !*ws->opt->tls) {
        set_over(ws, "speaks TLS, for which there is no certificate");
        ws->error = EPROTO;
    } else if (tls_beneath(*ws->opt->tls, ws->fd, &ws->beneath, &ws->beneath_state) < 0) {
        ws->error = ENOMEM;
    }
}

static void read_request(struct ws *ws)
{
    size_t have = buf_len(&ws->request);
    char *scratch = buf_reserve(&ws->request, WS_REQUEST_MAX - have);
    ssize_t got = scratch ? receive(ws, scratch, WS_REQUEST_MAX - have) : 0;
    struct ws_upgraded up;
    char why[64];
    int status;

    if (!scratch)
        ws->error = ENOMEM;
    if (got <= 0)
        return;
    buf_commit(&ws->request, (size_t)got);
    status = ws_upgrade(buf_view(&ws->request), ws->opt, &ws->out, &up);
    if (status == 0)
        return;
    if (up.remote_user.len > 0 && !(ws->remote_user = view_dup(up.remote_user)))
        ws->error = ENOMEM;
    ws->deflate_bits = (uint8_t)up.deflate_bits;
    buf_consume(&ws->request, up.used);
    if (buf_len(&ws->request) == 0 || status != 101)
        buf_free(&ws->request);
    snprintf(why, sizeof(why), "WebSocket refused with HTTP status %d", status);
    if (status < 400 && status != 101) { /* a page was served: nothing else comes of it */
        set_over(ws, "");
        ws->ended = true;
    } else if (status != 101)
        set_over(ws, why);
    else if (open_events(ws) < 0)
        ws->error = ENOMEM;
}

/* Our close frame, whole: wslay's own would need its context. */
static void put_close(struct ws *ws, unsigned status)
{
    const unsigned char frame[] = {0x80 | WSLAY_CONNECTION_CLOSE, 2, (unsigned char)(status >> 8),
                                   (unsigned char)status};

    buf_append(&ws->out, frame, sizeof(frame));
}

/* A frame that is none: wslay would close without a status. */
static void refuse_frame(struct ws *ws)
{
    put_close(ws, WSLAY_CODE_PROTOCOL_ERROR);
    set_over(ws, "WebSocket closed with status 1002");
}

/* Between two messages wslay holds nothing: its buffers are not kept for a connection that is idle.
 */
static void rest(struct ws *ws)
{
    if (ws->pulled != ws->framed || ws->inside_message || wslay_event_want_write(ws->events))
        return;
    wslay_event_context_free(ws->events);
    ws->events = NULL;
}

static void read_frames(struct ws *ws)
{
    char why[64];
    int rc;

    ws->budget = READ_MAX;
    if (open_events(ws) < 0) {
        ws->error = ENOMEM;
        return;
    }
    rc = wslay_event_recv(ws->events);
    if (rc == WSLAY_ERR_CALLBACK_FAILURE) { /* not ours, which only say "later" */
        refuse_frame(ws);
        return;
    }
    if (rc != 0 || wslay_event_send(ws->events) != 0 || ws->lines.failed || ws->out.failed)
        ws->error = ENOMEM;
    if (wslay_event_get_read_enabled(ws->events)) {
        rest(ws);
        return;
    }
    snprintf(why, sizeof(why), "WebSocket closed with status %u",
             (unsigned)wslay_event_get_status_code_sent(ws->events));
    ws->ended = ws->ended || wslay_event_get_close_received(ws->events);
    set_over(ws, wslay_event_get_close_received(ws->events) ? "" : why);
}

/* TLS may hold more than one portion, of which the socket knows nothing: what is there is read
 * until it makes a line. */
static void read_open(struct ws *ws)
{
    do
        read_frames(ws);
    while (ws->beneath && ws->budget == 0 && ws->phase == WS_OPEN && !ws->error &&
           buf_len(&ws->lines) == 0 && buf_len(&ws->out) <= STAGE_MAX);
}

/* It is over: further input must be read, or the close frame could be lost. */
static void discard(struct ws *ws, void *p, size_t n)
{
    if (!ws->ended)
        receive(ws, p, n);
}

/* What has arrived, for conn. */
static ssize_t give(struct ws *ws, void *p, size_t n)
{
    size_t now = n < buf_len(&ws->lines) ? n : buf_len(&ws->lines);

    memcpy(p, buf_data(&ws->lines), now);
    buf_consume(&ws->lines, now);
    if (buf_len(&ws->lines) == 0)
        buf_free(&ws->lines);
    return (ssize_t)now;
}

/* Must reading wait until something has left? While conn has lines on their way it knows when there
 * is room; what is there beside them belongs to us alone. */
static bool is_full(struct ws *ws)
{
    if (flush(ws) < 0 && !is_later(errno))
        ws->error = errno;
    return buf_len(&ws->out) > (ws->staged ? 2 * STAGE_MAX : 0);
}

static ssize_t ws_read(void *state, int fd, void *p, size_t n)
{
    struct ws *ws = state;
    bool full = is_full(ws);

    if (ws->finished) /* not used any more */
        return read_beneath(ws, p, n);
    ws->crossed = false;
    if (ws->phase == WS_REQUEST)
        begin(ws);
    if (buf_len(&ws->lines) == 0 && !full && !ws->error) {
        if (ws->phase == WS_REQUEST)
            read_request(ws);
        if (ws->phase == WS_OPEN)
            read_open(ws);
        else if (ws->phase == WS_OVER)
            discard(ws, p, n);
        full = is_full(ws);
    }
    if (buf_len(&ws->lines) > 0 && !ws->error)
        return give(ws, p, n);
    if (ws->ended && !full && !ws->error)
        return 0;
    errno = ws->error ? ws->error : full || ws->crossed ? CONN_OTHER_WAY : EAGAIN;
    return -1;
}

/* ---- the end, and what is asked in between ---- */

static int ws_finish(void *state, int fd)
{
    struct ws *ws = state;

    if (ws->phase == WS_OPEN) {
        put_close(ws, ws->opt->leaving ? WSLAY_CODE_GOING_AWAY : WSLAY_CODE_NORMAL_CLOSURE);
        set_over(ws, "");
    }
    if (flush(ws) < 0 && (errno == EAGAIN || errno == CONN_OTHER_WAY))
        return -1;
    if (ws->beneath && ws->beneath->finish(ws->beneath_state, fd) < 0 &&
        (errno == EAGAIN || errno == CONN_OTHER_WAY))
        return -1;
    ws->finished = true;
    return 0;
}

static const char *ws_reason(void *state)
{
    const struct ws *ws = state;

    if (ws->why)
        return ws->why;
    return ws->beneath ? ws->beneath->reason(ws->beneath_state) : NULL;
}

static void ws_free(void *state)
{
    struct ws *ws = state;

    if (ws->events)
        wslay_event_context_free(ws->events);
    buf_free(&ws->request);
    buf_free(&ws->lines);
    buf_free(&ws->out);
    free(ws->remote_user);
    free(ws->why);
    if (ws->beneath)
        ws->beneath->destroy(ws->beneath_state);
    free(ws);
}

static const struct conn_transport transport = {ws_read, ws_writev, ws_free, ws_finish, ws_reason};

void conn_ws_set_max(struct conn *c, size_t max_message)
{
    struct ws *ws = c->transport == &transport ? c->transport_state : NULL;

    if (!ws)
        return;
    ws->max_message = max_message < ws->opt->max_message ? max_message : ws->opt->max_message;
    if (ws->events)
        wslay_event_config_set_max_recv_msg_length(ws->events, ws->max_message);
}

bool conn_ws_is_tls(const struct conn *c)
{
    return c->transport == &transport && ((struct ws *)c->transport_state)->beneath != NULL;
}

struct view conn_ws_remote_user(const struct conn *c)
{
    const struct ws *ws = c->transport == &transport ? c->transport_state : NULL;

    return view_cstr(ws && ws->remote_user ? ws->remote_user : "");
}

const char *conn_ws_tick(struct conn *c, uint64_t now_us)
{
    struct ws *ws = c->transport == &transport ? c->transport_state : NULL;
    static const unsigned char ping[] = {0x80 | WSLAY_PING, 0};
    uint64_t limit = ws ? (uint64_t)ws->opt->ping_ms * 1000 : 0;

    if (ws && ws->phase == WS_OVER && ws->ended && !ws->why)
        return NULL; /* what is left of it is on its way */
    if (ws && ws->phase == WS_OVER)
        return ws->why ? ws->why : "WebSocket closed";
    if (!ws || ws->phase != WS_OPEN)
        return NULL;
    if (ws->asked)
        return now_us > ws->asked + limit ? "WebSocket without a sign of life" : NULL;
    if (now_us > ws->last_rx + limit) {
        buf_append(&ws->out, ping, sizeof(ping));
        flush(
            ws); /* what does not leave now leaves with what comes next; an end shows in reading */
        ws->asked = now_us;
    }
    return NULL;
}

struct conn *conn_new_ws(struct conn_class *cls, int fd, void *owner, const struct ws_options *opt)
{
    struct ws *ws = calloc(1, sizeof(*ws));
    struct conn *c = NULL;

    if (ws)
        c = conn_new(cls, fd, owner);
    else
        close(fd);
    if (!c) {
        free(ws);
        return NULL;
    }
    ws->opt = opt;
    ws->fd = fd;
    ws->max_message = opt->first_messages && opt->first_messages < opt->max_message
                          ? opt->first_messages
                          : opt->max_message;
    ws->last_rx = clock_mono_us();
    buf_init(&ws->request, WS_REQUEST_MAX);
    buf_init(&ws->lines, opt->max_message + 2 * READ_MAX);
    buf_init(&ws->out, OUT_MAX);
    conn_set_transport(c, &transport, ws);
    return c;
}
