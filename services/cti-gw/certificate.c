#include "certificate.h"

#include <errno.h>

#include "svc/server_cert.h"

bool certificate_needed(const struct config *cfg)
{
    char unused[256];

    return config_listen(cfg, "main.incoming_tcp.CTIS", unused, sizeof(unused));
}

int certificate_load(const struct config *cfg, struct tls_ctx **out, struct buf *why)
{
    int rc = server_cert_load(cfg, out, why);

    if (rc < 0 || *out || !certificate_needed(cfg))
        return rc;
    buf_append_cstr(why, "certfile: is missing, but main.incoming_tcp.CTIS is on: name the PEM "
                         "file of a certificate and its chain, and its key as keyfile, or "
                         "switch CTIS off");
    return -EINVAL;
}
