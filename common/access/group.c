/* Groups of users: whose phones or agents are members of a common ring group, or who have a group
 * of the lists in common. */
#include "access/access.h"

/* Calls fn for the user of each phone, and the user who is the agent, of a ring group. */
static void members(const struct xod_obj *group, access_user_fn *fn, void *arg)
{
    const struct value *phones = xod_get(group, XOD(groups, phonemembers));
    const struct value *agents = xod_get(group, XOD(groups, agentmembers));
    struct xod_ipbx *ipbx = xod_obj_ipbx(group);
    struct xod_obj *user;
    char scratch[32];

    for (uint32_t i = 0; phones->type == V_LIST && i < phones->len; i++) {
        const struct xod_obj *phone = xod_find(ipbx, LIST_phones, value_view(&phones->items[i]));
        user = phone ? xod_find(ipbx, LIST_users,
                                value_text(xod_get(phone, XOD(phones, iduserfeatures)), scratch))
                     : NULL;
        if (user)
            fn(arg, user);
    }
    for (size_t pos = 0; agents->len && (user = xod_next(ipbx, LIST_users, &pos));)
        if (value_list_has(agents, value_text(xod_get(user, XOD(users, agentid)), scratch)))
            fn(arg, user);
}

static void groups_of(const struct xod_obj *who, unsigned field, access_user_fn *fn, void *arg)
{
    const struct value *groups = xod_get(who, field);

    for (uint32_t i = 0; groups->type == V_LIST && i < groups->len; i++) {
        const struct xod_obj *group =
            xod_find(xod_obj_ipbx(who), LIST_groups, value_view(&groups->items[i]));
        if (group)
            members(group, fn, arg);
    }
}

/* The next name of "Sales; Support" into *name; false: there are no more. */
static bool next_name(struct view *names, struct view *name)
{
    do {
        size_t n = 0;
        while (n < names->len && names->ptr[n] != ';' && names->ptr[n] != ',')
            n++;
        *name = view_trim(view_of(names->ptr, n));
        n += n < names->len;
        *names = view_of(names->ptr + n, names->len - n);
    } while (name->len == 0 && names->len > 0);
    return name->len > 0;
}

static bool have_one_in_common(struct view a, struct view b)
{
    struct view one, other;

    while (next_name(&a, &one))
        for (struct view rest = b; next_name(&rest, &other);)
            if (view_ieq(one, other))
                return true;
    return false;
}

static void named_groups(const struct xod_obj *user, access_user_fn *fn, void *arg)
{
    char scratch[32], others[32];
    struct view names = value_text(xod_get(user, XOD(users, groups)), scratch);
    struct xod_obj *other;

    for (size_t pos = 0; names.len && (other = xod_next(xod_obj_ipbx(user), LIST_users, &pos));)
        if (have_one_in_common(names, value_text(xod_get(other, XOD(users, groups)), others)))
            fn(arg, other);
}

void access_group(const struct xod_obj *user, access_user_fn *fn, void *arg)
{
    const struct value *lines = xod_get(user, XOD(users, linelist));
    struct xod_ipbx *ipbx = xod_obj_ipbx(user);
    const struct xod_obj *agent;
    char scratch[32];

    for (uint32_t i = 0; lines->type == V_LIST && i < lines->len; i++) {
        const struct xod_obj *phone = xod_find(ipbx, LIST_phones, value_view(&lines->items[i]));
        if (phone)
            groups_of(phone, XOD(phones, groups), fn, arg);
    }
    agent = xod_find(ipbx, LIST_agents, value_text(xod_get(user, XOD(users, agentid)), scratch));
    if (agent)
        groups_of(agent, XOD(agents, groups), fn, arg);
    named_groups(user, fn, arg);
}
