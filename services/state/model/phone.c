/* Phones and trunks: their registration and their channels. */
#include <stdio.h>

#include "base/array.h"
#include "model/model.h"

/* Both are devices, with fields of the same meaning. */
static const struct kind {
    enum xod_list list;
    unsigned identity, context, channels, hintstatus;
} kinds[] = {
    {LIST_phones, XOD(phones, identity), XOD(phones, context), XOD(phones, channels),
     XOD(phones, hintstatus)},
    {LIST_trunks, XOD(trunks, identity), XOD(trunks, context), XOD(trunks, channels),
     XOD(trunks, hintstatus)},
};
#define EACH_KIND(k)                                                                               \
    const struct kind *k = kinds;                                                                  \
    k < kinds + ARRAY_SIZE(kinds);                                                                 \
    k++

/* A channel SIP/alice-0000001f belongs to the phones whose identity is SIP/alice. */
static struct view identity_of(struct view channel)
{
    const char *dash = channel.len ? memrchr(channel.ptr, '-', channel.len) : NULL;

    return dash ? view_of(channel.ptr, (size_t)(dash - channel.ptr)) : view_of(NULL, 0);
}

/* The options of a Local channel's dial string, as in Local/5551@default/n, are in the names of
 * none of its channels. */
static struct view without_options(struct view identity)
{
    const char *slash = memrchr(identity.ptr, '/', identity.len);

    if (view_starts(identity, VIEW("Local/")) && memchr(identity.ptr, '@', identity.len) &&
        slash > identity.ptr + 5)
        return view_of(identity.ptr, (size_t)(slash - identity.ptr));
    return identity;
}

/* DAHDI/i1/0123456789 is a call by way of DAHDI/i1. The empty view: it is none of that kind. */
static struct view carrier_of(struct view identity)
{
    const char *first = memchr(identity.ptr, '/', identity.len);
    const char *last = memrchr(identity.ptr, '/', identity.len);

    return first == last || view_starts(identity, VIEW("Local/"))
               ? view_of(NULL, 0)
               : view_of(identity.ptr, (size_t)(last - identity.ptr));
}

static void tie(const struct kind *k, struct xod_obj *channel, struct xod_obj *device)
{
    char scratch[32];
    struct view context = value_text(xod_get(device, k->context), scratch);

    if (xod_relate(channel, device) < 0)
        return;
    xod_list_add(device, k->channels, xod_obj_id(channel));
    if (context.len)
        xod_set_str(channel, XOD(channels, context), context);
}

static void untie(const struct kind *k, struct xod_obj *channel, struct xod_obj *device)
{
    xod_list_del(device, k->channels, xod_obj_id(channel));
    xod_unrelate(channel, device);
}

static unsigned tie_all(struct ipbx_model *d, struct xod_obj *channel, struct view identity)
{
    struct xod_obj *device;
    unsigned tied = 0;

    for (EACH_KIND(k))
        for (size_t n = 0;
             identity.len && (device = xod_lookup(d->ipbx, k->list, k->identity, identity, n));
             n++, tied++)
            tie(k, channel, device);
    return tied;
}

static void tie_local(struct ipbx_model *d, struct xod_obj *channel, struct view identity)
{
    static const char *const options[] = {"/n", "/j", "/nj", "/jn", "/m", "/nm", "/b", "/nb"};
    struct buf name;

    buf_init(&name, 1024);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        buf_reset(&name);
        buf_printf(&name, "%.*s%s", VIEW_ARG(identity), options[i]);
        tie_all(d, channel, buf_view(&name));
    }
    buf_free(&name);
}

void phone_link_channel(struct ipbx_model *d, struct xod_obj *channel)
{
    struct view identity = identity_of(xod_obj_id(channel));

    if (identity.len && tie_all(d, channel, identity) == 0)
        tie_all(d, channel, carrier_of(identity));
    if (view_starts(identity, VIEW("Local/")))
        tie_local(d, channel, identity);
}

void phone_untie_channel(struct ipbx_model *d, struct xod_obj *channel)
{
    struct xod_obj *device;

    for (EACH_KIND(k))
        while ((device = xod_related(channel, k->list, 0)))
            untie(k, channel, device);
}

/* In other case only where no device is called exactly so. */
static bool is_called(const struct kind *k, const struct xod_obj *device, struct view identity)
{
    struct view name = xod_get_str(device, k->identity);
    const struct xod_obj *first;

    if (!view_ieq(name, identity) || view_eq(name, identity))
        return view_eq(name, identity);
    first = xod_lookup(xod_obj_ipbx(device), k->list, k->identity, identity, 0);
    return first && !view_eq(xod_get_str(first, k->identity), identity);
}

static bool owns(const struct kind *k, const struct xod_obj *device, struct view identity)
{
    struct view name = xod_get_str(device, k->identity);

    return name.len && identity.len &&
           (is_called(k, device, identity) || is_called(k, device, carrier_of(identity)) ||
            (without_options(name).len < name.len && view_ieq(without_options(name), identity)));
}

void phone_relink(struct ipbx_model *d)
{
    struct xod_obj *c;
    struct xod_obj *device;

    for (size_t pos = 0; (c = xod_next(d->ipbx, LIST_channels, &pos));) {
        struct view identity = identity_of(xod_obj_id(c));
        for (EACH_KIND(k))
            for (size_t n = 0; (device = xod_related(c, k->list, n));)
                if (owns(k, device, identity))
                    n++;
                else
                    untie(k, c, device);
        phone_link_channel(d, c);
    }
}

bool phone_is_called(const struct xod_obj *phone, struct view identity)
{
    return is_called(&kinds[0], phone, identity);
}

bool phone_text_is(const struct xod_obj *phone, unsigned field, struct view text)
{
    char scratch[32];

    return view_eq(value_text(xod_get(phone, field), scratch), text);
}

void phone_all_idle(struct ipbx_model *d)
{
    static const struct view calm[] = {VIEW("0"), VIEW("4"), VIEW("-1"), VIEW("-2")};
    struct xod_obj *o;

    for (EACH_KIND(k))
        for (size_t pos = 0; (o = xod_next(d->ipbx, k->list, &pos));) {
            struct view status = xod_get_str(o, k->hintstatus);
            size_t i = 0;
            while (i < ARRAY_SIZE(calm) && !view_eq(status, calm[i]))
                i++;
            if (i == ARRAY_SIZE(calm))
                xod_set_str(o, k->hintstatus, VIEW("0"));
        }
}

/* ---- peers ---- */

/* Lists may write a name in other case. */
static struct view lower(struct view name, char out[256])
{
    size_t n = name.len < 256 ? name.len : 256;

    for (size_t i = 0; i < n; i++)
        out[i] =
            name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20) : name.ptr[i];
    return view_of(out, n);
}

bool phone_is_unlisted(struct ipbx_model *d, struct view device)
{
    for (EACH_KIND(k))
        if (xod_lookup(d->ipbx, k->list, k->identity, device, 0))
            return false;
    return true;
}

static void note_unlisted(struct ipbx_model *d, struct view peer)
{
    if (d->unlisted.n < UNLISTED_NAMES)
        snprintf(d->unlisted.names[d->unlisted.n], sizeof(d->unlisted.names[0]), "%.*s",
                 (int)(peer.len < 127 ? peer.len : 127), peer.ptr);
    d->unlisted.n++;
}

static void note_peer(struct ipbx_model *d, struct view peer)
{
    char key[256];

    if (d->listing == LISTING_PEERS && peer.len &&
        !listing_named(d, lower(peer, key), view_of(NULL, 0)) && phone_is_unlisted(d, peer))
        note_unlisted(d, peer);
    listing_note(d, LISTING_PEERS, lower(peer, key), view_of(NULL, 0));
}

static bool is_listed(const struct ipbx_model *d, struct view peer)
{
    char key[256];

    return listing_named(d, lower(peer, key), view_of(NULL, 0));
}

/* Other drivers list their devices otherwise, or not at all. */
static bool has_listed_driver(struct view identity)
{
    struct view driver = view_cut(&identity, '/');

    return view_eq(driver, VIEW("SIP")) || view_eq(driver, VIEW("PJSIP")) ||
           view_eq(driver, VIEW("IAX2"));
}

void phone_peers_end(struct ipbx_model *d)
{
    struct xod_obj *phone;
    char other[256];

    d->unknown = (struct unknown_phones){0};
    for (size_t pos = 0; (phone = xod_next(d->ipbx, LIST_phones, &pos));) {
        struct view identity = xod_get_str(phone, XOD(phones, identity));
        if (!has_listed_driver(identity) || is_listed(d, identity))
            continue;
        xod_reset(phone, XOD(phones, reg));
        if (d->unknown.n++ == 0)
            snprintf(d->unknown.example, sizeof(d->unknown.example), "%.*s", VIEW_ARG(identity));
        snprintf(other, sizeof(other), "PJ%.*s", VIEW_ARG(identity));
        d->unknown.n_pjsip += view_starts(identity, VIEW("SIP/")) && is_listed(d, view_cstr(other));
    }
}

void phone_registration(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *phone;

    if (tel_has(t, TELF_peer))
        note_peer(d, t->str[TELF_peer]);
    if (!tel_has(t, TELF_peer) || !tel_has(t, TELF_status))
        return;
    for (size_t n = 0;
         (phone = xod_lookup(d->ipbx, LIST_phones, XOD(phones, identity), t->str[TELF_peer], n));
         n++)
        xod_set_str(phone, XOD(phones, reg), t->str[TELF_status]);
}

struct xod_obj *phone_of_exten(struct ipbx_model *d, struct view exten, bool same_context)
{
    struct view number = view_cut(&exten, '@');
    struct view context = view_cut(&exten, '/');
    struct xod_obj *only = NULL;
    struct xod_obj *phone;
    size_t n = 0;

    for (; number.len && (phone = xod_lookup(d->ipbx, LIST_phones, XOD(phones, number), number, n));
         n++) {
        if (phone_text_is(phone, XOD(phones, context), context))
            return phone;
        only = phone;
    }
    return n == 1 && !same_context ? only : NULL;
}

struct xod_obj *phone_of_device(struct ipbx_model *d, struct view device)
{
    struct xod_obj *phone = NULL;

    if (view_starts(device, VIEW("Local/")))
        phone = phone_of_exten(d, view_of(device.ptr + 6, device.len - 6), true);
    return phone ? phone : xod_lookup(d->ipbx, LIST_phones, XOD(phones, identity), device, 0);
}

struct xod_obj *phone_of_channel(struct ipbx_model *d, struct view channel)
{
    return phone_of_device(d, identity_of(channel));
}

struct xod_obj *trunk_of_device(struct ipbx_model *d, struct view device)
{
    return xod_lookup(d->ipbx, LIST_trunks, XOD(trunks, identity), device, 0);
}
