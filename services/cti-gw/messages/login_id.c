/* login_id: who wants in, with which version. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "messages/messages.h"

static void on_begun(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct view id = msg_get_str(body, "sessionid");
    struct buf *line = &c->gw->line;

    c->asked = 0;
    if (status != BUS_ok || id.len == 0 || id.len >= sizeof(c->login->sessionid)) {
        client_refuse(c, VIEW("login_id"), client_reply_id(c), VIEW("noconn"));
        return;
    }
    memcpy(c->login->sessionid, id.ptr, id.len);
    client_set_phase(c, IDENTIFIED);
    buf_reset(line);
    line_begin(line, VIEW("login_id"), client_reply_id(c));
    buf_append_cstr(line, ",\"sessionid\":");
    json_put_string(line, id);
    buf_append_cstr(line, ",\"xivoversion\":\"" XIVO_VERSION "\"");
    line_end(line);
    client_send_line(c, line);
    client_answered(c);
}

/* False: the client is refused and gone. */
static bool version_fits(struct client *c, struct request *rq)
{
    struct view theirs = json_get_view(rq->body, "xivoversion");
    char error[128];

    if (theirs.len == 0 || view_eq(theirs, VIEW(XIVO_VERSION)))
        return true;
    snprintf(error, sizeof(error), "xivoversion_client:%.*s;" XIVO_VERSION,
             (int)(theirs.len > 32 ? 32 : theirs.len), theirs.ptr);
    client_refuse(c, rq->class, rq->reply_id, view_cstr(error));
    return false;
}

/* False: a field is missing; the client is refused and gone. */
static bool complete(struct client *c, struct request *rq)
{
    static const char *const required[] = {"userlogin", "company", "ident", "xivoversion", NULL};
    static const struct cti_message fields = {.required = required};
    struct buf error;
    bool whole;

    buf_init(&error, 256);
    buf_append_cstr(&error, "missing:");
    whole = registry_complete(&fields, rq->body, &error);
    if (!whole)
        client_refuse(c, rq->class, rq->reply_id, buf_view(&error));
    buf_free(&error);
    return whole;
}

/* Does the client say that it knows this error? Those of 2012 know but their own. */
static bool accepts(struct json_object *body, const char *error)
{
    struct json_object *list = json_get(body, "accepts");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++)
        if (view_eq(json_view(json_object_array_get_idx(list, i)), view_cstr(error)))
            return true;
    return false;
}

/* False: there is no memory. */
static bool begin(struct client *c, struct view who, struct json_object *body)
{
    c->login = calloc(1, sizeof(*c->login));
    if (!c->login)
        return false;
    c->login->userlogin = view_dup(who);
    c->login->guarded_as = login_throttle_user(c->gw->guard, view_cstr(c->login->userlogin));
    c->login->knows_throttled = accepts(body, "login_throttled");
    return c->login->userlogin != NULL;
}

void message_login_id(struct client *c, struct request *rq)
{
    struct view who = json_get_view(rq->body, "userlogin");

    /* First the version: a client of 1.1 has other fields, and is to hear why it is refused. */
    if (!version_fits(c, rq) || !complete(c, rq))
        return;
    if (c->phase != CONNECTED) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("notloggedyet"));
        return;
    }
    if (c->gw->n_live >= c->gw->opt.max_clients) {
        char error[64];
        snprintf(error, sizeof(error), "toomuchusers:%zu;0", c->gw->opt.max_clients);
        client_refuse(c, rq->class, rq->reply_id, view_cstr(error));
        return;
    }
    if (!begin(c, who, rq->body)) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
        return;
    }
    /* No user has such a name, and what is cut at a NUL would be another one for the guard. */
    if (utf8_has_control(who)) {
        login_throttle_failed(c->gw->guard, c->address, c->login->guarded_as, clock_mono_us());
        client_refuse(c, rq->class, rq->reply_id, VIEW("login_password"));
        return;
    }
    buf_reset(&c->gw->pairs);
    msg_put_pair(&c->gw->pairs, "userlogin", who);
    if (!client_ask(c, METHOD_login_begin, 1, buf_view(&c->gw->pairs), rq->reply_id, on_begun))
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
}
