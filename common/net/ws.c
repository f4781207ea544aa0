/*
 * The transport of one WebSocket: wslay reads frames, lines come out; lines go in, frames leave.
 *
 * Everything that leaves goes through `out`, whole frames in order: the answer to the request, what
 * stands for lines of the connection (`staged` of its bytes, told as sent when all has left), pongs
 * and the close frame between them. Reading does not go on while too much of it waits, so a peer
 * that sends pings without reading the answers stops itself. Frames that arrive are read in
 * ws_in.c, those of lines are made in ws_out.c.
 */
#include "net/ws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/tls_impl.h"
#include "net/ws_impl.h"

#define OUT_MAX ((size_t)1 << 20)

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

static ssize_t ws_writev(void *state, int fd, const struct iovec *iov, int n)
{
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
        ws_stage(ws, iov, n);
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

void ws_set_over(struct ws *ws, const char *why)
{
    ws->phase = WS_OVER;
    free(ws->why);
    ws->why = *why ? view_dup(view_cstr(why)) : NULL;
}

ssize_t ws_receive(struct ws *ws, void *p, size_t n)
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

/* A TLS record of a handshake begins so; no HTTP request does. */
static void begin(struct ws *ws)
{
    unsigned char first;
    ssize_t got = ws->begun ? 0 : recv(ws->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

    if (ws->begun || (got < 0 && is_later(errno)))
        return;
    ws->begun = true;
    if (got != 1 || first != 0x16)
        return;
    if (!ws->opt->tls || !*ws->opt->tls) {
        ws_set_over(ws, "speaks TLS, for which there is no certificate");
        ws->error = EPROTO;
    } else if (tls_beneath(*ws->opt->tls, ws->fd, &ws->beneath, &ws->beneath_state) < 0) {
        ws->error = ENOMEM;
    }
}

static void read_request(struct ws *ws)
{
    size_t have = buf_len(&ws->request);
    char *scratch = buf_reserve(&ws->request, WS_REQUEST_MAX - have);
    ssize_t got = scratch ? ws_receive(ws, scratch, WS_REQUEST_MAX - have) : 0;
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
        ws_set_over(ws, "");
        ws->ended = true;
    } else if (status != 101)
        ws_set_over(ws, why);
    else if (ws_open(ws) < 0)
        ws->error = ENOMEM;
}

/* It is over: further input must be read, or the close frame could be lost. */
static void discard(struct ws *ws, void *p, size_t n)
{
    if (!ws->ended)
        ws_receive(ws, p, n);
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
    return buf_len(&ws->out) > (ws->staged ? 2 * WS_STAGE_MAX : 0);
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
        if (ws->phase == WS_REQUEST && ws->begun)
            read_request(ws);
        if (ws->phase == WS_OPEN)
            ws_read_messages(ws);
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
        ws_put_close(ws, ws->opt->leaving ? WSLAY_CODE_GOING_AWAY : WSLAY_CODE_NORMAL_CLOSURE);
        ws_set_over(ws, "");
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
    buf_init(&ws->lines, opt->max_message + 2 * WS_READ_MAX);
    buf_init(&ws->out, OUT_MAX);
    conn_set_transport(c, &transport, ws);
    return c;
}
