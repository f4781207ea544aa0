/*
 * Fan-out: a change is encoded once and its bytes are shared by all who may see it. What happens in
 * one turn of the loop is gathered and leaves as one block, in one round over the clients; a client
 * that is sent another line before gets its part of it at once. While many log in, rounds rest:
 * each login is a change for all who are there already, and a round for each would cost more than
 * the logins.
 */
#include <stdlib.h>

#include "fanout_impl.h"

#define MAX_GATHERED ((size_t)1 << 20)
/* What an audience keeps of its memory for the next round. */
#define KEPT_GATHERED ((size_t)16384)
/* How long rounds rest, for each client: some five times what a round takes. */
#define REST_US 50u
#define MAX_REST_MS 1000u

static void rest(struct fanout *f)
{
    size_t ms = f->g->n_live * REST_US / 1000;

    loop_timer_start(f->rest, ms < MAX_REST_MS ? (uint32_t)ms : MAX_REST_MS, false);
}

void fanout_round(struct fanout *f)
{
    if (LIST_EMPTY(&f->due) || loop_timer_running(f->rest))
        return;
    fanout_flush(f);
    if (audiences_are_crowded(f, false))
        rest(f);
}

static void run(void *arg)
{
    struct fanout *f = arg;

    if (f->regroup_due)
        fanout_regroup(f);
    fanout_round(f);
}

struct fanout *fanout_new(struct gateway *g)
{
    struct fanout *f = calloc(1, sizeof(*f));
    int err;

    if (!f)
        return NULL;
    f->g = g;
    err = audiences_init(f);
    buf_init(&f->line, 0);
    buf_init(&f->masked, 0);
    buf_init(&f->limited, 0);
    buf_init(&f->freed, 0);
    f->lots = map_new();
    f->task = loop_task_new(g->loop, run, f);
    f->rest = loop_timer_new(g->loop, run, f);
    if (!f->task || !f->rest || !f->lots || err < 0)
        fanout_destroy(&f);
    return f;
}

void fanout_destroy(struct fanout **f)
{
    if (!f || !*f)
        return;
    audiences_fini(*f);
    loop_task_destroy(&(*f)->task);
    loop_timer_destroy(&(*f)->rest);
    buf_free(&(*f)->line);
    buf_free(&(*f)->masked);
    buf_free(&(*f)->limited);
    buf_free(&(*f)->freed);
    bays_destroy(&(*f)->lots);
    free(*f);
    *f = NULL;
}

/* Relations name objects that a client may not see: those who do not see all are told of none. */
static uint64_t relations_of(enum xod_list list)
{
    int field = schema_relations_field(list);

    return field < 0 ? 0 : (uint64_t)1 << field;
}

void fanout_render_fields(struct fanout *f, struct client *c, struct buf *out,
                          const struct xod_obj *o, uint64_t mask)
{
    mask &= schema_client_mask(xod_obj_list(o));
    if (!audience_sees_all(f, c->audience))
        mask &= ~relations_of(xod_obj_list(o));
    render_fields(out, o, mask, fanout_masks(f, c, o));
}

void fanout_gathered(struct fanout *f, struct audience *a)
{
    f->grew = true;
    f->full |= buf_len(&a->gathered) > MAX_GATHERED;
    if (a->due)
        return;
    a->due = true;
    LIST_INSERT_HEAD(&f->due, a, of_due);
    loop_task_post(f->task);
}

/* An object moved between contexts: who sees it now is to ask for it, the others are to forget it.
 */
static void tell_moved(struct fanout *f, const struct xod_obj *o)
{
    struct audience *a;

    LIST_FOREACH(a, &f->audiences, all)
    {
        if (!audience_is_told(a, (int)xod_obj_list(o)) ||
            (xod_obj_list(o) == LIST_calls && a->seen_calls))
            continue;
        render_presence(&a->gathered, o, access_sees(&a->sees, o));
        fanout_gathered(f, a);
    }
}

/* A user's lines, or the context of one, have changed: that user's clients see other things. */
static void people_moved(struct fanout *f, const struct xod_change *c)
{
    struct xod_ipbx *ipbx = xod_obj_ipbx(c->obj);
    bool is_phone = xod_obj_list(c->obj) == LIST_phones;
    char scratch[32];
    struct view id = is_phone ? value_text(xod_get(c->obj, XOD(phones, iduserfeatures)), scratch)
                              : xod_obj_id(c->obj);
    struct client_list *sessions = user_push_sessions(f->g->user_push, xod_ipbx_name(ipbx), id);
    struct xod_obj *user = is_phone ? xod_find(ipbx, LIST_users, id) : NULL;
    struct client *client;

    if (sessions)
        LIST_FOREACH(client, sessions, of_user)
    fanout_regroup_client(f, client);
    if (c->op != XOD_UPDATE)
        return;
    tell_moved(f, c->obj);
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
    bool before = a->seen_calls && audience_note_call(a, c->obj, now);
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
    size_t before = buf_len(&a->gathered);

    if (!audience_is_told(a, (int)xod_obj_list(c->obj)))
        return;
    if (xod_obj_list(c->obj) == LIST_calls && access_is_limited(&a->sees)) {
        tell_call(f, a, c);
    } else if (buf_len(&f->line) && access_sees(&a->sees, c->obj)) {
        buf_append_view(&a->gathered, audience_sees_all(f, a)
                                          ? buf_view(&f->line)
                                          : limited_line(f, c, access_masks(&a->sees, c->obj)));
        metric_add(f->g->fanned_lines, (double)a->n);
    }
    if (buf_len(&a->gathered) > before)
        fanout_gathered(f, a);
}

bool fanout_change(struct fanout *f, const struct xod_change *c)
{
    bool separate = f->g->opt.limits.separate_contexts;

    bays_change(f->lots, c, &f->freed);
    if (LIST_EMPTY(&f->audiences) || xod_obj_list(c->obj) == LIST_ipbx)
        return false;
    if (f->full)
        fanout_flush(f);
    f->grew = false;
    if (separate && moves_people(c))
        people_moved(f, c);
    if (separate && c->op == XOD_UPDATE && xod_obj_list(c->obj) == LIST_calls &&
        c->fields & XOD_BIT(calls, contexts))
        tell_moved(f, c->obj);
    if (f->n_limited && moves_calls(c)) {
        f->regroup_due = true;
        loop_task_post(f->task);
    }
    buf_reset(&f->line);
    buf_reset(&f->masked);
    buf_reset(&f->limited);
    render_change(&f->line, c, false, buf_view(&f->freed));
    if (!f->line.failed && (buf_len(&f->line) || f->n_limited))
        audiences_offer(f, c, tell);
    return f->grew;
}

/* ---- rounds ---- */

static void flush_one(struct audience *a)
{
    struct shared *block = shared_new(buf_view(&a->gathered));
    struct client *c;

    LIST_FOREACH(c, &a->clients, of_audience)
    {
        /* Over its bound a client is ended by its connection, with a line in the log. */
        if (block)
            conn_send_shared_from(c->conn, block, c->told);
        c->told = 0;
    }
    if (block)
        shared_unref(block);
    if (a->gathered.cap > KEPT_GATHERED)
        buf_free(&a->gathered);
    else
        buf_reset(&a->gathered);
}

void fanout_flush(struct fanout *f)
{
    struct audience *a;

    f->full = false;
    while ((a = LIST_FIRST(&f->due))) {
        LIST_REMOVE(a, of_due);
        a->due = false;
        flush_one(a);
    }
    latency_told(f->g->latency);
}

void fanout_catch_up(struct fanout *f, struct client *c)
{
    struct audience *a = c->audience;
    size_t len = a ? buf_len(&a->gathered) : 0;

    if (!a || len <= c->told)
        return;
    conn_send(c->conn, view_of(buf_data(&a->gathered) + c->told, len - c->told));
    c->told = (uint32_t)len;
}
