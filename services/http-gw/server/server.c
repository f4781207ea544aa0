#include "server/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/queue.h"

#define LOOK_MS 500
/* From the first byte of a request to its last (unless options say otherwise), and from an answer
 * to its last byte being taken. */
#define REQUEST_MS 10000
#define ANSWER_US 30000000u
/* A connection between two requests. */
#define IDLE_US 75000000u
/* The same when nothing more comes: for requests that were sent one behind the other. */
#define LAST_US 1000000u
#define MAX_INPUT_BYTES (REQUEST_MAX_HEAD + SERVER_MAX_BODY + 4096)

enum phase { WAITING, READING, ASKED, STREAMING, CLOSING };

struct exchange {
    struct server *of;
    struct conn *conn;
    enum phase phase;
    uint64_t until; /* monotonic us; 0: no limit */
    struct netaddr peer;
    bool keep_alive, is_head, told_go_on;
    bool heard; /* all that its program sends; it may still read */
    void (*gone)(void *arg);
    void *gone_arg;
    TAILQ_ENTRY(exchange) all;
};

struct server {
    struct loop *loop;
    struct server_options opt;
    server_fn *fn;
    void *arg;
    struct conn_class conns;
    struct listener *listener;
    struct loop_timer *look;
    TAILQ_HEAD(exchanges, exchange) all;
    size_t n;
    uint64_t refused, slow;
};

/* ---- connections ---- */

static void exchange_free(struct exchange *x)
{
    struct server *s = x->of;
    void (*gone)(void *arg) = x->phase == ASKED || x->phase == STREAMING ? x->gone : NULL;
    void *arg = x->gone_arg;

    if (x->conn)
        conn_close(&x->conn);
    TAILQ_REMOVE(&s->all, x, all);
    s->n--;
    free(x);
    if (gone)
        gone(arg);
}

/* A connection stays: what it was asked for last is answered. */
static void next_request(struct exchange *x)
{
    x->phase = WAITING;
    x->until = clock_mono_us() + (x->heard ? LAST_US : IDLE_US);
    x->gone = NULL;
    x->told_go_on = false;
    conn_resume(x->conn);
}

static void close_later(struct exchange *x)
{
    x->phase = CLOSING;
    x->until = clock_mono_us() + (x->heard ? LAST_US : ANSWER_US);
    conn_finish(x->conn);
    conn_resume(x->conn); /* its end is to be seen */
}

/* ---- answers ---- */

const char *status_name(int status)
{
    static const struct {
        int status;
        const char *name;
    } all[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i].status == status)
            return all[i].name;
    return "Internal Server Error";
}

static int send_head(struct exchange *x, int status, const char *type, const char *headers,
                     const size_t *length)
{
    struct buf head;
    int rc;

    buf_init(&head, 16384);
    buf_printf(&head, "HTTP/1.1 %d %s\r\n", status, status_name(status));
    if (type && *type)
        buf_printf(&head, "Content-Type: %s\r\n", type);
    if (length && status != 204)
        buf_printf(&head, "Content-Length: %zu\r\n", *length);
    buf_printf(&head, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s%s\r\n",
               headers, x->keep_alive ? "" : "Connection: close\r\n");
    rc = head.failed ? -ENOMEM : conn_send(x->conn, buf_view(&head));
    buf_free(&head);
    return rc;
}

void exchange_answer(struct exchange *x, int status, const char *type, const char *headers,
                     struct view body)
{
    int rc;

    assert(x->phase == ASKED || x->phase == READING);
    rc = send_head(x, status, type, headers, &body.len);
    if (rc == 0 && body.len > 0 && !x->is_head && status != 204)
        rc = conn_send(x->conn, body);
    x->gone = NULL;
    if (rc < 0 || !x->keep_alive)
        close_later(x);
    else
        next_request(x);
}

void exchange_begin(struct exchange *x, const char *type, const char *headers)
{
    assert(x->phase == ASKED);
    x->phase = STREAMING;
    x->until = 0;
    x->keep_alive = false;
    send_head(x, 200, type, headers, NULL);
    conn_resume(x->conn); /* its end is to be seen; what it sends is thrown away */
}

int exchange_send(struct exchange *x, struct view part)
{
    return conn_send(x->conn, part);
}

int exchange_send_shared(struct exchange *x, struct shared *part)
{
    return conn_send_shared(x->conn, part);
}

size_t exchange_waiting(const struct exchange *x)
{
    return conn_output_len(x->conn);
}

void exchange_end(struct exchange *x)
{
    x->gone = NULL;
    close_later(x);
}

void exchange_on_gone(struct exchange *x, void (*gone)(void *arg), void *arg)
{
    x->gone = gone;
    x->gone_arg = arg;
}

const struct netaddr *exchange_peer(const struct exchange *x)
{
    return &x->peer;
}

/* ---- requests ---- */

/* What cannot be understood: where the next request begins is not known either. */
static void refuse(struct exchange *x, int status)
{
    struct buf body;

    buf_init(&body, 256);
    buf_printf(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d}\n",
               status_name(status), status);
    x->phase = READING;
    x->keep_alive = false;
    exchange_answer(x, status, "application/problem+json", "", buf_view(&body));
    buf_free(&body);
}

static size_t take_request(struct exchange *x, struct view in, size_t head_len,
                           const struct request_head *head)
{
    struct server *s = x->of;
    size_t length = (size_t)head->content_length;
    const struct server_request rq = {head, view_of(in.ptr + head_len, length), &x->peer};

    if (in.len - head_len < length) {
        if (head->expects_go_ahead && !x->told_go_on)
            conn_send(x->conn, VIEW("HTTP/1.1 100 Continue\r\n\r\n"));
        x->told_go_on = true;
        return 0;
    }
    x->phase = ASKED;
    x->until = 0; /* who answers it has a limit of its own */
    x->is_head = view_eq(head->method, VIEW("HEAD"));
    x->keep_alive = head->keep_alive && s->listener; /* none: it is about to stop */
    conn_pause(x->conn);
    s->fn(s->arg, x, &rq);
    return head_len + length;
}

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct exchange *x = owner;
    struct request_head head;
    int n;

    if (x->phase == ASKED)
        return 0;
    if (x->phase == STREAMING || x->phase == CLOSING)
        return in.len;
    if (x->phase == WAITING) {
        x->phase = READING;
        x->until = clock_mono_us() + UINT64_C(1000) * x->of->opt.request_ms;
    }
    n = request_parse(in, &head);
    if (n == 0)
        return 0;
    if (n > 0 && head.content_length > SERVER_MAX_BODY)
        n = -413;
    if (n < 0) {
        refuse(x, -n);
        return in.len;
    }
    return take_request(x, in, (size_t)n, &head);
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct exchange *x = owner;

    x->of->slow += why == CONN_OUTPUT_LIMIT;
    x->conn = NULL;
    exchange_free(x);
}

/* What it has asked for is still answered; who listens to a stream has gone. */
static void on_eof(void *owner, struct conn *c)
{
    struct exchange *x = owner;

    x->heard = true;
    if (x->phase == STREAMING || (x->phase == CLOSING && conn_output_len(x->conn) == 0))
        exchange_free(x);
    else if (x->phase == WAITING || x->phase == READING)
        x->until = clock_mono_us() + LAST_US;
}

static const struct conn_handler handler = {on_data, on_closed, NULL};

/* ---- the listener ---- */

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct server *s = arg;
    struct tls_ctx *tls = s->opt.tls ? *s->opt.tls : NULL;
    struct exchange *x = s->n < s->opt.max_connections ? calloc(1, sizeof(*x)) : NULL;

    if (!x) {
        s->refused++;
        close(fd);
        return;
    }
    x->of = s;
    x->until = clock_mono_us() + UINT64_C(1000) * x->of->opt.request_ms;
    netaddr_of(peer, &x->peer, NULL);
    x->conn = tls ? conn_new_tls(&s->conns, fd, x, tls, NULL) : conn_new(&s->conns, fd, x);
    if (!x->conn) {
        free(x);
        return;
    }
    TAILQ_INSERT_TAIL(&s->all, x, all);
    s->n++;
}

static void look(void *arg)
{
    struct server *s = arg;
    uint64_t now = clock_mono_us();
    struct exchange *x, *next;

    TAILQ_FOREACH_SAFE(x, &s->all, all, next)
    {
        if (x->until == 0 || x->until > now)
            continue;
        s->slow += x->phase == READING || (x->phase == CLOSING && conn_output_len(x->conn));
        exchange_free(x);
    }
}

/* ---- lifecycle ---- */

static int start(struct server *s)
{
    int err = conn_class_init(&s->conns, s->loop, &handler, MAX_INPUT_BYTES, s->opt.max_output);

    if (err < 0)
        return err;
    s->conns.eof = on_eof;
    s->look = loop_timer_new(s->loop, look, s);
    if (!s->look)
        return -ENOMEM;
    s->listener = listener_new(s->loop, s->opt.listen, on_accept, s, &err);
    if (s->listener)
        loop_timer_start(s->look, LOOK_MS, true);
    return s->listener ? 0 : err;
}

struct server *server_new(struct loop *loop, const struct server_options *opt, server_fn *fn,
                          void *arg, int *err)
{
    struct server *s = calloc(1, sizeof(*s));

    *err = -ENOMEM;
    if (!s)
        return NULL;
    s->loop = loop;
    s->opt = *opt;
    s->opt.request_ms = opt->request_ms ? opt->request_ms : REQUEST_MS;
    s->fn = fn;
    s->arg = arg;
    TAILQ_INIT(&s->all);
    *err = start(s);
    if (*err < 0)
        server_destroy(&s);
    return s;
}

void server_close_listener(struct server *s)
{
    struct exchange *x, *next;

    listener_destroy(&s->listener);
    TAILQ_FOREACH_SAFE(x, &s->all, all, next)
    {
        x->keep_alive = false;
        if (x->phase == WAITING)
            exchange_free(x);
    }
}

void server_destroy(struct server **sp)
{
    struct server *s = sp ? *sp : NULL;
    struct exchange *x;

    if (!s)
        return;
    *sp = NULL;
    listener_destroy(&s->listener);
    while ((x = TAILQ_FIRST(&s->all)))
        exchange_free(x);
    loop_timer_destroy(&s->look);
    if (s->conns.loop)
        conn_class_fini(&s->conns);
    free(s);
}

uint16_t server_port(const struct server *s)
{
    return listener_port(s->listener);
}

size_t server_connections(const struct server *s)
{
    return s->n;
}

uint64_t server_refused(const struct server *s)
{
    return s->refused;
}

uint64_t server_slow(const struct server *s)
{
    return s->slow;
}
