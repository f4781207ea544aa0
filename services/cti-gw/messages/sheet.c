/* sheet: what a user does with a sheet on the screen, for the others who have it. */
#include "internal.h"

static const char *const required[] = {"function", NULL};
CTI_MESSAGE(sheet, .class = "sheet", .required = required, .permission = true, .handle = relay,
            .doc = "`addentry`, `getownership`, `loseownership`: told to all who were sent the "
                   "sheet of that channel");
