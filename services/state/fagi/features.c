/* The script `features`: the services and forwards of a user, for a dialplan that obeys them. */
#include "base/array.h"
#include "fagi/parts.h"
#include "model/model.h"
#include "users/relations.h"

/* What the variables are made of, flags first. */
static const struct {
    const char *variable;
    unsigned field;
} flags[] = {{"XIVO_DND", XOD(users, enablednd)},
             {"XIVO_FWD_UNC", XOD(users, enableunc)},
             {"XIVO_FWD_BUSY", XOD(users, enablebusy)},
             {"XIVO_FWD_RNA", XOD(users, enablerna)},
             {"XIVO_INCALLFILTER", XOD(users, incallfilter)},
             {"XIVO_VOICEMAIL", XOD(users, enablevoicemail)},
             {"XIVO_CALLRECORD", XOD(users, callrecord)}},
  destinations[] = {{"XIVO_FWD_UNC_DEST", XOD(users, destunc)},
                    {"XIVO_FWD_BUSY_DEST", XOD(users, destbusy)},
                    {"XIVO_FWD_RNA_DEST", XOD(users, destrna)}};

/* EXTEN[@CONTEXT] of the arguments `number,NUMBER[,CONTEXT]`. */
static struct xod_obj *user_of_number(const struct fagi_ask *a)
{
    struct view context = fagi_arg(a, 3);
    struct xod_obj *phone;
    struct buf exten;

    buf_init(&exten, 512);
    buf_append_view(&exten, fagi_arg(a, 2));
    if (context.len) {
        buf_append_char(&exten, '@');
        buf_append_view(&exten, context);
    }
    phone = exten.failed ? NULL : phone_of_exten(a->ipbx->model, buf_view(&exten), context.len > 0);
    buf_free(&exten);
    return phone ? relations_user(phone) : NULL;
}

void fagi_features(struct fagi_ask *a)
{
    struct xod_obj *user = view_eq(fagi_arg(a, 1), VIEW("number"))
                               ? user_of_number(a)
                               : xod_find(a->ipbx->model->ipbx, LIST_users, fagi_arg(a, 1));
    struct buf pairs;
    char scratch[32];

    if (!user) {
        deferred_reply_status(&a->l, BUS_not_found);
        return;
    }
    buf_init(&pairs, 0);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        fagi_put(&pairs, flags[i].variable,
                 value_truth(xod_get(user, flags[i].field)) ? VIEW("1") : VIEW("0"));
    for (size_t i = 0; i < ARRAY_SIZE(destinations); i++)
        fagi_put(&pairs, destinations[i].variable,
                 value_text(xod_get(user, destinations[i].field), scratch));
    fagi_answer(&a->l, ARRAY_SIZE(flags) + ARRAY_SIZE(destinations), &pairs);
    buf_free(&pairs);
}
