/* "HOST:PORT" and "[V6]:PORT", as listeners and the configuration write addresses. */
#ifndef CTIBUS_BASE_HOSTPORT_H
#define CTIBUS_BASE_HOSTPORT_H

#include "base/view.h"

/* Splits `addr`; *host (without brackets, "*" becomes empty) points into it. An empty host means
 * all addresses. 0, or -EINVAL when it is not of that form. The host is not looked up. */
int hostport_split(struct view addr, struct view *host, uint16_t *port);

#endif
