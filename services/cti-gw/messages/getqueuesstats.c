/* getqueuesstats: sums over what happened in queues lately; state keeps it. */
#include "internal.h"

static const char *const required[] = {"on", NULL};
CTI_MESSAGE(getqueuesstats, .class = "getqueuesstats", .required = required, .permission = true,
            .handle = relay, .doc = "`stats` over the last `window` seconds");
