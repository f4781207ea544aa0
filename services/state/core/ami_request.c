/* Actions that state asks an Asterisk for by itself: nobody waits for the answer. */
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

void ami_request_begin(struct ami_request *r, struct buf *out, struct view action)
{
    *r = (struct ami_request){.out = out};
    msg_put_pair(out, "action", action);
    msg_put_cstr(out, "headers");
    r->mark = msg_array_begin(out);
}

void ami_request_header(struct ami_request *r, struct view name, struct view value)
{
    msg_put_array(r->out, 2);
    msg_put_str(r->out, name);
    msg_put_str(r->out, value);
    r->n_headers++;
}

void ami_request_headers(struct ami_request *r, va_list ap)
{
    const char *name;

    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): the callers have begun it */
    while ((name = va_arg(ap, const char *))) {
        struct view value = va_arg(ap, struct view);
        if (value.len)
            ami_request_header(r, view_cstr(name), value);
    }
}

struct view ami_request_end(struct ami_request *r)
{
    msg_array_end(r->out, r->mark, r->n_headers);
    return r->out->failed ? view_of(NULL, 0) : buf_view(r->out);
}

bool ami_request_ask(struct state *s, const struct xod_ipbx *ipbx, size_t n, struct view body,
                     uint32_t deadline_ms, bus_answer_fn *answer, void *arg)
{
    struct bus_peer *gateway = state_gateway(s, ipbx);

    return gateway && body.len &&
           bus_server_ask(s->server, gateway, METHOD_ami_action, n, body, deadline_ms, answer, arg);
}

void ami_request_send(struct state *s, struct xod_ipbx *x, const char *action, ...)
{
    struct told *t = calloc(1, sizeof(*t));
    struct ami_request r;
    struct buf body;
    va_list ap;
    bool sent;

    if (!t)
        return;
    t->s = s;
    snprintf(t->what, sizeof(t->what), "%.30s: action %s", xod_ipbx_name(x).ptr, action);
    buf_init(&body, 65536);
    ami_request_begin(&r, &body, view_cstr(action));
    va_start(ap, action);
    ami_request_headers(&r, ap);
    va_end(ap);
    sent = ami_request_ask(s, x, 2, ami_request_end(&r), DEADLINE_MS, on_answer, t);
    buf_free(&body);
    if (sent)
        return;
    log_notice(s->log, "%s: not sent, the link to the Asterisk is down", t->what);
    free(t);
}
