/*
 * starttls: over to TLS on the clear-text port, before the login.
 *
 * XiVO's server of 2015 announces it; we do not, since clients of 2013 take the first line they
 * read for the answer to their login_id. A client that wants it asks, waits for the answer, and
 * begins the handshake behind it.
 */
#include "messages/messages.h"

/* An answer to an announcement says whether TLS is wanted; a client that asks by itself wants it.
 */
static bool is_wanted(const struct request *rq)
{
    return json_get_bool(rq->body, "status", true);
}

static void answer(struct client *c, const struct request *rq, bool tls)
{
    struct buf *line = &c->gw->line;

    buf_reset(line);
    line_begin(line, rq->class, rq->reply_id);
    buf_printf(line, ",\"starttls\":%s,\"status\":%s", tls ? "true" : "false",
               tls ? "true" : "false");
    line_end(line);
    client_send_line(c, line);
}

void message_starttls(struct client *c, struct request *rq)
{
    if (c->phase != CONNECTED) {
        client_refuse(c, rq->class, rq->reply_id, VIEW("notloggedyet"));
    } else if (!is_wanted(rq)) {
        answer(c, rq, false);
    } else if (c->listener_kind != LISTENER_CLEAR || !c->gw->tls) {
        client_answer(c, rq, "error_string", VIEW("starttls_unavailable"));
    } else {
        answer(c, rq, true);
        c->wants_tls = true; /* as soon as it is sure that this was all that came in clear */
    }
}
