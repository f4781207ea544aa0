#include "core/ipbx.h"

#include "core/context.h"

struct site *state_site(struct state *s, struct view name)
{
    for (size_t i = 0; i < s->n_sites; i++)
        if (view_eq(xod_site_name(s->sites[i].domain->site), name))
            return &s->sites[i];
    return NULL;
}

struct bus_peer *state_gateway(struct state *s, const struct xod_site *x)
{
    struct site *site = state_site(s, xod_site_name(x));

    return site && site->login ? site->gateway : NULL;
}
