/*
 * The domain: what an event of an Asterisk means for the objects of its site.
 *
 * Pure: event and store in, changes of the store out; no sockets, no clocks (the time comes with
 * the event). One file a noun. The caller commits the store after each event.
 */
#ifndef CTIBUS_STATE_DOMAIN_H
#define CTIBUS_STATE_DOMAIN_H

#include "domain/tel.h"
#include "xod/xod.h"

/* What the domain remembers of a site beside its objects. */
struct domain {
    struct xod_site *site;
    struct map *named; /* channels named since resync/begin (ipbx.c), or NULL */
    bool synthetic;    /* the changes of this event were made by ctibus, not by Asterisk */
    bool resynced;     /* an end of the listing of channels has been seen since the link came up */
};

/* NULL without memory. */
struct domain *domain_new(struct xod_site *site);
void domain_destroy(struct domain **d);

/* Applies one event. Unknown channels and phones are no error. */
void domain_event(struct domain *d, const struct tel *t);
/* The gateway of this site is logged in: all is to be listed anew. It is gone, or its link is. */
void domain_link_up(struct domain *d, struct view banner, double now);
void domain_link_down(struct domain *d, double now);

/* channel.c */
void channel_new(struct domain *d, const struct tel *t);
void channel_state(struct domain *d, const struct tel *t);
void channel_party(struct domain *d, const struct tel *t); /* callerid, connected */
void channel_rename(struct domain *d, const struct tel *t);
void channel_hangup(struct domain *d, const struct tel *t);
void channel_hold(struct domain *d, const struct tel *t);
/* The channel of that name, or NULL; noted as named in a resync. */
struct xod_obj *channel_named(struct domain *d, struct view name);
void channel_remove(struct domain *d, struct xod_obj *channel);
bool channel_is_linked(const struct xod_obj *channel); /* talks to another */
void channel_commstatus(struct xod_obj *channel, const char *commstatus, double now);

/* call.c */
void call_dial(struct domain *d, const struct tel *t); /* dial/begin, state, end */
void call_link(struct domain *d, const struct tel *t); /* call/link, unlink */
/* A linked channel is in no call any more, nor is its peer. */
void call_ended(struct domain *d, struct xod_obj *channel, double now);
/* Nobody talks to this channel any more. */
void call_forget(struct domain *d, struct xod_obj *channel);
/* Whoever talked to `from` talks to `to`. */
void call_move(struct domain *d, const struct xod_obj *from, const struct xod_obj *to);

/* phone.c */
void phone_hint(struct domain *d, const struct tel *t);
void phone_registration(struct domain *d, const struct tel *t);
/* Ties a channel to the phones whose channels begin as its name does. */
void phone_tie_channel(struct domain *d, struct xod_obj *channel);
void phone_untie_channel(struct domain *d, struct xod_obj *channel);
/* Phones came, went or changed their names: puts each channel where it belongs. */
void phone_retie(struct domain *d);

/* ipbx.c */
void ipbx_link(struct domain *d, const struct tel *t);
void ipbx_resync(struct domain *d, const struct tel *t);
void ipbx_note(struct domain *d, struct view channel); /* named during a resync */
void ipbx_note_link(struct domain *d, struct view channel, bool linked);

#endif
