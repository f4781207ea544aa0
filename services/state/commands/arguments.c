/* Arguments that several classes have. */
#include "commands/commands.h"

bool command_is_self(const struct session *se, const msgpack_object *message, const char *key)
{
    char scratch[32];
    struct view who = msg_get_text(message, key, scratch);
    struct view ipbx;

    if (view_starts(who, VIEW("user:")))
        who = view_of(who.ptr + 5, who.len - 5);
    if (who.len == 0 || view_eq(who, VIEW("null/null")) || view_eq(who, VIEW("special:me")))
        return true;
    if (memchr(who.ptr, '/', who.len)) {
        ipbx = view_cut(&who, '/');
        if (!view_eq(ipbx, xod_ipbx_name(se->ipbx)))
            return false;
    }
    return view_eq(who, view_cstr(se->user_id));
}

bool command_pattern(const msgpack_object *message, char scratch[32], struct view *text)
{
    const msgpack_object *o = msg_get(message, "pattern");

    *text = msg_get_text(message, "pattern", scratch);
    return !o || o->type == MSGPACK_OBJECT_STR || o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
           o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER || o->type == MSGPACK_OBJECT_FLOAT32 ||
           o->type == MSGPACK_OBJECT_FLOAT64;
}
