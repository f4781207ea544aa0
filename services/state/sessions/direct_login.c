#include "sessions/direct_login.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/deferred_reply.h"
#include "lists/lists.h"
#include "sessions/login.h"
#include "sessions/sessions.h"
#include "sessions/tokens.h"
#include "sessions/verifier.h"
#include "users/passwords.h"

#define MAX_PASSWORD 512

struct direct_login {
    struct state *s;
    struct tokens *tokens;
    struct verifier *verifier;
};

/* A login.password whose password is being checked. */
struct attempt {
    struct state *s;
    struct deferred_reply *reply;
    char *ipbx, *user_id, *agent;
    char *password; /* as the list of users had it when the check began; NULL: it has none */
    bool remember;
};

/* ---- lifecycle ---- */

static struct ldap_options ldap_of(const struct config *cfg)
{
    return (struct ldap_options){
        .uri = config_str(cfg, "ctibus.auth.ldap.uri"),
        .user_dn = config_str(cfg, "ctibus.auth.ldap.user_dn"),
        .base = config_str(cfg, "ctibus.auth.ldap.base"),
        .filter = config_str(cfg, "ctibus.auth.ldap.filter"),
        .search_dn = config_str(cfg, "ctibus.auth.ldap.search_dn"),
        .search_password = config_str(cfg, "ctibus.auth.ldap.search_password"),
        .ca_file = config_str(cfg, "ctibus.auth.ldap.ca"),
        .start_tls = config_bool(cfg, "ctibus.auth.ldap.starttls"),
    };
}

struct direct_login *direct_login_new(struct state *s, int *err)
{
    struct direct_login *d = calloc(1, sizeof(*d));
    struct ldap_options ldap = ldap_of(s->cfg);

    *err = -ENOMEM;
    if (!d)
        return NULL;
    d->s = s;
    d->tokens = tokens_new(s);
    if (d->tokens)
        d->verifier = verifier_new(s->loop, &ldap, s->log, err);
    if (!d->verifier)
        direct_login_destroy(&d);
    return d;
}

void direct_login_destroy(struct direct_login **d)
{
    if (!*d)
        return;
    verifier_destroy(&(*d)->verifier);
    tokens_destroy(&(*d)->tokens);
    free(*d);
    *d = NULL;
}

int direct_login_restore(struct direct_login *d)
{
    return tokens_restore(d->tokens);
}

struct tokens *direct_login_tokens(struct direct_login *d)
{
    return d->tokens;
}

/* ---- by the password ---- */

static void attempt_free(struct attempt *a)
{
    if (a->password)
        explicit_bzero(a->password, strlen(a->password));
    free(a->password);
    free(a->ipbx);
    free(a->user_id);
    free(a->agent);
    free(a);
}

/* The user again: the check may have taken seconds. */
static struct xod_obj *user_of(const struct attempt *a)
{
    struct xod_ipbx *ipbx = xod_ipbx(a->s->xod, view_cstr(a->ipbx), false);

    return ipbx ? xod_find(ipbx, LIST_users, view_cstr(a->user_id)) : NULL;
}

static void answer_right(struct attempt *a)
{
    struct view profile = view_of(NULL, 0);
    char scratch[32];
    char token[TOKEN_TEXT];
    struct xod_obj *user = user_of(a);
    enum bus_status status = login_may(user, scratch, &profile);
    struct db_txn *t = NULL;
    struct buf out;
    bool remember;

    if (status != BUS_ok) {
        deferred_reply_status(&a->reply, status);
        return;
    }
    if (a->remember)
        t = db_begin(a->s->db);
    remember = t && token_create(direct_login_tokens(a->s->direct_login), user, a->password,
                                 view_cstr(a->agent), t, token) == 0;
    buf_init(&out, 4096);
    msg_put_map(&out, LOGIN_USER_PAIRS + (remember ? 1 : 0));
    login_put_user(&out, user, profile);
    if (remember)
        msg_put_pair(&out, "token", view_cstr(token));
    deferred_reply_when_written(&a->reply, &t, buf_view(&out));
    buf_free(&out);
}

static void on_verdict(void *arg, enum verdict verdict)
{
    struct attempt *a = arg;

    if (verdict == VERDICT_RIGHT)
        answer_right(a);
    else
        deferred_reply_status(&a->reply,
                              verdict == VERDICT_WRONG ? BUS_login_password : BUS_failed);
    attempt_free(a);
}

static bool same_text(struct view a, const char *b)
{
    char want[MAX_PASSWORD] = "", got[MAX_PASSWORD] = "";
    bool fits = a.len < sizeof(got) && strlen(b) < sizeof(want);

    if (fits) {
        memcpy(got, a.ptr, a.len);
        memcpy(want, b, strlen(b));
        fits = CRYPTO_memcmp(want, got, sizeof(want)) == 0;
    }
    OPENSSL_cleanse(want, sizeof(want));
    OPENSSL_cleanse(got, sizeof(got));
    return fits;
}

/* By the list of users: in clear text, or a hash; a user without a password there is the LDAP
 * server's. */
static int start_check(struct attempt *a, struct view login, struct view password)
{
    struct verifier *v = a->s->direct_login->verifier;

    if (a->password && verifier_is_hash(view_cstr(a->password)))
        return verifier_check(v, login, password, a->password, on_verdict, a);
    if (!a->password && a->ipbx && verifier_has_ldap(v))
        return verifier_check(v, login, password, NULL, on_verdict, a);
    on_verdict(a, a->password && same_text(password, a->password) ? VERDICT_RIGHT : VERDICT_WRONG);
    return 0;
}

static struct attempt *attempt_new(struct state *s, const struct xod_obj *user,
                                   const msgpack_object *body)
{
    struct attempt *a = calloc(1, sizeof(*a));
    const char *known = NULL;

    if (!a)
        return NULL;
    a->s = s;
    a->remember = msg_get_bool(body, "remember", false);
    a->agent = view_dup(msg_get_str(body, "agent"));
    if (user) {
        a->ipbx = view_dup(xod_ipbx_name(xod_obj_ipbx(user)));
        a->user_id = view_dup(xod_obj_id(user));
        known = passwords_get(s->passwords, view_cstr(a->ipbx), view_cstr(a->user_id));
        a->password = known ? view_dup(view_cstr(known)) : NULL;
    }
    if (!a->agent || (user && (!a->ipbx || !a->user_id)) || (known && !a->password)) {
        attempt_free(a);
        return NULL;
    }
    return a;
}

void login_password(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct view login = msg_get_str(body, "userlogin");
    struct view password = msg_get_str(body, "password");
    struct attempt *a;

    if (password.len == 0 || password.len > MAX_PASSWORD ||
        (password.len && memchr(password.ptr, '\0', password.len))) {
        state_reply(s, p, id, BUS_login_password);
        return;
    }
    a = attempt_new(s, login_find(s, login), body);
    if (!a) {
        state_reply(s, p, id, BUS_busy);
        return;
    }
    a->reply = deferred_reply_new(s, p, id);
    if (!a->reply) {
        attempt_free(a);
        return;
    }
    if (start_check(a, login, password) < 0) {
        deferred_reply_status(&a->reply, BUS_busy);
        attempt_free(a);
    }
}

/* ---- by a token, and by the word of a proxy ---- */

void login_token(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct xod_obj *user = token_user(s->direct_login->tokens, msg_get_str(body, "token"));

    if (!user && !lists_all_users_known(s)) /* the token may be good: its client is to try again */
        state_reply(s, p, id, BUS_busy);
    else
        login_answer(s, p, id, user);
}

void login_trusted(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct xod_obj *user = login_find(s, msg_get_str(body, "userlogin"));

    if (!user && !lists_all_users_known(s))
        state_reply(s, p, id, BUS_busy);
    else
        login_answer(s, p, id, user);
}

void login_forget(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    struct session *se = session_find(s->sessions, msg_get_str(body, "session"));
    struct xod_obj *user = se ? session_user(se) : NULL;

    token_revoke(s->direct_login->tokens, msg_get_str(body, "token"));
    if (user && msg_get_bool(body, "everywhere", false)) {
        tokens_revoke_user(s->direct_login->tokens, user);
        sessions_kick_others(s->sessions, se);
    }
    state_commit(s, false);
    state_reply(s, p, id, BUS_ok);
}
