/* The request ami.action of a bus client: passed on to the gateway of the Asterisk that it
 * names (ipbx, default: the first), and the answer passed back. */
#include "calls/ami_forward.h"
#include "core/deferred_reply.h"

/* Longer than the gateway's own deadlines, so that the gateway reports the timeout. */
#define DEADLINE_MS 70000

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;

    deferred_reply_relay(&l, status, body);
}

static bool pass_on(struct state *s, struct ipbx *ipbx, struct deferred_reply *l,
                    const msgpack_object *body)
{
    struct buf pairs;
    size_t n;
    bool sent;

    buf_init(&pairs, 0);
    n = msg_put_members(&pairs, body, (const char *const[]){"ipbx", "deadline_ms", NULL});
    sent = !pairs.failed &&
           bus_server_ask(s->server, ipbx->gateway, METHOD_ami_action, n, buf_view(&pairs),
                          bus_relay_deadline(body, DEADLINE_MS), on_answer, l);
    buf_free(&pairs);
    return sent;
}

void action_pass(struct state *s, struct bus_peer *peer, uint64_t id, const msgpack_object *body)
{
    struct view name = msg_get_str(body, "ipbx");
    struct ipbx *ipbx = name.len ? state_ipbx(s, name) : &s->ipbxes[0];
    struct deferred_reply *l;

    if (!ipbx) {
        state_reply(s, peer, id, BUS_not_found);
        return;
    }
    if (!ipbx->gateway || ipbx->login == 0) {
        state_reply(s, peer, id, BUS_noconn);
        return;
    }
    l = deferred_reply_new(s, peer, id);
    if (l && !pass_on(s, ipbx, l, body))
        deferred_reply_status(&l, BUS_noconn);
}
