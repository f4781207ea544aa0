/* Relates users to their lines, agents and mailboxes. */
#include <stdlib.h>

#include "users/relations.h"

struct line {
    struct xod_obj *phone;
    long order;
};

static int by_order(const void *a, const void *b)
{
    long x = ((const struct line *)a)->order;
    long y = ((const struct line *)b)->order;

    return (x > y) - (x < y);
}

static void untie_users(struct xod_obj *phone)
{
    struct xod_obj *user;

    while ((user = xod_related(phone, LIST_users, 0)))
        xod_unrelate(user, phone);
}

/* Puts the phones, in the order of their rules, on the linelists of their users. */
static void link_lines(struct xod_ipbx *ipbx)
{
    struct line *lines = calloc(xod_count(ipbx, LIST_phones) + 1, sizeof(*lines));
    struct xod_obj *o;
    size_t pos = 0;
    size_t n = 0;

    if (!lines)
        return;
    for (; (o = xod_next(ipbx, LIST_phones, &pos)); n++) {
        char scratch[32];
        struct view order = value_text(xod_get(o, XOD(phones, rules_order)), scratch);
        int64_t number = 0;
        view_to_i64(order, &number);
        lines[n] = (struct line){o, (long)number};
        untie_users(o);
    }
    qsort(lines, n, sizeof(*lines), by_order);
    for (pos = 0; (o = xod_next(ipbx, LIST_users, &pos));) {
        struct value empty = {.type = V_LIST};
        xod_set(o, XOD(users, linelist), &empty);
    }
    for (size_t i = 0; i < n; i++) {
        char scratch[32];
        struct xod_obj *user =
            xod_find(ipbx, LIST_users,
                     value_text(xod_get(lines[i].phone, XOD(phones, iduserfeatures)), scratch));
        if (!user)
            continue;
        xod_relate(user, lines[i].phone);
        xod_list_add(user, XOD(users, linelist), xod_obj_id(lines[i].phone));
    }
    free(lines);
}

/* The object of `list` that a field of the user names. */
static void link_named(struct xod_obj *user, unsigned field, enum xod_list list)
{
    char scratch[32];
    struct xod_obj *named =
        xod_find(xod_obj_ipbx(user), list, value_text(xod_get(user, field), scratch));
    struct xod_obj *before;

    while ((before = xod_related(user, list, 0)))
        xod_unrelate(user, before);
    if (named)
        xod_relate(user, named);
}

void relations_link(struct xod_ipbx *ipbx)
{
    struct xod_obj *user;

    link_lines(ipbx);
    for (size_t pos = 0; (user = xod_next(ipbx, LIST_users, &pos));) {
        link_named(user, XOD(users, agentid), LIST_agents);
        link_named(user, XOD(users, voicemailid), LIST_voicemails);
    }
}

struct xod_obj *relations_agent(const struct xod_obj *user)
{
    return xod_related(user, LIST_agents, 0);
}

struct xod_obj *relations_line(const struct xod_obj *user)
{
    const struct value *lines = xod_get(user, XOD(users, linelist));

    return lines->type == V_LIST && lines->len
               ? xod_find(xod_obj_ipbx(user), LIST_phones, value_view(&lines->items[0]))
               : NULL;
}

struct xod_obj *relations_user(const struct xod_obj *o)
{
    return xod_related(o, LIST_users, 0);
}

struct view relations_context(const struct xod_obj *user, char scratch[32])
{
    const struct xod_obj *phone = relations_line(user);

    return phone ? value_text(xod_get(phone, XOD(phones, context)), scratch) : view_of(NULL, 0);
}

const struct xod_obj *relations_named(struct state *s, struct view name)
{
    struct view id = name;
    struct view ipbx = view_cut(&id, '/');
    struct ipbx *named = id.len ? state_ipbx(s, ipbx) : NULL;
    const struct xod_obj *user = NULL;

    if (named)
        return xod_find(named->model->ipbx, LIST_users, id);
    for (size_t n = 0; !user && n < s->n_ipbxes; n++)
        user = xod_lookup(s->ipbxes[n].model->ipbx, LIST_users, XOD(users, loginclient), name, 0);
    for (size_t n = 0; !user && n < s->n_ipbxes; n++)
        user = xod_find(s->ipbxes[n].model->ipbx, LIST_users, name);
    return user;
}
