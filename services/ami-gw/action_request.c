/*
 * The request ami.action: an action of AMI, by its name or by one of ours (choices.h), and its
 * headers. The reply has the action's name and ActionID, its response, message and headers, the
 * events of a list, and the lines of text that Command and Queues answer with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "internal.h"
#include "msg/msg.h"

#define MAX_EVENTS (8u << 20) /* bytes of events or text in an answer; the rest is left out */

struct running_action {
    struct gateway *g;
    uint64_t id;
    char action[64], actionid[96];
    char *channel; /* of a Getvar: the answer does not name it */
    struct requester *by;
    size_t n_events, n_lines;
    struct buf events, lines;
    struct buf head, message; /* of the Response that a list began with */
    bool truncated;
};

/* ---- the answer ---- */

static void put_block(struct buf *out, const struct ami_block *b, enum ami_charset charset)
{
    msg_put_array(out, b->n);
    for (unsigned i = 0; i < b->n; i++) {
        msg_put_array(out, 2);
        tel_put_text(out, b->headers[i].name, charset);
        tel_put_text(out, b->headers[i].value, charset);
    }
}

/* Takes back what did not fit. True when all is in. */
static bool fitted(struct running_action *r, struct buf *b, size_t before)
{
    if (!b->failed)
        return true;
    b->failed = false;
    b->end = b->start + before;
    r->truncated = true;
    return false;
}

static void add_line(struct running_action *r, struct view line)
{
    size_t before = buf_len(&r->lines);

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    tel_put_text(&r->lines, line, r->g->charset);
    if (fitted(r, &r->lines, before))
        r->n_lines++;
}

static void add_text(struct running_action *r, struct view text)
{
    while (text.len)
        add_line(r, view_cut(&text, '\n'));
}

static void action_item(void *arg, const struct ami_block *b)
{
    struct running_action *r = arg;
    size_t before = buf_len(&r->events);

    if (b->kind == AMI_OTHER) {
        add_text(r, b->raw);
        return;
    }
    if (b->kind == AMI_RESPONSE) {
        buf_reset(&r->head);
        put_block(&r->head, b, r->g->charset);
        buf_reset(&r->message);
        tel_put_text(&r->message, ami_get(b, "Message"), r->g->charset);
        return;
    }
    put_block(&r->events, b, r->g->charset);
    if (fitted(r, &r->events, before))
        r->n_events++;
}

/* What Command says: raw text up to 13 or 14, then a header Output for each line. */
static void take_output(struct running_action *r, const struct ami_block *response)
{
    struct view line;

    r->truncated |= response->trimmed;
    add_text(r, response->text);
    for (unsigned n = 0; (line = ami_get_n(response, VIEW("Output"), n)).ptr; n++)
        add_line(r, line);
}

static void put_answer(struct buf *out, struct running_action *r, bool good,
                       const struct ami_block *response)
{
    msg_put_map(out, 8);
    msg_put_pair(out, "response", good ? VIEW("Success") : VIEW("Error"));
    msg_put_cstr(out, "message");
    if (!response && buf_len(&r->message))
        buf_append_view(out, buf_view(&r->message));
    else
        tel_put_text(out, response ? ami_get(response, "Message") : view_of(NULL, 0),
                     r->g->charset);
    msg_put_pair(out, "action", view_cstr(r->action));
    msg_put_pair(out, "actionid", view_cstr(r->actionid));
    msg_put_cstr(out, "headers");
    if (response)
        put_block(out, response, r->g->charset);
    else if (buf_len(&r->head))
        buf_append_view(out, buf_view(&r->head));
    else
        msg_put_array(out, 0);
    msg_put_elements(out, "events", r->n_events, &r->events);
    msg_put_elements(out, "output", r->n_lines, &r->lines);
    msg_put_cstr(out, "truncated");
    msg_put_bool(out, r->truncated);
}

static void action_free(struct running_action *r)
{
    requester_done(r->g->requesters, r->by);
    buf_free(&r->events);
    buf_free(&r->lines);
    buf_free(&r->head);
    buf_free(&r->message);
    free(r->channel);
    free(r);
}

/* Two answers are worth an event to everybody: of Getvar, with the channel that was asked about,
 * and of MailboxCount. */
static void tell(struct running_action *r, const struct ami_block *response)
{
    struct ami_header headers[8] = {{VIEW("Channel"), view_cstr(r->channel)}};
    struct ami_block b = *response;

    if (view_ieq(view_cstr(r->action), VIEW("MailboxCount"))) {
        translator_event(r->g->translator, VIEW("MailboxCount"), response, false);
    } else if (r->channel && view_ieq(view_cstr(r->action), VIEW("Getvar"))) {
        b.headers = headers;
        for (b.n = 1; b.n < 8 && b.n <= response->n; b.n++)
            headers[b.n] = response->headers[b.n - 1];
        translator_event(r->g->translator, VIEW("Getvar"), &b, false);
    }
}

static void action_done(void *arg, enum action_result outcome, const struct ami_block *response)
{
    static const enum bus_status words[] = {
        [ACTION_OK] = BUS_ok,
        [ACTION_ERROR] = BUS_ok,
        [ACTION_TIMEOUT] = BUS_timeout,
        [ACTION_LOST] = BUS_noconn,
    };
    struct running_action *r = arg;
    struct buf out;

    buf_init(&out, 0);
    if (response)
        take_output(r, response);
    put_answer(&out, r, outcome == ACTION_OK, response);
    bus_client_reply(r->g->bus_client, r->id, out.failed ? BUS_busy : words[outcome],
                     out.failed ? view_of(NULL, 0) : buf_view(&out));
    buf_free(&out);
    if (outcome == ACTION_OK && response)
        tell(r, response);
    action_free(r);
}

/* ---- the question ---- */

static bool is_originate(struct view action)
{
    return view_ieq(action, VIEW("Originate"));
}

static bool is_left_out(struct view action, struct view name)
{
    return view_ieq(name, VIEW("ActionID")) || view_ieq(name, VIEW("Action")) ||
           (is_originate(action) && view_ieq(name, VIEW("Async")));
}

/* Makes the action unusable when it is no text. */
static void put_value(struct ami_action *aa, struct view name, const msgpack_object *value)
{
    if (value->type != MSGPACK_OBJECT_STR)
        ami_action_header(aa, view_of(NULL, 0), view_of(NULL, 0));
    else
        ami_action_header(aa, name, msg_str(value));
}

static void put_pair(struct ami_action *aa, struct view action, const msgpack_object *key,
                     const msgpack_object *value)
{
    struct view name = msg_str(key);

    if (is_left_out(action, name))
        return;
    if (value->type != MSGPACK_OBJECT_ARRAY) {
        put_value(aa, name, value);
        return;
    }
    for (uint32_t i = 0; i < value->via.array.size; i++)
        put_value(aa, name, &value->via.array.ptr[i]);
}

/* headers: [[name, value], ...] or {name: value or [value, ...]} */
static void put_headers(struct ami_action *aa, struct view action, const msgpack_object *list)
{
    if (list && list->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < list->via.map.size; i++)
            put_pair(aa, action, &list->via.map.ptr[i].key, &list->via.map.ptr[i].val);
    if (!list || list->type != MSGPACK_OBJECT_ARRAY)
        return;
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *pair = &list->via.array.ptr[i];
        if (pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2)
            put_pair(aa, action, &pair->via.array.ptr[0], &pair->via.array.ptr[1]);
        else
            ami_action_header(aa, view_of(NULL, 0), view_of(NULL, 0));
    }
}

/* The channel of a Getvar. */
static struct view header_of(const msgpack_object *list, struct view name)
{
    if (list && list->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < list->via.map.size; i++)
            if (view_ieq(msg_str(&list->via.map.ptr[i].key), name))
                return msg_str(&list->via.map.ptr[i].val);
    if (list && list->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < list->via.array.size; i++) {
            const msgpack_object *pair = &list->via.array.ptr[i];
            if (pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2 &&
                view_ieq(msg_str(&pair->via.array.ptr[0]), name))
                return msg_str(&pair->via.array.ptr[1]);
        }
    return view_of(NULL, 0);
}

static void text_ended(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct gateway *g = arg;

    if (outcome == ACTION_OK || outcome == ACTION_ERROR)
        actions_text_end(link_actions(g->link));
}

/* Queues: a Ping behind it marks the end of its text. */
static int commit_text(struct gateway *g, struct ami_action *aa, struct running_action *r,
                       uint32_t deadline_ms)
{
    int rc = link_commit_text(g->link, aa, deadline_ms, action_item, action_done, r);
    struct ami_action ping;

    if (rc < 0)
        return rc;
    link_action(g->link, &ping, VIEW("Ping"));
    link_commit(g->link, &ping, false, deadline_ms, NULL, text_ended, g);
    return 0;
}

/* The requester may wait longer (timeout_ms) or less (the request's own deadline). */
static uint32_t deadline_of(const msgpack_object *body, struct view action)
{
    int64_t ms = msg_get_i64(body, "timeout_ms",
                             is_originate(action) ? ORIGINATE_DEADLINE_MS : ACTION_DEADLINE_MS);
    int64_t requester = msg_get_i64(body, "deadline_ms", ms);

    if (requester < ms)
        ms = requester;
    return ms < 100 ? 100 : ms > ORIGINATE_DEADLINE_MS ? ORIGINATE_DEADLINE_MS : (uint32_t)ms;
}

static int send_action(struct gateway *g, struct running_action *r, struct view name,
                       const struct action_choice *choice, const struct choice_words *given,
                       const msgpack_object *body)
{
    const msgpack_object *headers = msg_get(body, "headers");
    struct view action = choice ? view_cstr(choice->action) : name;
    struct view channel = header_of(headers, VIEW("Channel"));
    struct ami_action aa;

    snprintf(r->action, sizeof(r->action), "%.*s", VIEW_ARG(action));
    r->channel = channel.len ? view_dup(channel) : NULL;
    link_action(g->link, &aa, action);
    snprintf(r->actionid, sizeof(r->actionid), "%s", actions_last_id(link_actions(g->link)));
    if (choice)
        choice_write(choice, given, &aa);
    else
        put_headers(&aa, action, headers);
    if (is_originate(action)) /* the answer comes at once, how it went with OriginateResponse */
        ami_action_header(&aa, VIEW("Async"), VIEW("true"));
    if (view_ieq(action, VIEW("Queues")))
        return commit_text(g, &aa, r, deadline_of(body, action));
    return link_commit(g->link, &aa, msg_get_bool(body, "list", false), deadline_of(body, action),
                       action_item, action_done, r);
}

/* An answer of the gateway's own: nothing was sent. */
static void answer_error(struct gateway *g, uint64_t id, struct view name, const char *why,
                         bool lacking)
{
    struct buf out, text;

    buf_init(&out, 4096);
    buf_init(&text, 1024);
    buf_printf(&text, "%.*s: %s", VIEW_ARG(name), why);
    msg_put_map(&out, 3);
    msg_put_pair(&out, "response", VIEW("Error"));
    msg_put_pair(&out, "message", buf_view(&text));
    msg_put_cstr(&out, "no_such_action");
    msg_put_bool(&out, lacking);
    bus_client_reply(g->bus_client, id, BUS_ok, buf_view(&out));
    buf_free(&out);
    buf_free(&text);
}

/* What the gateway does with its link is not for others to undo. */
static bool is_gateways_own(struct view name)
{
    static const struct view names[] = {VIEW("Events"), VIEW("Filter"), VIEW("Login"),
                                        VIEW("Logoff"), VIEW("Challenge")};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (view_ieq(names[i], name))
            return true;
    return false;
}

/* Before anything is sent. False: it was answered. */
static bool may_go_out(struct gateway *g, uint64_t id, const msgpack_object *body)
{
    const msgpack_object *headers = msg_get(body, "headers");
    struct view name = msg_get_str(body, "action");

    if (!link_is_up(g->link))
        bus_client_reply(g->bus_client, id, BUS_noconn, view_of(NULL, 0));
    else if (name.len == 0 || (headers && headers->type != MSGPACK_OBJECT_ARRAY &&
                               headers->type != MSGPACK_OBJECT_MAP))
        bus_client_reply(g->bus_client, id, BUS_malformed, view_of(NULL, 0));
    else if (is_gateways_own(name))
        answer_error(g, id, name, "this action is the gateway's own", false);
    else
        return true;
    return false;
}

void gateway_action(struct gateway *g, uint64_t id, const msgpack_object *body)
{
    struct view name = msg_get_str(body, "action");
    const struct action_choice *choice;
    struct choice_words given;
    struct running_action *r;
    int rc;

    if (!may_go_out(g, id, body))
        return;
    choice_take(&given, msg_get(body, "headers"));
    choice = choice_is_known(name) ? choice_find(g->capabilities, name, &given)
                                   : choice_instead(g->capabilities, name, &given);
    if (!choice && choice_is_known(name)) {
        bool lacking = !choice_exists(g->capabilities, name);
        answer_error(g, id, name,
                     lacking ? "this Asterisk has no such action"
                             : "not all that it needs is given",
                     lacking);
        return;
    }
    r = name.len && name.len < sizeof(r->action) ? calloc(1, sizeof(*r)) : NULL;
    if (!r) {
        bus_client_reply(g->bus_client, id, BUS_malformed, view_of(NULL, 0));
        return;
    }
    r->g = g;
    r->id = id;
    buf_init(&r->events, MAX_EVENTS);
    buf_init(&r->lines, MAX_EVENTS);
    buf_init(&r->head, MAX_EVENTS);
    buf_init(&r->message, MAX_EVENTS);
    rc = requester_begin(g->requesters, msg_get_str(body, "by"), &r->by);
    if (rc == 0)
        rc = send_action(g, r, name, choice, &given, body);
    if (rc == 0)
        return;
    bus_client_reply(g->bus_client, id, rc == -EBUSY || rc == -ENOMEM ? BUS_busy : BUS_malformed,
                     view_of(NULL, 0));
    action_free(r);
}
