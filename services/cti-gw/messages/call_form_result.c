/* call_form_result, in 2012 actionfiche: the form of a sheet was filled in. */
#include "internal.h"

static const char *const required[] = {"infos", NULL};
CTI_MESSAGE(call_form_result, .class = "call_form_result", .required = required, .permission = true,
            .handle = relay, .doc = "kept in the log of what clients did");
CTI_MESSAGE(actionfiche, .class = "actionfiche", .required = required, .permission = true,
            .handle = relay, .doc = "the same, as the clients of 2012 call it");
