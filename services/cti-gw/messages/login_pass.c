/* login_pass: the password, hashed with the sessionid. */
#include "base/clock.h"
#include "messages/messages.h"

/* Profile ids that are digits are JSON integers: the Java client needs that. */
static void put_capalist(struct buf *line, const msgpack_object *list)
{
    uint32_t n = list && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;

    buf_append_cstr(line, ",\"capalist\":[");
    for (uint32_t i = 0; i < n; i++) {
        struct view id = msg_str(&list->via.array.ptr[i]);
        uint64_t number;
        if (i)
            buf_append_char(line, ',');
        if (view_to_u64(id, &number) == 0 && number < 1000000000 &&
            (id.ptr[0] != '0' || id.len == 1))
            buf_append_view(line, id);
        else
            json_put_string(line, id);
    }
    buf_append_char(line, ']');
}

/* Too many have failed: it was not looked at. */
static void throttle(struct client *c, struct view reply_id)
{
    metric_add(c->gw->throttled, 1);
    client_refuse_as(c, VIEW("login_pass"), reply_id,
                     c->accepts & ACCEPTS_LOGIN_THROTTLED ? VIEW("login_throttled")
                                                          : VIEW("login_password"),
                     VIEW("login_throttled"));
}

static void refuse(struct client *c, enum bus_status status)
{
    if (status == BUS_login_hashed && !(c->accepts & ACCEPTS_LOGIN_HASHED))
        status = BUS_login_password; /* state has logged why */
    if (status == BUS_login_password && !c->login->counted)
        login_throttle_failed(c->gw->guard, c->address, c->login->guarded_as, clock_mono_us());
    client_refuse(c, VIEW("login_pass"), client_reply_id(c),
                  status == BUS_login_password || status == BUS_capaid_undefined ||
                          status == BUS_login_hashed
                      ? schema_status_name(status)
                      : VIEW("noconn"));
}

static void on_checked(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct buf *line = &c->gw->line;

    c->asked = 0;
    if (status == BUS_ok) { /* the IPBX is made if need be: the first snapshot may be under way */
        c->ipbx = xod_ipbx(replica_xod(c->gw->replica), msg_get_str(body, "ipbxid"), true);
        c->user_id = c->ipbx ? view_dup(msg_get_str(body, "userid")) : NULL;
    }
    if (status != BUS_login_password && c->login->counted)
        login_throttle_forgive(c->gw->guard, c->address, c->login->guarded_as);
    if (!c->user_id) {
        refuse(c, status);
        return;
    }
    login_throttle_succeeded(c->gw->guard, c->address, c->login->guarded_as, clock_mono_us());
    client_set_phase(c, AUTHENTICATED);
    buf_reset(line);
    line_begin(line, VIEW("login_pass"), client_reply_id(c));
    put_capalist(line, msg_get(body, "capalist"));
    line_end(line);
    client_send_line(c, line);
    client_answered(c);
}

static void ask(struct client *c, struct view hashed, struct view reply_id)
{
    struct buf *pairs = &c->gw->pairs;

    buf_reset(pairs);
    msg_put_pair(pairs, "userlogin", view_cstr(c->login->userlogin));
    msg_put_pair(pairs, "sessionid", view_cstr(c->login->sessionid));
    msg_put_pair(pairs, "hashedpassword", hashed);
    if (!client_ask(c, METHOD_login_check, true, 3, buf_view(pairs), reply_id, on_checked))
        client_refuse(c, VIEW("login_pass"), reply_id, VIEW("noconn"));
}

/* Who is suspect is counted before the answer is known: or many could ask within one delay. */
static void ask_suspect(struct client *c, struct view hashed, struct view reply_id)
{
    uint64_t now = clock_mono_us();

    if (login_throttle_delay(c->gw->guard, c->address, c->login->guarded_as, now) < 0) {
        throttle(c, reply_id);
        return;
    }
    login_throttle_failed(c->gw->guard, c->address, c->login->guarded_as, now);
    c->login->counted = true;
    ask(c, hashed, reply_id);
}

void message_login_pass(struct client *c, struct request *rq)
{
    int delay;

    if (c->phase != IDENTIFIED) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("notloggedyet"));
        return;
    }
    delay = login_throttle_delay(c->gw->guard, c->address, c->login->guarded_as, clock_mono_us());
    if (delay == 0)
        ask(c, json_get_view(rq->body, "hashedpassword"), rq->reply_id);
    else if (delay < 0)
        throttle(c, rq->reply_id);
    else if (client_ask_later(c, json_get_view(rq->body, "hashedpassword"), rq->reply_id,
                              (uint32_t)delay, ask_suspect) < 0)
        client_refuse(c, rq->class, rq->reply_id, VIEW("noconn"));
}
