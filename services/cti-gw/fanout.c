/*
 * Fan-out: a change is encoded once and its bytes are shared by all who may see it. What happens in
 * one turn of the loop is gathered and leaves as one block.
 *
 * An audience is all clients that see the same objects: those of one set of contexts that are told
 * of the same lists. Without context separation there is one of each of the latter.
 */
#include <errno.h>
#include <stdlib.h>

#include "access/access.h"
#include "internal.h"

#define MAX_GATHERED ((size_t)1 << 20)

struct audience {
    LIST_ENTRY(audience) all;
    struct client_list clients;
    size_t n;
    struct access sees;
    bool calls; /* is told of the list calls */
    struct buf gathered;
};

struct fanout {
    struct gateway *g;
    LIST_HEAD(, audience) audiences;
    struct loop_task *task;
    struct buf line;
};

static void run(void *arg)
{
    fanout_flush(arg);
}

struct fanout *fanout_new(struct gateway *g)
{
    struct fanout *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->g = g;
    LIST_INIT(&f->audiences);
    buf_init(&f->line, 0);
    f->task = loop_task_new(g->loop, run, f);
    if (!f->task)
        fanout_destroy(&f);
    return f;
}

static void audience_free(struct audience *a)
{
    LIST_REMOVE(a, all);
    buf_free(&a->gathered);
    access_fini(&a->sees);
    free(a);
}

void fanout_destroy(struct fanout **f)
{
    struct audience *a;

    if (!f || !*f)
        return;
    while ((a = LIST_FIRST(&(*f)->audiences)))
        audience_free(a);
    loop_task_destroy(&(*f)->task);
    buf_free(&(*f)->line);
    free(*f);
    *f = NULL;
}

static struct audience *audience_for(struct fanout *f, const struct client *c)
{
    const struct xod_obj *user = client_user(c);
    bool calls = c->accepts & ACCEPTS_CALLS;
    struct audience *a;
    struct access sees;

    if (access_init(&sees, user, f->g->opt.limits.separate_contexts) < 0)
        return NULL;
    LIST_FOREACH(a, &f->audiences, all)
    if (a->calls == calls && access_eq(&a->sees, &sees)) {
        access_fini(&sees);
        return a;
    }
    a = calloc(1, sizeof(*a));
    if (!a) {
        access_fini(&sees);
        return NULL;
    }
    a->sees = sees;
    a->calls = calls;
    LIST_INIT(&a->clients);
    buf_init(&a->gathered, 0);
    LIST_INSERT_HEAD(&f->audiences, a, all);
    return a;
}

/* Clients of XiVO know no list ipbx and no calls: they may ask for them, and are not told. */
static bool is_told(const struct audience *a, int list)
{
    return list != LIST_ipbx && (list != LIST_calls || a->calls);
}

bool fanout_visible(struct fanout *f, struct client *c, const struct xod_obj *o)
{
    return c->audience ? access_sees(&c->audience->sees, o) : !f->g->opt.limits.separate_contexts;
}

/* ---- members ---- */

int fanout_join(struct fanout *f, struct client *c)
{
    struct audience *a;

    fanout_flush(f); /* what happened before is not for the new one */
    a = audience_for(f, c);
    if (!a)
        return -ENOMEM;
    c->audience = a;
    LIST_INSERT_HEAD(&a->clients, c, of_audience);
    a->n++;
    return 0;
}

void fanout_leave(struct fanout *f, struct client *c)
{
    struct audience *a = c->audience;

    if (!a)
        return;
    LIST_REMOVE(c, of_audience);
    c->audience = NULL;
    if (--a->n == 0)
        audience_free(a);
}

/* Tells a client anew what it may see: the rest it is to forget. */
static void tell_all(struct fanout *f, struct client *c)
{
    struct buf lines;

    buf_init(&lines, 0);
    for (int l = 0; l < LIST_COUNT; l++) {
        struct xod_obj *o;
        size_t pos = 0;
        while (is_told(c->audience, l) && (o = xod_next(c->ipbx, (enum xod_list)l, &pos)))
            render_presence(&lines, o, access_sees(&c->audience->sees, o));
    }
    if (!lines.failed)
        conn_send(c->conn, buf_view(&lines));
    buf_free(&lines);
}

/* A user's lines, or the context of one, have changed: whoever is that user sees other things. */
void fanout_regroup(struct fanout *f)
{
    struct client *c;

    fanout_flush(f);
    LIST_FOREACH(c, &f->g->clients, all)
    {
        struct audience *before = c->audience;
        if (!before)
            continue;
        before->n++; /* kept until we know that it is another one */
        fanout_leave(f, c);
        if (fanout_join(f, c) < 0) {
            LIST_INSERT_HEAD(&before->clients, c, of_audience);
            c->audience = before;
            before->n++;
        }
        if (c->audience != before)
            tell_all(f, c);
        if (--before->n == 0)
            audience_free(before);
    }
}

/* An object moved between contexts: who sees it now is to ask for it, the others are to forget it.
 */
static void tell_moved(struct fanout *f, const struct xod_obj *o)
{
    struct audience *a;

    LIST_FOREACH(a, &f->audiences, all)
    if (is_told(a, (int)xod_obj_list(o)))
        render_presence(&a->gathered, o, access_sees(&a->sees, o));
}

static void people_moved(struct fanout *f, const struct xod_change *c)
{
    struct xod_obj *user;
    char scratch[32];

    fanout_regroup(f);
    if (c->op != XOD_UPDATE)
        return;
    tell_moved(f, c->obj);
    if (xod_obj_list(c->obj) != LIST_phones)
        return;
    user = xod_find(xod_obj_ipbx(c->obj), LIST_users,
                    value_text(xod_get(c->obj, XOD(phones, iduserfeatures)), scratch));
    if (user)
        tell_moved(f, user);
}

static bool moves_people(const struct xod_change *c)
{
    if (xod_obj_list(c->obj) == LIST_users)
        return c->fields & XOD_BIT(users, linelist);
    return xod_obj_list(c->obj) == LIST_phones && c->fields & XOD_BIT(phones, context);
}

/* ---- changes ---- */

void fanout_change(struct fanout *f, const struct xod_change *c)
{
    struct audience *a;

    if (LIST_EMPTY(&f->audiences) || xod_obj_list(c->obj) == LIST_ipbx)
        return;
    if (f->g->opt.limits.separate_contexts && moves_people(c))
        people_moved(f, c);
    if (f->g->opt.limits.separate_contexts && c->op == XOD_UPDATE &&
        xod_obj_list(c->obj) == LIST_calls && c->fields & XOD_BIT(calls, contexts)) {
        tell_moved(f, c->obj);
        loop_task_post(f->task);
    }
    buf_reset(&f->line);
    render_change(&f->line, c);
    if (buf_len(&f->line) == 0 || f->line.failed)
        return;
    LIST_FOREACH(a, &f->audiences, all)
    {
        if (!is_told(a, (int)xod_obj_list(c->obj)) || !access_sees(&a->sees, c->obj))
            continue;
        buf_append_view(&a->gathered, buf_view(&f->line));
        metric_add(f->g->fanned_lines, (double)a->n);
        if (buf_len(&a->gathered) > MAX_GATHERED)
            fanout_flush(f);
    }
    loop_task_post(f->task);
}

static void flush_one(struct audience *a)
{
    struct shared *block;
    struct client *c;

    if (buf_len(&a->gathered) == 0)
        return;
    block = shared_new(buf_view(&a->gathered));
    buf_reset(&a->gathered);
    LIST_FOREACH(c, &a->clients, of_audience)
    {
        /* Over its bound a client is ended by its connection, with a line in the log. */
        if (block)
            conn_send_shared(c->conn, block);
    }
    if (block)
        shared_unref(block);
}

void fanout_flush(struct fanout *f)
{
    struct audience *a;

    LIST_FOREACH(a, &f->audiences, all) flush_one(a);
    latency_told(f->g->latency);
}
