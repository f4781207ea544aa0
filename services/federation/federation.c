#include "federation.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"
#include "msg/msg.h"
#include "json/json.h"

/* ---- the configuration ---- */

static bool check_key(const struct config *cfg, struct buf *why)
{
    const char *own = config_str(cfg, "ctibus.federation.key");
    char *path = own ? config_path(cfg, view_cstr(own)) : NULL;
    struct bus_keys *keys = NULL;
    char reason[512] = "is needed where there is a peer: ctibus keygen FILE makes one";

    if (path)
        keys = bus_keys_own(path, NULL, reason, sizeof(reason));
    free(path);
    if (!keys)
        buf_printf(why, "ctibus.federation.key: %s", reason);
    bus_keys_destroy(&keys);
    return buf_len(why) == 0;
}

bool fed_check(const struct config *cfg, struct buf *why)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");
    bool native = false;
    bool good = true;

    if (!fed_own_name(cfg)) {
        buf_append_cstr(why, "ipbxes: none has an ipbx_connection, so there is nothing to tell");
        return false;
    }
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        struct json_object *peer = json_get(ipbx, "peer");
        struct view key = json_get_view(peer, "publickey");
        if (!peer || fed_ipbx_is_ours(ipbx))
            continue;
        native = true;
        if (!bus_keys_is_key(key.len ? key.ptr : "")) {
            buf_printf(why, "ipbxes.%s.peer.publickey: is no CURVE key (40 characters)\n", name);
            good = false;
        }
    }
    return (!native || check_key(cfg, why)) && good;
}

/* ---- links ---- */

static int open_link(struct fed *f, const char *name, bool native)
{
    struct fed_link *l = &f->links[f->n_links];
    int err = -ENOMEM;
    struct xod *xod = NULL;

    *l = (struct fed_link){.f = f, .state = "down", .since = clock_wall()};
    l->name = view_dup(view_cstr(name));
    if (!l->name)
        return err;
    f->n_links++;
    l->up = metrics_add(f->metrics, METRIC_federation_up, METRIC_VALUES(name));
    if (!l->up)
        return err;
    if (native)
        l->native = native_new(l, &err);
    else
        l->legacy = legacy_new(l, NULL, &err);
    if (l->native)
        xod = native_xod(l->native);
    else if (l->legacy)
        xod = legacy_xod(l->legacy);
    if (xod)
        l->forward = forward_new(f, l->name, xod);
    return l->forward ? 0 : err < 0 ? err : -ENOMEM;
}

static int open_links(struct fed *f)
{
    int err = 0;

    json_object_object_foreach(config_section(f->cfg, "ipbxes"), name, ipbx)
    {
        bool native = json_get(ipbx, "peer") != NULL;
        if (err < 0 || fed_ipbx_is_ours(ipbx) || (!native && !json_get(ipbx, "cti_connection")))
            continue;
        err = f->n_links < FED_MAX_LINKS ? open_link(f, name, native) : -ENOBUFS;
    }
    return err;
}

static bool any_native(const struct config *cfg)
{
    json_object_object_foreach(config_section(cfg, "ipbxes"), name, ipbx)
    {
        (void)name;
        if (!fed_ipbx_is_ours(ipbx) && json_get(ipbx, "peer"))
            return true;
    }
    return false;
}

/* ---- our state ---- */

static void on_state_up(void *arg, const msgpack_object *body)
{
    struct fed *f = arg;

    log_notice(f->log, "state is there");
    replica_state_up(f->replica);
    for (size_t i = 0; i < f->n_links; i++)
        forward_state_up(f->links[i].forward, strcmp(f->links[i].state, "up") == 0);
}

static void on_state_down(void *arg)
{
    struct fed *f = arg;

    log_warning(f->log, "state is gone: what other sites tell waits for it");
    for (size_t i = 0; i < f->n_links; i++)
        forward_state_down(f->links[i].forward);
}

/* What a user of ours asks of another site. */
static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct fed *f = arg;
    struct fed_link *l = fed_link(f, msg_get_str(body, "ipbx"));
    bool sent = false;

    if (method != METHOD_peer_command) {
        bus_client_reply(f->bus_client, id, BUS_unknown_method, view_of(NULL, 0));
        return;
    }
    if (l && l->native)
        sent = native_ask(l->native, body, id);
    else if (l && l->legacy)
        sent = legacy_ask(l->legacy, body, id);
    if (!sent)
        bus_client_reply(f->bus_client, id, BUS_noconn, view_of(NULL, 0));
}

static const struct bus_client_handler client_handler = {on_state_up, on_state_down, on_request};

static void on_change(void *arg, const struct xod_change *c)
{
    struct fed *f = arg;

    if (f->export)
        export_change(f->export, c);
}

static void on_ready(void *arg)
{
    struct fed *f = arg;

    if (f->peer_server)
        peer_server_ready(f->peer_server);
}

/* cti/IPBX/session/open/: a site of XiVO 1.2 that logs in here can be reached, too. Its ident, or
 * its login, says which. */
static void on_message(void *arg, const struct bus_msg *m)
{
    struct fed *f = arg;

    if (view_find(m->topic, VIEW("/session/open/")) < 0)
        return;
    for (size_t i = 0; i < f->n_links; i++)
        if (f->links[i].legacy)
            legacy_reconnect(f->links[i].legacy);
}

static const struct replica_handler replica_handler = {on_change, on_ready, NULL, on_message};

/* ---- the heartbeat ---- */

static void put_link(struct buf *out, const struct fed_link *l)
{
    msg_put_map(out, 7);
    msg_put_pair(out, "site", view_cstr(l->name));
    msg_put_pair(out, "kind", l->native ? VIEW("ctibus") : VIEW("xivo"));
    msg_put_pair(out, "state", view_cstr(l->state));
    msg_put_cstr(out, "since");
    msg_put_double(out, l->since);
    msg_put_pair_u64(out, "objects", forward_objects(l->forward));
    msg_put_cstr(out, "lag");
    msg_put_double(out, l->lag);
    msg_put_pair_u64(out, "bytes", l->bytes);
}

static size_t beat(void *arg, struct buf *pairs, bool *ready)
{
    struct fed *f = arg;

    *ready = fed_is_ready(f, NULL);
    msg_put_cstr(pairs, "peers");
    msg_put_array(pairs, f->n_links);
    for (size_t i = 0; i < f->n_links; i++)
        put_link(pairs, &f->links[i]);
    return 1;
}

/* ---- lifecycle ---- */

static int open_bus(struct fed *f, const struct fed_options *opt)
{
    int err = -ENOMEM;

    f->pub = bus_pub_new(f->bus, opt->publish, NULL, NULL, &err);
    if (f->pub)
        f->bus_client =
            bus_client_new(f->bus, opt->request, "federation", &client_handler, f, &err);
    if (f->bus_client)
        f->replica = replica_new(f->bus, f->loop, opt->subscribe, f->bus_client, &replica_handler,
                                 f, f->log, &err);
    if (!f->replica)
        return err;
    f->heart = bus_heartbeat_new(f->bus, f->pub, "federation", beat, f);
    if (!f->heart)
        return -ENOMEM;
    return bus_sub_add(replica_sub(f->replica), VIEW("cti/"));
}

static int open_all(struct fed *f, const struct fed_options *opt, struct metrics *metrics)
{
    int err = open_bus(f, opt);

    if (err == 0)
        err = open_links(f);
    if (err < 0 || !any_native(f->cfg))
        return err;
    f->peer_server = peer_server_new(f, opt, metrics, &err);
    if (f->peer_server)
        f->export = export_new(f, peer_server_pub(f->peer_server));
    return f->peer_server && !f->export ? -ENOMEM : err;
}

struct fed *fed_new(struct loop *loop, struct bus *bus, const struct fed_options *opt,
                    const struct config *cfg, struct metrics *metrics, struct log *log, int *err)
{
    struct fed *f = calloc(1, sizeof(*f));

    *err = -ENOMEM;
    if (!f)
        return NULL;
    f->loop = loop;
    f->bus = bus;
    f->cfg = cfg;
    f->log = log;
    f->metrics = metrics;
    *err = open_all(f, opt, metrics);
    if (*err == 0)
        return f;
    fed_destroy(&f);
    return NULL;
}

void fed_destroy(struct fed **fp)
{
    struct fed *f = fp ? *fp : NULL;

    if (!f)
        return;
    *fp = NULL;
    bus_heartbeat_destroy(&f->heart);
    export_destroy(&f->export);
    for (size_t i = 0; i < f->n_links; i++) {
        native_destroy(&f->links[i].native);
        legacy_destroy(&f->links[i].legacy);
        if (f->links[i].forward) /* it would ask again when it hears that nothing is answered */
            forward_state_down(f->links[i].forward);
    }
    replica_destroy(&f->replica);
    bus_client_destroy(
        &f->bus_client); /* requests passed on to state are answered to their peers */
    peer_server_destroy(&f->peer_server);
    bus_pub_destroy(&f->pub);
    for (size_t i = 0; i < f->n_links; i++) {
        forward_destroy(&f->links[i].forward);
        free(f->links[i].name);
    }
    free(f);
}

bool fed_is_ready(const struct fed *f, struct buf *why)
{
    return bus_client_is_ready(f->bus_client, why);
}

const char *fed_endpoint_publish(const struct fed *f)
{
    return f->peer_server ? peer_server_publish(f->peer_server) : NULL;
}

const char *fed_endpoint_request(const struct fed *f)
{
    return f->peer_server ? peer_server_request(f->peer_server) : NULL;
}
