/*
 * Fan-out: a change is encoded once and its bytes are shared by all who may see it. What happens in
 * one turn of the loop is gathered and leaves as one block.
 *
 * An audience is all clients that see the same objects: those of one set of contexts that are told
 * of the same lists. Without context separation there is one of each of the latter. A user whose
 * profile limits whose calls are seen is an audience alone.
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
    /* Of one that is limited: ids of the calls it sees now. Whether it does changes as people come
     * into a call and leave it. */
    struct map *seen_calls;
    struct buf gathered;
};

struct fanout {
    struct gateway *g;
    LIST_HEAD(, audience) audiences;
    struct loop_task *task;
    struct buf line, masked, limited;
    struct map *lots; /* what bays_change knows */
    struct buf freed;
    size_t n_limited; /* audiences */
    bool regroup_due; /* whose calls are whose may have changed */
};

static void run(void *arg)
{
    struct fanout *f = arg;

    if (f->regroup_due)
        fanout_regroup(f);
    fanout_flush(f);
}

struct fanout *fanout_new(struct gateway *g)
{
    struct fanout *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->g = g;
    LIST_INIT(&f->audiences);
    buf_init(&f->line, 0);
    buf_init(&f->masked, 0);
    buf_init(&f->limited, 0);
    buf_init(&f->freed, 0);
    f->lots = map_new();
    f->task = loop_task_new(g->loop, run, f);
    if (!f->task || !f->lots)
        fanout_destroy(&f);
    return f;
}

static void forget_calls(struct audience *a)
{
    map_destroy_with(&a->seen_calls, free);
}

static void audience_free(struct fanout *f, struct audience *a)
{
    LIST_REMOVE(a, all);
    if (access_is_limited(&a->sees))
        f->n_limited--;
    forget_calls(a);
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
        audience_free(*f, a);
    loop_task_destroy(&(*f)->task);
    buf_free(&(*f)->line);
    buf_free(&(*f)->masked);
    buf_free(&(*f)->limited);
    buf_free(&(*f)->freed);
    bays_destroy(&(*f)->lots);
    free(*f);
    *f = NULL;
}

/* Notes whether the audience sees a call now; whether it did before. */
static bool note_call(struct audience *a, const struct xod_obj *call, bool sees)
{
    char *id = map_get(a->seen_calls, xod_obj_id(call));

    if (sees && !id) {
        char *copy = view_dup(xod_obj_id(call));
        if (copy && map_put(a->seen_calls, view_cstr(copy), copy) < 0)
            free(copy);
    } else if (!sees && id) {
        map_del(a->seen_calls, xod_obj_id(call));
        free(id);
    }
    return id != NULL;
}

static void note_calls(struct audience *a, struct xod_ipbx *ipbx)
{
    const struct xod_obj *call;
    size_t pos = 0;

    a->seen_calls = map_new();
    while (a->seen_calls && (call = xod_next(ipbx, LIST_calls, &pos)))
        note_call(a, call, access_sees(&a->sees, call));
}

static struct audience *audience_for(struct fanout *f, const struct client *c)
{
    const struct xod_obj *user = client_user(c);
    bool calls = c->accepts & ACCEPTS_CALLS;
    struct audience *a;
    struct access sees;

    if (access_init(&sees, user, f->g->opt.limits.separate_contexts) < 0)
        return NULL;
    if (c->profile && access_limit(&sees, user, json_get(c->profile->capas, "see")) < 0) {
        access_fini(&sees);
        return NULL;
    }
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
    if (access_is_limited(&a->sees)) {
        f->n_limited++;
        note_calls(a, c->ipbx);
    }
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

/* Relations name objects that a client may not see: those who do not see all are told of none. */
static uint64_t relations_of(enum xod_list list)
{
    int field = schema_relations_field(list);

    return field < 0 ? 0 : (uint64_t)1 << field;
}

static bool sees_all(const struct fanout *f, const struct audience *a)
{
    return a && !f->g->opt.limits.separate_contexts && !access_is_limited(&a->sees);
}

void fanout_render_fields(struct fanout *f, struct client *c, struct buf *out,
                          const struct xod_obj *o, uint64_t mask)
{
    mask &= schema_client_mask(xod_obj_list(o));
    if (!sees_all(f, c->audience))
        mask &= ~relations_of(xod_obj_list(o));
    render_fields(out, o, mask, fanout_masks(f, c, o));
}

bool fanout_masks(struct fanout *f, struct client *c, const struct xod_obj *o)
{
    return c->audience && access_masks(&c->audience->sees, o);
}

bool fanout_hides(struct fanout *f, struct client *c, const struct xod_obj *o)
{
    return c->audience && !access_within_limit(&c->audience->sees, o);
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
        audience_free(f, a);
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

/* A user's lines, or the context of one, have changed: the clients of that user see other things.
 */
void fanout_regroup(struct fanout *f)
{
    struct client *c;

    f->regroup_due = false;
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
            audience_free(f, before);
    }
}

/* An object moved between contexts: who sees it now is to ask for it, the others are to forget it.
 */
static void tell_moved(struct fanout *f, const struct xod_obj *o)
{
    struct audience *a;

    LIST_FOREACH(a, &f->audiences, all)
    if (is_told(a, (int)xod_obj_list(o)) && !(xod_obj_list(o) == LIST_calls && a->seen_calls))
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

/* Whose phones and groups are whose. */
static bool moves_calls(const struct xod_change *c)
{
    switch (xod_obj_list(c->obj)) {
    case LIST_users:
        return c->fields &
               (XOD_BIT(users, linelist) | XOD_BIT(users, agentid) | XOD_BIT(users, groups));
    case LIST_phones:
        return c->fields & (XOD_BIT(phones, identity) | XOD_BIT(phones, groups));
    case LIST_agents:
        return c->fields &
               (XOD_BIT(agents, number) | XOD_BIT(agents, groups) | XOD_BIT(agents, phonenumber));
    case LIST_groups:
        return c->fields & (XOD_BIT(groups, phonemembers) | XOD_BIT(groups, agentmembers));
    default:
        return false;
    }
}

/* ---- changes ---- */

/* A call may come into view, or go out of it. */
static void tell_call(struct fanout *f, struct audience *a, const struct xod_change *c)
{
    bool now = c->op != XOD_DEL && access_sees(&a->sees, c->obj);
    bool before = a->seen_calls && note_call(a, c->obj, now);
    struct xod_change told = *c;

    if (now && !before) {
        told.op = XOD_ADD;
        told.fields = schema_client_mask(LIST_calls);
    } else if (before && !now) {
        told.op = XOD_DEL;
    } else if (!now) {
        return;
    }
    told.fields &= ~relations_of(LIST_calls);
    render_change(&a->gathered, &told, access_masks(&a->sees, c->obj), view_of(NULL, 0));
    metric_add(f->g->fanned_lines, (double)a->n);
}

/* The line of those who do not see all, with numbers masked or not; made once they are there. */
static struct view limited_line(struct fanout *f, const struct xod_change *c, bool masked)
{
    uint64_t relations = relations_of(xod_obj_list(c->obj));
    struct buf *line = masked ? &f->masked : &f->limited;
    struct xod_change told = *c;

    if (!masked && !(c->fields & relations))
        return buf_view(&f->line);
    told.fields &= ~relations;
    if (buf_len(line) == 0)
        render_change(line, &told, masked, buf_view(&f->freed));
    return buf_view(line);
}

static void tell(struct fanout *f, struct audience *a, const struct xod_change *c)
{
    if (!is_told(a, (int)xod_obj_list(c->obj)))
        return;
    if (xod_obj_list(c->obj) == LIST_calls && access_is_limited(&a->sees)) {
        tell_call(f, a, c);
    } else if (buf_len(&f->line) && access_sees(&a->sees, c->obj)) {
        buf_append_view(&a->gathered, sees_all(f, a)
                                          ? buf_view(&f->line)
                                          : limited_line(f, c, access_masks(&a->sees, c->obj)));
        metric_add(f->g->fanned_lines, (double)a->n);
    }
}

void fanout_change(struct fanout *f, const struct xod_change *c)
{
    struct audience *a;

    bays_change(f->lots, c, &f->freed);
    if (LIST_EMPTY(&f->audiences) || xod_obj_list(c->obj) == LIST_ipbx)
        return;
    if (f->g->opt.limits.separate_contexts && moves_people(c))
        people_moved(f, c);
    if (f->g->opt.limits.separate_contexts && c->op == XOD_UPDATE &&
        xod_obj_list(c->obj) == LIST_calls && c->fields & XOD_BIT(calls, contexts)) {
        tell_moved(f, c->obj);
        loop_task_post(f->task);
    }
    f->regroup_due |= f->n_limited && moves_calls(c);
    buf_reset(&f->line);
    buf_reset(&f->masked);
    buf_reset(&f->limited);
    render_change(&f->line, c, false, buf_view(&f->freed));
    if (f->line.failed || (buf_len(&f->line) == 0 && f->n_limited == 0))
        return;
    LIST_FOREACH(a, &f->audiences, all)
    {
        tell(f, a, c);
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
