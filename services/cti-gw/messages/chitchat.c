/* chitchat: a line of text for another user. */
#include "internal.h"

static const char *const required[] = {"to", "text", NULL};
CTI_MESSAGE(chitchat, .class = "chitchat", .required = required, .permission = true,
            .handle = relay,
            .doc = "`chitchat` with `from`, `to`, `text` to every session of that user; "
                   "`warning_string` when nobody is there");
