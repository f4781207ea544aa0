#include "identity.h"

#include <inttypes.h>
#include <stdio.h>

#include "sources.h"
#include "table.h"

struct view directory_source(const struct directory *dir)
{
    return dir->kind == DIRECTORY_INTERNAL ? VIEW("internal") : view_cstr(dir->name);
}

/* Users of other sites are found, too, and may have the same ids. */
static void put_user_id(const struct xod_obj *user, char out[ENTRY_ID])
{
    const struct xod_ipbx *ipbx = xod_obj_ipbx(user);

    if (internal_is_remote(ipbx))
        snprintf(out, ENTRY_ID, "%.*s/%.*s", VIEW_ARG(xod_ipbx_name(ipbx)),
                 VIEW_ARG(xod_obj_id(user)));
    else
        snprintf(out, ENTRY_ID, "%.*s", VIEW_ARG(xod_obj_id(user)));
}

static struct view written_id(const struct directory *dir, const struct entry *e, char scratch[32])
{
    struct view id = directory_field(dir, e, VIEW("id"), scratch);

    return id.len ? id : e->get(e, VIEW("id"), scratch);
}

struct view directory_entry_id(const struct directory *dir, const struct entry *e,
                               char out[ENTRY_ID])
{
    char scratch[32];
    struct view id;

    if (dir->kind == DIRECTORY_INTERNAL) {
        put_user_id(internal_user(e), out);
        return view_cstr(out);
    }
    id = written_id(dir, e, scratch);
    if (id.len > 0 && id.len <= ENTRY_ID_WRITTEN)
        snprintf(out, ENTRY_ID, "%.*s", VIEW_ARG(id));
    else
        snprintf(out, ENTRY_ID, "%016" PRIx64, table_entry_hash(e));
    return view_cstr(out);
}
