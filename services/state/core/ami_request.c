/* Actions that state asks an Asterisk for by itself: nobody waits for the answer. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/ami_request.h"

#define DEADLINE_MS 10000

struct told {
    struct state *s;
    char what[96]; /* for the log */
};

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct told *t = arg;
    struct view response = msg_get_str(body, "response");

    if (status != BUS_ok)
        log_warning(t->s->log, "%s: %.*s", t->what, VIEW_ARG(schema_status_name(status)));
    else if (view_eq(response, VIEW("Error")))
        log_notice(t->s->log, "%s: refused: %.*s", t->what, VIEW_ARG(msg_get_str(body, "message")));
    free(t);
}

/* action and headers, as ami.action takes them. */
static void put(struct buf *pairs, const char *action, va_list ap)
{
    size_t mark;
    size_t n = 0;
    const char *name;

    msg_put_pair(pairs, "action", view_cstr(action));
    msg_put_cstr(pairs, "headers");
    mark = msg_map_begin(pairs);
    for (; (name = va_arg(ap, const char *)); n++)
        msg_put_pair(pairs, name, va_arg(ap, struct view));
    msg_map_end(pairs, mark, n);
}

void ami_request_send(struct state *s, struct xod_ipbx *x, const char *action, ...)
{
    struct bus_peer *gateway = state_gateway(s, x);
    struct told *t = calloc(1, sizeof(*t));
    struct buf pairs;
    va_list ap;
    bool sent;

    if (!t)
        return;
    t->s = s;
    snprintf(t->what, sizeof(t->what), "%.30s: action %s", xod_ipbx_name(x).ptr, action);
    buf_init(&pairs, 65536);
    va_start(ap, action);
    put(&pairs, action, ap);
    va_end(ap);
    sent = gateway && !pairs.failed &&
           bus_server_ask(s->server, gateway, METHOD_ami_action, 2, buf_view(&pairs), DEADLINE_MS,
                          on_answer, t);
    buf_free(&pairs);
    if (sent)
        return;
    log_notice(s->log, "%s: not sent, the link to the Asterisk is down", t->what);
    free(t);
}
