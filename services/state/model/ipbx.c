/* The Asterisk itself: its link, and its listings. */
#include "model/model.h"

static void set_link(struct ipbx_model *d, const char *link, double now)
{
    struct xod_obj *o = xod_add(d->ipbx, LIST_ipbx, xod_ipbx_name(d->ipbx));

    if (!o || view_eq(xod_get_str(o, XOD(ipbx, link)), view_cstr(link)))
        return;
    xod_set_str(o, XOD(ipbx, link), view_cstr(link));
    xod_set_float(o, XOD(ipbx, since), now);
}

/* link/up is of use to monitors only: the gateway registers with state at each login, which also
 * works when state was not there to hear the event. */
void ipbx_link(struct ipbx_model *d, const struct tel *t)
{
    if (t->event == TEL_link_down)
        ipbx_model_link_down(d, t->time);
}

void ipbx_model_link_up(struct ipbx_model *d, struct view banner, double now)
{
    struct xod_obj *o = xod_add(d->ipbx, LIST_ipbx, xod_ipbx_name(d->ipbx));

    listing_drop(d);
    d->resynced = false;
    if (o && banner.len)
        xod_set_str(o, XOD(ipbx, banner), banner);
    set_link(d, "resync", now);
}

void ipbx_model_link_down(struct ipbx_model *d, double now)
{
    listing_drop(d); /* a listing cut short says nothing about what is gone */
    d->resynced = false;
    if (d->lost_at == 0)
        d->lost_at = now;
    set_link(d, "down", now);
}

/* The link is down already: what has ended did so when it went. */
void ipbx_gone(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c;

    if (!tel_has(t, TELF_reason))
        return;
    if (d->lost_at == 0)
        d->lost_at = t->time;
    d->synthetic = true;
    for (size_t pos = 0; (c = xod_next(d->ipbx, LIST_channels, &pos));)
        channel_remove(d, c, false);
    phone_all_idle(d);
    member_all_idle(d);
    agent_all_idle(d);
}

void ipbx_resync(struct ipbx_model *d, const struct tel *t)
{
    struct view kind = t->str[TELF_kind];

    if (t->event == TEL_resync_begin) {
        if (!view_eq(kind, VIEW("all")))
            listing_begin(d, kind);
        if (view_eq(kind, VIEW("hints")))
            phone_hints_begin(d);
        return;
    }
    if (!view_eq(kind, VIEW("all"))) {
        listing_end(d, kind, t->time);
        return;
    }
    d->resynced = true;
    d->lost_at = 0;
    set_link(d, "up", t->time);
}
