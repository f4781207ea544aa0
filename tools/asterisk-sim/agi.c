#include "agi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/hostport.h"
#include "net/conn.h"
#include "net/dial.h"

#define MAX_SESSIONS 1000
#define CONNECT_MS 2000

struct agi {
    struct loop *loop;
    struct log *log;
    struct world *world;
    struct server *server;
    struct conn_class conns;
    char *host;
    uint16_t port;
    LIST_HEAD(, session) open;
    size_t n;
};

struct session {
    LIST_ENTRY(session) all;
    struct agi *agi;
    struct dial *dial; /* while it is being connected */
    struct conn *conn;
    struct buf out; /* the environment, until it is connected */
    char *uniqueid; /* of its channel */
};

static void session_end(struct session *s)
{
    LIST_REMOVE(s, all);
    s->agi->n--;
    dial_cancel(&s->dial);
    conn_close(&s->conn);
    buf_free(&s->out);
    free(s->uniqueid);
    free(s);
}

/* ---- the environment ---- */

static void put(struct buf *out, const char *name, struct view value, const char *otherwise)
{
    if (value.len == 0)
        value = view_cstr(otherwise);
    buf_printf(out, "agi_%s: %.*s\n", name, VIEW_ARG(value));
}

/* "agi://HOST:PORT/SCRIPT,ARG,ARG" -> the script, and in *args what follows. */
static struct view script_of(struct view data, struct view *args)
{
    struct view rest = data;
    struct view url = view_cut(&rest, ',');
    ptrdiff_t at;

    *args = rest;
    url = view_of(url.ptr + 6, url.len - 6);
    at = view_find(url, VIEW("/"));
    return at < 0 ? view_of(NULL, 0) : view_of(url.ptr + at + 1, url.len - (size_t)at - 1);
}

/* What events call <unknown> is empty here. */
static struct view known(const char *text)
{
    return view_cstr(strcmp(text, "<unknown>") == 0 ? "" : text);
}

static void put_environment(struct buf *out, const struct ami_block *b, const struct chan *c,
                            bool old)
{
    struct view channel = ami_get(b, "Channel");
    struct view kind = channel;
    struct view args, arg;
    struct view url = ami_get(b, "AppData");
    struct view script = script_of(url, &args);
    char name[16];

    put(out, "network", VIEW("yes"), "");
    put(out, "network_script", script, "");
    put(out, "request", view_cut(&url, ','), "");
    put(out, "channel", channel, "");
    put(out, "language", view_cstr(c->field[CH_LANGUAGE]), "en");
    put(out, "type", view_cut(&kind, '/'), "");
    put(out, "uniqueid", ami_get(b, "Uniqueid"), "");
    put(out, "version", old ? VIEW("1.8.32.3") : VIEW("20.0.0"), "");
    put(out, "callerid", known(c->field[CH_NUM]), "unknown");
    put(out, "calleridname", known(c->field[CH_CALLER]), "unknown");
    buf_append_cstr(out, "agi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n"
                         "agi_callingtns: 0\nagi_dnid: unknown\nagi_rdnis: unknown\n");
    put(out, "context", ami_get(b, "Context"), "");
    put(out, "extension", ami_get(b, "Extension"), "");
    put(out, "priority", ami_get(b, "Priority"), "");
    put(out, "enhanced", VIEW("0.0"), "");
    put(out, "accountcode", view_cstr(c->field[CH_ACCOUNT]), "");
    put(out, "threadid", VIEW("140000000000000"), "");
    for (int i = 1; args.len; i++) {
        arg = view_cut(&args, ',');
        snprintf(name, sizeof(name), "arg_%d", i);
        put(out, name, arg, "");
    }
    buf_append_char(out, '\n');
}

/* ---- commands ---- */

/* SET VARIABLE NAME "VALUE", as it is written for Asterisk. */
static bool read_set(struct view line, struct view *name, struct buf *value)
{
    struct view rest = line;

    if (!view_starts(rest, VIEW("SET VARIABLE ")))
        return false;
    rest = view_of(rest.ptr + 13, rest.len - 13);
    *name = view_cut(&rest, ' ');
    if (rest.len < 2 || rest.ptr[0] != '"' || rest.ptr[rest.len - 1] != '"')
        return false;
    for (size_t i = 1; i < rest.len - 1; i++) {
        if (rest.ptr[i] == '\\' && i + 2 < rest.len)
            i++;
        buf_append_char(value, rest.ptr[i]);
    }
    return name->len > 0 && !value->failed;
}

static void carry_out(struct session *s, struct view line)
{
    struct world *w = s->agi->world;
    struct chan *c = model_find(&w->model, view_cstr(s->uniqueid));
    struct view name;
    struct buf value;

    buf_init(&value, 8192);
    if (read_set(line, &name, &value)) {
        log_info(s->agi->log, "%s: %.*s = %.*s", c ? c->field[CH_NAME] : s->uniqueid,
                 VIEW_ARG(name), VIEW_ARG(buf_view(&value)));
        if (c)
            world_set_variable(w, c, name, buf_view(&value));
        conn_send(s->conn, VIEW("200 result=1\n"));
    } else {
        conn_send(s->conn, VIEW("510 Invalid or unknown command\n"));
    }
    buf_free(&value);
}

static size_t on_data(void *owner, struct conn *conn, struct view in)
{
    struct session *s = owner;
    struct view rest = in;
    const char *nl;

    while (rest.len && (nl = memchr(rest.ptr, '\n', rest.len))) {
        carry_out(s, view_of(rest.ptr, (size_t)(nl - rest.ptr)));
        rest = view_of(nl + 1, rest.len - (size_t)(nl + 1 - rest.ptr));
    }
    server_flush(s->agi->server);
    return in.len - rest.len;
}

static void on_closed(void *owner, struct conn *conn, int why)
{
    struct session *s = owner;

    if (why > 0)
        log_warning(s->agi->log, "FastAGI: %s", strerror(why));
    s->conn = NULL;
    session_end(s);
}

static const struct conn_handler handler = {.data = on_data, .closed = on_closed};

/* ---- calling ---- */

static void on_connected(void *arg, int fd, const char *why)
{
    struct session *s = arg;
    const struct agi *a = s->agi;

    s->dial = NULL; /* it frees itself */
    if (fd < 0)
        log_warning(a->log, "FastAGI: cannot call %s port %u: %s", a->host, a->port, why);
    else
        s->conn = conn_new(&s->agi->conns, fd, s);
    if (s->conn)
        conn_send(s->conn, buf_view(&s->out));
    else
        session_end(s);
}

static void call(struct agi *a, const struct ami_block *b, const struct chan *c)
{
    struct session *s = calloc(1, sizeof(*s));

    if (!s)
        return;
    s->agi = a;
    LIST_INSERT_HEAD(&a->open, s, all);
    a->n++;
    buf_init(&s->out, 65536);
    put_environment(&s->out, b, c, a->world->capture.old);
    s->uniqueid = view_dup(ami_get(b, "Uniqueid"));
    s->dial = dial_start(a->loop, a->host, a->port, CONNECT_MS, on_connected, s);
    if (!s->dial || !s->uniqueid)
        session_end(s);
}

static void on_newexten(void *arg, const struct ami_block *b)
{
    struct agi *a = arg;
    const struct chan *c = model_find(&a->world->model, ami_get(b, "Uniqueid"));

    if (view_eq(ami_get(b, "Application"), VIEW("AGI")) &&
        view_starts(ami_get(b, "AppData"), VIEW("agi://")) && c && a->n < MAX_SESSIONS)
        call(a, b, c);
}

struct agi *agi_new(struct loop *loop, struct log *log, struct world *world, struct server *server,
                    const char *addr, int *err)
{
    struct agi *a = calloc(1, sizeof(*a));
    struct view host;

    *err = -ENOMEM;
    if (!a)
        return NULL;
    LIST_INIT(&a->open);
    a->loop = loop;
    a->log = log;
    a->world = world;
    a->server = server;
    *err = hostport_split(view_cstr(addr), &host, &a->port);
    if (*err == 0 && host.len == 0)
        *err = -EINVAL;
    if (*err == 0)
        a->host = view_dup(host);
    if (a->host)
        *err = conn_class_init(&a->conns, loop, &handler, 65536, 65536);
    if (*err < 0 || !a->host) {
        free(a->host);
        free(a);
        return NULL;
    }
    world->newexten = on_newexten;
    world->newexten_arg = a;
    return a;
}

void agi_destroy(struct agi **a)
{
    if (!*a)
        return;
    (*a)->world->newexten = NULL;
    while (!LIST_EMPTY(&(*a)->open))
        session_end(LIST_FIRST(&(*a)->open));
    conn_class_fini(&(*a)->conns);
    free((*a)->host);
    free(*a);
    *a = NULL;
}
