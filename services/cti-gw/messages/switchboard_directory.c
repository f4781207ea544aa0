/* The directory of the switchboard of 2015: one result for each number of a person. */
#include "internal.h"

static const char *const pattern[] = {"pattern", NULL};

CTI_MESSAGE(switchboard_headers, .class = "get_switchboard_directory_headers", .permission = true,
            .handle = relay, .answer = "directory_headers",
            .doc = "`directory_headers`: `headers`, each a title and a type");
CTI_MESSAGE(switchboard_search, .class = "switchboard_directory_search", .required = pattern,
            .permission = true, .handle = relay, .answer = "directory_search_result",
            .doc = "`directory_search_result`: `results`, each a `name` and a `number`");
