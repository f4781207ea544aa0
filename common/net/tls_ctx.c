#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "net/tls_impl.h"

static bool fault_of_openssl(struct tls_fault *fault, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    ERR_clear_error();
    fault->file = file;
    snprintf(fault->reason, sizeof(fault->reason), "%s", reason ? reason : "OpenSSL fails");
    return false;
}

/* OpenSSL says little about files that cannot be opened. */
static bool is_readable(const char *file, struct tls_fault *fault)
{
    FILE *f = fopen(file, "re");

    if (f) {
        fclose(f);
        return true;
    }
    fault->file = file;
    snprintf(fault->reason, sizeof(fault->reason), "%s", strerror(errno));
    return false;
}

static bool set_min_version(SSL_CTX *ssl, const char *name, struct tls_fault *fault)
{
    static const struct {
        const char *name;
        int version;
    } versions[] = {{"1.0", TLS1_VERSION},
                    {"1.1", TLS1_1_VERSION},
                    {"1.2", TLS1_2_VERSION},
                    {"1.3", TLS1_3_VERSION}};

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        if (strcmp(versions[i].name, name ? name : "1.2") != 0)
            continue;
        /* the old ones sign with SHA-1, which OpenSSL 3 allows at no higher level */
        if (versions[i].version < TLS1_2_VERSION)
            SSL_CTX_set_security_level(ssl, 0);
        return SSL_CTX_set_min_proto_version(ssl, versions[i].version) ||
               fault_of_openssl(fault, NULL);
    }
    snprintf(fault->reason, sizeof(fault->reason), "there is no TLS %s", name);
    return false;
}

/* A key behind a passphrase is refused: OpenSSL would ask the terminal, and wait. */
static int no_passphrase(char *out, int n, int writing, void *arg)
{
    return 0;
}

static bool set_own_certificate(SSL_CTX *ssl, const struct tls_options *opt,
                                struct tls_fault *fault)
{
    const char *key = opt->key_file ? opt->key_file : opt->cert_file;

    if (!opt->cert_file)
        return true;
    if (!is_readable(opt->cert_file, fault) || !is_readable(key, fault))
        return false;
    SSL_CTX_set_default_passwd_cb(ssl, no_passphrase);
    if (!SSL_CTX_use_certificate_chain_file(ssl, opt->cert_file))
        return fault_of_openssl(fault, opt->cert_file);
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM))
        return true;
    /* that one it says well: it is not the certificate's */
    if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH)
        return fault_of_openssl(fault, key);
    fault->file = key;
    snprintf(fault->reason, sizeof(fault->reason), "no private key in it that can be used");
    return false;
}

static bool set_trust(struct tls_ctx *ctx, const struct tls_options *opt, struct tls_fault *fault)
{
    SSL_CTX *ssl = ctx->ssl;
    int mode = SSL_VERIFY_PEER | (ctx->server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);

    if (opt->ca_file && !is_readable(opt->ca_file, fault))
        return false;
    if (opt->ca_file && !SSL_CTX_load_verify_file(ssl, opt->ca_file))
        return fault_of_openssl(fault, opt->ca_file);
    /* whom the file names we believe, also when it is no CA that has signed itself */
    if (opt->ca_file)
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
    else if (!ctx->server && !SSL_CTX_set_default_verify_paths(ssl))
        return fault_of_openssl(fault, NULL);
    ctx->verify = ctx->server ? opt->ca_file != NULL : !opt->no_verify;
    SSL_CTX_set_verify(ssl, ctx->verify ? mode : SSL_VERIFY_NONE,
                       ctx->verify ? tls_verified : NULL);
    return true;
}

/* What is the same for all connections, whatever the options. */
static void set_ways(SSL_CTX *ssl)
{
    static const unsigned char context[] = "ctibus";

    /* what waits may have moved when it is tried again, and need not leave as a whole */
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    /* nobody needs to renegotiate, and it would let a client make us work */
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* many short records come with one recv(2) */
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ssl, context, sizeof(context) - 1);
}

static struct tls_ctx *new_ctx(const struct tls_options *opt, bool server, struct tls_fault *fault)
{
    struct tls_ctx *ctx = calloc(1, sizeof(*ctx));

    *fault = (struct tls_fault){NULL, "out of memory"};
    if (!ctx)
        return NULL;
    ctx->refs = 1;
    ctx->server = server;
    ctx->socket = tls_socket_method();
    ctx->ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (ctx->ssl)
        set_ways(ctx->ssl);
    if (!ctx->socket || !ctx->ssl || !set_min_version(ctx->ssl, opt->min_version, fault) ||
        !set_own_certificate(ctx->ssl, opt, fault) || !set_trust(ctx, opt, fault))
        tls_destroy(&ctx);
    ERR_clear_error();
    return ctx;
}

struct tls_ctx *tls_client_new(const struct tls_options *opt, struct tls_fault *fault)
{
    return new_ctx(opt, false, fault);
}

struct tls_ctx *tls_server_new(const struct tls_options *opt, struct tls_fault *fault)
{
    assert(opt->cert_file);
    return new_ctx(opt, true, fault);
}

void tls_unref(struct tls_ctx *ctx)
{
    if (--ctx->refs > 0)
        return;
    SSL_CTX_free(ctx->ssl);
    BIO_meth_free(ctx->socket);
    free(ctx);
}

void tls_destroy(struct tls_ctx **ctx)
{
    if (!ctx || !*ctx)
        return;
    tls_unref(*ctx);
    *ctx = NULL;
}
