#include "core/object_name.h"

#include "base/array.h"

static const struct {
    struct view kind;
    enum xod_list list;
} kinds[] = {
    {VIEW("phone"), LIST_phones},  {VIEW("trunk"), LIST_trunks},
    {VIEW("agent"), LIST_agents},  {VIEW("member"), LIST_queuemembers},
    {VIEW("queue"), LIST_queues},  {VIEW("group"), LIST_groups},
    {VIEW("room"), LIST_meetmes},  {VIEW("voicemail"), LIST_voicemails},
    {VIEW("call"), LIST_calls},    {VIEW("channel"), LIST_channels},
    {VIEW("chan"), LIST_channels}, {VIEW("user"), LIST_users},
};

struct xod_obj *object_named(struct xod *x, struct view name)
{
    struct view kind = view_cut(&name, ':');
    struct view ipbx = view_cut(&name, '/');
    struct xod_ipbx *site = xod_ipbx(x, ipbx, false);

    for (size_t i = 0; site && i < ARRAY_SIZE(kinds); i++)
        if (view_eq(kinds[i].kind, kind))
            return xod_find(site, kinds[i].list, name);
    return NULL;
}
