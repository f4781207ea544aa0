/* Several ami-gw may be there for one Asterisk: a second one as a reserve, one that was started by
 * mistake, or the new process while the old one is not known to be gone yet. */
#include <stdio.h>

#include "base/clock.h"
#include "core/context.h"
#include "core/ipbx.h"
#include "core/resync.h"
#include "gateways.h"

#define STANDBY_MS 5000

static struct gateway_entry *entry_of(struct site *site, const struct bus_peer *p)
{
    for (size_t i = 0; i < site->n_entries; i++)
        if (site->entries[i].peer == p)
            return &site->entries[i];
    return NULL;
}

/* The latest registration stands last. */
static struct gateway_entry *entry_make(struct site *site, struct bus_peer *p)
{
    struct gateway_entry *e = entry_of(site, p);

    if (e || site->n_entries == MAX_GATEWAYS)
        return e;
    e = &site->entries[site->n_entries++];
    *e = (struct gateway_entry){.peer = p};
    return e;
}

static struct gateway_entry *last_logged_in(struct site *site)
{
    for (size_t i = site->n_entries; i-- > 0;)
        if (site->entries[i].login)
            return &site->entries[i];
    return NULL;
}

/* One that is logged in, whenever there is one. `candidate` has just logged in, or is NULL. */
static struct gateway_entry *choose(struct site *site, struct gateway_entry *candidate)
{
    struct gateway_entry *owner = entry_of(site, site->gateway);

    if (candidate && candidate->login)
        return candidate;
    if (owner && owner->login)
        return owner;
    if (last_logged_in(site))
        return last_logged_in(site);
    return owner || site->n_entries == 0 ? owner : &site->entries[site->n_entries - 1];
}

static void stand_by(struct state *s, const struct site *site, struct bus_peer *former,
                     const struct gateway_entry *owner)
{
    log_warning(s->log, "%s: ami-gw %.*s takes over, %.*s stands by: two are connected to it",
                xod_site_name(site->domain->site).ptr, VIEW_ARG(bus_peer_instance(owner->peer)),
                VIEW_ARG(bus_peer_instance(former)));
    bus_server_ask(s->server, former, METHOD_ami_standby, 0, view_of(NULL, 0), STANDBY_MS, NULL,
                   NULL);
}

static void link_up(struct state *s, struct site *site, const struct gateway_entry *owner)
{
    domain_link_up(site->domain, view_cstr(owner->banner), clock_wall());
    resync_ask(s, site);
}

/* Makes the chosen one the owner. */
static void settle(struct state *s, struct site *site, const struct gateway_entry *owner,
                   bool synthetic)
{
    struct bus_peer *former = site->gateway;
    const struct gateway_entry *old = entry_of(site, former);
    uint64_t login = owner ? owner->login : 0;
    bool other = owner && owner->peer != former;
    bool relist = login && (other || login != site->login);

    if (other && login && old && old->login)
        stand_by(s, site, former, owner);
    site->gateway = owner ? owner->peer : NULL;
    site->login = login;
    site->epoch = owner ? owner->epoch : 0;
    if (relist)
        link_up(s, site, owner);
    else if (!login)
        domain_link_down(site->domain, clock_wall());
    state_commit(s, synthetic);
}

void gateways_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct site *site = state_site(s, msg_get_str(body, "ipbx"));
    struct gateway_entry *e = site ? entry_make(site, p) : NULL;
    uint64_t login = msg_get_u64(body, "login", 0);
    struct view banner = msg_get_str(body, "banner");
    bool fresh;

    if (!e) {
        if (site)
            log_warning(s->log, "%s: ami-gw %.*s is refused: %d are there already",
                        xod_site_name(site->domain->site).ptr, VIEW_ARG(bus_peer_instance(p)),
                        MAX_GATEWAYS);
        state_reply(s, p, id, site ? BUS_busy : BUS_not_found);
        return;
    }
    /* One that stands by has a login that was seen before, if not by this process. */
    fresh = login && login != e->login &&
            !(msg_get_bool(body, "standby", false) && last_logged_in(site));
    e->login = login;
    e->epoch = msg_get_u64(body, "epoch", 0);
    snprintf(e->banner, sizeof(e->banner), "%.*s", banner.len > 63 ? 63 : (int)banner.len,
             banner.ptr ? banner.ptr : "");
    state_reply(s, p, id, BUS_ok);
    settle(s, site, choose(site, fresh ? e : NULL), false);
}

static void forget(struct site *site, struct gateway_entry *e)
{
    size_t i = (size_t)(e - site->entries);

    memmove(e, e + 1, (site->n_entries - i - 1) * sizeof(*e));
    site->n_entries--;
}

void gateways_peer_gone(struct state *s, struct bus_peer *p)
{
    for (size_t i = 0; i < s->n_sites; i++) {
        struct site *site = &s->sites[i];
        struct gateway_entry *e = entry_of(site, p);
        bool owned = site->gateway == p;
        if (!e)
            continue;
        forget(site, e);
        if (!owned)
            continue;
        site->gateway = NULL;
        settle(s, site, choose(site, NULL), true);
    }
}

bool gateways_is_owner(const struct site *site, const struct bus_msg *m)
{
    return site->epoch == 0 || m->epoch == site->epoch;
}

void gateways_watch(struct state *s)
{
    uint64_t now = clock_mono_us();

    for (size_t i = 0; i < s->n_sites; i++) {
        struct site *site = &s->sites[i];
        if (!site->login || site->domain->resynced || now - site->asked_at < s->resync_late_us)
            continue;
        log_warning(s->log, "%s: the resync has not ended within %u s: asking for another",
                    xod_site_name(site->domain->site).ptr, (unsigned)(s->resync_late_us / 1000000));
        metric_add(s->resyncs_late, 1);
        resync_ask(s, site);
    }
}
