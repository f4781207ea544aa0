/* chitchat: a line of text for another user. */
#include "internal.h"

static const char *const required[] = {"to", "text", NULL};
CTI_MESSAGE(chitchat, .class = "chitchat", .required = required, .permission = true,
            .handle = relay);
