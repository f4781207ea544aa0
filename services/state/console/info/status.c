/* INFO: currentstatus, all that is going on as a tree: what belongs to what is further in. */
#include "console/info/info.h"
#include "users/relations.h"

/* A field as text, in the scratch of the console: one at a time. */
static const char *text_of(struct info *i, const struct xod_obj *o, unsigned field)
{
    const char *text;

    buf_reset(&i->line);
    info_put_value(&i->line, xod_get(o, field));
    text = buf_cstr(&i->line);
    return text && *text ? text : "-";
}

/* Adds to a line that is put together in `to`. */
static void add(struct buf *to, const char *what, const char *text)
{
    buf_printf(to, "%s%s", what, text);
}

static void end_line(struct info *i, struct buf *line)
{
    text_put(&i->out, buf_view(line));
    buf_append_char(&i->out, '\n');
    buf_free(line);
}

static void begin_line(struct buf *line, unsigned depth, const char *what, struct view id)
{
    buf_init(line, 65536);
    buf_printf(line, "%*s%s %.*s", (int)(2 * depth), "", what, VIEW_ARG(id));
}

static void put_channel(struct info *i, const struct xod_obj *c, unsigned depth)
{
    struct buf line;

    begin_line(&line, depth, "channel", xod_obj_id(c));
    add(&line, ": ", text_of(i, c, XOD(channels, state)));
    add(&line, ", ", text_of(i, c, XOD(channels, commstatus)));
    add(&line, ", with ", text_of(i, c, XOD(channels, talkingto_id)));
    add(&line, " ", text_of(i, c, XOD(channels, peerdisplay)));
    add(&line, ", relations ", text_of(i, c, XOD(channels, relations)));
    end_line(i, &line);
}

static void put_channels(struct info *i, const struct xod_obj *of, unsigned depth)
{
    const struct xod_obj *c;

    for (size_t pos = 0; (c = xod_tied_next(of, LIST_channels, &pos));)
        put_channel(i, c, depth);
}

static void put_phone(struct info *i, const struct xod_obj *p, unsigned depth)
{
    struct buf line;

    begin_line(&line, depth, "phone", xod_obj_id(p));
    add(&line, " ", text_of(i, p, XOD(phones, identity)));
    add(&line, ", number ", text_of(i, p, XOD(phones, number)));
    add(&line, "@", text_of(i, p, XOD(phones, context)));
    add(&line, ": hint ", text_of(i, p, XOD(phones, hintstatus)));
    add(&line, ", relations ", text_of(i, p, XOD(phones, relations)));
    end_line(i, &line);
    put_channels(i, p, depth + 1);
}

static void put_agent(struct info *i, const struct xod_obj *a, unsigned depth)
{
    struct buf line;

    begin_line(&line, depth, "agent", xod_obj_id(a));
    add(&line, ", number ", text_of(i, a, XOD(agents, number)));
    add(&line, ": ", text_of(i, a, XOD(agents, status)));
    add(&line, ", ", text_of(i, a, XOD(agents, availability)));
    add(&line, ", at ", text_of(i, a, XOD(agents, phonenumber)));
    add(&line, ", relations ", text_of(i, a, XOD(agents, relations)));
    end_line(i, &line);
}

static void put_user(struct info *i, const struct xod_obj *u)
{
    const struct xod_obj *other;
    struct buf line;

    begin_line(&line, 1, "user", xod_obj_id(u));
    add(&line, " ", text_of(i, u, XOD(users, loginclient)));
    add(&line, " (", text_of(i, u, XOD(users, fullname)));
    add(&line, "): ", text_of(i, u, XOD(users, availstate)));
    add(&line, ", logged in: ", text_of(i, u, XOD(users, connection)));
    end_line(i, &line);
    for (size_t pos = 0; (other = xod_tied_next(u, LIST_phones, &pos));)
        put_phone(i, other, 2);
    other = relations_agent(u);
    if (other)
        put_agent(i, other, 2);
}

static void put_users(struct info *i, struct xod_ipbx *ipbx)
{
    const struct xod_obj *o;

    for (size_t pos = 0; (o = xod_next(ipbx, LIST_users, &pos));)
        put_user(i, o);
    for (size_t pos = 0; (o = xod_next(ipbx, LIST_phones, &pos));)
        if (!relations_user(o))
            put_phone(i, o, 1);
    for (size_t pos = 0; (o = xod_next(ipbx, LIST_agents, &pos));)
        if (!relations_user(o))
            put_agent(i, o, 1);
}

/* ---- queues and groups ---- */

static void put_members(struct info *i, struct xod_ipbx *ipbx, struct view queue)
{
    const struct xod_obj *m;
    struct buf line;

    for (size_t n = 0;
         (m = xod_lookup(ipbx, LIST_queuemembers, XOD(queuemembers, queue_name), queue, n)); n++) {
        begin_line(&line, 2, "member", xod_get_str(m, XOD(queuemembers, interface)));
        add(&line, ": status ", text_of(i, m, XOD(queuemembers, status)));
        add(&line, ", paused ", text_of(i, m, XOD(queuemembers, paused)));
        add(&line, ", calls ", text_of(i, m, XOD(queuemembers, callstaken)));
        end_line(i, &line);
    }
}

static void put_waiting(struct info *i, const struct value *incalls)
{
    for (uint32_t n = 0; incalls->type == V_LIST && n < incalls->len; n++)
        info_line(i, "    waiting %.*s", VIEW_ARG(value_view(&incalls->items[n])));
}

static void put_queues(struct info *i, struct xod_ipbx *ipbx, enum xod_list list)
{
    bool queues = list == LIST_queues;
    unsigned name = queues ? XOD(queues, name) : XOD(groups, name);
    unsigned number = queues ? XOD(queues, number) : XOD(groups, number);
    const struct xod_obj *q;
    struct buf line;

    for (size_t pos = 0; (q = xod_next(ipbx, list, &pos));) {
        char scratch[32];
        begin_line(&line, 1, queues ? "queue" : "group", xod_obj_id(q));
        add(&line, " ", text_of(i, q, name));
        add(&line, ", number ", text_of(i, q, number));
        add(&line, ", relations ",
            text_of(i, q, queues ? XOD(queues, relations) : XOD(groups, relations)));
        end_line(i, &line);
        put_members(i, ipbx, value_text(xod_get(q, name), scratch));
        put_waiting(i, xod_get(q, queues ? XOD(queues, incalls) : XOD(groups, incalls)));
    }
}

/* ---- the rest ---- */

static void put_trunks(struct info *i, struct xod_ipbx *ipbx)
{
    const struct xod_obj *t;
    struct buf line;

    for (size_t pos = 0; (t = xod_next(ipbx, LIST_trunks, &pos));) {
        begin_line(&line, 1, "trunk", xod_obj_id(t));
        add(&line, " ", text_of(i, t, XOD(trunks, identity)));
        end_line(i, &line);
        put_channels(i, t, 2);
    }
}

/* The pairs of a map, a line each. */
static void put_map(struct info *i, const char *what, const struct value *map)
{
    for (uint32_t n = 0; map->type == V_MAP && n < map->len; n++) {
        struct view key = value_view(&map->items[2 * n]);
        buf_reset(&i->line);
        info_put_value(&i->line, &map->items[2 * n + 1]);
        info_line(i, "    %s %.*s %.*s", what, VIEW_ARG(key), VIEW_ARG(buf_view(&i->line)));
    }
}

static void put_rooms(struct info *i, struct xod_ipbx *ipbx)
{
    const struct xod_obj *o;
    struct buf line;

    for (size_t pos = 0; (o = xod_next(ipbx, LIST_meetmes, &pos));) {
        begin_line(&line, 1, "room", xod_obj_id(o));
        add(&line, ", number ", text_of(i, o, XOD(meetmes, confno)));
        end_line(i, &line);
        put_map(i, "channel", xod_get(o, XOD(meetmes, channels)));
    }
    for (size_t pos = 0; (o = xod_next(ipbx, LIST_parkinglots, &pos));) {
        begin_line(&line, 1, "lot", xod_obj_id(o));
        add(&line, " ", text_of(i, o, XOD(parkinglots, name)));
        end_line(i, &line);
        put_map(i, "bay", xod_get(o, XOD(parkinglots, bays)));
    }
    for (size_t pos = 0; (o = xod_next(ipbx, LIST_voicemails, &pos));) {
        begin_line(&line, 1, "mailbox", xod_obj_id(o));
        add(&line, " ", text_of(i, o, XOD(voicemails, fullmailbox)));
        add(&line, ": new ", text_of(i, o, XOD(voicemails, newcount)));
        add(&line, ", old ", text_of(i, o, XOD(voicemails, old)));
        end_line(i, &line);
    }
}

/* Channels of no phone or trunk: halves of Local channels, announcements... */
static void put_others(struct info *i, struct xod_ipbx *ipbx)
{
    const struct xod_obj *c;

    for (size_t pos = 0; (c = xod_next(ipbx, LIST_channels, &pos));)
        if (!xod_related(c, LIST_phones, 0) && !xod_related(c, LIST_trunks, 0))
            put_channel(i, c, 1);
}

enum info_end info_currentstatus(struct info *i, const struct info_words *w)
{
    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        struct xod_ipbx *ipbx = i->state->ipbxes[n].model->ipbx;
        const struct xod_obj *self = xod_find(ipbx, LIST_ipbx, xod_ipbx_name(ipbx));
        info_line(i, "ipbx %.*s: link %s", VIEW_ARG(xod_ipbx_name(ipbx)),
                  self ? text_of(i, self, XOD(ipbx, link)) : "-");
        put_users(i, ipbx);
        put_queues(i, ipbx, LIST_queues);
        put_queues(i, ipbx, LIST_groups);
        put_trunks(i, ipbx);
        put_rooms(i, ipbx);
        put_others(i, ipbx);
    }
    return INFO_OK;
}
