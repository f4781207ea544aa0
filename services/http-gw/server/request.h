/* The head of an HTTP/1 request (RFC 9112), read strictly: what two servers could understand in
 * different ways is refused. */
#ifndef CTIBUS_HTTP_GW_REQUEST_H
#define CTIBUS_HTTP_GW_REQUEST_H

#include "base/view.h"

#define REQUEST_MAX_HEAD ((size_t)16384) /* bytes */
#define REQUEST_MAX_HEADERS 100

/* Views of the bytes that were read. What is not there is empty. */
struct request_head {
    struct view method, path, query; /* the path begins with a slash */
    struct view authorization, last_event_id, idempotency_key, content_type;
    uint64_t content_length;
    bool keep_alive;       /* another request may follow on the connection */
    bool expects_go_ahead; /* the body comes after "100 Continue" */
};

/* Reads the head at the start of `in`. How many bytes it takes; 0: it is not complete yet; or less
 * than 0: it is no request, and the number is the HTTP status to answer with (-400, -411, -431,
 * -501, -505). */
int request_parse(struct view in, struct request_head *head);

/* Appends the text of a percent-encoded segment or parameter. 0, or -EINVAL: malformed, a NUL or a
 * control character is in it, or it is not UTF-8. plus: a + is a blank (in queries). */
struct buf;
int request_decode(struct buf *out, struct view text, bool plus);

/* The parameter of a query by its name, still encoded; false: it is not there. */
bool request_param(struct view query, struct view name, struct view *value);

#endif
