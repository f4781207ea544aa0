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

/* Bytes of the request that opens it. */
#define WS_REQUEST_MAX ((size_t)8192)

/* Borrowed as long as there are connections. */
struct ws_options {
    const char *path;           /* the only one there is: "/cti" */
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

/* To be called a few times a second for each of them. NULL: all is well; else the connection is to
 * be closed, and why: a rule was broken, or it gave no sign of life for ping_ms after it was asked.
 * The text lives as long as the connection. */
const char *conn_ws_tick(struct conn *c, uint64_t now_us);

/* The request that opens a connection, as far as it is there. 0: more must come; else the HTTP
 * status of `answer` (101: go on; *used bytes of `in` were the request). `answer` gets the whole
 * response. Pure: for the transport, and for tests. */
int ws_upgrade(struct view in, const struct ws_options *opt, struct buf *answer, size_t *used);

#endif
