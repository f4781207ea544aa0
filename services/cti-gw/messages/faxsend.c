/* faxsend, filetransfer: a PDF to a fax machine. Later clients send it in the message, the others
 * over a second connection that they announce. */
#include "base/netaddr.h"
#include "fax.h"
#include "messages/messages.h"

static void answer(struct client *c, struct request *rq, const char *id)
{
    struct buf *line = &c->gw->line;

    buf_reset(line);
    line_begin(line, rq->class, rq->reply_id);
    buf_printf(line, ",\"fileid\":\"%s\"", id);
    line_end(line);
    client_send_line(c, line);
}

void message_faxsend(struct client *c, struct request *rq)
{
    struct json_object *destination = json_get(rq->body, "destination");
    struct json_object *hide = json_get(rq->body, "hide");
    struct view data = json_get_view(rq->body, "data");
    const char *why = NULL;
    struct fax *x = fax_announce(c->gw->faxes, c,
                                 view_cstr(destination ? json_object_get_string(destination) : ""),
                                 view_cstr(hide ? json_object_get_string(hide) : ""), &why);

    if (!x) {
        client_answer(c, rq, "error_string", view_cstr(why));
        return;
    }
    answer(c, rq, fax_id(x));
    if (data.len)
        fax_take(x, data);
}

/* The port of "ADDRESS:PORT"; 0: there is none. */
static uint16_t port_of(struct view socketref)
{
    const char *colon = socketref.len ? memrchr(socketref.ptr, ':', socketref.len) : NULL;
    uint64_t port;

    if (!colon ||
        view_to_u64(view_of(colon + 1, (size_t)(socketref.ptr + socketref.len - colon) - 1),
                    &port) < 0 ||
        port > 65535)
        return 0;
    return (uint16_t)port;
}

static void on_expected(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct request rq = {.class = VIEW("filetransfer"), .reply_id = client_reply_id(c)};

    client_answer(c, &rq, NULL, view_of(NULL, 0)); /* it may come to this gateway in any case */
    client_answered(c);
}

/* The client sends when it has its answer: by then state must know. False: it is not there. */
static bool tell_state(struct client *c, struct request *rq, uint16_t port)
{
    struct buf *pairs = &c->gw->pairs;
    char session[64], address[NETADDR_TEXT];
    struct netaddr peer;

    memcpy(peer.byte, c->peer, sizeof(peer.byte));
    netaddr_print_port(&peer, port, address);
    client_session_name(c, session);
    buf_reset(pairs);
    msg_put_pair(pairs, "fileid", json_get_view(rq->body, "fileid"));
    msg_put_pair(pairs, "session", view_cstr(session));
    msg_put_pair(pairs, "address", view_cstr(address));
    return client_ask(c, METHOD_fax_expect, false, 3, buf_view(pairs), rq->reply_id, on_expected);
}

void message_put_announce(struct client *c, struct request *rq)
{
    uint16_t port = port_of(json_get_view(rq->body, "socketref"));
    enum fax_place place = fax_expect(c->gw->faxes, c, json_get_view(rq->body, "fileid"), port);

    if (place == FAX_NOWHERE)
        client_answer(c, rq, "error_string", VIEW("filenotfound"));
    else if (place == FAX_HERE || !tell_state(c, rq, port))
        client_answer(c, rq, NULL, view_of(NULL, 0));
}

void message_get_announce(struct client *c, struct request *rq)
{
    client_answer(c, rq, "error_string", VIEW("filenotfound")); /* none is kept for clients */
}
