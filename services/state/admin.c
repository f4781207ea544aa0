/* What an administrator's tools ask: who is logged in, that they leave, that all is read anew. */
#include <errno.h>

#include "admin.h"
#include "core/deferred_reply.h"
#include "core/explain.h"
#include "core/list_names.h"
#include "sessions/direct_login.h"
#include "sessions/list_reload.h"
#include "sessions/login.h"
#include "sessions/sessions.h"
#include "sessions/tokens.h"
#include "users/passwords.h"
#include "users/relations.h"

#define MAX_LISTED 100000 /* sessions in one answer */

static void answer(struct state *s, struct bus_peer *p, uint64_t id, const struct buf *body)
{
    if (body->failed)
        state_reply(s, p, id, BUS_busy);
    else
        bus_server_reply(s->server, p, id, BUS_ok, buf_view(body));
}

/* {key: [...]}; takes the elements. */
static void answer_list(struct state *s, struct bus_peer *p, uint64_t id, const char *key, size_t n,
                        struct buf *elements)
{
    struct buf out;

    buf_init(&out, 0);
    msg_put_map(&out, 1);
    msg_put_elements(&out, key, n, elements);
    answer(s, p, id, &out);
    buf_free(elements);
    buf_free(&out);
}

void admin_sessions(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    char scratch[32];
    struct view who = msg_get_text(body, "user", scratch);
    const struct xod_obj *only = who.len ? relations_named(s, who) : NULL;
    const struct session *se;
    struct buf list;
    size_t n = 0;

    buf_init(&list, 0);
    for (size_t pos = 0; n < MAX_LISTED && (se = sessions_next(s->sessions, &pos));) {
        if (who.len && (!only || session_user(se) != only))
            continue;
        session_put(&list, se);
        n++;
    }
    answer_list(s, p, id, "sessions", n, &list);
}

/* One session by its name: its gateway ends it, or it is ended here when that is lost. */
static size_t kick_session(struct state *s, struct view name)
{
    struct session *se = session_find(s->sessions, name);

    if (!se)
        return 0;
    session_kick_or_end(s->sessions, se);
    return 1;
}

static void put_token(struct buf *out, const struct token *k, const struct xod_obj *user)
{
    msg_put_map(out, 6);
    msg_put_pair(out, "ipbx", view_cstr(k->ipbx));
    msg_put_pair(out, "user", view_cstr(k->user_id));
    msg_put_pair(out, "name", user ? xod_get_str(user, XOD(users, fullname)) : view_of(NULL, 0));
    msg_put_pair(out, "agent", view_cstr(k->agent));
    msg_put_cstr(out, "created");
    msg_put_double(out, k->created);
    msg_put_cstr(out, "used");
    msg_put_double(out, k->used);
}

static void answer_revoked(struct state *s, struct bus_peer *p, uint64_t id,
                           const struct xod_obj *user)
{
    struct buf out;

    buf_init(&out, 256);
    msg_put_map(&out, 1);
    msg_put_pair_u64(&out, "revoked",
                     tokens_revoke_user(direct_login_tokens(s->direct_login), user));
    answer(s, p, id, &out);
    buf_free(&out);
}

/* For a screen at which nobody types a password. The token is in the answer, and nowhere else. */
static void answer_new_token(struct state *s, struct bus_peer *p, uint64_t id,
                             const struct xod_obj *user)
{
    struct view ipbx = xod_ipbx_name(xod_obj_ipbx(user));
    struct view profile = view_of(NULL, 0);
    char scratch[32], text[TOKEN_TEXT];
    enum bus_status status = login_may(user, scratch, &profile);
    struct deferred_reply *reply;
    struct db_txn *t;
    struct buf out;

    if (status != BUS_ok) {
        state_reply(s, p, id, status);
        return;
    }
    reply = deferred_reply_new(s, p, id);
    if (!reply)
        return;
    t = db_begin(s->db);
    if (!t || token_create(direct_login_tokens(s->direct_login), user,
                           passwords_get(s->passwords, ipbx, xod_obj_id(user)),
                           VIEW("ctibus tokens"), t, text) < 0) {
        if (t)
            db_commit_take(&t, NULL, NULL);
        deferred_reply_status(&reply, BUS_busy);
        return;
    }
    log_notice(s->log, "a token for the user %.*s/%.*s is made by %.*s", VIEW_ARG(ipbx),
               VIEW_ARG(xod_obj_id(user)), VIEW_ARG(bus_peer_instance(p)));
    buf_init(&out, 256);
    msg_put_map(&out, 1);
    msg_put_pair(&out, "token", view_cstr(text));
    deferred_reply_when_written(&reply, &t, buf_view(&out));
    explicit_bzero(text, sizeof(text));
    buf_free(&out);
}

void admin_tokens(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    char scratch[32];
    struct view who = msg_get_text(body, "user", scratch);
    const struct xod_obj *only = who.len ? relations_named(s, who) : NULL;
    const struct token *k;
    struct buf list;
    size_t n = 0;

    if (msg_get_bool(body, "new", false) || msg_get_bool(body, "revoke", false) ||
        (who.len && !only)) {
        if (only && msg_get_bool(body, "new", false))
            answer_new_token(s, p, id, only);
        else if (only)
            answer_revoked(s, p, id, only);
        else
            state_reply(s, p, id, BUS_not_found);
        return;
    }
    buf_init(&list, 0);
    for (size_t pos = 0;
         n < MAX_LISTED && (k = tokens_next(direct_login_tokens(s->direct_login), &pos));) {
        const struct xod_obj *user = token_owner(direct_login_tokens(s->direct_login), k);
        if (only && user != only)
            continue;
        put_token(&list, k, user);
        n++;
    }
    answer_list(s, p, id, "tokens", n, &list);
}

void admin_kick(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    char scratch[32];
    struct view who = msg_get_text(body, "who", scratch);
    const struct xod_obj *user = who.len ? relations_named(s, who) : NULL;
    size_t n = user ? sessions_kick_user(s->sessions, user) : kick_session(s, who);
    struct buf out;

    state_commit(s, false);
    log_notice(s->log, "%.*s is kicked by %.*s: %zu sessions", VIEW_ARG(who),
               VIEW_ARG(bus_peer_instance(p)), n);
    buf_init(&out, 64);
    msg_put_map(&out, 1);
    msg_put_pair_u64(&out, "sessions", n);
    answer(s, p, id, &out);
    buf_free(&out);
}

void admin_reload(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct view list = msg_get_str(body, "list");
    const char *key = list.len ? list_name_key(list) : NULL;
    int rc;

    if (list.len && !key) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    if (key)
        rc = list_reload(s, key);
    else
        rc = s->reload ? s->reload(s->reload_arg) : -ENOTSUP;
    state_reply(s, p, id, rc == 0 ? BUS_ok : rc == -ENOENT ? BUS_not_found : BUS_failed);
}

/* ---- why an object is as it is ---- */

static size_t put_events(struct buf *out, const struct explain *e, const struct xod_obj *o)
{
    struct explained x;
    size_t n = 0;

    for (; explain_event(e, o, n, &x); n++) {
        msg_put_map(out, 3);
        msg_put_cstr(out, "time");
        msg_put_double(out, x.time);
        msg_put_pair(out, "event", x.event);
        msg_put_pair(out, "changes", x.changes);
    }
    return n;
}

static void answer_explained(struct state *s, struct bus_peer *p, uint64_t id,
                             const struct xod_obj *o)
{
    struct buf now, why, events, out;
    size_t n;

    buf_init(&now, 65536);
    buf_init(&why, 4096);
    buf_init(&events, 0);
    buf_init(&out, 0);
    explain_put_now(&now, o);
    explain_put_why(&why, o);
    n = put_events(&events, s->explain, o);
    msg_put_map(&out, 3);
    msg_put_pair(&out, "now", buf_view(&now));
    msg_put_pair(&out, "why", buf_view(&why));
    msg_put_elements(&out, "events", n, &events);
    answer(s, p, id, &out);
    buf_free(&now);
    buf_free(&why);
    buf_free(&events);
    buf_free(&out);
}

void admin_explain(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    const struct xod_obj *o = explain_object(s->xod, msg_get_str(body, "object"));

    if (o)
        answer_explained(s, p, id, o);
    else
        state_reply(s, p, id, BUS_not_found);
}
