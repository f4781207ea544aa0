/*
 * Who is at a leg and who at its other end, as clients are shown it: name and number, and both as
 * one text.
 *
 * What an event says of a party is all that is known of it, but a header that the event does not
 * have says nothing: an empty one clears.
 */
#include <stdio.h>

#include "model/model.h"

/* "Alice Martin (1001)", or what is known of the two. */
static void display(struct xod_obj *c, unsigned field, unsigned name, unsigned number)
{
    struct view who = xod_get_str(c, name);
    struct view num = xod_get_str(c, number);
    struct buf text;

    if (who.len == 0 || num.len == 0 || view_eq(who, num)) {
        xod_set_text(c, field, who.len ? who : num);
        return;
    }
    buf_init(&text, 65536);
    buf_printf(&text, "%.*s (%.*s)", VIEW_ARG(who), VIEW_ARG(num));
    xod_set_text(c, field, buf_view(&text));
    buf_free(&text);
}

/* `new_name` without a number, or the other way round: of the same party, unless the number is
 * another. */
static void take(struct xod_obj *c, const struct tel *t, unsigned name, unsigned number,
                 enum tel_field new_name, enum tel_field new_number)
{
    bool other = tel_has(t, new_number) && !view_eq(xod_get_str(c, number), t->str[new_number]);

    if (tel_has(t, new_name) || other)
        xod_set_text(c, name, t->str[new_name]);
    if (tel_has(t, new_number))
        xod_set_text(c, number, t->str[new_number]);
}

static void show(struct xod_obj *c, struct view name, struct view number)
{
    xod_set_text(c, XOD(channels, peer_name), name);
    xod_set_text(c, XOD(channels, peer_number), number);
    display(c, XOD(channels, peerdisplay), XOD(channels, peer_name), XOD(channels, peer_number));
}

static void show_connected(struct xod_obj *c)
{
    show(c, xod_get_str(c, XOD(channels, connected_name)),
         xod_get_str(c, XOD(channels, connected_num)));
}

static bool knows_connected(const struct xod_obj *c)
{
    return xod_get_str(c, XOD(channels, connected_name)).len ||
           xod_get_str(c, XOD(channels, connected_num)).len;
}

void party_take(struct ipbx_model *d, struct xod_obj *c, const struct tel *t)
{
    bool told = t->event == TEL_channel_connected;

    take(c, t, XOD(channels, callerid_name), XOD(channels, callerid_num), TELF_callerid_name,
         TELF_callerid_num);
    display(c, XOD(channels, thisdisplay), XOD(channels, callerid_name),
            XOD(channels, callerid_num));
    if (!tel_has(t, TELF_connected_num) && !tel_has(t, TELF_connected_name))
        return;
    take(c, t, XOD(channels, connected_name), XOD(channels, connected_num), TELF_connected_name,
         TELF_connected_num);
    calllog_party(d, c, t->str[TELF_connected_num], t->str[TELF_connected_name]);
    if (told) {
        xod_set_bool(c, XOD(channels, connected), true);
        xod_set_bool(c, XOD(channels, peer_gone), false);
    }
    if (!xod_get(c, XOD(channels, peer_gone))->b)
        show_connected(c);
}

void party_met(struct xod_obj *c, const struct xod_obj *peer)
{
    struct view name = xod_get_str(peer, XOD(channels, callerid_name));
    struct view number = xod_get_str(peer, XOD(channels, callerid_num));

    xod_set_bool(c, XOD(channels, peer_gone), false);
    if (name.len || number.len)
        show(c, name, number);
}

/* Asterisk 12 and later tell the connected line themselves, before 12 only the call tells. */
void party_linked(struct xod_obj *c, const struct xod_obj *peer)
{
    if (!xod_get(c, XOD(channels, connected))->b || !knows_connected(c)) {
        party_met(c, peer);
        return;
    }
    xod_set_bool(c, XOD(channels, peer_gone), false);
    show_connected(c);
}

/* ---- through chains of Local channels ---- */

/* A Local channel leads on to another, that to a third: more of them are not followed. */
#define MAX_HOPS 8

/* Who is at the end of the chain that begins with this channel's other end; NULL: nobody yet. */
static struct xod_obj *far_end(struct ipbx_model *d, const struct xod_obj *c)
{
    struct xod_obj *peer = channel_peer(c);

    for (int hop = 0; peer && local_is_half(xod_obj_id(peer)); hop++) {
        const struct xod_obj *half = hop < MAX_HOPS ? local_other_half(d, peer) : NULL;
        peer = half ? channel_peer(half) : NULL;
    }
    return peer;
}

/* The caller of a queue is not shown the members that ring behind Local channels, either. */
static void show_far(struct xod_obj *c, const struct xod_obj *end)
{
    if (call_waits_in_queue(c))
        return;
    if (!xod_get(c, XOD(channels, connected))->b || !knows_connected(c))
        party_met(c, end);
}

void party_chain(struct ipbx_model *d, struct xod_obj *channel)
{
    const struct xod_obj *half = local_other_half(d, channel);
    const struct xod_obj *peer = channel_peer(channel);
    struct xod_obj *one = half ? far_end(d, half) : channel;
    struct xod_obj *other = far_end(d, channel);

    if (!one || !other || one == other || !peer || (!half && !local_is_half(xod_obj_id(peer))))
        return;
    show_far(one, other);
    show_far(other, one);
}

void party_parked(struct xod_obj *c, struct view space)
{
    struct buf text;

    party_lost(c);
    buf_init(&text, 256);
    buf_printf(&text, "Parking (%.*s)", VIEW_ARG(space));
    if (!text.failed)
        xod_set_str(c, XOD(channels, peerdisplay), buf_view(&text));
    buf_free(&text);
}

void party_lost(struct xod_obj *c)
{
    xod_set_bool(c, XOD(channels, peer_gone), true);
    show(c, view_of(NULL, 0), view_of(NULL, 0));
}
