#include "console/webi/cli.h"

#include <stdlib.h>

#include "console/internal.h"
#include "console/text.h"
#include "core/ami_request.h"
#include "core/context.h"

/* What one Asterisk says. */
struct block {
    struct run *run;
    struct buf text; /* with its last line; empty: it has not answered yet */
};

/* A command that is under way; t->data is it. */
struct run {
    struct line_client *line_client; /* NULL: it has ended */
    size_t waiting;                  /* for so many Asterisks */
    size_t n;
    struct block blocks[];
};

static void run_free(struct run *r)
{
    for (size_t i = 0; i < r->n; i++)
        buf_free(&r->blocks[i].text);
    free(r);
}

/* All have answered. */
static void finish(struct run *r)
{
    struct line_client *t = r->line_client;

    if (t) {
        for (size_t i = 0; i < r->n; i++)
            line_client_send(t, buf_view(&r->blocks[i].text));
        t->data = NULL;
    }
    run_free(r);
    if (t)
        line_client_go_on(t);
}

static void begin_block(struct block *b, struct view ipbx)
{
    buf_init(&b->text, 0);
    buf_printf(&b->text, "XIVO-CLI-WEBI:ID %.*s\n", VIEW_ARG(ipbx));
}

static void end_block(struct block *b, const char *why, const char *outcome)
{
    if (why)
        buf_printf(&b->text, "%s\n", why);
    buf_printf(&b->text, "XIVO-CLI-WEBI:%s\n", outcome);
}

/* How many there were. */
static uint32_t put_lines(struct buf *out, const msgpack_object *lines, bool truncated)
{
    uint32_t n = lines && lines->type == MSGPACK_OBJECT_ARRAY ? lines->via.array.size : 0;

    for (uint32_t i = 0; i < n; i++) {
        if (buf_len(out) > WEBI_CLI_MAX_BYTES) {
            truncated = true;
            break;
        }
        text_put(out, msg_str(&lines->via.array.ptr[i]));
        buf_append_char(out, '\n');
    }
    if (truncated)
        buf_append_cstr(out, "(the rest is left out: it is too long)\n");
    return n;
}

/* An error without a word of the console has Asterisk's message. */
static void put_answer(struct block *b, const msgpack_object *body)
{
    bool good = view_eq(msg_get_str(body, "response"), VIEW("Success"));
    struct view message = msg_get_str(body, "message");
    uint32_t lines =
        put_lines(&b->text, msg_get(body, "output"), msg_get_bool(body, "truncated", false));

    if (!good && message.len && lines == 0) {
        text_put(&b->text, message);
        buf_append_char(&b->text, '\n');
    }
    end_block(b, NULL, good ? "OK" : "KO");
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct block *b = arg;
    struct run *r = b->run;

    if (status == BUS_ok) {
        put_answer(b, body);
    } else if (status == BUS_timeout) {
        if (r->line_client)
            metric_add(((struct console *)r->line_client->owner)->cli_late, 1);
        end_block(b, NULL, "timeout");
    } else {
        end_block(b,
                  status == BUS_noconn || status == BUS_gone ? "the link to this Asterisk is down"
                                                             : schema_status_name(status).ptr,
                  "KO");
    }
    if (--r->waiting == 0)
        finish(r);
}

static bool ask(struct state *s, struct ipbx *ipbx, struct view command, struct block *b)
{
    struct ami_request r;
    struct buf body;
    bool sent;

    buf_init(&body, 0);
    ami_request_begin(&r, &body, VIEW("Command"));
    ami_request_header(&r, VIEW("Command"), command);
    sent = ami_request_ask(s, ipbx->model->ipbx, 2, ami_request_end(&r), WEBI_CLI_MS, on_answer, b);
    buf_free(&body);
    return sent;
}

void webi_cli_run(struct line_client *t, struct view command)
{
    struct state *s = ((struct console *)t->owner)->state;
    struct run *r = calloc(1, sizeof(*r) + s->n_ipbxes * sizeof(r->blocks[0]));

    if (!r) {
        line_client_send(t, VIEW("out of memory\nXIVO-CLI-WEBI:KO\n"));
        return;
    }
    r->line_client = t;
    r->n = s->n_ipbxes;
    t->data = r;
    line_client_hold(t);
    for (size_t i = 0; i < r->n; i++) {
        r->blocks[i].run = r;
        begin_block(&r->blocks[i], xod_ipbx_name(s->ipbxes[i].model->ipbx));
        if (ask(s, &s->ipbxes[i], command, &r->blocks[i]))
            r->waiting++;
        else
            end_block(&r->blocks[i], "the link to this Asterisk is down", "KO");
    }
    if (r->waiting == 0)
        finish(r);
}

void webi_cli_leave(struct line_client *t)
{
    struct run *r = t->data;

    if (r)
        r->line_client = NULL;
    t->data = NULL;
}
