/*
 * The transport of one connection: OpenSSL between net/conn and its socket.
 *
 * The handshake is part of whatever is asked first, reading or writing, and may make either wait
 * for the other (CONN_OTHER_WAY). A failure is kept, since OpenSSL tells it only once.
 *
 * A connection that goes over to TLS has bytes to send in clear first. Until they have left nothing
 * is read, so that the handshake cannot begin among them.
 */
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/tls_impl.h"

/* What leaves as one record. */
#define RECORD ((size_t)SSL3_RT_MAX_PLAIN_LENGTH)
/* One read takes up to this much, so that a fast sender does not keep the loop for itself. */
#define READ_MAX ((size_t)65536)

/* ---- the socket ---- */

static int socket_write(BIO *bio, const char *p, int n)
{
    struct tls *t = BIO_get_data(bio);
    ssize_t done = send(t->fd, p, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);

    BIO_clear_retry_flags(bio);
    if (done < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    else if (done < 0)
        t->io_error = errno;
    return (int)done;
}

static int socket_read(BIO *bio, char *p, int n)
{
    struct tls *t = BIO_get_data(bio);
    ssize_t got = recv(t->fd, p, (size_t)n, MSG_DONTWAIT);

    BIO_clear_retry_flags(bio);
    if (got == 0)
        t->ended = true;
    else if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    else if (got < 0)
        t->io_error = errno;
    return (int)got;
}

static long socket_ctrl(BIO *bio, int what, long n, void *p)
{
    const struct tls *t = BIO_get_data(bio);

    if (what == BIO_CTRL_EOF)
        return t && t->ended;
    return what == BIO_CTRL_FLUSH; /* nothing is kept here */
}

BIO_METHOD *tls_socket_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");

    if (m && BIO_meth_set_write(m, socket_write) && BIO_meth_set_read(m, socket_read) &&
        BIO_meth_set_ctrl(m, socket_ctrl))
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* ---- the transport ---- */

static int fail(struct tls *t, int err)
{
    if (!t->failed)
        t->failed = err;
    errno = t->failed;
    return -1;
}

/* Before OpenSSL is asked: its queue of errors must be empty for SSL_get_error to be right. */
static bool begin(struct tls *t)
{
    ERR_clear_error();
    if (t->failed)
        errno = t->failed;
    return !t->failed;
}

/* A call has not done what it should: what a transport returns. `wish`: what is normal for that
 * call to wait for. */
static int undone(struct tls *t, int rc, int wish)
{
    int error = SSL_get_error(t->ssl, rc);

    if (SSL_is_init_finished(t->ssl))
        t->established = true;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        errno = error == wish ? EAGAIN : CONN_OTHER_WAY;
        return -1;
    }
    if (error == SSL_ERROR_ZERO_RETURN)
        t->ended = true;
    if (t->established && t->ended && error != SSL_ERROR_SSL && wish == SSL_ERROR_WANT_READ)
        return 0;
    /* a socket that breaks says it best itself, unless that is how a handshake was refused */
    if (t->io_error && error != SSL_ERROR_SSL &&
        (t->established || (t->io_error != ECONNRESET && t->io_error != EPIPE)))
        return fail(t, t->io_error);
    tls_explain(t);
    ERR_clear_error();
    return fail(t, EPROTO);
}

static ssize_t tls_read(void *state, int fd, void *p, size_t n)
{
    struct tls *t = state;
    size_t want = n < READ_MAX ? n : READ_MAX;
    size_t have = 0;

    if (t->finished) /* not used any more */
        return recv(fd, p, n, MSG_DONTWAIT);
    if (t->clear > 0) {
        errno = CONN_OTHER_WAY;
        return -1;
    }
    while (have < want) {
        size_t got;
        int rc = begin(t) ? SSL_read_ex(t->ssl, (char *)p + have, want - have, &got) : -1;
        if (rc <= 0 && !t->failed)
            rc = undone(t, rc, SSL_ERROR_WANT_READ);
        if (rc <= 0)
            return have ? (ssize_t)have : rc; /* it will say so again */
        t->established = true;
        have += got;
    }
    return (ssize_t)have;
}

/* What leaves first, up to one record: pieces are put together in `room`. */
static struct view gather(const struct iovec *iov, int n, char *scratch)
{
    size_t have = 0;

    if (n == 1 || iov->iov_len >= RECORD)
        return view_of(iov->iov_base, iov->iov_len);
    for (int i = 0; i < n && have < RECORD; i++) {
        size_t piece = iov[i].iov_len < RECORD - have ? iov[i].iov_len : RECORD - have;
        memcpy(scratch + have, iov[i].iov_base, piece);
        have += piece;
    }
    return view_of(scratch, have);
}

/* The last words in clear. */
static ssize_t write_clear(struct tls *t, const struct iovec *iov)
{
    size_t n = iov->iov_len < t->clear ? iov->iov_len : t->clear;
    ssize_t done = send(t->fd, iov->iov_base, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (done > 0)
        t->clear -= (size_t)done;
    return done;
}

static ssize_t tls_writev(void *state, int fd, const struct iovec *iov, int n)
{
    struct tls *t = state;
    char scratch[RECORD];
    struct view v;
    size_t done;
    int rc;

    if (t->clear > 0)
        return write_clear(t, iov);
    if (!begin(t))
        return -1;
    v = gather(iov, n, scratch);
    rc = SSL_write_ex(t->ssl, v.ptr, v.len, &done);
    if (rc <= 0)
        return undone(t, rc, SSL_ERROR_WANT_WRITE);
    t->established = true;
    return (ssize_t)done;
}

static int tls_finish(void *state, int fd)
{
    struct tls *t = state;
    int rc;

    if (!t->established || t->failed || t->finished)
        return 0;
    ERR_clear_error();
    rc = SSL_shutdown(t->ssl);
    if (rc < 0 && undone(t, rc, SSL_ERROR_WANT_WRITE) < 0 && !t->failed)
        return -1;
    t->finished = true;
    return 0;
}

static const char *tls_reason(void *state)
{
    const struct tls *t = state;

    return *t->reason ? t->reason : NULL;
}

static void tls_free(void *state)
{
    struct tls *t = state;

    tls_finish(t, t->fd); /* when there is room for it */
    SSL_free(t->ssl);
    tls_unref(t->ctx);
    free(t);
    ERR_clear_error();
}

static const struct conn_transport transport = {tls_read, tls_writev, tls_free, tls_finish,
                                                tls_reason};

/* ---- making one ---- */

static bool set_name(SSL *ssl, const struct tls_ctx *ctx, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    assert(name || !ctx->verify || ctx->server);
    if (!name || ctx->server)
        return true;
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name))
        return true; /* an address has no place in SNI */
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(ssl, name);
}

static bool set_up(struct tls *t, const char *name)
{
    BIO *bio = BIO_new(t->ctx->socket);

    t->ssl = SSL_new(t->ctx->ssl);
    if (!bio || !t->ssl || !set_name(t->ssl, t->ctx, name)) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_app_data(t->ssl, t);
    if (t->ctx->server)
        SSL_set_accept_state(t->ssl);
    else
        SSL_set_connect_state(t->ssl);
    return true;
}

/* NULL without memory. */
static struct tls *tls_new(struct tls_ctx *ctx, int fd, const char *name)
{
    struct tls *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    *t = (struct tls){.ctx = ctx, .fd = fd};
    ctx->refs++;
    if (set_up(t, name))
        return t;
    tls_free(t);
    return NULL;
}

struct conn *conn_new_tls(struct conn_class *cls, int fd, void *owner, struct tls_ctx *ctx,
                          const char *name)
{
    struct tls *t = tls_new(ctx, fd, name);
    struct conn *c = NULL;

    if (t)
        c = conn_new(cls, fd, owner);
    else
        close(fd);
    if (c)
        conn_set_transport(c, &transport, t);
    else if (t)
        tls_free(t);
    return c;
}

int conn_start_tls(struct conn *c, struct tls_ctx *ctx)
{
    struct tls *t;

    assert(!c->transport && ctx->server);
    t = tls_new(ctx, c->fd, NULL);
    if (!t)
        return -ENOMEM;
    t->clear = c->out.len;
    conn_set_transport(c, &transport, t);
    return 0;
}

int tls_beneath(struct tls_ctx *ctx, int fd, const struct conn_transport **out, void **state)
{
    assert(ctx->server);
    *state = tls_new(ctx, fd, NULL);
    if (!*state)
        return -ENOMEM;
    *out = &transport;
    return 0;
}

bool conn_tls_describe(const struct conn *c, char *out, size_t n)
{
    const struct tls *t = c->transport == &transport ? c->transport_state : NULL;
    bool done = t && SSL_is_init_finished(t->ssl);

    snprintf(out, n, "%s%s%s", done ? SSL_get_version(t->ssl) : "", done ? " " : "",
             done ? SSL_get_cipher_name(t->ssl) : "");
    return done;
}
