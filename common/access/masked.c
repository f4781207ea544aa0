/* Fields of objects in which the numbers of other people's calls are masked. */
#include "access/masked.h"

#include "access/access.h"
#include "json/json.h"

/* Which fields have numbers: also as a name, and in the texts of both. */
static uint64_t numbers_of(enum xod_list list)
{
    switch (list) {
    case LIST_channels:
        return XOD_BIT(channels, thisdisplay) | XOD_BIT(channels, peerdisplay) |
               XOD_BIT(channels, peer_name) | XOD_BIT(channels, peer_number) |
               XOD_BIT(channels, callerid_num) | XOD_BIT(channels, callerid_name) |
               XOD_BIT(channels, exten);
    case LIST_calls:
        return XOD_BIT(calls, caller_name) | XOD_BIT(calls, caller_number) |
               XOD_BIT(calls, called_name) | XOD_BIT(calls, called_number);
    default:
        return 0;
    }
}

void masked_put_text(struct buf *out, struct view text)
{
    struct buf shown;

    buf_init(&shown, 0);
    access_mask(&shown, text);
    json_put_string(out, buf_view(&shown));
    buf_free(&shown);
}

void masked_put_bay(struct buf *out, const struct value *bay)
{
    const char *sep = "";

    if (bay->type != V_MAP) {
        value_put_json(out, bay);
        return;
    }
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < bay->len; i++) {
        struct view key = value_view(&bay->items[2 * i]);
        const struct value *v = &bay->items[2 * i + 1];
        buf_append_cstr(out, sep);
        json_put_string(out, key);
        buf_append_char(out, ':');
        if (view_starts(key, VIEW("cid_")) && v->type == V_STR)
            masked_put_text(out, value_view(v));
        else
            value_put_json(out, v);
        sep = ",";
    }
    buf_append_char(out, '}');
}

void masked_put_field(struct buf *out, const struct xod_obj *o, unsigned field)
{
    const struct value *v = xod_get(o, field);

    if (v->type == V_STR && numbers_of(xod_obj_list(o)) & ((uint64_t)1 << field))
        masked_put_text(out, value_view(v));
    else
        value_put_json(out, v);
}
