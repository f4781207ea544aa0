/* featuresput: changes a service or a forward; all see it when it is kept. */
#include "internal.h"

static const char *const required[] = {"function", "value", NULL};
CTI_MESSAGE(featuresput, .class = "featuresput", .required = required, .permission = true,
            .handle = relay, .doc = "`status`; `getlist`/`updateconfig` to all who see the user");
