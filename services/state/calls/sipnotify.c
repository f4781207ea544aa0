/* sipnotify, mailboxcount: messages to phones, and what a mailbox holds. */
#include <stdio.h>

#include "calls/ipbx_command.h"

#define MAX_VARIABLES 16

/* "SIP/alice" or "phone:xivo/3". */
static struct xod_obj *phone_of(struct ipbx_command *o)
{
    char scratch[32];
    struct view text = msg_get_text(o->message, "channel", scratch);
    struct target t = ipbx_command_target(o, "channel", LIST_phones);
    struct xod_obj *phone = target_phone(o->s, o->se, &t);
    char id[TARGET_TEXT];

    if (phone || text.len == 0)
        return phone;
    phone = xod_lookup(o->ipbx, LIST_phones, XOD(phones, identity), text, 0);
    if (!phone)
        return NULL;
    snprintf(id, sizeof(id), "%.*s", VIEW_ARG(xod_obj_id(phone)));
    return target_find(o->s, o->se, LIST_phones, view_cstr(id));
}

/* A map {"Event": "check-sync"}, a list of NAME=VALUE, or one of them. */
static size_t read_variables(struct ipbx_command *o, struct view out[MAX_VARIABLES],
                             struct buf *scratch)
{
    const msgpack_object *v = msg_get(o->message, "variables");
    size_t n = 0;

    buf_reserve(scratch, 8192); /* views into it must not move */
    if (v && v->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < v->via.map.size && n < MAX_VARIABLES; i++) {
            size_t at = buf_len(scratch);
            struct value value;
            char text[32];
            if (value_from_msg(&value, &v->via.map.ptr[i].val) < 0)
                continue;
            buf_printf(scratch, "%.*s=%.*s", VIEW_ARG(msg_str(&v->via.map.ptr[i].key)),
                       VIEW_ARG(value_text(&value, text)));
            value_clear(&value);
            out[n++] = view_of(buf_data(scratch) + at, buf_len(scratch) - at);
        }
    if (v && v->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < v->via.array.size && n < MAX_VARIABLES; i++)
            out[n++] = msg_str(&v->via.array.ptr[i]);
    if (v && v->type == MSGPACK_OBJECT_STR)
        out[n++] = msg_str(v);
    return n;
}

void ipbx_sipnotify(struct ipbx_command *o)
{
    struct xod_obj *phone = phone_of(o);
    struct view v[MAX_VARIABLES] = {0};
    struct buf scratch;
    size_t n;

    if (!phone) {
        ipbx_command_wrong(o, "channel", "no_such_phone");
        return;
    }
    buf_init(&scratch, 8192);
    n = read_variables(o, v, &scratch);
    if (n == 0 || scratch.failed)
        ipbx_command_wrong(o, "variables", n ? "too_long" : "missing");
    else /* those that there are not are empty, and left out */
        ipbx_command_action(o, "phone.notify", "peer", xod_get_str(phone, XOD(phones, identity)),
                            "variable", v[0], "variable", v[1], "variable", v[2], "variable", v[3],
                            "variable", v[4], "variable", v[5], "variable", v[6], "variable", v[7],
                            "variable", v[8], "variable", v[9], "variable", v[10], "variable",
                            v[11], "variable", v[12], "variable", v[13], "variable", v[14],
                            "variable", v[15], NULL);
    buf_free(&scratch);
}

/* The answer becomes the status of the mailbox (ami-gw makes an event of it). */
void ipbx_mailboxcount(struct ipbx_command *o)
{
    char scratch[32], room2[32];
    struct view mailbox = msg_get_text(o->message, "mailbox", scratch);
    struct view context = msg_get_text(o->message, "context", room2);
    char full[2 * TARGET_TEXT];
    struct xod_obj *box;

    snprintf(full, sizeof(full), "%.*s@%.*s", (int)(mailbox.len > 80 ? 80 : mailbox.len),
             mailbox.ptr, (int)(context.len > 80 ? 80 : context.len),
             context.len ? context.ptr : "");
    if (context.len == 0)
        snprintf(full + strlen(full), 16, "default");
    box = xod_lookup(o->ipbx, LIST_voicemails, XOD(voicemails, fullmailbox), view_cstr(full), 0);
    if (!box || !target_find(o->s, o->se, LIST_voicemails, xod_obj_id(box)))
        ipbx_command_wrong(o, "mailbox", "no_such_mailbox");
    else
        ipbx_command_action(o, "MailboxCount", "Mailbox",
                            xod_get_str(box, XOD(voicemails, fullmailbox)), NULL);
}
