/* Parking lots: which channel waits in which bay. */
#include <stdlib.h>

#include "model/model.h"

static struct xod_obj *lot_named(struct ipbx_model *d, struct view name)
{
    return name.len ? xod_lookup(d->ipbx, LIST_parkinglots, XOD(parkinglots, name), name, 0) : NULL;
}

static const struct value *bays(const struct xod_obj *lot)
{
    return xod_get(lot, XOD(parkinglots, bays));
}

static void put_text(struct value *bay, const char *key, struct view text)
{
    struct value v = {.type = V_NULL};

    if (text.len == 0 || value_set_str(&v, text) == 0)
        value_map_put(bay, view_cstr(key), &v);
}

/* Clients show a parked call as one with its bay. The call that it was in is over, though its
 * bridge may say so later. */
static void show_waiting(struct ipbx_model *d, struct xod_obj *c, struct view space)
{
    call_ended(d, c, d->now);
    xod_set_str(c, XOD(channels, talkingto_kind), VIEW("parking"));
    xod_set_str(c, XOD(channels, talkingto_id), space);
    party_parked(c, space);
}

static void waits_no_more(struct xod_obj *c)
{
    if (!view_eq(xod_get_str(c, XOD(channels, talkingto_kind)), VIEW("parking")))
        return; /* somebody has taken the call already */
    xod_set_null(c, XOD(channels, talkingto_kind));
    xod_set_null(c, XOD(channels, talkingto_id));
    party_lost(c);
}

static void free_bay(struct ipbx_model *d, struct xod_obj *lot, struct view space)
{
    const struct value *bay = value_map_get(bays(lot), space);
    const struct value *parked = bay ? value_map_get(bay, VIEW("parked")) : NULL;
    struct xod_obj *c = parked ? xod_find(d->ipbx, LIST_channels, value_view(parked)) : NULL;

    if (c) {
        xod_set_bool(c, XOD(channels, parked), false);
        xod_unrelate(c, lot);
        waits_no_more(c);
    }
    xod_map_del(lot, XOD(parkinglots, bays), space);
}

/* What is known of this channel's bay, or NULL: a listing tells less than the event did (1.8 not
 * who parked it), and it must not seem to have come just now. */
static const struct value *known(const struct xod_obj *lot, struct view space, struct view channel)
{
    const struct value *bay = value_map_get(bays(lot), space);
    const struct value *parked = bay ? value_map_get(bay, VIEW("parked")) : NULL;

    return parked && view_eq(value_view(parked), channel) ? bay : NULL;
}

static double parktime(const struct value *before, const struct tel *t)
{
    const struct value *since = before ? value_map_get(before, VIEW("parktime")) : NULL;

    if (since && since->type == V_FLOAT)
        return since->f;
    return t->time - (double)(tel_has(t, TELF_duration) ? t->num[TELF_duration] : 0);
}

static struct view parker(const struct value *before, const struct tel *t)
{
    if (tel_has(t, TELF_parker) || !before)
        return t->str[TELF_parker];
    return value_view(value_map_get(before, VIEW("parker")));
}

static void fill_bay(struct xod_obj *lot, struct view space, struct view channel,
                     const struct tel *t)
{
    const struct value *before = known(lot, space, channel);
    struct value bay = {.type = V_MAP};
    struct value since = {.type = V_FLOAT, .f = parktime(before, t)};

    put_text(&bay, "parker", parker(before, t));
    put_text(&bay, "parked", channel);
    put_text(&bay, "exten", space);
    put_text(&bay, "cid_name", t->str[TELF_callerid_name]);
    put_text(&bay, "cid_num", t->str[TELF_callerid_num]);
    value_map_put(&bay, VIEW("parktime"), &since);
    xod_map_put(lot, XOD(parkinglots, bays), space, &bay);
}

/* The bay of a channel, as a copy; or NULL. */
static char *bay_of(const struct xod_obj *lot, struct view channel)
{
    const struct value *all = bays(lot);

    for (uint32_t i = 0; all->type == V_MAP && i < all->len; i++) {
        const struct value *parked = value_map_get(&all->items[2 * i + 1], VIEW("parked"));
        if (parked && view_eq(value_view(parked), channel))
            return view_dup(value_view(&all->items[2 * i]));
    }
    return NULL;
}

/* A bay holds one channel, and a channel is in one bay: where a leaving was not told it is made up
 * for. */
static void make_room(struct ipbx_model *d, struct xod_obj *lot, struct view space,
                      struct xod_obj *c)
{
    const struct value *bay = value_map_get(bays(lot), space);
    const struct value *parked = bay ? value_map_get(bay, VIEW("parked")) : NULL;
    struct xod_obj *other;

    if (parked && !view_eq(value_view(parked), xod_obj_id(c)))
        free_bay(d, lot, space);
    for (size_t n = 0; (other = xod_related(c, LIST_parkinglots, n));) {
        char *before = bay_of(other, xod_obj_id(c));
        if (other == lot && before && view_eq(view_cstr(before), space))
            n++;
        else if (before)
            free_bay(d, other, view_cstr(before));
        else
            xod_unrelate(c, other);
        free(before);
    }
}

void parking_parked(struct ipbx_model *d, const struct tel *t)
{
    struct view space = t->str[TELF_space];
    struct xod_obj *lot = lot_named(d, t->str[TELF_lot]);
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);

    listing_note(d, LISTING_PARKING, t->str[TELF_lot], space);
    listing_note(d, LISTING_PARKING, view_of(NULL, 0), t->str[TELF_channel]);
    if (!c)
        return;
    if (lot && space.len)
        make_room(d, lot, space, c);
    xod_set_bool(c, XOD(channels, parked), true);
    if (space.len)
        show_waiting(d, c, space);
    if (lot && space.len && xod_relate(c, lot) == 0)
        fill_bay(lot, space, t->str[TELF_channel], t);
}

void parking_over(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *lot = lot_named(d, t->str[TELF_lot]);
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);

    if (c) { /* wherever it was thought to be */
        parking_channel_gone(d, c);
        xod_set_bool(c, XOD(channels, parked), false);
        waits_no_more(c);
    } else if (lot && tel_has(t, TELF_space)) {
        free_bay(d, lot, t->str[TELF_space]);
    }
}

void parking_channel_gone(struct ipbx_model *d, struct xod_obj *channel)
{
    struct xod_obj *lot;

    while ((lot = xod_related(channel, LIST_parkinglots, 0))) {
        char *space = bay_of(lot, xod_obj_id(channel));
        if (space)
            free_bay(d, lot, view_cstr(space));
        free(space);
        xod_unrelate(channel, lot);
    }
}

void parking_channel_renamed(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *channel)
{
    struct xod_obj *lot;

    while ((lot = xod_related(old, LIST_parkinglots, 0))) {
        char *space = bay_of(lot, xod_obj_id(old));
        struct value bay = {.type = V_NULL};
        if (space && value_copy(&bay, value_map_get(bays(lot), view_cstr(space))) == 0) {
            put_text(&bay, "parked", xod_obj_id(channel));
            xod_map_put(lot, XOD(parkinglots, bays), view_cstr(space), &bay);
            xod_relate(channel, lot);
        }
        free(space);
        xod_unrelate(old, lot);
    }
}

/* A bay that the listing did not name, as a copy; or NULL. */
static char *not_named(struct ipbx_model *d, const struct xod_obj *lot)
{
    const struct value *all = bays(lot);
    char scratch[32];
    struct view name = value_text(xod_get(lot, XOD(parkinglots, name)), scratch);

    for (uint32_t i = 0; all->type == V_MAP && i < all->len; i++)
        if (!listing_named(d, name, value_view(&all->items[2 * i])))
            return view_dup(value_view(&all->items[2 * i]));
    return NULL;
}

void parking_sweep(struct ipbx_model *d)
{
    struct xod_obj *lot;
    struct xod_obj *c;
    char *space;

    for (size_t pos = 0; (lot = xod_next(d->ipbx, LIST_parkinglots, &pos));)
        while ((space = not_named(d, lot))) {
            free_bay(d, lot, view_cstr(space));
            free(space);
        }
    for (size_t pos = 0; (c = xod_next(d->ipbx, LIST_channels, &pos));)
        if (!listing_named(d, view_of(NULL, 0),
                           xod_obj_id(c))) { /* also in lots that are not ours */
            xod_set_bool(c, XOD(channels, parked), false);
            waits_no_more(c);
        }
}
