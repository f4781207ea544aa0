#include "core/ipbx.h"

#include "core/context.h"

struct ipbx *state_ipbx(struct state *s, struct view name)
{
    for (size_t i = 0; i < s->n_ipbxes; i++)
        if (view_eq(xod_ipbx_name(s->ipbxes[i].model->ipbx), name))
            return &s->ipbxes[i];
    return NULL;
}

struct bus_peer *state_gateway(struct state *s, const struct xod_ipbx *x)
{
    struct ipbx *ipbx = state_ipbx(s, xod_ipbx_name(x));

    return ipbx && ipbx->login ? ipbx->gateway : NULL;
}
