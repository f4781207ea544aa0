/* Where the rights of a manager user are given. */
#include "discover/internal.h"

/* Any thing of a kind with this context? */
static bool any(const struct discovery *d, enum found kind, struct view context)
{
    json_object_object_foreach(d->found[kind], key, thing)
    {
        (void)key;
        if (view_eq(discover_text(thing, "context"), context))
            return true;
    }
    return false;
}

bool discovery_is_freepbx(const struct discovery *d)
{
    return d->from_queue || any(d, FOUND_HINTS, VIEW("ext-local")) ||
           any(d, FOUND_DEVICES, VIEW("from-internal"));
}

const struct discovery_manager *discovery_manager(bool is_freepbx)
{
    static const struct discovery_manager both[] = {
        {"manager.conf", "asterisk -rx \"manager reload\""},
        {"FreePBX, Settings, Asterisk Manager Users (or manager_custom.conf: FreePBX writes the "
         "others anew)",
         "Apply Config (or asterisk -rx \"manager reload\")"},
    };

    return &both[is_freepbx];
}
