/* What entries of directories are called by those who keep them, for favorites. */
#ifndef CTIBUS_STATE_DIRECTORY_IDENTITY_H
#define CTIBUS_STATE_DIRECTORY_IDENTITY_H

#include "catalog.h"

#define ENTRY_ID 129        /* with the NUL */
#define ENTRY_ID_WRITTEN 64 /* bytes of one that an entry has itself */

/* "internal" for users, else the name of the directory in the configuration. */
struct view directory_source(const struct directory *dir);

/* The id of an entry within its source, the same after a restart: of a user the id,
 * of another site SITE/ID; else what the
 * field `id` of the directory gives, or the column `id`; where that is missing or longer than 64
 * bytes, a hash of the whole entry, which becomes another when anything in the entry does. */
struct view directory_entry_id(const struct directory *dir, const struct entry *e,
                               char out[ENTRY_ID]);

#endif
