#include "core/context.h"

#include "base/clock.h"
#include "core/publisher.h"

/* How often the models are told that time goes by, while one of them has to know. */
#define TICK_MS 1000

static bool ticks_wanted(const struct state *s)
{
    for (size_t i = 0; i < s->n_ipbxes; i++)
        if (ipbx_model_wants_tick(s->ipbxes[i].model))
            return true;
    return false;
}

void state_tick(void *arg)
{
    struct state *s = arg;

    for (size_t i = 0; i < s->n_ipbxes; i++)
        if (ipbx_model_wants_tick(s->ipbxes[i].model))
            ipbx_model_tick(s->ipbxes[i].model, clock_wall());
    state_commit(s, true);
    if (!ticks_wanted(s))
        loop_timer_stop(s->tick_timer);
}

uint64_t state_commit(struct state *s, bool synthetic)
{
    publisher_commit(s->publisher, s->xod, synthetic, s->heard_at);
    if (s->tick_timer && !loop_timer_running(s->tick_timer) && ticks_wanted(s))
        loop_timer_start(s->tick_timer, TICK_MS, true);
    return publisher_seq(s->publisher);
}

void state_reply(struct state *s, struct bus_peer *p, uint64_t id, enum bus_status status)
{
    bus_server_reply(s->server, p, id, status, view_of(NULL, 0));
}
