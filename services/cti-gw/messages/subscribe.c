/* subscribe: a view, told now and whenever it changes. */
#include "messages/messages.h"

static void answer(struct client *c, struct request *rq, int rc)
{
    if (rc < 0)
        client_answer(c, rq, "error_string", VIEW("busy"));
    else
        client_done(c, rq);
}

void message_subscribe_rooms(struct client *c, struct request *rq)
{
    answer(c, rq, watch_rooms(c));
}

void message_subscribe_calls(struct client *c, struct request *rq)
{
    answer(c, rq, watch_calls(c));
}

void message_subscribe_queue(struct client *c, struct request *rq)
{
    struct view id = view_cstr(json_object_get_string(json_get(rq->body, "queueid")));
    const struct xod_obj *queue = xod_find(c->ipbx, LIST_queues, id);

    if (queue && fanout_visible(c->gw->fanout, c, queue))
        answer(c, rq, watch_queue(c, queue));
    else
        client_answer(c, rq, "error_string", VIEW("no_such_queue"));
}
