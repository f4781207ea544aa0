#include "gauges.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"

struct gauge {
    const struct ipbx *link;
    const struct xod_ipbx *ipbx;
    const char *availability; /* of the agents that are meant */
    struct metric *metric;
};

struct gauges {
    struct metrics *metrics;
    size_t n;
    struct gauge all[];
};

static const char *const availabilities[] = {"available", "unavailable", "on_call", "logged_out"};
#define N_AVAILABILITIES ARRAY_SIZE(availabilities)
#define N_EACH (5 + N_AVAILABILITIES)

static double link_is_up(void *arg)
{
    return ((const struct gauge *)arg)->link->login != 0;
}

static double resync_age(void *arg)
{
    const struct ipbx *ipbx = ((const struct gauge *)arg)->link;

    if (!ipbx->login || ipbx->model->resynced)
        return 0;
    return (double)(clock_mono_us() - ipbx->asked_at) / 1e6;
}

static double count_unknown_phones(void *arg)
{
    return (double)((const struct gauge *)arg)->link->model->unknown.n;
}

static double count_channels(void *arg)
{
    const struct gauge *g = arg;

    return (double)xod_count(g->ipbx, LIST_channels);
}

static double count_callers(void *arg)
{
    const struct gauge *g = arg;
    const struct xod_obj *channel;
    size_t pos = 0;
    double n = 0;

    while ((channel = xod_next(g->ipbx, LIST_channels, &pos)))
        n += xod_get(channel, XOD(channels, waiting_since))->type != V_NULL;
    return n;
}

/* That of a call is told by its kind (on_call_nonacd_incoming_internal...): one is enough here. */
static double count_agents(void *arg)
{
    const struct gauge *g = arg;
    const struct xod_obj *agent;
    size_t pos = 0;
    double n = 0;

    while ((agent = xod_next(g->ipbx, LIST_agents, &pos)))
        n += view_starts(xod_get_str(agent, XOD(agents, availability)), view_cstr(g->availability));
    return n;
}

static bool add(struct gauges *gs, const struct ipbx *link, const char *availability,
                enum metric_id id, metric_fn *fn)
{
    struct gauge *g = &gs->all[gs->n++];
    const char *ipbx = xod_ipbx_name(link->model->ipbx).ptr;

    *g = (struct gauge){.link = link, .ipbx = link->model->ipbx, .availability = availability};
    g->metric = metrics_callback(
        gs->metrics, id, availability ? METRIC_VALUES(ipbx, availability) : METRIC_VALUES(ipbx), fn,
        g);
    return g->metric;
}

static bool add_site(struct gauges *gs, const struct ipbx *ipbx)
{
    bool good = add(gs, ipbx, NULL, METRIC_state_link_up, link_is_up) &&
                add(gs, ipbx, NULL, METRIC_state_resync_seconds, resync_age) &&
                add(gs, ipbx, NULL, METRIC_state_phones_unknown, count_unknown_phones) &&
                add(gs, ipbx, NULL, METRIC_state_channels, count_channels) &&
                add(gs, ipbx, NULL, METRIC_state_queue_callers, count_callers);

    for (size_t i = 0; good && i < N_AVAILABILITIES; i++)
        good = add(gs, ipbx, availabilities[i], METRIC_state_agents, count_agents);
    return good;
}

struct gauges *gauges_new(struct state *s)
{
    struct gauges *g = calloc(1, sizeof(*g) + s->n_ipbxes * N_EACH * sizeof(g->all[0]));
    bool good = g;

    if (!g)
        return NULL;
    g->metrics = s->metrics;
    for (size_t i = 0; good && i < s->n_ipbxes; i++)
        good = add_site(g, &s->ipbxes[i]);
    if (!good)
        gauges_destroy(&g);
    return g;
}

void gauges_destroy(struct gauges **gp)
{
    struct gauges *g = *gp;

    for (size_t i = 0; g && i < g->n; i++)
        metrics_remove(g->metrics, &g->all[i].metric);
    free(g);
    *gp = NULL;
}
