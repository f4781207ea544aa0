/*
 * Who holds whom. Asterisk names the channel that holds; clients are shown that one on hold as long
 * as it is in the call that it holds. While it consults a third party, it is in a call with that
 * party, and the held party is shown on hold.
 */
#include "model/model.h"

static bool is_waiting(const struct xod_obj *c)
{
    return xod_get_str(c, XOD(channels, held_by)).len > 0;
}

static void wait_no_longer(struct xod_obj *c)
{
    xod_set_null(c, XOD(channels, held_by));
    xod_set_bool(c, XOD(channels, holded), false);
}

/* The channel that this one holds, if it waits for it; else NULL. */
static struct xod_obj *waiting_for(struct ipbx_model *d, const struct xod_obj *holder)
{
    struct xod_obj *held = channel_named(d, xod_get_str(holder, XOD(channels, holds)));

    return held && view_eq(xod_get_str(held, XOD(channels, held_by)), xod_obj_id(holder)) ? held
                                                                                          : NULL;
}

static void end(struct ipbx_model *d, struct xod_obj *holder)
{
    struct xod_obj *held = waiting_for(d, holder);

    if (held)
        wait_no_longer(held);
    xod_set_null(holder, XOD(channels, holds));
}

void channel_hold(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);
    const struct xod_obj *peer;

    if (!c)
        return;
    end(d, c);
    peer = channel_peer(c);
    xod_set_bool(c, XOD(channels, holded), t->event == TEL_channel_hold);
    if (t->event == TEL_channel_hold && peer)
        xod_set_str(c, XOD(channels, holds), xod_obj_id(peer));
}

static void linked(struct ipbx_model *d, struct xod_obj *c, const struct xod_obj *peer)
{
    struct view holds = xod_get_str(c, XOD(channels, holds));
    struct xod_obj *held;

    if (is_waiting(c))
        wait_no_longer(c);
    if (holds.len == 0 || view_eq(holds, xod_obj_id(peer)))
        return;
    xod_set_bool(c, XOD(channels, holded), false);
    held = channel_named(d, holds);
    if (!held || channel_is_linked(held) ||
        !view_eq(xod_get_str(held, XOD(channels, state)), VIEW("Up")))
        return;
    xod_set_str(held, XOD(channels, held_by), xod_obj_id(c));
    xod_set_bool(held, XOD(channels, holded), true);
    party_met(held, c);
}

void hold_linked(struct ipbx_model *d, struct xod_obj *a, struct xod_obj *b)
{
    linked(d, a, b);
    linked(d, b, a);
}

void hold_move(struct ipbx_model *d, struct xod_obj *from, struct xod_obj *to)
{
    struct xod_obj *held = waiting_for(d, from);
    struct xod_obj *holder = channel_named(d, xod_get_str(from, XOD(channels, held_by)));
    struct xod_obj *peer = channel_peer(from);

    if (held)
        xod_set_str(held, XOD(channels, held_by), xod_obj_id(to));
    if (peer && view_eq(xod_get_str(peer, XOD(channels, holds)), xod_obj_id(from)))
        xod_set_str(peer, XOD(channels, holds), xod_obj_id(to));
    if (!holder)
        return;
    xod_set_str(holder, XOD(channels, holds), xod_obj_id(to));
    xod_set_str(to, XOD(channels, held_by), xod_obj_id(holder));
    xod_set_bool(to, XOD(channels, holded), true);
    wait_no_longer(from);
}

void hold_forget(struct ipbx_model *d, struct xod_obj *channel)
{
    end(d, channel);
}
