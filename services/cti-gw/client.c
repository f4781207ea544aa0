#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/netaddr.h"
#include "fax.h"
#include "internal.h"

#define MAX_IGNORED 20
#define MAX_BAD_JSON 10
#define MAX_REPLY_ID 4096 /* it is kept until the answer: longer ones are not told back */
#define FAX_WITHIN 512    /* bytes in which a long line says that it is a fax */
#define ASK_DEADLINE_MS 5000
/* What the kernel may hold for a client that does not read, beside our own bound; the kernel's own
 * tuning would go up to megabytes for each. */
#define SEND_BUFFER 131072

/* ---- life ---- */

static struct conn *open_conn(struct client *c, int fd)
{
    struct gateway *g = c->gw;

    if (c->door == LISTENER_TLS)
        return conn_new_tls(&g->conns, fd, c, g->tls, NULL);
    if (c->door == LISTENER_WS)
        return conn_new_ws(&g->conns, fd, c, &g->ws);
    return conn_new(&g->conns, fd, c);
}

/* The address, and the port. */
static void note_peer(struct client *c, const struct sockaddr *peer)
{
    struct netaddr address;

    if (netaddr_of(peer, &address, &c->port) == 0)
        memcpy(c->peer, address.byte, sizeof(c->peer));
}

const char *client_who(const struct client *c, char out[CLIENT_WHO])
{
    char address[64];

    snprintf(out, CLIENT_WHO, "of user %.60s at %s", c->user_id ? c->user_id : "(none)",
             client_address(c, address));
    return out;
}

struct client *client_new(struct gateway *gw, enum gateway_listener door, int fd,
                          const struct sockaddr *peer)
{
    struct client *c = calloc(1, sizeof(*c));
    int size = SEND_BUFFER;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (!c) {
        close(fd);
        return NULL;
    }
    c->gw = gw;
    c->door = (uint8_t)door;
    c->since = clock_mono_us();
    note_peer(c, peer);
    c->address = login_throttle_address(gw->guard, peer);
    c->conn = open_conn(c, fd);
    if (!c->conn) {
        free(c);
        return NULL;
    }
    LIST_INSERT_HEAD(&gw->clients, c, all);
    gw->n_clients++;
    if (lobby_enter(gw->lobby, c) < 0) {
        client_destroy(c);
        return NULL;
    }
    return c;
}

void session_name(const struct gateway *gw, uint64_t n, char out[64])
{
    snprintf(out, 64, "%.30s-%llx-%llu", bus_instance(gw->bus),
             (unsigned long long)bus_epoch(gw->bus), (unsigned long long)n);
}

void client_session_name(const struct client *c, char out[64])
{
    session_name(c->gw, c->session, out);
}

const char *client_address(const struct client *c, char out[64])
{
    struct netaddr peer;

    memcpy(peer.byte, c->peer, sizeof(peer.byte));
    netaddr_print_port(&peer, c->port, out);
    return out;
}

/* Tells state that the session is over, or that its client has been lost and may come back. When
 * state is not there it needs no telling: it will ask for the sessions that are. */
static void close_session(struct client *c, bool lost)
{
    char name[64];

    if (!c->session)
        return;
    map_del(c->gw->by_session, view_of(&c->session, sizeof(c->session)));
    client_session_name(c, name);
    buf_reset(&c->gw->pairs);
    msg_put_pair(&c->gw->pairs, "session", view_cstr(name));
    msg_put_pair(&c->gw->pairs, "reason", lost ? VIEW("lost") : VIEW("closed"));
    if (bus_client_is_up(c->gw->bus_client))
        bus_ask(c->gw->bus_client, METHOD_session_close, 2, buf_view(&c->gw->pairs),
                ASK_DEADLINE_MS, NULL, NULL);
    c->session = 0;
}

void client_set_phase(struct client *c, enum client_phase phase)
{
    c->gw->n_live -= c->phase == LIVE;
    if (c->phase == OPENING)
        LIST_REMOVE(c, of_opening);
    c->phase = (uint8_t)phase;
    if (phase == OPENING)
        LIST_INSERT_HEAD(&c->gw->opening, c, of_opening);
    if (phase == LIVE) {
        c->gw->n_live++;
        lobby_leave(c->gw->lobby, c);
        conn_ws_set_max(c->conn, c->gw->opt.max_line);
        c->since = clock_mono_us();
        login_free(&c->login);
    }
}

/* Everything but the connection. A client that was not logged in has no session to come back to. */
static void client_free(struct client *c, bool lost)
{
    if (c->gw->current == c)
        c->gw->current = NULL;
    if (c->asked)
        bus_ask_cancel(c->gw->bus_client, c->asked);
    fax_source_gone(c);
    close_session(c, lost && c->phase == LIVE);
    realtime_stats_unsubscribe(c);
    watch_end(c);
    user_push_leave(c->gw->user_push, c);
    user_push_forget(c);
    fanout_leave(c->gw->fanout, c);
    c->gw->n_live -= c->phase == LIVE;
    if (c->phase == OPENING)
        LIST_REMOVE(c, of_opening);
    login_free(&c->login);
    profile_put(c->gw, c->profile);
    lobby_leave(c->gw->lobby, c);
    pace_leave(c);
    LIST_REMOVE(c, all);
    c->gw->n_clients--;
    free(c->ask_reply_id);
    free(c->user_id);
    free(c);
}

void client_destroy(struct client *c)
{
    conn_close(&c->conn);
    client_free(c, false);
}

static void end(struct client *c, const char *why, bool lost)
{
    char who[CLIENT_WHO];

    log_debug(c->gw->log, "client %s closed: %s", client_who(c, who), why);
    conn_close_after_flush(&c->conn);
    client_free(c, lost);
}

void client_close(struct client *c, const char *why)
{
    end(c, why, false);
}

void client_lose(struct client *c, const char *why)
{
    end(c, why, true);
}

void login_free(struct login **lp)
{
    struct login *l = *lp;

    if (!l)
        return;
    delayed_free(&l->delayed);
    free(l->userlogin);
    json_object_put(l->capalist);
    free(l->presence);
    free(l->appliname);
    free(l->capaxlets);
    free(l->capas);
    free(l->capaid);
    free(l->reply_id);
    free(l->agent_number);
    free(l);
    *lp = NULL;
}

struct xod_obj *client_user(const struct client *c)
{
    return c->user_id ? xod_find(c->ipbx, LIST_users, view_cstr(c->user_id)) : NULL;
}

/* ---- asking state ---- */

bool client_ask(struct client *c, enum bus_method method, size_t n_pairs, struct view pairs,
                struct view reply_id, bus_answer_fn *answer)
{
    free(c->ask_reply_id);
    c->ask_reply_id = reply_id.len ? view_dup(reply_id) : NULL;
    if (bus_client_is_up(c->gw->bus_client))
        c->asked = bus_ask(c->gw->bus_client, method, n_pairs, pairs, ASK_DEADLINE_MS, answer, c);
    if (c->asked)
        conn_pause(c->conn);
    return c->asked != 0;
}

struct view client_reply_id(const struct client *c)
{
    return view_cstr(c->ask_reply_id);
}

void client_answered(struct client *c)
{
    c->asked = 0;
    c->since = clock_mono_us();
    user_push_release(c);
    if (!c->slowed && !c->yielding)
        conn_resume(c->conn);
}

/* ---- input ---- */

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

/* A message before the login that is no step of it: neither answered nor a reason to close (a
 * client that reconnects sends one), but not for ever. */
static bool ignore(struct client *c)
{
    metric_add(c->gw->ignored, 1);
    if (++c->ignored < MAX_IGNORED)
        return true;
    client_close(c, "too many messages before the login");
    return false;
}

/* May this logged-in client send this class? Answers when not. */
static bool permitted(struct client *c, const struct request *rq)
{
    bool any;

    if (profile_permits(c->profile, rq->class, &any))
        return true;
    client_answer(c, rq, "warning_string", any ? VIEW("unallowed") : VIEW("no_regcommands"));
    return false;
}

static void answer_missing(struct client *c, const struct request *rq, struct buf *missing)
{
    char text[256];
    struct view names = buf_view(missing);

    snprintf(text, sizeof(text), "missing:%.*s", (int)(names.len > 200 ? 200 : names.len),
             names.ptr);
    if (c->phase == LIVE)
        client_answer(c, rq, "error_string", view_cstr(text));
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
        client_answer(c, rq, "warning_string", VIEW("unimplemented"));
        return;
    }
    snprintf(text, sizeof(text), "missing:%s", field);
    client_answer(c, rq, "error_string", view_cstr(text));
}

/* Calls what is registered for this message. The client may be gone afterwards: then gw->current is
 * no longer this one. */
static void dispatch(struct client *c, struct request *rq)
{
    struct gateway *g = c->gw;
    const struct cti_message *m;
    bool handled = false;
    size_t pos = 0;

    while ((m = registry_match(c->gw->opt.messages, rq, &pos))) {
        struct buf missing;
        bool complete;
        if (!handled && m->permission && !permitted(c, rq))
            return;
        handled = true;
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
    if (!handled)
        answer_unhandled(c, rq);
}

static void handle_object(struct client *c, struct json_object *body)
{
    struct request rq = {.body = body, .class = json_get_view(body, "class")};
    bool login = false;
    bool known = registry_knows(c->gw->opt.messages, rq.class, &login);

    read_reply_id(&rq);
    if (c->phase != LIVE && (!known || !login)) {
        ignore(c);
    } else if (c->phase == LIVE && known && login) {
        client_refuse(c, rq.class, rq.reply_id, VIEW("notloggedyet"));
    } else if (rq.class.len == 0) {
        client_answer(c, &rq, "error_string", VIEW("missing:class"));
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
        c->door = LISTENER_TLS;
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
    return gateway_max_fax_line(g);
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
    if (c->phase == CONNECTED && c->door == LISTENER_CLEAR &&
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
    if (c->door == LISTENER_TLS)
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

const struct conn_handler client_conn_handler = {on_data, on_closed, NULL};
