/* Requests that are passed on to another connection, and answered with what comes back from there.
 */
#include "bus/bus.h"
#include "msg/msg.h"

static enum bus_status relayed(enum bus_status status)
{
    return status == BUS_gone ? BUS_noconn : status;
}

static struct view body_of(struct buf *out, const msgpack_object *body)
{
    buf_init(out, 0);
    if (body)
        msg_put_object(out, body);
    return buf_view(out);
}

int bus_client_relay(struct bus_client *a, uint64_t id, enum bus_status status,
                     const msgpack_object *body)
{
    struct buf out;
    int rc = bus_client_reply(a, id, relayed(status), body_of(&out, body));

    buf_free(&out);
    return rc;
}

int bus_server_relay(struct bus_server *s, struct bus_peer *peer, uint64_t id,
                     enum bus_status status, const msgpack_object *body)
{
    struct buf out;
    int rc = bus_server_reply(s, peer, id, relayed(status), body_of(&out, body));

    buf_free(&out);
    return rc;
}

uint32_t bus_relay_deadline(const msgpack_object *body, uint32_t most)
{
    int64_t ms = msg_get_i64(body, "deadline_ms", most);

    return ms > 0 && ms < most ? (uint32_t)ms : most;
}
