/* Queues and groups: the callers waiting, in order. */
#include "base/array.h"
#include "model/model.h"
#include "model/statistics.h"

static const struct kind {
    enum xod_list list;
    unsigned name, incalls;
} kinds[] = {{LIST_queues, XOD(queues, name), XOD(queues, incalls)},
             {LIST_groups, XOD(groups, name), XOD(groups, incalls)}};
#define EACH_KIND(k)                                                                               \
    const struct kind *k = kinds;                                                                  \
    k < kinds + ARRAY_SIZE(kinds);                                                                 \
    k++

static const struct kind *kind_of(const struct xod_obj *queue)
{
    return xod_obj_list(queue) == LIST_queues ? &kinds[0] : &kinds[1];
}

struct xod_obj *queue_named(struct ipbx_model *d, struct view name)
{
    for (EACH_KIND(k)) {
        struct xod_obj *queue = xod_lookup(d->ipbx, k->list, k->name, name, 0);
        if (queue)
            return queue;
    }
    return NULL;
}

/* A waiting channel has no peer, and calls all the time: whichever member may answer. */
static void show_waiting(struct ipbx_model *d, struct xod_obj *channel, const struct xod_obj *queue)
{
    if (channel_is_linked(channel))
        return;
    channel_commstatus(channel, "calling", d->now);
    xod_set_str(channel, XOD(channels, talkingto_kind),
                xod_obj_list(queue) == LIST_queues ? VIEW("queue") : VIEW("group"));
    xod_set_str(channel, XOD(channels, talkingto_id), xod_obj_id(queue));
}

static void show_left(struct xod_obj *channel, const struct xod_obj *queue)
{
    struct view kind = xod_obj_list(queue) == LIST_queues ? VIEW("queue") : VIEW("group");

    if (!view_eq(xod_get_str(channel, XOD(channels, talkingto_kind)), kind) ||
        !view_eq(xod_get_str(channel, XOD(channels, talkingto_id)), xod_obj_id(queue)))
        return;
    xod_set_null(channel, XOD(channels, talkingto_kind));
    xod_set_null(channel, XOD(channels, talkingto_id));
}

static void leave(struct xod_obj *channel, struct xod_obj *queue)
{
    xod_list_del(queue, kind_of(queue)->incalls, xod_obj_id(channel));
    xod_unrelate(channel, queue);
    show_left(channel, queue);
    if (!xod_related(channel, LIST_queues, 0) && !xod_related(channel, LIST_groups, 0))
        xod_set_null(channel, XOD(channels, waiting_since));
}

void queue_join(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *channel = channel_named(d, t->str[TELF_channel]);
    struct xod_obj *queue = queue_named(d, t->str[TELF_queue]);
    int64_t position = t->num[TELF_position];
    double since = t->time - (t->num[TELF_wait] > 0 ? (double)t->num[TELF_wait] : 0);

    listing_note(d, LISTING_QUEUES, t->str[TELF_queue], t->str[TELF_channel]);
    if (!channel || !queue)
        return;
    if (!xod_is_tied(channel,
                     queue)) { /* a listing of one that waits knows it to the second only */
        if (xod_relate(channel, queue) < 0)
            return;
        if (xod_obj_list(queue) == LIST_queues)
            xod_set_str(channel, XOD(channels, queue_of), xod_get_str(queue, XOD(queues, name)));
        if (xod_obj_list(queue) == LIST_queues)
            since = queue_call_join(d, queue, channel, since, t->event == TEL_queue_entry);
        xod_set_float(channel, XOD(channels, waiting_since), since);
    }
    xod_list_insert(queue, kind_of(queue)->incalls,
                    position > 0 && position <= UINT32_MAX ? (uint32_t)position - 1 : UINT32_MAX,
                    xod_obj_id(channel));
    show_waiting(d, channel, queue);
}

void queue_leave(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *channel = channel_named(d, t->str[TELF_channel]);
    struct xod_obj *queue = queue_named(d, t->str[TELF_queue]);

    if (!channel || !queue)
        return;
    queue_call_leave(d, queue, channel, QUEUE_LEFT);
    leave(channel, queue);
}

void queue_answered(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *queue = queue_named(d, t->str[TELF_queue]);

    if (queue)
        queue_call_end(d, queue, t, QUEUE_LINK);
}

void queue_abandoned(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *queue = queue_named(d, t->str[TELF_queue]);

    if (queue)
        queue_call_gave_up(d, queue, t);
}

void queue_channel_gone(struct ipbx_model *d, struct xod_obj *channel, bool hung_up)
{
    struct xod_obj *queue;

    for (EACH_KIND(k))
        while ((queue = xod_related(channel, k->list, 0))) {
            queue_call_leave(d, queue, channel, hung_up ? QUEUE_LOST : QUEUE_LEFT);
            leave(channel, queue);
        }
    if (hung_up)
        queue_call_hung_up(d, channel);
}

/* QUEUESTATUS is set when a call leaves a queue and goes on in the dialplan. */
void queue_status(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *channel = channel_named(d, t->str[TELF_channel]);

    if (channel && !view_starts(t->str[TELF_value], VIEW("ABANDON")))
        queue_call_went_on(d, channel);
}

static uint32_t place_of(const struct value *list, struct view id)
{
    for (uint32_t i = 0; list->type == V_LIST && i < list->len; i++)
        if (view_eq(value_view(&list->items[i]), id))
            return i;
    return UINT32_MAX;
}

void queue_channel_renamed(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *channel)
{
    struct xod_obj *queue;

    for (EACH_KIND(k))
        while ((queue = xod_related(old, k->list, 0))) {
            uint32_t place = place_of(xod_get(queue, k->incalls), xod_obj_id(old));
            const struct value *since = xod_get(old, XOD(channels, waiting_since));
            if (since->type == V_FLOAT)
                xod_set_float(channel, XOD(channels, waiting_since), since->f);
            leave(old, queue);
            queue_call_renamed(d, queue, old, channel);
            if (xod_relate(channel, queue) == 0)
                xod_list_insert(queue, k->incalls, place, xod_obj_id(channel));
            show_waiting(d, channel, queue);
        }
}

static void sweep_one(struct ipbx_model *d, struct xod_obj *queue, unsigned name)
{
    struct xod_obj *channel;
    char scratch[32];
    struct view called = value_text(xod_get(queue, name), scratch);

    for (size_t n = 0; (channel = xod_related(queue, LIST_channels, n));)
        if (listing_named(d, called, xod_obj_id(channel))) {
            n++;
        } else {
            queue_call_leave(d, queue, channel, QUEUE_LEFT);
            leave(channel, queue);
        }
}

void queue_sweep(struct ipbx_model *d)
{
    struct xod_obj *queue;

    for (EACH_KIND(k))
        for (size_t pos = 0; (queue = xod_next(d->ipbx, k->list, &pos));)
            sweep_one(d, queue, k->name);
    queue_call_listed(d);
}
