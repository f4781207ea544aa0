/*
 * Compression of WebSocket messages (RFC 7692, permessage-deflate), each on its own: no context is
 * kept between messages, so that a connection costs no memory for it while it is idle.
 */
#ifndef CTIBUS_NET_WS_DEFLATE_H
#define CTIBUS_NET_WS_DEFLATE_H

#include "base/buf.h"

/* Lines shorter than this are sent as they are. */
#define WS_DEFLATE_MIN ((size_t)1024)

/* Reads the header Sec-WebSocket-Extensions. The bits of the window that we may compress with (9 to
 * 15), or 0: there is no offer that we take. The answer is then
 * "permessage-deflate; server_no_context_takeover; client_no_context_takeover", and
 * "; server_max_window_bits=N" for less than 15. */
int ws_deflate_offer(struct view header);

/* Appends v, compressed. 0, or -ENOMEM (out is as before). */
int ws_deflate(struct buf *out, struct view v, int window_bits);
/* Appends the contents of a message. 0; -ENOMEM; -EPROTO: it is no such data; -EMSGSIZE: it would
 * be longer than max. */
int ws_inflate(struct buf *out, struct view v, size_t max);

#endif
