/* Lines to one client. */
#include <stdio.h>

#include "base/clock.h"
#include "base/netaddr.h"
#include "base/utf8.h"
#include "internal.h"

void client_send_line(struct client *c, struct buf *line)
{
    if (c->phase == LIVE)
        fanout_catch_up(c->gw->fanout, c); /* changes that came first are told first */
    if (!line->failed)
        conn_send(c->conn, buf_view(line));
}

/* For observers of the message that is being handled. */
static void note_fault(const struct client *c, const char *key, struct view text)
{
    struct gateway *g = c->gw;

    if (key && (strcmp(key, "error_string") == 0 || strcmp(key, "warning_string") == 0))
        snprintf(g->said, sizeof(g->said), "%.*s", VIEW_ARG(utf8_cut(text, sizeof(g->said) - 1)));
}

void client_send_pair(struct client *c, struct view class, struct view reply_id, const char *key,
                      struct view text)
{
    struct buf *line = &c->gw->line;

    note_fault(c, key, text);
    buf_reset(line);
    line_begin(line, class, reply_id);
    if (key) {
        buf_printf(line, ",\"%s\":", key);
        json_put_string(line, text);
    }
    line_end(line);
    client_send_line(c, line);
}

void client_answer(struct client *c, const struct request *rq, const char *key, struct view text)
{
    client_send_pair(c, rq->class, rq->reply_id, key, text);
}

void client_decline(struct client *c, const struct request *rq, struct view command,
                    const char *key, struct view text)
{
    struct buf *line = &c->gw->line;

    if (!view_eq(rq->class, VIEW("ipbxcommand")) || command.len == 0) {
        client_answer(c, rq, key, text);
        return;
    }
    note_fault(c, key, text);
    buf_reset(line);
    line_begin(line, rq->class, rq->reply_id);
    buf_append_cstr(line, ",\"command\":");
    json_put_string(line, command);
    buf_printf(line, ",\"%s\":", key);
    json_put_string(line, text);
    line_end(line);
    client_send_line(c, line);
}

void client_done(struct client *c, const struct request *rq)
{
    if (rq->reply_id.len)
        client_answer(c, rq, NULL, view_of(NULL, 0));
}

/* docs/operations.md has a filter for this line: what a client says stands behind all else. */
static void log_refusal(const struct client *c, struct view why)
{
    const char *user = c->login && c->login->userlogin ? c->login->userlogin : "";
    struct netaddr peer;
    char address[NETADDR_TEXT];

    if (c->phase == LIVE)
        return;
    memcpy(peer.byte, c->peer, sizeof(peer.byte));
    netaddr_print(&peer, address);
    log_notice(c->gw->log, "login refused from %s port %u (%.*s): user \"%.64s\"", address,
               (unsigned)c->port, (int)(why.len > 90 ? 90 : why.len), why.ptr, user);
}

void client_refuse_as(struct client *c, struct view class, struct view reply_id, struct view error,
                      struct view reason)
{
    char why[128];

    log_refusal(c, reason);
    client_send_pair(c, class, reply_id, "error_string", error);
    snprintf(why, sizeof(why), "refused: %.*s", (int)(error.len > 90 ? 90 : error.len), error.ptr);
    metric_add(c->gw->refused, 1);
    client_close(c, why);
}

void client_refuse(struct client *c, struct view class, struct view reply_id, struct view error)
{
    client_refuse_as(c, class, reply_id, error, error);
}
