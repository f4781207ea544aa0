/* The certificate that clients are shown: `certfile` and `keyfile` of the configuration. */
#ifndef CTIBUS_SVC_SERVER_CERT_H
#define CTIBUS_SVC_SERVER_CERT_H

#include "base/buf.h"
#include "config/config.h"
#include "net/tls.h"

/* Reads its files. 0 and *out, which is NULL when none is named; or a negative errno, and `why` has
 * the key, the file and what is wrong. */
int server_cert_load(const struct config *cfg, struct tls_ctx **out, struct buf *why);

#endif
