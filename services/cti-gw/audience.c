/* Audiences: which clients see the same objects, and which of them may see one. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fanout_impl.h"

int audiences_init(struct fanout *f)
{
    LIST_INIT(&f->audiences);
    LIST_INIT(&f->unindexed);
    LIST_INIT(&f->due);
    buf_init(&f->key, 0);
    f->by_key = map_new();
    f->by_context = map_new();
    return f->by_key && f->by_context ? 0 : -ENOMEM;
}

/* ---- by context ---- */

static struct audience_context *context_of(struct fanout *f, struct view name)
{
    struct audience_context *context = map_get(f->by_context, name);

    if (context)
        return context;
    context = calloc(1, sizeof(*context));
    if (context)
        context->name = view_dup(name);
    if (context && context->name && map_put(f->by_context, view_cstr(context->name), context) == 0)
        return context;
    if (context)
        free(context->name);
    free(context);
    return NULL;
}

static void leave_context(struct fanout *f, struct audience_of_context *in)
{
    struct audience_context *context = in->context;

    LIST_REMOVE(in, next);
    if (!LIST_EMPTY(&context->audiences))
        return;
    map_del(f->by_context, view_cstr(context->name));
    free(context->name);
    free(context);
}

static void unindex(struct fanout *f, struct audience *a)
{
    for (size_t i = 0; i < a->n_contexts; i++)
        leave_context(f, &a->contexts[i]);
    free(a->contexts);
    a->contexts = NULL;
    a->n_contexts = 0;
}

/* 0 or -ENOMEM. */
static int index_contexts(struct fanout *f, struct audience *a)
{
    struct view name;
    size_t n = 0, pos = 0;

    while (access_next_context(&a->sees, &pos, &name))
        n++;
    a->contexts = calloc(n + 1, sizeof(*a->contexts));
    if (!a->contexts)
        return -ENOMEM;
    pos = 0;
    while (access_next_context(&a->sees, &pos, &name)) {
        struct audience_of_context *in = &a->contexts[a->n_contexts];
        in->audience = a;
        in->context = context_of(f, name);
        if (!in->context)
            return -ENOMEM;
        LIST_INSERT_HEAD(&in->context->audiences, in, next);
        a->n_contexts++;
    }
    return 0;
}

/* What a limited audience sees can change although the object does not. */
static bool is_indexed(const struct audience *a)
{
    return a->sees.contexts && !a->sees.is_site && !access_is_limited(&a->sees);
}

static void offer_to(struct fanout *f, struct audience *a, const struct xod_change *c,
                     audience_fn *fn)
{
    if (a->offered == f->offer)
        return;
    a->offered = f->offer;
    fn(f, a, c);
}

struct offer {
    struct fanout *f;
    const struct xod_change *c;
    audience_fn *fn;
};

static bool offer_in_context(void *arg, struct view name)
{
    struct offer *o = arg;
    struct audience_context *context = name.len ? map_get(o->f->by_context, name) : NULL;
    struct audience_of_context *in;

    if (context)
        LIST_FOREACH(in, &context->audiences, next)
    offer_to(o->f, in->audience, o->c, o->fn);
    return false;
}

void audiences_offer(struct fanout *f, const struct xod_change *c, audience_fn *fn)
{
    struct offer offer = {f, c, fn};
    struct audience *a;

    f->offer++;
    LIST_FOREACH(a, &f->unindexed, of_unindexed)
    offer_to(f, a, c, fn);
    if (map_count(f->by_context))
        access_contexts_of(c->obj, offer_in_context, &offer);
}

/* ---- life ---- */

static void forget_calls(struct audience *a)
{
    map_destroy_with(&a->seen_calls, free);
}

static void audience_free(struct fanout *f, struct audience *a)
{
    LIST_REMOVE(a, all);
    if (a->due)
        LIST_REMOVE(a, of_due);
    if (access_is_limited(&a->sees))
        f->n_limited--;
    if (is_indexed(a))
        unindex(f, a);
    else
        LIST_REMOVE(a, of_unindexed);
    if (map_get(f->by_key, buf_view(&a->key)) == a)
        map_del(f->by_key, buf_view(&a->key));
    forget_calls(a);
    buf_free(&a->gathered);
    buf_free(&a->key);
    access_fini(&a->sees);
    free(a);
}

void audiences_fini(struct fanout *f)
{
    struct audience *a;

    while ((a = LIST_FIRST(&f->audiences)))
        audience_free(f, a);
    map_destroy(&f->by_key);
    map_destroy(&f->by_context);
    buf_free(&f->key);
}

bool audience_note_call(struct audience *a, const struct xod_obj *call, bool sees)
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
        audience_note_call(a, call, access_sees(&a->sees, call));
}

/* Takes `sees`; f->key is of it. NULL without memory. */
static struct audience *audience_new(struct fanout *f, struct access *sees, bool calls)
{
    struct audience *a = calloc(1, sizeof(*a));
    int err = 0;

    if (!a) {
        access_fini(sees);
        return NULL;
    }
    a->sees = *sees;
    a->calls = calls;
    LIST_INIT(&a->clients);
    buf_init(&a->gathered, 0);
    buf_init(&a->key, 0);
    LIST_INSERT_HEAD(&f->audiences, a, all);
    f->n_limited += access_is_limited(&a->sees);
    if (is_indexed(a))
        err = index_contexts(f, a);
    else
        LIST_INSERT_HEAD(&f->unindexed, a, of_unindexed);
    if (err == 0)
        err = buf_append_view(&a->key, buf_view(&f->key));
    if (err == 0)
        err = map_put(f->by_key, buf_view(&a->key), a);
    if (err < 0) {
        audience_free(f, a);
        return NULL;
    }
    return a;
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
    buf_reset(&f->key);
    buf_append_char(&f->key, calls ? 'c' : '-');
    access_put_key(&sees, &f->key);
    a = f->key.failed ? NULL : map_get(f->by_key, buf_view(&f->key));
    if (a || f->key.failed) {
        access_fini(&sees);
        return a;
    }
    a = audience_new(f, &sees, calls);
    if (a && access_is_limited(&a->sees))
        note_calls(a, c->ipbx);
    return a;
}

/* ---- who sees what ---- */

bool audience_is_told(const struct audience *a, int list)
{
    return list != LIST_ipbx && (list != LIST_calls || a->calls);
}

bool audience_sees_all(const struct fanout *f, const struct audience *a)
{
    return a && !f->g->opt.limits.separate_contexts && !access_is_limited(&a->sees);
}

bool fanout_visible(struct fanout *f, struct client *c, const struct xod_obj *o)
{
    return c->audience ? access_sees(&c->audience->sees, o) : !f->g->opt.limits.separate_contexts;
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

bool audiences_are_crowded(struct fanout *f, bool joins)
{
    uint64_t now = clock_mono_us();

    if (now - f->crowd_since >= CROWD_US) {
        f->joined_before = now - f->crowd_since < 2 * (uint64_t)CROWD_US ? f->joined : 0;
        f->joined = 0;
        f->crowd_since = now;
    }
    f->joined += joins;
    return f->joined + f->joined_before >= CROWD;
}

/* What was gathered before is not for the new one. */
static void enter(struct audience *a, struct client *c)
{
    c->audience = a;
    c->told = (uint32_t)buf_len(&a->gathered);
    LIST_INSERT_HEAD(&a->clients, c, of_audience);
    a->n++;
}

int fanout_join(struct fanout *f, struct client *c)
{
    struct audience *a = audience_for(f, c);

    if (!a)
        return -ENOMEM;
    enter(a, c);
    audiences_are_crowded(f, true);
    return 0;
}

static void leave(struct client *c)
{
    LIST_REMOVE(c, of_audience);
    c->audience->n--;
    c->audience = NULL;
}

void fanout_leave(struct fanout *f, struct client *c)
{
    struct audience *a = c->audience;

    if (!a)
        return;
    leave(c);
    if (a->n == 0)
        audience_free(f, a);
}

/* Tells a client anew what it may see: the rest it is to forget. */
static void tell_all(struct client *c)
{
    struct buf lines;

    buf_init(&lines, 0);
    for (int l = 0; l < LIST_COUNT; l++) {
        struct xod_obj *o;
        size_t pos = 0;
        while (audience_is_told(c->audience, l) && (o = xod_next(c->ipbx, (enum xod_list)l, &pos)))
            render_presence(&lines, o, access_sees(&c->audience->sees, o));
    }
    if (!lines.failed)
        conn_send(c->conn, buf_view(&lines));
    buf_free(&lines);
}

void fanout_regroup_client(struct fanout *f, struct client *c)
{
    struct audience *before = c->audience, *after;

    if (!before)
        return;
    after = audience_for(f, c);
    if (!after || after == before) /* without memory it sees what it saw */
        return;
    fanout_catch_up(f, c);
    leave(c);
    enter(after, c);
    tell_all(c);
    if (before->n == 0)
        audience_free(f, before);
}

void fanout_regroup(struct fanout *f)
{
    struct client *c;

    f->regroup_due = false;
    LIST_FOREACH(c, &f->g->clients, all)
    fanout_regroup_client(f, c);
}
