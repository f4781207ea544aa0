/* Members of queues and groups under the ids of the clients of 2012: qa:QUEUE-AGENT and the like.
 * In xod they are called INTERFACE,QUEUE. */
#include <stdio.h>

#include "base/array.h"
#include "internal.h"

static const struct {
    struct view prefix;
    enum xod_list of, who;
    unsigned name; /* of the queue or group */
} forms[] = {
    {VIEW("qa:"), LIST_queues, LIST_agents, XOD(queues, name)},
    {VIEW("qp:"), LIST_queues, LIST_phones, XOD(queues, name)},
    {VIEW("ga:"), LIST_groups, LIST_agents, XOD(groups, name)},
    {VIEW("gp:"), LIST_groups, LIST_phones, XOD(groups, name)},
};
#define N_FORMS ARRAY_SIZE(forms)

bool is_legacy_member_id(struct view id)
{
    for (size_t i = 0; i < N_FORMS; i++)
        if (view_starts(id, forms[i].prefix))
            return true;
    return false;
}

/* What members are called that are this agent or phone. */
static int interface_of(const struct xod_obj *who, char out[256])
{
    char scratch[32];

    if (xod_obj_list(who) == LIST_phones)
        return snprintf(out, 256, "%.*s", VIEW_ARG(xod_get_str(who, XOD(phones, identity))));
    return snprintf(out, 256, "Agent/%.*s",
                    VIEW_ARG(value_text(xod_get(who, XOD(agents, number)), scratch)));
}

/* Asterisk may spell a device otherwise than the list of phones does. */
static struct xod_obj *find_member(const struct xod_ipbx *ipbx, struct view interface,
                                   struct view queue)
{
    struct xod_obj *m;

    for (size_t n = 0;
         (m = xod_lookup(ipbx, LIST_queuemembers, XOD(queuemembers, queue_name), queue, n)); n++)
        if (view_ieq(xod_get_str(m, XOD(queuemembers, interface)), interface))
            return m;
    return NULL;
}

struct xod_obj *member_of_legacy_id(const struct xod_ipbx *ipbx, struct view id)
{
    for (size_t i = 0; i < N_FORMS; i++) {
        struct view who = view_of(id.ptr + 3, id.len > 3 ? id.len - 3 : 0);
        char interface[256], scratch[32];
        const struct xod_obj *queue, *member;
        if (!view_starts(id, forms[i].prefix))
            continue;
        queue = xod_find(ipbx, forms[i].of, view_cut(&who, '-'));
        member = xod_find(ipbx, forms[i].who, who);
        if (!queue || !member || interface_of(member, interface) >= (int)sizeof(interface))
            return NULL;
        return find_member(ipbx, view_cstr(interface),
                           value_text(xod_get(queue, forms[i].name), scratch));
    }
    return NULL;
}

bool put_legacy_member_id(struct buf *out, const struct xod_obj *member)
{
    struct xod_ipbx *ipbx = xod_obj_ipbx(member);
    struct view interface = xod_get_str(member, XOD(queuemembers, interface));
    struct view name = xod_get_str(member, XOD(queuemembers, queue_name));
    bool agent = interface.len > 6 && view_ieq(view_of(interface.ptr, 6), VIEW("Agent/"));
    struct xod_obj *queue = xod_lookup(ipbx, LIST_queues, XOD(queues, name), name, 0);
    struct xod_obj *group =
        queue ? queue : xod_lookup(ipbx, LIST_groups, XOD(groups, name), name, 0);
    struct xod_obj *who = agent
                              ? xod_lookup(ipbx, LIST_agents, XOD(agents, number),
                                           view_of(interface.ptr + 6, interface.len - 6), 0)
                              : xod_lookup(ipbx, LIST_phones, XOD(phones, identity), interface, 0);

    if (!group || !who)
        return false;
    buf_printf(out, "%c%c:%.*s-%.*s", queue ? 'q' : 'g', agent ? 'a' : 'p',
               VIEW_ARG(xod_obj_id(group)), VIEW_ARG(xod_obj_id(who)));
    return true;
}
