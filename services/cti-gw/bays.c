/*
 * The bays of parking lots. In a line of the CTI protocol each bay is a member of the status, and
 * one that is free again is told as {}: clients keep what they were told. xod has only those that
 * are taken, so what was told is remembered here.
 */
#include <stdlib.h>

#include "internal.h"

/* Of one lot: the names of the bays that were taken, each ended by a NUL. */
struct lot {
    struct buf taken;
    char *key; /* of the map: IPBX/LOT */
};

static void lot_free(void *arg)
{
    struct lot *lot = arg;

    buf_free(&lot->taken);
    free(lot->key);
    free(lot);
}

void bays_destroy(struct map **lots)
{
    map_destroy_with(lots, lot_free);
}

static bool lot_key(struct buf *key, const struct xod_obj *o)
{
    buf_append_view(key, xod_ipbx_name(xod_obj_ipbx(o)));
    buf_append_char(key, '/');
    buf_append_view(key, xod_obj_id(o));
    return !key->failed;
}

static struct lot *lot_of(struct map *lots, struct view key)
{
    struct lot *lot = map_get(lots, key);

    if (lot)
        return lot;
    lot = calloc(1, sizeof(*lot));
    if (!lot)
        return NULL;
    buf_init(&lot->taken, 0);
    lot->key = view_dup(key);
    if (!lot->key || map_put(lots, view_cstr(lot->key), lot) < 0) {
        lot_free(lot);
        return NULL;
    }
    return lot;
}

/* What is taken now, and into *freed what was and is not. */
static void note(struct lot *lot, const struct value *bays, struct buf *freed)
{
    struct view before = buf_view(&lot->taken);

    while (before.len) {
        struct view name = view_cut(&before, '\0');
        if (!value_map_get(bays, name)) {
            buf_append_view(freed, name);
            buf_append_char(freed, '\0');
        }
    }
    buf_reset(&lot->taken);
    for (uint32_t i = 0; bays->type == V_MAP && i < bays->len; i++) {
        buf_append_view(&lot->taken, value_view(&bays->items[2 * i]));
        buf_append_char(&lot->taken, '\0');
    }
}

void bays_change(struct map *lots, const struct xod_change *c, struct buf *freed)
{
    struct buf key;
    struct lot *lot;

    buf_reset(freed);
    if (xod_obj_list(c->obj) != LIST_parkinglots)
        return;
    buf_init(&key, 0);
    lot = lot_key(&key, c->obj) ? lot_of(lots, buf_view(&key)) : NULL;
    if (lot && c->op == XOD_DEL) {
        map_del(lots, buf_view(&key));
        lot_free(lot);
    } else if (lot) {
        note(lot, xod_get(c->obj, XOD(parkinglots, bays)), freed);
    }
    buf_free(&key);
}

const char *bays_put(struct buf *out, const struct value *bays, bool masked, const char *sep)
{
    for (uint32_t i = 0; bays->type == V_MAP && i < bays->len; i++, sep = ",") {
        buf_append_cstr(out, sep);
        json_put_string(out, value_view(&bays->items[2 * i]));
        buf_append_char(out, ':');
        if (masked)
            masked_put_bay(out, &bays->items[2 * i + 1]);
        else
            value_put_json(out, &bays->items[2 * i + 1]);
    }
    return sep;
}

const char *bays_put_freed(struct buf *out, struct view freed, const char *sep)
{
    for (; freed.len; sep = ",") {
        struct view name = view_cut(&freed, '\0');
        buf_append_cstr(out, sep);
        json_put_string(out, name);
        buf_append_cstr(out, ":{}");
    }
    return sep;
}
