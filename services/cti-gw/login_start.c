/*
 * The first step of every login: what the client says of itself, before anything is asked of state.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "messages/messages.h"

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
static bool complete(struct client *c, struct request *rq, const char *const *required)
{
    const struct cti_message fields = {.required = required};
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

/* False: there is no memory. */
static bool begin(struct client *c, struct view who, struct json_object *body)
{
    c->login = calloc(1, sizeof(*c->login));
    if (!c->login)
        return false;
    c->login->userlogin = view_dup(who);
    c->login->guarded_as = login_throttle_user(c->gw->guard, view_cstr(c->login->userlogin));
    c->accepts = client_accepts_of(body);
    return c->login->userlogin != NULL;
}

bool login_start(struct client *c, struct request *rq, const char *const *required, struct view who)
{
    /* First the version: a client of 1.1 has other fields, and is to hear why it is refused. */
    if (!version_fits(c, rq) || !complete(c, rq, required))
        return false;
    if (c->phase != CONNECTED) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("notloggedyet"));
        return false;
    }
    if (c->gw->n_live >= c->gw->opt.max_clients) {
        char error[64];
        snprintf(error, sizeof(error), "toomuchusers:%zu;0", c->gw->opt.max_clients);
        client_refuse(c, rq->class, rq->reply_id, view_cstr(error));
        return false;
    }
    if (!begin(c, who, rq->body)) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
        return false;
    }
    /* No user has such a name, and what is cut at a NUL would be another one for the guard. */
    if (utf8_has_control(who)) {
        login_throttle_failed(c->gw->guard, c->address, c->login->guarded_as, clock_mono_us());
        client_refuse(c, rq->class, rq->reply_id, VIEW("login_password"));
        return false;
    }
    return true;
}
