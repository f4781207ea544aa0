/* The steps of a login, as far as they are state's: passwords stay here. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "core/audit.h"
#include "core/profile.h"
#include "sessions/login.h"
#include "sessions/presence.h"
#include "sessions/sessions.h"
#include "sessions/verifier.h"
#include "users/passwords.h"
#include "json/json.h"

#define SESSIONID_LEN 10
#define MAX_PASSWORD 512

void login_begin(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    char sessionid[SESSIONID_LEN + 1];
    struct buf out;

    rng_alnum(sessionid, SESSIONID_LEN);
    buf_init(&out, 256);
    msg_put_map(&out, 1);
    msg_put_pair(&out, "sessionid", view_cstr(sessionid));
    bus_server_reply(s->server, p, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

/* UTF-8 text in Latin-1, as the Qt clients hash it: what Latin-1 lacks becomes '?'. */
static size_t to_latin1(struct view text, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (len == 1)
            out[n++] = (char)c;
        else if (len == 2 && i + 1 < text.len && c <= 0xc3)
            out[n++] = (char)((c & 3) << 6 | ((unsigned char)text.ptr[i + 1] & 0x3f));
        else
            out[n++] = '?';
        i += len;
    }
    return n;
}

static bool matches(struct view salt, struct view password, struct view hashed)
{
    char want[DIGEST_HEX];
    char lower[40];

    if (hashed.len != 40 || !DIGEST_HEX_OF(EVP_sha1(), want, salt, VIEW(":"), password))
        return false;
    for (int i = 0; i < 40; i++)
        lower[i] = (char)(hashed.ptr[i] | 0x20); /* digits stay as they are */
    return CRYPTO_memcmp(want, lower, 40) == 0;
}

static bool password_ok(struct view salt, const char *password, struct view hashed)
{
    struct view utf8 = view_cstr(password);
    char latin1[MAX_PASSWORD];
    bool ok;

    if (utf8.len > sizeof(latin1))
        return false;
    ok = matches(salt, utf8, hashed) ||
         matches(salt, view_of(latin1, to_latin1(utf8, latin1)), hashed);
    OPENSSL_cleanse(latin1, sizeof(latin1));
    return ok;
}

struct xod_obj *login_find(struct state *s, struct view login)
{
    if (utf8_has_control(login)) /* no gateway of ours asks so */
        return NULL;
    for (size_t i = 0; login.len && i < s->n_ipbxes; i++) {
        struct xod_obj *u =
            xod_lookup(s->ipbxes[i].model->ipbx, LIST_users, XOD(users, loginclient), login, 0);
        if (u)
            return u;
    }
    return NULL;
}

enum bus_status login_may(const struct xod_obj *user, char scratch[32], struct view *profile)
{
    if (!user || !value_truth(xod_get(user, XOD(users, enableclient))))
        return BUS_login_password;
    *profile = value_text(xod_get(user, XOD(users, profileclient)), scratch);
    return profile->len ? BUS_ok : BUS_capaid_undefined;
}

void login_put_user(struct buf *out, const struct xod_obj *user, struct view profile)
{
    msg_put_pair(out, "userid", xod_obj_id(user));
    msg_put_pair(out, "ipbxid", xod_ipbx_name(xod_obj_ipbx(user)));
    msg_put_cstr(out, "capalist");
    msg_put_array(out, 1);
    msg_put_str(out, profile);
}

void login_answer(struct state *s, struct bus_peer *p, uint64_t id, const struct xod_obj *user)
{
    struct view profile = view_of(NULL, 0);
    char scratch[32];
    enum bus_status status = login_may(user, scratch, &profile);
    struct buf out;

    if (status != BUS_ok) {
        state_reply(s, p, id, status);
        return;
    }
    buf_init(&out, 4096);
    msg_put_map(&out, LOGIN_USER_PAIRS);
    login_put_user(&out, user, profile);
    bus_server_reply(s->server, p, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

void login_check(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct xod_obj *user = login_find(s, msg_get_str(body, "userlogin"));
    const char *password =
        user ? passwords_get(s->passwords, xod_ipbx_name(xod_obj_ipbx(user)), xod_obj_id(user))
             : NULL;
    struct view salt = msg_get_str(body, "sessionid");
    bool ok = password_ok(salt, password ? password : "", msg_get_str(body, "hashedpassword"));
    bool is_hash = user && password && verifier_is_hash(view_cstr(password));

    if (is_hash) { /* the challenge needs the clear text; a web client sends it */
        log_warning(s->log,
                    "login of \"%.*s\" refused: the list of users has a hash of the password, with "
                    "which only clients that send login_password can log in",
                    VIEW_ARG(msg_get_str(body, "userlogin")));
        state_reply(s, p, id, BUS_login_hashed);
        return;
    }
    if (!ok || !password || salt.len < SESSIONID_LEN)
        state_reply(s, p, id, BUS_login_password);
    else
        login_answer(s, p, id, user);
}

/* The presence a session starts with: what was asked for if the profile knows it, else the first
 * that is not "disconnected". */
static struct view first_presence(struct state *s, struct view capaid, struct view asked)
{
    struct json_object *all = profile_userstatus(s->cfg, capaid);

    if (!all)
        return VIEW("available");
    if (asked.len && !view_eq(asked, VIEW("disconnected")) &&
        profile_presence_allowed(s->cfg, capaid, view_of(NULL, 0), asked))
        return asked;
    json_object_object_foreach(all, key, val)
    {
        (void)val;
        if (strcmp(key, "disconnected") != 0)
            return view_cstr(key);
    }
    return VIEW("available");
}

static void reply_opened(struct state *s, struct deferred_reply *l, struct db_txn *t,
                         struct xod_obj *user, struct view capaid, uint64_t seq)
{
    struct view name = json_get_view(profile_find(s->cfg, capaid), "name");
    struct buf json;
    struct buf out;

    buf_init(&json, 0);
    buf_init(&out, 0);
    msg_put_map(&out, 7);
    msg_put_pair_u64(&out, "seq", seq);
    msg_put_pair(&out, "userid", xod_obj_id(user));
    msg_put_pair(&out, "ipbxid", xod_ipbx_name(xod_obj_ipbx(user)));
    msg_put_pair(&out, "appliname", name.len ? name : capaid);
    msg_put_pair(&out, "presence", xod_get_str(user, XOD(users, availstate)));
    profile_put_xlets(&json, s->cfg, capaid);
    msg_put_pair(&out, "capaxlets", buf_view(&json));
    buf_reset(&json);
    profile_put_capas(&json, s->cfg, capaid);
    msg_put_pair(&out, "capas", buf_view(&json));
    deferred_reply_when_written(&l, &t, buf_view(&out));
    buf_free(&json);
    buf_free(&out);
}

/* The user a request names, or NULL. */
static struct xod_obj *named_user(struct state *s, const msgpack_object *body)
{
    struct xod_ipbx *ipbx = xod_ipbx(s->xod, msg_get_str(body, "ipbxid"), false);

    return ipbx ? xod_find(ipbx, LIST_users, msg_get_str(body, "userid")) : NULL;
}

/* What stands against it, or BUS_ok. */
static enum bus_status may_open(struct state *s, const struct xod_obj *user, struct view capaid)
{
    char scratch[32];

    if (!user)
        return BUS_not_found;
    if (!profile_find(s->cfg, capaid))
        return BUS_unknownprofile;
    return view_eq(value_text(xod_get(user, XOD(users, profileclient)), scratch), capaid)
               ? BUS_ok
               : BUS_wrongprofile;
}

/* A second session shares the presence that is there. */
static void first_of_user(struct state *s, struct xod_obj *user, struct view capaid,
                          struct view asked, struct db_txn *t)
{
    struct view presence = first_presence(s, capaid, asked);

    presence_set(s, user, presence, t);
    presence_actions(s, user, capaid, presence);
}

/* The phone that this session's agent is at, for logging in without saying so again. */
static void note_agent(struct session *se, const msgpack_object *body)
{
    se->agent = view_eq(msg_get_str(body, "loginkind"), VIEW("agent"));
    snprintf(se->agent_exten, sizeof(se->agent_exten), "%.*s",
             VIEW_ARG(msg_get_str(body, "agentphonenumber")));
}

void login_open(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct xod_obj *user = named_user(s, body);
    struct view capaid = msg_get_str(body, "capaid");
    bool wins = msg_get_bool(body, "lastconnwins", false);
    enum bus_status status = may_open(s, user, capaid);
    struct deferred_reply *l = deferred_reply_new(s, p, id);
    struct db_txn *t = l ? db_begin(s->db) : NULL;
    struct session_info told = {.id = msg_get_str(body, "session"),
                                .capaid = capaid,
                                .address = msg_get_str(body, "address")};
    bool first;

    if (!l)
        return;
    if (status == BUS_ok) {
        first = xod_get(user, XOD(users, connection))->type == V_NULL;
        told.ipbx = xod_obj_ipbx(user);
        told.user_id = xod_obj_id(user);
        if (session_open(s->sessions, &told, p, t) < 0)
            status = BUS_busy;
    }
    if (status != BUS_ok) {
        if (t)
            db_commit_take(&t, NULL, NULL);
        deferred_reply_status(&l, status);
        return;
    }
    note_agent(session_find(s->sessions, told.id), body);
    if (wins)
        sessions_kick_others(s->sessions, session_find(s->sessions, told.id));
    if (first || wins)
        first_of_user(s, user, capaid, msg_get_str(body, "state"), t);
    ctilog_session(s, told.ipbx, told.user_id, told.id, true, capaid, msg_get_str(body, "address"));
    reply_opened(s, l, t, user, capaid, state_commit(s, false));
}

static void renew_one(struct state *s, struct bus_peer *p, const msgpack_object *item)
{
    struct session_info told = {
        .id = msg_get_str(item, "session"),
        .ipbx = xod_ipbx(s->xod, msg_get_str(item, "ipbxid"), false),
        .user_id = msg_get_str(item, "userid"),
        .capaid = msg_get_str(item, "capaid"),
        .presence = msg_get_str(item, "presence"),
        .address = msg_get_str(item, "address"),
    };

    if (!told.ipbx || session_open(s->sessions, &told, p, NULL) < 0)
        session_kick(s->sessions, p, told.id); /* the user may no longer be there */
}

void login_renew(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    const msgpack_object *list = msg_get(body, "sessions");

    if (!list || list->type != MSGPACK_OBJECT_ARRAY) {
        state_reply(s, p, id, BUS_malformed);
        return;
    }
    sessions_renew_begin(s->sessions, p);
    for (uint32_t i = 0; i < list->via.array.size; i++)
        renew_one(s, p, &list->via.array.ptr[i]);
    sessions_renew_end(s->sessions, p);
    state_commit(s, false);
    state_reply(s, p, id, BUS_ok);
}

void login_close(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct session *se = session_find(s->sessions, msg_get_str(body, "session"));
    struct deferred_reply *l = se ? deferred_reply_new(s, p, id) : NULL;
    struct db_txn *t = l ? db_begin(s->db) : NULL;

    if (!se) {
        state_reply(s, p, id, BUS_not_found);
        return;
    }
    if (view_eq(msg_get_str(body, "reason"), VIEW("lost")))
        session_lose(s->sessions, se, t);
    else
        session_end(s->sessions, se, t);
    state_commit(s, false);
    if (l)
        deferred_reply_when_written(&l, &t, view_of(NULL, 0));
}
