/* Views of what goes on, as later clients subscribe to them: made anew from the replica each time.
 */
#include "base/array.h"
#include "internal.h"

static void put_text(struct buf *line, const char *key, struct view text)
{
    buf_printf(line, ",\"%s\":", key);
    json_put_string(line, text);
}

static void put_float(struct buf *line, const char *key, const struct value *v, double otherwise)
{
    buf_printf(line, ",\"%s\":", key);
    json_put_double(line, v->type == V_FLOAT ? v->f : otherwise);
}

/* ---- own phones ---- */

static struct xod_obj *own_phone(const struct client *c, uint32_t i)
{
    const struct xod_obj *user = client_user(c);
    const struct value *lines = user ? xod_get(user, XOD(users, linelist)) : NULL;

    return lines && lines->type == V_LIST && i < lines->len
               ? xod_find(c->ipbx, LIST_phones, value_view(&lines->items[i]))
               : NULL;
}

bool view_is_own_channel(const struct client *c, struct view channel)
{
    const struct xod_obj *phone;

    for (uint32_t i = 0; (phone = own_phone(c, i)); i++)
        if (value_list_has(xod_get(phone, XOD(phones, channels)), channel))
            return true;
    return false;
}

/* ---- conferences ---- */

static struct xod_obj *participant(const struct xod_obj *scratch, uint32_t i,
                                   const struct value **who)
{
    const struct value *all = xod_get(scratch, XOD(meetmes, channels));

    if (all->type != V_MAP || i >= all->len)
        return NULL;
    *who = &all->items[2 * i + 1];
    return xod_find(xod_obj_ipbx(scratch), LIST_channels, value_view(&all->items[2 * i]));
}

static uint32_t count_of(const struct xod_obj *scratch)
{
    const struct value *all = xod_get(scratch, XOD(meetmes, channels));

    return all->type == V_MAP ? all->len : 0;
}

/* Name or number of a party of somebody's call, as far as this client may see it. */
static void put_party(struct buf *line, struct client *client, const char *key,
                      const struct xod_obj *channel, unsigned field)
{
    struct view text = xod_get_str(channel, field);

    if (fanout_hides(client->gw->fanout, client, channel))
        text = VIEW("");
    buf_printf(line, ",\"%s\":", key);
    if (fanout_masks(client->gw->fanout, client, channel))
        masked_put_text(line, text);
    else
        json_put_string(line, text);
}

static void put_member(struct buf *line, struct client *client, const struct xod_obj *c,
                       const struct value *who)
{
    const struct value *number = value_map_get(who, VIEW("usernum"));
    const struct value *muted = value_map_get(who, VIEW("ismuted"));
    char scratch[32];
    struct view n = number ? value_text(number, scratch) : VIEW("0");

    json_put_string(line, n);
    buf_append_cstr(line, ":{\"join_order\":");
    render_id(line, n);
    put_float(line, "join_time", xod_get(c, XOD(channels, meetme_since)), -1);
    put_party(line, client, "number", c, XOD(channels, callerid_num));
    put_party(line, client, "name", c, XOD(channels, callerid_name));
    put_text(line, "muted", muted && muted->type == V_BOOL && muted->b ? VIEW("Yes") : VIEW("No"));
    buf_append_char(line, '}');
}

/* 0: nobody is there; -1: it was not seen who came first. */
static double start_of(const struct xod_obj *scratch)
{
    double start = 0;

    for (uint32_t i = 0; i < count_of(scratch); i++) {
        const struct value *who;
        const struct xod_obj *c = participant(scratch, i, &who);
        const struct value *since = c ? xod_get(c, XOD(channels, meetme_since)) : NULL;
        if (!since || since->type != V_FLOAT)
            return -1;
        if (i == 0 || since->f < start)
            start = since->f;
    }
    return start;
}

static void put_room(struct buf *line, struct client *client, const struct xod_obj *scratch)
{
    const struct value *who;
    const char *sep = "";
    char text[32];
    struct view number = value_text(xod_get(scratch, XOD(meetmes, confno)), text);

    json_put_string(line, number);
    buf_append_cstr(line, ":{\"number\":");
    json_put_string(line, number);
    put_text(line, "name", xod_get_str(scratch, XOD(meetmes, name)));
    put_text(line, "pin_required",
             value_truth(xod_get(scratch, XOD(meetmes, pin_needed))) ? VIEW("Yes") : VIEW("No"));
    buf_append_cstr(line, ",\"start_time\":");
    json_put_double(line, start_of(scratch));
    buf_printf(line, ",\"member_count\":%u,\"members\":{", count_of(scratch));
    for (uint32_t i = 0; i < count_of(scratch); i++) {
        const struct xod_obj *c = participant(scratch, i, &who);
        if (!c)
            continue;
        buf_append_cstr(line, sep);
        put_member(line, client, c, who);
        sep = ",";
    }
    buf_append_cstr(line, "}}");
}

void view_rooms(struct buf *line, struct client *c)
{
    const struct xod_obj *scratch;
    const char *sep = "";

    line_begin(line, VIEW("meetme_update"), view_of(NULL, 0));
    buf_append_cstr(line, ",\"config\":{");
    for (size_t pos = 0; (scratch = xod_next(c->ipbx, LIST_meetmes, &pos));) {
        if (!fanout_visible(c->gw->fanout, c, scratch))
            continue;
        buf_append_cstr(line, sep);
        put_room(line, c, scratch);
        sep = ",";
    }
    buf_append_char(line, '}');
    line_end(line);
}

void view_own_rooms(struct buf *line, struct client *c)
{
    const struct xod_obj *scratch;
    const char *sep = "";

    line_begin(line, VIEW("meetme_user"), view_of(NULL, 0));
    buf_append_cstr(line, ",\"list\":[");
    for (size_t pos = 0; (scratch = xod_next(c->ipbx, LIST_meetmes, &pos));)
        for (uint32_t i = 0; i < count_of(scratch); i++) {
            const struct value *who, *number;
            const struct xod_obj *channel = participant(scratch, i, &who);
            char text[32];
            if (!channel || !view_is_own_channel(c, xod_obj_id(channel)))
                continue;
            number = value_map_get(who, VIEW("usernum"));
            buf_append_cstr(line, sep);
            buf_append_cstr(line, "{\"room_number\":");
            json_put_string(line, value_text(xod_get(scratch, XOD(meetmes, confno)), text));
            buf_append_cstr(line, ",\"user_number\":");
            json_put_i64(line, number && number->type == V_INT ? number->i : 0);
            buf_append_char(line, '}');
            sep = ",";
        }
    buf_append_char(line, ']');
    line_end(line);
}

/* ---- calls ---- */

static struct view status_of(const struct xod_obj *c)
{
    struct view comm = xod_get_str(c, XOD(channels, commstatus));

    if (xod_get(c, XOD(channels, holded))->type == V_BOOL && xod_get(c, XOD(channels, holded))->b)
        return VIEW("on_hold");
    if (view_starts(comm, VIEW("linked")))
        return VIEW("up");
    if (view_eq(comm, VIEW("ready")) && view_eq(xod_get_str(c, XOD(channels, state)), VIEW("Up")))
        return VIEW("up"); /* with an application: a mailbox, a conference */
    return comm;           /* ringing, calling */
}

static void put_call(struct buf *line, const struct xod_obj *c)
{
    const struct xod_obj *peer =
        xod_find(xod_obj_ipbx(c), LIST_channels, xod_get_str(c, XOD(channels, talkingto_id)));
    struct view name = xod_get_str(c, XOD(channels, peer_name));
    struct view number = xod_get_str(c, XOD(channels, peer_number));

    buf_append_cstr(line, "{\"cid_name\":");
    json_put_string(line, peer ? xod_get_str(peer, XOD(channels, callerid_name)) : name);
    put_text(line, "cid_number", peer ? xod_get_str(peer, XOD(channels, callerid_num)) : number);
    put_text(line, "call_status", status_of(c));
    put_float(line, "call_start", xod_get(c, XOD(channels, timestamp)), 0);
    buf_append_char(line, '}');
}

void view_calls(struct buf *line, struct client *c)
{
    const struct xod_obj *phone;
    const char *sep = "";

    line_begin(line, VIEW("current_calls"), view_of(NULL, 0));
    buf_append_cstr(line, ",\"current_calls\":[");
    for (uint32_t i = 0; (phone = own_phone(c, i)); i++) {
        const struct value *channels = xod_get(phone, XOD(phones, channels));
        for (uint32_t k = 0; channels->type == V_LIST && k < channels->len; k++) {
            const struct xod_obj *channel =
                xod_find(c->ipbx, LIST_channels, value_view(&channels->items[k]));
            if (!channel)
                continue;
            buf_append_cstr(line, sep);
            put_call(line, channel);
            sep = ",";
        }
    }
    buf_append_char(line, ']');
    line_end(line);
}

/* ---- queues ---- */

void view_queue(struct buf *line, struct client *client, const struct xod_obj *queue)
{
    const struct value *waiting = xod_get(queue, XOD(queues, incalls));
    const char *sep = "";

    line_begin(line, VIEW("queueentryupdate"), view_of(NULL, 0));
    buf_append_cstr(line, ",\"state\":{\"queue_name\":");
    json_put_string(line, xod_get_str(queue, XOD(queues, name)));
    buf_append_cstr(line, ",\"queue_id\":");
    render_id(line, xod_obj_id(queue));
    buf_append_cstr(line, ",\"entries\":[");
    for (uint32_t i = 0; waiting->type == V_LIST && i < waiting->len; i++) {
        const struct xod_obj *c =
            xod_find(xod_obj_ipbx(queue), LIST_channels, value_view(&waiting->items[i]));
        if (!c)
            continue;
        buf_printf(line, "%s{\"position\":%u", sep, i + 1);
        put_party(line, client, "name", c, XOD(channels, callerid_name));
        put_party(line, client, "number", c, XOD(channels, callerid_num));
        put_float(line, "join_time", xod_get(c, XOD(channels, waiting_since)), 0);
        put_text(line, "uniqueid", xod_get_str(c, XOD(channels, uniqueid)));
        buf_append_char(line, '}');
        sep = ",";
    }
    buf_append_cstr(line, "]}");
    line_end(line);
}

/* ---- status of one object ---- */

static void put_status(struct buf *line, const struct xod_obj *o)
{
    bool out;

    switch (xod_obj_list(o)) {
    case LIST_agents:
        out = view_eq(xod_get_str(o, XOD(agents, availability)), VIEW("logged_out"));
        json_put_string(line, out ? VIEW("logged_out") : VIEW("logged_in"));
        break;
    case LIST_phones:
        render_id(line, xod_get_str(o, XOD(phones, hintstatus)));
        break;
    default:
        json_put_string(line, xod_get_str(o, XOD(users, availstate)));
    }
}

void view_status(struct buf *line, const struct xod_obj *o)
{
    static const struct {
        enum xod_list list;
        struct view class;
        const char *id;
    } kinds[] = {{LIST_agents, VIEW("agent_status_update"), "agent_id"},
                 {LIST_phones, VIEW("endpoint_status_update"), "endpoint_id"},
                 {LIST_users, VIEW("user_status_update"), "user_id"}};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (xod_obj_list(o) != kinds[i].list)
            continue;
        line_begin(line, kinds[i].class, view_of(NULL, 0));
        buf_append_cstr(line, ",\"data\":{\"xivo_uuid\":");
        json_put_string(line, xod_ipbx_name(xod_obj_ipbx(o)));
        buf_printf(line, ",\"%s\":", kinds[i].id);
        render_id(line, xod_obj_id(o));
        buf_append_cstr(line, ",\"status\":");
        put_status(line, o);
        buf_append_char(line, '}');
        line_end(line);
    }
}
