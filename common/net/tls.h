/*
 * TLS for connections (net/conn.h), by OpenSSL.
 *
 * A context holds what the connections of one kind have in common: whom we trust, our own
 * certificate, how old a protocol may be. A connection made with one keeps all promises of
 * net/conn.h; the handshake goes on by itself, what is sent meanwhile waits (and counts for
 * max_output), and nothing of it leaves before the other side has been verified. A failed handshake
 * ends the connection with EPROTO, and conn_class_reason says in words what an operator can do
 * something about.
 *
 * An end of the stream without TLS's own goodbye counts as an end: the protocol above
 * must know by himself whether a message is whole.
 */
#ifndef CTIBUS_NET_TLS_H
#define CTIBUS_NET_TLS_H

#include "net/conn.h"

struct tls_options {
    const char
        *ca_file;          /* PEM: what we trust, a CA or the very certificate of the other side.
                            * NULL: a client trusts the system's store, a server asks for no certificate */
    const char *cert_file; /* PEM: our certificate and its chain; NULL: none (a server needs one) */
    const char *key_file;  /* PEM: its private key; NULL: it is in cert_file */
    const char *min_version; /* "1.0", "1.1", "1.2" or "1.3"; NULL: "1.2" */
    bool no_verify;          /* a client takes whatever certificate it is shown */
};

/* What is wrong with the options. */
struct tls_fault {
    const char *file; /* which of the options' files; NULL: none of them */
    char reason[160];
};

struct tls_ctx;
/* For the side that connects, or that is connected to. NULL and *fault on failure. The files are
 * read now; nothing of the options is kept. */
struct tls_ctx *tls_client_new(const struct tls_options *opt, struct tls_fault *fault);
struct tls_ctx *tls_server_new(const struct tls_options *opt, struct tls_fault *fault);
/* The connections that were made with it go on. */
void tls_destroy(struct tls_ctx **ctx);

/* As conn_new. `name`: which host name or address the certificate of the other side must carry;
 * needed in a client that verifies, NULL in a server. */
struct conn *conn_new_tls(struct conn_class *cls, int fd, void *owner, struct tls_ctx *ctx,
                          const char *name);

/* Goes over to TLS on a plain connection: what waits to be sent leaves in clear, then the handshake
 * begins, as the server. Call it from `data` and only when everything shown there is done with:
 * what the other side has sent in clear behind its wish for TLS could be anybody's, and must not be
 * taken for something said inside of it. (What still lies in the socket is read as TLS, and ends
 * the connection when it is not.) 0 or -ENOMEM (nothing has changed). */
int conn_start_tls(struct conn *c, struct tls_ctx *ctx);

/* Protocol and cipher ("TLSv1.3 TLS_AES_256_GCM_SHA384") for a log. False and "" while the
 * handshake is not done, and for a connection without TLS. */
bool conn_tls_describe(const struct conn *c, char *out, size_t n);

#endif
