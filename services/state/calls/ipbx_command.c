#include "calls/transfers.h"
#include "core/ami_request.h"
#include "core/deferred_reply.h"
#include "core/notify.h"
#include "sessions/budgets.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_ACTIONS 500 /* of one command: the memberships of an agent, the channels of a list */

/* ---- actions ---- */

/* The pairs of ami.action. */
static void put_action(struct buf *out, const struct ami_batch *j, const char *action, va_list ap)
{
    struct ami_request r;

    ami_request_begin(&r, out, view_cstr(action));
    ami_request_headers(&r, ap);
    ami_request_end(&r);
    msg_put_pair(out, "by", view_cstr(j->user_id)); /* the gateway keeps places for others */
}

/* The same action with the same headers, once more: an id that comes twice. */
static bool is_there(const struct ami_batch *j, struct view one)
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

void ipbx_command_action(struct ipbx_command *o, const char *action, ...)
{
    struct ami_batch *j = o->batch;
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
        ipbx_command_wrong(o, "command", "too_long");
    } else if (!is_there(j, buf_view(&one))) {
        buf_append(&j->pairs, &len, sizeof(len));
        buf_append_view(&j->pairs, buf_view(&one));
        j->n_actions++;
    }
    buf_free(&one);
}

static void no_transfer(struct ami_batch *j)
{
    const struct xod_obj *channel =
        j->s->transfers ? xod_find(j->ipbx, LIST_channels, view_cstr(j->ctx)) : NULL;

    if (channel)
        transfers_forget(j->s->transfers, channel);
}

void ipbx_command_transfers(struct ipbx_command *o, const struct xod_obj *channel,
                            const struct destination *to)
{
    struct view id = xod_obj_id(channel);
    char *ctx = ipbx_command_ctx(o, id.len + 1);

    if (!ctx)
        return;
    memcpy(ctx, id.ptr, id.len);
    transfers_expect(o->s->transfers, o->batch, channel, to);
    o->batch->abandon = no_transfer;
}

void ipbx_command_redirect(struct ipbx_command *o, const struct xod_obj *channel,
                           const struct destination *to)
{
    ipbx_command_action(o, "Redirect", "Channel", xod_obj_id(channel), "Exten",
                        view_cstr(to->exten), "Context", view_cstr(to->context), "Priority",
                        VIEW("1"), NULL);
}

void ipbx_command_wrong(struct ipbx_command *o, const char *field, const char *why)
{
    if (o->wrong)
        return;
    o->wrong = field;
    snprintf(o->why, sizeof(o->why), "%s", why);
}

void *ipbx_command_ctx(struct ipbx_command *o, size_t size)
{
    free(o->batch->ctx);
    o->batch->ctx = calloc(1, size);
    if (!o->batch->ctx)
        ipbx_command_wrong(o, "command", "busy");
    return o->batch->ctx;
}

/* ---- the message ---- */

static struct view text_at(const struct ipbx_command *o, const char *field, char scratch[32])
{
    return msg_get_text(o->message, field, scratch);
}

struct target ipbx_command_target(struct ipbx_command *o, const char *field, int bare)
{
    char scratch[32];
    struct view text = text_at(o, field, scratch);

    return text.len ? target_read(o->s, o->se, text, bare) : (struct target){.kind = TARGET_NONE};
}

struct xod_obj *ipbx_command_channel(struct ipbx_command *o, const char *field)
{
    char scratch[32];

    return target_find(o->s, o->se, LIST_channels, text_at(o, field, scratch));
}

size_t ipbx_command_each(struct ipbx_command *o, const char *field, ipbx_command_text_fn *fn)
{
    const msgpack_object *v = msg_get(o->message, field);
    char scratch[32];
    size_t n = 0;

    if (v && v->type == MSGPACK_OBJECT_ARRAY) {
        for (; n < v->via.array.size && n < MAX_ACTIONS; n++)
            fn(o, msg_str(&v->via.array.ptr[n]));
    } else if (text_at(o, field, scratch).len) {
        fn(o, text_at(o, field, scratch));
        n = 1;
    }
    return n;
}

/* ---- calls ---- */

struct xod_obj *ipbx_command_own_channel(const struct ipbx_command *o, size_t n)
{
    const struct value *lines = xod_get(o->user, XOD(users, linelist));

    for (uint32_t i = 0; lines->type == V_LIST && i < lines->len; i++) {
        struct xod_obj *phone = xod_find(o->ipbx, LIST_phones, value_view(&lines->items[i]));
        struct xod_obj *c;
        for (size_t k = 0; phone && (c = xod_related(phone, LIST_channels, k)); k++)
            if (n-- == 0)
                return c;
    }
    return NULL;
}

bool ipbx_command_is_own(const struct ipbx_command *o, const struct xod_obj *channel)
{
    struct xod_obj *c;

    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++)
        if (c == channel)
            return true;
    return false;
}

struct xod_obj *ipbx_command_current(const struct ipbx_command *o)
{
    struct xod_obj *c;

    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++)
        if (view_starts(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked")) &&
            !xod_get(c, XOD(channels, holded))->b)
            return c;
    for (size_t n = 0; (c = ipbx_command_own_channel(o, n)); n++)
        if (view_starts(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked")))
            return c;
    return ipbx_command_own_channel(o, 0);
}

/* ---- the job ---- */

static void ami_batch_free(struct ami_batch *j)
{
    value_clear(&j->reply_id);
    buf_free(&j->pairs);
    free(j->ctx);
    free(j);
}

static struct ami_batch *ami_batch_new(struct state *s, const struct session *se,
                                       const char *command, const msgpack_object *message)
{
    const msgpack_object *id = msg_get(message, "commandid");
    struct ami_batch *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->s = s;
    j->ipbx = se->ipbx;
    snprintf(j->user_id, sizeof(j->user_id), "%s", se->user_id);
    snprintf(j->session, sizeof(j->session), "%s", se->id);
    snprintf(j->command, sizeof(j->command), "%s", command);
    buf_init(&j->pairs, (size_t)1 << 22);
    if (id && value_from_msg(&j->reply_id, id) < 0)
        j->reply_id = (struct value){.type = V_NULL};
    return j;
}

void ami_batch_begin_line(struct notification *t, const struct ami_batch *j)
{
    notify_begin(t, "ipbxcommand");
    if (j->reply_id.type == V_INT || j->reply_id.type == V_STR)
        value_pack(notify_key(t, "replyid"), &j->reply_id);
    notify_str(t, "command", view_cstr(j->command));
}

void ami_batch_notify(const struct ami_batch *j, struct notification *t)
{
    notify_session(j->s, j->ipbx, view_cstr(j->user_id), view_cstr(j->session), t);
}

void ami_batch_notify_response(const struct ami_batch *j, const struct outcome *out)
{
    struct notification t;

    ami_batch_begin_line(&t, j);
    notify_str(&t, "response", out->good ? VIEW("ok") : VIEW("ko"));
    if (!out->good)
        notify_str(&t, "error_string", view_cstr(out->reason));
    ami_batch_notify(j, &t);
}

/* As XiVO's own replies have a text: {"message": {"message": TEXT}}. */
static void put_text(struct buf *pairs, const char *kind, const char *text)
{
    msg_put_cstr(pairs, kind);
    msg_put_map(pairs, 1);
    msg_put_pair(pairs, "message", view_cstr(text));
}

static void answer(struct deferred_reply *l, const char *command, const char *reply,
                   const char *why, const char *text)
{
    struct buf pairs;

    if (!l)
        return;
    buf_init(&pairs, 1024);
    if (text)
        put_text(&pairs, why ? "warning" : "message", text);
    msg_put_pair(&pairs, "command", view_cstr(command));
    msg_put_pair(&pairs, "ipbxreply", view_cstr(reply));
    if (why)
        msg_put_pair(&pairs, "error_string", view_cstr(why));
    deferred_reply_pairs(&l, 2 + (why != NULL) + (text != NULL), &pairs);
    buf_free(&pairs);
}

static void answer_outcome(struct ami_batch *j)
{
    struct deferred_reply *l = j->reply;
    struct buf pairs;

    j->reply = NULL;
    if (!l || j->failed) {
        answer(l, j->command, "failed", j->reason, NULL);
        return;
    }
    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "command", view_cstr(j->command));
    msg_put_pair(&pairs, "ipbxreply", VIEW("ok"));
    msg_put_pair(&pairs, "autocall", view_cstr(j->autocall));
    deferred_reply_pairs(&l, 3, &pairs);
    buf_free(&pairs);
}

static void abandon(struct ami_batch *j)
{
    if (j->abandon)
        j->abandon(j);
}

static void finish_if_done(struct ami_batch *j)
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
        ami_batch_notify_response(j, &out);
    j->sending = false;
    if (j->waiting == 0) {
        answer_outcome(j);
        ami_batch_free(j);
    }
}

static void fail(struct ami_batch *j, struct view reason)
{
    if (j->failed)
        return;
    j->failed = true;
    snprintf(j->reason, sizeof(j->reason), "%.*s", (int)(reason.len > 180 ? 180 : reason.len),
             reason.ptr);
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct ami_batch *j = arg;

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

static bool send_one(struct ami_batch *j, struct view action)
{
    bool sent = ami_request_ask(j->s, j->ipbx, 3, action, j->s->action_timeout_ms, on_answer, j);

    j->waiting += sent;
    return sent;
}

bool ami_batch_action(struct ami_batch *j, const char *action, ...)
{
    struct buf one;
    va_list ap;
    bool sent;

    j->failed = false;
    buf_init(&one, 65536);
    va_start(ap, action);
    put_action(&one, j, action, ap);
    va_end(ap);
    budget_charge(j->s, xod_ipbx_name(j->ipbx), view_cstr(j->user_id), BUDGET_ACTIONS, 1);
    sent = !one.failed && send_one(j, buf_view(&one));
    buf_free(&one);
    return sent;
}

static void send_all(struct ami_batch *j)
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

/* ---- lifecycle ---- */

/* No reply is pending: the error is sent as the result. */
static void tell_wrong(struct ami_batch *j, struct deferred_reply *l, const char *why)
{
    if (!l)
        ami_batch_notify_response(j, &(struct outcome){.reason = why});
}

static bool begin(struct ipbx_command *o, struct state *s, struct session *se,
                  const msgpack_object *message, const char *command, ipbx_command_fn *fn)
{
    *o = (struct ipbx_command){.s = s,
                               .se = se,
                               .ipbx = se->ipbx,
                               .user = session_user(se),
                               .message = message,
                               .batch = ami_batch_new(s, se, command, message)};
    if (!o->batch)
        return false;
    fn(o);
    if (o->batch->pairs.failed)
        ipbx_command_wrong(o, "command", "too_long");
    return true;
}

void ipbx_command_run(struct state *s, struct session *se, struct deferred_reply *l,
                      const msgpack_object *message, const char *command, ipbx_command_fn *fn)
{
    struct ipbx_command o;

    if (!begin(&o, s, se, message, command, fn)) {
        answer(l, command, "noaction", "busy", NULL);
        return;
    }
    if (o.wrong) {
        tell_wrong(o.batch, l, o.why);
        answer(l, command, o.wrong, o.why, o.text);
    } else if (o.batch->n_actions == 0) {
        answer(l, command, "noaction", NULL, NULL);
    } else if (!state_gateway(s, se->ipbx)) {
        tell_wrong(o.batch, l, "noconn");
        answer(l, command, "noconn", "noconn",
               o.text ? "The telephone system cannot be reached" : NULL);
    } else if (!budget_take(s, se, BUDGET_ACTIONS, o.batch->n_actions)) {
        tell_wrong(o.batch, l, "busy");
        answer(l, command, "busy", "busy",
               o.text ? "Too many commands at a time: try again later" : NULL);
    } else {
        if (se->awaits_outcome)
            o.batch->reply = l;
        else
            answer(l, command, "ok", NULL, o.text);
        send_all(o.batch);
        return;
    }
    abandon(o.batch);
    ami_batch_free(o.batch);
}

bool ipbx_command_run_quiet(struct state *s, struct session *se, const msgpack_object *message,
                            const char *command, ipbx_command_fn *fn)
{
    struct ipbx_command o;

    if (!begin(&o, s, se, message, command, fn))
        return false;
    if (o.wrong || o.batch->n_actions == 0 || !state_gateway(s, se->ipbx) ||
        !budget_take(s, se, BUDGET_ACTIONS, o.batch->n_actions)) {
        abandon(o.batch);
        ami_batch_free(o.batch);
        return false;
    }
    send_all(o.batch);
    return true;
}
