/* Objects of xod as lines of the CTI protocol. */
#include <time.h>

#include "internal.h"

/* When a member had its last call, as the clients from 2013 on show it: by the clock of the site,
 * and nothing where there was none. */
static void put_last_call(struct buf *out, const struct xod_obj *member)
{
    char text[16] = "";
    int64_t when;
    time_t seconds;
    struct tm tm;

    if (view_to_i64(xod_get_str(member, XOD(queuemembers, lastcall)), &when) == 0 && when > 0) {
        seconds = (time_t)when;
        if (localtime_r(&seconds, &tm))
            strftime(text, sizeof(text), "%H:%M:%S", &tm);
    }
    json_put_string(out, view_cstr(text));
}

static void put_field(struct buf *out, const struct xod_obj *o, unsigned f, bool masked)
{
    if (xod_obj_list(o) == LIST_queuemembers && f == XOD(queuemembers, lastcall))
        put_last_call(out, o);
    else if (masked)
        masked_put_field(out, o, f);
    else
        value_put_json(out, xod_get(o, f));
}

void render_member_2012(struct buf *out, const struct xod_obj *member, uint64_t mask)
{
    const struct schema_list *l = schema_list(LIST_queuemembers);
    const char *sep = "";

    buf_append_char(out, '{');
    for (mask &= schema_client_mask(LIST_queuemembers) & ~XOD_BIT(queuemembers, relations); mask;
         mask &= mask - 1) {
        unsigned f = (unsigned)__builtin_ctzll(mask);
        buf_printf(out, "%s\"%s\":", sep, l->fields[f].name);
        value_put_json(out, xod_get(member, f));
        sep = ",";
    }
    buf_append_char(out, '}');
}

static void put_fields(struct buf *out, const struct xod_obj *o, uint64_t mask, bool masked,
                       struct view freed)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));
    const char *sep = "";

    buf_append_char(out, '{');
    if (xod_obj_list(o) == LIST_parkinglots && mask & XOD_BIT(parkinglots, bays)) {
        sep = bays_put(out, xod_get(o, XOD(parkinglots, bays)), masked, sep);
        sep = bays_put_freed(out, freed, sep);
        mask &= ~XOD_BIT(parkinglots, bays);
    }
    for (; mask; mask &= mask - 1) {
        unsigned f = (unsigned)__builtin_ctzll(mask);
        buf_append_cstr(out, sep);
        buf_append_char(out, '"');
        buf_append_view(out, l->fields[f].vname); /* no name needs escaping */
        buf_append(out, "\":", 2);
        put_field(out, o, f, masked);
        sep = ",";
    }
    buf_append_char(out, '}');
}

void render_fields(struct buf *out, const struct xod_obj *o, uint64_t mask, bool masked)
{
    put_fields(out, o, mask, masked, view_of(NULL, 0));
}

void render_id(struct buf *out, struct view id)
{
    int64_t n;

    if (view_to_i64(id, &n) == 0)
        json_put_i64(out, n);
    else
        json_put_string(out, id);
}

void render_getlist(struct buf *out, struct view reply_id, const char *function, struct view list,
                    struct view ipbx, struct view tid)
{
    line_begin(out, VIEW("getlist"), reply_id);
    buf_append_cstr(out, ",\"function\":\"");
    buf_append_cstr(out, function);
    buf_append_cstr(out, "\",\"listname\":");
    json_put_string(out, list);
    buf_append_cstr(out, ",\"tipbxid\":");
    json_put_string(out, ipbx);
    if (tid.len) {
        buf_append_cstr(out, ",\"tid\":");
        json_put_string(out, tid);
    }
}

static void put_update(struct buf *out, const struct xod_obj *o, const char *function,
                       const char *key, uint64_t mask, bool masked, struct view freed)
{
    mask &= schema_client_mask(xod_obj_list(o));
    if (!mask)
        return;
    render_getlist(out, view_of(NULL, 0), function, schema_list(xod_obj_list(o))->vname,
                   xod_ipbx_name(xod_obj_ipbx(o)), xod_obj_id(o));
    buf_append_cstr(out, key);
    put_fields(out, o, mask, masked, freed);
    line_end(out);
}

static void put_list(struct buf *out, const struct xod_obj *o, const char *function)
{
    render_getlist(out, view_of(NULL, 0), function, schema_list(xod_obj_list(o))->vname,
                   xod_ipbx_name(xod_obj_ipbx(o)), view_of(NULL, 0));
    buf_append_cstr(out, ",\"list\":[");
    json_put_string(out, xod_obj_id(o));
    buf_append_char(out, ']');
    line_end(out);
}

void render_presence(struct buf *out, const struct xod_obj *o, bool there)
{
    put_list(out, o, there ? "addconfig" : "delconfig");
}

/* Clients do not ask for channels by list: a new one is told with all its status at once, and one
 * that ends says "hangup" before it goes. */
static void render_channel(struct buf *out, const struct xod_change *c, bool masked)
{
    if (c->op != XOD_DEL) {
        put_update(out, c->obj, "updatestatus", ",\"status\":", c->fields, masked,
                   view_of(NULL, 0));
        return;
    }
    render_getlist(out, view_of(NULL, 0), "updatestatus", VIEW("channels"),
                   xod_ipbx_name(xod_obj_ipbx(c->obj)), xod_obj_id(c->obj));
    buf_append_cstr(out, ",\"status\":{\"commstatus\":\"hangup\"}");
    line_end(out);
    put_list(out, c->obj, "delconfig");
}

void render_change(struct buf *out, const struct xod_change *c, bool masked, struct view freed)
{
    enum xod_list list = xod_obj_list(c->obj);

    if (list == LIST_ipbx)
        return;
    if (list == LIST_channels) {
        render_channel(out, c, masked);
        return;
    }
    if (c->op == XOD_ADD) {
        put_list(out, c->obj, "addconfig");
        if (list ==
            LIST_calls) /* its status is all there is of it, and is over before it is asked for */
            put_update(out, c->obj, "updatestatus", ",\"status\":", c->fields, masked, freed);
    } else if (c->op == XOD_DEL) {
        put_list(out, c->obj, "delconfig");
    } else {
        put_update(out, c->obj, "updateconfig",
                   ",\"config\":", c->fields & schema_plane_mask(list, PLANE_CONFIG), masked,
                   freed);
        put_update(out, c->obj, "updatestatus",
                   ",\"status\":", c->fields & schema_plane_mask(list, PLANE_STATUS), masked,
                   freed);
    }
}
