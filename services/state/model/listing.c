/* What a complete listing says about what is gone. */
#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "model/model.h"

struct seen {
    bool linked; /* of a channel: in a call, as far as was told since the listing began */
    size_t len;
    char key[]; /* a NUL b */
};

static enum listing listing_of(struct view kind)
{
    static const struct {
        struct view kind;
        enum listing listing;
    } kinds[] = {{VIEW("channels"), LISTING_CHANNELS},
                 {VIEW("queues"), LISTING_QUEUES},
                 {VIEW("conferences"), LISTING_CONFERENCES},
                 {VIEW("parking"), LISTING_PARKING},
                 {VIEW("hints"), LISTING_HINTS},
                 {VIEW("presences"), LISTING_PRESENCES},
                 {VIEW("peers"), LISTING_PEERS},
                 {VIEW("registrations"), LISTING_REGISTRATIONS}};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (view_eq(kinds[i].kind, kind))
            return kinds[i].listing;
    return LISTING_OTHER;
}

void listing_drop(struct ipbx_model *d)
{
    map_destroy_with(&d->named, free);
    d->listing = LISTING_NONE;
}

static struct seen *seen_new(struct view a, struct view b)
{
    struct seen *n = malloc(sizeof(*n) + a.len + 1 + b.len);

    if (!n)
        return NULL;
    n->linked = false;
    n->len = a.len + 1 + b.len;
    if (a.len)
        memcpy(n->key, a.ptr, a.len);
    n->key[a.len] = '\0';
    if (b.len)
        memcpy(n->key + a.len + 1, b.ptr, b.len);
    return n;
}

static struct seen *find(const struct ipbx_model *d, struct view a, struct view b)
{
    struct seen *probe = d->named ? seen_new(a, b) : NULL;
    struct seen *n = probe ? map_get(d->named, view_of(probe->key, probe->len)) : NULL;

    free(probe);
    return n;
}

void listing_note(struct ipbx_model *d, enum listing listing, struct view a, struct view b)
{
    struct seen *n;

    if (d->listing != listing || !d->named || find(d, a, b))
        return;
    n = seen_new(a, b);
    if (n && map_put(d->named, view_of(n->key, n->len), n) < 0)
        free(n);
}

bool listing_named(const struct ipbx_model *d, struct view a, struct view b)
{
    return find(d, a, b) != NULL;
}

void listing_note_link(struct ipbx_model *d, struct view channel, bool linked)
{
    struct seen *n = d->listing == LISTING_CHANNELS ? find(d, channel, view_of(NULL, 0)) : NULL;

    if (n)
        n->linked = linked;
}

/* A channel that the listing did not name as linked is not linked. */
static void reap_stale(struct ipbx_model *d, double now)
{
    struct xod_obj *c;
    size_t pos = 0;

    while ((c = xod_next(d->ipbx, LIST_channels, &pos))) {
        const struct seen *n = find(d, xod_obj_id(c), view_of(NULL, 0));
        if (!n)
            channel_remove(d, c, false);
        else if (!n->linked)
            call_ended(d, c, now);
    }
}

void listing_begin(struct ipbx_model *d, struct view kind)
{
    enum listing listing = listing_of(kind);

    listing_drop(d);
    if (listing == LISTING_PEERS)
        d->unlisted.n = 0;
    if (listing != LISTING_OTHER && (d->named = map_new()))
        d->listing = listing;
}

void listing_end(struct ipbx_model *d, struct view kind, double now)
{
    if (!d->named || d->listing != listing_of(kind))
        return;
    d->synthetic = true;
    switch (d->listing) {
    case LISTING_CHANNELS:
        reap_stale(d, now);
        break;
    case LISTING_QUEUES:
        member_sweep(d);
        queue_sweep(d);
        break;
    case LISTING_CONFERENCES:
        conference_sweep(d);
        break;
    case LISTING_PARKING:
        parking_sweep(d);
        break;
    case LISTING_HINTS:
        phone_hints_end(d);
        break;
    case LISTING_PRESENCES:
        phone_presences_end(d);
        break;
    case LISTING_PEERS:
        phone_peers_end(d);
        break;
    case LISTING_REGISTRATIONS:
        trunk_registrations_end(d);
        break;
    default:
        break;
    }
    listing_drop(d);
}
