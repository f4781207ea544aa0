#include "metrics/health.h"

#include <errno.h>
#include <stdlib.h>

#include "net/httpd.h"
#include "json/json.h"

struct health {
    struct httpd *http;
    struct metrics *metrics;
    health_ready_fn *ready;
    void *arg;
};

static int serve_metrics(struct health *h, struct httpd_answer *a)
{
    a->type = "text/plain; version=0.0.4; charset=utf-8";
    if (metrics_render(h->metrics, &a->body) == 0)
        return 200;
    buf_free(&a->body);
    return 503;
}

static int serve_ready(struct health *h, struct httpd_answer *a, int default_value)
{
    struct buf why;
    bool ready;

    buf_init(&why, 4096);
    ready = !h->ready || h->ready(h->arg, &why);
    a->type = "application/json";
    buf_append_cstr(&a->body, ready ? "{\"ready\":true" : "{\"ready\":false,\"missing\":");
    if (!ready)
        json_put_string(&a->body, buf_view(&why));
    buf_append_cstr(&a->body, "}\n");
    buf_free(&why);
    return ready ? 200 : default_value;
}

static int serve(void *arg, struct view path, struct httpd_answer *a)
{
    struct health *h = arg;

    if (view_eq(path, VIEW("/metrics")))
        return serve_metrics(h, a);
    if (view_eq(path, VIEW("/readyz")))
        return serve_ready(h, a, 503);
    if (view_eq(path, VIEW("/balancer")))
        return serve_ready(h, a, 404);
    if (view_eq(path, VIEW("/healthz"))) {
        a->type = "application/json";
        buf_append_cstr(&a->body, "{\"alive\":true}\n");
        return 200;
    }
    buf_append_cstr(&a->body, "there are /metrics, /healthz, /readyz and /balancer\n");
    return 404;
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
    h->http = httpd_new(loop, addr, serve, h, err);
    if (!h->http)
        health_destroy(&h);
    return h;
}

void health_destroy(struct health **h)
{
    if (!h || !*h)
        return;
    httpd_destroy(&(*h)->http);
    free(*h);
    *h = NULL;
}

uint16_t health_port(const struct health *h)
{
    return httpd_port(h->http);
}

uint64_t health_closed(const struct health *h)
{
    return httpd_closed(h->http);
}
