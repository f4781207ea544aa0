/* chitchat: a line of text for all sessions of another user, wherever they are. */
#include <stdio.h>

#include "access/access.h"
#include "calls/dial_target.h"
#include "commands/chat_log.h"
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "core/notify.h"
#include "federation/peers.h"
#include "sessions/budgets.h"

#define MAX_TEXT 65536

static void answer(struct deferred_reply *l, const char *warning)
{
    struct buf pairs;

    buf_init(&pairs, 1024);
    if (warning)
        msg_put_pair(&pairs, "warning_string", view_cstr(warning));
    deferred_reply_pairs(&l, warning ? 1 : 0, &pairs);
    buf_free(&pairs);
}

/* Clients crash on a `from` that they do not know or that is not SITE/ID: it is made here, of who
 * has sent it, and goes only to who may see that user. */
static void deliver(struct state *s, const struct session *se, const struct xod_obj *to,
                    struct view text)
{
    char from[192], whom[192];
    struct notification t;

    snprintf(from, sizeof(from), "%.*s/%s", VIEW_ARG(xod_ipbx_name(se->ipbx)), se->user_id);
    snprintf(whom, sizeof(whom), "%.*s/%.*s", VIEW_ARG(xod_ipbx_name(xod_obj_ipbx(to))),
             VIEW_ARG(xod_obj_id(to)));
    notify_begin(&t, "chitchat");
    notify_str(&t, "from", view_cstr(from));
    notify_str(&t, "to", view_cstr(whom));
    notify_str(&t, "text", text);
    notify_user(s, xod_obj_ipbx(to), xod_obj_id(to), &t);
}

/* "SITE/ID", or, of clients from 2015-10 on, the two in a list. */
static struct view read_to(const msgpack_object *message, char scratch[192])
{
    const msgpack_object *to = msg_get(message, "to");
    struct value id = {.type = V_NULL};
    char text[32];

    if (!to || to->type != MSGPACK_OBJECT_ARRAY || to->via.array.size != 2)
        return msg_get_text(message, "to", scratch); /* at least 32 bytes */
    if (value_from_msg(&id, &to->via.array.ptr[1]) < 0)
        return view_of(NULL, 0);
    snprintf(scratch, 192, "%.*s/%.*s", VIEW_ARG(msg_str(&to->via.array.ptr[0])),
             VIEW_ARG(value_text(&id, text)));
    value_clear(&id);
    return view_cstr(scratch);
}

/* For one who is not there. */
static void wait_for(struct state *s, const struct session *se, struct deferred_reply *l,
                     const struct xod_obj *to, struct view text)
{
    if (budget_take(s, se, BUDGET_DISK, (double)text.len))
        chat_keep_for(s, se, to, text, &l);
    else
        deferred_reply_status(&l, BUS_busy);
}

static void chitchat(struct state *s, struct session *se, struct deferred_reply *l,
                     const msgpack_object *message)
{
    struct view text = msg_get_str(message, "text");
    char scratch[192];
    struct target t = target_read(s, se, read_to(message, scratch), LIST_users);
    struct xod_obj *to = t.object && xod_obj_list(t.object) == LIST_users ? t.object : NULL;

    if (access_is_peer(view_cstr(se->user_id))) { /* it passes on what a user there has written */
        peers_chat_from(s, se, l, message, text);
        return;
    }
    if (text.len > MAX_TEXT) {
        answer(l, "text_too_long");
        return;
    }
    if (to && t.kind == TARGET_OBJECT && xod_get(to, XOD(users, connection))->type == V_NULL &&
        chat_waits_for(s, to)) {
        wait_for(s, se, l, to, text);
        return;
    }
    if (!to || xod_get(to, XOD(users, connection))->type == V_NULL) {
        answer(l, "not_connected");
        return;
    }
    if (t.kind == TARGET_REMOTE) {
        if (!peers_chat(s, se, l, to, text))
            answer(l, "not_connected");
        return;
    }
    deliver(s, se, to, text);
    if (chat_is_kept(s, se, to) && budget_take(s, se, BUDGET_DISK, (double)text.len))
        chat_keep(s, se, to, text);
    answer(l, NULL);
}

const struct command command_chitchat = {"chitchat", chitchat, false};
