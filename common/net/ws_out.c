/* Lines that leave a WebSocket, as frames (RFC 6455, 7692). */
#include "net/ws_deflate.h"
#include "net/ws_impl.h"

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

    for (; at.n > 0 && len <= WS_STAGE_MAX; at.iov++, at.n--, at.off = 0) {
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
    buf_init(&packed, 2 * WS_STAGE_MAX);
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
    bool last = whole && len <= WS_STAGE_MAX;

    if (last && !ws->inside_line && ws->deflate_bits && len >= WS_DEFLATE_MIN &&
        stage_deflated(ws, at, len))
        return;
    if (len > WS_STAGE_MAX)
        len = WS_STAGE_MAX;
    put_head(&ws->out, !ws->inside_line, last ? FRAME_LAST : 0, len);
    take(at, len, &ws->out);
    if (last)
        take(at, 1, NULL);
    ws->inside_line = !last;
    ws->staged += len + last;
}

void ws_stage(struct ws *ws, const struct iovec *iov, int n)
{
    struct cursor at = {iov, n, 0};

    while (at.n > 0 && buf_len(&ws->out) < WS_STAGE_MAX && !ws->out.failed)
        stage_frame(ws, &at);
}

/* Our close frame, whole: wslay's own would need its context. */
void ws_put_close(struct ws *ws, unsigned status)
{
    const unsigned char frame[] = {0x80 | WSLAY_CONNECTION_CLOSE, 2, (unsigned char)(status >> 8),
                                   (unsigned char)status};

    buf_append(&ws->out, frame, sizeof(frame));
}
