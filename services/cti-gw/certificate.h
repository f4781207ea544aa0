/* The certificate that clients are shown, as the configuration names it. */
#ifndef CTIBUS_CTI_GW_CERTIFICATE_H
#define CTIBUS_CTI_GW_CERTIFICATE_H

#include "base/buf.h"
#include "config/config.h"
#include "net/tls.h"

/* Reads the files of `certfile` and `keyfile`. 0 and *out, which is NULL when none is named and
 * none needed (main.incoming_tcp.CTIS is off); or a negative errno, and `why` has the key, the file
 * and what is wrong. */
int certificate_load(const struct config *cfg, struct tls_ctx **out, struct buf *why);
/* Is there a port that cannot be without? */
bool certificate_needed(const struct config *cfg);

#endif
