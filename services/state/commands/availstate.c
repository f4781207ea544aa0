/* availstate: a user's presence. */
#include "internal.h"

static void availstate(struct state *s, struct session *se, struct bus_peer *p, uint64_t id,
                       const msgpack_object *message)
{
    struct xod_obj *user = session_user(se);
    struct view to = msg_get_str(message, "availstate");
    char room[32];
    struct view who = msg_get_text(message, "userid", room);

    if (!user) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    /* J13 says "null/null"; of others only oneself may be set until permissions say more. */
    if (who.len && !view_eq(who, xod_obj_id(user)) && !view_eq(who, VIEW("null/null"))) {
        state_reply(s, p, id, BUS_unallowed);
        return;
    }
    if (view_eq(to, VIEW("disconnected")) ||
        !profile_presence_allowed(s->cfg, view_cstr(se->capaid),
                                  xod_get_str(user, XOD(users, availstate)), to)) {
        state_reply(s, p, id, BUS_unallowed);
        return;
    }
    xod_set_str(user, XOD(users, availstate), to);
    state_commit(s, false);
    state_reply(s, p, id, BUS_ok);
}

const struct command command_availstate = {"availstate", availstate};
