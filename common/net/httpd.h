/*
 * A small HTTP/1 server for short answers that are ready at once: GET and HEAD, one request a
 * connection. Made to be reached also when the process is out of file descriptors or a client holds
 * many connections open: it has HTTPD_PLACES, each for 5 s at most, and when all are taken the
 * oldest is closed for the newest.
 */
#ifndef CTIBUS_NET_HTTPD_H
#define CTIBUS_NET_HTTPD_H

#include "base/buf.h"
#include "loop/loop.h"

#define HTTPD_PLACES 32
#define HTTPD_MAX_REQUEST ((size_t)8192)

struct httpd;

struct httpd_answer {
    const char *type; /* of the content, a literal; "text/plain" unless set */
    struct buf body;
};
/* Answers a request for `path` (without the query). Returns the HTTP status: 200, 404 or 503. */
typedef int httpd_fn(void *arg, struct view path, struct httpd_answer *answer);

/* Listens at addr as listener_new does. NULL and *err (negative errno) when it cannot. */
struct httpd *httpd_new(struct loop *loop, const char *addr, httpd_fn *fn, void *arg, int *err);
void httpd_destroy(struct httpd **h);
uint16_t httpd_port(const struct httpd *h);
/* Connections that were closed before their request was there: too slow, or for newer ones. */
uint64_t httpd_closed(const struct httpd *h);

#endif
