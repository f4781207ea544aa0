/* directory: people and their numbers by a part of a name; state looks them up. */
#include "internal.h"

static const char *const required[] = {"pattern", NULL};
CTI_MESSAGE(directory, .class = "directory", .required = required, .permission = true,
            .handle = relay, .doc = "`headers`, `resultlist`, `status`");
