/* Who answers which messages, and what gateways are told of that. */
#include "handlers/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/queue.h"
#include "core/notify.h"
#include "handlers/internal.h"

#define MAX_HANDLERS 1000
#define MAX_REQUIRED 16
#define DEADLINE_MS 2000

struct handlers *handlers_new(struct state *s)
{
    struct handlers *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->s = s;
    TAILQ_INIT(&h->all);
    h->unanswered = metrics_add(s->metrics, METRIC_state_messages_unanswered, NULL);
    if (!h->unanswered)
        handlers_destroy(&h);
    return h;
}

static void drop(struct handlers *h, struct handler *one)
{
    TAILQ_REMOVE(&h->all, one, all);
    h->n--;
    free(one->row);
    free(one);
}

void handlers_destroy(struct handlers **hp)
{
    struct handlers *h = *hp;

    if (!h)
        return;
    while (!TAILQ_EMPTY(&h->all))
        drop(h, TAILQ_FIRST(&h->all));
    free(h);
    *hp = NULL;
}

bool handler_is_for(const struct handler *h, const struct xod_ipbx *ipbx, struct view class)
{
    return (!h->worker.ipbx || h->worker.ipbx == ipbx) && view_eq(view_cstr(h->class), class);
}

bool handlers_has(const struct handlers *h, const struct xod_ipbx *ipbx, struct view class,
                  bool *permission)
{
    const struct handler *one;
    bool any = false;

    *permission = false;
    TAILQ_FOREACH(one, &h->all, all)
    {
        if (!handler_is_for(one, ipbx, class))
            continue;
        any = true;
        *permission = *permission || one->permission;
    }
    return any;
}

/* ---- what gateways are told ---- */

static void put_rows(const struct handlers *h, const struct xod_ipbx *ipbx, struct xod_obj *o)
{
    const struct value *rows = xod_get(o, XOD(ipbx, handlers));
    const struct handler *one;

    while (rows->type == V_LIST && rows->len > 0) {
        char *row = view_dup(value_view(&rows->items[rows->len - 1]));
        if (!row || xod_list_del(o, XOD(ipbx, handlers), view_cstr(row)) < 0) {
            free(row);
            return;
        }
        free(row);
        rows = xod_get(o, XOD(ipbx, handlers));
    }
    TAILQ_FOREACH(one, &h->all, all)
    if (!one->worker.ipbx || one->worker.ipbx == ipbx)
        xod_list_add(o, XOD(ipbx, handlers), view_cstr(one->row));
}

static void tell(struct handlers *h)
{
    for (size_t i = 0; i < h->s->n_ipbxes; i++) {
        struct xod_ipbx *ipbx = h->s->ipbxes[i].model->ipbx;
        struct xod_obj *o = xod_find(ipbx, LIST_ipbx, xod_ipbx_name(ipbx));
        if (o)
            put_rows(h, ipbx, o);
    }
    state_commit(h->s, false);
}

/* ---- registering ---- */

static char *make_row(struct view class, bool permission, const msgpack_object *required)
{
    struct buf row;
    char *text;

    buf_init(&row, 4096);
    buf_printf(&row, "%.*s %s", VIEW_ARG(class), permission ? "yes" : "no");
    for (uint32_t i = 0; required && i < required->via.array.size; i++)
        buf_printf(&row, " %.*s", VIEW_ARG(msg_str(&required->via.array.ptr[i])));
    text = row.failed ? NULL : view_dup(buf_view(&row));
    buf_free(&row);
    return text;
}

static void insert(struct handlers *h, struct handler *one)
{
    struct handler *before;

    TAILQ_FOREACH(before, &h->all, all)
    if (before->worker.priority < one->worker.priority)
        break;
    if (before)
        TAILQ_INSERT_BEFORE(before, one, all);
    else
        TAILQ_INSERT_TAIL(&h->all, one, all);
    h->n++;
}

/* What is the same of all classes of one registration. */
struct registration {
    struct worker worker;
    const msgpack_object *classes, *required; /* NULL: none is needed */
    bool permission;
};

static int add(struct handlers *h, const struct registration *r, struct view class)
{
    struct handler *one = h->n < MAX_HANDLERS ? calloc(1, sizeof(*one)) : NULL;

    if (!one)
        return h->n < MAX_HANDLERS ? -ENOMEM : -ENOBUFS;
    one->worker = r->worker;
    one->permission = r->permission;
    snprintf(one->class, sizeof(one->class), "%.*s", VIEW_ARG(class));
    one->row = make_row(class, r->permission, r->required);
    if (!one->row) {
        free(one);
        return -ENOMEM;
    }
    insert(h, one);
    return 0;
}

/* 0; -EINVAL: it is not as the schema says; -EPERM: a class is our own; -ENOENT: no such IPBX. */
static int read_registration(struct state *s, struct bus_peer *p, const msgpack_object *body,
                             struct registration *r, handlers_own_fn *is_own)
{
    int rc = worker_read(&r->worker, s, p, body, DEADLINE_MS);

    r->classes = msg_get(body, "classes");
    r->required = msg_get(body, "required");
    r->permission = msg_get_bool(body, "permission", true);
    if (rc < 0)
        return rc;
    if (!r->classes || !worker_are_words(r->classes, MAX_HANDLERS, HANDLERS_MAX_CLASS) ||
        (r->required && !worker_are_words(r->required, MAX_REQUIRED, 64)))
        return -EINVAL;
    for (uint32_t i = 0; i < r->classes->via.array.size; i++)
        if (is_own(msg_str(&r->classes->via.array.ptr[i])) &&
            !msg_get_bool(body, "override", false))
            return -EPERM;
    return 0;
}

static bool forget(struct handlers *h, const struct bus_peer *p)
{
    struct handler *one, *next;
    bool any = false;

    TAILQ_FOREACH_SAFE(one, &h->all, all, next)
    {
        if (one->worker.peer != p)
            continue;
        drop(h, one);
        any = true;
    }
    return any;
}

void handlers_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body,
                       handlers_own_fn *is_own)
{
    struct registration r;
    int rc = read_registration(s, p, body, &r, is_own);

    if (rc == 0 && !r.worker.more)
        forget(s->handlers, p);
    for (uint32_t i = 0; rc == 0 && i < r.classes->via.array.size; i++)
        rc = add(s->handlers, &r, msg_str(&r.classes->via.array.ptr[i]));
    if (rc != -EINVAL && rc != -EPERM && rc != -ENOENT) /* else nothing has changed */
        tell(s->handlers);
    if (rc == 0)
        log_notice(s->log, "%.*s %.*s answers %u classes of CTI messages",
                   VIEW_ARG(bus_peer_service(p)), VIEW_ARG(bus_peer_instance(p)),
                   r.classes->via.array.size);
    worker_reply(s, p, id, rc);
}

void handlers_peer_gone(struct handlers *h, const struct bus_peer *p)
{
    if (forget(h, p))
        tell(h);
}

bool handlers_knows(const struct handlers *h, const struct bus_peer *p)
{
    const struct handler *one;

    TAILQ_FOREACH(one, &h->all, all)
    if (one->worker.peer == p)
        return true;
    return false;
}
