/* Phones: the state of their hints, their registration, their channels. */
#include "domain/domain.h"

/* A channel SIP/alice-0000001f belongs to the phones whose identity is SIP/alice. */
static struct view identity_of(struct view channel)
{
    const char *dash = channel.len ? memrchr(channel.ptr, '-', channel.len) : NULL;

    return dash ? view_of(channel.ptr, (size_t)(dash - channel.ptr)) : view_of(NULL, 0);
}

void phone_tie_channel(struct domain *d, struct xod_obj *channel)
{
    struct view identity = identity_of(xod_obj_id(channel));
    struct xod_obj *phone;

    for (size_t n = 0; identity.len && (phone = xod_lookup(d->site, LIST_phones,
                                                           XOD(phones, identity), identity, n));
         n++) {
        char number[32];
        struct view context = value_text(xod_get(phone, XOD(phones, context)), number);
        if (xod_tie(channel, phone) < 0)
            return;
        xod_list_add(phone, XOD(phones, channels), xod_obj_id(channel));
        if (context.len)
            xod_set_str(channel, XOD(channels, context), context);
    }
}

static void untie(struct xod_obj *channel, struct xod_obj *phone)
{
    xod_list_del(phone, XOD(phones, channels), xod_obj_id(channel));
    xod_untie(channel, phone);
}

void phone_untie_channel(struct domain *d, struct xod_obj *channel)
{
    struct xod_obj *phone;

    while ((phone = xod_tied(channel, LIST_phones, 0)))
        untie(channel, phone);
}

void phone_retie(struct domain *d)
{
    struct xod_obj *c;
    struct xod_obj *phone;

    for (size_t pos = 0; (c = xod_next(d->site, LIST_channels, &pos));) {
        struct view identity = identity_of(xod_obj_id(c));
        for (size_t n = 0; (phone = xod_tied(c, LIST_phones, n));)
            if (view_ieq(xod_get_str(phone, XOD(phones, identity)), identity))
                n++;
            else
                untie(c, phone);
        phone_tie_channel(d, c);
    }
}

static bool number_is(const struct xod_obj *phone, unsigned field, struct view text)
{
    char room[32];

    return view_eq(value_text(xod_get(phone, field), room), text);
}

/* A hint of several devices says something of an extension only: of the phones of that number. */
static void hint_of_extension(struct domain *d, const struct tel *t)
{
    struct xod_obj *phone;

    for (size_t n = 0;
         (phone = xod_lookup(d->site, LIST_phones, XOD(phones, number), t->str[TELF_exten], n));
         n++)
        if (!tel_has(t, TELF_context) ||
            number_is(phone, XOD(phones, context), t->str[TELF_context]))
            xod_set_str(phone, XOD(phones, hintstatus), t->str[TELF_status]);
}

void phone_hint(struct domain *d, const struct tel *t)
{
    struct view hint = t->str[TELF_hint];
    struct xod_obj *phone;

    if (!tel_has(t, TELF_status))
        return;
    if (tel_has(t, TELF_hint))
        hint = view_cut(&hint, ','); /* what follows is a presence provider */
    if (!tel_has(t, TELF_hint) || memchr(hint.ptr, '&', hint.len)) {
        if (tel_has(t, TELF_exten))
            hint_of_extension(d, t);
        return;
    }
    for (size_t n = 0; (phone = xod_lookup(d->site, LIST_phones, XOD(phones, identity), hint, n));
         n++)
        xod_set_str(phone, XOD(phones, hintstatus), t->str[TELF_status]);
}

void phone_registration(struct domain *d, const struct tel *t)
{
    struct xod_obj *phone;

    if (!tel_has(t, TELF_peer) || !tel_has(t, TELF_status))
        return;
    for (size_t n = 0;
         (phone = xod_lookup(d->site, LIST_phones, XOD(phones, identity), t->str[TELF_peer], n));
         n++)
        xod_set_str(phone, XOD(phones, reg), t->str[TELF_status]);
}
