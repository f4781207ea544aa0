#include "users/function_keys.h"
#include "base/array.h"

#include "users/deferred_actions.h"
#include "users/extensions.h"

/* The services that have keys, and those of them that have a destination. */
static const struct {
    unsigned flag, destination; /* the same: it has none */
    enum exten_feature exten;
} keys[] = {
    {XOD(users, enablednd), XOD(users, enablednd), EXTEN_ENABLE_DND},
    {XOD(users, incallfilter), XOD(users, incallfilter), EXTEN_INCALL_FILTER},
    {XOD(users, enablevoicemail), XOD(users, enablevoicemail), EXTEN_ENABLE_VM},
    {XOD(users, callrecord), XOD(users, callrecord), EXTEN_CALL_RECORD},
    {XOD(users, enableunc), XOD(users, destunc), EXTEN_FORWARD},
    {XOD(users, enablebusy), XOD(users, destbusy), EXTEN_FORWARD_BUSY},
    {XOD(users, enablerna), XOD(users, destrna), EXTEN_FORWARD_RNA},
};

/* An argument: '*' separates them, so one within is written **2. */
static void put_argument(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.ptr[i] == '*')
            buf_append_cstr(out, "**2");
        else
            buf_append_char(out, v.ptr[i]);
}

/* DEVICE_STATE(Custom:*7351***225): *735, the user 1, the service *25 and, of forwards, where. */
static void tell(struct state *s, const struct xod_obj *user, const char *exten,
                 struct view destination, bool on)
{
    struct xod_ipbx *ipbx = xod_obj_ipbx(user);
    struct buf device;

    buf_init(&device, 512);
    buf_printf(&device, "DEVICE_STATE(Custom:%s", extension_of(s, ipbx, EXTEN_PHONE_PROGFUNCKEY));
    put_argument(&device, xod_obj_id(user));
    buf_append_char(&device, '*');
    put_argument(&device, view_cstr(exten));
    if (destination.len) {
        buf_append_char(&device, '*');
        put_argument(&device, destination);
    }
    buf_append_char(&device, ')');
    if (!device.failed)
        deferred_actions_set(s, ipbx, buf_view(&device), "Setvar", "Variable", buf_view(&device),
                             "Value", on ? VIEW("INUSE") : VIEW("NOT_INUSE"), NULL);
    buf_free(&device);
}

static bool has(uint64_t fields, unsigned field)
{
    return fields >> field & 1;
}

void funckeys_changed(struct state *s, const struct xod_obj *user, uint64_t fields)
{
    char scratch[32];

    if (!extensions_known(s, xod_obj_ipbx(user)))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        bool on = value_truth(xod_get(user, keys[i].flag));
        const char *exten = extension_of(s, xod_obj_ipbx(user), keys[i].exten);
        struct view to = keys[i].destination == keys[i].flag
                             ? view_of(NULL, 0)
                             : value_text(xod_get(user, keys[i].destination), scratch);
        if (!has(fields, keys[i].flag) && !has(fields, keys[i].destination))
            continue;
        tell(s, user, exten, view_of(NULL, 0), on);
        if (to.len)
            tell(s, user, exten, to, on);
    }
}

void funckeys_changing(struct state *s, const struct xod_obj *user, uint64_t fields)
{
    char scratch[32];

    if (!extensions_known(s, xod_obj_ipbx(user)))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct view to = value_text(xod_get(user, keys[i].destination), scratch);
        if (keys[i].destination != keys[i].flag && has(fields, keys[i].destination) && to.len &&
            value_truth(xod_get(user, keys[i].flag)))
            tell(s, user, extension_of(s, xod_obj_ipbx(user), keys[i].exten), to, false);
    }
}
