/* TLS in front of a server that a test plays in clear text: each connection is passed on to its
 * port. Include after cmocka.h. */
#ifndef CTIBUS_TESTS_TLSFRONT_H
#define CTIBUS_TESTS_TLSFRONT_H

#include <stdlib.h>

#include "net/tls.h"
#include "support/certs.h"

struct tlsfront_pair;

struct tlsfront {
    struct conn_class cls;
    struct listener *listener;
    struct tls_ctx *ctx;
    uint16_t to;
    int accepted;
    size_t heard; /* bytes that clients have said inside TLS */
    struct tlsfront_pair *pairs;
};

/* The two ends of one connection. */
struct tlsfront_pair {
    struct tlsfront *front;
    struct tlsfront_pair *next;
    struct conn *outer, *inner; /* NULL: gone */
};

static inline size_t tlsfront_data(void *owner, struct conn *c, struct view in)
{
    struct tlsfront_pair *p = owner;
    struct conn *other = c == p->outer ? p->inner : p->outer;

    if (c == p->outer)
        p->front->heard += in.len;
    if (other)
        conn_send(other, in);
    return in.len;
}

static inline void tlsfront_closed(void *owner, struct conn *c, int why)
{
    struct tlsfront_pair *p = owner;

    if (c == p->outer) {
        p->outer = NULL;
        conn_close_after_flush(&p->inner);
    } else {
        p->inner = NULL;
        conn_close_after_flush(&p->outer);
    }
}

static inline void tlsfront_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct tlsfront *f = arg;
    struct tlsfront_pair *p = calloc(1, sizeof(*p));
    int inner = net_connect("127.0.0.1", f->to);

    assert_non_null(p);
    assert_true(inner >= 0);
    f->accepted++;
    *p = (struct tlsfront_pair){.front = f, .next = f->pairs};
    f->pairs = p;
    p->outer = conn_new_tls(&f->cls, fd, p, f->ctx, NULL);
    p->inner = conn_new(&f->cls, inner, p);
}

/* Shows the certificate `cert` and passes on to 127.0.0.1 at port `to`. */
static inline void tlsfront_start(struct tlsfront *f, struct loop *loop, uint16_t to,
                                  const struct certs *certs, const char *cert)
{
    static const struct conn_handler handler = {tlsfront_data, tlsfront_closed, NULL};
    char pem[64];
    char key[64];
    struct tls_options opt;
    struct tls_fault fault;
    int err;

    snprintf(pem, sizeof(pem), "%s.pem", cert);
    snprintf(key, sizeof(key), "%s.key", cert);
    opt = (struct tls_options){.cert_file = certs_path(certs, pem),
                               .key_file = certs_path(certs, key)};
    f->to = to;
    f->ctx = tls_server_new(&opt, &fault);
    assert_non_null(f->ctx);
    assert_int_equal(conn_class_init(&f->cls, loop, &handler, 65536, 1 << 20), 0);
    f->listener = listener_new(loop, "127.0.0.1:0", tlsfront_accept, f, &err);
    assert_non_null(f->listener);
}

static inline uint16_t tlsfront_port(const struct tlsfront *f)
{
    return listener_port(f->listener);
}

/* Does nothing when it was never started. */
static inline void tlsfront_end(struct tlsfront *f)
{
    struct tlsfront_pair *p;

    listener_destroy(&f->listener);
    while ((p = f->pairs)) {
        f->pairs = p->next;
        conn_close(&p->outer);
        conn_close(&p->inner);
        free(p);
    }
    conn_class_fini(&f->cls);
    tls_destroy(&f->ctx);
}

#endif
