/*
 * Subscriptions of clients to views (views.c). A change marks what it may concern; at the end of
 * the turn each marked view is made once and sent, so that a burst of changes is one line.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define MAX_QUEUES 200
#define MAX_STATUSES 20000

struct watched_queue {
    char *id;
    bool due;
};

/* What one client watches. */
struct watch {
    LIST_ENTRY(watch) all;
    struct client *c;
    bool rooms, rooms_due;
    bool calls, calls_due;
    bool members;
    struct watched_queue *queues;
    size_t n_queues;
    struct map *statuses; /* key: number of the list as a byte, id; the value is the key's memory */
    struct buf due;       /* lines that are to be sent as they are */
};

struct watches {
    struct gateway *g;
    LIST_HEAD(, watch) list;
    struct loop_task *task;
    struct buf scratch;
};

static void run(void *arg);

struct watches *watches_new(struct gateway *g)
{
    struct watches *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->g = g;
    buf_init(&w->scratch, 4096);
    w->task = loop_task_new(g->loop, run, w);
    if (!w->task)
        watches_destroy(&w);
    return w;
}

void watches_destroy(struct watches **w)
{
    if (!w || !*w)
        return;
    loop_task_destroy(&(*w)->task); /* no client is left */
    buf_free(&(*w)->scratch);
    free(*w);
    *w = NULL;
}

static struct watch *watch_of(struct client *c)
{
    if (c->watch)
        return c->watch;
    c->watch = calloc(1, sizeof(*c->watch));
    if (!c->watch)
        return NULL;
    c->watch->c = c;
    buf_init(&c->watch->due, c->gw->opt.max_output);
    LIST_INSERT_HEAD(&c->gw->watches->list, c->watch, all);
    return c->watch;
}

void watch_end(struct client *c)
{
    struct watch *w = c->watch;

    if (!w)
        return;
    LIST_REMOVE(w, all);
    for (size_t i = 0; i < w->n_queues; i++)
        free(w->queues[i].id);
    free(w->queues);
    map_destroy_with(&w->statuses, free);
    buf_free(&w->due);
    free(w);
    c->watch = NULL;
}

/* ---- telling ---- */

static struct buf *begin(struct client *c)
{
    buf_reset(&c->gw->line);
    return &c->gw->line;
}

static void tell_rooms(struct client *c)
{
    view_rooms(begin(c), c);
    client_send_line(c, &c->gw->line);
    view_own_rooms(begin(c), c);
    client_send_line(c, &c->gw->line);
}

static void tell_calls(struct client *c)
{
    view_calls(begin(c), c);
    client_send_line(c, &c->gw->line);
}

static void tell_queue(struct client *c, struct watched_queue *q)
{
    const struct xod_obj *queue = xod_find(c->ipbx, LIST_queues, view_cstr(q->id));

    q->due = false;
    if (!queue || !fanout_visible(c->gw->fanout, c, queue))
        return;
    view_queue(begin(c), c, queue);
    client_send_line(c, &c->gw->line);
}

static void tell_due(struct watch *w)
{
    if (w->rooms_due)
        tell_rooms(w->c);
    if (w->calls_due)
        tell_calls(w->c);
    w->rooms_due = w->calls_due = false;
    for (size_t i = 0; i < w->n_queues; i++)
        if (w->queues[i].due)
            tell_queue(w->c, &w->queues[i]);
    if (buf_len(&w->due))
        client_send_line(w->c, &w->due);
    buf_reset(&w->due);
    w->due.failed = false;
}

static void run(void *arg)
{
    struct watches *all = arg;
    struct watch *w;

    LIST_FOREACH(w, &all->list, all) tell_due(w);
}

/* ---- subscribing ---- */

int watch_rooms(struct client *c)
{
    struct watch *w = watch_of(c);

    if (!w)
        return -ENOMEM;
    w->rooms = true;
    tell_rooms(c);
    return 0;
}

int watch_calls(struct client *c)
{
    struct watch *w = watch_of(c);

    if (!w)
        return -ENOMEM;
    w->calls = true;
    tell_calls(c);
    return 0;
}

int watch_members(struct client *c)
{
    struct watch *w = watch_of(c);

    if (!w)
        return -ENOMEM;
    w->members = true;
    return 0;
}

int watch_queue(struct client *c, const struct xod_obj *queue)
{
    struct watch *w = watch_of(c);
    struct watched_queue *more;

    if (!w)
        return -ENOMEM;
    for (size_t i = 0; i < w->n_queues; i++)
        if (view_eq(view_cstr(w->queues[i].id), xod_obj_id(queue))) {
            tell_queue(c, &w->queues[i]);
            return 0;
        }
    if (w->n_queues == MAX_QUEUES)
        return -E2BIG;
    more = realloc(w->queues, (w->n_queues + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    w->queues = more;
    more[w->n_queues].id = view_dup(xod_obj_id(queue));
    if (!more[w->n_queues].id)
        return -ENOMEM;
    tell_queue(c, &more[w->n_queues++]);
    return 0;
}

static struct view status_key(struct watches *w, enum xod_list list, struct view id)
{
    buf_reset(&w->scratch);
    buf_append_char(&w->scratch, (char)(list + 1));
    buf_append_view(&w->scratch, id);
    return buf_view(&w->scratch);
}

int watch_status(struct client *c, const struct xod_obj *o)
{
    struct watch *w = watch_of(c);
    struct view key = status_key(c->gw->watches, xod_obj_list(o), xod_obj_id(o));
    char *copy;

    if (w && !w->statuses)
        w->statuses = map_new();
    if (!w || !w->statuses)
        return -ENOMEM;
    if (!map_get(w->statuses, key)) {
        if (map_count(w->statuses) >= MAX_STATUSES)
            return -E2BIG;
        copy = view_dup(key);
        if (!copy || map_put(w->statuses, view_of(copy, key.len), copy) < 0) {
            free(copy);
            return -ENOMEM;
        }
    }
    view_status(begin(c), o);
    client_send_line(c, &c->gw->line);
    return 0;
}

void watch_status_end(struct client *c, enum xod_list list, struct view id)
{
    if (c->watch && c->watch->statuses)
        free(map_del(c->watch->statuses, status_key(c->gw->watches, list, id)));
}

/* ---- changes ---- */

static void mark_queue(struct watch *w, const struct xod_obj *queue)
{
    for (size_t i = 0; i < w->n_queues; i++)
        if (view_eq(view_cstr(w->queues[i].id), xod_obj_id(queue)))
            w->queues[i].due = true;
}

#define PARTY                                                                                      \
    (XOD_BIT(channels, callerid_num) | XOD_BIT(channels, callerid_name) |                          \
     XOD_BIT(channels, meetme_since))
#define CALL                                                                                       \
    (XOD_BIT(channels, commstatus) | XOD_BIT(channels, holded) | XOD_BIT(channels, talkingto_id) | \
     XOD_BIT(channels, timestamp) | XOD_BIT(channels, callerid_num) |                              \
     XOD_BIT(channels, callerid_name) | XOD_BIT(channels, peerdisplay))

/* A caller who waits is shown with name and number. */
static void mark_waiting(struct watch *w, const struct xod_obj *channel)
{
    const struct xod_obj *queue;

    for (size_t i = 0; i < w->n_queues; i++) {
        queue = xod_find(w->c->ipbx, LIST_queues, view_cstr(w->queues[i].id));
        if (queue && value_list_has(xod_get(queue, XOD(queues, incalls)), xod_obj_id(channel)))
            w->queues[i].due = true;
    }
}

static void channel_changed(struct watch *w, const struct xod_change *c)
{
    struct view peer = xod_get_str(c->obj, XOD(channels, talkingto_id));

    if (w->rooms && c->fields & PARTY &&
        value_truth(xod_get(c->obj, XOD(channels, meetme_ismeetme))))
        w->rooms_due = true;
    if (w->calls && !w->calls_due && c->fields & CALL)
        w->calls_due = view_is_own_channel(w->c, xod_obj_id(c->obj)) ||
                       (peer.len && view_is_own_channel(w->c, peer));
    if (w->n_queues && c->fields & (PARTY | XOD_BIT(channels, waiting_since)))
        mark_waiting(w, c->obj);
}

static bool is_own_phone(const struct client *c, const struct xod_obj *phone)
{
    const struct xod_obj *user = client_user(c);

    return user && value_list_has(xod_get(user, XOD(users, linelist)), xod_obj_id(phone));
}

/* How a member is, under the id of 2012. */
static void member_changed(struct watch *w, const struct xod_change *c)
{
    struct buf id;

    if (!w->members || !fanout_visible(w->c->gw->fanout, w->c, c->obj))
        return;
    buf_init(&id, 1024);
    if (!put_legacy_member_id(&id, c->obj)) {
        buf_free(&id);
        return;
    }
    if (c->op == XOD_DEL) {
        render_getlist(&w->due, view_of(NULL, 0), "delconfig", VIEW("queuemembers"),
                       xod_ipbx_name(w->c->ipbx), view_of(NULL, 0));
        buf_append_cstr(&w->due, ",\"list\":[");
        json_put_string(&w->due, buf_view(&id));
        buf_append_char(&w->due, ']');
        line_end(&w->due);
    } else {
        render_getlist(&w->due, view_of(NULL, 0), "updatestatus", VIEW("queuemembers"),
                       xod_ipbx_name(w->c->ipbx), buf_view(&id));
        buf_append_cstr(&w->due, ",\"status\":");
        render_member_2012(&w->due, c->obj, c->fields);
        line_end(&w->due);
    }
    buf_free(&id);
}

static void status_changed(struct watches *all, struct watch *w, const struct xod_change *c)
{
    if (w->statuses && c->op != XOD_DEL &&
        map_get(w->statuses, status_key(all, xod_obj_list(c->obj), xod_obj_id(c->obj))) &&
        fanout_visible(w->c->gw->fanout, w->c, c->obj))
        view_status(&w->due, c->obj);
}

static void object_changed(struct watches *all, struct watch *w, const struct xod_change *c)
{
    switch (xod_obj_list(c->obj)) {
    case LIST_meetmes:
        w->rooms_due |= w->rooms;
        break;
    case LIST_queues:
        if (c->fields & XOD_BIT(queues, incalls))
            mark_queue(w, c->obj);
        break;
    case LIST_channels:
        channel_changed(w, c);
        break;
    case LIST_queuemembers:
        member_changed(w, c);
        break;
    case LIST_phones:
        if (w->calls && c->fields & XOD_BIT(phones, channels) && is_own_phone(w->c, c->obj))
            w->calls_due = true;
        if (c->fields & XOD_BIT(phones, hintstatus))
            status_changed(all, w, c);
        break;
    case LIST_agents:
        if (c->fields & XOD_BIT(agents, availability))
            status_changed(all, w, c);
        break;
    case LIST_users:
        if (c->fields & XOD_BIT(users, availstate))
            status_changed(all, w, c);
        break;
    default:
        break;
    }
}

void watches_change(struct watches *all, const struct xod_change *c)
{
    struct watch *w;

    if (LIST_EMPTY(&all->list))
        return;
    LIST_FOREACH(w, &all->list, all)
    if (w->c->ipbx == xod_obj_ipbx(c->obj))
        object_changed(all, w, c);
    loop_task_post(all->task);
}
