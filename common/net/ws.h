/*
 * WebSocket (RFC 6455) for connections (net/conn.h): the side that is connected to.
 *
 * To its owner such a connection is one of lines: each text message that arrives is shown with a
 * line feed behind it (line feeds inside become blanks), each line that is sent leaves as one text
 * message without its line feed. The HTTP request that comes first, control frames and the closing
 * are dealt with here. What must wait for the owner's lines waits: conn_close_after_flush sends
 * them, then a close frame.
 *
 * A client that breaks a rule gets a close frame (or an HTTP status); the owner must then close it,
 * as conn_ws_tick says; its further input is discarded.
 */
#ifndef CTIBUS_NET_WS_H
#define CTIBUS_NET_WS_H

#include "net/conn.h"
#include "net/tls.h"

/* Bytes of the request that opens it. */
#define WS_REQUEST_MAX ((size_t)8192)

/* A request for something else than the WebSocket: a page. The views live until the call returns.
 */
struct ws_page_request {
    struct view method, path; /* the path without its query */
    struct view etag;         /* If-None-Match, as sent */
    struct view remote_user;  /* Remote-User, as sent; only as trustworthy as the peer */
    bool gzip;                /* the client takes gzip */
};
/* Appends a whole response, which ends the connection. Returns its HTTP status, or 0: there is no
 * such page. */
typedef int ws_page_fn(const struct ws_page_request *rq, struct buf *answer);

/* Borrowed as long as there are connections. */
struct ws_options {
    const char *path;           /* of the WebSocket: "/cti" */
    ws_page_fn *page;           /* all other paths; NULL: there are none */
    struct tls_ctx **tls;       /* of the server: who begins with a TLS handshake gets one, by the
                                 * context that there is then; NULL or NULL inside: is refused */
    const char *const *origins; /* whose pages may connect beside our own host's, as "https://HOST";
                                 * ends with NULL; NULL: none */
    size_t max_message;         /* bytes of one message, however many frames it comes in */
    size_t first_messages;      /* the same until conn_ws_set_max; 0: max_message from the start */
    uint32_t ping_ms;           /* after so long a silence it is asked for a sign of life */
    bool leaving;               /* connections closed from now on get 1001 ("going away") */
};

/* As conn_new. max_input of the class must be at least max_message + 1. */
struct conn *conn_new_ws(struct conn_class *cls, int fd, void *owner, const struct ws_options *opt);

/* From now on a message may have so many bytes, at most max_message. Does nothing to a connection
 * that is no WebSocket. */
void conn_ws_set_max(struct conn *c, size_t max_message);

/* Does it speak TLS? False for a connection that is no WebSocket. */
bool conn_ws_is_tls(const struct conn *c);

/* The header Remote-User of the request that opened it; empty when there was none, or for a
 * connection that is no WebSocket. Lives as long as the connection. */
struct view conn_ws_remote_user(const struct conn *c);

/* To be called a few times a second for each of them. NULL: all is well; else the connection is to
 * be closed, and why: a rule was broken, or it gave no sign of life for ping_ms after it was asked.
 * The text lives as long as the connection. */
const char *conn_ws_tick(struct conn *c, uint64_t now_us);

/* What the request has brought. */
struct ws_upgraded {
    size_t used;             /* bytes of the input were the request */
    struct view remote_user; /* inside the input; may be empty */
    int deflate_bits;        /* messages may be compressed (net/ws_deflate.h); 0: they may not */
};
/* The request that opens a connection, as far as it is there. 0: more must come; else the HTTP
 * status of `answer` (101: go on, *out says with what). `answer` gets the whole response. Pure: for
 * the transport, and for tests. */
int ws_upgrade(struct view in, const struct ws_options *opt, struct buf *answer,
               struct ws_upgraded *out);

#endif
