/*
 * The inside of TLS, for the files of net/ alone: tls_ctx.c (contexts), tls.c (the transport of one
 * connection) and tls_why.c (what went wrong, in words).
 */
#ifndef CTIBUS_NET_TLS_IMPL_H
#define CTIBUS_NET_TLS_IMPL_H

#include <openssl/ssl.h>

#include "net/conn_impl.h"
#include "net/tls.h"

struct tls_ctx {
    SSL_CTX *ssl;
    BIO_METHOD *socket; /* OpenSSL's own would raise SIGPIPE */
    uint32_t refs;      /* the owner's, and one of each connection */
    bool server;
    bool verify; /* the client asks for a name */
};

/* One connection. */
struct tls {
    SSL *ssl;
    struct tls_ctx *ctx;
    int fd;
    size_t clear; /* bytes that are still to leave in clear, before the handshake */
    int io_error; /* of the socket */
    int failed;   /* an errno: it is over */
    bool established;
    bool ended;    /* the other side has sent its last */
    bool finished; /* we have said goodbye */
    char reason[CONN_REASON];
};

/* --- tls.c --- */

/* How OpenSSL reaches a socket; NULL without memory. */
BIO_METHOD *tls_socket_method(void);

/* The transport of the server's side at a socket, for a transport that speaks through it. The state
 * goes with transport->destroy. 0 or -ENOMEM. */
int tls_beneath(struct tls_ctx *ctx, int fd, const struct conn_transport **transport, void **state);

/* --- tls_ctx.c --- */

void tls_unref(struct tls_ctx *ctx);

/* --- tls_why.c --- */

/* OpenSSL's callback for each fault that it finds in a certificate: puts it into the connection's
 * reason. */
int tls_verified(int ok, X509_STORE_CTX *store);
/* The reason of a failure that OpenSSL has just reported (its error queue says which), unless there
 * is one already. */
void tls_explain(struct tls *t);

#endif
