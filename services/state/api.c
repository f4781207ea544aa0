#include "api.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "base/clock.h"
#include "commands/commands.h"
#include "commands/repeats.h"
#include "core/profile.h"
#include "lists/lists.h"
#include "sessions/api_tokens.h"
#include "sessions/login.h"
#include "users/relations.h"

struct api {
    struct api_tokens *tokens;
    struct repeats *repeats;
};

struct api *api_new(struct state *s)
{
    struct api *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->tokens = api_tokens_new(s);
    a->repeats = repeats_new();
    if (!a->tokens || !a->repeats)
        api_destroy(&a);
    return a;
}

void api_destroy(struct api **a)
{
    if (!*a)
        return;
    repeats_destroy(&(*a)->repeats);
    api_tokens_destroy(&(*a)->tokens);
    free(*a);
    *a = NULL;
}

int api_restore(struct api *a)
{
    return api_tokens_restore(a->tokens);
}

void api_expire(struct api *a, double now)
{
    api_tokens_expire(a->tokens, now);
}

/* ---- api.open ---- */

static void put_see(struct buf *out, const struct config *cfg, struct view profile)
{
    struct value see = {.type = V_NULL};

    msg_put_cstr(out, "see");
    if (value_from_json(&see, profile_see(cfg, profile)) < 0)
        out->failed = true; /* without it more would be shown */
    value_pack(out, &see);
    value_clear(&see);
}

static void answer_open(struct state *s, struct bus_peer *p, uint64_t id, const struct api_token *k,
                        const struct xod_obj *user, struct view profile)
{
    char scratch[32];
    struct buf out;

    buf_init(&out, 65536);
    msg_put_map(&out, 4 + LOGIN_USER_PAIRS + 2);
    msg_put_pair(&out, "id", view_of(k->hash, API_TOKEN_ID));
    msg_put_pair(&out, "name", view_cstr(k->name));
    msg_put_pair(&out, "login", value_text(xod_get(user, XOD(users, loginclient)), scratch));
    msg_put_cstr(&out, "scopes");
    api_scopes_put(&out, k->scopes);
    login_put_user(&out, user, profile);
    put_see(&out, s->cfg, profile);
    msg_put_cstr(&out, "read");
    msg_put_bool(&out, profile_permits_class(s->cfg, profile, VIEW("getlist")));
    if (out.failed)
        state_reply(s, p, id, BUS_busy);
    else
        bus_server_reply(s->server, p, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

/* The user of a token and the profile (in scratch, or the user's). BUS_ok, or why not. */
static enum bus_status owner_of(struct state *s, const struct api_token *k, char scratch[32],
                                struct xod_obj **user, struct view *profile)
{
    *user = k ? api_token_user(s->api->tokens, k) : NULL;
    if (k && !*user &&
        !lists_all_users_known(s)) /* the token may be good: its program is to try again */
        return BUS_busy;
    return login_may(*user, scratch, profile) == BUS_ok ? BUS_ok : BUS_denied;
}

void api_open(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    const struct api_token *k = api_token_of_text(s->api->tokens, msg_get_str(body, "token"));
    struct view profile = view_of(NULL, 0);
    char scratch[32];
    struct xod_obj *user;
    enum bus_status status = owner_of(s, k, scratch, &user, &profile);

    if (status == BUS_ok)
        answer_open(s, p, id, k, user, profile);
    else
        state_reply(s, p, id, status);
}

/* ---- api.command ---- */

/* May a user of this profile act for that one? */
static bool may_act_as(struct state *s, const struct api_token *k, const struct xod_obj *user,
                       struct view profile, const struct xod_obj *as)
{
    struct access a;
    bool yes;

    if (as == user)
        return true;
    if (!as || !(k->scopes & (1u << SCOPE_act_as)) ||
        access_init(&a, user, access_is_separate(s->cfg)) < 0)
        return false;
    yes = access_limit(&a, user, profile_see(s->cfg, profile)) == 0 && access_sees(&a, as);
    access_fini(&a);
    return yes;
}

/* What commands take for a session of the user. No client has it: lines for it go nowhere. */
static void fill_session(struct session *se, const struct api_token *k, struct xod_obj *as,
                         struct view profile)
{
    *se = (struct session){.ipbx = xod_obj_ipbx(as), .attached = true, .awaits_outcome = true};
    snprintf(se->id, sizeof(se->id), "api:%.*s", API_TOKEN_ID, k->hash);
    snprintf(se->user_id, sizeof(se->user_id), "%.*s", VIEW_ARG(xod_obj_id(as)));
    snprintf(se->capaid, sizeof(se->capaid), "%.*s", VIEW_ARG(profile));
}

static void carry_out(struct state *s, struct command_request *rq, struct session *se,
                      struct repeat *first)
{
    if (first) {
        rq->watch = repeat_done;
        rq->watch_arg = first;
    }
    if (!command_start(s, rq, se) && first)
        repeat_forget(s->api->repeats, first);
}

static void carry_out_once(struct state *s, struct command_request *rq, struct session *se,
                           struct view key)
{
    struct repeat *found = NULL;
    struct buf request;
    struct view body = view_of(NULL, 0);
    enum bus_status status;

    buf_init(&request, 0);
    buf_append_view(&request, rq->class);
    buf_append_cstr(&request, se->user_id);
    if (rq->message)
        msg_put_object(&request, rq->message);
    switch (repeats_look(s->api->repeats, view_cstr(se->id), key, buf_view(&request), clock_wall(),
                         &found)) {
    case REPEAT_FIRST:
        carry_out(s, rq, se, found);
        break;
    case REPEAT_DONE:
        status = repeat_status(found, &body);
        bus_server_reply(s->server, rq->peer, rq->id, status, body);
        break;
    case REPEAT_OTHER:
        state_reply(s, rq->peer, rq->id, BUS_malformed);
        break;
    default:
        state_reply(s, rq->peer, rq->id, BUS_busy);
    }
    buf_free(&request);
}

void api_command(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    const struct api_token *k = api_token_of_id(s->api->tokens, msg_get_str(body, "id"));
    struct view key = msg_get_str(body, "key");
    struct view profile = view_of(NULL, 0);
    struct command_request rq = {.peer = p,
                                 .id = id,
                                 .class = msg_get_str(body, "class"),
                                 .message = msg_get(body, "message")};
    struct xod_obj *user, *as;
    struct session se;
    char scratch[32], room2[32];
    struct view who = msg_get_text(body, "as", room2);
    enum bus_status status = owner_of(s, k, scratch, &user, &profile);

    if (status != BUS_ok || key.len > REPEATS_KEY) {
        state_reply(s, p, id, status != BUS_ok ? status : BUS_malformed);
        return;
    }
    as = who.len ? xod_find(xod_obj_ipbx(user), LIST_users, who) : user;
    if (!may_act_as(s, k, user, profile, as)) {
        state_reply(s, p, id, BUS_unallowed);
        return;
    }
    fill_session(&se, k, as, profile);
    if (key.len)
        carry_out_once(s, &rq, &se, key);
    else
        carry_out(s, &rq, &se, NULL);
}

/* ---- admin.api_tokens ---- */

static void put_token(struct state *s, struct buf *out, const struct api_token *k)
{
    const struct xod_obj *user = api_token_user(s->api->tokens, k);
    char scratch[32];

    msg_put_map(out, 9);
    msg_put_pair(out, "id", view_of(k->hash, API_TOKEN_ID));
    msg_put_pair(out, "name", view_cstr(k->name));
    msg_put_pair(out, "ipbx", view_cstr(k->ipbx));
    msg_put_pair(out, "user", view_cstr(k->user_id));
    msg_put_pair(out, "login",
                 user ? value_text(xod_get(user, XOD(users, loginclient)), scratch)
                      : view_of(NULL, 0));
    msg_put_cstr(out, "scopes");
    api_scopes_put(out, k->scopes);
    msg_put_cstr(out, "created");
    msg_put_double(out, k->created);
    msg_put_cstr(out, "used");
    msg_put_double(out, k->used);
    msg_put_cstr(out, "expires");
    msg_put_double(out, k->expires);
}

static void answer_list(struct state *s, struct bus_peer *p, uint64_t id,
                        const struct xod_obj *only)
{
    const struct api_token *k;
    struct buf list, out;
    size_t n = 0;

    buf_init(&list, 0);
    buf_init(&out, 0);
    for (size_t pos = 0; (k = api_tokens_next(s->api->tokens, &pos));) {
        if (only && api_token_user(s->api->tokens, k) != only)
            continue;
        put_token(s, &list, k);
        n++;
    }
    msg_put_map(&out, 1);
    msg_put_elements(&out, "tokens", n, &list);
    if (out.failed)
        state_reply(s, p, id, BUS_busy);
    else
        bus_server_reply(s->server, p, id, BUS_ok, buf_view(&out));
    buf_free(&list);
    buf_free(&out);
}

/* The token is in the answer, and nowhere else. */
static void create(struct state *s, struct bus_peer *p, uint64_t id,
                   const struct api_token_wish *wish)
{
    struct deferred_reply *reply = deferred_reply_new(s, p, id);
    struct db_txn *t = reply ? db_begin(s->db) : NULL;
    char text[API_TOKEN_TEXT];
    const struct api_token *k = t ? api_token_create(s->api->tokens, wish, t, text) : NULL;
    struct buf out;

    if (!reply)
        return;
    if (!k) {
        if (t)
            db_commit_take(&t, NULL, NULL);
        deferred_reply_status(&reply, BUS_busy);
        return;
    }
    log_notice(s->log, "a token %.*s of the HTTP API for the user %s/%s is made by %.*s",
               API_TOKEN_ID, k->hash, k->ipbx, k->user_id, VIEW_ARG(bus_peer_instance(p)));
    buf_init(&out, 256);
    msg_put_map(&out, 2);
    msg_put_pair(&out, "token", view_cstr(text));
    msg_put_pair(&out, "id", view_of(k->hash, API_TOKEN_ID));
    deferred_reply_when_written(&reply, &t, buf_view(&out));
    explicit_bzero(text, sizeof(text));
    buf_free(&out);
}

static void answer_revoked(struct state *s, struct bus_peer *p, uint64_t id, struct view which,
                           const struct xod_obj *user)
{
    size_t n = user ? api_tokens_revoke_user(s->api->tokens, user)
                    : (size_t)api_token_revoke(s->api->tokens, which);
    struct buf out;

    if (n > 0)
        log_notice(s->log, "%zu tokens of the HTTP API are revoked by %.*s", n,
                   VIEW_ARG(bus_peer_instance(p)));
    buf_init(&out, 64);
    msg_put_map(&out, 1);
    msg_put_pair_u64(&out, "revoked", n);
    bus_server_reply(s->server, p, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

static void create_for(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body,
                       const struct xod_obj *user)
{
    struct api_token_wish wish = {.user = user,
                                  .name = msg_get_str(body, "name"),
                                  .days =
                                      msg_get(body, "days") ? msg_get_double(body, "days", -1) : 0};
    struct view profile = view_of(NULL, 0);
    char scratch[32];
    struct buf why;
    enum bus_status status = login_may(user, scratch, &profile);

    buf_init(&why, 256);
    if (!api_scopes_read(msg_get(body, "scopes"), &wish.scopes, &why) || !(wish.days >= 0) ||
        wish.days > 36500)
        status = BUS_malformed;
    buf_free(&why);
    if (status == BUS_ok)
        create(s, p, id, &wish);
    else
        state_reply(s, p, id, status == BUS_login_password ? BUS_denied : status);
}

void admin_api_tokens(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    char scratch[32];
    struct view who = msg_get_text(body, "user", scratch);
    const struct xod_obj *user = who.len ? relations_named(s, who) : NULL;
    const msgpack_object *revoke = msg_get(body, "revoke");

    if (who.len && !user)
        state_reply(s, p, id, BUS_not_found);
    else if (revoke)
        answer_revoked(s, p, id, msg_str(revoke), user);
    else if (!msg_get_bool(body, "create", false))
        answer_list(s, p, id, user);
    else if (user)
        create_for(s, p, id, body, user);
    else
        state_reply(s, p, id, BUS_malformed);
}
