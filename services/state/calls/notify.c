/* sipnotify, mailboxcount: messages to phones, and what a mailbox holds. */
#include <stdio.h>

#include "calls/ipbx_command.h"

#define MAX_VARIABLES 16

/* "SIP/alice" or "phone:xivo/3". */
static struct xod_obj *phone_of(struct order *o)
{
    char room[32];
    struct view text = msg_get_text(o->message, "channel", room);
    struct target t = order_target(o, "channel", LIST_phones);
    struct xod_obj *phone = target_phone(o->s, o->se, &t);
    char id[TARGET_TEXT];

    if (phone || text.len == 0)
        return phone;
    phone = xod_lookup(o->site, LIST_phones, XOD(phones, identity), text, 0);
    if (!phone)
        return NULL;
    snprintf(id, sizeof(id), "%.*s", VIEW_ARG(xod_obj_id(phone)));
    return target_find(o->s, o->se, LIST_phones, view_cstr(id));
}

/* A map {"Event": "check-sync"}, a list of NAME=VALUE, or one of them. */
static size_t read_variables(struct order *o, struct view out[MAX_VARIABLES], struct buf *room)
{
    const msgpack_object *v = msg_get(o->message, "variables");
    size_t n = 0;

    buf_reserve(room, 8192); /* views into it must not move */
    if (v && v->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < v->via.map.size && n < MAX_VARIABLES; i++) {
            size_t at = buf_len(room);
            struct value value;
            char text[32];
            if (value_from_msg(&value, &v->via.map.ptr[i].val) < 0)
                continue;
            buf_printf(room, "%.*s=%.*s", VIEW_ARG(msg_str(&v->via.map.ptr[i].key)),
                       VIEW_ARG(value_text(&value, text)));
            value_clear(&value);
            out[n++] = view_of(buf_data(room) + at, buf_len(room) - at);
        }
    if (v && v->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < v->via.array.size && n < MAX_VARIABLES; i++)
            out[n++] = msg_str(&v->via.array.ptr[i]);
    if (v && v->type == MSGPACK_OBJECT_STR)
        out[n++] = msg_str(v);
    return n;
}

void ipbx_sipnotify(struct order *o)
{
    struct xod_obj *phone = phone_of(o);
    struct view v[MAX_VARIABLES] = {0};
    struct buf room;
    size_t n;

    if (!phone) {
        order_wrong(o, "channel", "no_such_phone");
        return;
    }
    buf_init(&room, 8192);
    n = read_variables(o, v, &room);
    if (n == 0 || room.failed)
        order_wrong(o, "variables", n ? "too_long" : "missing");
    else /* those that there are not are empty, and left out */
        order_action(o, "phone.notify", "peer", xod_get_str(phone, XOD(phones, identity)),
                     "variable", v[0], "variable", v[1], "variable", v[2], "variable", v[3],
                     "variable", v[4], "variable", v[5], "variable", v[6], "variable", v[7],
                     "variable", v[8], "variable", v[9], "variable", v[10], "variable", v[11],
                     "variable", v[12], "variable", v[13], "variable", v[14], "variable", v[15],
                     NULL);
    buf_free(&room);
}

/* The answer becomes the status of the mailbox (ami-gw makes an event of it). */
void ipbx_mailboxcount(struct order *o)
{
    char room[32], room2[32];
    struct view mailbox = msg_get_text(o->message, "mailbox", room);
    struct view context = msg_get_text(o->message, "context", room2);
    char full[2 * TARGET_TEXT];
    struct xod_obj *box;

    snprintf(full, sizeof(full), "%.*s@%.*s", (int)(mailbox.len > 80 ? 80 : mailbox.len),
             mailbox.ptr, (int)(context.len > 80 ? 80 : context.len),
             context.len ? context.ptr : "");
    if (context.len == 0)
        snprintf(full + strlen(full), 16, "default");
    box = xod_lookup(o->site, LIST_voicemails, XOD(voicemails, fullmailbox), view_cstr(full), 0);
    if (!box || !target_find(o->s, o->se, LIST_voicemails, xod_obj_id(box)))
        order_wrong(o, "mailbox", "no_such_mailbox");
    else
        order_action(o, "MailboxCount", "Mailbox", xod_get_str(box, XOD(voicemails, fullmailbox)),
                     NULL);
}
