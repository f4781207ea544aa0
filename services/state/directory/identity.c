#include "identity.h"

#include <inttypes.h>
#include <stdio.h>

#include "sources.h"
#include "table.h"

struct view directory_source(const struct directory *dir)
{
    return dir->kind == DIRECTORY_INTERNAL ? VIEW("internal") : view_cstr(dir->name);
}

static struct view written_id(const struct directory *dir, const struct entry *e, char scratch[32])
{
    struct view id;

    if (dir->kind == DIRECTORY_INTERNAL)
        return xod_obj_id(internal_user(e));
    id = directory_field(dir, e, VIEW("id"), scratch);
    return id.len ? id : e->get(e, VIEW("id"), scratch);
}

struct view directory_entry_id(const struct directory *dir, const struct entry *e,
                               char out[ENTRY_ID])
{
    char scratch[32];
    struct view id = written_id(dir, e, scratch);

    if (dir->kind == DIRECTORY_INTERNAL || (id.len > 0 && id.len < ENTRY_ID))
        snprintf(out, ENTRY_ID, "%.*s", VIEW_ARG(id));
    else
        snprintf(out, ENTRY_ID, "%016" PRIx64, table_entry_hash(e));
    return view_cstr(out);
}
