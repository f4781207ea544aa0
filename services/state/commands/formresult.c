/* actionfiche, call_form_result: what was written into the form of a sheet, kept in the log of what
 * clients did. */
#include "commands/commands.h"
#include "core/audit.h"
#include "sessions/sessions.h"

#define MAX_DETAIL 65536

static void keep(struct state *s, struct session *se, struct deferred_reply *l,
                 const msgpack_object *message, const char *class)
{
    const msgpack_object *infos = msg_get(message, "infos");
    struct buf detail;
    struct value v;

    if (!infos || infos->type != MSGPACK_OBJECT_MAP || value_from_msg(&v, infos) < 0) {
        deferred_reply_status(&l, BUS_malformed);
        return;
    }
    buf_init(&detail, MAX_DETAIL);
    value_put_json(&detail, &v);
    value_clear(&v);
    if (detail.failed)
        deferred_reply_status(&l, BUS_malformed);
    else
        ctilog_detail(s, se->ipbx, view_cstr(se->user_id), view_cstr(class), buf_view(&detail), l);
    buf_free(&detail);
}

static void actionfiche(struct state *s, struct session *se, struct deferred_reply *l,
                        const msgpack_object *message)
{
    keep(s, se, l, message, "actionfiche");
}

static void call_form_result(struct state *s, struct session *se, struct deferred_reply *l,
                             const msgpack_object *message)
{
    keep(s, se, l, message, "call_form_result");
}

/* The row with what was written is the log of it. */
const struct command command_actionfiche = {"actionfiche", actionfiche, true};
const struct command command_call_form_result = {"call_form_result", call_form_result, true};
