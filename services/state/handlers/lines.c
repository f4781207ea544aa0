/* Lines of programs to clients: to users, to a session, or to all who may see an object. */
#include <stdio.h>

#include "access/access.h"
#include "core/notify.h"
#include "core/object_name.h"
#include "core/profile.h"
#include "handlers/internal.h"

#define MAX_USERS 1000 /* of one line */

size_t handlers_put_line(struct buf *pairs, const msgpack_object *line)
{
    return msg_put_members(pairs, line, (const char *const[]){"class", "replyid", "timenow", NULL});
}

static void send_line(struct state *s, struct xod_ipbx *ipbx, struct view user, struct view session,
                      const msgpack_object *body)
{
    const msgpack_object *line = msg_get(body, "line");
    const msgpack_object *reply_id = msg_get(body, "replyid");
    struct notification t;
    char class[HANDLERS_MAX_CLASS + 1];

    snprintf(class, sizeof(class), "%.*s", VIEW_ARG(msg_get_str(line, "class")));
    notify_begin(&t, class);
    t.n += handlers_put_line(&t.line, line);
    if (reply_id)
        msg_put_object(notify_key(&t, "replyid"), reply_id);
    notify_session(s, ipbx, user, session, &t);
}

/* ---- to all who may see an object ---- */

/* As the gateway of the session decides it. */
static bool session_sees(const struct state *s, const struct session *se, const struct xod_obj *o)
{
    const struct xod_obj *user = session_user(se);
    struct access a;
    bool sees;

    if (!user || access_init(&a, user, access_is_separate(s->cfg)) < 0)
        return false;
    sees = access_limit(&a, user, profile_see(s->cfg, view_cstr(se->capaid))) == 0 &&
           access_sees(&a, o);
    access_fini(&a);
    return sees;
}

/* Whom it reaches has nothing to do with the IPBX of the object. */
static void send_to_seeing(struct state *s, const struct xod_obj *o, const msgpack_object *body)
{
    const struct session *se;

    for (size_t pos = 0; (se = sessions_next(s->sessions, &pos));)
        if (se->gateway && session_sees(s, se, o))
            send_line(s, se->ipbx, view_cstr(se->user_id), view_cstr(se->id), body);
}

/* ---- the request ---- */

static enum bus_status send_to_users(struct state *s, const msgpack_object *users,
                                     const msgpack_object *body)
{
    const struct ipbx *ipbx = state_ipbx(s, msg_get_str(body, "ipbx"));

    if (!worker_are_words(users, MAX_USERS, 64))
        return BUS_malformed;
    if (!ipbx)
        return BUS_not_found;
    for (uint32_t i = 0; i < users->via.array.size; i++)
        send_line(s, ipbx->model->ipbx, msg_str(&users->via.array.ptr[i]),
                  msg_get_str(body, "session"), body);
    return BUS_ok;
}

static enum bus_status send_to_object(struct state *s, struct view name, const msgpack_object *body)
{
    const struct xod_obj *o = object_named(s->xod, name);

    if (name.len == 0)
        return BUS_malformed;
    if (!o)
        return BUS_not_found;
    send_to_seeing(s, o, body);
    return BUS_ok;
}

void handlers_line(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    const msgpack_object *line = msg_get(body, "line");
    const msgpack_object *users = msg_get(body, "users");
    const msgpack_object *object = msg_get(body, "object");
    enum bus_status status;

    if (!handlers_knows(s->handlers, p))
        status = BUS_denied;
    else if (!users == !object || !line || line->type != MSGPACK_OBJECT_MAP ||
             !worker_is_word(msg_get_str(line, "class"), HANDLERS_MAX_CLASS))
        status = BUS_malformed;
    else if (users)
        status = send_to_users(s, users, body);
    else
        status = send_to_object(s, msg_str(object), body);
    state_reply(s, p, id, status);
}
