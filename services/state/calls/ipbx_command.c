#include "calls/transfers.h"
#include "core/context.h"
#include "core/deferred_reply.h"
#include "core/ipbx.h"
#include "core/notify.h"
#include "sessions/budgets.h"
#include "sessions/sessions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_ACTIONS 500 /* of one command: the memberships of an agent, the channels of a list */
#define DEADLINE_MS 8000

/* ---- actions ---- */

/* The pairs of ami.action. The headers are a list of pairs, for one may come several times. */
static void put_action(struct buf *out, const struct job *j, const char *action, va_list ap)
{
    struct buf pairs;
    const char *name;
    size_t n = 0;

    buf_init(&pairs, 65536);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): the callers have begun it */
    while ((name = va_arg(ap, const char *))) {
        struct view value = va_arg(ap, struct view);
        if (value.len == 0)
            continue;
        msg_put_array(&pairs, 2);
        msg_put_cstr(&pairs, name);
        msg_put_str(&pairs, value);
        n++;
    }
    msg_put_pair(out, "action", view_cstr(action));
    msg_put_cstr(out, "headers");
    msg_put_array(out, n);
    buf_append_view(out, buf_view(&pairs));
    msg_put_pair(out, "by", view_cstr(j->user_id)); /* the gateway keeps places for others */
    out->failed |= pairs.failed;
    buf_free(&pairs);
}

/* The same action with the same headers, once more: an id that comes twice. */
static bool is_there(const struct job *j, struct view one)
{
    struct view rest = buf_view(&j->pairs);
    uint32_t len;

    for (unsigned i = 0; i < j->n_actions; i++) {
        memcpy(&len, rest.ptr, sizeof(len));
        if (view_eq(view_of(rest.ptr + sizeof(len), len), one))
            return true;
        rest = view_of(rest.ptr + sizeof(len) + len, rest.len - sizeof(len) - len);
    }
    return false;
}

void order_action(struct order *o, const char *action, ...)
{
    struct job *j = o->job;
    struct buf one;
    uint32_t len;
    va_list ap;

    if (j->n_actions == MAX_ACTIONS)
        return;
    buf_init(&one, 65536);
    va_start(ap, action);
    put_action(&one, j, action, ap);
    va_end(ap);
    len = (uint32_t)buf_len(&one);
    if (one.failed) {
        order_wrong(o, "command", "too_long");
    } else if (!is_there(j, buf_view(&one))) {
        buf_append(&j->pairs, &len, sizeof(len));
        buf_append_view(&j->pairs, buf_view(&one));
        j->n_actions++;
    }
    buf_free(&one);
}

static void no_transfer(struct job *j)
{
    const struct xod_obj *channel =
        j->s->transfers ? xod_find(j->site, LIST_channels, view_cstr(j->path)) : NULL;

    if (channel)
        transfers_forget(j->s->transfers, channel);
}

void order_transfers(struct order *o, const struct xod_obj *channel)
{
    transfers_expect(o->s->transfers, o->job, channel);
    snprintf(o->job->path, sizeof(o->job->path), "%.*s", VIEW_ARG(xod_obj_id(channel)));
    o->job->abandon = no_transfer;
}

void order_redirect(struct order *o, const struct xod_obj *channel, const struct destination *to)
{
    order_action(o, "Redirect", "Channel", xod_obj_id(channel), "Exten", view_cstr(to->exten),
                 "Context", view_cstr(to->context), "Priority", VIEW("1"), NULL);
}

void order_wrong(struct order *o, const char *field, const char *why)
{
    if (o->wrong)
        return;
    o->wrong = field;
    snprintf(o->why, sizeof(o->why), "%s", why);
}

/* ---- the message ---- */

static struct view text_at(const struct order *o, const char *field, char room[32])
{
    return msg_get_text(o->message, field, room);
}

struct target order_target(struct order *o, const char *field, int bare)
{
    char room[32];
    struct view text = text_at(o, field, room);

    return text.len ? target_read(o->s, o->se, text, bare) : (struct target){.kind = TARGET_NONE};
}

struct xod_obj *order_channel(struct order *o, const char *field)
{
    char room[32];

    return target_find(o->s, o->se, LIST_channels, text_at(o, field, room));
}

size_t order_each(struct order *o, const char *field, order_text_fn *fn)
{
    const msgpack_object *v = msg_get(o->message, field);
    char room[32];
    size_t n = 0;

    if (v && v->type == MSGPACK_OBJECT_ARRAY) {
        for (; n < v->via.array.size && n < MAX_ACTIONS; n++)
            fn(o, msg_str(&v->via.array.ptr[n]));
    } else if (text_at(o, field, room).len) {
        fn(o, text_at(o, field, room));
        n = 1;
    }
    return n;
}

/* ---- calls ---- */

struct xod_obj *order_own_channel(const struct order *o, size_t n)
{
    const struct value *lines = xod_get(o->user, XOD(users, linelist));

    for (uint32_t i = 0; lines->type == V_LIST && i < lines->len; i++) {
        struct xod_obj *phone = xod_find(o->site, LIST_phones, value_view(&lines->items[i]));
        struct xod_obj *c;
        for (size_t k = 0; phone && (c = xod_tied(phone, LIST_channels, k)); k++)
            if (n-- == 0)
                return c;
    }
    return NULL;
}

bool order_is_own(const struct order *o, const struct xod_obj *channel)
{
    struct xod_obj *c;

    for (size_t n = 0; (c = order_own_channel(o, n)); n++)
        if (c == channel)
            return true;
    return false;
}

struct xod_obj *order_current(const struct order *o)
{
    struct xod_obj *c;

    for (size_t n = 0; (c = order_own_channel(o, n)); n++)
        if (view_starts(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked")) &&
            !xod_get(c, XOD(channels, holded))->b)
            return c;
    for (size_t n = 0; (c = order_own_channel(o, n)); n++)
        if (view_starts(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked")))
            return c;
    return order_own_channel(o, 0);
}

bool order_is_ringing(const struct xod_obj *channel)
{
    return view_eq(xod_get_str(channel, XOD(channels, commstatus)), VIEW("ringing"));
}

/* ---- the job ---- */

static void job_free(struct job *j)
{
    value_clear(&j->reply_id);
    buf_free(&j->pairs);
    free(j);
}

static struct job *job_new(struct state *s, const struct session *se, const char *command,
                           const msgpack_object *message)
{
    const msgpack_object *id = msg_get(message, "commandid");
    struct job *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->s = s;
    j->site = se->site;
    snprintf(j->user_id, sizeof(j->user_id), "%s", se->user_id);
    snprintf(j->session, sizeof(j->session), "%s", se->id);
    snprintf(j->command, sizeof(j->command), "%s", command);
    buf_init(&j->pairs, (size_t)1 << 22);
    if (id && value_from_msg(&j->reply_id, id) < 0)
        j->reply_id = (struct value){.type = V_NULL};
    return j;
}

void job_begin_line(struct tell *t, const struct job *j)
{
    tell_begin(t, "ipbxcommand");
    if (j->reply_id.type == V_INT || j->reply_id.type == V_STR)
        value_pack(tell_key(t, "replyid"), &j->reply_id);
    tell_str(t, "command", view_cstr(j->command));
}

void job_tell(const struct job *j, struct tell *t)
{
    tell_session(j->s, j->site, view_cstr(j->user_id), view_cstr(j->session), t);
}

void job_tell_response(const struct job *j, const struct outcome *out)
{
    struct tell t;

    job_begin_line(&t, j);
    tell_str(&t, "response", out->good ? VIEW("ok") : VIEW("ko"));
    if (!out->good)
        tell_str(&t, "error_string", view_cstr(out->reason));
    job_tell(j, &t);
}

static void abandon(struct job *j)
{
    if (j->abandon)
        j->abandon(j);
}

static void finish_if_done(struct job *j)
{
    struct outcome out = {!j->failed, j->reason, view_cstr(j->actionid)};

    if (j->waiting || j->sending)
        return;
    if (j->failed)
        abandon(j);
    j->sending = true; /* what `done` asks for is counted, and not over before it returns */
    if (j->done)
        j->done(j, &out);
    else
        job_tell_response(j, &out);
    j->sending = false;
    if (j->waiting == 0)
        job_free(j);
}

static void fail(struct job *j, struct view reason)
{
    if (j->failed)
        return;
    j->failed = true;
    snprintf(j->reason, sizeof(j->reason), "%.*s", (int)(reason.len > 180 ? 180 : reason.len),
             reason.ptr);
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct job *j = arg;

    if (body)
        snprintf(j->actionid, sizeof(j->actionid), "%.*s", VIEW_ARG(msg_get_str(body, "actionid")));
    if (status == BUS_gone || status == BUS_noconn)
        fail(j, VIEW("noconn"));
    else if (status != BUS_ok)
        fail(j, schema_status_name(status));
    else if (!view_eq(msg_get_str(body, "response"), VIEW("Success")))
        j->lacking = msg_get_bool(body, "no_such_action", false);
    if (status == BUS_ok && !view_eq(msg_get_str(body, "response"), VIEW("Success")))
        fail(j, msg_get_str(body, "message"));
    j->waiting--;
    finish_if_done(j);
}

static bool send_one(struct job *j, struct view action)
{
    struct bus_peer *gateway = state_gateway(j->s, j->site);
    bool sent = gateway && bus_server_ask(j->s->server, gateway, METHOD_ami_action, 3, action,
                                          DEADLINE_MS, on_answer, j);

    j->waiting += sent;
    return sent;
}

bool job_action(struct job *j, const char *action, ...)
{
    struct buf one;
    va_list ap;
    bool sent;

    j->failed = false;
    buf_init(&one, 65536);
    va_start(ap, action);
    put_action(&one, j, action, ap);
    va_end(ap);
    budget_charge(j->s, xod_site_name(j->site), view_cstr(j->user_id), BUDGET_ACTIONS, 1);
    sent = !one.failed && send_one(j, buf_view(&one));
    buf_free(&one);
    return sent;
}

static void send_all(struct job *j)
{
    struct view rest = buf_view(&j->pairs);
    uint32_t len;

    j->sending = true;
    for (unsigned i = 0; i < j->n_actions; i++) {
        memcpy(&len, rest.ptr, sizeof(len));
        if (!send_one(j, view_of(rest.ptr + sizeof(len), len)))
            fail(j, VIEW("noconn"));
        rest = view_of(rest.ptr + sizeof(len) + len, rest.len - sizeof(len) - len);
    }
    j->sending = false;
    finish_if_done(j);
}

/* ---- the whole ---- */

static void answer(struct later *l, const char *command, const char *reply, const char *why)
{
    struct buf pairs;

    if (!l)
        return;
    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, "command", view_cstr(command));
    msg_put_pair(&pairs, "ipbxreply", view_cstr(reply));
    if (why)
        msg_put_pair(&pairs, "error_string", view_cstr(why));
    later_pairs(&l, why ? 3 : 2, &pairs);
    buf_free(&pairs);
}

/* Nobody waits for an answer: what is wrong is told as the outcome. */
static void tell_wrong(struct job *j, struct later *l, const char *why)
{
    if (!l)
        job_tell_response(j, &(struct outcome){.reason = why});
}

static bool begin(struct order *o, struct state *s, struct session *se,
                  const msgpack_object *message, const char *command, order_fn *fn)
{
    *o = (struct order){.s = s,
                        .se = se,
                        .site = se->site,
                        .user = session_user(se),
                        .message = message,
                        .job = job_new(s, se, command, message)};
    if (!o->job)
        return false;
    fn(o);
    if (o->job->pairs.failed)
        order_wrong(o, "command", "too_long");
    return true;
}

void order_run(struct state *s, struct session *se, struct later *l, const msgpack_object *message,
               const char *command, order_fn *fn)
{
    struct order o;

    if (!begin(&o, s, se, message, command, fn)) {
        answer(l, command, "noaction", "busy");
        return;
    }
    if (o.wrong) {
        tell_wrong(o.job, l, o.why);
        answer(l, command, o.wrong, o.why);
    } else if (o.job->n_actions == 0) {
        answer(l, command, "noaction", NULL);
    } else if (!state_gateway(s, se->site)) {
        tell_wrong(o.job, l, "noconn");
        answer(l, command, "noconn", "noconn");
    } else if (!budget_take(s, se, BUDGET_ACTIONS, o.job->n_actions)) {
        tell_wrong(o.job, l, "busy");
        answer(l, command, "busy", "busy");
    } else {
        answer(l, command, "ok", NULL);
        send_all(o.job);
        return;
    }
    abandon(o.job);
    job_free(o.job);
}

bool order_run_quiet(struct state *s, struct session *se, const msgpack_object *message,
                     const char *command, order_fn *fn)
{
    struct order o;

    if (!begin(&o, s, se, message, command, fn))
        return false;
    if (o.wrong || o.job->n_actions == 0 || !state_gateway(s, se->site) ||
        !budget_take(s, se, BUDGET_ACTIONS, o.job->n_actions)) {
        abandon(o.job);
        job_free(o.job);
        return false;
    }
    send_all(o.job);
    return true;
}
