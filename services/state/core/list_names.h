/* What web interfaces and consoles call the lists that state reads. */
#ifndef CTIBUS_STATE_CORE_LIST_NAMES_H
#define CTIBUS_STATE_CORE_LIST_NAMES_H

#include "base/view.h"

/* "user", "users" or "urllist_users" -> "urllist_users"; NULL: there is no such list. */
const char *list_name_key(struct view name);

#endif
