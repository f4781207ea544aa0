/* A request, from its token to its answer. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

/* Bytes of the answer's head, at most. */
#define HEAD_ROOM 16384
#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"

/* ---- answers ---- */

void request_free(struct request *rq)
{
    token_wait_cancel(&rq->wait);
    if (rq->asked)
        bus_ask_cancel(rq->g->bus_client, rq->asked);
    if (rq->token)
        token_release(rq->token);
    json_object_put(rq->body);
    if (rq->text)
        explicit_bzero(rq->text, strlen(rq->text));
    free(rq->text);
    free(rq->target);
    free(rq->last_event_id);
    free(rq->key);
    buf_free(&rq->segments);
    free(rq);
}

static void on_gone(void *arg)
{
    request_free(arg);
}

static void send_answer(struct request *rq, int status, const char *type, const char *headers,
                        struct view body)
{
    struct exchange *x = rq->x;

    metric_add(rq->g->requests[status / 100 - 1], 1);
    request_free(rq);
    exchange_answer(x, status, type, headers, body);
}

void request_answer(struct request *rq, int status)
{
    struct buf *out = &rq->g->out;

    if (out->failed || buf_len(out) + HEAD_ROOM > rq->g->opt.max_output) {
        request_fail(rq, 503, "too_much",
                     "The answer is too long: ask for fewer objects or fields.");
        return;
    }
    if (status != 204)
        buf_append_char(out, '\n');
    send_answer(rq, status, JSON_TYPE, "", status == 204 ? view_of(NULL, 0) : buf_view(out));
}

static void put_problem(struct request *rq, int status, const char *code, const char *detail)
{
    struct buf *out = &rq->g->out;

    buf_reset(out);
    buf_append_cstr(out, "{\"type\":\"about:blank\",\"title\":");
    json_put_string(out, view_cstr(status_name(status)));
    buf_printf(out, ",\"status\":%d,\"code\":", status);
    json_put_string(out, view_cstr(code));
    buf_append_cstr(out, ",\"detail\":");
    json_put_string(out, view_cstr(detail));
    buf_append_cstr(out, "}\n");
}

static const char *headers_of(int status)
{
    return status == 401   ? "WWW-Authenticate: Bearer realm=\"ctibus\"\r\n"
           : status == 429 ? "Retry-After: 1\r\n"
           : status == 503 ? "Retry-After: 2\r\n"
                           : "";
}

void request_fail(struct request *rq, int status, const char *code, const char *fmt, ...)
{
    char detail[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    put_problem(rq, status, code, detail);
    send_answer(rq, status, PROBLEM_TYPE, headers_of(status), buf_view(&rq->g->out));
}

bool request_query(struct request *rq, const char *name, struct buf *out, const char **text)
{
    struct view value;

    *text = NULL;
    if (!request_param(rq->query, view_cstr(name), &value))
        return true;
    if (request_decode(out, value, true) < 0) {
        request_fail(rq, 400, "malformed", "The parameter %s is not percent-encoded UTF-8.", name);
        return false;
    }
    *text = buf_cstr(out);
    if (*text)
        return true;
    request_fail(rq, 503, "no_memory", "There is no memory left.");
    return false;
}

/* ---- the body ---- */

static bool is_type(enum json_type have, enum api_type want)
{
    static const enum json_type types[] = {[API_STR] = json_type_string,
                                           [API_INT] = json_type_int,
                                           [API_BOOL] = json_type_boolean,
                                           [API_LIST] = json_type_array};

    return have == types[want];
}

static const struct api_param *param_of(enum api_route route, bool in_body, struct view name)
{
    const struct api_param *p;

    for (size_t i = 0; (p = api_param(i)); i++)
        if (p->route == route && p->in_body == in_body && view_eq(view_cstr(p->name), name))
            return p;
    return NULL;
}

static bool check_members(struct request *rq)
{
    static const char *const names[] = {"a string", "a whole number", "true or false", "an array"};
    const struct api_param *p;

    json_object_object_foreach(rq->body, key, value)
    {
        p = param_of(rq->match.route, true, view_cstr(key));
        if (!p) {
            request_fail(rq, 422, "unknown_field", "There is no field %.100s here.", key);
            return false;
        }
        if (!is_type(json_object_get_type(value), p->type)) {
            request_fail(rq, 422, "wrong_type", "The field %s must be %s.", p->name,
                         names[p->type]);
            return false;
        }
    }
    for (size_t i = 0; (p = api_param(i)); i++)
        if (p->route == rq->match.route && p->in_body && p->required &&
            !json_get(rq->body, p->name)) {
            request_fail(rq, 422, "missing_field", "The field %s is missing: %s.", p->name, p->doc);
            return false;
        }
    return true;
}

/* Only what the table of the API has is taken: a misspelt name must not be passed over. */
static bool read_body(struct request *rq, struct view body)
{
    int rc;

    if (view_trim(body).len == 0)
        body = VIEW("{}");
    rc = json_parse(&rq->g->parser, body, &rq->body);
    if (rc == -ENOMEM)
        request_fail(rq, 503, "no_memory", "There is no memory left.");
    else if (rc < 0)
        request_fail(rq, 400, "malformed", "The body is no JSON (about byte %zu).",
                     rq->g->parser.offset);
    else if (!json_object_is_type(rq->body, json_type_object))
        request_fail(rq, 400, "malformed", "The body is no JSON object.");
    else
        return check_members(rq);
    return false;
}

/* A parameter behind ? that the request does not have is most likely misspelt; some must be there.
 */
static bool check_query(struct request *rq)
{
    struct view rest = rq->query, value;
    const struct api_param *p;

    while (rest.len > 0) {
        struct view one = view_cut(&rest, '&');
        struct view name = view_cut(&one, '=');
        if (name.len == 0 || param_of(rq->match.route, false, name))
            continue;
        request_fail(rq, 400, "unknown_parameter", "There is no parameter %.*s here.",
                     (int)(name.len > 100 ? 100 : name.len), name.ptr);
        return false;
    }
    for (size_t i = 0; (p = api_param(i)); i++)
        if (p->route == rq->match.route && !p->in_body && p->required &&
            !request_param(rq->query, view_cstr(p->name), &value)) {
            request_fail(rq, 400, "missing_parameter", "The parameter %s is missing: %s.", p->name,
                         p->doc);
            return false;
        }
    return true;
}

/* ---- the token ---- */

typedef void route_fn(struct request *rq);
static route_fn *const readers[ROUTE_COUNT] = {
    [ROUTE_index] = read_index,   [ROUTE_me] = read_me,          [ROUTE_list] = read_list,
    [ROUTE_object] = read_object, [ROUTE_events] = streams_open,
};

static void carry_out(struct request *rq)
{
    route_fn *fn = readers[rq->match.route];

    buf_reset(&rq->g->out);
    if (fn)
        fn(rq);
    else
        command_answer(rq);
}

static void on_token(struct http_gw *g, void *arg, struct token *k, int status)
{
    struct request *rq = arg;
    enum api_scope scope = api_route(rq->match.route)->scope;

    if (!k) {
        if (status == 429)
            request_fail(rq, 429, "too_many_tokens",
                         "Too many tokens that are not known have come from this address.");
        else if (status == 401)
            request_fail(rq, 401, "bad_token",
                         "The token is unknown, revoked or expired: ctibus token create USER");
        else
            request_fail(rq, 503, "unavailable", "state does not answer: try again.");
        return;
    }
    rq->token = k;
    token_hold(k);
    if (scope < SCOPE_COUNT && !(k->scopes & (1u << scope)))
        request_fail(rq, 403, "missing_scope", "The token lacks the scope %s.",
                     api_scope(scope)->name);
    else if (scope == SCOPE_read && !k->read)
        request_fail(rq, 403, "not_permitted", "The profile %s does not permit getlist.",
                     k->profile);
    else if (!budgets_take(g->budgets, view_cstr(k->id), BUDGET_REQUESTS, 1, clock_mono_us())) {
        metric_add(g->throttled, 1);
        request_fail(rq, 429, "too_many_requests",
                     "This token has had more requests than ctibus.api.requests_per_second.");
    } else
        carry_out(rq);
}

/* "Bearer TOKEN" */
static bool read_bearer(struct view header, struct view *token)
{
    struct view scheme = view_cut(&header, ' ');

    *token = view_trim(header);
    return view_ieq(scheme, VIEW("Bearer")) && token->len > 0;
}

static void authenticate(struct request *rq)
{
    struct http_gw *g = rq->g;

    if (api_route(rq->match.route)->scope == SCOPE_none)
        carry_out(rq);
    else if (!rq->text)
        request_fail(rq, 401, "no_token", "Send the header Authorization: Bearer TOKEN.");
    else
        token_find(g->tokens, view_cstr(rq->text), exchange_peer(rq->x), on_token, rq, &rq->wait);
}

/* ---- beginning ---- */

static bool decode_segments(struct request *rq)
{
    size_t at[API_MAX_SEGMENTS];

    for (size_t i = 0; i < rq->match.n; i++) {
        at[i] = buf_len(&rq->segments);
        if (request_decode(&rq->segments, rq->match.segments[i], false) < 0 ||
            buf_append_char(&rq->segments, '\0') < 0)
            return false;
    }
    for (size_t i = 0; i < rq->match.n; i++)
        rq->segment[i] = buf_data(&rq->segments) + at[i];
    return true;
}

static char *dup_or_null(struct view v, bool *failed)
{
    char *copy = v.len ? view_dup(v) : NULL;

    *failed = *failed || (v.len && !copy);
    return copy;
}

/* A copy of what the request outlives. False: no memory. */
static bool copy_head(struct request *rq, const struct request_head *head)
{
    struct view token = view_of(NULL, 0);
    bool failed = false;
    struct view rest;

    if (head->authorization.len && read_bearer(head->authorization, &token))
        rq->text = dup_or_null(token, &failed);
    rq->last_event_id = dup_or_null(head->last_event_id, &failed);
    rq->key = dup_or_null(head->idempotency_key, &failed);
    /* the path stands right before its query */
    rq->target = view_dup(
        view_of(head->path.ptr, head->path.len + (head->query.len ? 1 : 0) + head->query.len));
    if (failed || !rq->target)
        return false;
    rest = view_cstr(rq->target);
    view_cut(&rest, '?');
    rq->query = rest;
    return true;
}

static void begin(struct request *rq, const struct server_request *from)
{
    struct view method = from->head->method;
    struct view rest = view_cstr(rq->target);
    struct view path = view_cut(&rest, '?');
    bool is_head = view_eq(method, VIEW("HEAD"));
    int rc;

    if (is_head)
        method = VIEW("GET");
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    rc = api_match(method, path, &rq->match);
    if (is_head && rc == 0 && rq->match.route == ROUTE_events)
        rc = -EOPNOTSUPP; /* a stream has no end that its head could tell */
    if (rc == -ENOENT)
        request_fail(rq, 404, "no_such_path", "There is nothing at this path: see GET /v1.");
    else if (rc < 0)
        request_fail(rq, 405, "wrong_method", "This path takes %s.",
                     api_route(rq->match.route)->method);
    else if (!decode_segments(rq))
        request_fail(rq, 400, "malformed", "The path is not percent-encoded UTF-8.");
    else if (check_query(rq) && read_body(rq, from->body))
        authenticate(rq);
}

void request_begin(void *arg, struct exchange *x, const struct server_request *from)
{
    struct http_gw *g = arg;
    struct request *rq = calloc(1, sizeof(*rq));

    if (!rq) {
        exchange_answer(x, 503, "", "", view_of(NULL, 0));
        return;
    }
    rq->g = g;
    rq->x = x;
    buf_init(&rq->segments, 8192);
    exchange_on_gone(x, on_gone, rq);
    if (copy_head(rq, from->head))
        begin(rq, from);
    else
        request_fail(rq, 503, "no_memory", "There is no memory left.");
}
