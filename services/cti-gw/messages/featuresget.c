/* featuresget: the user's services and forwards. */
#include "internal.h"

CTI_MESSAGE(featuresget, .class = "featuresget", .permission = true, .handle = relay,
            .doc = "`userfeatures`: services and forwards");
