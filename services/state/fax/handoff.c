/*
 * Faxes that are to come over a second connection of their client, for as long as it is not known
 * to which gateway that comes. One gateway expects it, another may have it: what they must know of
 * each other is passed on here.
 */
#include "fax/handoff.h"

#include <stdlib.h>

#include "base/clock.h"
#include "core/deferred_reply.h"
#include "sessions/sessions.h"

#define MAX_COMING 1000
#define MAX_ID 32
#define CLAIM_US 20000000u   /* the gateways give up sooner */
#define ARRIVE_US 900000000u /* likewise */
#define TELL_MS 5000

struct coming {
    LIST_ENTRY(coming) all;
    struct bus_peer *owner;   /* the gateway that expects it */
    struct bus_peer *claimer; /* the gateway that receives it, once known */
    struct netaddr address;
    uint16_t port;
    uint64_t since; /* monotonic us */
    char id[MAX_ID];
};

struct fax_handoffs {
    struct state *s;
    LIST_HEAD(, coming) list;
    size_t n;
};

struct fax_handoffs *fax_handoffs_new(struct state *s)
{
    struct fax_handoffs *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->s = s;
    LIST_INIT(&f->list);
    return f;
}

static void forget(struct fax_handoffs *f, struct coming *c)
{
    LIST_REMOVE(c, all);
    f->n--;
    free(c);
}

void fax_handoffs_destroy(struct fax_handoffs **fp)
{
    struct fax_handoffs *f = fp ? *fp : NULL;
    struct coming *c;

    if (!f)
        return;
    while ((c = LIST_FIRST(&f->list)))
        forget(f, c);
    free(f);
    *fp = NULL;
}

static struct coming *find(struct fax_handoffs *f, struct view id)
{
    struct coming *c;

    LIST_FOREACH(c, &f->list, all)
    if (view_eq(view_cstr(c->id), id))
        return c;
    return NULL;
}

static void forget_old(struct fax_handoffs *f)
{
    struct coming *c, *next;
    uint64_t now = clock_mono_us();

    LIST_FOREACH_SAFE(c, &f->list, all, next)
    if (now - c->since > (c->claimer ? ARRIVE_US : CLAIM_US))
        forget(f, c);
}

/* ---- the expecting gateway ---- */

static enum bus_status expect(struct fax_handoffs *f, struct bus_peer *p,
                              const msgpack_object *body)
{
    const struct session *se = session_find(f->s->sessions, msg_get_str(body, "session"));
    struct view id = msg_get_str(body, "fileid");
    struct coming *c;

    if (!se || se->gateway != p)
        return BUS_not_found;
    if (id.len == 0 || id.len >= MAX_ID || memchr(id.ptr, '\0', id.len) || find(f, id))
        return BUS_malformed;
    c = f->n < MAX_COMING ? calloc(1, sizeof(*c)) : NULL;
    if (!c)
        return BUS_busy;
    if (netaddr_parse_port(msg_get_str(body, "address"), &c->address, &c->port) < 0) {
        free(c);
        return BUS_malformed;
    }
    c->owner = p;
    c->since = clock_mono_us();
    memcpy(c->id, id.ptr, id.len);
    LIST_INSERT_HEAD(&f->list, c, all);
    f->n++;
    return BUS_ok;
}

void fax_expect(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    forget_old(s->fax_handoffs);
    state_reply(s, p, id, expect(s->fax_handoffs, p, body));
}

/* ---- the receiving gateway ---- */

/* The only one that is expected from there, or NULL: none is, or several are. */
static struct coming *only_one(struct fax_handoffs *f, const struct netaddr *address, uint16_t port)
{
    struct coming *c, *only = NULL;

    LIST_FOREACH(c, &f->list, all)
    {
        if (c->claimer || !netaddr_eq(&c->address, address) || c->port != port)
            continue;
        if (only)
            return NULL;
        only = c;
    }
    return only;
}

static void tell(struct fax_handoffs *f, const struct coming *c, enum bus_method method,
                 const char *reason)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "fileid", view_cstr(c->id));
    msg_put_pair(&pairs, "reason", view_cstr(reason));
    if (!pairs.failed)
        bus_server_ask(f->s->server, c->owner, method, 2, buf_view(&pairs), TELL_MS, NULL, NULL);
    buf_free(&pairs);
}

void fax_claim(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct fax_handoffs *f = s->fax_handoffs;
    struct view named = msg_get_str(body, "fileid");
    struct coming *c = NULL;
    struct netaddr address;
    struct buf reply;
    uint16_t port;

    forget_old(f);
    if (named.len) /* only its session and its gateway know it */
        c = find(f, named);
    else if (netaddr_parse_port(msg_get_str(body, "address"), &address, &port) == 0 && port)
        c = only_one(f, &address, port);
    if (!c || c->claimer) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    c->claimer = p;
    c->since = clock_mono_us();
    if (c->owner != p)
        tell(f, c, METHOD_fax_claimed, "");
    buf_init(&reply, 0);
    msg_put_map(&reply, 1);
    msg_put_pair(&reply, "fileid", view_cstr(c->id));
    bus_server_reply(s->server, p, id, BUS_ok, buf_view(&reply));
    buf_free(&reply);
    if (c->owner == p) /* it has all that it needs */
        forget(f, c);
}

/* ---- when it is there ---- */

static void on_told(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;

    deferred_reply_status(&l, status == BUS_ok ? BUS_ok : BUS_not_found);
}

void fax_arrived(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct coming *c = find(s->fax_handoffs, msg_get_str(body, "fileid"));
    struct deferred_reply *l;
    struct buf pairs;

    if (c && c->owner == p) { /* it has come to where it was expected, or will not come */
        forget(s->fax_handoffs, c);
        state_reply(s, p, id, BUS_ok);
        return;
    }
    if (!c || c->claimer != p) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    l = deferred_reply_new(s, p, id);
    if (!l)
        return;
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "fileid", view_cstr(c->id));
    msg_put_pair(&pairs, "reason", msg_get_str(body, "reason"));
    if (pairs.failed || !bus_server_ask(s->server, c->owner, METHOD_fax_arrived, 2,
                                        buf_view(&pairs), TELL_MS, on_told, l))
        deferred_reply_status(&l, BUS_not_found);
    buf_free(&pairs);
    forget(s->fax_handoffs, c);
}

void fax_handoffs_peer_gone(struct fax_handoffs *f, const struct bus_peer *p)
{
    struct coming *c, *next;

    LIST_FOREACH_SAFE(c, &f->list, all, next)
    {
        if (c->claimer == p && c->owner != p)
            tell(f, c, METHOD_fax_arrived, "filenotfound");
        if (c->owner == p || c->claimer == p)
            forget(f, c);
    }
}
