/*
 * The server side for other sites: a forwarder and a request port of our own, with CURVE. The key
 * identifies a peer; the configuration says which site has that key.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"
#include "msg/msg.h"
#include "json/json.h"

#define DEADLINE_MS 5000

struct peer_server {
    struct fed *f;
    struct bus_keys *keys;
    struct bus *bus;
    struct bus_forwarder *forwarder;
    struct bus_pub *pub;
    struct bus_server *server;
    struct snapshots *snapshots;
    struct metrics *metrics; /* of this bus, for itself: its names are those of our own bus */
};

/* A command that is on its way to our state. */
struct passing {
    struct peer_server *server;
    uint64_t id;
    char *instance; /* of the peer that asked: it may be gone by then */
};

/* ---- hello ---- */

/* The peer that a key belongs to. */
static struct fed_link *link_of(struct peer_server *d, const struct bus_peer *p)
{
    for (size_t i = 0; i < d->f->n_links; i++) {
        struct fed_link *l = &d->f->links[i];
        struct view key = json_get_view(fed_peer_config(d->f->cfg, l->name, "peer"), "publickey");
        if (l->native && view_eq(key, bus_peer_key(p)))
            return l;
    }
    return NULL;
}

static bool names(const msgpack_object *list, struct view name)
{
    for (uint32_t i = 0; list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size;
         i++)
        if (view_eq(msg_str(&list->via.array.ptr[i]), name))
            return true;
    return false;
}

/* Why this site cannot be a peer of ours; false: it can. */
static bool is_wrong(struct peer_server *d, const struct fed_link *l, const msgpack_object *body,
                     struct buf *why)
{
    const msgpack_object *sites = msg_get(body, "sites");
    struct view us = msg_get_str(body, "peer");

    for (uint32_t i = 0; sites && sites->type == MSGPACK_OBJECT_ARRAY && i < sites->via.array.size;
         i++) {
        struct view site = msg_str(&sites->via.array.ptr[i]);
        if (fed_is_ours(d->f, site))
            buf_printf(why, "both sites have an ipbx called %.*s: one must be renamed",
                       VIEW_ARG(site));
    }
    if (buf_len(why) == 0 && !names(sites, view_cstr(l->name)))
        buf_printf(why, "that site has no ipbx called %s, as its key is listed for", l->name);
    if (buf_len(why) == 0 && !fed_is_ours(d->f, us))
        buf_printf(why, "there is no ipbx called %.*s here, as it takes us for", VIEW_ARG(us));
    return buf_len(why) > 0;
}

static void refuse(struct peer_server *d, struct bus_peer *p, uint64_t id, const struct buf *why)
{
    struct buf body;

    buf_init(&body, 4096);
    msg_put_map(&body, 1);
    msg_put_pair(&body, "why", buf_view(why));
    bus_server_reply(d->server, p, id, BUS_denied, buf_view(&body));
    buf_free(&body);
}

static void on_hello(struct peer_server *d, struct bus_peer *p, uint64_t id,
                     const msgpack_object *body)
{
    struct fed_link *l = link_of(d, p);
    struct buf why;
    struct buf reply;

    buf_init(&why, 1024);
    buf_init(&reply, 65536);
    if (!l) {
        buf_append_cstr(&why, "the key is nobody's that is known here");
        refuse(d, p, id, &why);
    } else if (is_wrong(d, l, body, &why)) {
        log_error(d->f->log, "site %s is refused: %.*s", l->name, VIEW_ARG(buf_view(&why)));
        bus_peer_set_data(p, NULL);
        refuse(d, p, id, &why);
    } else {
        bus_peer_set_data(p, l);
        msg_put_map(&reply, 3);
        msg_put_cstr(&reply, "sites");
        fed_put_sites(&reply, d->f);
        msg_put_pair_u64(&reply, "schema", FED_SCHEMA);
        msg_put_cstr(&reply, "time");
        msg_put_double(&reply, clock_wall());
        bus_server_reply(d->server, p, id, reply.failed ? BUS_busy : BUS_ok, buf_view(&reply));
    }
    buf_free(&why);
    buf_free(&reply);
}

/* ---- commands ---- */

static struct bus_peer *peer_called(struct peer_server *d, const char *instance)
{
    struct bus_peer *p;
    size_t pos = 0;

    while ((p = bus_server_next(d->server, &pos)))
        if (view_eq(bus_peer_instance(p), view_cstr(instance)))
            return p;
    return NULL;
}

static void on_done(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct passing *c = arg;
    struct bus_peer *p = peer_called(c->server, c->instance);

    if (p)
        bus_server_relay(c->server->server, p, c->id, status, body);
    free(c->instance);
    free(c);
}

/* Forwards the body; overwrites `site` with the peer whose key was authenticated. */
static size_t put_command(struct buf *out, const struct fed_link *l, const msgpack_object *body)
{
    msg_put_pair(out, "site", view_cstr(l->name));
    return 1 + msg_put_members(out, body, (const char *const[]){"site", "deadline_ms", NULL});
}

static void on_command(struct peer_server *d, struct bus_peer *p, uint64_t id,
                       const msgpack_object *body)
{
    struct passing *c = calloc(1, sizeof(*c));
    struct buf pairs;
    size_t n;
    bool sent = false;

    buf_init(&pairs, 1 << 20);
    n = put_command(&pairs, bus_peer_data(p), body);
    if (c) {
        c->server = d;
        c->id = id;
        c->instance = view_dup(bus_peer_instance(p));
        sent = c->instance && !pairs.failed &&
               bus_ask(d->f->bus_client, METHOD_peer_command, n, buf_view(&pairs), DEADLINE_MS,
                       on_done, c);
    }
    buf_free(&pairs);
    if (sent)
        return;
    if (c)
        free(c->instance);
    free(c);
    bus_server_reply(d->server, p, id, BUS_noconn, view_of(NULL, 0));
}

static void on_request(void *arg, struct bus_peer *p, uint64_t id, enum bus_method method,
                       const msgpack_object *body)
{
    struct peer_server *d = arg;

    if (method == METHOD_peer_hello)
        on_hello(d, p, id, body);
    else if (!bus_peer_data(p))
        bus_server_reply(d->server, p, id, BUS_denied, view_of(NULL, 0));
    else if (method == METHOD_snapshot)
        snapshots_ask(d->snapshots, p, id, body);
    else if (method == METHOD_peer_command)
        on_command(d, p, id, body);
    else
        bus_server_reply(d->server, p, id, BUS_unknown_method, view_of(NULL, 0));
}

static void on_peer_gone(void *arg, struct bus_peer *p)
{
    snapshots_peer_gone(((struct peer_server *)arg)->snapshots, p);
}

static const struct bus_server_handler handler = {on_request, NULL, on_peer_gone};

/* ---- snapshots ---- */

static uint64_t published(void *arg)
{
    return bus_pub_seq(((struct peer_server *)arg)->pub, VIEW("xod"));
}

static bool is_ready(void *arg)
{
    return replica_is_ready(((struct peer_server *)arg)->f->replica, NULL);
}

static bool sees(void *arg, const struct xod_obj *o)
{
    return export_shows(o);
}

static uint64_t fields(const struct xod_obj *o)
{
    return schema_peer_mask(xod_obj_list(o));
}

static const struct snapshot_source source = {published, is_ready, sees, fields};

void peer_server_ready(struct peer_server *d)
{
    snapshots_settled(d->snapshots);
}

/* ---- lifecycle ---- */

/* Our pair, and the keys of the peers. */
static int load_keys(struct peer_server *d)
{
    const char *own = config_str(d->f->cfg, "ctibus.federation.key");
    char *path = own ? config_path(d->f->cfg, view_cstr(own)) : NULL;
    char why[512] = "ctibus.federation.key is needed where there is a peer";

    if (path)
        d->keys = bus_keys_own(path, NULL, why, sizeof(why));
    free(path);
    if (!d->keys) {
        log_error(d->f->log, "%s", why);
        return -EINVAL;
    }
    for (size_t i = 0; i < d->f->n_links; i++) {
        struct view key =
            json_get_view(fed_peer_config(d->f->cfg, d->f->links[i].name, "peer"), "publickey");
        int rc = key.len ? bus_keys_allow(d->keys, key.ptr, ROLE_PEER) : 0;
        if (rc < 0 && rc != -EEXIST) {
            log_error(d->f->log, "ipbxes.%s.peer.publickey is no key", d->f->links[i].name);
            return -EINVAL;
        }
    }
    return 0;
}

static int open_all(struct peer_server *d, const struct fed_options *opt)
{
    const struct config *cfg = d->f->cfg;
    struct bus_options bus = {.source = bus_source(d->f->bus),
                              .instance = opt->instance,
                              .hwm = (int)config_int(cfg, "ctibus.bus.hwm"),
                              .subscriber_hwm = (int)config_int(cfg, "ctibus.bus.subscriber_hwm"),
                              .heartbeat_ms = (int)config_int(cfg, "ctibus.bus.heartbeat_ms"),
                              .keys = d->keys};
    int err = -ENOMEM;

    d->metrics = metrics_new();
    if (d->metrics)
        d->bus = bus_new(d->f->loop, &bus, d->metrics, d->f->log);
    if (!d->bus)
        return err;
    d->forwarder =
        bus_forwarder_new(d->bus, "tcp://127.0.0.1:0", config_str(cfg, "ctibus.federation.publish"),
                          opt->trusted, &err);
    if (d->forwarder)
        d->pub = bus_pub_new(d->bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    if (d->pub)
        d->server =
            bus_server_new(d->bus, config_str(cfg, "ctibus.federation.request"), opt->trusted,
                           fed_own_name(d->f->cfg), &handler, d, d->pub, &err);
    return d->server ? 0 : err;
}

struct peer_server *peer_server_new(struct fed *f, const struct fed_options *opt,
                                    struct metrics *metrics, int *err)
{
    struct peer_server *d = calloc(1, sizeof(*d));

    *err = -ENOMEM;
    if (!d)
        return NULL;
    d->f = f;
    *err = load_keys(d);
    if (*err == 0)
        *err = open_all(d, opt);
    if (*err == 0) {
        d->snapshots = snapshots_new(f->loop, d->server, replica_xod(f->replica), &source, d);
        *err = d->snapshots ? 0 : -ENOMEM;
    }
    if (*err < 0)
        peer_server_destroy(&d);
    return d;
}

void peer_server_destroy(struct peer_server **dp)
{
    struct peer_server *d = dp ? *dp : NULL;

    if (!d)
        return;
    *dp = NULL;
    bus_server_destroy(&d->server);
    snapshots_destroy(&d->snapshots);
    bus_pub_destroy(&d->pub);
    bus_forwarder_destroy(&d->forwarder);
    bus_destroy(&d->bus);
    bus_keys_destroy(&d->keys);
    metrics_destroy(&d->metrics);
    free(d);
}

struct bus_pub *peer_server_pub(struct peer_server *d)
{
    return d->pub;
}

const char *peer_server_publish(const struct peer_server *d)
{
    return bus_forwarder_subscribe(d->forwarder);
}

const char *peer_server_request(const struct peer_server *d)
{
    return bus_server_endpoint(d->server);
}
