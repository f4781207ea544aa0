/* availstate: the user's presence; state decides and tells everybody. */
#include "internal.h"

static const char *const required[] = {"availstate", NULL};
CTI_MESSAGE(availstate, .class = "availstate", .required = required, .permission = true,
            .handle = relay,
            .doc = "the user's presence changes, its actions run; `getlist`/`updatestatus` to all "
                   "who see the user");
