#include "net/httpd.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/queue.h"
#include "net/conn.h"

/* For the request, and again for the peer to take the answer. */
#define LIMIT_US 5000000u
#define LOOK_MS 500
#define MAX_ANSWER ((size_t)64 * 1024 * 1024)

struct visit {
    struct httpd *of;
    struct conn *conn;
    uint64_t until; /* monotonic us */
    bool answered;
    bool heard; /* all that the peer sends */
    TAILQ_ENTRY(visit) all;
};

struct httpd {
    struct loop *loop;
    httpd_fn *fn;
    void *arg;
    struct conn_class conns;
    struct listener *listener;
    struct loop_timer *look;          /* runs while there is a connection */
    TAILQ_HEAD(visits, visit) visits; /* the oldest first */
    size_t n;
    uint64_t closed;
};

static void visit_free(struct visit *v)
{
    struct httpd *h = v->of;

    TAILQ_REMOVE(&h->visits, v, all);
    h->n--;
    free(v);
    listener_restock(h->listener);
}

static void visit_end(struct visit *v)
{
    v->of->closed += !v->answered;
    conn_close(&v->conn);
    visit_free(v);
}

/* ---- requests ---- */

static const char *status_name(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

static void reply(struct visit *v, int status, const struct httpd_answer *a, bool body)
{
    struct view text = buf_view(&a->body);
    struct buf head;
    int rc;

    buf_init(&head, 1024);
    buf_printf(&head,
               "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
               "Cache-Control: no-store\r\n%sConnection: close\r\n\r\n",
               status, status_name(status), a->type, text.len,
               status == 405 ? "Allow: GET, HEAD\r\n" : "");
    v->answered = true;
    v->until = clock_mono_us() + LIMIT_US;
    rc = conn_send(v->conn, buf_view(&head));
    if (rc == 0 && body && text.len)
        rc = conn_send(v->conn, text);
    if (rc == 0) /* else its end is told */
        conn_finish(v->conn);
    buf_free(&head);
}

/* "GET /metrics HTTP/1.1": the method, and the path without its query. */
static bool read_line(struct view line, struct view *method, struct view *path)
{
    struct view target;

    *method = view_cut(&line, ' ');
    target = view_cut(&line, ' ');
    *path = view_cut(&target, '?');
    return method->len > 0 && path->len > 0 && path->ptr[0] == '/' &&
           view_starts(line, VIEW("HTTP/1."));
}

/* A request without the empty line that ends it. */
static void answer(struct visit *v, struct view head)
{
    struct httpd *h = v->of;
    struct httpd_answer a = {.type = "text/plain"};
    struct view line = view_trim(view_cut(&head, '\n'));
    struct view method, path;
    bool get;
    int status = 400;

    buf_init(&a.body, MAX_ANSWER);
    if (read_line(line, &method, &path)) {
        get = view_eq(method, VIEW("GET"));
        status = get || view_eq(method, VIEW("HEAD")) ? h->fn(h->arg, path, &a) : 405;
        reply(v, status, &a, get || status == 405);
    } else {
        reply(v, status, &a, false);
    }
    buf_free(&a.body);
}

static void refuse(struct visit *v, int status)
{
    const struct httpd_answer a = {.type = "text/plain"};

    reply(v, status, &a, false);
}

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct visit *v = owner;
    ptrdiff_t end = view_find(in, VIEW("\r\n\r\n"));
    ptrdiff_t bare = view_find(in, VIEW("\n\n"));

    if (v->answered) /* what follows is thrown away */
        return in.len;
    if (end < 0 || (bare >= 0 && bare < end))
        end = bare;
    if (end < 0 && in.len < HTTPD_MAX_REQUEST)
        return 0;
    if (end < 0 || (size_t)end > HTTPD_MAX_REQUEST)
        refuse(v, 431);
    else
        answer(v, view_of(in.ptr, (size_t)end));
    return in.len;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct visit *v = owner;

    v->conn = NULL;
    visit_free(v);
}

/* The peer sends nothing more; it may still read. */
static void on_eof(void *owner, struct conn *c)
{
    struct visit *v = owner;

    v->heard = true;
    if (!v->answered || conn_output_len(c) == 0)
        visit_end(v);
}

static void on_drained(void *owner, struct conn *c)
{
    struct visit *v = owner;

    if (v->heard)
        visit_end(v);
}

/* ---- places ---- */

/* Of the connections that are still to be answered, if there is one. */
static struct visit *oldest(const struct httpd *h)
{
    struct visit *v;

    for (v = TAILQ_FIRST(&h->visits); v; v = TAILQ_NEXT(v, all))
        if (!v->answered)
            return v;
    return TAILQ_FIRST(&h->visits);
}

static bool release(void *arg)
{
    struct httpd *h = arg;
    struct visit *v = oldest(h);

    if (!v)
        return false;
    v->of->closed += !v->answered;
    conn_close(&v->conn); /* its descriptor is for the next, not to be set aside */
    TAILQ_REMOVE(&h->visits, v, all);
    h->n--;
    free(v);
    return true;
}

static void look(void *arg)
{
    struct httpd *h = arg;
    uint64_t now = clock_mono_us();
    struct visit *v, *next;

    TAILQ_FOREACH_SAFE(v, &h->visits, all, next)
    if (v->until < now)
        visit_end(v);
    if (h->n == 0)
        loop_timer_stop(h->look);
}

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct httpd *h = arg;
    struct visit *v = calloc(1, sizeof(*v));

    if (!v) {
        close(fd);
        return;
    }
    if (h->n >= HTTPD_PLACES)
        visit_end(oldest(h));
    v->of = h;
    v->until = clock_mono_us() + LIMIT_US;
    v->conn = conn_new(&h->conns, fd, v);
    if (!v->conn) {
        free(v);
        return;
    }
    TAILQ_INSERT_TAIL(&h->visits, v, all);
    if (h->n++ == 0)
        loop_timer_start(h->look, LOOK_MS, true);
}

/* ---- lifecycle ---- */

static int start(struct httpd *h, const char *addr)
{
    static const struct conn_handler handler = {
        .data = on_data, .closed = on_closed, .drained = on_drained};
    int err = conn_class_init(&h->conns, h->loop, &handler, HTTPD_MAX_REQUEST, MAX_ANSWER);

    if (err < 0)
        return err;
    h->conns.eof = on_eof;
    h->look = loop_timer_new(h->loop, look, h);
    if (!h->look)
        return -ENOMEM;
    h->listener = listener_new(h->loop, addr, on_accept, h, &err);
    if (h->listener)
        listener_set_vital(h->listener, release);
    return err;
}

struct httpd *httpd_new(struct loop *loop, const char *addr, httpd_fn *fn, void *arg, int *err)
{
    struct httpd *h = calloc(1, sizeof(*h));

    *err = -ENOMEM;
    if (!h)
        return NULL;
    h->loop = loop;
    h->fn = fn;
    h->arg = arg;
    TAILQ_INIT(&h->visits);
    *err = start(h, addr);
    if (*err < 0)
        httpd_destroy(&h);
    return h;
}

void httpd_destroy(struct httpd **hp)
{
    struct httpd *h = hp ? *hp : NULL;

    if (!h)
        return;
    *hp = NULL;
    while (release(h))
        ;
    listener_destroy(&h->listener);
    loop_timer_destroy(&h->look);
    if (h->conns.loop)
        conn_class_fini(&h->conns);
    free(h);
}

uint16_t httpd_port(const struct httpd *h)
{
    return listener_port(h->listener);
}

uint64_t httpd_closed(const struct httpd *h)
{
    return h->closed;
}
