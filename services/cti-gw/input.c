/* What a client sends: lines, cut from the stream and handed to their handlers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "client.h"
#include "fax.h"
#include "internal.h"

#define MAX_IGNORED 20
#define MAX_BAD_JSON 10
#define MAX_REPLY_ID 4096 /* it is kept until the answer: longer ones are not told back */
#define MAX_COMMAND 64    /* bytes of a command's name that is told back */
#define FAX_WITHIN 512    /* bytes in which a long line says that it is a fax */

/* Whatever the client names its command by comes back in the answer as it was sent. */
static void read_reply_id(struct request *rq)
{
    struct json_object *id;

    if (json_object_object_get_ex(rq->body, "commandid", &id))
        rq->reply_id = view_cstr(json_object_to_json_string_ext(id, JSON_C_TO_STRING_PLAIN));
    if (rq->reply_id.len > MAX_REPLY_ID)
        rq->reply_id.len = 0;
}

/* False: the client is gone. */
static bool bad_json(struct client *c)
{
    metric_add(c->gw->json_errors, 1);
    if (++c->bad_json >= MAX_BAD_JSON) {
        client_refuse(c, VIEW("error"), view_of(NULL, 0), VIEW("json"));
        return false;
    }
    client_send_pair(c, VIEW("error"), view_of(NULL, 0), "error_string", VIEW("json"));
    return true;
}

/* A message before the login that is no step of it: no reason to close (a client that reconnects
 * sends one), but not for ever. */
static void too_early(struct client *c, const struct request *rq)
{
    metric_add(c->gw->ignored, 1);
    if (++c->ignored < MAX_IGNORED)
        client_answer(c, rq, "error_string", VIEW("notloggedyet"));
    else
        client_close(c, "too many messages before the login");
}

/* Answers what is not carried out. */
static void decline(struct client *c, const struct request *rq, const char *key, struct view text)
{
    struct view command = json_get_view(rq->body, "command");

    client_decline(c, rq, command.len <= MAX_COMMAND ? command : view_of(NULL, 0), key, text);
}

/* May this logged-in client send this class? Answers when not. */
static bool permitted(struct client *c, const struct request *rq)
{
    bool any;

    if (profile_permits(c->profile, rq->class, &any))
        return true;
    decline(c, rq, "warning_string", any ? VIEW("unallowed") : VIEW("no_regcommands"));
    return false;
}

static void answer_missing(struct client *c, const struct request *rq, struct buf *missing)
{
    char text[256];
    struct view names = buf_view(missing);

    snprintf(text, sizeof(text), "missing:%.*s", (int)(names.len > 200 ? 200 : names.len),
             names.ptr);
    if (c->phase == LIVE)
        decline(c, rq, "error_string", view_cstr(text));
    else
        client_refuse(c, rq->class, rq->reply_id, view_cstr(text));
}

/* No descriptor of the class fits, if there are any: a field that tells them apart is missing, or
 * its value is unknown. */
static void answer_unhandled(struct client *c, struct request *rq)
{
    bool permission = false;
    const char *field = registry_missing_condition(c->gw->opt.messages, rq, &permission);
    char text[128];

    if (permission && !permitted(c, rq))
        return;
    if (!field) {
        decline(c, rq, "warning_string", VIEW("unimplemented"));
        return;
    }
    snprintf(text, sizeof(text), "missing:%s", field);
    client_answer(c, rq, "error_string", view_cstr(text));
}

/* Does a program on the bus answer it? Then it is passed on, or answered here when it may not be.
 */
static bool handled_elsewhere(struct client *c, struct request *rq)
{
    bool login, permission;
    struct buf missing;
    bool found;

    if (registry_knows(c->gw->opt.messages, rq->class, &login))
        return false;
    buf_init(&missing, 4096);
    found = handled(c, rq, &permission, &missing);
    if (found && (!permission || permitted(c, rq))) {
        if (buf_len(&missing))
            answer_missing(c, rq, &missing);
        else
            handled_relay(c, rq);
    }
    buf_free(&missing);
    return found;
}

/* Calls what is registered for this message. The client may be gone afterwards: then gw->current is
 * no longer this one. */
static void dispatch(struct client *c, struct request *rq)
{
    struct gateway *g = c->gw;
    const struct cti_message *m;
    bool known = false;
    size_t pos = 0;

    while ((m = registry_match(c->gw->opt.messages, rq, &pos))) {
        struct buf missing;
        bool complete;
        if (!known && m->permission && !permitted(c, rq))
            return;
        known = true;
        buf_init(&missing, 1024);
        complete = registry_complete(m, rq->body, &missing);
        if (!complete)
            answer_missing(c, rq, &missing);
        buf_free(&missing);
        if (!complete)
            return;
        rq->message = m;
        m->handle(c, rq);
        if (g->current != c)
            return; /* the handler has closed it */
    }
    if (!known && !handled_elsewhere(c, rq))
        answer_unhandled(c, rq);
}

/* dispatch, and the observers of messages of the class are told of it, unless state does that. */
static void dispatch_observed(struct client *c, struct request *rq)
{
    struct gateway *g = c->gw;
    uint64_t since = clock_mono_us();
    bool told = observed(c, rq->class);

    g->said[0] = '\0';
    g->passed_on = false;
    dispatch(c, rq);
    if (told && g->current == c && !g->passed_on)
        observed_tell(c, rq, clock_mono_us() - since);
}

static void handle_object(struct client *c, struct json_object *body)
{
    struct request rq = {.body = body, .class = json_get_view(body, "class")};
    bool login = false;
    bool known = registry_knows(c->gw->opt.messages, rq.class, &login);

    read_reply_id(&rq);
    if (c->phase != LIVE && (!known || !login)) {
        too_early(c, &rq);
    } else if (c->phase == LIVE && known && login) {
        client_refuse(c, rq.class, rq.reply_id, VIEW("notloggedyet"));
    } else if (rq.class.len == 0) {
        client_answer(c, &rq, "error_string", VIEW("missing:class"));
    } else if (c->phase == LIVE) {
        dispatch_observed(c, &rq);
    } else {
        dispatch(c, &rq);
    }
}

/* One line. False: the client is gone. */
static bool handle_line(struct client *c, struct view line)
{
    struct gateway *g = c->gw;
    struct json_object *body = NULL;

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (view_trim(line).len == 0)
        return true;
    metric_add(g->lines_in, 1);
    g->current = c;
    if (c->phase == LIVE && message_getlist_quick(c, line)) {
        c->bad_json = 0;
        return true;
    }
    if (json_parse(&g->parser, line, &body) < 0 || !json_object_is_type(body, json_type_object)) {
        json_object_put(body);
        return bad_json(c);
    }
    c->bad_json = 0;
    handle_object(c, body);
    json_object_put(body);
    return g->current == c;
}

static size_t too_long(struct client *c, size_t len)
{
    metric_add(c->gw->cut_long, 1);
    client_refuse(c, VIEW("error"), view_of(NULL, 0), VIEW("line_too_long"));
    return len;
}

/* Over to TLS. What came in clear behind the wish for it may be somebody else's, who wants it to be
 * taken for the client's own words inside of TLS: nothing of it counts. */
static size_t start_tls(struct client *c, struct view behind, size_t len)
{
    c->wants_tls = false;
    if (behind.len > 0 || !c->gw->tls)
        client_close(c, "has sent more in clear behind starttls");
    else if (conn_start_tls(c->conn, c->gw->tls) < 0)
        client_close(c, "no memory for TLS");
    else
        c->listener_kind = LISTENER_TLS, c->secure = true;
    return len;
}

/* Of a line that begins so. A fax may come in its message. */
static size_t most_of(const struct client *c, struct view line)
{
    const struct gateway *g = c->gw;
    bool any;

    if (c->phase != LIVE)
        return LOBBY_LINE < g->opt.max_line ? LOBBY_LINE : g->opt.max_line;
    if (line.len <= g->opt.max_line ||
        view_find(view_of(line.ptr, FAX_WITHIN), VIEW("\"faxsend\"")) < 0 ||
        !profile_permits(c->profile, VIEW("faxsend"), &any))
        return g->opt.max_line;
    return fax_max_line(g);
}

static size_t on_data(void *owner, struct conn *conn, struct view in)
{
    struct client *c = owner;
    enum fax_claim claim;
    struct view rest = in;
    const char *end;
    double cost = 0;

    if (c->phase == LIVE)
        c->since = clock_mono_us();
    else
        lobby_heard(c->gw->lobby, c);
    claim = c->phase == CONNECTED ? fax_claims(c->gw->faxes, c, in) : FAX_NOT;
    if (claim == FAX_CLAIMED) {
        if (fax_data(c, in))
            client_close(c, "the fax is here");
        return in.len;
    }
    if (claim == FAX_ASKED)
        return 0;
    if (c->phase == CONNECTED && c->listener_kind == LISTENER_CLEAR &&
        in.ptr[0] == 0x16) { /* a TLS handshake on the clear-text port */
        client_close(c, "speaks TLS on the clear-text port");
        return in.len;
    }
    while (!c->asked && rest.len && (end = memchr(rest.ptr, '\n', rest.len))) {
        if (c->phase == LIVE && !pace_allows(c))
            return in.len - rest.len;
        struct view line = view_of(rest.ptr, (size_t)(end - rest.ptr));
        if (line.len > most_of(c, line))
            return too_long(c, in.len);
        rest = view_of(end + 1, rest.len - line.len - 1);
        if (!handle_line(c, line))
            return in.len;
        if (c->wants_tls)
            return start_tls(c, rest, in.len);
        if (c->phase == LIVE && pace_handled(c, &cost))
            return in.len - rest.len;
    }
    if ((!c->asked && rest.len > most_of(c, rest)) || (c->phase != LIVE && rest.len > LOBBY_INPUT))
        return too_long(c, in.len);
    return in.len - rest.len;
}

/* The transport has ended it: logged, so that an operator sees why a client cannot log in. */
static void tell_reason(struct client *c)
{
    const char *reason = conn_class_reason(&c->gw->conns);
    char who[CLIENT_WHO];

    if (!reason)
        return;
    if (c->listener_kind == LISTENER_TLS)
        metric_add(c->gw->tls_failed, 1);
    log_notice(c->gw->log, "client %s disconnected: %s", client_who(c, who), reason);
}

static void on_closed(void *owner, struct conn *conn, int why)
{
    struct client *c = owner;
    char who[CLIENT_WHO];

    c->conn = NULL;
    tell_reason(c);
    if (why == CONN_OUTPUT_LIMIT) {
        metric_add(c->gw->cut_slow, 1);
        log_notice(c->gw->log, "client %s disconnected: it does not read (%zu bytes waited)",
                   client_who(c, who), c->gw->opt.max_output);
    }
    client_free(c, true);
}

static void on_drained(void *owner, struct conn *conn)
{
    snapshot_continue(owner);
}

const struct conn_handler client_conn_handler = {on_data, on_closed, on_drained};
