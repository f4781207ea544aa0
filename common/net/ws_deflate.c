#include "net/ws_deflate.h"

#include <errno.h>
#include <zlib.h>

#define LEVEL 4 /* lists of JSON shrink to a tenth at little cost */
/* What a sync flush ends with; it is left out of messages. */
static const unsigned char tail[4] = {0x00, 0x00, 0xff, 0xff};

/* ---- negotiation ---- */

/* "server_max_window_bits=10", also in quotes. False: this offer cannot be taken. */
static bool take_parameter(struct view parameter, int *bits)
{
    struct view value = parameter;
    struct view name = view_trim(view_cut(&value, '='));
    uint64_t n;

    value = view_trim(value);
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = view_of(value.ptr + 1, value.len - 2);
    if (view_ieq(name, VIEW("server_no_context_takeover")) ||
        view_ieq(name, VIEW("client_no_context_takeover")))
        return value.len == 0;
    if (view_ieq(name, VIEW("client_max_window_bits"))) /* ours to use, and we need not */
        return true;
    if (!view_ieq(name, VIEW("server_max_window_bits")) || view_to_u64(value, &n) < 0 || n < 9 ||
        n > 15) /* zlib has no window of 8 bits */
        return false;
    *bits = (int)n;
    return true;
}

static int take_offer(struct view offer)
{
    int bits = 15;

    if (!view_ieq(view_trim(view_cut(&offer, ';')), VIEW("permessage-deflate")))
        return 0;
    while (offer.len > 0)
        if (!take_parameter(view_trim(view_cut(&offer, ';')), &bits))
            return 0;
    return bits;
}

int ws_deflate_offer(struct view header)
{
    int bits = 0;

    while (header.len > 0 && bits == 0)
        bits = take_offer(view_cut(&header, ','));
    return bits;
}

/* ---- messages ---- */

int ws_deflate(struct buf *out, struct view v, int window_bits)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)v.ptr, .avail_in = (uInt)v.len};
    size_t most;
    char *room;
    int rc;

    if (deflateInit2(&z, LEVEL, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    most = deflateBound(&z, (uLong)v.len) + 16;
    room = buf_reserve(out, most);
    if (!room) {
        deflateEnd(&z);
        return -ENOMEM;
    }
    z.next_out = (Bytef *)room;
    z.avail_out = (uInt)most;
    rc = deflate(&z, Z_SYNC_FLUSH);
    deflateEnd(&z);
    if (rc != Z_OK || z.avail_in > 0 || z.total_out < sizeof(tail))
        return -ENOMEM;
    buf_commit(out, z.total_out - sizeof(tail));
    return 0;
}

/* Inflates what the stream has as input now. 0 or a negative errno. */
static int inflate_part(z_stream *z, struct buf *out, size_t *left)
{
    char room[8192];
    int rc;

    do {
        size_t n;
        z->next_out = (Bytef *)room;
        z->avail_out = sizeof(room);
        rc = inflate(z, Z_SYNC_FLUSH);
        if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
            return rc == Z_MEM_ERROR ? -ENOMEM : -EPROTO;
        n = sizeof(room) - z->avail_out;
        if (n > *left)
            return -EMSGSIZE;
        *left -= n;
        if (buf_append(out, room, n) < 0)
            return -ENOMEM;
        if (rc == Z_STREAM_END) /* a final block: what follows would be another stream */
            return z->avail_in == 0 ? 0 : -EPROTO;
    } while (z->avail_out == 0);
    return z->avail_in == 0 ? 0 : -EPROTO;
}

int ws_inflate(struct buf *out, struct view v, size_t max)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)v.ptr, .avail_in = (uInt)v.len};
    int rc;

    if (inflateInit2(&z, -15) != Z_OK)
        return -ENOMEM;
    rc = inflate_part(&z, out, &max);
    if (rc == 0) {
        z.next_in = (Bytef *)(uintptr_t)tail;
        z.avail_in = sizeof(tail);
        rc = inflate_part(&z, out, &max);
        if (rc == -EPROTO && z.avail_in > 0) /* behind a final block */
            rc = 0;
    }
    inflateEnd(&z);
    return rc;
}
