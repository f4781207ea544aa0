/* history: the user's calls. */
#include "internal.h"

CTI_MESSAGE(history, .class = "history", .permission = true, .handle = relay,
            .doc = "`history`: the user's calls");
