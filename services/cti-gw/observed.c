/* Messages that this gateway answers by itself, for who observes them (state publishes them all).
 */
#include "bus/topic.h"
#include "internal.h"

#define DEADLINE_MS 2000
#define MAX_MESSAGE ((size_t)64 * 1024) /* a longer one is told of without what is in it */

bool observed(const struct client *c, struct view class)
{
    char mem[512];
    struct buf topic = {.mem = mem, .cap = sizeof(mem), .max = sizeof(mem)};
    size_t prefix;

    buf_append_cstr(&topic, "cti/");
    topic_put(&topic, xod_ipbx_name(c->ipbx));
    topic_put(&topic, VIEW("message"));
    prefix = buf_len(&topic);
    topic_put(&topic, class);
    return !topic.failed &&
           bus_pub_asked_for(c->gw->pub, view_of(buf_view(&topic).ptr, prefix), buf_view(&topic));
}

static void put_message(struct buf *pairs, struct json_object *body)
{
    struct value message;
    struct buf packed;

    buf_init(&packed, MAX_MESSAGE);
    if (value_from_json(&message, body) == 0)
        value_pack(&packed, &message);
    value_clear(&message);
    if (packed.failed || buf_len(&packed) == 0)
        msg_put_nil(pairs);
    else
        buf_append_view(pairs, buf_view(&packed));
    buf_free(&packed);
}

void observed_tell(struct client *c, const struct request *rq, uint64_t us)
{
    struct gateway *g = c->gw;
    struct buf *pairs = &g->pairs;
    char session[64];

    if (!bus_client_is_up(g->bus_client))
        return;
    client_session_name(c, session);
    buf_reset(pairs);
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_pair(pairs, "class", rq->class);
    msg_put_pair(pairs, "outcome", g->said[0] ? view_cstr(g->said) : schema_status_name(BUS_ok));
    msg_put_pair_u64(pairs, "us", us);
    msg_put_cstr(pairs, "message");
    put_message(pairs, rq->body);
    if (!pairs->failed)
        bus_ask(g->bus_client, METHOD_cti_observed, 5, buf_view(pairs), DEADLINE_MS, NULL, NULL);
}
