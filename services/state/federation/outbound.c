/* What our users ask of those of another site: it is carried out there, by the rules there. */
#include <stdio.h>

#include "base/array.h"
#include "core/deferred_reply.h"
#include "federation/peers.h"
#include "sessions/sessions.h"
#include "users/relations.h"

#define DEADLINE_MS 5000

struct xod_ipbx *peers_cut(const struct peers *p, struct view *id)
{
    struct view rest = *id;
    struct view name = view_cut(&rest, '/');
    struct xod_ipbx *site = name.len < id->len ? peers_site(p, name) : NULL;

    if (site)
        *id = rest;
    return site;
}

/* ---- sending ---- */

/* The user that asks. */
static size_t put_asker(struct buf *pairs, const struct session *se)
{
    const struct xod_obj *user = session_user(se);
    const struct xod_obj *line = user ? relations_line(user) : NULL;
    char scratch[32];

    msg_put_pair(pairs, "site", xod_ipbx_name(se->ipbx));
    msg_put_pair(pairs, "user", view_cstr(se->user_id));
    msg_put_pair(pairs, "name", user ? xod_get_str(user, XOD(users, fullname)) : view_of(NULL, 0));
    msg_put_pair(pairs, "number",
                 line ? value_text(xod_get(line, XOD(phones, number)), scratch) : view_of(NULL, 0));
    return 4;
}

static bool send_to(struct state *s, const struct session *se, const struct xod_ipbx *to, size_t n,
                    const struct buf *fields, bus_answer_fn *answer, struct deferred_reply *l)
{
    struct bus_peer *gateway = peers_gateway(s->peers, to);
    struct buf pairs;
    bool sent;

    if (!gateway || fields->failed)
        return false;
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "ipbx", xod_ipbx_name(to));
    n += 1 + put_asker(&pairs, se);
    buf_append_view(&pairs, buf_view(fields));
    sent = !pairs.failed && bus_server_ask(s->server, gateway, METHOD_peer_command, n,
                                           buf_view(&pairs), DEADLINE_MS, answer, l);
    buf_free(&pairs);
    return sent;
}

/* Why it was not done; empty: it was. */
static struct view error_of(enum bus_status status, const msgpack_object *body)
{
    if (status == BUS_ok)
        return msg_get_str(body, "error_string");
    return status == BUS_gone ? VIEW("noconn") : schema_status_name(status);
}

/* ---- chat ---- */

static void on_chat(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;
    struct view error = error_of(status, body);
    struct buf pairs;

    buf_init(&pairs, 1024);
    if (error.len)
        msg_put_pair(&pairs, "warning_string", error);
    deferred_reply_pairs(&l, error.len ? 1 : 0, &pairs);
    buf_free(&pairs);
}

bool peers_chat(struct state *s, const struct session *se, struct deferred_reply *l,
                const struct xod_obj *to, struct view text)
{
    struct buf fields;
    bool sent;

    buf_init(&fields, 0);
    msg_put_pair(&fields, "command", VIEW("chitchat"));
    msg_put_pair(&fields, "to", xod_obj_id(to));
    msg_put_pair(&fields, "text", text);
    sent = send_to(s, se, xod_obj_ipbx(to), 3, &fields, on_chat, l);
    buf_free(&fields);
    return sent;
}

/* ---- commands on calls ---- */

static void answer(struct deferred_reply **l, struct view command, struct view error)
{
    struct buf pairs;

    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, "command", command);
    msg_put_pair(&pairs, "ipbxreply", error.len ? VIEW("noaction") : VIEW("ok"));
    if (error.len)
        msg_put_pair(&pairs, "error_string", error);
    deferred_reply_pairs(l, error.len ? 3 : 2, &pairs);
    buf_free(&pairs);
}

static void on_hangup(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;

    answer(&l, VIEW("hangup"), error_of(status, body));
}

static void on_intercept(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;

    answer(&l, VIEW("intercept"), error_of(status, body));
}

static const struct {
    const char *command;
    const char *field; /* which names the channel */
    bus_answer_fn *answer;
} orders[] = {
    {"hangup", "channelids", on_hangup},
    {"intercept", "tointercept", on_intercept},
};

/* "chan:SITE/CHANNEL", alone or the first of a list. */
static struct view channel_of(const msgpack_object *message, const char *field)
{
    const msgpack_object *v = msg_get(message, field);
    struct view text = v && v->type == MSGPACK_OBJECT_ARRAY && v->via.array.size
                           ? msg_str(&v->via.array.ptr[0])
                           : msg_str(v);

    return view_starts(text, VIEW("chan:")) ? view_of(text.ptr + 5, text.len - 5) : text;
}

bool peers_take(struct state *s, struct session *se, struct deferred_reply *l,
                const msgpack_object *message)
{
    struct view command = msg_get_str(message, "command");

    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        struct view channel = channel_of(message, orders[i].field);
        struct xod_ipbx *site = peers_cut(s->peers, &channel);
        struct buf fields;
        if (!site || !view_eq(command, view_cstr(orders[i].command)))
            continue;
        buf_init(&fields, 65536);
        msg_put_pair(&fields, "command", command);
        msg_put_pair(&fields, "channel", channel);
        if (!send_to(s, se, site, 2, &fields, orders[i].answer, l))
            answer(&l, command, VIEW("noconn"));
        buf_free(&fields);
        return true;
    }
    return false;
}
