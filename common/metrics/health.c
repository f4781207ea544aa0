#include "metrics/health.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/hostport.h"
#include "json/json.h"

#define MAX_HEADERS 8192
#define MAX_BODY 1024
#define TIMEOUT_S 5

struct health {
    struct evhttp *http;
    struct metrics *metrics;
    health_ready_fn *ready;
    void *arg;
    uint16_t port;
};

static void reply(struct evhttp_request *req, int code, const char *type, struct view body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *out = evhttp_request_get_output_buffer(req);

    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    if (body.len)
        evbuffer_add(out, body.ptr, body.len);
    evhttp_send_reply(req, code, NULL, NULL);
}

static void serve_metrics(struct evhttp_request *req, void *arg)
{
    struct health *h = arg;
    struct buf text;

    buf_init(&text, 0);
    if (metrics_render(h->metrics, &text) == 0)
        reply(req, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", buf_view(&text));
    else
        reply(req, HTTP_INTERNAL, "text/plain", VIEW("out of memory\n"));
    buf_free(&text);
}

static void serve_healthz(struct evhttp_request *req, void *arg)
{
    reply(req, HTTP_OK, "application/json", VIEW("{\"alive\":true}\n"));
}

static void serve_ready(struct evhttp_request *req, struct health *h, int otherwise)
{
    struct buf why;
    struct buf body;
    bool ready;

    buf_init(&why, 4096);
    buf_init(&body, 0);
    ready = !h->ready || h->ready(h->arg, &why);
    buf_append_cstr(&body, ready ? "{\"ready\":true" : "{\"ready\":false,\"missing\":");
    if (!ready)
        json_put_string(&body, buf_view(&why));
    buf_append_cstr(&body, "}\n");
    reply(req, ready ? HTTP_OK : otherwise, "application/json", buf_view(&body));
    buf_free(&why);
    buf_free(&body);
}

static void serve_readyz(struct evhttp_request *req, void *arg)
{
    serve_ready(req, arg, HTTP_SERVUNAVAIL);
}

static void serve_balancer(struct evhttp_request *req, void *arg)
{
    serve_ready(req, arg, HTTP_NOTFOUND);
}

static void serve_nothing(struct evhttp_request *req, void *arg)
{
    reply(req, HTTP_NOTFOUND, "text/plain",
          VIEW("there are /metrics, /healthz, /readyz and /balancer\n"));
}

static uint16_t port_of(evutil_socket_t fd)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return 0;
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): getsockname has filled it
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

static int start(struct health *h, const char *addr)
{
    struct evhttp_bound_socket *bound;
    struct view host;
    uint16_t port;
    char name[256];

    if (hostport_split(view_cstr(addr), &host, &port) < 0 || host.len >= sizeof(name))
        return -EINVAL;
    snprintf(name, sizeof(name), "%.*s", VIEW_ARG(host));
    evhttp_set_max_headers_size(h->http, MAX_HEADERS);
    evhttp_set_max_body_size(h->http, MAX_BODY);
    evhttp_set_timeout(h->http, TIMEOUT_S);
    evhttp_set_allowed_methods(h->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_gencb(h->http, serve_nothing, h);
    if (evhttp_set_cb(h->http, "/metrics", serve_metrics, h) != 0 ||
        evhttp_set_cb(h->http, "/healthz", serve_healthz, h) != 0 ||
        evhttp_set_cb(h->http, "/readyz", serve_readyz, h) != 0 ||
        evhttp_set_cb(h->http, "/balancer", serve_balancer, h) != 0)
        return -ENOMEM;
    errno = 0;
    bound = evhttp_bind_socket_with_handle(h->http, host.len ? name : "0.0.0.0", port);
    if (!bound)
        return errno ? -errno : -EADDRNOTAVAIL;
    h->port = port_of(evhttp_bound_socket_get_fd(bound));
    return 0;
}

struct health *health_new(struct loop *loop, const char *addr, struct metrics *metrics,
                          health_ready_fn *ready, void *arg, int *err)
{
    struct health *h = calloc(1, sizeof(*h));

    *err = -ENOMEM;
    if (!h)
        return NULL;
    h->metrics = metrics;
    h->ready = ready;
    h->arg = arg;
    h->http = evhttp_new(loop_base(loop));
    if (h->http)
        *err = start(h, addr);
    if (*err < 0)
        health_destroy(&h);
    return h;
}

void health_destroy(struct health **h)
{
    if (!h || !*h)
        return;
    if ((*h)->http)
        evhttp_free((*h)->http);
    free(*h);
    *h = NULL;
}

uint16_t health_port(const struct health *h)
{
    return h->port;
}
