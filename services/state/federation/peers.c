#include "federation/peers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "core/context.h"
#include "replica/wire.h"
#include "json/json.h"

#define MAX_OBJECTS 500000 /* of one site */

struct peer {
    struct xod_ipbx *site;
    struct bus_peer *gateway; /* its federation, or NULL */
    bool up;                  /* the link to it */
    bool wanted;              /* the configuration has it */
    struct map *named;        /* while all of it is being told: what was, by "LIST ID"; or NULL */
};

struct peers {
    struct state *s;
    struct peer list[MAX_IPBXES];
    size_t n;
};

struct peers *peers_new(struct state *s)
{
    struct peers *p = calloc(1, sizeof(*p));

    if (p)
        p->s = s;
    return p;
}

static void forget_named(struct peer *peer)
{
    map_destroy_with(&peer->named, free);
}

void peers_destroy(struct peers **pp)
{
    struct peers *p = pp ? *pp : NULL;

    if (!p)
        return;
    *pp = NULL;
    for (size_t i = 0; i < p->n; i++)
        forget_named(&p->list[i]);
    free(p);
}

/* ---- which there are ---- */

static struct peer *find(const struct peers *p, struct view name)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].wanted && view_eq(xod_ipbx_name(p->list[i].site), name))
            return (struct peer *)&p->list[i];
    return NULL;
}

bool peers_all_there(const struct peers *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].wanted && (!p->list[i].gateway || p->list[i].named))
            return false;
    return true;
}

struct xod_ipbx *peers_site(const struct peers *p, struct view name)
{
    const struct peer *peer = find(p, name);

    return peer ? peer->site : NULL;
}

struct bus_peer *peers_gateway(const struct peers *p, const struct xod_ipbx *site)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].site == site)
            return p->list[i].up ? p->list[i].gateway : NULL;
    return NULL;
}

static int want(struct peers *p, struct view name)
{
    struct xod_ipbx *site = xod_ipbx(p->s->xod, name, true);
    struct xod_obj *o = site ? xod_add(site, LIST_ipbx, name) : NULL;

    if (!o)
        return -ENOMEM;
    xod_set_bool(o, XOD(ipbx, remote), true);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].site == site) {
            p->list[i].wanted = true;
            return 0;
        }
    if (p->n == MAX_IPBXES)
        return -ENOMEM;
    xod_set_float(o, XOD(ipbx, since), clock_wall());
    p->list[p->n++] = (struct peer){.site = site, .wanted = true};
    return 0;
}

static void drop_all(struct xod_ipbx *site)
{
    struct xod_obj *o;

    for (int list = 0; list < LIST_COUNT; list++)
        for (size_t pos = 0; (o = xod_next(site, (enum xod_list)list, &pos));)
            xod_del(o);
}

int peers_load(struct peers *p)
{
    struct json_object *ipbxes = config_section(p->s->cfg, "ipbxes");
    int rc = 0;

    for (size_t i = 0; i < p->n; i++)
        p->list[i].wanted = false;
    if (ipbxes) {
        json_object_object_foreach(ipbxes, name, ipbx)
        {
            if (rc == 0 && !json_get(ipbx, "ipbx_connection") &&
                (json_get(ipbx, "peer") || json_get(ipbx, "cti_connection")))
                rc = want(p, view_cstr(name));
        }
    }
    for (size_t i = 0; i < p->n; i++)
        if (!p->list[i].wanted)
            drop_all(p->list[i].site);
    return rc;
}

/* ---- the link ---- */

static void set_link(struct peers *p, struct peer *peer, bool up)
{
    struct xod_obj *o = xod_find(peer->site, LIST_ipbx, xod_ipbx_name(peer->site));

    if (peer->up != up)
        log_notice(p->s->log, "site %.*s is %s", VIEW_ARG(xod_ipbx_name(peer->site)),
                   up ? "there" : "not reached: what is known of it may be old");
    peer->up = up;
    if (!o || view_eq(xod_get_str(o, XOD(ipbx, link)), up ? VIEW("up") : VIEW("down")))
        return;
    xod_set_str(o, XOD(ipbx, link), up ? VIEW("up") : VIEW("down"));
    xod_set_float(o, XOD(ipbx, since), clock_wall());
}

void peers_register(struct state *s, struct bus_peer *from, uint64_t id, const msgpack_object *body)
{
    struct peer *peer = find(s->peers, msg_get_str(body, "ipbx"));

    if (!peer) {
        state_reply(s, from, id, BUS_not_found);
        return;
    }
    peer->gateway = from;
    set_link(s->peers, peer, view_eq(msg_get_str(body, "link"), VIEW("up")));
    state_commit(s, true);
    state_reply(s, from, id, BUS_ok);
}

void peers_gone(struct peers *p, const struct bus_peer *from)
{
    for (size_t i = 0; i < p->n; i++) {
        struct peer *peer = &p->list[i];
        if (peer->gateway != from)
            continue;
        peer->gateway = NULL;
        forget_named(peer);
        set_link(p, peer, false);
    }
    state_commit(p->s, true);
}

/* ---- objects ---- */

static void note(struct peer *peer, enum xod_list list, struct view id)
{
    struct buf key;
    char *copy;

    buf_init(&key, 4096);
    buf_printf(&key, "%d ", (int)list);
    buf_append_view(&key, id);
    copy = key.failed || map_get(peer->named, buf_view(&key)) ? NULL : view_dup(buf_view(&key));
    if (copy && map_put(peer->named, view_of(copy, buf_len(&key)), copy) < 0)
        free(copy);
    buf_free(&key);
}

static bool was_named(const struct peer *peer, enum xod_list list, struct view id)
{
    struct buf key;
    bool named;

    buf_init(&key, 4096);
    buf_printf(&key, "%d ", (int)list);
    buf_append_view(&key, id);
    named = map_get(peer->named, buf_view(&key)) != NULL;
    buf_free(&key);
    return named;
}

/* All has been told: the rest is gone there. */
static void sweep(struct peer *peer)
{
    struct xod_obj *o;

    for (int list = 0; list < LIST_COUNT; list++)
        for (size_t pos = 0; (o = xod_next(peer->site, (enum xod_list)list, &pos));)
            if (list != LIST_ipbx && !was_named(peer, (enum xod_list)list, xod_obj_id(o)))
                xod_del(o);
    forget_named(peer);
}

static size_t count_all(const struct xod_ipbx *site)
{
    size_t n = 0;

    for (int list = 0; list < LIST_COUNT; list++)
        n += xod_count(site, (enum xod_list)list);
    return n;
}

/* [list, id, {op, fields}] */
static void apply_one(struct state *s, struct peer *peer, const msgpack_object *change)
{
    const msgpack_object *a = change->via.array.ptr;
    struct wire_change c = {.ipbx = xod_ipbx_name(peer->site)};
    int list;

    if (change->type != MSGPACK_OBJECT_ARRAY || change->via.array.size != 3 ||
        a[2].type != MSGPACK_OBJECT_MAP)
        return;
    list = schema_list_find(msg_str(&a[0]));
    c.id = msg_str(&a[1]);
    if (list < 0 || list == LIST_ipbx || c.id.len == 0 || c.id.len > 256 ||
        memchr(c.id.ptr, '\0', c.id.len)) /* clients could not be told of it */
        return;
    c.list_no = (enum xod_list)list;
    wire_apply(s->xod, &c, &a[2]);
    if (peer->named)
        note(peer, c.list_no, c.id);
}

void peers_apply(struct state *s, struct bus_peer *from, uint64_t id, const msgpack_object *body)
{
    struct peer *peer = find(s->peers, msg_get_str(body, "ipbx"));
    const msgpack_object *changes = msg_get(body, "changes");
    struct view whole = msg_get_str(body, "whole");

    if (!peer || peer->gateway != from) {
        state_reply(s, from, id, BUS_not_found);
        return;
    }
    if (!changes || changes->type != MSGPACK_OBJECT_ARRAY ||
        count_all(peer->site) + changes->via.array.size > MAX_OBJECTS) {
        state_reply(s, from, id, BUS_malformed);
        return;
    }
    if (view_eq(whole, VIEW("first"))) {
        forget_named(peer);
        peer->named = map_new();
    }
    for (uint32_t i = 0; i < changes->via.array.size; i++)
        apply_one(s, peer, &changes->via.array.ptr[i]);
    if (view_eq(whole, VIEW("last")) && peer->named)
        sweep(peer);
    state_commit(s, true);
    state_reply(s, from, id, BUS_ok);
}
