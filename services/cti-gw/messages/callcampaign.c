/* callcampaign: numbers to be called one after another. */
#include "internal.h"

static const char *const required[] = {"command", NULL};
CTI_MESSAGE(callcampaign, .class = "callcampaign", .required = required, .permission = true,
            .handle = relay,
            .doc = "`[fetchlist]`, `[startcall, EXTEN]`, `[stopcall, EXTEN]`: `payload` with "
                   "`command` and `list` or `number`");
