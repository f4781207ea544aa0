/*
 * login_password, login_token, login_proxy: a whole login in one message, as the web client does
 * it. login_forget and logout end what they began.
 */
#include "base/clock.h"
#include "messages/messages.h"

/* Can nobody on the way read what it sends? */
static bool is_secure(const struct client *c)
{
    return c->secure || conn_ws_is_tls(c->conn);
}

/* The presence asked for, with which session: as login_capas has it. False: no memory. */
static bool read_session(struct client *c, struct request *rq, const char *class)
{
    struct login *l = c->login;
    struct view state = json_get_view(rq->body, "state");

    l->class = class;
    l->reply_id = view_dup(rq->reply_id);
    l->state = view_dup(state);
    l->loginkind = view_dup(VIEW("user"));
    l->wins = json_get_bool(rq->body, "lastconnwins", false);
    return l->reply_id && l->state && l->loginkind;
}

/* Text of the first profile, or nothing. */
static struct view first_profile(const msgpack_object *body)
{
    const msgpack_object *list = msg_get(body, "capalist");

    return list && list->type == MSGPACK_OBJECT_ARRAY && list->via.array.size > 0
               ? msg_str(&list->via.array.ptr[0])
               : view_of(NULL, 0);
}

static void fail(struct client *c, enum bus_status status)
{
    bool told = status == BUS_login_password || status == BUS_capaid_undefined;
    struct view why = told                   ? schema_status_name(status)
                      : status == BUS_failed ? VIEW("login_unavailable")
                                             : VIEW("noconn");

    client_refuse(c, view_cstr(c->login->class), view_cstr(c->login->reply_id), why);
}

/* State knows who it is: the session can be opened. */
static void accept_user(struct client *c, const msgpack_object *body)
{
    struct view token = msg_get_str(body, "token");

    c->ipbx = xod_ipbx(replica_xod(c->gw->replica), msg_get_str(body, "ipbxid"), true);
    c->user_id = c->ipbx ? view_dup(msg_get_str(body, "userid")) : NULL;
    c->login->capaid = view_dup(first_profile(body));
    c->login->token = token.len ? view_dup(token) : NULL;
    if (!c->user_id || !c->login->capaid) {
        fail(c, BUS_busy);
        return;
    }
    client_set_phase(c, AUTHENTICATED);
    login_open_session(c, view_of(NULL, 0));
}

/* ---- by the password ---- */

static void on_password(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct login *l = c->login;

    c->asked = 0;
    if (status != BUS_login_password && l->counted)
        login_throttle_forgive(c->gw->guard, c->address, l->guarded_as);
    if (status == BUS_ok) {
        login_throttle_succeeded(c->gw->guard, c->address, l->guarded_as, clock_mono_us());
        accept_user(c, body);
        return;
    }
    if (status == BUS_login_password && !l->counted)
        login_throttle_failed(c->gw->guard, c->address, l->guarded_as, clock_mono_us());
    fail(c, status);
}

static void ask_password(struct client *c, struct view password, struct view reply_id)
{
    struct buf *pairs = &c->gw->pairs;
    struct login *l = c->login;
    bool asked;

    buf_reset(pairs);
    msg_put_pair(pairs, "userlogin", view_cstr(l->userlogin));
    msg_put_pair(pairs, "password", password);
    msg_put_pair(pairs, "agent", view_cstr(l->ident));
    msg_put_cstr(pairs, "remember");
    msg_put_bool(pairs, l->remember);
    asked = client_ask(c, METHOD_login_password, true, 4, buf_view(pairs), reply_id, on_password);
    buf_reset(pairs);
    if (!asked)
        fail(c, BUS_gone);
}

static void throttled(struct client *c)
{
    metric_add(c->gw->throttled, 1);
    client_refuse(c, view_cstr(c->login->class), view_cstr(c->login->reply_id),
                  VIEW("login_throttled"));
}

/* Who is suspect is counted before the answer is known: or many could ask within one delay. */
static void ask_suspect(struct client *c, struct view password, struct view reply_id)
{
    uint64_t now = clock_mono_us();

    if (login_throttle_delay(c->gw->guard, c->address, c->login->guarded_as, now) < 0) {
        throttled(c);
        return;
    }
    login_throttle_failed(c->gw->guard, c->address, c->login->guarded_as, now);
    c->login->counted = true;
    ask_password(c, password, reply_id);
}

void message_login_password(struct client *c, struct request *rq)
{
    static const char *const required[] = {"userlogin", "password", "ident", "xivoversion", NULL};
    struct view password = json_get_view(rq->body, "password");
    int delay;

    if (!is_secure(c)) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("login_not_secure"));
        return;
    }
    if (!login_start(c, rq, required, json_get_view(rq->body, "userlogin")))
        return;
    c->login->remember = json_get_bool(rq->body, "remember", false);
    c->login->ident = view_dup(json_get_view(rq->body, "ident"));
    if (!read_session(c, rq, "login_password") || !c->login->ident) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
        return;
    }
    delay = login_throttle_delay(c->gw->guard, c->address, c->login->guarded_as, clock_mono_us());
    if (delay == 0)
        ask_password(c, password, rq->reply_id);
    else if (delay < 0)
        throttled(c);
    else if (client_ask_later(c, password, rq->reply_id, (uint32_t)delay, ask_suspect) < 0)
        fail(c, BUS_gone);
}

/* ---- by a token, or the header of a proxy ---- */

static void on_known(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;

    c->asked = 0;
    if (status == BUS_ok)
        accept_user(c, body);
    else if (status == BUS_login_password)
        client_refuse(c, view_cstr(c->login->class), view_cstr(c->login->reply_id),
                      view_eq(view_cstr(c->login->class), VIEW("login_token"))
                          ? VIEW("login_token_invalid")
                          : VIEW("login_password"));
    else
        fail(c, status);
}

static void ask_known(struct client *c, struct request *rq, enum bus_method method, const char *key,
                      struct view value)
{
    struct buf *pairs = &c->gw->pairs;
    bool asked;

    buf_reset(pairs);
    msg_put_pair(pairs, key, value);
    asked = client_ask(c, method, true, 1, buf_view(pairs), rq->reply_id, on_known);
    buf_reset(pairs);
    if (!asked)
        fail(c, BUS_gone);
}

void message_login_token(struct client *c, struct request *rq)
{
    static const char *const required[] = {"token", "ident", "xivoversion", NULL};

    if (!is_secure(c)) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("login_not_secure"));
        return;
    }
    if (!login_start(c, rq, required, view_of("", 0)))
        return;
    if (read_session(c, rq, "login_token"))
        ask_known(c, rq, METHOD_login_token, "token", json_get_view(rq->body, "token"));
    else
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
}

void message_login_proxy(struct client *c, struct request *rq)
{
    static const char *const required[] = {"ident", "xivoversion", NULL};
    struct view user = c->from_proxy ? conn_ws_remote_user(c->conn) : view_of(NULL, 0);

    if (user.len == 0) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("login_no_proxy"));
        return;
    }
    if (!login_start(c, rq, required, user))
        return;
    if (read_session(c, rq, "login_proxy"))
        ask_known(c, rq, METHOD_login_trusted, "userlogin", user);
    else
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
}

/* ---- the end ---- */

/* The token of this browser, and of all others of the user when asked for. Nobody waits for the
 * answer: the connection ends with this message. */
void login_direct_forget(struct client *c, struct view token, bool everywhere)
{
    struct buf *pairs = &c->gw->pairs;
    char session[64];

    client_session_name(c, session);
    buf_reset(pairs);
    msg_put_pair(pairs, "token", token);
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_cstr(pairs, "everywhere");
    msg_put_bool(pairs, everywhere);
    if (bus_client_is_up(c->gw->bus_client))
        bus_ask(c->gw->bus_client, METHOD_login_forget, 3, buf_view(pairs), 5000, NULL, NULL);
    buf_reset(pairs);
}
