/* Compressed messages of a WebSocket: whatever arrives is inflated within its bound or refused;
 * what we compress comes back as it was; an offer of extensions is taken or not. */
#include <errno.h>
#include <stdlib.h>

#include "net/ws_deflate.h"

#define MOST ((size_t)65536)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void inflated(struct view in)
{
    struct buf out;
    int rc;

    buf_init(&out, 0);
    rc = ws_inflate(&out, in, MOST);
    must(rc == 0 || rc == -EPROTO || rc == -EMSGSIZE);
    must(buf_len(&out) <= MOST);
    buf_free(&out);
}

static void there_and_back(struct view in, int bits)
{
    struct buf packed, out;

    buf_init(&packed, 0);
    buf_init(&out, 0);
    must(ws_deflate(&packed, in, bits) == 0);
    must(ws_inflate(&out, buf_view(&packed), in.len) == 0);
    must(view_eq(buf_view(&out), in));
    must(in.len == 0 || ws_inflate(&packed, buf_view(&packed), in.len - 1) < 0);
    buf_free(&packed);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_of((const char *)data, size);
    int bits = ws_deflate_offer(in);

    must(bits == 0 || (bits >= 9 && bits <= 15));
    inflated(in);
    there_and_back(in, bits ? bits : 15);
    return 0;
}
