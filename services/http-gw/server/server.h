/*
 * An HTTP/1.1 server for programs: requests with a body, one after the other on a connection,
 * answers now or later, and streams that go on. Bounded: connections, bytes of a request, time for
 * it, and what waits for a reader that is too slow.
 */
#ifndef CTIBUS_HTTP_GW_SERVER_H
#define CTIBUS_HTTP_GW_SERVER_H

#include "base/netaddr.h"
#include "net/conn.h"
#include "net/tls.h"
#include "server/request.h"

#define SERVER_MAX_BODY ((size_t)65536) /* bytes of a request's body */

struct server;
/* A request, until it is answered. */
struct exchange;

struct server_options {
    const char *listen;         /* "HOST:PORT" */
    struct tls_ctx *const *tls; /* what it points at: NULL: clear text */
    size_t max_connections;
    size_t max_output;   /* bytes that may wait for one connection */
    uint32_t request_ms; /* from the first byte of a request to its last; 0: 10 s */
};

struct server_request {
    const struct request_head *head;
    struct view body;
    const struct netaddr *peer;
};
/* Answers x, now or later; the request's views live until this returns. */
typedef void server_fn(void *arg, struct exchange *x, const struct server_request *rq);

/* NULL and *err (negative errno) when it cannot listen. */
struct server *server_new(struct loop *loop, const struct server_options *opt, server_fn *fn,
                          void *arg, int *err);
/* Exchanges that are open end without an answer: `gone` of each is called. */
void server_destroy(struct server **s);
/* Takes no connection any more; those that are open stay until they are answered. */
void server_close_listener(struct server *s);
uint16_t server_port(const struct server *s);
size_t server_connections(const struct server *s);
uint64_t server_refused(const struct server *s); /* connections beyond the limit */
uint64_t server_slow(const struct server *s);    /* closed: too slow with a request or an answer */

/* Called when the connection has gone before the answer, or a stream's reader has; x is freed
 * afterwards. */
void exchange_on_gone(struct exchange *x, void (*gone)(void *arg), void *arg);
/* The answer; x is freed. headers: whole lines with their ends, or "". */
void exchange_answer(struct exchange *x, int status, const char *type, const char *headers,
                     struct view body);
/* The head of an answer that goes on until the connection ends, or exchange_end. */
void exchange_begin(struct exchange *x, const char *type, const char *headers);
/* A part of it. 0; -ENOBUFS or -ENOMEM: its reader is too slow, and `gone` follows. */
int exchange_send(struct exchange *x, struct view part);
int exchange_send_shared(struct exchange *x, struct shared *part);
/* Bytes that wait for its reader. */
size_t exchange_waiting(const struct exchange *x);
/* The end of a stream; x is freed, `gone` is not called. */
void exchange_end(struct exchange *x);
const struct netaddr *exchange_peer(const struct exchange *x);

const char *status_name(int status);

#endif
