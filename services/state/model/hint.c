/* Hints: which of them says how a phone is, and the presence that it names. */
#include "model/model.h"

/* In the listing of hints: a phone that had one before. */
#define BEFORE VIEW("before")

/* How well a hint says how a phone is: of several hints the best one counts. */
enum hint_rank {
    HINT_NONE,
    HINT_AMONG_OTHERS,  /* of its number in another context, with more devices */
    HINT_OF_DEVICE,     /* of another extension, with this device only; or of its number, in its
                           context, with more devices */
    HINT_OF_NUMBER,     /* of its number, with this device only */
    HINT_OF_ITS_CONTEXT /* and in its context */
};

/* "Custom:DND1001", "park:701@lot": what is added to a hint and is no telephone. */
static bool is_added(struct view device)
{
    const char *colon = memchr(device.ptr, ':', device.len);
    const char *slash = memchr(device.ptr, '/', device.len);

    return colon && (!slash || colon < slash);
}

static bool is_custom_device(struct view device)
{
    return view_starts(device, VIEW("Custom:"));
}

/* The next telephone of a hint like PJSIP/1001&Custom:DND1001, or the empty view. */
static struct view next_device(struct view *hint)
{
    struct view device = view_of(NULL, 0);

    while (hint->len && device.len == 0) {
        device = view_cut(hint, '&');
        if (device.len && is_added(device))
            device.len = 0;
    }
    return device;
}

static enum hint_rank rank_of(const struct xod_obj *phone, const struct tel *t, struct view hint)
{
    bool own_number =
        tel_has(t, TELF_exten) && phone_text_is(phone, XOD(phones, number), t->str[TELF_exten]);
    bool own_context = !tel_has(t, TELF_context) ||
                       phone_text_is(phone, XOD(phones, context), t->str[TELF_context]);
    bool named = false;
    struct view device;
    unsigned devices = 0;

    for (; (device = next_device(&hint)).len; devices++)
        named = named || phone_is_called(phone, device);
    if (named && devices == 1)
        return !own_number ? HINT_OF_DEVICE : own_context ? HINT_OF_ITS_CONTEXT : HINT_OF_NUMBER;
    if (own_number && own_context && devices > 1)
        return HINT_OF_DEVICE;
    return own_number && named ? HINT_AMONG_OTHERS : HINT_NONE;
}

static bool is_hint_of(const struct xod_obj *phone, const struct tel *t)
{
    struct view hint = xod_get_str(phone, XOD(phones, hint));
    struct view exten = view_cut(&hint, '@');

    return view_eq(exten, t->str[TELF_exten]) && view_eq(hint, t->str[TELF_context]);
}

static void clear_presence(struct xod_obj *phone)
{
    xod_set_null(phone, XOD(phones, presence));
    xod_set_null(phone, XOD(phones, presence_subtype));
    xod_set_null(phone, XOD(phones, presence_message));
}

/* "CustomPresence:1001" behind the devices of a hint. What is known of another one is not its. */
static void take_presentity(struct xod_obj *phone, struct view hint)
{
    view_cut(&hint, ',');
    if (view_eq(hint, xod_get_str(phone, XOD(phones, presentity))))
        return;
    xod_set_text(phone, XOD(phones, presentity), hint);
    clear_presence(phone);
}

static void take_hint(struct xod_obj *phone, const struct tel *t, struct view devices)
{
    enum hint_rank rank = rank_of(phone, t, devices);
    struct buf name;

    if (rank == HINT_NONE ||
        (rank < xod_get(phone, XOD(phones, hint_rank))->i && !is_hint_of(phone, t)))
        return;
    buf_init(&name, 1024);
    buf_printf(&name, "%.*s@%.*s", VIEW_ARG(t->str[TELF_exten]), VIEW_ARG(t->str[TELF_context]));
    xod_set_str(phone, XOD(phones, hint), buf_view(&name));
    buf_free(&name);
    xod_set_int(phone, XOD(phones, hint_rank), rank);
    xod_set_str(phone, XOD(phones, hintstatus), t->str[TELF_status]);
    take_presentity(phone, t->str[TELF_hint]);
}

static bool has_hint(const struct xod_obj *phone)
{
    return xod_get(phone, XOD(phones, hint_rank))->i != HINT_NONE;
}

static void forget_hint(struct xod_obj *phone)
{
    xod_set_null(phone, XOD(phones, hint));
    xod_set_int(phone, XOD(phones, hint_rank), HINT_NONE);
}

/* A hint without devices: that of an extension was removed. */
static void hint_is_gone(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *phone;

    for (size_t pos = 0; (phone = xod_next(d->ipbx, LIST_phones, &pos));) {
        bool its = is_hint_of(phone, t);
        if (its) {
            forget_hint(phone);
            take_presentity(phone, view_of(NULL, 0));
        }
        if (its ||
            (!has_hint(phone) && phone_text_is(phone, XOD(phones, number), t->str[TELF_exten]) &&
             (!tel_has(t, TELF_context) ||
              phone_text_is(phone, XOD(phones, context), t->str[TELF_context]))))
            xod_set_str(phone, XOD(phones, hintstatus), t->str[TELF_status]);
    }
}

/* The state of a device itself: Asterisk tells it also where a hint, the sum of several, has not
 * changed. A phone that has a hint goes by that. */
static void take_device(struct ipbx_model *d, const struct tel *t)
{
    struct view device = t->str[TELF_hint];
    struct xod_obj *o;

    for (size_t n = 0; (o = xod_lookup(d->ipbx, LIST_phones, XOD(phones, identity), device, n));
         n++) {
        if (has_hint(o))
            continue;
        xod_set_str(o, XOD(phones, hintstatus), t->str[TELF_status]);
        listing_note(d, LISTING_HINTS, xod_obj_id(o), view_of(NULL, 0));
    }
    for (size_t n = 0; (o = xod_lookup(d->ipbx, LIST_trunks, XOD(trunks, identity), device, n));
         n++)
        xod_set_str(o, XOD(trunks, hintstatus), t->str[TELF_status]);
}

static void take_hint_of_trunks(struct ipbx_model *d, const struct tel *t, struct view devices)
{
    struct view device = next_device(&devices);
    struct xod_obj *trunk;

    if (next_device(&devices).len)
        return;
    for (size_t n = 0;
         device.len && (trunk = xod_lookup(d->ipbx, LIST_trunks, XOD(trunks, identity), device, n));
         n++)
        xod_set_str(trunk, XOD(trunks, hintstatus), t->str[TELF_status]);
}

void phone_hint(struct ipbx_model *d, const struct tel *t)
{
    struct view hint = t->str[TELF_hint];
    struct view rest;
    struct view device;
    struct xod_obj *phone;

    if (!tel_has(t, TELF_status) || !(tel_has(t, TELF_hint) || tel_has(t, TELF_exten)))
        return;
    if (!tel_has(t, TELF_exten)) {
        take_device(d, t);
        return;
    }
    if (!tel_has(t, TELF_hint)) {
        hint_is_gone(d, t);
        return;
    }
    hint = view_cut(&hint, ','); /* what follows is a presence provider */
    for (rest = hint; (device = next_device(&rest)).len;)
        for (size_t n = 0;
             (phone = xod_lookup(d->ipbx, LIST_phones, XOD(phones, identity), device, n)); n++)
            take_hint(phone, t, hint);
    for (size_t n = 0;
         (phone = xod_lookup(d->ipbx, LIST_phones, XOD(phones, number), t->str[TELF_exten], n));
         n++)
        take_hint(phone, t, hint);
    take_hint_of_trunks(d, t, hint);
}

void phone_presence(struct ipbx_model *d, const struct tel *t)
{
    struct view presence = t->str[TELF_status];
    struct xod_obj *phone;

    if (!tel_has(t, TELF_hint) || !tel_has(t, TELF_status) || is_custom_device(t->str[TELF_hint]))
        return;
    listing_note(d, LISTING_PRESENCES, t->str[TELF_hint], view_of(NULL, 0));
    if (view_eq(presence, VIEW("not_set")))
        presence = view_of(NULL, 0);
    for (size_t n = 0;
         (phone = xod_lookup(d->ipbx, LIST_phones, XOD(phones, presentity), t->str[TELF_hint], n));
         n++) {
        xod_set_text(phone, XOD(phones, presence), presence);
        if (tel_has(t, TELF_subtype))
            xod_set_text(phone, XOD(phones, presence_subtype), t->str[TELF_subtype]);
        if (tel_has(t, TELF_text))
            xod_set_text(phone, XOD(phones, presence_message), t->str[TELF_text]);
    }
}

void phone_hints_begin(struct ipbx_model *d)
{
    struct xod_obj *phone;

    for (size_t pos = 0; (phone = xod_next(d->ipbx, LIST_phones, &pos));) {
        if (has_hint(phone))
            listing_note(d, LISTING_HINTS, xod_obj_id(phone), BEFORE);
        forget_hint(phone);
    }
}

void phone_hints_end(struct ipbx_model *d)
{
    struct xod_obj *phone;

    for (size_t pos = 0; (phone = xod_next(d->ipbx, LIST_phones, &pos));) {
        if (has_hint(phone))
            continue;
        take_presentity(phone, view_of(NULL, 0));
        if (listing_named(d, xod_obj_id(phone), BEFORE) &&
            !listing_named(d, xod_obj_id(phone), view_of(NULL, 0)))
            xod_reset(phone, XOD(phones, hintstatus));
    }
}

void phone_presences_end(struct ipbx_model *d)
{
    struct xod_obj *phone;

    for (size_t pos = 0; (phone = xod_next(d->ipbx, LIST_phones, &pos));)
        if (!listing_named(d, xod_get_str(phone, XOD(phones, presentity)), view_of(NULL, 0)))
            clear_presence(phone);
}
