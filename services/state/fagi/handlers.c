/* Scripts that other programs answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/deferred_reply.h"
#include "fagi/parts.h"

#define MAX_HANDLERS 1000
#define DEADLINE_MS 60000 /* the most that is passed on; fagi-gw says how much it has left */

struct handler {
    LIST_ENTRY(handler) all;
    struct bus_peer *peer;
    char script[FAGI_MAX_SCRIPT + 1];
    bool needs;
};

struct fagi_handlers {
    LIST_HEAD(, handler) all; /* the latest first */
    size_t n;
};

struct fagi_handlers *fagi_handlers_new(void)
{
    return calloc(1, sizeof(struct fagi_handlers));
}

static void drop(struct fagi_handlers *h, struct handler *one)
{
    LIST_REMOVE(one, all);
    h->n--;
    free(one);
}

void fagi_handlers_destroy(struct fagi_handlers **h)
{
    if (!h || !*h)
        return;
    while (!LIST_EMPTY(&(*h)->all))
        drop(*h, LIST_FIRST(&(*h)->all));
    free(*h);
    *h = NULL;
}

static bool is_name(const msgpack_object *o)
{
    struct view name = msg_str(o);

    return name.len > 0 && name.len <= FAGI_MAX_SCRIPT && !memchr(name.ptr, '\0', name.len);
}

static int add(struct fagi_handlers *h, struct bus_peer *p, struct view script, bool needs)
{
    struct handler *one;

    if (h->n == MAX_HANDLERS)
        return -ENOBUFS;
    one = calloc(1, sizeof(*one));
    if (!one)
        return -ENOMEM;
    one->peer = p;
    one->needs = needs;
    snprintf(one->script, sizeof(one->script), "%.*s", VIEW_ARG(script));
    LIST_INSERT_HEAD(&h->all, one, all);
    h->n++;
    return 0;
}

int fagi_handlers_add(struct fagi_handlers *h, struct bus_peer *p, const msgpack_object *scripts,
                      bool needs)
{
    int rc = 0;

    if (!scripts || scripts->type != MSGPACK_OBJECT_ARRAY)
        return -EINVAL;
    for (uint32_t i = 0; i < scripts->via.array.size; i++)
        if (!is_name(&scripts->via.array.ptr[i]))
            return -EINVAL;
    fagi_handlers_peer_gone(h, p); /* what it said before */
    for (uint32_t i = 0; rc == 0 && i < scripts->via.array.size; i++)
        rc = add(h, p, msg_str(&scripts->via.array.ptr[i]), needs);
    return rc;
}

void fagi_handlers_peer_gone(struct fagi_handlers *h, const struct bus_peer *p)
{
    struct handler *one, *next;

    LIST_FOREACH_SAFE(one, &h->all, all, next)
    if (one->peer == p)
        drop(h, one);
}

struct bus_peer *fagi_handlers_find(const struct fagi_handlers *h, struct view script, bool *needs)
{
    const struct handler *one;

    LIST_FOREACH(one, &h->all, all)
    {
        if (!view_eq(view_cstr(one->script), script))
            continue;
        *needs = one->needs;
        return one->peer;
    }
    return NULL;
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;
    const msgpack_object *set = body ? msg_get(body, "variables") : NULL;
    struct buf pairs;

    if (status != BUS_ok) {
        deferred_reply_status(&l, status);
        return;
    }
    buf_init(&pairs, 0);
    if (set) {
        msg_put_cstr(&pairs, "variables");
        msg_put_object(&pairs, set);
    }
    deferred_reply_pairs(&l, set ? 1 : 0, &pairs);
    buf_free(&pairs);
}

/* The channel as it is known: all that changes while it lives. */
static void put_known(struct buf *out, const struct fagi_ask *a)
{
    const struct xod_obj *o = xod_find(a->ipbx->model->ipbx, LIST_channels, a->channel);
    const struct schema_list *list = schema_list(LIST_channels);

    msg_put_cstr(out, "known");
    if (!o) {
        msg_put_nil(out);
        return;
    }
    msg_put_map(out, list->n_fields);
    for (unsigned i = 0; i < list->n_fields; i++) {
        msg_put_str(out, list->fields[i].vname);
        value_pack(out, xod_get(o, i));
    }
}

void fagi_handlers_ask(struct bus_peer *p, struct fagi_ask *a)
{
    struct buf pairs;
    size_t n;
    bool sent;

    buf_init(&pairs, 0);
    n = 1 + msg_put_members(&pairs, a->body, (const char *const[]){"deadline_ms", "known", NULL});
    put_known(&pairs, a);
    sent =
        !pairs.failed && bus_server_ask(a->s->server, p, METHOD_fagi_call, n, buf_view(&pairs),
                                        bus_relay_deadline(a->body, DEADLINE_MS), on_answer, a->l);
    buf_free(&pairs);
    if (!sent)
        deferred_reply_status(&a->l, BUS_gone);
}
