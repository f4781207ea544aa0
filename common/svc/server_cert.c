#include "svc/server_cert.h"

#include <errno.h>
#include <stdlib.h>

static int load(struct tls_options *opt, struct tls_ctx **out, struct buf *why)
{
    struct tls_fault fault;
    const char *key;

    *out = tls_server_new(opt, &fault);
    if (*out)
        return 0;
    key = fault.file == opt->cert_file ? "certfile" : "keyfile";
    if (fault.file)
        buf_printf(why, "%s: %s: %s", key, fault.file, fault.reason);
    else
        buf_printf(why, "ctibus.cti.tls_min: %s", fault.reason);
    return -EINVAL;
}

/* The path of the file that a key names; NULL when it names none, or without memory. */
static char *file_of(const struct config *cfg, const char *key)
{
    const char *name = config_str(cfg, key);

    return name && *name ? config_path(cfg, view_cstr(name)) : NULL;
}

int server_cert_load(const struct config *cfg, struct tls_ctx **out, struct buf *why)
{
    char *cert = file_of(cfg, "certfile");
    char *key = file_of(cfg, "keyfile");
    struct tls_options opt = {
        .cert_file = cert, .key_file = key, .min_version = config_str(cfg, "ctibus.cti.tls_min")};
    int rc = 0;

    *out = NULL;
    if (cert)
        rc = load(&opt, out, why);
    free(cert);
    free(key);
    return rc;
}
