/* The other side of a WebSocket, by hand: frames of a client, and what a server has sent. */
#ifndef CTIBUS_TESTS_WSFRAMES_H
#define CTIBUS_TESTS_WSFRAMES_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define WSF_REQUEST                                                                                \
    "GET /cti HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

enum { WSF_TEXT = 1, WSF_CLOSE = 8, WSF_PING = 9, WSF_PONG = 10 };

/* Appends a masked frame. */
static inline void wsf_put(struct buf *out, int opcode, bool fin, struct view payload)
{
    static const unsigned char mask[4] = {0x5a, 0x01, 0xff, 0x80};
    unsigned char head[10] = {(unsigned char)(opcode | (fin ? 0x80 : 0))};
    int bytes = payload.len < 126 ? 0 : payload.len < 65536 ? 2 : 8;

    head[1] = (unsigned char)(0x80 | (bytes == 0 ? (int)payload.len : bytes == 2 ? 126 : 127));
    for (int i = 0; i < bytes; i++)
        head[2 + i] = (unsigned char)((uint64_t)payload.len >> (8 * (bytes - 1 - i)));
    buf_append(out, head, 2 + (size_t)bytes);
    buf_append(out, mask, 4);
    for (size_t i = 0; i < payload.len; i++)
        buf_append_char(out, (char)(payload.ptr[i] ^ mask[i % 4]));
}

/* What a server has sent, taken apart. Each message ends with a line feed in `text`. */
struct wsf_said {
    struct buf text;
    int frames, pings, pongs;
    int closed;   /* the status; -1: no close frame */
    bool unclean; /* the last frame is not complete, or a message is not */
    bool bad;     /* against the rules */
};

static inline void wsf_take(struct wsf_said *said, int opcode, bool fin, struct view payload)
{
    bool inside = said->unclean;

    said->frames++;
    if (said->closed >= 0 || (opcode >= 8 && (!fin || payload.len > 125)))
        said->bad = true;
    if (opcode == WSF_PING)
        said->pings++;
    else if (opcode == WSF_PONG)
        said->pongs++;
    else if (opcode == WSF_CLOSE)
        said->closed = payload.len < 2
                           ? 0
                           : (unsigned char)payload.ptr[0] * 256 + (unsigned char)payload.ptr[1];
    else if (opcode == (inside ? 0 : WSF_TEXT)) {
        buf_append_view(&said->text, payload);
        if (fin)
            buf_append_char(&said->text, '\n');
        said->unclean = !fin;
    } else {
        said->bad = true;
    }
}

/* Everything behind the response to the request. The caller frees said->text. */
static inline void wsf_read(struct view in, struct wsf_said *said)
{
    ptrdiff_t head = view_find(in, VIEW("\r\n\r\n"));
    const unsigned char *p = (const unsigned char *)in.ptr + head + 4;
    size_t left = in.len - (size_t)head - 4;

    *said = (struct wsf_said){.closed = -1};
    buf_init(&said->text, 0);
    while (head >= 0 && left >= 2) {
        size_t len = p[1] & 0x7f;
        int bytes = len == 126 ? 2 : len == 127 ? 8 : 0;
        if (left < 2 + (size_t)bytes)
            break;
        for (int i = 0; i < bytes; i++)
            len = (i ? len << 8 : 0) | p[2 + i];
        if (p[1] & 0x80)
            said->bad = true; /* a server must not mask */
        if (left - 2 - (size_t)bytes < len)
            break;
        wsf_take(said, p[0] & 0x0f, p[0] & 0x80, view_of(p + 2 + bytes, len));
        p += 2 + (size_t)bytes + len;
        left -= 2 + (size_t)bytes + len;
    }
    if (left > 0)
        said->unclean = true;
}

#endif
