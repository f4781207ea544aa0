/* What state has answered about the tokens that programs present. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "internal.h"

/* One that is no good is not asked for again so soon. */
#define BAD_US 5000000u
#define LOOKS 10         /* while a good token is fresh */
#define MAX_TOKENS 10000 /* remembered, good or not */
#define MAX_TEXT 200     /* bytes of what may be one */
#define MAX_WAITS 1000   /* requests that wait for one answer */

struct token_wait {
    TAILQ_ENTRY(token_wait) all;
    struct token *of;
    token_fn *fn;
    void *arg;
    struct token_wait **self;
};

struct tokens {
    struct http_gw *g;
    struct map *by_text;
    TAILQ_HEAD(token_list, token) all;
    struct loop_timer *look;
};

/* ---- memory ---- */

static void forget_rights(struct token *k)
{
    if (k->has_access)
        access_fini(&k->access);
    k->has_access = false;
    json_object_put(k->see);
    k->see = NULL;
}

static void token_free(struct token *k)
{
    struct tokens *t = k->of;

    if (k->asked)
        bus_ask_cancel(t->g->bus_client, k->asked);
    map_del(t->by_text, view_cstr(k->text));
    TAILQ_REMOVE(&t->all, k, all);
    forget_rights(k);
    explicit_bzero(k->text, strlen(k->text));
    free(k->text);
    free(k);
}

static bool is_in_use(const struct token *k)
{
    return k->refs > 0 || k->asked || !TAILQ_EMPTY(&k->waits);
}

/* The one that was used longest ago makes room. */
static bool make_room(struct tokens *t)
{
    struct token *k;

    if (map_count(t->by_text) < MAX_TOKENS)
        return true;
    TAILQ_FOREACH(k, &t->all, all)
    if (!is_in_use(k)) {
        token_free(k);
        return true;
    }
    return false;
}

static struct token *token_new(struct tokens *t, struct view text)
{
    struct token *k = make_room(t) ? calloc(1, sizeof(*k)) : NULL;

    if (!k)
        return NULL;
    k->of = t;
    k->state = TOKEN_UNKNOWN;
    TAILQ_INIT(&k->waits);
    k->text = view_dup(text);
    if (!k->text || map_put(t->by_text, view_cstr(k->text), k) < 0) {
        free(k->text);
        free(k);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&t->all, k, all);
    return k;
}

/* ---- what state says ---- */

static void copy_str(char *out, size_t size, struct view v)
{
    snprintf(out, size, "%.*s", VIEW_ARG(v));
}

static uint32_t read_scopes(const msgpack_object *list)
{
    uint32_t scopes = 0;

    for (uint32_t i = 0; list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size;
         i++) {
        int scope = api_scope_find(msg_str(&list->via.array.ptr[i]));
        if (scope >= 0)
            scopes |= 1u << scope;
    }
    return scopes;
}

/* What limits whose calls are seen, as JSON: what access_limit reads. 0 or -ENOMEM. */
static int read_see(struct token *k, const msgpack_object *see)
{
    struct value v = {.type = V_NULL};
    struct buf text;
    int rc;

    if (!see || see->type == MSGPACK_OBJECT_NIL)
        return 0;
    buf_init(&text, 65536);
    rc = value_from_msg(&v, see);
    if (rc == 0) {
        value_put_json(&text, &v);
        rc = text.failed ? -ENOMEM : json_parse(&k->of->g->parser, buf_view(&text), &k->see);
    }
    value_clear(&v);
    buf_free(&text);
    return rc;
}

static struct xod_obj *user_of(const struct token *k)
{
    struct xod_ipbx *ipbx = xod_ipbx(replica_xod(k->of->g->replica), view_cstr(k->ipbx), false);

    return ipbx ? xod_find(ipbx, LIST_users, view_cstr(k->user_id)) : NULL;
}

/* Without memory for what is seen, nothing is. */
static int set_access(struct token *k)
{
    const struct xod_obj *user = user_of(k);
    int rc = access_init(&k->access, user, k->of->g->limits.separate_contexts);

    if (rc < 0)
        return rc;
    k->has_access = true;
    return access_limit(&k->access, user, k->see);
}

void tokens_ready(struct tokens *t)
{
    struct token *k;

    TAILQ_FOREACH(k, &t->all, all)
    {
        if (!k->has_access)
            continue;
        access_fini(&k->access);
        k->has_access = false;
        if (set_access(k) < 0)
            k->state = TOKEN_UNKNOWN;
    }
}

static void take(struct token *k, const msgpack_object *body)
{
    const msgpack_object *profiles = msg_get(body, "capalist");

    forget_rights(k);
    copy_str(k->id, sizeof(k->id), msg_get_str(body, "id"));
    copy_str(k->ipbx, sizeof(k->ipbx), msg_get_str(body, "ipbxid"));
    copy_str(k->user_id, sizeof(k->user_id), msg_get_str(body, "userid"));
    copy_str(k->login, sizeof(k->login), msg_get_str(body, "login"));
    if (profiles && profiles->type == MSGPACK_OBJECT_ARRAY && profiles->via.array.size > 0)
        copy_str(k->profile, sizeof(k->profile), msg_str(&profiles->via.array.ptr[0]));
    k->scopes = read_scopes(msg_get(body, "scopes"));
    k->read = msg_get_bool(body, "read", false);
    k->state =
        read_see(k, msg_get(body, "see")) == 0 && set_access(k) == 0 ? TOKEN_GOOD : TOKEN_UNKNOWN;
}

static int status_of(const struct token *k)
{
    return k->state == TOKEN_GOOD ? 200 : k->state == TOKEN_BAD ? 401 : 503;
}

static void tell_waiting(struct token *k)
{
    struct http_gw *g = k->of->g;
    struct token_wait *w;
    int status = status_of(k);

    k->refs++; /* it must live through this */
    while ((w = TAILQ_FIRST(&k->waits))) {
        token_fn *fn = w->fn;
        void *arg = w->arg;
        token_wait_cancel(w->self);
        fn(g, arg, status == 200 ? k : NULL, status);
    }
    k->refs--;
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct token *k = arg;
    bool was_good = k->has_access;

    k->asked = 0;
    k->told = clock_mono_us();
    if (status == BUS_ok && body) {
        take(k, body);
    } else if (status == BUS_denied || status == BUS_not_found) {
        forget_rights(k);
        k->state = TOKEN_BAD;
    } else if (!was_good) { /* what was known stays while state is away */
        k->state = TOKEN_UNKNOWN;
    }
    if (was_good && (k->state != TOKEN_GOOD || !k->read || !(k->scopes & (1u << SCOPE_read))))
        streams_token_ended(k->of->g->streams, k);
    tell_waiting(k);
}

static void ask(struct token *k)
{
    struct http_gw *g = k->of->g;
    struct buf pairs;

    if (k->asked)
        return;
    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, "token", view_cstr(k->text));
    k->asked = pairs.failed ? 0
                            : bus_ask_wait(g->bus_client, METHOD_api_open, true, 1,
                                           buf_view(&pairs), g->opt.token_ms, on_answer, k);
    buf_free(&pairs);
}

/* ---- finding ---- */

/* State is asked again after that: a token that is revoked, and a profile or a line that changes,
 * count from then on at the latest. Commands are looked at by state each time. */
static uint64_t fresh_us(const struct tokens *t)
{
    return t->g->opt.token_fresh_ms * (uint64_t)1000;
}

static bool is_fresh(const struct token *k)
{
    uint64_t age = clock_mono_us() - k->told;

    return (k->state == TOKEN_GOOD && age < fresh_us(k->of)) ||
           (k->state == TOKEN_BAD && age < BAD_US);
}

static bool wait_for(struct token *k, token_fn *fn, void *arg, struct token_wait **wait)
{
    struct token_wait *w, *at;
    size_t n = 0;

    TAILQ_FOREACH(at, &k->waits, all)
    n++;
    w = n < MAX_WAITS ? calloc(1, sizeof(*w)) : NULL;
    if (!w)
        return false;
    *w = (struct token_wait){.of = k, .fn = fn, .arg = arg, .self = wait};
    TAILQ_INSERT_TAIL(&k->waits, w, all);
    *wait = w;
    return true;
}

void token_wait_cancel(struct token_wait **wait)
{
    struct token_wait *w = *wait;

    if (!w)
        return;
    *wait = NULL;
    TAILQ_REMOVE(&w->of->waits, w, all);
    free(w);
}

void token_find(struct tokens *t, struct view text, const struct netaddr *from, token_fn *fn,
                void *arg, struct token_wait **wait)
{
    bool possible = text.len > 0 && text.len <= MAX_TEXT && !memchr(text.ptr, '\0', text.len);
    struct token *k = possible ? map_get(t->by_text, text) : NULL;

    if (!possible) {
        fn(t->g, arg, NULL, 401);
        return;
    }
    if (!k && !budgets_take(t->g->budgets, view_of(from->byte, sizeof(from->byte)), BUDGET_UNKNOWN,
                            1, clock_mono_us())) {
        fn(t->g, arg, NULL, 429);
        return;
    }
    if (!k)
        k = token_new(t, text);
    if (!k) {
        fn(t->g, arg, NULL, 503);
        return;
    }
    TAILQ_REMOVE(&t->all, k, all);
    TAILQ_INSERT_TAIL(&t->all, k, all);
    if (!is_fresh(k))
        ask(k);
    /* one that is only old answers meanwhile, for as long as state is away, too */
    if (k->state == TOKEN_GOOD || is_fresh(k))
        fn(t->g, arg, k->state == TOKEN_GOOD ? k : NULL, status_of(k));
    else if (!k->asked || !wait_for(k, fn, arg, wait))
        fn(t->g, arg, NULL, 503);
}

void token_hold(struct token *k)
{
    k->refs++;
}

void token_release(struct token *k)
{
    k->refs--;
}

/* ---- rights ---- */

bool token_sees(const struct token *k, const struct xod_obj *o)
{
    return k->has_access && access_sees(&k->access, o);
}

bool token_sees_all(const struct token *k)
{
    return k->has_access && !k->access.is_site && !k->access.contexts && !k->access.masked &&
           !access_is_limited(&k->access);
}

/* ---- lifecycle ---- */

/* Those that streams use are asked for again, and old ones go. */
static void look(void *arg)
{
    struct tokens *t = arg;
    uint64_t now = clock_mono_us();
    struct token *k, *next;

    TAILQ_FOREACH_SAFE(k, &t->all, all, next)
    {
        if (k->refs > 0 && !is_fresh(k))
            ask(k);
        else if (!is_in_use(k) && now - k->told > 6 * fresh_us(t))
            token_free(k);
    }
}

struct tokens *tokens_new(struct http_gw *g)
{
    struct tokens *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->g = g;
    TAILQ_INIT(&t->all);
    t->by_text = map_new();
    t->look = loop_timer_new(g->loop, look, t);
    if (!t->by_text || !t->look)
        tokens_destroy(&t);
    else
        loop_timer_start(t->look, g->opt.token_fresh_ms / LOOKS, true);
    return t;
}

void tokens_destroy(struct tokens **tp)
{
    struct tokens *t = tp ? *tp : NULL;
    struct token *k;

    if (!t)
        return;
    *tp = NULL;
    while ((k = TAILQ_FIRST(&t->all)))
        token_free(k);
    map_destroy(&t->by_text);
    loop_timer_destroy(&t->look);
    free(t);
}
