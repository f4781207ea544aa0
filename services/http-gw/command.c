/* What state is asked to do: the requests of the API as the messages that clients send. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "internal.h"

#define DEFAULT_PAGE 50 /* of the log of calls */

/* ---- messages ---- */

/* One message of a client, as JSON. Without memory what is set is missing, and state says so. */
struct message {
    const char *class;
    struct json_object *body;
};

static void set(struct message *m, const char *key, const char *text)
{
    json_object_object_add(m->body, key, json_object_new_string(text));
}

static void set_view(struct message *m, const char *key, struct view v)
{
    json_object_object_add(m->body, key,
                           json_object_new_string_len(v.ptr ? v.ptr : "", (int)v.len));
}

/* The member `from` of the request's body, if it is there. */
static void copy(struct message *m, const char *key, struct request *rq, const char *from)
{
    struct json_object *v = json_get(rq->body, from);

    if (v)
        json_object_object_add(m->body, key, json_object_get(v));
}

static void order(struct message *m, const char *command)
{
    m->class = "ipbxcommand";
    set(m, "command", command);
}

/* "chan:xivo/SIP/alice-1" */
static struct json_object *name_of(const char *kind, struct view ipbx, struct view id)
{
    struct json_object *name;
    struct buf text;

    buf_init(&text, 4096);
    buf_printf(&text, "%s:%.*s/%.*s", kind, VIEW_ARG(ipbx), VIEW_ARG(id));
    name = json_object_new_string_len(buf_data(&text), (int)buf_len(&text));
    buf_free(&text);
    return name;
}

static void set_channel(struct message *m, const char *key, const struct xod_obj *c)
{
    json_object_object_add(m->body, key,
                           name_of("chan", xod_ipbx_name(xod_obj_ipbx(c)), xod_obj_id(c)));
}

/* ---- calls ---- */

/* The user on whose behalf; "" without one. */
static const char *acting(struct request *rq)
{
    struct view as = json_get_view(rq->body, "as");

    if (rq->match.route == ROUTE_presence || rq->match.route == ROUTE_features ||
        rq->match.route == ROUTE_features_get)
        return rq->segment[1];
    view_cut(&as, '/');
    return as.len ? as.ptr : "";
}

/* The participant that the request names, else the one at a phone of the user; NULL: neither. */
static struct xod_obj *own_channel(struct request *rq, const struct xod_obj *call)
{
    struct view wanted = json_get_view(rq->body, "channel");
    const char *as = acting(rq);
    struct view user = view_cstr(*as ? as : rq->token->user_id);
    struct xod_obj *c;
    char scratch[32];

    for (size_t i = 0; i < participants_count(call); i++) {
        c = participant(call, i);
        if (c && (wanted.len ? view_eq(xod_obj_id(c), wanted)
                             : view_eq(participant_user(c, scratch), user)))
            return c;
    }
    return NULL;
}

/* The same; a participant that is named and is none: false, answered. */
static bool set_own_channel(struct request *rq, struct message *m, const char *key,
                            const struct xod_obj *call)
{
    struct xod_obj *c = own_channel(rq, call);

    if (c)
        set_channel(m, key, c);
    else if (json_get_view(rq->body, "channel").len) {
        request_fail(rq, 422, "no_such_channel", "The call has no such participant.");
        return false;
    }
    return true;
}

static void set_participants(struct message *m, const struct xod_obj *call)
{
    struct json_object *list = json_object_new_array();
    size_t n = participants_count(call);
    struct xod_obj *c;

    /* of two the other one follows; one that is gone by then would make the order fail */
    for (size_t i = 0; i < (n <= 2 ? 1 : n); i++)
        if ((c = participant(call, i)))
            json_object_array_add(list,
                                  name_of("chan", xod_ipbx_name(xod_obj_ipbx(c)), xod_obj_id(c)));
    json_object_object_add(m->body, "channelids", list);
}

static bool rings(const struct xod_obj *c)
{
    return view_eq(xod_get_str(c, XOD(channels, state)), VIEW("Ringing"));
}

/* The channel that rings; the caller's where none does. */
static struct xod_obj *ringing(const struct xod_obj *call)
{
    struct xod_obj *c;

    for (size_t i = 0; i < participants_count(call); i++)
        if ((c = participant(call, i)) && rings(c))
            return c;
    return participant(call, 0);
}

/* ---- one function a route: false: it has answered ---- */

typedef bool make_fn(struct request *rq, struct message *m);

static bool make_dial(struct request *rq, struct message *m)
{
    order(m, json_get(rq->body, "from") ? "originate" : "dial");
    copy(m, "source", rq, "from");
    copy(m, "destination", rq, "to");
    return true;
}

static bool make_hangup(struct request *rq, struct message *m)
{
    const struct xod_obj *call = read_find(rq, LIST_calls, 0);

    if (!call)
        return false;
    order(m, "hangup");
    set_participants(m, call);
    return true;
}

static bool make_answer(struct request *rq, struct message *m)
{
    if (!read_find(rq, LIST_calls, 0))
        return false;
    order(m, "answer");
    return true;
}

static bool make_intercept(struct request *rq, struct message *m)
{
    const struct xod_obj *call = read_find(rq, LIST_calls, 0);
    const struct xod_obj *c = call ? ringing(call) : NULL;

    if (call && !c)
        request_fail(rq, 409, "no_such_channel", "The call has no participant any more.");
    if (!c)
        return false;
    order(m, "intercept");
    set_channel(m, "tointercept", c);
    return true;
}

static bool make_transfer(struct request *rq, struct message *m)
{
    const struct xod_obj *call = read_find(rq, LIST_calls, 0);

    if (!call)
        return false;
    order(m, json_get_bool(rq->body, "attended", false) ? "atxfer" : "transfer");
    copy(m, "destination", rq, "to");
    return set_own_channel(rq, m, "source", call);
}

static bool make_hold(struct request *rq, struct message *m)
{
    if (!read_find(rq, LIST_calls, 0))
        return false;
    m->class = "hold_switchboard";
    copy(m, "queue_name", rq, "queue");
    return true;
}

static bool make_resume(struct request *rq, struct message *m)
{
    const struct xod_obj *call = read_find(rq, LIST_calls, 0);
    const struct xod_obj *c = call ? participant(call, 0) : NULL;

    if (call && !c)
        request_fail(rq, 409, "no_such_channel", "The call has no participant any more.");
    if (!c)
        return false;
    m->class = "resume_switchboard";
    set_view(m, "unique_id", xod_get_str(c, XOD(channels, uniqueid)));
    return true;
}

static bool make_park(struct request *rq, struct message *m)
{
    const struct xod_obj *call = read_find(rq, LIST_calls, 0);
    struct view lot = json_get_view(rq->body, "lot");

    if (!call)
        return false;
    order(m, "parking");
    if (lot.len)
        json_object_object_add(m->body, "destination",
                               name_of("parking", view_cstr(rq->segment[0]), lot));
    return set_own_channel(rq, m, "source", call);
}

static bool make_record(struct request *rq, struct message *m)
{
    const struct xod_obj *call = read_find(rq, LIST_calls, 0);
    const struct xod_obj *c;

    if (!call)
        return false;
    order(m, "record");
    set(m, "subcommand", json_get_bool(rq->body, "on", false) ? "start" : "stop");
    if (!set_own_channel(rq, m, "channel", call))
        return false;
    c = json_get(m->body, "channel") ? NULL : participant(call, 0);
    if (c)
        set_channel(m, "channel", c);
    return true;
}

static bool make_presence(struct request *rq, struct message *m)
{
    const struct xod_obj *user = read_find(rq, LIST_users, 0);

    if (!user)
        return false;
    if (xod_get(user, XOD(users, connection))->type == V_NULL) {
        request_fail(rq, 409, "not_logged_in",
                     "Only a user who is logged in has a presence to change.");
        return false;
    }
    m->class = "availstate";
    copy(m, "availstate", rq, "presence");
    return true;
}

static bool make_features_get(struct request *rq, struct message *m)
{
    m->class = "featuresget";
    return read_find(rq, LIST_users, 0) != NULL;
}

static const struct {
    const char *name, *function;
} flags[] = {{"dnd", "enablednd"},
             {"filter", "incallfilter"},
             {"voicemail", "enablevoicemail"},
             {"record", "callrecord"}};

static const struct {
    const char *name, *flag, *destination;
} forwards[] = {{"forward_always", "enableunc", "destunc"},
                {"forward_busy", "enablebusy", "destbusy"},
                {"forward_no_answer", "enablerna", "destrna"}};

/* State changes a service at a time, and all forwards at once: step n of the request. */
static bool make_features(struct request *rq, struct message *m)
{
    struct json_object *value = NULL;
    size_t n = 0;

    if (!read_find(rq, LIST_users, 0))
        return false;
    m->class = "featuresput";
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        struct json_object *v = json_get(rq->body, flags[i].name);
        if (!v || n++ != rq->step)
            continue;
        set(m, "function", flags[i].function);
        json_object_object_add(m->body, "value", json_object_get(v));
        return true;
    }
    for (size_t i = 0; n == rq->step && i < ARRAY_SIZE(forwards); i++) {
        struct view to = json_get_view(rq->body, forwards[i].name);
        if (!json_get(rq->body, forwards[i].name))
            continue;
        value = value ? value : json_object_new_object();
        json_object_object_add(value, forwards[i].flag, json_object_new_boolean(to.len > 0));
        if (to.len)
            json_object_object_add(value, forwards[i].destination,
                                   json_object_new_string_len(to.ptr, (int)to.len));
    }
    if (value) {
        set(m, "function", "fwd");
        json_object_object_add(m->body, "value", value);
        return true;
    }
    buf_reset(&rq->g->out);
    if (rq->step == 0)
        request_fail(rq, 422, "missing_field", "Nothing is to be changed: name a service.");
    else
        request_answer(rq, 204);
    return false;
}

static bool set_queue(struct request *rq, struct message *m)
{
    const struct xod_obj *queue = read_find(rq, LIST_queues, 0);

    if (queue)
        json_object_object_add(
            m->body, "queue",
            name_of("queue", xod_ipbx_name(xod_obj_ipbx(queue)), xod_obj_id(queue)));
    return queue != NULL;
}

static bool make_member_add(struct request *rq, struct message *m)
{
    order(m, "queueadd");
    copy(m, "member", rq, "member");
    return set_queue(rq, m);
}

static bool make_member_change(struct request *rq, struct message *m)
{
    order(m, json_get_bool(rq->body, "paused", false) ? "queuepause" : "queueunpause");
    set(m, "member", rq->segment[2]);
    copy(m, "reason", rq, "reason");
    return set_queue(rq, m);
}

static bool make_member_remove(struct request *rq, struct message *m)
{
    order(m, "queueremove");
    set(m, "member", rq->segment[2]);
    return set_queue(rq, m);
}

static bool set_agent(struct request *rq, struct message *m)
{
    const struct xod_obj *agent = read_find(rq, LIST_agents, 0);

    if (agent)
        json_object_object_add(
            m->body, "agentids",
            name_of("agent", xod_ipbx_name(xod_obj_ipbx(agent)), xod_obj_id(agent)));
    return agent != NULL;
}

static bool make_agent_login(struct request *rq, struct message *m)
{
    order(m, "agentlogin");
    copy(m, "agentphonenumber", rq, "number");
    return set_agent(rq, m);
}

static bool make_agent_logout(struct request *rq, struct message *m)
{
    order(m, "agentlogout");
    return set_agent(rq, m);
}

/* One of them: a number is one in the message, too. False: it is none, and answered. */
static bool set_param(struct request *rq, struct message *m, const char *const pair[2],
                      const char *text)
{
    const struct api_param *p;
    int64_t number;
    size_t i = 0;

    while ((p = api_param(i)) &&
           (p->route != rq->match.route || p->in_body || strcmp(p->name, pair[0]) != 0))
        i++;
    if (!p || p->type != API_INT) {
        set(m, pair[1], text);
        return true;
    }
    if (view_to_i64(view_cstr(text), &number) < 0) {
        request_fail(rq, 400, "bad_number", "The parameter %s is a whole number.", p->name);
        return false;
    }
    json_object_object_add(m->body, pair[1], json_object_new_int64(number));
    return true;
}

/* Parameters behind ?, under the names that messages have. */
static bool copy_query(struct request *rq, struct message *m, const char *const (*pairs)[2])
{
    const char *text;
    struct buf scratch;
    bool good = true;

    buf_init(&scratch, 8192);
    for (; good && (*pairs)[0]; pairs++) {
        buf_reset(&scratch);
        good = request_query(rq, (*pairs)[0], &scratch, &text);
        if (good && text)
            good = set_param(rq, m, *pairs, text);
    }
    buf_free(&scratch);
    return good;
}

static bool make_history(struct request *rq, struct message *m)
{
    static const char *const pairs[][2] = {
        {"scope", "scope"}, {"cursor", "cursor"}, {"limit", "limit"},         {"from", "from"},
        {"until", "to"},    {"text", "text"},     {"direction", "direction"}, {NULL, NULL}};

    m->class = "history";
    /* one without any of these is asked as the clients of 2012 do */
    json_object_object_add(m->body, "limit", json_object_new_int(DEFAULT_PAGE));
    return copy_query(rq, m, pairs);
}

static bool make_directory(struct request *rq, struct message *m)
{
    static const char *const pairs[][2] = {{"search", "pattern"}, {NULL, NULL}};

    m->class = "directory";
    if (!copy_query(rq, m, pairs))
        return false;
    if (json_get_view(m->body, "pattern").len)
        return true;
    request_fail(rq, 400, "missing_parameter", "The parameter search is missing.");
    return false;
}

static bool make_chat(struct request *rq, struct message *m)
{
    m->class = "chitchat";
    copy(m, "to", rq, "to");
    copy(m, "text", rq, "text");
    return true;
}

static bool make_chat_history(struct request *rq, struct message *m)
{
    static const char *const pairs[][2] = {{"with", "with"}, {"cursor", "cursor"}, {NULL, NULL}};

    m->class = "chat_history";
    return copy_query(rq, m, pairs);
}

static make_fn *const makers[ROUTE_COUNT] = {
    [ROUTE_dial] = make_dial,
    [ROUTE_hangup] = make_hangup,
    [ROUTE_answer] = make_answer,
    [ROUTE_intercept] = make_intercept,
    [ROUTE_transfer] = make_transfer,
    [ROUTE_hold] = make_hold,
    [ROUTE_resume] = make_resume,
    [ROUTE_park] = make_park,
    [ROUTE_record] = make_record,
    [ROUTE_presence] = make_presence,
    [ROUTE_features_get] = make_features_get,
    [ROUTE_features] = make_features,
    [ROUTE_member_add] = make_member_add,
    [ROUTE_member_change] = make_member_change,
    [ROUTE_member_remove] = make_member_remove,
    [ROUTE_agent_login] = make_agent_login,
    [ROUTE_agent_logout] = make_agent_logout,
    [ROUTE_history] = make_history,
    [ROUTE_directory] = make_directory,
    [ROUTE_chat] = make_chat,
    [ROUTE_chat_history] = make_chat_history,
};

/* ---- asking state ---- */

/* What went wrong, in words of HTTP. */
static void refuse(struct request *rq, enum bus_status status)
{
    switch (status) {
    case BUS_denied:
        request_fail(rq, 401, "bad_token", "The token was revoked, or its user may not log in.");
        break;
    case BUS_unallowed:
        request_fail(rq, 403, "not_permitted",
                     "The profile %s does not permit it, or the token may not act for this user.",
                     rq->token->profile);
        break;
    case BUS_not_found:
        request_fail(rq, 404, "not_found", "There is no such object or user.");
        break;
    case BUS_malformed:
        request_fail(rq, 422, "malformed",
                     "A field is not as the reference of the API says, or the Idempotency-Key was "
                     "used for another request.");
        break;
    case BUS_busy:
        request_fail(rq, 429, "busy",
                     "The user has had more carried out than ctibus.budget permits, or the first "
                     "request with this Idempotency-Key has no answer yet.");
        break;
    case BUS_timeout:
        request_fail(rq, 504, "timeout", "There was no answer within %u seconds.",
                     rq->g->opt.command_ms / 1000);
        break;
    case BUS_unknown_method:
        request_fail(rq, 501, "not_there", "This installation cannot do that.");
        break;
    default:
        request_fail(rq, 503, "unavailable",
                     status == BUS_noconn || status == BUS_gone
                         ? "state or the Asterisk cannot be reached: try again."
                         : "It could not be kept on disk: try again.");
    }
}

/* What state says is wrong with what was asked for. */
static bool refused(struct request *rq, const msgpack_object *body)
{
    struct view why = msg_get_str(body, "error_string");
    struct view warning = msg_get_str(body, "warning_string");
    bool is_so = rq->match.route == ROUTE_features && why.len == 0 &&
                 view_eq(warning, VIEW("no changes")); /* PUT: what it asks for is so already */
    char code[160];

    if (is_so || (why.len == 0 && warning.len == 0))
        return false;
    snprintf(code, sizeof(code), "%.*s", VIEW_ARG(why.len ? why : warning));
    if (strchr(code, ' ')) /* what Asterisk says, for people */
        request_fail(rq, 409, "refused_by_asterisk", "Asterisk says: %s", code);
    else if (view_eq(why, VIEW("noconn")))
        request_fail(rq, 503, "noconn", "The Asterisk cannot be reached: try again.");
    else if (view_eq(why, VIEW("busy")))
        refuse(rq, BUS_busy);
    else
        request_fail(rq, 409, code, "It was not done: %s", code);
    return true;
}

/* A call that is dialled is not there yet: its channel will have this as `autocall`. */
static void put_dialled(struct buf *out, const msgpack_object *body)
{
    buf_append_cstr(out, "{\"autocall\":");
    json_put_string(out, msg_get_str(body, "autocall"));
    buf_append_char(out, '}');
}

/* The members that say something to programs. */
static void put_answer(struct buf *out, const msgpack_object *body)
{
    static const char *const but[] = {"autocall", "command", "ipbxreply", "message", NULL};
    struct value v = {.type = V_NULL};
    const char *sep = "";
    uint32_t n = body && body->type == MSGPACK_OBJECT_MAP ? body->via.map.size : 0;

    buf_append_char(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        struct view key = msg_str(&body->via.map.ptr[i].key);
        bool left_out = key.len == 0;
        for (const char *const *b = but; *b; b++)
            left_out = left_out || view_eq(key, view_cstr(*b));
        if (left_out)
            continue;
        buf_append_cstr(out, sep);
        json_put_string(out, key);
        buf_append_char(out, ':');
        if (value_from_msg(&v, &body->via.map.ptr[i].val) < 0)
            out->failed = true;
        value_put_json(out, &v);
        value_clear(&v);
        sep = ",";
    }
    buf_append_char(out, '}');
}

static void on_done(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct request *rq = arg;
    struct buf *out = &rq->g->out;

    rq->asked = 0;
    if (status != BUS_ok) {
        refuse(rq, status);
        return;
    }
    if (refused(rq, body))
        return;
    if (rq->match.route == ROUTE_features) { /* the next one */
        rq->step++;
        command_answer(rq);
        return;
    }
    buf_reset(out);
    if (rq->match.route == ROUTE_dial)
        put_dialled(out, body);
    else
        put_answer(out, body);
    request_answer(rq, rq->match.route == ROUTE_dial ? 202 : buf_len(out) > 2 ? 200 : 204);
}

/* `as`: of the body or the query. False: it is not IPBX/ID of the token's IPBX, and answered. */
static bool read_as(struct request *rq, struct buf *scratch, struct view *as)
{
    const char *text = NULL;
    struct view ipbx;

    *as = json_get_view(rq->body, "as");
    if (as->len == 0 && !request_query(rq, "as", scratch, &text))
        return false;
    if (text)
        *as = view_cstr(text);
    if (rq->match.route == ROUTE_presence || rq->match.route == ROUTE_features ||
        rq->match.route == ROUTE_features_get) {
        *as = view_cstr(rq->segment[1]);
        ipbx = view_cstr(rq->segment[0]);
    } else {
        if (as->len == 0)
            return true;
        ipbx = view_cut(as, '/');
    }
    if (as->len > 0 && view_eq(ipbx, view_cstr(rq->token->ipbx)))
        return true;
    request_fail(rq, 422, "bad_user", "A user is named as %s/ID here, and of no other IPBX.",
                 rq->token->ipbx);
    return false;
}

static bool ask(struct request *rq, const struct message *m, struct view as)
{
    struct value message;
    struct buf pairs, key;
    size_t n = 3;

    if (value_from_json(&message, m->body) < 0)
        return false;
    buf_init(&pairs, 0);
    buf_init(&key, 4096);
    msg_put_pair(&pairs, "id", view_cstr(rq->token->id));
    msg_put_pair(&pairs, "class", view_cstr(m->class));
    msg_put_cstr(&pairs, "message");
    value_pack(&pairs, &message);
    value_clear(&message);
    if (as.len) {
        msg_put_pair(&pairs, "as", as);
        n++;
    }
    if (rq->key) {
        buf_printf(&key, "%s#%zu", rq->key, rq->step);
        msg_put_pair(&pairs, "key", buf_view(&key));
        n++;
    }
    metric_add(rq->g->commands, 1);
    rq->asked = pairs.failed ? 0
                             : bus_ask_wait(rq->g->bus_client, METHOD_api_command, false, n,
                                            buf_view(&pairs), rq->g->opt.command_ms, on_done, rq);
    buf_free(&key);
    buf_free(&pairs);
    return rq->asked != 0;
}

void command_answer(struct request *rq)
{
    struct message m = {.body = json_object_new_object()};
    struct view as = view_of(NULL, 0);
    struct buf scratch;

    buf_init(&scratch, 1024);
    if (!m.body)
        request_fail(rq, 503, "no_memory", "There is no memory left.");
    else if (read_as(rq, &scratch, &as) && makers[rq->match.route](rq, &m) && !ask(rq, &m, as))
        request_fail(rq, 503, "unavailable", "state does not answer: try again.");
    json_object_put(m.body);
    buf_free(&scratch);
}
