/* parking: a line for each call that waits in a parking lot. */
#include "messages/messages.h"

static void put_bay(struct client *c, struct request *rq, const struct xod_obj *lot,
                    struct view bay, const struct value *payload)
{
    struct buf *line = &c->gw->line;

    buf_reset(line);
    line_begin(line, VIEW("parkcall"), rq->reply_id);
    buf_append_cstr(line, ",\"eventkind\":\"parkedcall\",\"ipbxid\":");
    json_put_string(line, xod_ipbx_name(xod_obj_ipbx(lot)));
    buf_append_cstr(line, ",\"parkingbay\":");
    json_put_string(line, bay);
    buf_append_cstr(line, ",\"payload\":");
    if (fanout_masks(c->gw->fanout, c, lot))
        masked_put_bay(line, payload);
    else
        value_put_json(line, payload);
    line_end(line);
    client_send_line(c, line);
}

void message_parking(struct client *c, struct request *rq)
{
    const struct xod_obj *lot;
    bool any = false;

    for (size_t pos = 0; (lot = xod_next(c->ipbx, LIST_parkinglots, &pos));) {
        const struct value *bays = xod_get(lot, XOD(parkinglots, bays));
        if (!fanout_visible(c->gw->fanout, c, lot))
            continue;
        for (uint32_t i = 0; bays->type == V_MAP && i < bays->len; i++, any = true)
            put_bay(c, rq, lot, value_view(&bays->items[2 * i]), &bays->items[2 * i + 1]);
    }
    if (!any)
        client_done(c, rq);
}
