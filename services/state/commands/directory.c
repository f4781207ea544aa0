/* directory: people and their numbers by a part of a name. */
#include "directory/directory.h"
#include "access/access.h"
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "sessions/sessions.h"
#include "users/relations.h"

/* Each row has as many values as there are headers: clients crash on fewer. */
static void put_result(struct buf *out, const struct directory_answer *a)
{
    msg_put_map(out, 3);
    msg_put_cstr(out, "headers");
    msg_put_array(out, a->display->n);
    for (size_t i = 0; i < a->display->n; i++)
        msg_put_str(out, a->display->columns[i].title);
    msg_put_cstr(out, "resultlist");
    msg_put_array(out, a->rows->n);
    for (size_t i = 0; i < a->rows->n; i++)
        msg_put_cstr(out, a->rows->list[i].line);
    msg_put_pair(out, "status", VIEW("ok"));
}

static void on_answer(void *arg, const struct directory_answer *a)
{
    struct deferred_reply *l = arg;
    struct buf body;

    buf_init(&body, 0);
    if (a->fault) {
        msg_put_map(&body, 2);
        msg_put_pair(&body, "status", VIEW("ko"));
        msg_put_pair(&body, "reason", view_cstr(a->fault));
    } else {
        put_result(&body, a);
    }
    if (body.failed)
        deferred_reply_status(&l, BUS_busy);
    else
        deferred_reply_send(&l, BUS_ok, buf_view(&body));
    buf_free(&body);
}

static bool sees(void *arg, const struct xod_obj *o)
{
    return access_sees(arg, o);
}

static void directory(struct state *s, struct session *se, struct deferred_reply *l,
                      const msgpack_object *message)
{
    struct xod_obj *user = session_user(se);
    struct directory_ask ask = {.ipbx = xod_obj_ipbx(user), .sees = sees};
    struct access access;
    char context[32];
    char pattern[32];

    if (!command_pattern(message, pattern, &ask.text)) {
        on_answer(l, &(struct directory_answer){.fault = "pattern"});
        return;
    }
    if (access_init(&access, user, access_is_separate(s->cfg)) < 0) {
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    ask.sees_arg = &access;
    ask.context = relations_context(user, context);
    directory_search(s->directories, &ask, on_answer, l);
    access_fini(&access);
}

const struct command command_directory = {"directory", directory, true};
