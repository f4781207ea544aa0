/* Local channels: two halves, ...;1 that is talked to and ...;2 that goes on calling. */
#include <stdlib.h>

#include "model/model.h"

bool local_is_half(struct view channel)
{
    return view_starts(channel, VIEW("Local/")) && channel.len > 2 &&
           channel.ptr[channel.len - 2] == ';';
}

struct xod_obj *local_other_half(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct view id = xod_obj_id(channel);
    struct xod_obj *other;
    char *name;

    if (!local_is_half(id))
        return NULL;
    name = view_dup(id);
    if (!name)
        return NULL;
    name[id.len - 1] = id.ptr[id.len - 1] == '1' ? '2' : '1';
    other = xod_find(d->ipbx, LIST_channels, view_cstr(name));
    free(name);
    return other;
}
