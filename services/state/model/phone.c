/* Phones and trunks: the state of their hints, their registration, their channels. */
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

void phone_link_channel(struct ipbx_model *d, struct xod_obj *channel)
{
    struct view identity = identity_of(xod_obj_id(channel));
    struct xod_obj *device;

    for (EACH_KIND(k))
        for (size_t n = 0;
             identity.len && (device = xod_lookup(d->ipbx, k->list, k->identity, identity, n)); n++)
            tie(k, channel, device);
}

void phone_untie_channel(struct ipbx_model *d, struct xod_obj *channel)
{
    struct xod_obj *device;

    for (EACH_KIND(k))
        while ((device = xod_related(channel, k->list, 0)))
            untie(k, channel, device);
}

void phone_relink(struct ipbx_model *d)
{
    struct xod_obj *c;
    struct xod_obj *device;

    for (size_t pos = 0; (c = xod_next(d->ipbx, LIST_channels, &pos));) {
        struct view identity = identity_of(xod_obj_id(c));
        for (EACH_KIND(k))
            for (size_t n = 0; (device = xod_related(c, k->list, n));)
                if (view_ieq(xod_get_str(device, k->identity), identity))
                    n++;
                else
                    untie(k, c, device);
        phone_link_channel(d, c);
    }
}

static bool number_is(const struct xod_obj *phone, unsigned field, struct view text)
{
    char scratch[32];

    return view_eq(value_text(xod_get(phone, field), scratch), text);
}

/* A hint of several devices says something of an extension only: of the phones of that number. */
static void hint_of_extension(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *phone;

    for (size_t n = 0;
         (phone = xod_lookup(d->ipbx, LIST_phones, XOD(phones, number), t->str[TELF_exten], n));
         n++)
        if (!tel_has(t, TELF_context) ||
            number_is(phone, XOD(phones, context), t->str[TELF_context]))
            xod_set_str(phone, XOD(phones, hintstatus), t->str[TELF_status]);
}

void phone_hint(struct ipbx_model *d, const struct tel *t)
{
    struct view hint = t->str[TELF_hint];
    struct xod_obj *device;

    if (!tel_has(t, TELF_status))
        return;
    if (tel_has(t, TELF_hint))
        hint = view_cut(&hint, ','); /* what follows is a presence provider */
    if (!tel_has(t, TELF_hint) || memchr(hint.ptr, '&', hint.len)) {
        if (tel_has(t, TELF_exten))
            hint_of_extension(d, t);
        return;
    }
    for (EACH_KIND(k))
        for (size_t n = 0; (device = xod_lookup(d->ipbx, k->list, k->identity, hint, n)); n++)
            xod_set_str(device, k->hintstatus, t->str[TELF_status]);
}

void phone_registration(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *phone;

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
        if (number_is(phone, XOD(phones, context), context))
            return phone;
        only = phone;
    }
    return n == 1 && !same_context ? only : NULL;
}

struct xod_obj *phone_of_device(struct ipbx_model *d, struct view device)
{
    if (view_starts(device, VIEW("Local/")))
        return phone_of_exten(d, view_of(device.ptr + 6, device.len - 6), true);
    return xod_lookup(d->ipbx, LIST_phones, XOD(phones, identity), device, 0);
}

struct xod_obj *phone_of_channel(struct ipbx_model *d, struct view channel)
{
    return phone_of_device(d, identity_of(channel));
}

struct xod_obj *trunk_of_device(struct ipbx_model *d, struct view device)
{
    return xod_lookup(d->ipbx, LIST_trunks, XOD(trunks, identity), device, 0);
}
