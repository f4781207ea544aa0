#include "fagi/fagi.h"

#include <errno.h>
#include <stdlib.h>

#include "core/deferred_reply.h"
#include "fagi/parts.h"
#include "users/feature_keys.h"

struct fagi {
    struct state *s;
    struct fagi_presence *presence;
    struct fagi_handlers *handlers;
    struct fagi_await *await;
};

/* ---- scripts ---- */

static void ask_handler(struct fagi *f, struct fagi_ask *a)
{
    bool needs;
    struct bus_peer *p = fagi_handlers_find(f->handlers, a->script, &needs);

    if (p)
        fagi_handlers_ask(p, a);
    else
        deferred_reply_status(&a->l, BUS_not_found);
}

/* One that waited for its channel: its handler may have gone meanwhile. */
static void on_known(void *arg, struct fagi_ask *a)
{
    ask_handler(arg, a);
}

/* None of our own needs the channel: what they say comes from the environment. */
static void run(struct fagi *f, struct fagi_ask *a)
{
    bool needs = false;

    if (view_eq(a->script, VIEW("presence")))
        fagi_presence(f->presence, a);
    else if (view_eq(a->script, VIEW("callerid_extend")))
        fagi_callerid_extend(a);
    else if (view_eq(a->script, VIEW("callerid_forphones")))
        fagi_callerid_forphones(a);
    else if (view_eq(a->script, VIEW("features")) && feature_way(a->s, a->ipbx->model->ipbx, "agi"))
        fagi_features(a);
    else if (fagi_handlers_find(f->handlers, a->script, &needs) && needs &&
             !xod_find(a->ipbx->model->ipbx, LIST_channels, a->channel))
        fagi_await_add(f->await, a);
    else
        ask_handler(f, a);
}

void fagi_call(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct fagi_ask a = {.s = s,
                         .ipbx = state_ipbx(s, msg_get_str(body, "ipbx")),
                         .script = msg_get_str(body, "script"),
                         .channel = msg_get_str(body, "channel"),
                         .body = body};

    if (!a.ipbx) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    a.l = deferred_reply_new(s, p, id);
    if (a.l)
        run(s->fagi, &a);
}

void fagi_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    int rc = fagi_handlers_add(s->fagi->handlers, p, msg_get(body, "scripts"),
                               msg_get_bool(body, "channel", false));

    if (rc == 0)
        log_notice(s->log, "%.*s %.*s answers scripts of the dialplan",
                   VIEW_ARG(bus_peer_service(p)), VIEW_ARG(bus_peer_instance(p)));
    state_reply(s, p, id, rc == 0 ? BUS_ok : rc == -EINVAL ? BUS_malformed : BUS_busy);
}

void fagi_peer_gone(struct fagi *f, const struct bus_peer *p)
{
    fagi_handlers_peer_gone(f->handlers, p);
}

void fagi_event(struct fagi *f, const struct xod_ipbx *ipbx, const struct tel *t)
{
    fagi_await_event(f->await, ipbx, t);
}

void fagi_reload(struct fagi *f)
{
    fagi_presence_forget(f->presence);
}

/* ---- lifecycle ---- */

struct fagi *fagi_new(struct state *s)
{
    struct fagi *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->s = s;
    f->presence = fagi_presence_new();
    f->handlers = fagi_handlers_new();
    f->await = fagi_await_new(s, on_known, f);
    if (!f->presence || !f->handlers || !f->await)
        fagi_destroy(&f);
    return f;
}

void fagi_destroy(struct fagi **fp)
{
    struct fagi *f = fp ? *fp : NULL;

    if (!f)
        return;
    *fp = NULL;
    fagi_presence_destroy(&f->presence);
    fagi_handlers_destroy(&f->handlers);
    fagi_await_destroy(&f->await);
    free(f);
}
