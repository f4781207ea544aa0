/* Conferences: rooms of the configuration, and their members. */
#include <stdlib.h>

#include "model/model.h"

static struct xod_obj *room_numbered(struct ipbx_model *d, struct view number)
{
    return number.len ? xod_lookup(d->ipbx, LIST_meetmes, XOD(meetmes, confno), number, 0) : NULL;
}

static const struct value *participants(const struct xod_obj *room)
{
    return xod_get(room, XOD(meetmes, channels));
}

static void put_member(struct value *map, const char *key, bool b)
{
    struct value v = {.type = V_BOOL, .b = b};

    value_map_put(map, view_cstr(key), &v);
}

/* ConfBridge has no user numbers: they are given in the order of coming, as MeetMe does. */
static int64_t next_number(const struct xod_obj *room)
{
    const struct value *all = participants(room);
    int64_t max = 0;

    for (uint32_t i = 0; all->type == V_MAP && i < all->len; i++) {
        const struct value *n = value_map_get(&all->items[2 * i + 1], VIEW("usernum"));
        if (n && n->type == V_INT && n->i > max)
            max = n->i;
    }
    return max + 1;
}

static int64_t number_of(const struct xod_obj *room, const struct value *before,
                         const struct tel *t)
{
    const struct value *n = before ? value_map_get(before, VIEW("usernum")) : NULL;

    if (tel_has(t, TELF_usernum))
        return t->num[TELF_usernum];
    return n && n->type == V_INT ? n->i : next_number(room);
}

static bool flag(const struct value *before, const char *key, const struct tel *t,
                 enum tel_field field, bool otherwise)
{
    const struct value *v = before ? value_map_get(before, view_cstr(key)) : NULL;

    if (tel_has(t, field))
        return t->num[field] != 0;
    return v && v->type == V_BOOL ? v->b : otherwise;
}

/* Writes what is told of a participant over what was known. Its number. */
static int64_t put_participant(struct xod_obj *room, struct view channel, const struct tel *t)
{
    const struct value *before = value_map_get(participants(room), channel);
    struct value who = {.type = V_MAP};
    int64_t number = number_of(room, before, t);
    struct value n = {.type = V_INT, .i = number};
    bool muted = flag(before, "ismuted", t, TELF_muted, false);
    bool authed = flag(before, "isauthed", t, TELF_authed, true);
    struct xod_obj *c = xod_find(xod_obj_ipbx(room), LIST_channels, channel);

    value_map_put(&who, VIEW("usernum"), &n);
    put_member(&who, "isadmin", flag(before, "isadmin", t, TELF_admin, false));
    put_member(&who, "ismuted", muted);
    put_member(&who, "isauthed", authed);
    if (c) {
        xod_set_bool(c, XOD(channels, meetme_ismuted), muted);
        xod_set_bool(c, XOD(channels, meetme_isauthed), authed);
    }
    xod_map_put(room, XOD(meetmes, channels), channel, &who);
    return number;
}

static void channel_out(struct xod_obj *c)
{
    xod_set_bool(c, XOD(channels, meetme_ismeetme), false);
    xod_set_bool(c, XOD(channels, meetme_isadmin), false);
    xod_set_bool(c, XOD(channels, meetme_ismuted), false);
    xod_set_bool(c, XOD(channels, meetme_isauthed), false);
    xod_set_null(c, XOD(channels, meetme_usernum));
    xod_set_null(c, XOD(channels, meetme_since));
    if (!view_eq(xod_get_str(c, XOD(channels, talkingto_kind)), VIEW("meetme")))
        return;
    xod_set_null(c, XOD(channels, talkingto_kind));
    xod_set_null(c, XOD(channels, talkingto_id));
}

static void leave(struct ipbx_model *d, struct xod_obj *room, struct view channel)
{
    struct xod_obj *c = xod_find(d->ipbx, LIST_channels, channel);

    if (c && xod_is_tied(c, room)) {
        channel_out(c);
        xod_unrelate(c, room);
    }
    xod_map_del(room, XOD(meetmes, channels), channel);
}

/* A channel that joins a room is in no other room and no call: where that was not told it is made
 * up for. */
static void leave_others(struct ipbx_model *d, struct xod_obj *c, const struct xod_obj *room)
{
    struct xod_obj *other;

    for (size_t n = 0; (other = xod_related(c, LIST_meetmes, n));)
        if (other == room)
            n++;
        else
            leave(d, other, xod_obj_id(c));
    call_ended(d, c, d->now);
}

void conference_join(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *room = room_numbered(d, t->str[TELF_room]);
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);
    int64_t number = t->num[TELF_usernum];

    if (!tel_has(t, TELF_room))
        return;
    listing_note(d, LISTING_CONFERENCES, t->str[TELF_room], t->str[TELF_channel]);
    listing_note(d, LISTING_CONFERENCES, view_of(NULL, 0), t->str[TELF_channel]);
    if (room && tel_has(t, TELF_application))
        xod_set_str(room, XOD(meetmes, application), t->str[TELF_application]);
    if (room && tel_has(t, TELF_pseudochan))
        xod_set_str(room, XOD(meetmes, pseudochan), t->str[TELF_pseudochan]);
    if (!c)
        return;
    leave_others(d, c, room);
    if (!t->resync && xod_get(c, XOD(channels, meetme_since))->type == V_NULL)
        xod_set_float(c, XOD(channels, meetme_since), d->now);
    if (room && xod_relate(c, room) == 0)
        number = put_participant(room, t->str[TELF_channel], t);
    xod_set_bool(c, XOD(channels, meetme_ismeetme), true);
    if (tel_has(t, TELF_admin))
        xod_set_bool(c, XOD(channels, meetme_isadmin), t->num[TELF_admin]);
    xod_set_int(c, XOD(channels, meetme_usernum), number);
    xod_set_str(c, XOD(channels, talkingto_kind), VIEW("meetme"));
    xod_set_str(c, XOD(channels, talkingto_id), t->str[TELF_room]);
    channel_commstatus(c, "ready", d->now); /* who calls a room has reached it */
}

/* Finds the member where an event has only its number. */
static struct view who_is(const struct xod_obj *room, const struct tel *t)
{
    const struct value *all = participants(room);

    if (tel_has(t, TELF_channel) || !tel_has(t, TELF_usernum))
        return t->str[TELF_channel];
    for (uint32_t i = 0; all->type == V_MAP && i < all->len; i++) {
        const struct value *n = value_map_get(&all->items[2 * i + 1], VIEW("usernum"));
        if (n && n->type == V_INT && n->i == t->num[TELF_usernum])
            return value_view(&all->items[2 * i]);
    }
    return view_of(NULL, 0);
}

void conference_leave(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *room = room_numbered(d, t->str[TELF_room]);
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);

    if (room)
        leave(d, room, who_is(room, t));
    else if (c && view_eq(xod_get_str(c, XOD(channels, talkingto_id)), t->str[TELF_room]))
        channel_out(c); /* a room that is not of the configuration */
}

void conference_change(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *room = room_numbered(d, t->str[TELF_room]);
    struct view channel = room ? who_is(room, t) : view_of(NULL, 0);

    if (channel.len && value_map_get(participants(room), channel))
        put_participant(room, channel, t);
}

void conference_pause(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *room = room_numbered(d, t->str[TELF_room]);

    if (room && tel_has(t, TELF_paused))
        xod_set_bool(room, XOD(meetmes, paused), t->num[TELF_paused]);
}

static struct view first_participant(const struct xod_obj *room)
{
    const struct value *all = participants(room);

    return all->type == V_MAP && all->len ? value_view(&all->items[0]) : view_of(NULL, 0);
}

void conference_end(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *room = room_numbered(d, t->str[TELF_room]);
    struct view channel;

    if (!room)
        return;
    while ((channel = first_participant(room)).len) {
        char *name = view_dup(channel);
        if (!name)
            return;
        leave(d, room, view_cstr(name));
        free(name);
    }
    xod_set_null(room, XOD(meetmes, pseudochan));
    xod_set_bool(room, XOD(meetmes, paused), false);
}

void conference_channel_gone(struct ipbx_model *d, struct xod_obj *channel)
{
    struct xod_obj *room;

    while ((room = xod_related(channel, LIST_meetmes, 0)))
        leave(d, room, xod_obj_id(channel));
}

void conference_channel_renamed(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *channel)
{
    struct xod_obj *room;

    while ((room = xod_related(old, LIST_meetmes, 0))) {
        const struct value *who = value_map_get(participants(room), xod_obj_id(old));
        struct value copy = {.type = V_NULL};
        if (who && value_copy(&copy, who) == 0)
            xod_map_put(room, XOD(meetmes, channels), xod_obj_id(channel), &copy);
        if (xod_get(old, XOD(channels, meetme_since))->type == V_FLOAT)
            xod_set_float(channel, XOD(channels, meetme_since),
                          xod_get(old, XOD(channels, meetme_since))->f);
        xod_relate(channel, room);
        xod_map_del(room, XOD(meetmes, channels), xod_obj_id(old));
        xod_unrelate(old, room);
    }
}

/* The name of a participant that the listing did not name, as a copy; or NULL. */
static char *not_named(struct ipbx_model *d, const struct xod_obj *room)
{
    const struct value *all = participants(room);
    char number[32];
    struct view confno = value_text(xod_get(room, XOD(meetmes, confno)), number);

    for (uint32_t i = 0; all->type == V_MAP && i < all->len; i++)
        if (!listing_named(d, confno, value_view(&all->items[2 * i])))
            return view_dup(value_view(&all->items[2 * i]));
    return NULL;
}

void conference_sweep(struct ipbx_model *d)
{
    struct xod_obj *room;
    struct xod_obj *c;
    char *name;

    for (size_t pos = 0; (room = xod_next(d->ipbx, LIST_meetmes, &pos));)
        while ((name = not_named(d, room))) {
            leave(d, room, view_cstr(name));
            free(name);
        }
    for (size_t pos = 0; (c = xod_next(d->ipbx, LIST_channels, &pos));)
        if (xod_get(c, XOD(channels, meetme_ismeetme))->b &&
            !listing_named(d, view_of(NULL, 0),
                           xod_obj_id(c))) /* also in rooms that are not ours */
            channel_out(c);
}
