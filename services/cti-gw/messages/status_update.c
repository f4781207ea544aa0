/* register_*_status_update, unregister_*_status_update: the status of agents, phones (endpoints)
 * and users, each named by a pair of the IPBX and the id. */
#include "messages/messages.h"

/* The id of pair number i, of the client's own IPBX; empty: none. */
static struct view id_at(const struct client *c, struct json_object *pairs, size_t i)
{
    struct json_object *pair = json_object_array_get_idx(pairs, i);
    struct json_object *id;

    if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2 ||
        !view_eq(json_view(json_object_array_get_idx(pair, 0)), xod_ipbx_name(c->ipbx)))
        return view_of(NULL, 0);
    id = json_object_array_get_idx(pair, 1);
    return id ? view_cstr(json_object_get_string(id)) : view_of(NULL, 0);
}

static void each(struct client *c, struct request *rq, const char *key, enum xod_list list, bool on)
{
    struct json_object *pairs = json_get(rq->body, key);

    if (!json_object_is_type(pairs, json_type_array)) {
        client_answer(c, rq, "error_string", schema_status_name(BUS_malformed));
        return;
    }
    for (size_t i = 0; i < json_object_array_length(pairs); i++) {
        struct view id = id_at(c, pairs, i);
        const struct xod_obj *o = id.len ? xod_find(c->ipbx, list, id) : NULL;
        if (!on && id.len)
            watch_status_end(c, list, id);
        else if (on && o && fanout_visible(c->gw->fanout, c, o) && watch_status(c, o) < 0) {
            client_answer(c, rq, "error_string", VIEW("too_many"));
            return;
        }
    }
    client_done(c, rq);
}

#define STATUS_UPDATE(what, key, list)                                                             \
    void message_register_##what(struct client *c, struct request *rq)                             \
    {                                                                                              \
        each(c, rq, key, list, true);                                                              \
    }                                                                                              \
    void message_unregister_##what(struct client *c, struct request *rq)                           \
    {                                                                                              \
        each(c, rq, key, list, false);                                                             \
    }

STATUS_UPDATE(agent, "agent_ids", LIST_agents)
STATUS_UPDATE(endpoint, "endpoint_ids", LIST_phones)
STATUS_UPDATE(user, "user_ids", LIST_users)
