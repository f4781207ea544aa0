/* subscribe: a view, told now and whenever it changes. */
#include "internal.h"

static void refused(struct client *c, struct request *rq, int rc)
{
    if (rc < 0)
        client_answer(c, rq, "error_string", VIEW("busy"));
}

static void meetme_update(struct client *c, struct request *rq)
{
    refused(c, rq, watch_rooms(c));
}

static void current_calls(struct client *c, struct request *rq)
{
    refused(c, rq, watch_calls(c));
}

static void queueentryupdate(struct client *c, struct request *rq)
{
    struct view id = view_cstr(json_object_get_string(json_get(rq->body, "queueid")));
    const struct xod_obj *queue = xod_find(c->ipbx, LIST_queues, id);

    if (queue && fanout_visible(c->gw->fanout, c, queue))
        refused(c, rq, watch_queue(c, queue));
    else
        client_answer(c, rq, "error_string", VIEW("no_such_queue"));
}

static const char *const for_view[] = {"message", NULL};
static const char *const for_queue[] = {"message", "queueid", NULL};
static const struct condition is_rooms[] = {{"message", "meetme_update"}, {NULL, NULL}};
static const struct condition is_calls[] = {{"message", "current_calls"}, {NULL, NULL}};
static const struct condition is_queue[] = {{"message", "queueentryupdate"}, {NULL, NULL}};

CTI_MESSAGE(subscribe_rooms, .class = "subscribe", .required = for_view, .conditions = is_rooms,
            .permission = true, .handle = meetme_update,
            .doc = "`meetme_update` with all conferences and `meetme_user` with the own places in "
                   "them, now and as they change");
CTI_MESSAGE(subscribe_calls, .class = "subscribe", .required = for_view, .conditions = is_calls,
            .permission = true, .handle = current_calls,
            .doc = "`current_calls` of the own phones, now and as they change");
CTI_MESSAGE(subscribe_queue, .class = "subscribe", .required = for_queue, .conditions = is_queue,
            .permission = true, .handle = queueentryupdate,
            .doc = "`queueentryupdate`: who waits in the queue, now and as it changes");
