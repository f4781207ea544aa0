/* availstate: the user's presence; state decides and tells everybody. */
#include "internal.h"

static const char *const required[] = {"availstate", NULL};
CTI_MESSAGE(availstate, .class = "availstate", .required = required, .permission = true,
            .handle = relay);
