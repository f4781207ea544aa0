/* featuresget: a user's services and forwards. */
#include "base/array.h"
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "sessions/sessions.h"

static void featuresget(struct state *s, struct session *se, struct deferred_reply *l,
                        const msgpack_object *message)
{
    static const unsigned fields[] = {XOD(users, enablednd),       XOD(users, incallfilter),
                                      XOD(users, enablevoicemail), XOD(users, callrecord),
                                      XOD(users, enableunc),       XOD(users, destunc),
                                      XOD(users, enablebusy),      XOD(users, destbusy),
                                      XOD(users, enablerna),       XOD(users, destrna)};
    struct xod_obj *user = session_user(se);
    struct buf pairs;

    if (!command_is_self(se, message, "userid")) {
        deferred_reply_status(&l, BUS_unallowed);
        return;
    }
    buf_init(&pairs, 0);
    msg_put_cstr(&pairs, "userfeatures");
    msg_put_map(&pairs, ARRAY_SIZE(fields));
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        msg_put_str(&pairs, schema_list(LIST_users)->fields[fields[i]].vname);
        value_pack(&pairs, xod_get(user, fields[i]));
    }
    deferred_reply_pairs(&l, 1, &pairs);
    buf_free(&pairs);
}

const struct command command_featuresget = {"featuresget", featuresget, true};
