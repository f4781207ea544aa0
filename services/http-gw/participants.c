/* Who is in a call: its channels, their phones, and the users of these. */
#include "access/masked.h"
#include "internal.h"

struct xod_obj *participant(const struct xod_obj *call, size_t n)
{
    const struct value *list = xod_get(call, XOD(calls, participants));

    return list->type == V_LIST && n < list->len
               ? xod_find(xod_obj_ipbx(call), LIST_channels, value_view(&list->items[n]))
               : NULL;
}

size_t participants_count(const struct xod_obj *call)
{
    const struct value *list = xod_get(call, XOD(calls, participants));

    return list->type == V_LIST ? list->len : 0;
}

struct view participant_user(const struct xod_obj *channel, char scratch[32])
{
    const struct value *ties = xod_get(channel, XOD(channels, relations));

    for (uint32_t i = 0; ties->type == V_LIST && i < ties->len; i++) {
        struct view id = value_view(&ties->items[i]);
        struct view kind = view_cut(&id, ':');
        struct xod_obj *phone =
            view_eq(kind, VIEW("phone")) ? xod_find(xod_obj_ipbx(channel), LIST_phones, id) : NULL;
        if (phone)
            return value_text(xod_get(phone, XOD(phones, iduserfeatures)), scratch);
    }
    return view_of(NULL, 0);
}

static void put_text(struct buf *out, const char *key, struct view text, bool masked)
{
    buf_printf(out, ",\"%s\":", key);
    if (text.len == 0)
        buf_append_cstr(out, "null");
    else if (masked)
        masked_put_text(out, text);
    else
        json_put_string(out, text);
}

static void put_one(struct buf *out, const struct xod_obj *channel, struct view name, bool masked)
{
    struct view nothing = view_of(NULL, 0);
    char scratch[32];

    buf_append_cstr(out, "{\"channel\":");
    json_put_string(out, name);
    put_text(out, "user", channel ? participant_user(channel, scratch) : nothing, false);
    put_text(out, "name", channel ? xod_get_str(channel, XOD(channels, callerid_name)) : nothing,
             masked);
    put_text(out, "number", channel ? xod_get_str(channel, XOD(channels, callerid_num)) : nothing,
             masked);
    put_text(out, "autocall", channel ? xod_get_str(channel, XOD(channels, autocall)) : nothing,
             false);
    buf_append_char(out, '}');
}

void participants_put(struct buf *out, const struct xod_obj *call, bool masked)
{
    const struct value *list = xod_get(call, XOD(calls, participants));

    buf_append_char(out, '[');
    for (uint32_t i = 0; list->type == V_LIST && i < list->len; i++) {
        if (i)
            buf_append_char(out, ',');
        put_one(out, participant(call, i), value_view(&list->items[i]), masked);
    }
    buf_append_char(out, ']');
}
