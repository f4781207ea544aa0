/* Which CTI command is carried out by which file. */
#include "internal.h"

static const struct command *const commands[] = {&command_availstate};

void command_run(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct session *se = session_find(s->sessions, msg_get_str(body, "session"));
    struct view class = msg_get_str(body, "class");
    const msgpack_object *message = msg_get(body, "message");

    if (!se) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    if (!message || message->type != MSGPACK_OBJECT_MAP) {
        state_reply(s, p, id, BUS_malformed);
        return;
    }
    if (!profile_permits(s->cfg, view_cstr(se->capaid), "regcommands", class)) {
        state_reply(s, p, id, BUS_unallowed);
        return;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (view_eq(view_cstr(commands[i]->class), class)) {
            commands[i]->fn(s, se, p, id, message);
            return;
        }
    state_reply(s, p, id, BUS_unknown_method);
}
