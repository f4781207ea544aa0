/*
 * What users of another site ask for here. Their federation has been identified by its key; it is
 * believed who of its own users asks. What they may do is what the profile of the peer
 * (ipbxes.NAME.peer.profile) permits; a line of chat needs none.
 */
#include <stdio.h>

#include "base/array.h"
#include "base/dialled.h"
#include "core/ami_request.h"
#include "core/deferred_reply.h"
#include "core/notify.h"
#include "core/profile.h"
#include "federation/peers.h"
#include "model/model.h"
#include "sessions/budgets.h"
#include "json/json.h"

#define DEADLINE_MS 4000
#define MAX_TEXT 65536
#define MAX_NUMBER 81 /* of an extension of Asterisk, with its NUL */

struct asked {
    struct state *s;
    struct xod_ipbx *theirs; /* the peer that asks */
    struct xod_ipbx *ours;   /* of what is asked for */
    const msgpack_object *body;
    struct deferred_reply *l;
};

/* ---- answering ---- */

static void answer(struct deferred_reply **l, const char *error)
{
    struct buf pairs;

    buf_init(&pairs, 1024);
    if (error)
        msg_put_pair(&pairs, "error_string", view_cstr(error));
    deferred_reply_pairs(l, error ? 1 : 0, &pairs);
    buf_free(&pairs);
}

static bool is_permitted(const struct asked *a, struct view command)
{
    struct json_object *ipbx =
        json_member(config_section(a->s->cfg, "ipbxes"), xod_ipbx_name(a->theirs));
    struct json_object *link = json_get(ipbx, "peer");
    struct view profile = json_get_view(link ? link : json_get(ipbx, "cti_connection"), "profile");

    return profile.len && profile_permits(a->s->cfg, profile, "ipbxcommands", command);
}

/* ---- chat ---- */

/* Clients crash on a `from` that they do not know, so the sender must be known here. Why it was not
 * delivered; NULL: it was. */
static const char *deliver(struct asked *a, struct view from, struct view to, struct view text)
{
    struct xod_obj *user = xod_find(a->ours, LIST_users, to);
    char name[320];
    struct notification t;

    if (!xod_find(a->theirs, LIST_users, from) || text.len > MAX_TEXT)
        return "denied";
    if (!user || xod_get(user, XOD(users, connection))->type == V_NULL)
        return "not_connected";
    if (!budget_take_of(a->s, xod_ipbx_name(a->theirs), from, BUDGET_CHAT, (double)text.len + 256))
        return "busy";
    notify_begin(&t, "chitchat");
    snprintf(name, sizeof(name), "%.*s/%.*s", VIEW_ARG(xod_ipbx_name(a->theirs)), VIEW_ARG(from));
    notify_str(&t, "from", view_cstr(name));
    snprintf(name, sizeof(name), "%.*s/%.*s", VIEW_ARG(xod_ipbx_name(a->ours)), VIEW_ARG(to));
    notify_str(&t, "to", view_cstr(name));
    notify_str(&t, "text", text);
    notify_user(a->s, a->ours, to, &t);
    return NULL;
}

static void chitchat(struct asked *a)
{
    answer(&a->l, deliver(a, msg_get_str(a->body, "user"), msg_get_str(a->body, "to"),
                          msg_get_str(a->body, "text")));
}

void peers_chat_from(struct state *s, const struct session *se, struct deferred_reply *l,
                     const msgpack_object *message, struct view text)
{
    struct view from = msg_get_str(message, "from");
    struct view to = msg_get_str(message, "to");
    struct view whose = view_cut(&from, '/');
    struct view here = view_cut(&to, '/');
    struct ipbx *ours = state_ipbx(s, here);
    struct asked a = {.s = s, .theirs = peers_site(s->peers, whose)};
    const char *error = "denied";
    struct buf pairs;

    if (view_eq(whose, view_cstr(se->user_id + strlen("cs:"))) && a.theirs && ours) {
        a.ours = ours->model->ipbx;
        error = deliver(&a, from, to, text);
    }
    buf_init(&pairs, 1024);
    if (error)
        msg_put_pair(&pairs, "warning_string", view_cstr(error));
    deferred_reply_pairs(&l, error ? 1 : 0, &pairs);
    buf_free(&pairs);
}

/* ---- calls ---- */

static void on_done(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct deferred_reply *l = arg;
    char why[160];

    if (status != BUS_ok)
        answer(&l, "noconn");
    else if (view_eq(msg_get_str(body, "response"), VIEW("Success")))
        answer(&l, NULL);
    else {
        snprintf(why, sizeof(why), "%.*s", VIEW_ARG(msg_get_str(body, "message")));
        answer(&l, *why ? why : "refused");
    }
}

/* Headers as of ami_request_headers. */
static void act(struct asked *a, const char *action, ...)
{
    struct ami_request r;
    struct buf body;
    va_list ap;
    bool sent;

    if (!budget_take_of(a->s, xod_ipbx_name(a->theirs), view_of(NULL, 0), BUDGET_ACTIONS, 1)) {
        answer(&a->l, "busy");
        return;
    }
    buf_init(&body, 65536);
    ami_request_begin(&r, &body, view_cstr(action));
    va_start(ap, action);
    ami_request_headers(&r, ap);
    va_end(ap);
    sent = ami_request_ask(a->s, a->ours, 2, ami_request_end(&r), DEADLINE_MS, on_done, a->l);
    buf_free(&body);
    if (!sent)
        answer(&a->l, "noconn");
}

static void hangup(struct asked *a, struct xod_obj *channel)
{
    act(a, "Hangup", "Channel", xod_obj_id(channel), NULL);
}

/* The context of the phone of this channel, or of the one at the other end. */
static struct view context_of(const struct xod_obj *channel, char scratch[32])
{
    const struct xod_obj *peer = channel_peer(channel);
    struct xod_obj *phone = xod_related(channel, LIST_phones, 0);

    if (!phone && peer)
        phone = xod_related(peer, LIST_phones, 0);
    return phone ? value_text(xod_get(phone, XOD(phones, context)), scratch) : view_of(NULL, 0);
}

/* As ipbx_intercept: the channel that is named goes to the remote user; of a phone that rings, the
 * caller does. It goes by our dialplan: of the number only what a telephone number may hold, not
 * the name of any extension that we have. */
static void intercept(struct asked *a, struct xod_obj *channel)
{
    struct xod_obj *moved = channel_is_ringing(channel) ? channel_peer(channel) : channel;
    char number[MAX_NUMBER];
    char scratch[32];
    struct view context = context_of(channel, scratch);

    dialled_digits(msg_get_str(a->body, "number"), number, sizeof(number));
    if (!moved || !*number || context.len == 0) {
        answer(&a->l, *number ? "no_such_channel" : "no_number");
        return;
    }
    act(a, "Redirect", "Channel", xod_obj_id(moved), "Exten", view_cstr(number), "Context", context,
        "Priority", VIEW("1"), NULL);
}

static const struct {
    const char *command;
    void (*fn)(struct asked *a, struct xod_obj *channel);
} orders[] = {
    {"hangup", hangup},
    {"intercept", intercept},
};

static void carry_out(struct asked *a)
{
    struct view command = msg_get_str(a->body, "command");
    struct xod_obj *channel = xod_find(a->ours, LIST_channels, msg_get_str(a->body, "channel"));

    if (view_eq(command, VIEW("chitchat"))) {
        chitchat(a);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        if (!view_eq(command, view_cstr(orders[i].command)))
            continue;
        if (!is_permitted(a, command))
            answer(&a->l, "unallowed");
        else if (!channel)
            answer(&a->l, "no_such_channel");
        else
            orders[i].fn(a, channel);
        return;
    }
    answer(&a->l, "unknown_command");
}

void peers_carry_out(struct state *s, struct bus_peer *from, uint64_t id,
                     const msgpack_object *body)
{
    struct ipbx *ours = state_ipbx(s, msg_get_str(body, "ipbx"));
    struct asked a = {.s = s,
                      .theirs = peers_site(s->peers, msg_get_str(body, "site")),
                      .ours = ours ? ours->model->ipbx : NULL,
                      .body = body};

    if (!a.theirs || !a.ours) {
        state_reply(s, from, id, BUS_not_found);
        return;
    }
    a.l = deferred_reply_new(s, from, id);
    if (a.l)
        carry_out(&a);
}
