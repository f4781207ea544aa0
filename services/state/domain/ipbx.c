/* The Asterisk itself: its link, and what a complete listing says about what is gone. */
#include <stdlib.h>

#include "base/map.h"
#include "domain/domain.h"

static void named_drop(struct domain *d)
{
    size_t pos = 0;
    struct view key;
    void *v;

    while (d->named && map_next(d->named, &pos, &key, &v))
        free(v);
    map_destroy(&d->named);
}

void domain_destroy(struct domain **d)
{
    if (!d || !*d)
        return;
    named_drop(*d);
    free(*d);
    *d = NULL;
}

/* A channel that was named since resync/begin. */
struct noted {
    bool linked; /* in a call, as far as was told since then */
    char name[];
};

void ipbx_note(struct domain *d, struct view channel)
{
    struct noted *n;

    if (!d->named || map_get(d->named, channel))
        return;
    n = malloc(sizeof(*n) + channel.len);
    if (!n)
        return;
    n->linked = false;
    memcpy(n->name, channel.ptr, channel.len);
    if (map_put(d->named, view_of(n->name, channel.len), n) < 0)
        free(n);
}

void ipbx_note_link(struct domain *d, struct view channel, bool linked)
{
    struct noted *n = d->named ? map_get(d->named, channel) : NULL;

    if (n)
        n->linked = linked;
}

static void set_link(struct domain *d, const char *link, double now)
{
    struct xod_obj *o = xod_add(d->site, LIST_ipbx, xod_site_name(d->site));

    if (!o || view_eq(xod_get_str(o, XOD(ipbx, link)), view_cstr(link)))
        return;
    xod_set_str(o, XOD(ipbx, link), view_cstr(link));
    xod_set_float(o, XOD(ipbx, since), now);
}

/* link/up is of use to monitors only: the gateway registers with state at each login, which also
 * works when state was not there to hear the event. */
void ipbx_link(struct domain *d, const struct tel *t)
{
    if (t->event == TEL_link_down)
        domain_link_down(d, t->time);
}

void domain_link_up(struct domain *d, struct view banner, double now)
{
    struct xod_obj *o = xod_add(d->site, LIST_ipbx, xod_site_name(d->site));

    named_drop(d);
    d->resynced = false;
    if (o && banner.len)
        xod_set_str(o, XOD(ipbx, banner), banner);
    set_link(d, "resync", now);
}

void domain_link_down(struct domain *d, double now)
{
    named_drop(d); /* a listing cut short says nothing about what is gone */
    d->resynced = false;
    set_link(d, "down", now);
}

/* What was not named is gone; who was not told to be in a call is in none. */
static void drop_ghosts(struct domain *d, double now)
{
    struct xod_obj *c;
    size_t pos = 0;

    while ((c = xod_next(d->site, LIST_channels, &pos))) {
        const struct noted *n = map_get(d->named, xod_obj_id(c));
        if (!n)
            channel_remove(d, c);
        else if (!n->linked)
            call_ended(d, c, now);
    }
}

void ipbx_resync(struct domain *d, const struct tel *t)
{
    bool channels = view_eq(t->str[TELF_kind], VIEW("channels"));
    bool all = view_eq(t->str[TELF_kind], VIEW("all"));

    if (t->event == TEL_resync_begin) {
        if (channels) {
            named_drop(d);
            d->named = map_new();
        }
        return;
    }
    if (channels && d->named) {
        d->synthetic = true;
        drop_ghosts(d, t->time);
        named_drop(d);
    }
    if (all) {
        d->resynced = true;
        set_link(d, "up", t->time);
    }
}
