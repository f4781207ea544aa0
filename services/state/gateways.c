/* Several ami-gw may be there for one Asterisk: a second one as a reserve, one that was started by
 * mistake, or the new process while the old one is not known to be gone yet. */
#include <stdio.h>

#include "base/clock.h"
#include "core/resync.h"
#include "database/db.h"
#include "gateways.h"

#define STANDBY_MS 5000

static struct gateway_entry *entry_of(struct ipbx *ipbx, const struct bus_peer *p)
{
    for (size_t i = 0; i < ipbx->n_entries; i++)
        if (ipbx->entries[i].peer == p)
            return &ipbx->entries[i];
    return NULL;
}

/* The latest registration stands last. */
static struct gateway_entry *entry_make(struct ipbx *ipbx, struct bus_peer *p)
{
    struct gateway_entry *e = entry_of(ipbx, p);

    if (e || ipbx->n_entries == MAX_GATEWAYS)
        return e;
    e = &ipbx->entries[ipbx->n_entries++];
    *e = (struct gateway_entry){.peer = p};
    return e;
}

static struct gateway_entry *last_logged_in(struct ipbx *ipbx)
{
    for (size_t i = ipbx->n_entries; i-- > 0;)
        if (ipbx->entries[i].login)
            return &ipbx->entries[i];
    return NULL;
}

/* One that is logged in, whenever there is one. `candidate` has just logged in, or is NULL. */
static struct gateway_entry *choose(struct ipbx *ipbx, struct gateway_entry *candidate)
{
    struct gateway_entry *owner = entry_of(ipbx, ipbx->gateway);

    if (candidate && candidate->login)
        return candidate;
    if (owner && owner->login)
        return owner;
    if (last_logged_in(ipbx))
        return last_logged_in(ipbx);
    return owner || ipbx->n_entries == 0 ? owner : &ipbx->entries[ipbx->n_entries - 1];
}

static void stand_by(struct state *s, const struct ipbx *ipbx, struct bus_peer *former,
                     const struct gateway_entry *owner)
{
    log_warning(s->log, "%s: ami-gw %.*s takes over, %.*s stands by: two are connected to it",
                xod_ipbx_name(ipbx->model->ipbx).ptr, VIEW_ARG(bus_peer_instance(owner->peer)),
                VIEW_ARG(bus_peer_instance(former)));
    bus_server_ask(s->server, former, METHOD_ami_standby, 0, view_of(NULL, 0), STANDBY_MS, NULL,
                   NULL);
}

/* For the next start: whether this Asterisk is waited for. */
static void note_connected(struct state *s, struct ipbx *ipbx, bool connected)
{
    const char *sql = connected ? "INSERT INTO connected (site) VALUES (?1) ON CONFLICT DO NOTHING"
                                : "DELETE FROM connected WHERE site = ?1";

    db_write(s->db, sql, "s", xod_ipbx_name(ipbx->model->ipbx));
}

static void link_up(struct state *s, struct ipbx *ipbx, const struct gateway_entry *owner)
{
    ipbx_model_link_up(ipbx->model, view_cstr(owner->banner), clock_wall());
    resync_ask(s, ipbx);
}

/* Makes the chosen one the owner. */
static void settle(struct state *s, struct ipbx *ipbx, const struct gateway_entry *owner,
                   bool synthetic)
{
    struct bus_peer *former = ipbx->gateway;
    const struct gateway_entry *old = entry_of(ipbx, former);
    uint64_t login = owner ? owner->login : 0;
    bool other = owner && owner->peer != former;
    bool relist = login && (other || login != ipbx->login);
    bool was_up = ipbx->login != 0;

    if (other && login && old && old->login)
        stand_by(s, ipbx, former, owner);
    ipbx->gateway = owner ? owner->peer : NULL;
    ipbx->login = login;
    ipbx->epoch = owner ? owner->epoch : 0;
    if (relist)
        link_up(s, ipbx, owner);
    else if (!login)
        ipbx_model_link_down(ipbx->model, clock_wall());
    if (was_up != (login != 0))
        note_connected(s, ipbx, login != 0);
    if (login)
        ipbx->expected = false; /* from now on its login says so */
    state_commit(s, synthetic);
}

void gateways_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct ipbx *ipbx = state_ipbx(s, msg_get_str(body, "ipbx"));
    struct gateway_entry *e = ipbx ? entry_make(ipbx, p) : NULL;
    uint64_t login = msg_get_u64(body, "login", 0);
    struct view banner = msg_get_str(body, "banner");
    bool fresh;

    if (!e) {
        if (ipbx)
            log_warning(s->log, "%s: ami-gw %.*s is refused: %d are there already",
                        xod_ipbx_name(ipbx->model->ipbx).ptr, VIEW_ARG(bus_peer_instance(p)),
                        MAX_GATEWAYS);
        state_reply(s, p, id, ipbx ? BUS_busy : BUS_not_found);
        return;
    }
    /* One that stands by has a login that was seen before, if not by this process. */
    fresh = login && login != e->login &&
            !(msg_get_bool(body, "standby", false) && last_logged_in(ipbx));
    e->login = login;
    e->epoch = msg_get_u64(body, "epoch", 0);
    snprintf(e->banner, sizeof(e->banner), "%.*s", banner.len > 63 ? 63 : (int)banner.len,
             banner.ptr ? banner.ptr : "");
    state_reply(s, p, id, BUS_ok);
    settle(s, ipbx, choose(ipbx, fresh ? e : NULL), false);
}

static void forget(struct ipbx *ipbx, struct gateway_entry *e)
{
    size_t i = (size_t)(e - ipbx->entries);

    memmove(e, e + 1, (ipbx->n_entries - i - 1) * sizeof(*e));
    ipbx->n_entries--;
}

void gateways_peer_gone(struct state *s, struct bus_peer *p)
{
    for (size_t i = 0; i < s->n_ipbxes; i++) {
        struct ipbx *ipbx = &s->ipbxes[i];
        struct gateway_entry *e = entry_of(ipbx, p);
        bool owned = ipbx->gateway == p;
        if (!e)
            continue;
        forget(ipbx, e);
        if (!owned)
            continue;
        ipbx->gateway = NULL;
        settle(s, ipbx, choose(ipbx, NULL), true);
    }
}

static bool take_expected(void *arg, const struct db_row *row)
{
    struct ipbx *ipbx = state_ipbx(arg, db_text(row, 0));

    if (ipbx)
        ipbx->expected = true;
    return true;
}

int gateways_recall(struct state *s)
{
    return db_read_now(s->db, "SELECT site FROM connected", take_expected, s, "");
}

bool gateways_all_back(const struct state *s)
{
    for (size_t i = 0; i < s->n_ipbxes; i++) {
        const struct ipbx *ipbx = &s->ipbxes[i];
        if ((ipbx->expected || ipbx->login) && !ipbx->model->resynced)
            return false;
    }
    return true;
}

bool gateways_is_owner(const struct ipbx *ipbx, const struct bus_msg *m)
{
    return ipbx->epoch == 0 || m->epoch == ipbx->epoch;
}

void gateways_watch(struct state *s)
{
    uint64_t now = clock_mono_us();

    for (size_t i = 0; i < s->n_ipbxes; i++) {
        struct ipbx *ipbx = &s->ipbxes[i];
        if (!ipbx->login || ipbx->model->resynced || now - ipbx->asked_at < s->resync_late_us)
            continue;
        log_warning(s->log, "%s: the resync has not ended within %u s: asking for another",
                    xod_ipbx_name(ipbx->model->ipbx).ptr, (unsigned)(s->resync_late_us / 1000000));
        metric_add(s->resyncs_late, 1);
        resync_ask(s, ipbx);
    }
}
